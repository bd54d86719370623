// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * JSON (RFC 8259): one object for the run, or one a line for each interval. Integers are
 * written whole, up to 64 bits. Text that is no UTF-8 gets U+FFFD; control characters are
 * escaped, all of them, so that the output is safe on a terminal too.
 */
#include <string.h>

#include "base/text.h"
#include "render/format.h"

enum { SCHEMA = 1 };

/* Where a new line makes the object readable; with intervals it must stay on one. */
static void new_line(struct render *render, unsigned depth)
{
	if (render->options.intervals)
		return;
	fprintf(render->out, "\n%*s", (int)depth * 2, "");
}

static void put_char(FILE *out, uint32_t code, const char *text, unsigned n)
{
	static const char plain[] = "\b\f\n\r\t\"\\", names[] = "bfnrt\"\\";
	const char *known = code && code < 0x80 ? strchr(plain, (int)code) : NULL;

	if (known)
		fprintf(out, "\\%c", names[known - plain]);
	else if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		fprintf(out, "\\u%04x", code);
	else
		fwrite(text, 1, n, out);
}

static void put_string(FILE *out, const char *text)
{
	size_t len;
	uint32_t code;
	unsigned n;

	if (!text) {
		fputs("null", out);
		return;
	}
	putc('"', out);
	for (len = strlen(text); len; text += n, len -= n) {
		n = text_utf8(text, len, &code);
		if (n)
			put_char(out, code, text, n);
		else
			fputs("\xef\xbf\xbd", out);
		n = n ? n : 1;
	}
	putc('"', out);
}

static void put_u64(FILE *out, bool known, uint64_t value)
{
	if (known)
		fprintf(out, "%llu", (unsigned long long)value);
	else
		fputs("null", out);
}

static void key_string(FILE *out, const char *key, const char *text)
{
	fprintf(out, "\"%s\": ", key);
	put_string(out, text);
}

static void key_u64(FILE *out, const char *key, bool known, uint64_t value)
{
	fprintf(out, "\"%s\": ", key);
	put_u64(out, known, value);
}

/* [[low, high, count], …] with low ≤ v < high; only the last possible bucket ends at 2^64. */
static void put_histogram(FILE *out, const struct histogram *histogram)
{
	struct histogram_bucket bucket;
	const char *comma = "";

	putc('[', out);
	for (unsigned i = 0; histogram_next(histogram, &i, &bucket); comma = ", ") {
		fprintf(out, "%s[%llu, ", comma, (unsigned long long)bucket.low);
		if (bucket.high == UINT64_MAX)
			fputs("18446744073709551616", out);
		else
			put_u64(out, true, bucket.high + 1);
		fprintf(out, ", %llu]", (unsigned long long)bucket.count);
	}
	putc(']', out);
}

static void put_stack(FILE *out, const struct stack *stack)
{
	putc('[', out);
	for (unsigned i = 0; i < stack->nr; i++) {
		fputs(i ? ", " : "", out);
		put_string(out, stack->frames[i]);
	}
	putc(']', out);
}

