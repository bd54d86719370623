// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages of a buffer, one after the other: pointers into a plain file, or into chunks that are
 * inflated when a page of theirs is wanted and given back when all their pages were released. So
 * what is inflated at any time is what the caller holds, and a chunk more, however long the trace.
 */
#include <string.h>

#include "trace/tracedat-internal.h"

/* An inflated chunk. */
struct held {
	struct held *next;
	uint64_t first, pages;
	size_t size;
	size_t room; /* of data[] */
	_Alignas(8) unsigned char data[];
};

/* One CPU's chunks that are held, and where the walk over chunk headers stands. */
struct cpu_pages {
	struct held *held;
	struct slice at; /* the next chunk's header */
	uint64_t page;	 /* its first page */
};

struct tracedat_pages {
	const struct tracedat *t;
	const struct tracedat_buffer *b;
	struct inflater *inflater;
	struct cpu_pages *cpus;
	struct held *spare; /* given back: the next chunk goes there */
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

static void free_list(struct held *h)
{
	while (h) {
		struct held *next = h->next;

		free(h);
		h = next;
	}
}

void tracedat_pages_free(struct tracedat_pages *p)
{
	unsigned int cpu;

	if (!p)
		return;
	for (cpu = 0; cpu < p->b->cpus; cpu++)
		free_list(p->cpus[cpu].held);
	free_list(p->spare);
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

static struct held *find_held(struct cpu_pages *c, uint64_t n)
{
	struct held *h;

	for (h = c->held; h; h = h->next)
		if (n >= h->first && n - h->first < h->pages)
			return h;
	return NULL;
}

/* Gives back the chunks that lie wholly below page n. One is kept for the next to be inflated. */
static void give_back(struct tracedat_pages *p, struct cpu_pages *c, uint64_t n)
{
	struct held **link = &c->held;

	while (*link) {
		struct held *h = *link;

		if (h->first + h->pages > n) {
			link = &h->next;
			continue;
		}
		*link = h->next;
		if (p->spare) {
			free(h);
		} else {
			h->next = NULL;
			p->spare = h;
		}
	}
}

static struct held *held_new(struct tracedat_pages *p, size_t size)
{
	struct held *h = p->spare;

	if (h && h->room >= size) {
		p->spare = NULL;
		return h;
	}
	h = xmalloc(sizeof(*h) + size);
	h->room = size;
	return h;
}

/* Puts the walk on a remembered chunk at or before page n, unless it stands nearer already. */
static void seek(const struct extent *e, struct cpu_pages *c, uint64_t n)
{
	size_t low = 0, high = e->chunks.n_marks;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (e->chunks.marks[mid].page <= n)
			low = mid;
		else
			high = mid;
	}
	if (c->at.p && c->page <= n && c->page >= e->chunks.marks[low].page)
		return;
	c->at = e->data;
	c->at.p = e->chunks.marks[low].at;
	c->page = e->chunks.marks[low].page;
}

/* Inflates the chunk with page n, which was found to exist when the file was opened. */
static struct held *inflate_chunk(struct tracedat_pages *p, const struct extent *e,
				  struct cpu_pages *c, uint64_t n, struct error *err)
{
	uint32_t packed, size;
	uint64_t first, pages;
	struct slice from;
	struct held *h;

	seek(e, c, n);
	do {
		packed = slice_u32(&c->at);
		size = slice_u32(&c->at);
		from = slice_take(&c->at, packed);
		first = c->page;
		pages = (size + p->b->page_size - 1) / p->b->page_size;
		c->page += pages;
	} while (!c->at.cut && c->page <= n);
	h = c->at.cut ? NULL : held_new(p, size);
	if (!h || inflater_run(p->inflater, from.p, packed, h->data, size)) {
		free(h);
		c->at.p = NULL;
		tracedat_damaged(p->t, err, "a chunk of its records can't be inflated");
		return NULL;
	}
	h->first = first;
	h->pages = pages;
	h->size = size;
	h->next = c->held;
	c->held = h;
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
	struct held *h;
	size_t at;

	if (p->t->fallback)
		return foreign_page(p, cpu, n, page, size, err);
	if (cpu >= p->b->cpus || n >= p->b->extents[cpu].pages)
		return 0;
	e = &p->b->extents[cpu];
	if (!p->b->packed)
		return plain_page(p->b, e, n, page, size);
	c = &p->cpus[cpu];
	h = find_held(c, n);
	if (!h)
		h = inflate_chunk(p, e, c, n, err);
	if (!h)
		return -1;
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
