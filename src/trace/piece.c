// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A page tells the time of its first record, so where a CPU's piece begins is found by halving.
 * That is a guess where times are not ascending: who joins pieces has to see that each began where
 * the one before it ended.
 */
#include "trace/piece.h"

#include "base/util.h"

enum { SAMPLES = 16 }; /* of each piece: pages whose times are looked at to find the seams */

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

static void release(void *ctx, unsigned int cpu, uint64_t n)
{
	const struct piece *p = ctx;

	p->whole.release(p->whole.ctx, cpu, piece_page(p, cpu, n));
}

struct piece *piece_new(const struct page_source *whole, uint64_t seam)
{
	struct piece *p = xcalloc(1, sizeof(*p));

	p->whole = *whole;
	p->source = (struct page_source){
		.get = get, .time = time_of, .ctx = p, .n_cpus = whole->n_cpus,
		.layout = whole->layout, .release = whole->release ? release : NULL,
	};
	p->first = xcalloc(whole->n_cpus + 1, sizeof(*p->first));
	for (unsigned int cpu = 0; cpu < whole->n_cpus; cpu++) {
		uint64_t n = pages_before(whole, cpu, seam);

		while (n && !record_is_before(whole, cpu, n - 1, seam))
			n--;
		p->first[cpu] = n ? n - 1 : 0;
		if (whole->release)
			release(p, cpu, 0);
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

/* The time of a page that stands for so many. */
struct sample {
	uint64_t time, pages;
};

static int by_time(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

/* Every step-th page of a CPU, or the one there is. */
static size_t take_samples(const struct page_source *s, unsigned int cpu, uint64_t pages,
			   uint64_t step, struct sample *to)
{
	size_t n = 0;

	for (uint64_t i = 0; i < pages; i += step) {
		to[n].pages = min(step, pages - i);
		n += s->time(s->ctx, cpu, i, &to[n].time, NULL) == 1;
	}
	return n;
}

unsigned int piece_seams(const struct page_source *whole, const uint64_t *pages, unsigned int n,
			 uint64_t *seams)
{
	uint64_t all = 0, step, before = 0;
	struct sample *samples;
	unsigned int found = 0;
	size_t taken = 0;

	for (unsigned int cpu = 0; cpu < whole->n_cpus; cpu++)
		all += pages[cpu];
	step = max((uint64_t)1, all / ((uint64_t)n * SAMPLES));
	samples = xcalloc(all / step + whole->n_cpus + 1, sizeof(*samples));
	for (unsigned int cpu = 0; cpu < whole->n_cpus; cpu++)
		taken += take_samples(whole, cpu, pages[cpu], step, samples + taken);
	qsort(samples, taken, sizeof(*samples), by_time);
	for (size_t i = 0; i < taken && found + 1 < n; i++) {
		if (before * n >= all * (found + 1) &&
		    samples[i].time > (found ? seams[found - 1] : samples[0].time))
			seams[found++] = samples[i].time;
		before += samples[i].pages;
	}
	free(samples);
	return found;
}
