// SPDX-License-Identifier: GPL-2.0-or-later
/* A key that is the same in all rows says nothing about them, and is left out. */
#include "render/stack-table.h"

#include <string.h>

#include "base/util.h"

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

int stack_table_find(struct stack_table *s, const struct render *render,
		     const struct report *report, struct error *err)
{
	const struct table *table = find_table(render, report);

	if (!table)
		return error_set_status(err, 2, "the format %s is for stacks; %s has none here",
					render->renderer->name, report->command);
	*s = (struct stack_table){
		.table = table,
		.stack = (unsigned)find_type(table, true),
		.number = (unsigned)find_type(table, false),
		.keys = xcalloc(table->nr_columns + 1, sizeof(*s->keys)),
	};
	for (unsigned i = 0; i < table->nr_columns; i++)
		s->keys[i] = tells_apart(table, i);
	return 0;
}

void stack_table_free(struct stack_table *s)
{
	free(s->keys);
	*s = (struct stack_table){ 0 };
}
