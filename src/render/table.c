// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables for people: scaled units, aligned, within 100 columns unless all columns were asked for;
 * histograms below, in powers of two. Texts from outside are quoted before anything measures or
 * prints them.
 */
#include <string.h>

#include "base/text.h"
#include "render/format.h"
#include "render/sentences.h"

enum {
	TEXT_MAX = 240,       /* bytes of a text cell before fitting … */
	LINE_TEXT_MAX = 4096, /* … and of one in a line that is printed as it comes */
	LABEL_WIDTH = 80,     /* columns of a text in a histogram's heading */
	TEXT_LEAST = 8,       /* columns that a text column keeps when space is short … */
	TEXT_AT_ALL = 4,      /* … and when even that doesn't fit */
	BAR_WIDTH = 40,
};

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

/*
 * How a table will stand there. Texts of cells aren't kept: they are made to be measured, and
 * again to be printed, as a table of many rows would need more memory than its figures.
 */
struct sheet {
	const struct table *table;
	unsigned nr;      /* columns shown */
	unsigned *places; /* their places in the table */
	unsigned *widths;
	int name_at;  /* the column of "total" and "(n others)": the first label, or -1 */
	bool *left;   /* aligned left */
	unsigned gap; /* blanks between columns */
};

static char *cell_text(const struct row *row, unsigned place)
{
	const struct cell *cell = &row->cells[place];
	char buf[FORMAT_SIZE];

	if (!cell->set)
		return xstrdup("-");
	switch (row->table->columns[place].def->type) {
	case COLUMN_COUNT:
		return xasprintf("%llu", (unsigned long long)cell->v.u);
	case COLUMN_NS:
		if (row->table->columns[place].def->flags & COLUMN_SECONDS)
			return xasprintf("%llu.%09llu", (unsigned long long)cell->v.u / 1000000000,
					 (unsigned long long)cell->v.u % 1000000000);
		return xstrdup(text_ns(buf, sizeof(buf), cell->v.u));
	case COLUMN_BYTES:
		return xstrdup(text_bytes(buf, sizeof(buf), cell->v.u));
	case COLUMN_RATIO:
		return xstrdup(text_percent(buf, sizeof(buf), cell->v.d));
	case COLUMN_RATE:
		return xstrdup(text_rate(buf, sizeof(buf), cell->v.d));
	case COLUMN_HEX:
	case COLUMN_TEXT:
		return text_quote_dup(cell->v.text,
				      row->table->report->lines ? LINE_TEXT_MAX : TEXT_MAX);
	case COLUMN_TIME:
		return xstrdup(format_clock(buf, sizeof(buf), cell->v.time, true));
	case COLUMN_PARTLY:
		return xstrdup(format_partly(cell->v.partly));
	case COLUMN_BOOL:
		return xstrdup(cell->v.b ? "yes" : "no");
	case COLUMN_HISTOGRAM:
	case COLUMN_STACK:
		break; /* printed below the table or the row */
	}
	return xstrdup("");
}

static bool is_text(enum column_type type)
{
	return type == COLUMN_TEXT || type == COLUMN_HEX || type == COLUMN_PARTLY ||
	       type == COLUMN_BOOL;
}

/* Whether any row has something other than nothing there. */
static bool has_any(const struct table *table, unsigned place)
{
	const struct row *others = table->others;

	for (size_t i = 0; i < table->nr_rows; i++)
		if (table->rows[i]->cells[place].set && table->rows[i]->cells[place].v.u)
			return true;
	return others && others->cells[place].set && others->cells[place].v.u;
}

static bool is_shown(const struct render *render, const struct table *table, unsigned place)
{
	const struct column *def = table->columns[place].def;

	if (def->type == COLUMN_HISTOGRAM || def->type == COLUMN_STACK)
		return false;
	if (render->options.verbose)
		return true;
	if (render->widths && render->widths[place])
		return true;
	if (table->columns[place].wide)
		return false;
	return !(def->flags & COLUMN_WHEN_ANY) || has_any(table, place);
}

