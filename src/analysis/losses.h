/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The spans in which some CPU lost records, as an analysis that pairs facts needs them: an
 * interval (begin, end) of any thread is untrustworthy when it overlaps one, because the thread
 * may have been on that CPU.
 *
 * Spans are open, so they overlap when from < end and begin < to. They are kept sorted, disjoint,
 * and only as long as a later interval can still meet them.
 */
#ifndef HVSCOPE_ANALYSIS_LOSSES_H
#define HVSCOPE_ANALYSIS_LOSSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fact.h"

struct span {
	uint64_t from, to;
};

/* A zeroed struct holds no span. */
struct losses {
	struct span *spans; /* by time */
	size_t n, room;
	uint64_t from, to; /* hull of all spans; both 0 when there are none */
};

void losses_free(struct losses *l);

/* Takes new losses in, of any CPU and in any order; the same one may come again. */
void losses_add(struct losses *l, const struct loss *losses, size_t n);

/* Drops what lies before `time`: no interval that begins or ends before it will be asked for. */
void losses_forget(struct losses *l, uint64_t time);

/* The slow half of losses_meet(). */
bool losses_search(const struct losses *l, uint64_t begin, uint64_t end);

/* Whether an interval overlaps a loss. */
static inline bool losses_meet(const struct losses *l, uint64_t begin, uint64_t end)
{
	return __builtin_expect(l->from < end && begin < l->to, 0) && losses_search(l, begin, end);
}

#endif
