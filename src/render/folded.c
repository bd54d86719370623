// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Folded stacks for flame graphs: "outermost;…;innermost number" a line. Frames can't hold a
 * semicolon. What else tells rows apart (the keys of --by) stands outermost.
 */
#include <string.h>

#include "base/text.h"
#include "render/stack-table.h"

enum { FRAME_MAX = 1024 };

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

static void put_row(FILE *out, const struct stack_table *s, const struct row *row)
{
	const struct table *table = s->table;
	const struct cell *cell = &row->cells[s->stack];

	if (!row->cells[s->number].set)
		return;
	if (row == table->others) {
		fprintf(out, "(%zu others)", table->nr_others);
	} else {
		for (unsigned i = 0; i < table->nr_columns; i++)
			if (s->keys[i])
				put_key(out, table->columns[i].def, &row->cells[i]);
		if (!cell->set)
			fputs("[no stack]", out);
	}
	for (unsigned i = 0; cell->set && i < cell->v.stack->nr; i++) {
		fputs(i ? ";" : "", out);
		put_frame(out, cell->v.stack->frames[i]);
	}
	fprintf(out, " %llu\n", (unsigned long long)row->cells[s->number].v.u);
}

static int folded_report(struct render *render, const struct report *report, struct error *err)
{
	struct stack_table s;

	if (stack_table_find(&s, render, report, err))
		return -1;
	for (size_t i = 0; i < s.table->nr_rows; i++)
		put_row(render->out, &s, s.table->rows[i]);
	if (s.table->others)
		put_row(render->out, &s, s.table->others);
	stack_table_free(&s);
	return 0;
}

const struct renderer render_folded = {
	.name = "folded",
	.summary = "stacks, one a line, for flame graphs",
	.report = folded_report,
};
