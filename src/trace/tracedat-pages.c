// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages of a buffer, one after the other: pointers into a plain file, or into chunks that are
 * inflated when a page of theirs is wanted and given back when all their pages were released. So
 * what is inflated at any time is what the caller holds, and a chunk more, however long the trace.
 * With a crew it is inflated before that, and some megabytes more.
 */
#include <string.h>

#include "trace/tracedat-internal.h"

enum {
	AHEAD_BYTES = 8 << 20, /* inflated before they are wanted, of all CPUs */
	SPARES = 16
};

/* Where a walk over chunk headers stands. */
struct chunk_walk {
	struct slice at; /* the next chunk's header; p NULL: nowhere yet */
	uint64_t page;	 /* its first page */
};

/* One CPU's chunks that are held. */
struct cpu_pages {
	struct chunk *chunks;
	struct chunk_walk walk; /* with a crew: behind all that it was given */
};

struct tracedat_pages {
	const struct tracedat *t;
	const struct tracedat_buffer *b;
	struct inflater *inflater;
	struct crew *crew; /* NULL: there is none */
	uint64_t ahead;	   /* so many pages of each CPU are given to the crew */
	struct cpu_pages *cpus;
	struct chunk *spares; /* given back: the next chunks go there */
	unsigned int n_spares;
	struct foreign_pages *foreign; /* of a foreign file; NULL: it can't be read (any more) */
};

struct tracedat_pages *tracedat_pages_new(const struct tracedat *t,
					  const struct tracedat_buffer *b)
{
	struct tracedat_pages *p = xcalloc(1, sizeof(*p));

	p->t = t;
	p->b = b;
	p->cpus = xcalloc(b->cpus + 1, sizeof(*p->cpus));
	if (b->packed)
		p->inflater = inflater_new(t->compression);
	if (t->fallback)
		p->foreign = foreign_pages_new(t, b, NULL);
	return p;
}

unsigned int tracedat_pages_threads(struct tracedat_pages *p, unsigned int threads)
{
	if (!p->inflater || !threads)
		return 0;
	p->crew = crew_new(p->t->compression, threads);
	p->ahead = max((uint64_t)1, (uint64_t)AHEAD_BYTES / p->b->page_size / p->b->cpus);
	return p->crew ? crew_size(p->crew) : 0;
}

static void free_list(struct chunk *h)
{
	while (h) {
		struct chunk *next = h->next;

		free(h);
		h = next;
	}
}

void tracedat_pages_free(struct tracedat_pages *p)
{
	unsigned int cpu;

	if (!p)
		return;
	crew_free(p->crew);
	for (cpu = 0; cpu < p->b->cpus; cpu++)
		free_list(p->cpus[cpu].chunks);
	free_list(p->spares);
	foreign_pages_free(p->foreign);
	inflater_free(p->inflater);
	free(p->cpus);
	free(p);
}

static int plain_page(const struct tracedat_buffer *b, const struct extent *e, uint64_t n,
		      const void **page, size_t *size)
{
	uint64_t at = n * b->page_size;

	*page = e->data.p + at;
	*size = (size_t)min(slice_left(&e->data) - at, (uint64_t)b->page_size);
	return 1;
}

static struct chunk *find_held(struct cpu_pages *c, uint64_t n)
{
	struct chunk *h;

	for (h = c->chunks; h; h = h->next)
		if (n >= h->first && n - h->first < h->pages)
			return h;
	return NULL;
}

/* Gives back the chunks that lie wholly below page n. Some are kept for the next to be inflated. */
static void give_back(struct tracedat_pages *p, struct cpu_pages *c, uint64_t n)
{
	struct chunk **link = &c->chunks;

	while (*link) {
		struct chunk *h = *link;

		if (h->first + h->pages > n) {
			link = &h->next;
			continue;
		}
		*link = h->next;
		if (p->crew)
			crew_forget(p->crew, h);
		if (p->n_spares >= (p->crew ? SPARES : 1)) {
			free(h);
			continue;
		}
		h->next = p->spares;
		p->spares = h;
		p->n_spares++;
	}
}

/* A chunk's place in the file, and memory for it. */
static struct chunk *chunk_new(struct tracedat_pages *p, const struct chunk *like)
{
	struct chunk *h = p->spares;
	size_t room;

	if (h) {
		p->spares = h->next;
		p->n_spares--;
	}
	if (!h || h->room < like->size) {
		free(h);
		h = xmalloc(sizeof(*h) + like->size);
		h->room = like->size;
	}
	room = h->room;
	*h = *like;
	h->room = room;
	return h;
}

/* Puts the walk on a remembered chunk at or before page n, unless it stands nearer already. */
static void seek(const struct extent *e, struct chunk_walk *w, uint64_t n)
{
	size_t low = 0, high = e->chunks.n_marks;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (e->chunks.marks[mid].page <= n)
			low = mid;
		else
			high = mid;
	}
	if (w->at.p && w->page <= n && w->page >= e->chunks.marks[low].page)
		return;
	w->at = e->data;
	w->at.p = e->chunks.marks[low].at;
	w->page = e->chunks.marks[low].page;
}

