// SPDX-License-Identifier: GPL-2.0-or-later
/* What a function makes is the same in each of its facts, so it is kept by function. */
#include "analysis/callers.h"

#include "analysis/bins.h"
#include "base/hash.h"
#include "base/util.h"

struct caller_bin {
	struct bin bin; /* its value: the function, interned */
	uint64_t calls;
};

struct callers {
	struct analysis_env env; /* without VMs: these are this kernel's own */
	struct bins *bins;
	struct hash makes; /* by function: interned too */
};

struct callers *callers_new(const struct analysis_env *env)
{
	struct callers *c = xcalloc(1, sizeof(*c));

	c->env = *env;
	c->env.by &= ~KEY_BIT(KEY_VM);
	c->bins = bins_new(&c->env, sizeof(struct caller_bin), KEY_OP);
	return c;
}

void callers_free(struct callers *c)
{
	if (!c)
		return;
	bins_free(c->bins, NULL);
	hash_free(&c->makes);
	free(c);
}

void callers_feed(struct callers *c, const struct fact *f)
{
	const struct analysis_env *env = &c->env;
	struct caller_bin *bin;

	if (bins_outdated(f))
		bins_forget(c->bins, f->subject);
	if (f->kind != FACT_HYPERCALL_CALLER ||
	    (env->selected && !env->selected(env->ctx, f->subject, FACT_NO_VCPU)) ||
	    (env->cpu_selected && !env->cpu_selected(env->ctx, f->cpu)))
		return;
	bin = (struct caller_bin *)bins_get(c->bins, bins_member(c->bins, f->subject), f->cpu, 0,
					    f->a);
	bin->calls++;
	hash_insert(&c->makes, f->a, NULL)->u = f->b;
}

static void add_calls(struct bin *to, const struct bin *from)
{
	((struct caller_bin *)to)->calls += ((const struct caller_bin *)from)->calls;
}

void callers_join(struct callers *c, const struct callers *next)
{
	bins_join(c->bins, next->bins, add_calls);
	hash_each(&next->makes, entry)
		hash_insert(&c->makes, entry->key, NULL)->u = entry->value.u;
}

enum { FUNCTION = BIN_COLUMNS, MAKES, CALLS, RATE, COLUMNS };

static const struct column columns[COLUMNS] = {
	BIN_COLUMN_DEFS,
	[FUNCTION] = { .key = "function", .title = "FUNCTION", .type = COLUMN_TEXT,
		       .flags = COLUMN_LABEL, .help = "Function that makes hypercalls" },
	[MAKES] = { .key = "makes", .title = "MAKES", .type = COLUMN_TEXT,
		    .help = "Hypercall that it makes" },
	[CALLS] = { .key = "calls", .title = "CALLS", .type = COLUMN_COUNT,
		    .metric = "hypercall_caller_calls", .help = "Calls of the function" },
	[RATE] = { .key = "rate", .title = "RATE", .type = COLUMN_RATE, .derive = DERIVE_RATE,
		   .of = "calls", .help = "Calls per second" },
};

size_t callers_report(const struct callers *c, struct report *report)
{
	const struct analysis_env *env = &c->env;
	bool functions = env->by & KEY_BIT(KEY_OP);
	unsigned int show[COLUMNS], n = bins_show(c->bins, show);
	struct table *table;

	for (unsigned int i = functions ? FUNCTION : CALLS; i < COLUMNS; i++)
		show[n++] = i;
	table = table_new(report, &(struct table_layout){
		.name = "callers", .title = "functions that make hypercalls directly",
		.sort = "calls", .columns = columns, .nr_columns = COLUMNS,
		.show = show, .nr_show = n,
	});
	for (size_t i = 0; i < bins_count(c->bins); i++) {
		const struct caller_bin *bin = (struct caller_bin *)bins_at(c->bins, i);
		struct row *row = table_row(table);

		bins_label(c->bins, &bin->bin, row);
		if (functions) {
			row_text(row, FUNCTION, env->string(env->ctx, bin->bin.value));
			row_text(row, MAKES,
				 env->string(env->ctx, hash_find(&c->makes, bin->bin.value)->u));
		}
		row_count(row, CALLS, bin->calls);
	}
	return bins_count(c->bins);
}
