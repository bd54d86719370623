/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What several formats write alike: times, exact seconds, names of types, and which tables
 * and cells there are to print.
 */
#ifndef HVSCOPE_RENDER_FORMAT_H
#define HVSCOPE_RENDER_FORMAT_H

#include "render/render.h"

enum { FORMAT_SIZE = 160 }; /* enough for each of these */

/* 2026-03-01T12:00:00.123456789Z; ns since the epoch. */
char *format_rfc3339(char *buf, size_t size, int64_t ns);

/* 12:00:00, in local time; with fraction 12:00:00.123456. */
char *format_clock(char *buf, size_t size, int64_t ns, bool fraction);

/* Nanoseconds as seconds, exactly, without trailing zeros: 0.000001023. */
char *format_seconds(char *buf, size_t size, uint64_t ns);

/* A double with as many digits as it deserves; never an exponent-less loss, never inf or nan. */
char *format_double(char *buf, size_t size, enum column_type type, double value);

/* As in machine formats: "count", "ns", ... */
const char *format_type(enum column_type type);
const char *format_partly(enum partly value);
const char *format_source(enum source_kind kind);

/*
 * The metric that a column is exported as: its unit, "" for none, and its full name. NULL when it
 * isn't exported: only what is a number can be, and percentile columns would be one family.
 */
const char *format_unit(const struct column *column);
char *format_metric(char *buf, size_t size, const struct column *column);

/* A number, a ratio or a histogram: what totals may have, unlike labels and texts. */
bool format_is_figure(const struct column *column);

/*
 * The valid UTF-8 in text with everything else replaced by U+FFFD, also the control characters
 * but those in `keep`. The caller frees it.
 */
char *format_utf8(const char *text, const char *keep);

/* Whether the options let this table be printed. */
bool format_wants(const struct render *render, const struct report *report,
		  const struct table *table);

/* Where "(n others)" stands: the first label that is text, else the first label, or -1. */
int format_others_place(const struct table *table);

#endif