/* The next chunk of the walk; false when it isn't there. */
static bool next_chunk(const struct tracedat_pages *p, struct chunk_walk *w, struct chunk *h)
{
	*h = (struct chunk){ .packed = slice_u32(&w->at), .first = w->page };
	h->size = slice_u32(&w->at);
	h->from = slice_take(&w->at, h->packed).p;
	h->pages = (h->size + p->b->page_size - 1) / p->b->page_size;
	w->page += h->pages;
	return !w->at.cut;
}

static void hold(struct cpu_pages *c, struct chunk *h)
{
	h->next = c->chunks;
	c->chunks = h;
}

/* Inflates the chunk with page n, which was found to exist when the file was opened. */
static struct chunk *inflate_chunk(struct tracedat_pages *p, const struct extent *e,
				   struct cpu_pages *c, struct chunk_walk *w, uint64_t n)
{
	struct chunk place, *h;
	bool there;

	seek(e, w, n);
	do {
		there = next_chunk(p, w, &place);
	} while (there && w->page <= n);
	if (!there)
		return NULL;
	place.state = CHUNK_DONE;
	h = chunk_new(p, &place);
	if (inflater_run(p->inflater, h->from, h->packed, h->data, h->size)) {
		free(h);
		return NULL;
	}
	hold(c, h);
	return h;
}

/*
 * With a crew: it has all chunks from the first one on up to some pages behind n. It is given many
 * at a time, for to wake its threads costs as much as to inflate one.
 */
static void give_ahead(struct tracedat_pages *p, const struct extent *e, struct cpu_pages *c,
		       uint64_t n)
{
	struct chunk place, *h;

	if (!c->walk.at.p)
		seek(e, &c->walk, n);
	if (c->walk.page >= e->pages || c->walk.page > n + p->ahead / 2)
		return;
	while (c->walk.page < e->pages && c->walk.page <= n + p->ahead) {
		if (!next_chunk(p, &c->walk, &place)) {
			c->walk.page = e->pages; /* get() will say it */
			break;
		}
		h = chunk_new(p, &place);
		hold(c, h);
		crew_add(p->crew, h);
	}
	crew_start(p->crew);
}

/* The inflated chunk with page n; NULL when it can't be inflated. */
static struct chunk *get_chunk(struct tracedat_pages *p, const struct extent *e,
			       struct cpu_pages *c, uint64_t n)
{
	struct chunk_walk back = { .page = 0 };
	struct chunk *h;

	if (p->crew)
		give_ahead(p, e, c, n);
	h = find_held(c, n);
	if (h)
		return !p->crew || !crew_want(p->crew, h, p->inflater) ? h : NULL;
	/* with a crew only a page that was released comes again */
	h = inflate_chunk(p, e, c, p->crew ? &back : &c->walk, n);
	if (!h)
		c->walk.at.p = p->crew ? c->walk.at.p : NULL;
	return h;
}

static int foreign_page(struct tracedat_pages *p, unsigned int cpu, uint64_t n, const void **page,
			size_t *size, struct error *err)
{
	const struct page_source *source;

	if (!p->foreign)
		return error_set(err, "%s can't be read by libtracecmd any more", p->t->name);
	source = foreign_pages_source(p->foreign);
	return cpu < source->n_cpus ? source->get(source->ctx, cpu, n, page, size, err) : 0;
}

int tracedat_pages_get(struct tracedat_pages *p, unsigned int cpu, uint64_t n, const void **page,
		       size_t *size, struct error *err)
{
	const struct extent *e;
	struct cpu_pages *c;
	struct chunk *h;
	size_t at;

	if (p->t->fallback)
		return foreign_page(p, cpu, n, page, size, err);
	if (cpu >= p->b->cpus || n >= p->b->extents[cpu].pages)
		return 0;
	e = &p->b->extents[cpu];
	if (!p->b->packed)
		return plain_page(p->b, e, n, page, size);
	c = &p->cpus[cpu];
	h = get_chunk(p, e, c, n);
	if (!h)
		return tracedat_damaged(p->t, err, "a chunk of its records can't be inflated");
	at = (size_t)(n - h->first) * p->b->page_size;
	*page = h->data + at;
	*size = min(h->size - at, (size_t)p->b->page_size);
	return 1;
}

void tracedat_pages_release(struct tracedat_pages *p, unsigned int cpu, uint64_t n)
{
	const struct page_source *source = p->foreign ? foreign_pages_source(p->foreign) : NULL;

	if (source && cpu < source->n_cpus)
		source->release(source->ctx, cpu, n);
	else if (cpu < p->b->cpus)
		give_back(p, &p->cpus[cpu], n);
}
