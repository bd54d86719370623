/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A distribution of durations in ns: exact count, sum, sum of squares, least and
 * greatest value, and a histogram. All are integers, so a result depends neither on
 * the order of values nor on how the work was divided.
 *
 * Over intervals: count, sum, squares and histogram of an interval are the totals
 * minus an earlier copy; least and greatest value can't be had so, therefore they
 * are collected since the last dist_cut() and folded into the run's there.
 */
#ifndef HVSCOPE_BASE_DIST_H
#define HVSCOPE_BASE_DIST_H

#include "base/histogram.h"

/*
 * A zeroed struct is an empty distribution. It owns its memory: don't copy the struct. What
 * dist_add() touches stands together, since with many of them memory is what it waits for.
 */
struct dist {
	uint64_t count;
	uint64_t sum; /* modulo 2^64: see dist_sum() */
	unsigned __int128 squares;
	uint64_t inverse_min; /* ~least value since the last cut: so zero means "none" */
	uint64_t max;         /* since the last cut */
	struct histogram histogram;
	uint64_t inverse_run_min; /* the extremes of all before the last cut */
	uint64_t run_max;
};

static inline void dist_add(struct dist *d, uint64_t ns)
{
	d->count++;
	d->sum += ns;
	d->squares += (unsigned __int128)ns * ns;
	if (~ns > d->inverse_min)
		d->inverse_min = ~ns;
	if (ns > d->max)
		d->max = ns;
	histogram_add(&d->histogram, ns);
}

void dist_free(struct dist *d);

/* to += from: totals, histogram, and both pairs of extremes. */
void dist_merge(struct dist *to, const struct dist *from);

/* Replaces what `to` held. */
void dist_copy(struct dist *to, const struct dist *from);

/* Gives `from`'s contents to `to` (what it held is released); `from` is empty then. */
void dist_move(struct dist *to, struct dist *from);

/* Begins a new interval: its extremes join the run's. */
void dist_cut(struct dist *d);

/*
 * to = the interval between `before` (an earlier copy, NULL = the start) and `now`. Its
 * extremes are those of `now` since the last cut, so cut at each boundary after this.
 */
void dist_interval(struct dist *to, const struct dist *now, const struct dist *before);

/*
 * Each is false, and *ns untouched, where the figure doesn't exist (no or too few values), or is
 * beyond what can be told (values near 2^64, which are no times). The sum of no values is 0.
 */
bool dist_sum(const struct dist *d, uint64_t *ns);
bool dist_min(const struct dist *d, uint64_t *ns); /* of the whole run */
bool dist_max(const struct dist *d, uint64_t *ns);
bool dist_mean(const struct dist *d, uint64_t *ns);   /* rounded to the nearest ns */
bool dist_stddev(const struct dist *d, uint64_t *ns); /* sample, n - 1; needs 2 values */
bool dist_percentile(const struct dist *d, uint32_t ppm, uint64_t *ns); /* within [min, max] */

#endif