static void choose_columns(struct sheet *sheet, const struct render *render)
{
	const struct table *table = sheet->table;

	sheet->places = xcalloc(table->nr_columns, sizeof(*sheet->places));
	sheet->widths = xcalloc(table->nr_columns, sizeof(*sheet->widths));
	sheet->left = xcalloc(table->nr_columns, sizeof(*sheet->left));
	for (unsigned i = 0; i < table->nr_columns; i++) {
		const struct column *def = table->columns[i].def;

		if (!is_shown(render, table, i))
			continue;
		if (sheet->name_at < 0 && def->flags & COLUMN_LABEL)
			sheet->name_at = sheet->nr;
		sheet->left[sheet->nr] = is_text(def->type) || def->flags & COLUMN_LEFT;
		sheet->places[sheet->nr++] = i;
	}
}

/* What stands in a column of a line; a sum has a name, titles have no row. The caller frees it. */
static char *line_text(const struct sheet *sheet, unsigned column, const struct row *row,
		       const char *name)
{
	const struct table_column *of = &sheet->table->columns[sheet->places[column]];

	if (name && (int)column == sheet->name_at)
		return xstrdup(name);
	if (!row)
		return xstrdup(of->title);
	if (name && !format_is_figure(of->def))
		return xstrdup("");
	return cell_text(row, sheet->places[column]);
}

typedef void line_fn(struct sheet *sheet, const struct row *row, const char *name, void *arg);

static bool has_label(const struct table *table)
{
	for (unsigned i = 0; i < table->nr_columns; i++)
		if (table->columns[i].def->flags & COLUMN_LABEL)
			return true;
	return false;
}

/* Calls fn for the titles, each row, the others and the totals. */
static void each_line(struct sheet *sheet, line_fn *fn, void *arg)
{
	const struct table *table = sheet->table;
	char name[FORMAT_SIZE];

	fn(sheet, NULL, NULL, arg);
	for (size_t i = 0; i < table->nr_rows; i++)
		fn(sheet, table->rows[i], NULL, arg);
	snprintf(name, sizeof(name), "(%zu others)", table->nr_others);
	if (table->others)
		fn(sheet, table->others, name, arg);
	/* a single row that nothing tells from others is its own total */
	if (table->totals && (table->nr_rows > 1 || (table->nr_rows && has_label(table))))
		fn(sheet, table->totals, "total", arg);
}

static void measure_line(struct sheet *sheet, const struct row *row, const char *name,
			 void *arg __attribute__((unused)))
{
	for (unsigned i = 0; i < sheet->nr; i++) {
		char *text = line_text(sheet, i, row, name);

		sheet->widths[i] = max(sheet->widths[i], text_width(text));
		free(text);
	}
}

static unsigned line_width(const struct sheet *sheet)
{
	unsigned width = sheet->nr ? sheet->gap * (sheet->nr - 1) : 0;

	for (unsigned i = 0; i < sheet->nr; i++)
		width += sheet->widths[i];
	return width;
}

/* Narrows the gaps, then the widest text, until the line fits. Figures are never cut. */
static void shrink(struct sheet *sheet)
{
	unsigned least = TEXT_LEAST;

	if (line_width(sheet) > LINE_WIDTH)
		sheet->gap = 1;
	while (line_width(sheet) > LINE_WIDTH) {
		unsigned widest = sheet->nr;

		for (unsigned i = 0; i < sheet->nr; i++) {
			enum column_type type = sheet->table->columns[sheet->places[i]].def->type;

			if ((type == COLUMN_TEXT || type == COLUMN_HEX) &&
			    sheet->widths[i] > least &&
			    (widest == sheet->nr || sheet->widths[i] > sheet->widths[widest]))
				widest = i;
		}
		if (widest < sheet->nr)
			sheet->widths[widest]--;
		else if (least > TEXT_AT_ALL)
			least = TEXT_AT_ALL;
		else
			return;
	}
}

