// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How often events happened: those that the user names, by event and the keys of --by.
 */
#include "analysis/analysis.h"

#include "analysis/bins.h"
#include "base/util.h"

struct count_bin {
	struct bin bin;
	uint64_t count;
};

/* Events of one thread come in runs: the bin of the last one of an event is mostly the next's. */
enum { RECENT = 8 };

struct recent {
	struct count_bin *bin; /* NULL: none */
	uint32_t subject, slot;
	uint16_t cpu;
};

struct count {
	const struct analysis_env *env;
	struct bins *bins;
	struct recent recent[RECENT]; /* by slot */
};

static void *count_new(const struct analysis_env *env, struct error *err)
{
	struct count *c = xcalloc(1, sizeof(*c));

	(void)err;
	c->env = env;
	c->bins = bins_new(env, sizeof(struct count_bin), KEY_EVENT);
	return c;
}

static void count_free(void *state)
{
	struct count *c = state;

	if (!c)
		return;
	bins_free(c->bins, NULL);
	free(c);
}

/* The bin of an event that isn't that of the last one; NULL: it doesn't count. */
static struct count_bin *find_bin(struct count *c, const struct fact *f, struct recent *recent)
{
	const struct analysis_env *env = c->env;

	if ((env->selected && !env->selected(env->ctx, f->subject, FACT_NO_VCPU)) ||
	    (env->cpu_selected && !env->cpu_selected(env->ctx, f->cpu)))
		return NULL;
	*recent = (struct recent){ .subject = f->subject, .slot = fact_slot(f), .cpu = f->cpu };
	recent->bin = (struct count_bin *)bins_get(c->bins, bins_member(c->bins, f->subject),
						   f->cpu, 0, recent->slot);
	return recent->bin;
}

static void forget(struct count *c, uint32_t subject)
{
	bins_forget(c->bins, subject);
	for (unsigned int i = 0; i < RECENT; i++)
		if (c->recent[i].subject == subject)
			c->recent[i].bin = NULL;
}

static void count_feed(void *state, const struct fact *facts, size_t n)
{
	struct count *c = state;

	for (const struct fact *f = facts; f < facts + n; f++) {
		struct recent *recent = &c->recent[fact_slot(f) % RECENT];
		struct count_bin *bin = recent->bin;

		if (unlikely(bins_outdated(f)))
			forget(c, f->subject);
		if (unlikely(f->kind != FACT_RECORD))
			continue;
		if (!bin || recent->subject != f->subject || recent->slot != fact_slot(f) ||
		    recent->cpu != f->cpu)
			bin = find_bin(c, f, recent);
		if (bin)
			bin->count++;
	}
}

static void add_count(struct bin *to, const struct bin *from)
{
	((struct count_bin *)to)->count += ((const struct count_bin *)from)->count;
}

static bool count_join(void *state, void *next)
{
	struct count *c = state, *n = next;

	bins_join(c->bins, n->bins, add_count);
	return true;
}

enum { EVENT = BIN_COLUMNS, COUNT, RATE, COLUMNS };

static const struct column columns[COLUMNS] = {
	BIN_COLUMN_DEFS,
	[EVENT] = { .key = "event",
		    .title = "EVENT",
		    .type = COLUMN_TEXT,
		    .flags = COLUMN_LABEL,
		    .help = "Event, as the user named it" },
	[COUNT] = { .key = "count",
		    .title = "COUNT",
		    .type = COLUMN_COUNT,
		    .metric = "events",
		    .help = "How often it happened" },
	[RATE] = { .key = "rate",
		   .title = "RATE",
		   .type = COLUMN_RATE,
		   .derive = DERIVE_RATE,
		   .of = "count",
		   .help = "Events per second" },
};

static void count_report(void *state, struct report *report, uint64_t now, bool last)
{
	struct count *c = state;
	const struct analysis_env *env = c->env;
	bool events = env->by & KEY_BIT(KEY_EVENT);
	unsigned int show[COLUMNS], n = bins_show(c->bins, show);
	struct table *table;

	(void)now;
	(void)last;
	for (unsigned int i = events ? EVENT : COUNT; i < COLUMNS; i++)
		show[n++] = i;
	table = table_new(report, &(struct table_layout){ .name = "count",
							  .title = "events",
							  .columns = columns,
							  .nr_columns = COLUMNS,
							  .show = show,
							  .nr_show = n,
							  .sort = "count" });
	for (size_t i = 0; i < bins_count(c->bins); i++) {
		struct count_bin *bin = (struct count_bin *)bins_at(c->bins, i);
		struct row *row = table_row(table);

		bins_label(c->bins, &bin->bin, row);
		if (events)
			row_text(row, EVENT, env->event(env->ctx, (uint32_t)bin->bin.value));
		row_count(row, COUNT, bin->count);
	}
	if (!bins_count(c->bins))
		report_note(report, "None of the events happened.");
}

const struct analysis analysis_count = {
	.name = "count",
	.summary = "How often events happened: tracepoints and functions",
	.facts = FACT_BIT(FACT_RECORD),
	.facts_optional = FACT_BIT(FACT_THREAD_END),
	.facts_who = FACTS_WHO,
	.specs = true,
	.order = ORDER_CPU,
	.order_who = ORDER_THREAD,
	.keys = KEY_BIT(KEY_EVENT) | KEY_BIT(KEY_COMM) | KEY_BIT(KEY_TID) | KEY_BIT(KEY_PID) |
		KEY_BIT(KEY_CPU) | KEY_BIT(KEY_VM),
	.by_live = KEY_BIT(KEY_EVENT),
	.by_file = KEY_BIT(KEY_EVENT),
	.new = count_new,
	.feed = count_feed,
	.join = count_join,
	.report = count_report,
	.free = count_free,
};
