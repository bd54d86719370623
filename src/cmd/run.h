/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One analysis from beginning to end, the same for all of them and for all sources: who and whom,
 * rows and binding, facts, reports at exact boundaries, the output, the status. What differs
 * between sources (live tracing, a trace file, samples of /proc) is in a file each.
 */
#ifndef HVSCOPE_CMD_RUN_H
#define HVSCOPE_CMD_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "cmd/env.h"
#include "cmd/events.h"
#include "cmd/output.h"
#include "cmd/progress.h"
#include "cmd/rows.h"
#include "cmd/stop.h"
#include "render/render.h"
#include "report/interval.h"
#include "report/report.h"
#include "sampler/sampler.h"
#include "settings.h"
#include "trace/stream.h"

/* The `run` of a command that is an analysis. */
int run_analysis(const struct settings *settings, struct error *err);

/* Where records come from, as the report's head tells it. Strings are the source's own. */
struct run_source {
	enum source_kind kind;
	const char *path, *kernel, *machine, *clock, *host; /* NULL: unknown */
	unsigned int cpus;
	bool has_begin;
	int64_t begin; /* UTC, ns: of `start` */
};

struct run {
	const struct settings *settings;
	const struct analysis *analysis;
	struct stop *stop;
	struct output *output;
	struct progress *progress;
	struct run_source source;

	struct env env;
	struct rows rows;
	struct events events; /* of an analysis of event specs */
	struct binding *binding; /* these three: NULL without records */
	struct subjects *subjects;
	struct stream *stream;
	const struct stream_stats *stats; /* the stream's, or of the pieces of a file */
	void *state; /* of the analysis */
	void (*extend)(void *ctx, struct report *report); /* by the source; NULL: by nothing */
	void *extend_ctx;

	struct render *render;
	struct interval *interval;
	uint64_t start;	    /* first boundary, ns of the source's clock */
	uint64_t reported;  /* up to here */
	uint64_t reports;   /* printed so far */
	struct stream_stats past; /* at the last boundary */
	uint64_t unmarked;  /* records lost that no mark tells of, known at the end */
	bool guarded;	    /* a guard ended the run */
	bool incomplete;    /* some report was */
	bool fed;	    /* facts came that the analysis can't do without */
	bool found;	    /* some report's tables had rows */
	struct sample sample; /* the last one; its facts are the analysis's */
	struct strhash said; /* notes that were told already */
	struct error failure; /* met while facts were handed on: run_check() */
};

/* --- For the sources --- */

/*
 * The rows of tables for a kernel of this machine, with `direct` those that are taken only when
 * asked for. env.analysis knows what is shown and selected.
 */
void run_collect(struct run *run, const char *machine, bool direct);

/* Subjects and the binding of the rows that fit `has`; says *absent as rows_bind() does. */
int run_bind(struct run *run, const struct format_source *formats, unsigned int cpus,
	     bool (*has)(void *ctx, const struct hv_event *event), void *ctx, bool *absent,
	     struct error *err);

/* The analysis, which may refuse what was asked for; env.analysis must be complete. */
int run_prepare(struct run *run, struct error *err);

/*
 * The first boundary, by the source's clock, and in ns since the epoch when that is known: what
 * times of day are told by.
 */
void run_begin(struct run *run, uint64_t start, bool has_utc, int64_t utc);

/* The stream, with the analysis as its consumer. */
void run_connect(struct run *run, const struct page_source *source);

/* Time of the next boundary: of the interval, or the end by -d; UINT64_MAX: none. */
uint64_t run_boundary(const struct run *run);

/* Whether -d or COUNT say that `now` is the end. */
bool run_is_over(const struct run *run, uint64_t now);

/*
 * Feeds a sample of the facts that the analysis takes from a sampler, if it does; *now (may be
 * NULL) is when it was taken.
 */
int run_sample(struct run *run, uint64_t *now, struct error *err);

/* Whether nothing came so far that the analysis could tell of. */
bool run_is_empty(const struct run *run);

/* Everything before `now` was fed: prints the report of the interval, or of the run. */
int run_report(struct run *run, uint64_t now, bool last, struct error *err);

/* Whether the analysis has all that it was asked for. */
bool run_done(const struct run *run);

/* Whether what stream_advance() handed on could be printed; -1 with *err. */
int run_check(struct run *run, struct error *err);

/* Frees what the functions above made. */
void run_end(struct run *run);

#endif
