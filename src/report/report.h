/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an analysis found, in a form that every renderer prints: some facts about the
 * run, and tables of typed columns. An analysis fills cells that it counted and lends
 * the distributions that it collected; shares, rates, percentiles, totals, order and
 * the row "(n others)" are computed here, once for all analyses, by report_finish().
 *
 *	static const struct column columns[] = {
 *		[VM] = { .key = "vm", .title = "VM", .type = COLUMN_TEXT, .flags = COLUMN_LABEL },
 *		[EXITS] = { .key = "exits", .title = "EXITS", .type = COLUMN_COUNT },
 *		[SHARE] = { .key = "share", .title = "SHARE", .type = COLUMN_RATIO,
 *			    .derive = DERIVE_SHARE, .of = "exits" },
 *		[P] = { .key = "p%_ns", .title = "P%", .type = COLUMN_NS,
 *			.derive = DERIVE_PERCENTILE },
 *	};
 *	struct table *table = table_new(report, &(struct table_layout){ .name = "exits", ... });
 *	struct row *row = table_row(table);
 *
 *	row_text(row, VM, name);
 *	row_count(row, EXITS, n);
 *	row_lend(row, 0, &dist);
 *
 * The column numbers in calls are places in the analysis's own array, whatever the user
 * chose to see: setting a cell that isn't shown does nothing. A cell that isn't set is null.
 *
 * The report owns everything in it (texts are copied, NULL allowed), except columns,
 * which are constants, and lent distributions, which must outlive it.
 */
#ifndef HVSCOPE_REPORT_REPORT_H
#define HVSCOPE_REPORT_REPORT_H

#include "base/dist.h"
#include "base/error.h"

enum column_type {
	COLUMN_COUNT,  /* u64 */
	COLUMN_NS,     /* u64 */
	COLUMN_RATIO,  /* double, 0 … 1 */
	COLUMN_RATE,   /* double, per second */
	COLUMN_BYTES,  /* u64 */
	COLUMN_HEX,    /* a code as text: "0x72", "esr_ec=0x24" */
	COLUMN_TEXT,   /* from outside: hostile */
	COLUMN_TIME,   /* i64 ns since the epoch, UTC */
	COLUMN_PARTLY, /* enum partly */
	COLUMN_BOOL,
	COLUMN_HISTOGRAM, /* of a distribution */
	COLUMN_STACK,     /* frames, outermost first */
};

enum partly { PARTLY_NO, PARTLY_YES, PARTLY_PARTLY };

/*
 * A column of count, ns or bytes is monotonic and summed, unless COLUMN_GAUGE says that it
 * isn't. A gauge is summed in totals only with COLUMN_SUM. Of text nothing is summed.
 */
enum column_flags {
	COLUMN_LABEL = 1 << 0,    /* part of the row's identity; a label in metrics */
	COLUMN_GAUGE = 1 << 1,    /* may fall; not subtracted over intervals */
	COLUMN_SUM = 1 << 2,      /* a gauge whose sum makes sense */
	COLUMN_WIDE = 1 << 3,     /* in tables only with -v */
	COLUMN_WHEN_ANY = 1 << 4, /* in tables when a row has something other than 0, or with -v */
	COLUMN_NOT_LAST = 1 << 5, /* null in rows with ROW_LAST, which stay out of its sums */
	COLUMN_LEFT = 1 << 6,     /* aligned left in tables, though a number */
	COLUMN_SECONDS = 1 << 7,  /* ns of a clock: in tables seconds, with all digits */
	COLUMN_PLAIN = 1 << 8,    /* of plain numbers: a histogram whose values are no ns */
};

/* How report_finish() computes a cell; DERIVE_NONE = the analysis sets it. */
enum column_derive {
	DERIVE_NONE,
	DERIVE_SHARE,  /* `of` / the sum of `of` over all rows (before -n) */
	DERIVE_RATIO,  /* `of` / `per`, of the same row */
	DERIVE_RATE,   /* `of` per second of the report's span */
	DERIVE_NUMBER, /* from the row's distribution: number of values, */
	DERIVE_SUM,    /* their sum, */
	DERIVE_MIN,
	DERIVE_MEAN,
	DERIVE_STDDEV,
	DERIVE_PERCENTILE, /* a column for each of layout.percentiles: % in key and title is it, */
	DERIVE_MAX,
	DERIVE_HISTOGRAM, /* the histogram; left out unless layout.histograms */
};

struct column {
	const char *key;   /* in machine formats: [a-z][a-z0-9_]*, unit as suffix (_ns, _bytes) */
	const char *title; /* in tables */
	enum column_type type;
	unsigned flags; /* enum column_flags */
	enum column_derive derive;
	const char *of, *per; /* keys of columns of the same table, for DERIVE_* */
	uint8_t dist;         /* which of the row's distributions, for DERIVE_* */
	const char *metric;   /* name in metrics without prefix and unit; NULL = not exported */
	const char *help;     /* for # HELP and the man page: a sentence without full stop */
};

enum { ROW_DISTS = 4 }; /* distributions that a row may carry */

/* What of a table is wanted. All pointers are only read during table_new(). */
struct table_layout {
	const char *name;             /* of the table: as a key */
	const char *title;            /* for people; may be NULL */
	const struct column *columns; /* must outlive the report */
	unsigned nr_columns;
	const unsigned *show; /* places in columns, in the order wanted; NULL = all */
	unsigned nr_show;
	const uint32_t *percentiles; /* parts per million */
	unsigned nr_percentiles;
	uint32_t wide_ppm; /* a percentile that tables show only with -v; 0 = none */
	bool histograms;
	const char *sort; /* default order: a key, descending for numbers; NULL = as added */
};

