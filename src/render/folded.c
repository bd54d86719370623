// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Folded stacks for flame graphs: "outermost;…;innermost number" a line. The number is the
 * first figure that only grows (a count, or nanoseconds). Frames can't hold a semicolon. What else
 * tells rows apart (the keys of --by) stands outermost, unless it is the same in all of them.
 */
#include <string.h>

#include "base/text.h"
#include "render/format.h"

enum { FRAME_MAX = 1024 };

static int find_type(const struct table *table, bool stack)
{
	for (unsigned i = 0; i < table->nr_columns; i++) {
		const struct column *def = table->columns[i].def;

		if (stack ? def->type == COLUMN_STACK :
			    column_monotonic(def) && def->type != COLUMN_HISTOGRAM)
			return i;
	}
	return -1;
}

static void put_frame(FILE *out, const char *frame)
{
	char *quoted = text_quote_dup(frame, FRAME_MAX);

	for (char *p = strchr(quoted, ';'); p; p = strchr(p, ';'))
		*p = ':';
	fputs(quoted, out);
	free(quoted);
}

static void put_key(FILE *out, const struct column *def, const struct cell *cell)
{
	if (!cell->set)
		fputc('-', out);
	else if (def->type == COLUMN_TEXT)
		put_frame(out, cell->v.text);
	else
		fprintf(out, "%llu", (unsigned long long)cell->v.u);
	fputc(';', out);
}

static bool is_key(const struct column *def)
{
	return def->flags & COLUMN_LABEL && (def->type == COLUMN_TEXT || def->type == COLUMN_COUNT);
}

static bool equal_cells(const struct column *def, const struct cell *a, const struct cell *b)
{
	if (a->set != b->set || !a->set)
		return a->set == b->set;
	return def->type == COLUMN_TEXT ? !strcmp(a->v.text, b->v.text) : a->v.u == b->v.u;
}

/* Whether rows differ in a column. */
static bool tells_apart(const struct table *table, unsigned int column)
{
	const struct column *def = table->columns[column].def;

	if (!is_key(def))
		return false;
	for (size_t i = 1; i < table->nr_rows; i++)
		if (!equal_cells(def, &table->rows[0]->cells[column],
				 &table->rows[i]->cells[column]))
			return true;
	return false;
}

static void put_row(FILE *out, const struct row *row, const bool *keys, int stack, int number)
{
	const struct table *table = row->table;
	const struct cell *cell = &row->cells[stack];

	if (!row->cells[number].set)
		return;
	if (row == table->others) {
		fprintf(out, "(%zu others)", table->nr_others);
	} else {
		for (unsigned i = 0; i < table->nr_columns; i++)
			if (keys[i])
				put_key(out, table->columns[i].def, &row->cells[i]);
		if (!cell->set)
			fputs("[no stack]", out);
	}
	for (unsigned i = 0; cell->set && i < cell->v.stack->nr; i++) {
		fputs(i ? ";" : "", out);
		put_frame(out, cell->v.stack->frames[i]);
	}
	fprintf(out, " %llu\n", (unsigned long long)row->cells[number].v.u);
}

/* The table that was asked for, else the first with stacks. */
static const struct table *find_table(const struct render *render, const struct report *report)
{
	for (unsigned i = 0; i < report->nr_tables; i++) {
		const struct table *table = report->tables[i];

		if (render->options.table && strcmp(render->options.table, table->name))
			continue;
		if (find_type(table, true) >= 0 && find_type(table, false) >= 0)
			return table;
	}
	return NULL;
}

static int folded_report(struct render *render, const struct report *report, struct error *err)
{
	const struct table *table = find_table(render, report);
	bool *keys;

	if (!table)
		return error_set_status(err, 2, "the format folded is for stacks; %s has none here",
					report->command);
	keys = xcalloc(table->nr_columns + 1, sizeof(*keys));
	for (unsigned i = 0; i < table->nr_columns; i++)
		keys[i] = tells_apart(table, i);
	for (size_t i = 0; i < table->nr_rows; i++)
		put_row(render->out, table->rows[i], keys, find_type(table, true),
			find_type(table, false));
	if (table->others)
		put_row(render->out, table->others, keys, find_type(table, true),
			find_type(table, false));
	free(keys);
	return 0;
}

const struct renderer render_folded = {
	.name = "folded",
	.summary = "stacks, one a line, for flame graphs",
	.report = folded_report,
};
