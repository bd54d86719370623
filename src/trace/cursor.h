/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cursor walks the records of one CPU in time order. What differs between sources is only
 * where its pages come from; a source that has no pages (the fallback reader) hands over records.
 */
#ifndef HVSCOPE_TRACE_CURSOR_H
#define HVSCOPE_TRACE_CURSOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "trace/page.h"

/*
 * Where one CPU's pages come from. Pages are numbered from 0 in time order without gaps; the
 * pointer that get() gives is valid until a page at least `PAGE_WINDOW` further on is got or
 * release() names a later number.
 */
struct page_source {
	/* Page n: 1 and *page, *size; 0 not (yet) there; -1 error. */
	int (*get)(void *ctx, unsigned int cpu, uint64_t n, const void **page, size_t *size,
		   struct error *err);
	/* Pages below n are not needed any more. May be NULL. */
	void (*release)(void *ctx, unsigned int cpu, uint64_t n);
	/* Time stamp of page n without reading it whole; 1, 0, -1 as get(). */
	int (*time)(void *ctx, unsigned int cpu, uint64_t n, uint64_t *time, struct error *err);
	/*
	 * For sources without pages: records instead. 1 and *rec (valid until the next call) and how
	 * many were lost before it (0, a number, LOSS_UNKNOWN); 0 no more; -1 error. NULL with pages.
	 */
	int (*record)(void *ctx, unsigned int cpu, struct page_record *rec, uint64_t *lost,
		      struct error *err);
	void *ctx;
	unsigned int n_cpus;		/* CPU numbers are below it */
	struct page_layout layout;
	/* Raw time of a record → ns; NULL: as it is. Monotonic for rising input. */
	uint64_t (*clock)(const void *clock_ctx, unsigned int cpu, uint64_t raw);
	const void *clock_ctx;
};

#endif
