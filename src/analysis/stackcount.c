// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which way the kernel came to events: their stacks, and how often each. A record to which the
 * kernel wrote no stack is counted without one.
 */
#include "analysis/analysis.h"

#include "analysis/bins.h"
#include "analysis/stacks.h"
#include "base/text.h"
#include "base/util.h"

/* The value of a bin: place of the event << 32 | number of the stack, 0 for none. */
struct stack_bin {
	struct bin bin;
	uint64_t count;
};

struct stackcount {
	const struct analysis_env *env;
	struct analysis_env bins_env; /* env, but stacks always tell bins apart */
	struct bins *bins;
	struct stacks *stacks;
	struct stack_owners owners; /* of bins without a stack: where a record is until then */
};

static void *stackcount_new(const struct analysis_env *env, struct error *err)
{
	struct stackcount *c = xcalloc(1, sizeof(*c));

	(void)err;
	c->env = env;
	c->bins_env = *env;
	c->bins_env.by |= KEY_BIT(KEY_EVENT);
	c->bins = bins_new(&c->bins_env, sizeof(struct stack_bin), KEY_EVENT);
	c->stacks = stacks_new(env);
	return c;
}

static void stackcount_free(void *state)
{
	struct stackcount *c = state;

	if (!c)
		return;
	bins_free(c->bins, NULL);
	stacks_free(c->stacks);
	stack_owners_free(&c->owners);
	free(c);
}

/* The record's bin without a stack, or NULL when it doesn't count. */
static struct stack_bin *bare_bin(struct stackcount *c, const struct fact *f)
{
	const struct analysis_env *env = c->env;
	bool events = env->by & KEY_BIT(KEY_EVENT);

	if ((env->selected && !env->selected(env->ctx, f->subject, FACT_NO_VCPU)) ||
	    (env->cpu_selected && !env->cpu_selected(env->ctx, f->cpu)))
		return NULL;
	return (struct stack_bin *)bins_get(c->bins, bins_member(c->bins, f->subject), f->cpu, 0,
					    events ? (uint64_t)fact_slot(f) << 32 : 0);
}

/* A stack is of whom its record is of, who has another name behind a record that says so. */
static void count_stack(struct stackcount *c, const struct fact *f)
{
	struct stack_bin *bare = stack_owners_take(&c->owners, c->env, f), *bin;

	if (!bare)
		return;
	bin = (struct stack_bin *)bins_get(c->bins, bare->bin.owner, f->cpu, 0,
					   bare->bin.value | stacks_add(c->stacks, f));
	bin->count++;
}

static void stackcount_feed(void *state, const struct fact *facts, size_t n)
{
	struct stackcount *c = state;

	for (const struct fact *f = facts; f < facts + n; f++) {
		struct stack_bin *before;

		if (bins_outdated(f))
			bins_forget(c->bins, f->subject);
		if (f->kind != FACT_RECORD)
			continue;
		if (fact_slot(f) == c->env->stack_slot) {
			count_stack(c, f);
			continue;
		}
		before = stack_owners_wait(&c->owners, c->env, f, bare_bin(c, f));
		if (before)
			before->count++;
	}
}

static void stackcount_lost(void *state, const struct loss *losses, size_t n)
{
	struct stackcount *c = state;

	stack_owners_lost(&c->owners, losses, n);
}

enum { EVENT = BIN_COLUMNS, STACK, COUNT, SHARE, COLUMNS };

static const struct column columns[COLUMNS] = {
	BIN_COLUMN_DEFS,
	[EVENT] = { .key = "event",
		    .title = "EVENT",
		    .type = COLUMN_TEXT,
		    .flags = COLUMN_LABEL,
		    .help = "Event, as the user named it" },
	[STACK] = { .key = "stack",
		    .title = "STACK",
		    .type = COLUMN_STACK,
		    .flags = COLUMN_LABEL,
		    .help = "Kernel functions that led there; null where the kernel told none" },
	[COUNT] = { .key = "count",
		    .title = "COUNT",
		    .type = COLUMN_COUNT,
		    .help = "How often it happened so" },
	[SHARE] = { .key = "share",
		    .title = "SHARE",
		    .type = COLUMN_RATIO,
		    .derive = DERIVE_SHARE,
		    .of = "count",
		    .help = "Part of all that were counted" },
};

static void add_row(struct stackcount *c, struct table *table, const struct stack_bin *bin)
{
	const struct analysis_env *env = c->env;
	uint32_t stack = (uint32_t)bin->bin.value;
	struct row *row = table_row(table);
	const char *const *frames;
	unsigned int n;

	bins_label(c->bins, &bin->bin, row);
	if (env->by & KEY_BIT(KEY_EVENT))
		row_text(row, EVENT, env->event(env->ctx, (uint32_t)(bin->bin.value >> 32)));
	if (stack) {
		frames = stacks_frames(c->stacks, stack, &n);
		row_stack(row, STACK, frames, n);
	}
	row_count(row, COUNT, bin->count);
}

static void stackcount_report(void *state, struct report *report, uint64_t now, bool last)
{
	struct stackcount *c = state;
	bool events = c->env->by & KEY_BIT(KEY_EVENT);
	unsigned int show[COLUMNS], n = bins_show(c->bins, show);
	uint64_t bare = 0, all = 0;
	struct stack_bin *bin;
	struct table *table;
	char number[64];

	(void)now;
	while (last && (bin = stack_owners_drop(&c->owners)))
		bin->count++;
	for (unsigned int i = events ? EVENT : STACK; i < COLUMNS; i++)
		show[n++] = i;
	table = table_new(report, &(struct table_layout){ .name = "stacks",
							  .title = "stacks of events",
							  .columns = columns,
							  .nr_columns = COLUMNS,
							  .show = show,
							  .nr_show = n,
							  .sort = "count" });
	for (size_t i = 0; i < bins_count(c->bins); i++) {
		bin = (struct stack_bin *)bins_at(c->bins, i);
		all += bin->count;
		bare += (uint32_t)bin->bin.value ? 0 : bin->count;
		if (bin->count)
			add_row(c, table, bin);
	}
	if (last && !all)
		report_note(report, "None of the events happened.");
	if (bare)
		report_note(report, "%s came without a stack.",
			    text_plural(number, sizeof(number), bare, "record", "records"));
	stacks_note(c->stacks, report);
}

const struct analysis analysis_stackcount = {
	.name = "stackcount",
	.summary = "Kernel stacks that led to events, and how often each",
	.facts = FACT_BIT(FACT_RECORD),
	.facts_who = FACTS_WHO,
	.specs = true,
	.stacks = true,
	.order = ORDER_CPU,
	/* a stack that a window parts from its record must not come behind those of others */
	.order_who = ORDER_GLOBAL,
	.keys = KEY_BIT(KEY_EVENT) | KEY_BIT(KEY_COMM) | KEY_BIT(KEY_TID) | KEY_BIT(KEY_PID) |
		KEY_BIT(KEY_CPU) | KEY_BIT(KEY_VM),
	.by_live = KEY_BIT(KEY_EVENT),
	.by_file = KEY_BIT(KEY_EVENT),
	.new = stackcount_new,
	.lost = stackcount_lost,
	.feed = stackcount_feed,
	.report = stackcount_report,
	.free = stackcount_free,
};
