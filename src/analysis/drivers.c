// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What paravirtual drivers do: calls of their functions by role, block requests of any driver from
 * issue to completion, packets per network device. A function's duration is that of the call, not
 * of the request that it starts: the table of requests has that.
 */
#include "analysis/analysis.h"

#include "analysis/calls.h"
#include "analysis/requests.h"
#include "base/hash.h"
#include "base/util.h"

struct interface {
	uint64_t polls, received, sent, sent_bytes;
};

struct drivers {
	const struct analysis_env *env;
	struct calls *calls;
	struct requests *requests;
	struct hash interfaces; /* interned name → struct interface */
};

static void *drivers_new(const struct analysis_env *env, struct error *err)
{
	struct drivers *d = xcalloc(1, sizeof(*d));

	(void)err;
	d->env = env;
	d->calls = calls_new(env, FACT_DRIVER_CALL);
	d->requests = requests_new(env);
	return d;
}

static void drivers_free(void *state)
{
	struct drivers *d = state;

	if (!d)
		return;
	calls_free(d->calls);
	requests_free(d->requests);
	hash_each(&d->interfaces, e) free(e->value.p);
	hash_free(&d->interfaces);
	free(d);
}

static void feed_packets(struct drivers *d, const struct fact *f)
{
	bool is_new;
	union hash_value *value = hash_insert(&d->interfaces, f->a, &is_new);
	struct interface *i;

	if (is_new)
		value->p = xcalloc(1, sizeof(*i));
	i = value->p;
	if (f->aux == FACT_READ) {
		i->polls++;
		i->received += f->b;
	} else {
		i->sent++;
		i->sent_bytes += f->b;
	}
}

static void drivers_feed(void *state, const struct fact *facts, size_t n)
{
	struct drivers *d = state;
	const struct analysis_env *env = d->env;

	for (size_t i = 0; i < n; i++) {
		bool here = !env->cpu_selected || env->cpu_selected(env->ctx, facts[i].cpu);

		if (facts[i].kind == FACT_PACKETS && here)
			feed_packets(d, &facts[i]);
		else if (facts[i].kind == FACT_REQUEST)
			requests_feed(d->requests, &facts[i]);
		else
			calls_feed(d->calls, &facts[i]);
	}
}

static void drivers_lost(void *state, const struct loss *losses, size_t n)
{
	struct drivers *d = state;

	calls_lost(d->calls, losses, n);
	requests_lost(d->requests, losses, n);
}

static bool drivers_holds(const void *state, uint32_t subject)
{
	return calls_inside(((const struct drivers *)state)->calls, subject);
}

static const struct column call_columns[CALLS_COLUMNS] = {
	CALLS_COLUMN_DEFS("role", "ROLE", "driver_call", "driver_calls"),
};

enum { DEVICE, POLLS, RECEIVED, SENT, SENT_BYTES };

static const struct column interface_columns[] = {
	[DEVICE] = { .key = "device",
		     .title = "DEVICE",
		     .type = COLUMN_TEXT,
		     .flags = COLUMN_LABEL,
		     .help = "Network device" },
	[POLLS] = { .key = "polls",
		    .title = "POLLS",
		    .type = COLUMN_COUNT,
		    .metric = "network_polls",
		    .help = "Polls by NAPI" },
	[RECEIVED] = { .key = "received",
		       .title = "RECEIVED",
		       .type = COLUMN_COUNT,
		       .metric = "network_polled_packets",
		       .help = "Packets that polls handled" },
	[SENT] = { .key = "sent",
		   .title = "SENT",
		   .type = COLUMN_COUNT,
		   .metric = "network_sent_packets",
		   .help = "Packets handed to the driver" },
	[SENT_BYTES] = { .key = "sent_bytes",
			 .title = "BYTES",
			 .type = COLUMN_BYTES,
			 .metric = "network_sent",
			 .help = "Bytes in them" },
};

static void report_interfaces(const struct drivers *d, struct report *report)
{
	struct table *table;

	table = table_new(report,
			  &(struct table_layout){ .name = "network",
						  .title = "network devices",
						  .columns = interface_columns,
						  .nr_columns = ARRAY_SIZE(interface_columns),
						  .sort = "polls" });
	hash_each(&d->interfaces, e)
	{
		const struct interface *i = e->value.p;
		struct row *row = table_row(table);
		const char *name = d->env->string(d->env->ctx, e->key);

		row_text(row, DEVICE, *name ? name : NULL);
		row_count(row, POLLS, i->polls);
		row_count(row, RECEIVED, i->received);
		row_count(row, SENT, i->sent);
		row_count(row, SENT_BYTES, i->sent_bytes);
	}
}

static void drivers_report(void *state, struct report *report, uint64_t now, bool last)
{
	struct drivers *d = state;

	(void)now;
	(void)last;
	calls_report(d->calls, report, "calls", "calls into paravirtual drivers", call_columns,
		     calls_interned, d->env);
	requests_report(d->requests, report);
	report_interfaces(d, report);
}

const struct analysis analysis_drivers = {
	.name = "drivers",
	.summary = "Paravirtual drivers: calls by role, block requests, network devices",
	.facts = FACT_BIT(FACT_REQUEST),
	.facts_optional =
		FACT_BIT(FACT_DRIVER_CALL) | FACT_BIT(FACT_PACKETS) | FACT_BIT(FACT_THREAD_END),
	.facts_who = FACTS_WHO,
	.order = ORDER_GLOBAL,
	.order_who = ORDER_GLOBAL,
	.keys = KEY_BIT(KEY_OP) | KEY_BIT(KEY_CPU) | KEY_BIT(KEY_COMM) | KEY_BIT(KEY_TID),
	.by_live = KEY_BIT(KEY_OP),
	.by_file = KEY_BIT(KEY_OP),
	.new = drivers_new,
	.lost = drivers_lost,
	.feed = drivers_feed,
	.holds = drivers_holds,
	.report = drivers_report,
	.free = drivers_free,
};
