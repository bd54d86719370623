// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Upcalls of the hypervisor into this guest: how many, how long each lasts, and which interrupts
 * are served in them. An upcall's subject is the CPU that it interrupted; an interrupt handler
 * belongs to it when it begins inside.
 */
#include "analysis/analysis.h"

#include <stdio.h>

#include "analysis/calls.h"
#include "base/hash.h"
#include "base/util.h"

struct callbacks {
	const struct analysis_env *env;
	struct calls *upcalls, *handlers;
	struct hash names; /* of interrupts: irq → interned */
};

static void *callbacks_new(const struct analysis_env *env, struct error *err)
{
	struct callbacks *c = xcalloc(1, sizeof(*c));

	(void)err;
	c->env = env;
	c->upcalls = calls_new(env, FACT_CALLBACK);
	c->handlers = calls_new(env, FACT_IRQ);
	return c;
}

static void callbacks_free(void *state)
{
	struct callbacks *c = state;

	if (!c)
		return;
	calls_free(c->upcalls);
	calls_free(c->handlers);
	hash_free(&c->names);
	free(c);
}

static void feed_handler(struct callbacks *c, const struct fact *f)
{
	if (f->aux == FACT_BEGIN && !calls_inside(c->upcalls, f->subject))
		return;
	if (f->aux == FACT_BEGIN)
		hash_insert(&c->names, f->a, NULL)->u = f->b;
	calls_feed(c->handlers, f);
}

static void callbacks_feed(void *state, const struct fact *facts, size_t n)
{
	struct callbacks *c = state;

	for (size_t i = 0; i < n; i++) {
		if (facts[i].kind == FACT_CALLBACK)
			calls_feed(c->upcalls, &facts[i]);
		else if (facts[i].kind == FACT_IRQ)
			feed_handler(c, &facts[i]);
	}
}

static void callbacks_lost(void *state, const struct loss *losses, size_t n)
{
	struct callbacks *c = state;

	calls_lost(c->upcalls, losses, n);
	calls_lost(c->handlers, losses, n);
}

static const struct column upcall_columns[CALLS_COLUMNS] = {
	CALLS_COLUMN_DEFS("role", "UPCALL", "upcall", "upcalls"),
};

static const struct column handler_columns[CALLS_COLUMNS] = {
	CALLS_COLUMN_DEFS("irq", "INTERRUPT", "upcall_interrupt", "upcall_interrupts"),
};

/* "37 blkif": the number alone changes from boot to boot, the name alone may stand for several. */
static const char *name_irq(const void *ctx, uint64_t irq, char *buf, size_t size)
{
	const struct callbacks *c = ctx;
	const union hash_value *name = hash_find(&c->names, irq);

	snprintf(buf, size, "%llu %s", (unsigned long long)irq,
		 name ? c->env->string(c->env->ctx, name->u) : "");
	return buf;
}

static void callbacks_report(void *state, struct report *report, uint64_t now, bool last)
{
	struct callbacks *c = state;

	(void)now;
	(void)last;
	calls_report(c->upcalls, report, "callbacks", "upcalls of the hypervisor", upcall_columns,
		     calls_interned, c->env);
	calls_report(c->handlers, report, "interrupts", "interrupts served in upcalls",
		     handler_columns, name_irq, c);
	if (!calls_total(c->upcalls))
		report_note(report, "No upcall came: this machine is no Xen guest, or nothing "
				    "happened in it.");
}

const struct analysis analysis_callbacks = {
	.name = "callbacks",
	.summary = "Upcalls of the hypervisor: how many, how long, which interrupts they serve",
	.facts = FACT_BIT(FACT_CALLBACK),
	.facts_optional = FACT_BIT(FACT_IRQ),
	.order = ORDER_CPU,
	.keys = KEY_BIT(KEY_CPU) | KEY_BIT(KEY_OP),
	.by_live = KEY_BIT(KEY_CPU) | KEY_BIT(KEY_OP),
	.by_file = KEY_BIT(KEY_CPU) | KEY_BIT(KEY_OP),
	.new = callbacks_new,
	.lost = callbacks_lost,
	.feed = callbacks_feed,
	.report = callbacks_report,
	.free = callbacks_free,
};