static void put_cell(FILE *out, enum column_type type, const struct cell *cell)
{
	char buf[FORMAT_SIZE];

	if (!cell->set) {
		fputs("null", out);
		return;
	}
	switch (type) {
	case COLUMN_COUNT:
	case COLUMN_NS:
	case COLUMN_BYTES:
		put_u64(out, true, cell->v.u);
		break;
	case COLUMN_RATIO:
	case COLUMN_RATE:
		fputs(format_double(buf, sizeof(buf), type, cell->v.d), out);
		break;
	case COLUMN_HEX:
	case COLUMN_TEXT:
		put_string(out, cell->v.text);
		break;
	case COLUMN_TIME:
		put_string(out, format_rfc3339(buf, sizeof(buf), cell->v.time));
		break;
	case COLUMN_PARTLY:
		put_string(out, format_partly(cell->v.partly));
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

/* The cells of a row after what was written before them (`comma` says whether any was). */
static void put_cells(FILE *out, const struct row *row, bool figures_only, const char *comma)
{
	const struct table *table = row->table;

	for (unsigned i = 0; i < table->nr_columns; i++) {
		const struct column *def = table->columns[i].def;

		if (figures_only && !format_is_figure(def))
			continue;
		fprintf(out, "%s\"%s\": ", comma, table->columns[i].key);
		put_cell(out, def->type, &row->cells[i]);
		comma = ", ";
	}
	putc('}', out);
}

static void put_columns(struct render *render, const struct table *table)
{
	FILE *out = render->out;

	fputs("\"columns\": [", out);
	for (unsigned i = 0; i < table->nr_columns; i++) {
		const struct table_column *column = &table->columns[i];

		fputs(i ? "," : "", out);
		new_line(render, 4);
		putc('{', out);
		key_string(out, "key", column->key);
		fputs(", ", out);
		key_string(out, "title", column->title);
		fputs(", ", out);
		key_string(out, "type", format_type(column->def->type));
		fprintf(out, ", \"monotonic\": %s}",
			column_monotonic(column->def) ? "true" : "false");
	}
	putc(']', out);
}

static void put_table(struct render *render, const struct table *table)
{
	FILE *out = render->out;

	putc('{', out);
	key_string(out, "name", table->name);
	putc(',', out);
	new_line(render, 3);
	put_columns(render, table);
	putc(',', out);
	new_line(render, 3);
	fputs("\"rows\": [", out);
	for (size_t i = 0; i < table->nr_rows; i++) {
		fputs(i ? "," : "", out);
		new_line(render, 4);
		putc('{', out);
		put_cells(out, table->rows[i], false, "");
	}
	putc(']', out);
	if (table->others) {
		putc(',', out);
		new_line(render, 3);
		fprintf(out, "\"others\": {\"rows\": %zu", table->nr_others);
		put_cells(out, table->others, true, ", ");
	}
	putc(',', out);
	new_line(render, 3);
	fputs("\"totals\": ", out);
	if (table->totals) {
		putc('{', out);
		put_cells(out, table->totals, true, "");
	} else {
		fputs("null", out);
	}
	putc('}', out);
}

static void put_source(FILE *out, const struct report_source *source)
{
	fputs("\"source\": {", out);
	key_string(out, "kind", format_source(source->kind));
	fputs(", ", out);
	key_string(out, "path", source->path);
	fputs(", ", out);
	key_string(out, "kernel", source->kernel);
	fputs(", ", out);
	key_string(out, "machine", source->machine);
	fputs(", ", out);
	key_u64(out, "cpus", source->cpus, source->cpus);
	fputs(", ", out);
	key_string(out, "clock", source->clock);
	putc('}', out);
}

static void put_lost(FILE *out, const struct report *report)
{
	const struct report_lost *lost = &report->lost;

	if (!report->has_lost) {
		fputs("\"lost\": null", out);
		return;
	}
	fputs("\"lost\": {", out);
	key_u64(out, "records", true, lost->records);
	fputs(", ", out);
	key_u64(out, "marks", true, lost->marks);
	fputs(", ", out);
	key_u64(out, "unknown", true, lost->unknown);
	fputs(", ", out);
	key_u64(out, "intervals_discarded", true, lost->intervals_discarded);
	fputs(", ", out);
	key_u64(out, "late", true, lost->late);
	fprintf(out, ", \"complete\": %s}", report_complete(report) ? "true" : "false");
}

static void put_notes(FILE *out, const struct report *report)
{
	fputs("\"notes\": [", out);
	for (unsigned i = 0; i < report->nr_notes; i++) {
		fputs(i ? ", " : "", out);
		put_string(out, report->notes[i]);
	}
	putc(']', out);
}

static void put_head(struct render *render, const struct report *report)
{
	FILE *out = render->out;
	char begin[FORMAT_SIZE];

	format_rfc3339(begin, sizeof(begin), report->begin);
	key_string(out, "hvscope", render->options.version);
	fprintf(out, ", \"schema\": %d, ", SCHEMA);
	key_string(out, "command", report->command);
	fputs(", ", out);
	key_string(out, "host", report->host);
	putc(',', out);
	new_line(render, 1);
	key_string(out, "begin", report->has_begin ? begin : NULL);
	fputs(", ", out);
	key_u64(out, "begin_ns", report->has_begin_ns, report->begin_ns);
	fputs(", ", out);
	key_u64(out, "interval", report->interval, report->interval);
	putc(',', out);
	new_line(render, 1);
	put_source(out, &report->source);
	putc(',', out);
	new_line(render, 1);
	key_u64(out, "span_ns", report->has_span, report->span_ns);
	fputs(", ", out);
	key_u64(out, "records", report->has_records, report->records);
	fputs(", ", out);
	put_lost(out, report);
	putc(',', out);
	new_line(render, 1);
	put_notes(out, report);
	putc(',', out);
	new_line(render, 1);
}

/* One object a line, of that row alone. */
static void put_lines(FILE *out, const struct table *table)
{
	for (size_t i = 0; i < table->nr_rows; i++) {
		putc('{', out);
		put_cells(out, table->rows[i], false, "");
		putc('\n', out);
	}
}

static int json_report(struct render *render, const struct report *report,
		       struct error *err __attribute__((unused)))
{
	const char *comma = "";

	for (unsigned i = 0; report->lines && i < report->nr_tables; i++)
		if (format_wants(render, report, report->tables[i]))
			put_lines(render->out, report->tables[i]);
	if (report->lines)
		return 0;
	putc('{', render->out);
	put_head(render, report);
	fputs("\"tables\": [", render->out);
	for (unsigned i = 0; i < report->nr_tables; i++) {
		if (!format_wants(render, report, report->tables[i]))
			continue;
		fputs(comma, render->out);
		new_line(render, 2);
		put_table(render, report->tables[i]);
		comma = ",";
	}
	fputs("]}\n", render->out);
	return 0;
}

const struct renderer render_json = {
	.name = "json",
	.summary = "one JSON object; with an interval, and of lines, one a line",
	.tells_notes = true,
	.report = json_report,
};
