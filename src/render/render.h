/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printing of reports. A renderer is a format: it knows types of columns, never an
 * analysis. The list is render/renderers.def: one row, one file each.
 */
#ifndef HVSCOPE_RENDER_RENDER_H
#define HVSCOPE_RENDER_RENDER_H

#include <stdio.h>

#include "report/report.h"

struct render_options {
	bool verbose;        /* all columns (-v) */
	bool quiet;          /* no header and footer lines (-q) */
	bool color;          /* escapes may be used: see render_color() */
	bool timestamps;     /* -T */
	bool intervals;      /* several reports will come */
	const char *table;   /* --table: only this one; NULL = all, or the first where one fits */
	const char *version; /* of hvscope, for machine formats */
};

/* What a run of reports prints to. For renderers; opaque to callers. */
struct render {
	const struct renderer *renderer;
	struct render_options options;
	FILE *out;
	uint64_t reports; /* printed so far */
	unsigned *widths; /* of lines (struct report.lines): by column, 0 = not shown yet */
};

struct renderer {
	const char *name;    /* as -f takes it */
	const char *summary; /* for --help */
	bool rewrites;    /* one report replaces the last (metrics): with an interval it needs -o */
	bool tells_notes; /* prints the report's notes: else the caller says them */
	bool one_table;   /* prints the first table, or that of --table */
	int (*report)(struct render *render, const struct report *report, struct error *err);
};

/* By name; NULL with a sentence and status 2 when there is none. */
const struct renderer *render_find(const char *name, struct error *err);

/* All renderers, NULL-terminated. */
const struct renderer *const *render_all(void);

/* Whether escapes are wanted on this stream: a terminal, and no NO_COLOR in the environment. */
bool render_color(FILE *out);

/* Allocated; render_end() frees it and flushes the stream, which stays the caller's. */
struct render *render_begin(const struct renderer *renderer, const struct render_options *options,
			    FILE *out);

/*
 * Prints a finished report. Fails when the table isn't there or the stream has failed: without a
 * sentence when that was because its reader left, as other programs leave then.
 */
int render_report(struct render *render, const struct report *report, struct error *err);
int render_end(struct render *render, struct error *err);

/* All of these for a single report. */
int render_once(const struct renderer *renderer, const struct render_options *options, FILE *out,
		const struct report *report, struct error *err);

/*
 * A sentence that names the tables that this format leaves out of the report, for stderr, or
 * NULL; the caller frees it.
 */
char *render_left_out(const struct render *render, const struct report *report);

#endif
