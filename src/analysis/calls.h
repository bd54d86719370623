/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls: whatever begins and ends as facts of one kind with aux BEGIN and END, and is told apart
 * by a: functions by their role, interrupt handlers by their number. A subject has at most one
 * call of the same a pending: a second begin leaves the first without its end (a missed return).
 *
 * As with exits, calls = timed + discarded + unpaired + open.
 */
#ifndef HVSCOPE_ANALYSIS_CALLS_H
#define HVSCOPE_ANALYSIS_CALLS_H

#include "analysis/analysis.h"
#include "analysis/bins.h"

struct calls;

/* Of facts of one kind. */
struct calls *calls_new(const struct analysis_env *env, enum fact_kind kind);
void calls_free(struct calls *c);

/* Facts of other kinds do nothing, but FACT_THREAD_END, which ends a thread's calls as open. */
void calls_feed(struct calls *c, const struct fact *f);
void calls_lost(struct calls *c, const struct loss *losses, size_t n);

/* Whether the subject is in a call, of any a; what an analysis holds (analysis.h). */
bool calls_inside(const struct calls *c, uint32_t subject);

/*
 * The columns: the keys of --by, the name behind a, figures. An analysis makes an array of its own
 * by CALLS_COLUMN_DEFS, since metrics have names of their own: CALLS_COLUMN_DEFS("role", "ROLE",
 * "upcall", "upcalls").
 */
enum calls_column {
	CALLS_NAME = BIN_COLUMNS,
	CALLS_CALLS,
	CALLS_RATE,
	CALLS_TIMED,
	CALLS_DISCARDED,
	CALLS_UNPAIRED,
	CALLS_OPEN,
	CALLS_TOTAL,
	CALLS_MIN,
	CALLS_MEAN,
	CALLS_STDDEV,
	CALLS_PERCENTILE,
	CALLS_MAX,
	CALLS_HIST,
	CALLS_COLUMNS
};

#define CALLS_COUNT(place, k, t, more, m, words) \
	[place] = { .key = k,                    \
		    .title = t,                  \
		    .type = COLUMN_COUNT,        \
		    .flags = more,               \
		    .metric = m,                 \
		    .help = words }
#define CALLS_TIME(place, k, t, more, how, m, words) \
	[place] = { .key = k,                        \
		    .title = t,                      \
		    .type = COLUMN_NS,               \
		    .flags = more,                   \
		    .derive = how,                   \
		    .metric = m,                     \
		    .help = words }

#define CALLS_COLUMN_DEFS(name_key, name_title, one, many)                                         \
	BIN_COLUMN_DEFS,                                                                           \
		[CALLS_NAME] = { .key = name_key,                                                  \
				 .title = name_title,                                              \
				 .type = COLUMN_TEXT,                                              \
				 .flags = COLUMN_LABEL,                                            \
				 .help = "Name of it" },                                           \
		CALLS_COUNT(CALLS_CALLS, "calls", "CALLS", 0, many, "Calls"),                      \
		[CALLS_RATE] = { .key = "rate",                                                    \
				 .title = "RATE",                                                  \
				 .type = COLUMN_RATE,                                              \
				 .derive = DERIVE_RATE,                                            \
				 .of = "calls",                                                    \
				 .help = "Calls per second" },                                     \
		CALLS_COUNT(CALLS_TIMED, "timed", "TIMED", COLUMN_WIDE, many "_timed",             \
			    "Calls whose duration is known"),                                      \
		CALLS_COUNT(CALLS_DISCARDED, "discarded", "DISC", COLUMN_WHEN_ANY,                 \
			    many "_discarded",                                                     \
			    "Calls whose duration may have met a loss of records"),                \
		CALLS_COUNT(CALLS_UNPAIRED, "unpaired", "UNPAIRED", COLUMN_WIDE, many "_unpaired", \
			    "Calls that the next one of the same kind followed without a return"), \
		CALLS_COUNT(CALLS_OPEN, "open", "OPEN", COLUMN_WIDE | COLUMN_GAUGE | COLUMN_SUM,   \
			    many "_open", "Calls without a return until the end"),                 \
		CALLS_TIME(CALLS_TOTAL, "total_ns", "TOTAL", COLUMN_WIDE, DERIVE_SUM, one "_time", \
			   "Time in them"),                                                        \
		CALLS_TIME(CALLS_MIN, "min_ns", "MIN", COLUMN_WIDE | COLUMN_GAUGE, DERIVE_MIN,     \
			   NULL, "Shortest"),                                                      \
		CALLS_TIME(CALLS_MEAN, "mean_ns", "MEAN", COLUMN_GAUGE, DERIVE_MEAN, NULL,         \
			   "Mean"),                                                                \
		CALLS_TIME(CALLS_STDDEV, "stddev_ns", "STDDEV", COLUMN_WIDE | COLUMN_GAUGE,        \
			   DERIVE_STDDEV, NULL, "Standard deviation"),                             \
		CALLS_TIME(CALLS_PERCENTILE, "p%_ns", "P%", COLUMN_GAUGE, DERIVE_PERCENTILE, NULL, \
			   "Percentile"),                                                          \
		CALLS_TIME(CALLS_MAX, "max_ns", "MAX", COLUMN_GAUGE, DERIVE_MAX, NULL, "Longest"), \
		[CALLS_HIST] = { .key = "hist",                                                    \
				 .title = "HISTOGRAM",                                             \
				 .type = COLUMN_HISTOGRAM,                                         \
				 .derive = DERIVE_HISTOGRAM,                                       \
				 .metric = one "_duration",                                        \
				 .help = "Durations" }

/* What stands in the column of names for a; returns buf or a text that stays valid. */
typedef const char *calls_namer(const void *ctx, uint64_t a, char *buf, size_t size);

/* For roles: the text behind an interned number; ctx is the struct analysis_env. */
calls_namer calls_interned;

/* Adds the table; the rows lend the calls' distributions, so c must outlive the report. */
void calls_report(struct calls *c, struct report *report, const char *name, const char *title,
		  const struct column columns[CALLS_COLUMNS], calls_namer *namer, const void *ctx);

/* How many there were, of all rows. */
uint64_t calls_total(const struct calls *c);

#endif
