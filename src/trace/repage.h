/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages made of records, for sources that have none (the fallback reader): everything behind a
 * source then knows one kind of input only.
 */
#ifndef HVSCOPE_TRACE_REPAGE_H
#define HVSCOPE_TRACE_REPAGE_H

#include "trace/cursor.h"

struct repage;

/* The source outlives it. */
struct repage *repage_new(const struct page_source *records);
void repage_free(struct repage *r);

/* The same records as pages; owned by r. */
const struct page_source *repage_source(const struct repage *r);

#endif
