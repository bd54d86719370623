// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page tells the time of its first record, so where a CPU's piece begins is found by halving.
 * That is a guess where times are not ascending: who joins pieces has to see that each began where
 * the one before it ended.
 */
#include "trace/piece.h"

#include "base/util.h"

struct piece {
	struct page_source whole, source;
	uint64_t *first; /* by CPU: page of the whole that is page 0 of the piece */
};

static bool page_is_before(const struct page_source *s, unsigned int cpu, uint64_t n, uint64_t seam)
{
	uint64_t time;

	return s->time(s->ctx, cpu, n, &time, NULL) == 1 && time < seam;
}

/* How many pages of the CPU begin before the seam. */
static uint64_t pages_before(const struct page_source *s, unsigned int cpu, uint64_t seam)
{
	uint64_t low = 0, high = 1;

	while (page_is_before(s, cpu, high - 1, seam)) {
		low = high;
		high *= 2;
	}
	while (low < high - 1) {
		uint64_t middle = low + (high - 1 - low) / 2;

		if (page_is_before(s, cpu, middle, seam))
			low = middle + 1;
		else
			high = middle + 1;
	}
	return low;
}

static uint64_t all_before(const struct page_source *s, uint64_t seam)
{
	uint64_t n = 0;

	for (unsigned int cpu = 0; cpu < s->n_cpus; cpu++)
		n += pages_before(s, cpu, seam);
	return n;
}

/* Whether the page has a record before the seam: a page may be empty, or be damaged. */
static bool record_is_before(const struct page_source *s, unsigned int cpu, uint64_t n,
			     uint64_t seam)
{
	struct page_record rec;
	struct page_walk walk;
	const void *page;
	size_t size;

	return s->get(s->ctx, cpu, n, &page, &size, NULL) == 1 &&
	       !page_begin(&walk, &s->layout, page, size) &&
	       page_next(&walk, &s->layout, &rec) == 1 && rec.time < seam;
}

static int get(void *ctx, unsigned int cpu, uint64_t n, const void **page, size_t *size,
	       struct error *err)
{
	const struct piece *p = ctx;

	return p->whole.get(p->whole.ctx, cpu, piece_page(p, cpu, n), page, size, err);
}

static int time_of(void *ctx, unsigned int cpu, uint64_t n, uint64_t *time, struct error *err)
{
	const struct piece *p = ctx;

	return p->whole.time(p->whole.ctx, cpu, piece_page(p, cpu, n), time, err);
}

struct piece *piece_new(const struct page_source *whole, uint64_t seam)
{
	struct piece *p = xcalloc(1, sizeof(*p));

	p->whole = *whole;
	p->source = (struct page_source){
		.get = get, .time = time_of, .ctx = p, .n_cpus = whole->n_cpus,
		.layout = whole->layout,
	};
	p->first = xcalloc(whole->n_cpus + 1, sizeof(*p->first));
	for (unsigned int cpu = 0; cpu < whole->n_cpus; cpu++) {
		uint64_t n = pages_before(whole, cpu, seam);

		while (n && !record_is_before(whole, cpu, n - 1, seam))
			n--;
		p->first[cpu] = n ? n - 1 : 0;
	}
	return p;
}

void piece_free(struct piece *p)
{
	if (!p)
		return;
	free(p->first);
	free(p);
}

const struct page_source *piece_source(const struct piece *p)
{
	return &p->source;
}

uint64_t piece_page(const struct piece *p, unsigned int cpu, uint64_t n)
{
	return p->first[cpu] + n;
}

/* The span of time in which pages begin. */
static void find_span(const struct page_source *s, uint64_t *first, uint64_t *last)
{
	uint64_t time;

	*first = UINT64_MAX;
	*last = 0;
	for (unsigned int cpu = 0; cpu < s->n_cpus; cpu++) {
		uint64_t n = pages_before(s, cpu, UINT64_MAX);

		if (!n)
			continue;
		if (s->time(s->ctx, cpu, 0, &time, NULL) == 1)
			*first = min(*first, time);
		if (s->time(s->ctx, cpu, n - 1, &time, NULL) == 1)
			*last = max(*last, time);
	}
}

unsigned int piece_seams(const struct page_source *whole, unsigned int n, uint64_t *seams)
{
	uint64_t all = all_before(whole, UINT64_MAX), first, last;
	unsigned int found = 0;

	find_span(whole, &first, &last);
	for (unsigned int i = 1; i < n && first < last; i++) {
		uint64_t want = all / n * i + all % n * i / n, low = first, high = last;

		/* the earliest time before which there are so many */
		while (low < high) {
			uint64_t middle = low + (high - low) / 2;

			if (all_before(whole, middle) < want)
				low = middle + 1;
			else
				high = middle;
		}
		if (low > first && (!found || low > seams[found - 1]))
			seams[found++] = low;
	}
	return found;
}
