/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What formats of stacks need to know of a table: where its stacks are, what is counted of each,
 * and which keys tell its rows apart.
 */
#ifndef HVSCOPE_RENDER_STACK_TABLE_H
#define HVSCOPE_RENDER_STACK_TABLE_H

#include "render/render.h"

struct stack_table {
	const struct table *table;
	unsigned stack;  /* its columns: the stack, … */
	unsigned number; /* … the first figure that only grows (a count, or nanoseconds), … */
	bool *keys;      /* … by column: a key of --by or an event that not all rows share */
};

/*
 * The table that was asked for, else the first with stacks. -1 with *err (status 2) when the report
 * has none. To be freed by stack_table_free().
 */
int stack_table_find(struct stack_table *s, const struct render *render,
		     const struct report *report, struct error *err);
void stack_table_free(struct stack_table *s);

#endif
