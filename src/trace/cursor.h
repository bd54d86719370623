/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where one CPU's records come from. What differs between sources (a mapped file, inflated chunks,
 * live buffers, the fallback reader) is only this; the stream walks what it gets.
 */
#ifndef HVSCOPE_TRACE_CURSOR_H
#define HVSCOPE_TRACE_CURSOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "trace/page.h"

/* The stream never holds more pages of one CPU than this: got and not yet released. */
enum { PAGE_WINDOW = 64 };

/*
 * Pages are numbered from 0 in time order without gaps; the pointer that get() gives is valid
 * until release() names a later number. The stream gets pages in ascending order, the same one
 * again at times; time() may ask for one further on.
 */
struct page_source {
	/* Page n: 1 and *page, *size; 0 not (yet) there; -1 error. */
	int (*get)(void *ctx, unsigned int cpu, uint64_t n, const void **page, size_t *size,
		   struct error *err);
	/* Pages below n are not needed any more. May be NULL. */
	void (*release)(void *ctx, unsigned int cpu, uint64_t n);
	/*
	 * Raw time stamp of page n without reading it whole; 1, 0, -1 as get(): where there is such
	 * a page, it must be told, for windows end by it. Only pages up to PAGE_WINDOW behind the
	 * last released one are asked for.
	 */
	int (*time)(void *ctx, unsigned int cpu, uint64_t n, uint64_t *time, struct error *err);
	/*
	 * For sources without pages (get NULL) records instead. 1 and *rec (valid until the next
	 * call) and how many were lost before it (0, a number, LOSS_UNKNOWN); 0 no more; -1 error.
	 */
	int (*record)(void *ctx, unsigned int cpu, struct page_record *rec, uint64_t *lost,
		      struct error *err);
	void *ctx;
	bool grows; /* a page that isn't there may come; else there are no more */
	unsigned int n_cpus;		/* CPU numbers are below it */
	struct page_layout layout;
	/* Raw time of a record → ns; NULL: as it is. Monotonic for rising input. */
	uint64_t (*clock)(const void *clock_ctx, unsigned int cpu, uint64_t raw);
	const void *clock_ctx;
};

#endif
