// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CSV (RFC 4180): one table, its keys as header, lines end with CR LF, null is empty. With
 * intervals the first column is the interval's begin and the header comes once. Text from
 * outside is escaped as for a terminal (\n, \x1b, \\), so a record is always one line.
 */
#include <string.h>

#include "base/text.h"
#include "render/format.h"

enum { CELL_MAX = 65536 };

static void put_field(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	putc('"', out);
	for (; *text; text++)
		fprintf(out, *text == '"' ? "\"%c" : "%c", *text);
	putc('"', out);
}

static void put_text(FILE *out, const char *text)
{
	char *quoted = text_quote_dup(text, CELL_MAX);

	put_field(out, quoted);
	free(quoted);
}

/* low:high:count;… with low ≤ v < high */
static void put_histogram(FILE *out, const struct histogram *histogram)
{
	struct histogram_bucket bucket;
	const char *separator = "";

	for (unsigned i = 0; histogram_next(histogram, &i, &bucket); separator = ";") {
		fprintf(out, "%s%llu:", separator, (unsigned long long)bucket.low);
		if (bucket.high == UINT64_MAX)
			fputs("18446744073709551616", out);
		else
			fprintf(out, "%llu", (unsigned long long)bucket.high + 1);
		fprintf(out, ":%llu", (unsigned long long)bucket.count);
	}
}

static void put_stack(FILE *out, const struct stack *stack)
{
	char *joined = xstrdup("");

	for (unsigned i = 0; i < stack->nr; i++) {
		char *longer = xasprintf("%s%s%s", joined, i ? ";" : "", stack->frames[i]);

		free(joined);
		joined = longer;
	}
	put_text(out, joined);
	free(joined);
}

static void put_cell(FILE *out, enum column_type type, const struct cell *cell)
{
	char buf[FORMAT_SIZE];

	if (!cell->set)
		return;
	switch (type) {
	case COLUMN_COUNT:
	case COLUMN_NS:
	case COLUMN_BYTES:
		fprintf(out, "%llu", (unsigned long long)cell->v.u);
		break;
	case COLUMN_RATIO:
	case COLUMN_RATE:
		fputs(format_double(buf, sizeof(buf), type, cell->v.d), out);
		break;
	case COLUMN_HEX:
	case COLUMN_TEXT:
		put_text(out, cell->v.text);
		break;
	case COLUMN_TIME:
		fputs(format_rfc3339(buf, sizeof(buf), cell->v.time), out);
		break;
	case COLUMN_PARTLY:
		fputs(format_partly(cell->v.partly), out);
		break;
	case COLUMN_BOOL:
		fputs(cell->v.b ? "true" : "false", out);
		break;
	case COLUMN_HISTOGRAM:
		put_histogram(out, cell->v.histogram);
		break;
	case COLUMN_STACK:
		put_stack(out, cell->v.stack);
		break;
	}
}

/* The interval's begin: a time of day, or seconds of the source's clock, or nothing. */
static void put_time(FILE *out, const struct report *report)
{
	char buf[FORMAT_SIZE] = "";

	if (report->has_begin)
		format_rfc3339(buf, sizeof(buf), report->begin);
	else if (report->has_begin_ns)
		format_seconds(buf, sizeof(buf), report->begin_ns);
	fprintf(out, "%s,", buf);
}

static void put_row(struct render *render, const struct report *report, const struct row *row)
{
	const struct table *table = row->table;
	int others = row == table->others ? format_others_place(table) : -1;

	if (render->options.intervals)
		put_time(render->out, report);
	for (unsigned i = 0; i < table->nr_columns; i++) {
		if (i)
			putc(',', render->out);
		if ((int)i == others)
			fprintf(render->out, "(%zu others)", table->nr_others);
		else
			put_cell(render->out, table->columns[i].def->type, &row->cells[i]);
	}
	fputs("\r\n", render->out);
}

static void put_header(struct render *render, const struct table *table)
{
	if (render->options.intervals)
		fputs("time,", render->out);
	for (unsigned i = 0; i < table->nr_columns; i++)
		fprintf(render->out, "%s%s", i ? "," : "", table->columns[i].key);
	fputs("\r\n", render->out);
}

static int csv_report(struct render *render, const struct report *report,
		      struct error *err __attribute__((unused)))
{
	for (unsigned i = 0; i < report->nr_tables; i++) {
		const struct table *table = report->tables[i];

		if (!format_wants(render, report, table))
			continue;
		if (!render->reports)
			put_header(render, table);
		for (size_t n = 0; n < table->nr_rows; n++)
			put_row(render, report, table->rows[n]);
		if (table->others)
			put_row(render, report, table->others);
	}
	return 0;
}

const struct renderer render_csv = {
	.name = "csv",
	.summary = "one table as comma-separated values (RFC 4180)",
	.one_table = true,
	.report = csv_report,
};