/* No blanks at the end of a line. */
static void put_line(FILE *out, const struct sheet *sheet, const struct row *row, const char *name)
{
	unsigned pending = 0;

	for (unsigned i = 0; i < sheet->nr; i++) {
		char *whole = line_text(sheet, i, row, name);
		char *text = text_fit(whole, sheet->widths[i]);
		unsigned rest = sheet->widths[i] - text_width(text);

		pending += sheet->left[i] ? 0 : rest;
		if (*text) {
			fprintf(out, "%*s%s", (int)pending, "", text);
			pending = 0;
		}
		pending += sheet->gap + (sheet->left[i] ? rest : 0);
		free(whole);
		free(text);
	}
}

/* Stacks follow their row, the innermost frame first. */
static void put_stacks(FILE *out, const struct row *row)
{
	for (unsigned i = 0; row && i < row->table->nr_columns; i++) {
		const struct cell *cell = &row->cells[i];

		if (row->table->columns[i].def->type != COLUMN_STACK || !cell->set)
			continue;
		for (unsigned n = cell->v.stack->nr; n; n--) {
			char *frame = text_quote_dup(cell->v.stack->frames[n - 1], TEXT_MAX);

			fprintf(out, "    %s\n", frame);
			free(frame);
		}
	}
}

static void print_line(struct sheet *sheet, const struct row *row, const char *name, void *arg)
{
	const struct render *render = arg;
	bool bold = !row && render->options.color;

	fputs(bold ? BOLD : "", render->out);
	put_line(render->out, sheet, row, name);
	fputs(bold ? PLAIN "\n" : "\n", render->out);
	put_stacks(render->out, row);
}

static void sheet_free(struct sheet *sheet)
{
	free(sheet->places);
	free(sheet->widths);
	free(sheet->left);
}

/* " vm=web reason=HLT", in `width` columns each at most. */
static void put_labels(FILE *out, const struct row *row, unsigned width)
{
	const struct table *table = row->table;

	for (unsigned i = 0; i < table->nr_columns; i++) {
		char *text, *cut;

		if (!(table->columns[i].def->flags & COLUMN_LABEL) || !row->cells[i].set)
			continue;
		text = cell_text(row, i);
		cut = text_fit(text, width);
		fprintf(out, " %s=%s", table->columns[i].key, cut);
		free(cut);
		free(text);
	}
}

/* "HISTOGRAM: vm=web reason=HLT": whose it is. With -v lines may be long, and nothing is cut. */
static void put_heading(const struct render *render, const char *title, const struct row *row)
{
	bool cut = !render->options.verbose;
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		fatal("out of memory for a line");
	fprintf(memory, "%s:", title);
	if (row == row->table->others)
		fprintf(memory, " (%zu others)", row->table->nr_others);
	else
		put_labels(memory, row, cut ? LABEL_WIDTH : TEXT_MAX);
	if (fclose(memory))
		fatal("out of memory for a line");
	putc('\n', render->out);
	if (cut)
		sentences_wrap(render->out, text);
	else
		fprintf(render->out, "%s\n", text);
	free(text);
}

/* Rows of powers of two, as the BCC tools print them; counts[k] is of 2^k … 2^(k + 1) - 1. */
static void put_powers(FILE *out, const char *unit, const uint64_t *counts, unsigned first,
		       unsigned last)
{
	int width = last <= 32 ? 10 : 20;
	uint64_t most = 0;

	for (unsigned i = first; i <= last; i++)
		most = max(most, counts[i]);
	fprintf(out, "%*s%-*s : count     distribution\n", width / 2, "", width * 3 / 2 + 4,
		unit);
	for (unsigned i = 0; i <= last; i++) {
		uint64_t low = i ? (uint64_t)1 << i : 0;
		uint64_t high = i < 63 ? ((uint64_t)2 << i) - 1 : UINT64_MAX;
		int bar = most ? (int)((unsigned __int128)counts[i] * BAR_WIDTH / most) : 0;

		if (i < first)
			continue;
		fprintf(out, "%*llu -> %-*llu : %-8llu |%.*s%*s|\n", width, (unsigned long long)low,
			width, (unsigned long long)high, (unsigned long long)counts[i], bar,
			"****************************************", BAR_WIDTH - bar, "");
	}
}

