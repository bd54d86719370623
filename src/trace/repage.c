// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packs records into sub-buffers of this machine's own layout. A page's first record has the
 * page's time; a loss, or a time that runs backwards, begins a new page.
 */
#include "trace/repage.h"

#include <string.h>

#include "base/util.h"
#include "fact.h"

enum {
	HEADER = 16,	    /* time stamp and commit */
	COUNT = 8,	    /* the number lost, behind the data */
	ENTRY_MAX = 8 + 8,  /* time extend and long header: all that may precede data */
	ROOM = 64	    /* more than a page of the source: whatever fitted there fits here */
};

#define COMMIT_LOST (UINT64_C(1) << 31)
#define COMMIT_COUNTED (UINT64_C(1) << 30)

/* A record that was read and not yet packed. */
struct waiting {
	unsigned char *data;
	uint32_t size, room;
	uint64_t time, lost;
	bool there;
};

struct packer {
	unsigned char **pages; /* from number `first` on */
	size_t n, room;
	uint64_t first;
	struct waiting waiting;
	bool done;
};

struct repage {
	const struct page_source *records;
	struct page_source source;
	struct packer *packers; /* by CPU */
};

/* Reads on: 1 a record waits, 0 there are no more, -1 error. */
static int read_record(struct repage *r, unsigned int cpu, struct error *err)
{
	struct packer *p = &r->packers[cpu];
	struct waiting *w = &p->waiting;
	struct page_record rec;
	uint64_t lost = 0;
	int got;

	if (w->there)
		return 1;
	if (p->done)
		return 0;
	got = r->records->record(r->records->ctx, cpu, &rec, &lost, err);
	if (got <= 0) {
		p->done = true;
		return got;
	}
	if (rec.size > r->source.layout.size - HEADER - ENTRY_MAX - COUNT)
		return error_set(err, "a record of CPU %u has %u bytes, more than a page", cpu,
				 rec.size);
	if (rec.size > w->room) {
		w->room = rec.size;
		w->data = xreallocarray(w->data, w->room, 1);
	}
	memcpy(w->data, rec.data, rec.size);
	w->size = rec.size;
	w->time = rec.time;
	w->lost = lost;
	w->there = true;
	return 1;
}

static unsigned char *put32(unsigned char *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static void put64(unsigned char *p, uint64_t v)
{
	memcpy(p, &v, sizeof(v));
}

/* Packs the waiting record at p; returns the place behind it. */
static unsigned char *put_record(unsigned char *p, struct waiting *w, uint64_t delta)
{
	uint32_t whole = (w->size + 3) & ~3u, low = delta & ((1u << PAGE_DELTA_BITS) - 1);

	if (delta >> PAGE_DELTA_BITS) {
		p = put32(p, page_entry(PAGE_TYPE_TIME_EXTEND, low));
		p = put32(p, (uint32_t)(delta >> PAGE_DELTA_BITS));
		low = 0;
	}
	if (whole && whole <= PAGE_TYPE_DATA_MAX * 4) {
		p = put32(p, page_entry(whole / 4, low));
	} else {
		p = put32(p, page_entry(PAGE_TYPE_LONG, low));
		p = put32(p, whole + 4);
	}
	memcpy(p, w->data, w->size);
	memset(p + w->size, 0, whole - w->size);
	w->there = false;
	return p + whole;
}

/* Whether the waiting record may join a page whose last time was `time`. */
static bool joins(const struct waiting *w, uint64_t time, size_t left)
{
	return !w->lost && w->time >= time &&
	       (w->time - time) >> PAGE_DELTA_BITS <= UINT32_MAX &&
	       w->size + 3 + ENTRY_MAX + COUNT <= left;
}

/* The next page of a CPU: 1 it was added, 0 there are no more records, -1 error. */
static int add_page(struct repage *r, unsigned int cpu, struct error *err)
{
	struct packer *p = &r->packers[cpu];
	unsigned char *page, *to, *end;
	uint64_t time, commit, lost;
	int got = read_record(r, cpu, err);

	if (got <= 0)
		return got;
	page = xcalloc(1, r->source.layout.size);
	to = page + HEADER;
	end = page + r->source.layout.size;
	lost = p->waiting.lost;
	time = p->waiting.time;
	put64(page, time);
	p->waiting.lost = 0;
	do {
		uint64_t delta = p->waiting.time - time;

		time = p->waiting.time;
		to = put_record(to, &p->waiting, delta);
		got = read_record(r, cpu, err);
	} while (got == 1 && joins(&p->waiting, time, (size_t)(end - to)));
	commit = (uint64_t)(to - page - HEADER);
	if (lost)
		commit |= COMMIT_LOST | (lost == LOSS_UNKNOWN ? 0 : COMMIT_COUNTED);
	if (lost && lost != LOSS_UNKNOWN)
		put64(to, lost);
	put64(page + 8, commit);
	p->pages = xgrow(p->pages, p->n, &p->room, sizeof(*p->pages));
	p->pages[p->n++] = page;
	return got < 0 ? -1 : 1;
}

static int find_page(struct repage *r, unsigned int cpu, uint64_t n, const unsigned char **page,
		     struct error *err)
{
	struct packer *p = &r->packers[cpu];
	int got;

	if (n < p->first)
		return 0;
	while (n - p->first >= p->n) {
		got = add_page(r, cpu, err);
		if (got <= 0)
			return got;
	}
	*page = p->pages[n - p->first];
	return 1;
}

static int get(void *ctx, unsigned int cpu, uint64_t n, const void **page, size_t *size,
	       struct error *err)
{
	struct repage *r = ctx;
	const unsigned char *found;
	int got = find_page(r, cpu, n, &found, err);

	if (got == 1) {
		*page = found;
		*size = r->source.layout.size;
	}
	return got;
}

static int page_time_of(void *ctx, unsigned int cpu, uint64_t n, uint64_t *time, struct error *err)
{
	struct repage *r = ctx;
	const unsigned char *found;
	int got = find_page(r, cpu, n, &found, err);

	if (got == 1)
		*time = page_time(&r->source.layout, found);
	return got;
}

static void release(void *ctx, unsigned int cpu, uint64_t n)
{
	struct repage *r = ctx;
	struct packer *p = &r->packers[cpu];
	size_t gone;

	if (n <= p->first)
		return;
	gone = min((size_t)(n - p->first), p->n);
	for (size_t i = 0; i < gone; i++)
		free(p->pages[i]);
	p->n -= gone;
	if (p->n)
		memmove(p->pages, p->pages + gone, p->n * sizeof(unsigned char *));
	p->first += gone;
}

struct repage *repage_new(const struct page_source *records)
{
	struct repage *r = xcalloc(1, sizeof(*r));

	r->records = records;
	r->source = *records;
	r->source.get = get;
	r->source.release = release;
	r->source.time = page_time_of;
	r->source.record = NULL;
	r->source.ctx = r;
	r->source.layout = (struct page_layout){
		.long_size = 8, .data = HEADER,
		.size = max(records->layout.size, 4096u) + ROOM,
	};
	r->packers = xcalloc(records->n_cpus, sizeof(*r->packers));
	return r;
}

void repage_free(struct repage *r)
{
	if (!r)
		return;
	for (unsigned int cpu = 0; cpu < r->source.n_cpus; cpu++) {
		struct packer *p = &r->packers[cpu];

		for (size_t i = 0; i < p->n; i++)
			free(p->pages[i]);
		free(p->pages);
		free(p->waiting.data);
	}
	free(r->packers);
	free(r);
}

const struct page_source *repage_source(const struct repage *r)
{
	return &r->source;
}