enum row_flags {
	ROW_LAST = 1 << 0, /* listed after all others (idle reasons) */
};

struct stack {
	unsigned nr;
	char *frames[]; /* outermost first */
};

union cell_value {
	uint64_t u;
	int64_t time;
	double d;
	bool b;
	enum partly partly;
	char *text;
	struct stack *stack;
	const struct histogram *histogram; /* of one of the row's distributions */
};

struct cell {
	bool set; /* false: null */
	union cell_value v;
};

struct row {
	struct table *table;
	size_t number;                /* order of adding */
	unsigned flags;               /* enum row_flags; the analysis sets them */
	struct dist *dist[ROW_DISTS]; /* NULL = none (unlike an empty one: cells are null) */
	bool owned[ROW_DISTS];
	struct cell *cells; /* table->nr_columns of them */
};

/* A column as it is in one table: of the analysis, or made for a percentile. */
struct table_column {
	const struct column *def;
	char *key, *title; /* with the percentile in place */
	uint32_t ppm;      /* for DERIVE_PERCENTILE */
	bool wide;         /* in tables only with -v */
	int of, per;       /* places in table->columns, -1 = none */
};

struct table {
	struct report *report;
	char *name, *title, *sort;
	struct table_column *columns;
	unsigned nr_columns;
	int *places; /* the analysis's column number → place in columns, -1 = not shown */
	unsigned nr_places;
	struct row **rows;
	size_t nr_rows, room;
	/* Made by report_finish(): */
	struct row *totals; /* sums over all rows, or NULL when nothing can be summed */
	struct row *others; /* what -n cut off, or NULL */
	size_t nr_others;
};

enum source_kind { SOURCE_LIVE, SOURCE_FILE, SOURCE_PROC };

/* Where it comes from. Unknown is NULL or 0, and null in machine formats. */
struct report_source {
	enum source_kind kind;
	char *path, *kernel, *machine, *clock;
	unsigned cpus;
};

struct report_lost {
	uint64_t records; /* known number lost */
	uint64_t marks;   /* places of loss */
	uint64_t unknown; /* marks without a number */
	uint64_t intervals_discarded;
	uint64_t late;      /* records that came after their time was handed on */
	uint64_t intervals; /* timed or discarded: what intervals_discarded is measured against */
	bool stopped;       /* a guard ended the run early */
};

struct report {
	char *title; /* "exits of guests, by VM and reason" */
	char *command;
	char *host; /* NULL = unknown */
	bool lines;    /* its rows follow those of the report before: see struct analysis.streams */
	bool has_begin, has_begin_ns, has_span, has_records, has_lost;
	int64_t begin;     /* ns since the epoch, UTC */
	uint64_t begin_ns; /* in source.clock */
	uint64_t span_ns;
	uint64_t records;    /* walked, of any event */
	uint64_t interval;   /* number from 1; 0 = the run has no intervals */
	uint64_t vms, vcpus; /* for the header line; 0 = unknown */
	struct report_source source;
	struct report_lost lost;
	char **notes; /* sentences for people, with full stop */
	unsigned nr_notes;
	struct table **tables;
	unsigned nr_tables;
};

struct report *report_new(const char *command, const char *title);
void report_free(struct report *report);

/* Replaces one of the owned texts above: report_set(&report->host, name). */
void report_set(char **field, const char *text);

void report_note(struct report *report, const char *fmt, ...) __printf(2, 3);

/* Nothing is missing: no loss of any kind, and no guard ended the run. */
bool report_complete(const struct report *report);

/* Owned by the report. A layout that names unknown columns is a programming error (fatal). */
struct table *table_new(struct report *report, const struct table_layout *layout);
struct table *report_table(const struct report *report, const char *name);

/* Place of a key in table->columns, or -1. */
int table_find(const struct table *table, const char *key);

/* Whether its cells grow only, and whether they are added up in totals and "(n others)". */
bool column_monotonic(const struct column *column);
bool column_sums(const struct column *column);

/* A new row of nulls; valid until the report is finished, cut to an interval, or freed. */
struct row *table_row(struct table *table);
void row_free(struct row *row);           /* of one that is in no table any more */
struct row *row_new(struct table *table); /* one that is in no table yet */

void row_count(struct row *row, unsigned column, uint64_t n);    /* count, ns and bytes */
void row_number(struct row *row, unsigned column, double value); /* ratio and rate */
void row_bool(struct row *row, unsigned column, bool value);
void row_partly(struct row *row, unsigned column, enum partly value);
void row_time(struct row *row, unsigned column, int64_t ns);
void row_text(struct row *row, unsigned column, const char *text); /* text and code; NULL = null */
void row_printf(struct row *row, unsigned column, const char *fmt, ...) __printf(3, 4);
void row_stack(struct row *row, unsigned column, const char *const *frames, unsigned nr);

/* The row's distribution number `slot`: lent by the caller, */
void row_lend(struct row *row, unsigned slot, struct dist *dist);
/* or moved into the row (the caller's is empty then). */
void row_give(struct row *row, unsigned slot, struct dist *dist);

struct report_order {
	/* A key, "+key" ascending, "-key" descending; NULL = each table's default. */
	const char *sort;
	size_t limit; /* rows per table; 0 = all */
};

/*
 * Computes what is derived, sorts, and cuts: after this a report is only read. Fails when
 * no table has the key that the order names (and says which key was perhaps meant).
 */
int report_finish(struct report *report, const struct report_order *order, struct error *err);

#endif