static void put_histogram(FILE *out, const char *unit, const struct histogram *histogram)
{
	uint64_t counts[64] = { 0 };
	unsigned first = 64, last = 0;
	struct histogram_bucket bucket;

	for (unsigned i = 0; histogram_next(histogram, &i, &bucket);) {
		unsigned power = 63 - __builtin_clzll(bucket.low | 1);

		counts[power] += bucket.count;
		first = min(first, power);
		last = power;
	}
	if (first == 64)
		fputs("  (no values)\n", out);
	else
		put_powers(out, unit, counts, first, last);
}

static bool put_histograms(const struct render *render, const struct table *table,
			   const struct row *row)
{
	bool any = false;

	for (unsigned i = 0; i < table->nr_columns; i++) {
		if (table->columns[i].def->type != COLUMN_HISTOGRAM || !row->cells[i].set)
			continue;
		put_heading(render, table->columns[i].title, row);
		put_histogram(render->out,
			      table->columns[i].def->flags & COLUMN_PLAIN ? "value" : "nsecs",
			      row->cells[i].v.histogram);
		any = true;
	}
	return any;
}

static void put_table(struct render *render, const struct table *table)
{
	struct sheet sheet = { .table = table, .gap = 2, .name_at = -1 };
	bool histograms = false;

	choose_columns(&sheet, render);
	each_line(&sheet, measure_line, NULL);
	if (!render->options.verbose)
		shrink(&sheet);
	each_line(&sheet, print_line, render);
	sheet_free(&sheet);
	for (size_t i = 0; i < table->nr_rows; i++)
		histograms |= put_histograms(render, table, table->rows[i]);
	if (table->others)
		histograms |= put_histograms(render, table, table->others);
	if (histograms && !render->options.quiet)
		putc('\n', render->out); /* what follows isn't about the last one */
}

/* Whether a title has to tell the first table from others. */
static bool has_more(const struct report *report)
{
	for (unsigned i = 1; i < report->nr_tables; i++)
		if (report->tables[i]->nr_rows)
			return true;
	return false;
}

/*
 * Lines that follow those of the last report. Columns never get narrower; the titles come again
 * when there is a column more.
 */
static void put_lines(struct render *render, const struct table *table)
{
	struct sheet sheet = { .table = table, .gap = 2, .name_at = -1 };
	bool more = !render->reports;

	if (!render->widths)
		render->widths = xcalloc(table->nr_columns, sizeof(*render->widths));
	choose_columns(&sheet, render);
	each_line(&sheet, measure_line, NULL);
	for (unsigned i = 0; i < sheet.nr; i++) {
		unsigned *width = &render->widths[sheet.places[i]];

		more |= !*width;
		*width = sheet.widths[i] = max(sheet.widths[i], *width);
	}
	if (more && !render->options.quiet)
		print_line(&sheet, NULL, NULL, render);
	for (size_t i = 0; i < table->nr_rows; i++)
		print_line(&sheet, table->rows[i], NULL, render);
	sheet_free(&sheet);
}

static int table_report(struct render *render, const struct report *report,
			struct error *err __attribute__((unused)))
{
	FILE *out = render->out;
	bool quiet = render->options.quiet;
	unsigned shown = 0;

	if (report->lines) {
		put_lines(render, report->tables[0]);
		return 0;
	}
	sentences_begin(render, report);
	for (unsigned i = 0; i < report->nr_tables; i++) {
		const struct table *table = report->tables[i];

		/* one that has nothing to tell beside others is only shown when it was asked for */
		if (!format_wants(render, report, table) ||
		    (!table->nr_rows && (i || has_more(report)) && !render->options.table))
			continue;
		if (shown++)
			putc('\n', out);
		if ((i || has_more(report)) && !quiet)
			fprintf(out, "%s\n", table->title ? table->title : table->name);
		put_table(render, table);
	}
	sentences_end(render, report);
	return 0;
}

const struct renderer render_table = {
	.name = "table",
	.summary = "for people: aligned, scaled units",
	.tells_notes = true,
	.report = table_report,
};
