/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reports of intervals. An analysis always reports its totals since the start; here the
 * totals of the last boundary are taken away, in one place for all analyses: counts, sums
 * and histograms are differences, gauges stay as they are, least and greatest values are
 * those since the last cut. Rows are matched by their labels; a row without anything in
 * the interval is dropped.
 */
#ifndef HVSCOPE_REPORT_INTERVAL_H
#define HVSCOPE_REPORT_INTERVAL_H

#include "report/report.h"

struct interval;

struct interval *interval_new(void);
void interval_free(struct interval *interval);

/*
 * Turns the report (not finished yet) of the totals into that of the time since the last
 * call, and begins the next interval of each lent distribution (dist_cut). Metrics, which
 * are cumulative, are printed from a report that was not cut.
 * Of the facts about the run only lost.intervals and lost.intervals_discarded, which the
 * analysis filled, are subtracted: records, the other losses and the span are the caller's.
 */
void interval_cut(struct interval *interval, struct report *report);

#endif
