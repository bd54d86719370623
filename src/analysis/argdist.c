// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How the values of an expression are distributed: how often each one came, or with --hist their
 * histogram. The expression is over fields of the events, $retval, and $latency: the time between
 * the entry to a function and its return, by the definitions of the calls of other analyses. A
 * latency is the return's: it counts where and when that was.
 */
#include "analysis/analysis.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analysis/bins.h"
#include "analysis/expr.h"
#include "analysis/fields.h"
#include "analysis/losses.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/util.h"

enum {
	VALUES_MAX = 100000, /* distinct ones: what comes then is counted as "(more values)" */
	TEXT_ROOM = 1024,    /* bytes of a value that is a text */
	NAMES_MAX = 32,      /* in an expression */
};

struct arg_bin {
	struct bin bin;
	uint64_t count;
	uint64_t negative; /* of them: a histogram has no place for them */
	struct dist dist;  /* --hist */
};

/* A distinct value; their places are the bins' values. */
struct value {
	char *text;     /* as shown */
	uint64_t order; /* of numbers */
	uint32_t event; /* place in env->slots, 0 where --by doesn't tell events apart */
};

/* How a name in the expression gets its value. */
struct variable {
	struct field *fields; /* by place in env->slots; NULL: it is $latency */
};

struct argdist {
	const struct analysis_env *env;
	struct analysis_env bins_env; /* env, but values always tell bins apart */
	struct bins *bins;
	struct expr *expr;
	struct variable *variables;
	bool latency;         /* it is in the expression */
	bool text;            /* the values are texts */
	bool ns;              /* the values are nothing but $latency */
	struct strhash texts; /* "event text" → place in values */
	struct hash *numbers; /* by event: number → likewise, so that few texts are made */
	struct value *values;
	size_t n_values, values_room;
	bool *entries; /* by slot: it is the entry of a return that is asked for */
	uint32_t n_entries;
	struct hash pending; /* subject << 32 | slot of the entry → its time */
	struct losses losses;
	uint64_t now;
	uint64_t timed, discarded, unpaired, nothing;
	uint64_t ended; /* calls of threads that ended in them */
};

/* --- The expression --- */

static bool is_latency(const char *name)
{
	return !strcmp(name, "$latency");
}

static int find_entries(struct argdist *a, struct error *err)
{
	const struct analysis_env *env = a->env;

	for (size_t i = 0; i < env->n_slots; i++)
		if (env->entries[i] != FACT_NO_SLOT)
			a->n_entries = max(a->n_entries, env->entries[i] + 1);
	free(a->entries);
	a->entries = xcalloc(a->n_entries + 1, sizeof(*a->entries));
	for (size_t i = 0; i < env->n_slots; i++) {
		if (env->entries[i] == FACT_NO_SLOT)
			return error_set_status(err, 2,
						"%s has no $latency: that is of returns of "
						"functions, as r:FUNCTION",
						env->event(env->ctx, env->slots[i]));
		a->entries[env->entries[i]] = true;
	}
	return 0;
}

/* All events have it as a text, or none has. */
static int check_texts(struct argdist *a, const char *name, const struct field *fields,
		       struct error *err)
{
	size_t texts = 0;

	for (size_t i = 0; i < a->env->n_slots; i++)
		texts += fields[i].text;
	if (!texts)
		return 0;
	if (!expr_is_name(a->expr) || texts < a->env->n_slots || a->env->hist || a->env->linear)
		return error_set_status(err, 2,
					"expression '%s': %s is a text, which can only be "
					"counted as it is",
					a->env->expr, name);
	a->text = true;
	return 0;
}

static int resolve(struct argdist *a, struct error *err)
{
	unsigned int n = expr_names(a->expr);

	if (n > NAMES_MAX)
		return error_set_status(err, 2, "expression '%s': more than %d fields",
					a->env->expr, NAMES_MAX);
	a->variables = xcalloc(n + 1, sizeof(*a->variables));
	for (unsigned int i = 0; i < n; i++) {
		const char *name = expr_name(a->expr, i);

		if (is_latency(name)) {
			a->latency = true;
			if (find_entries(a, err))
				return -1;
		} else if (fields_find(a->env, name, &a->variables[i].fields, err) ||
			   check_texts(a, name, a->variables[i].fields, err)) {
			return -1;
		}
	}
	a->ns = a->latency && expr_is_name(a->expr);
	if (a->latency && !a->env->times)
		return error_set(err, "$latency can't be told: the clock counts no time");
	return 0;
}

static void release_bin(struct bin *bin)
{
	dist_free(&((struct arg_bin *)bin)->dist);
}

static void argdist_free(void *state)
{
	struct argdist *a = state;

	if (!a)
		return;
	bins_free(a->bins, release_bin);
	for (unsigned int i = 0; a->variables && i < expr_names(a->expr); i++)
		free(a->variables[i].fields);
	free(a->variables);
	expr_free(a->expr);
	for (size_t i = 0; i < a->n_values; i++)
		free(a->values[i].text);
	free(a->values);
	for (size_t i = 0; a->numbers && i < a->env->n_slots; i++)
		hash_free(&a->numbers[i]);
	free(a->numbers);
	strhash_free(&a->texts);
	free(a->entries);
	hash_free(&a->pending);
	losses_free(&a->losses);
	free(a);
}

static void *argdist_new(const struct analysis_env *env, struct error *err)
{
	struct argdist *a;

	if (!env->expr) {
		error_set_status(err, 2,
				 "which values? -E EXPR is missing: a field of the events, "
				 "or arithmetic with them");
		return NULL;
	}
	if (env->hist && env->linear) {
		error_set_status(err, 2, "--hist and --linear: one of them at a time");
		return NULL;
	}
	a = xcalloc(1, sizeof(*a));
	a->env = env;
	a->bins_env = *env;
	a->bins_env.by |= KEY_BIT(KEY_EVENT);
	a->bins = bins_new(&a->bins_env, sizeof(struct arg_bin), KEY_EVENT);
	a->numbers = xcalloc(env->n_slots + 1, sizeof(*a->numbers));
	a->expr = expr_parse(env->expr, err);
	/* a piece knows neither what was called before it nor which value of a range came first */
	if (!a->expr || resolve(a, err) || (env->piece && (a->latency || env->linear))) {
		argdist_free(a);
		return NULL;
	}
	return a;
}

/* --- Latencies --- */

static uint64_t pending_key(const struct fact *f, uint32_t slot)
{
	return (uint64_t)f->subject << 32 | slot;
}

static void enter(struct argdist *a, const struct fact *f)
{
	bool is_new;

	hash_insert(&a->pending, pending_key(f, fact_slot(f)), &is_new)->u = f->time;
	a->unpaired += !is_new;
}

/* False: its entry isn't known, or a loss may lie between. */
static bool leave(struct argdist *a, const struct fact *f, uint32_t entry, uint64_t *ns)
{
	uint64_t key = pending_key(f, entry);
	const union hash_value *since = hash_find(&a->pending, key);
	bool timed;

	if (!since)
		return false;
	timed = f->time >= since->u && !losses_meet(&a->losses, since->u, f->time);
	*ns = f->time - since->u;
	hash_remove(&a->pending, key);
	a->timed += timed;
	a->discarded += !timed;
	return timed;
}

/* From the first entry on that is pending: a thread's number may mean another one soon. */
static bool next_pending(const struct argdist *a, uint32_t subject, uint32_t *slot)
{
	for (; *slot < a->n_entries; ++*slot)
		if (a->entries[*slot] && hash_find(&a->pending, (uint64_t)subject << 32 | *slot))
			return true;
	return false;
}

static void end_thread(struct argdist *a, uint32_t subject)
{
	for (uint32_t slot = 0; next_pending(a, subject, &slot); slot++) {
		hash_remove(&a->pending, (uint64_t)subject << 32 | slot);
		a->ended++;
	}
}

static bool argdist_holds(const void *state, uint32_t subject)
{
	uint32_t slot = 0;

	return next_pending(state, subject, &slot);
}

static void argdist_lost(void *state, const struct loss *losses, size_t n)
{
	struct argdist *a = state;
	uint64_t oldest = a->now;

	hash_each(&a->pending, e)
		oldest = min(oldest, e->value.u);
	losses_forget(&a->losses, oldest);
	losses_add(&a->losses, losses, n);
}

/* --- Values --- */

/* How a value that is a single field is shown. */
struct shape {
	bool hex;
	unsigned int size;
};

static bool evaluate(const struct argdist *a, const struct fact *f, uint64_t latency,
		     struct expr_value *result, struct shape *shape)
{
	const struct analysis_env *env = a->env;
	struct expr_value names[NAMES_MAX];

	*shape = (struct shape){ 0 };
	for (unsigned int i = 0; i < expr_names(a->expr); i++) {
		const struct field *field;

		names[i] = (struct expr_value){ .v = latency, .is_signed = true };
		if (!a->variables[i].fields)
			continue;
		field = fields_of(env, a->variables[i].fields, f);
		if (!field || !env->field_number(env->ctx, field, f, &names[i].v))
			return false;
		names[i].is_signed = field->is_signed || field->size < sizeof(names[i].v);
		*shape = (struct shape){ field->is_hex && expr_is_name(a->expr), field->size };
	}
	return expr_eval(a->expr, names, result);
}

/* The place of a value in a->values; beyond VALUES_MAX all new ones are one. */
static uint64_t place_of_text(struct argdist *a, const char *text, uint64_t order, uint32_t event)
{
	char key[TEXT_ROOM + 32];
	void **place;
	bool is_new;

	snprintf(key, sizeof(key), "%" PRIu32 " %s", event, text);
	if (a->n_values >= VALUES_MAX && !strhash_get(&a->texts, key)) {
		text = "(more values)";
		snprintf(key, sizeof(key), "%" PRIu32 "%s", event, text);
	}
	place = strhash_insert(&a->texts, key, &is_new);
	if (!is_new)
		return (uintptr_t)*place;
	a->values = xgrow(a->values, a->n_values, &a->values_room, sizeof(*a->values));
	a->values[a->n_values] = (struct value){
		.text = xstrdup(text),
		.order = order,
		.event = event,
	};
	*place = (void *)(uintptr_t)a->n_values;
	return a->n_values++;
}

/* The greatest multiple of the step that isn't above the value, or the least number there is. */
static int64_t round_down(int64_t value, int64_t step)
{
	int64_t rest = value % step, above = value - rest;

	if (rest >= 0)
		return above;
	return above < INT64_MIN + step ? INT64_MIN : above - step;
}

static void range_text(struct expr_value value, uint64_t step, char *text, size_t room)
{
	uint64_t low = value.v - value.v % step;

	if (value.is_signed && (int64_t)value.v < 0) {
		int64_t v = (int64_t)value.v, width = (int64_t)step, rest = v % width;

		snprintf(text, room, "[%" PRId64 ", %" PRId64 ")", round_down(v, width),
			 rest ? v - rest : v + width);
	} else if (low + step < low) {
		snprintf(text, room, "[%" PRIu64 ", 18446744073709551616)", low);
	} else {
		snprintf(text, room, "[%" PRIu64 ", %" PRIu64 ")", low, low + step);
	}
}

static uint64_t place_of_number(struct argdist *a, struct expr_value value, struct shape shape,
				uint32_t event)
{
	uint64_t step = a->env->linear, key = value.v, place;
	union hash_value *known;
	char text[64];

	if (step)
		key = value.is_signed ? (uint64_t)round_down((int64_t)value.v, (int64_t)step) :
					value.v - value.v % step;
	known = hash_find(&a->numbers[event], key);
	if (known)
		return known->u;
	if (step)
		range_text(value, step, text, sizeof(text));
	else
		fields_text(value, shape.hex, shape.size, text, sizeof(text));
	place = place_of_text(a, text, value.is_signed ? key ^ UINT64_C(1) << 63 : key, event);
	if (a->n_values < VALUES_MAX)
		hash_insert(&a->numbers[event], key, NULL)->u = place;
	return place;
}

/* --- Counting --- */

static void count(struct argdist *a, const struct fact *f, uint64_t place, struct expr_value value)
{
	struct arg_bin *bin = (struct arg_bin *)bins_get(a->bins, bins_member(a->bins, f->subject),
							 f->cpu, 0, place);

	bin->count++;
	if (!a->env->hist)
		return;
	if (value.is_signed && (int64_t)value.v < 0)
		bin->negative++;
	else
		dist_add(&bin->dist, value.v);
}

/* A record of an event that the user named: number `event` of them. */
static void take(struct argdist *a, const struct fact *f, uint32_t event)
{
	const struct analysis_env *env = a->env;
	uint32_t key = env->by & KEY_BIT(KEY_EVENT) ? event : 0;
	struct expr_value value = { 0 };
	char text[TEXT_ROOM];
	uint64_t latency = 0;
	struct shape shape;

	if (a->latency && !leave(a, f, env->entries[event], &latency))
		return;
	if ((env->selected && !env->selected(env->ctx, f->subject, FACT_NO_VCPU)) ||
	    (env->cpu_selected && !env->cpu_selected(env->ctx, f->cpu)))
		return;
	if (a->text) {
		const struct field *field = fields_of(env, a->variables[0].fields, f);

		if (env->field_text(env->ctx, field, f, text, sizeof(text)))
			count(a, f, place_of_text(a, text, 0, key), value);
		else
			a->nothing++;
	} else if (!evaluate(a, f, latency, &value, &shape)) {
		a->nothing++;
	} else {
		count(a, f, env->hist ? key : place_of_number(a, value, shape, key), value);
	}
}

static void argdist_feed(void *state, const struct fact *facts, size_t n)
{
	struct argdist *a = state;

	for (const struct fact *f = facts; f < facts + n; f++) {
		int event;

		if (f->kind == FACT_THREAD_END)
			end_thread(a, f->subject);
		if (bins_outdated(f))
			bins_forget(a->bins, f->subject);
		if (f->kind != FACT_RECORD)
			continue;
		a->now = f->time;
		if (fact_slot(f) < a->n_entries && a->entries[fact_slot(f)])
			enter(a, f);
		event = fields_place(a->env, f);
		if (event >= 0)
			take(a, f, (uint32_t)event);
	}
}

/* --- Joining --- */

/* Bins' values are places of values, unless they are those of events. */
static void join_bin(struct argdist *a, const uint32_t *owners, const struct argdist *next,
		     const struct arg_bin *from)
{
	struct bin key = from->bin;
	struct arg_bin *to;

	if (!a->env->hist) {
		const struct value *v = &next->values[from->bin.value];

		key.value = place_of_text(a, v->text, v->order, v->event);
	}
	to = (struct arg_bin *)bins_twin(a->bins, owners, &key);
	to->count += from->count;
	to->negative += from->negative;
	dist_merge(&to->dist, &from->dist);
}

/* Beyond so many distinct values it counts which of them came first. */
static bool argdist_join(void *state, void *following)
{
	struct argdist *a = state;
	const struct argdist *next = following;
	uint32_t *owners = bins_adopt(a->bins, next->bins);

	for (size_t i = 0; i < bins_count(next->bins); i++)
		join_bin(a, owners, next, (const struct arg_bin *)bins_at(next->bins, i));
	a->nothing += next->nothing;
	free(owners);
	return a->n_values < VALUES_MAX && next->n_values < VALUES_MAX;
}

/* --- Report --- */

enum { EVENT = BIN_COLUMNS, VALUE, COUNT, SHARE, COLUMNS };

#define EVENT_COLUMN                                                                          \
	{                                                                                     \
		.key = "event", .title = "EVENT", .type = COLUMN_TEXT, .flags = COLUMN_LABEL, \
		.help = "Event, as the user named it",                                        \
	}

static const struct column columns[COLUMNS] = {
	BIN_COLUMN_DEFS,
	[EVENT] = EVENT_COLUMN,
	[VALUE] = { .key = "value",
		    .title = "VALUE",
		    .type = COLUMN_TEXT,
		    .flags = COLUMN_LABEL,
		    .help = "Value of the expression, or with --linear its range" },
	[COUNT] = { .key = "count",
		    .title = "COUNT",
		    .type = COLUMN_COUNT,
		    .metric = "values",
		    .help = "How often it came" },
	[SHARE] = { .key = "share",
		    .title = "SHARE",
		    .type = COLUMN_RATIO,
		    .derive = DERIVE_SHARE,
		    .of = "count",
		    .help = "Part of all values" },
};

enum {
	H_EVENT = BIN_COLUMNS,
	H_COUNT,
	H_NEGATIVE,
	H_TOTAL,
	H_MIN,
	H_MEAN,
	H_STDDEV,
	H_PERCENTILE,
	H_MAX,
	H_HIST,
	H_COLUMNS
};

#define FIGURE(name, suffix, heading, kind, more, how, words)                                     \
	{                                                                                         \
		.key = name suffix, .title = heading, .type = kind, .flags = more, .derive = how, \
		.help = words                                                                     \
	}

/* The same figures of numbers and of nanoseconds. */
#define HIST_COLUMNS(suffix, kind, more, name)                                                     \
	{                                                                                          \
		BIN_COLUMN_DEFS,                                                                   \
			[H_EVENT] = EVENT_COLUMN,                                                  \
			[H_COUNT] = { .key = "count",                                              \
				      .title = "COUNT",                                            \
				      .type = COLUMN_COUNT,                                        \
				      .metric = "values",                                          \
				      .help = "Values" },                                          \
			[H_NEGATIVE] = { .key = "negative",                                        \
					 .title = "NEGATIVE",                                      \
					 .type = COLUMN_COUNT,                                     \
					 .flags = COLUMN_WHEN_ANY,                                 \
					 .metric = "values_negative",                              \
					 .help = "Values below 0, which are not in the figures" }, \
			[H_TOTAL] = FIGURE("total", suffix, "TOTAL", kind, COLUMN_WIDE,            \
					   DERIVE_SUM, "Sum"),                                     \
			[H_MIN] = FIGURE("min", suffix, "MIN", kind, COLUMN_GAUGE, DERIVE_MIN,     \
					 "Least"),                                                 \
			[H_MEAN] = FIGURE("mean", suffix, "MEAN", kind, COLUMN_GAUGE, DERIVE_MEAN, \
					  "Mean, rounded"),                                        \
			[H_STDDEV] = FIGURE("stddev", suffix, "STDDEV", kind,                      \
					    COLUMN_WIDE | COLUMN_GAUGE, DERIVE_STDDEV,             \
					    "Standard deviation"),                                 \
			[H_PERCENTILE] = FIGURE("p%", suffix, "P%", kind, COLUMN_GAUGE,            \
						DERIVE_PERCENTILE, "Percentile"),                  \
			[H_MAX] = FIGURE("max", suffix, "MAX", kind, COLUMN_GAUGE, DERIVE_MAX,     \
					 "Greatest"),                                              \
			[H_HIST] = { .key = "hist",                                                \
				     .title = "HISTOGRAM",                                         \
				     .type = COLUMN_HISTOGRAM,                                     \
				     .flags = more,                                                \
				     .derive = DERIVE_HISTOGRAM,                                   \
				     .metric = name,                                               \
				     .help = "How the values are distributed" },                   \
	}

static const struct column number_columns[H_COLUMNS] =
	HIST_COLUMNS("", COLUMN_COUNT, COLUMN_PLAIN, NULL);
static const struct column latency_columns[H_COLUMNS] =
	HIST_COLUMNS("_ns", COLUMN_NS, 0, "latency");

static const char *event_name(const struct argdist *a, uint32_t event)
{
	return a->env->event(a->env->ctx, a->env->slots[event]);
}

static void report_hist(struct argdist *a, struct report *report)
{
	unsigned int show[H_COLUMNS], n = bins_show(a->bins, show);
	bool events = a->env->by & KEY_BIT(KEY_EVENT);
	struct table *table;

	for (unsigned int i = events ? H_EVENT : H_COUNT; i < H_COLUMNS; i++)
		show[n++] = i;
	table = table_new(report, &(struct table_layout){
					  .name = a->ns ? "latency" : "distribution",
					  .title = a->env->expr,
					  .columns = a->ns ? latency_columns : number_columns,
					  .nr_columns = H_COLUMNS,
					  .show = show,
					  .nr_show = n,
					  .percentiles = a->env->percentiles,
					  .nr_percentiles = (unsigned int)a->env->n_percentiles,
					  .histograms = true,
					  .sort = "count",
				  });
	for (size_t i = 0; i < bins_count(a->bins); i++) {
		struct arg_bin *bin = (struct arg_bin *)bins_at(a->bins, i);
		struct row *row = table_row(table);

		bins_label(a->bins, &bin->bin, row);
		if (events)
			row_text(row, H_EVENT, event_name(a, (uint32_t)bin->bin.value));
		row_count(row, H_COUNT, bin->count);
		row_count(row, H_NEGATIVE, bin->negative);
		row_lend(row, 0, &bin->dist);
	}
}

static int by_order(const void *left, const void *right, void *arg)
{
	const struct bin *x = *(struct bin *const *)left, *y = *(struct bin *const *)right;
	const struct value *values = arg, *a = &values[x->value], *b = &values[y->value];

	if (a->event != b->event)
		return a->event > b->event ? 1 : -1;
	return (a->order > b->order) - (a->order < b->order);
}

/* The bins in the order in which ranges are shown; the caller frees them. */
static struct bin **bins_in_order(const struct argdist *a)
{
	size_t n = bins_count(a->bins);
	struct bin **all = xcalloc(n + 1, sizeof(*all));

	for (size_t i = 0; i < n; i++)
		all[i] = bins_at(a->bins, i);
	if (n && a->env->linear)
		qsort_r(all, n, sizeof(*all), by_order, a->values);
	return all;
}

static void report_values(struct argdist *a, struct report *report)
{
	unsigned int show[COLUMNS], n = bins_show(a->bins, show);
	bool events = a->env->by & KEY_BIT(KEY_EVENT);
	struct bin **all = bins_in_order(a);
	struct table *table;

	for (unsigned int i = events ? EVENT : VALUE; i < COLUMNS; i++)
		show[n++] = i;
	table = table_new(report,
			  &(struct table_layout){ .name = "values",
						  .title = a->env->expr,
						  .columns = columns,
						  .nr_columns = COLUMNS,
						  .show = show,
						  .nr_show = n,
						  .sort = a->env->linear ? NULL : "count" });
	for (size_t i = 0; i < bins_count(a->bins); i++) {
		struct arg_bin *bin = (struct arg_bin *)all[i];
		const struct value *value = &a->values[bin->bin.value];
		struct row *row = table_row(table);

		bins_label(a->bins, &bin->bin, row);
		if (events)
			row_text(row, EVENT, event_name(a, value->event));
		row_text(row, VALUE, value->text);
		row_count(row, COUNT, bin->count);
	}
	free(all);
}

static void add_notes(const struct argdist *a, struct report *report, bool last)
{
	char number[64];

	if (!bins_count(a->bins) && !a->nothing)
		report_note(report, "None of the events happened.");
	if (a->nothing)
		report_note(report, "%s had no value of the expression.",
			    text_plural(number, sizeof(number), a->nothing, "record", "records"));
	if (a->n_values > VALUES_MAX)
		report_note(report,
			    "There are more than %d distinct values: what came then is one "
			    "row.",
			    VALUES_MAX);
	if (a->unpaired)
		report_note(report, "%s had no return before the next one of the same thread.",
			    text_plural(number, sizeof(number), a->unpaired, "call", "calls"));
	if (last && a->pending.nr + a->ended)
		report_note(report, "%s had not returned at the end.",
			    text_plural(number, sizeof(number), a->pending.nr + a->ended, "call",
					"calls"));
}

static void argdist_report(void *state, struct report *report, uint64_t now, bool last)
{
	struct argdist *a = state;

	(void)now;
	if (a->env->hist)
		report_hist(a, report);
	else
		report_values(a, report);
	report->lost.intervals += a->timed + a->discarded;
	report->lost.intervals_discarded += a->discarded;
	add_notes(a, report, last);
}

const struct analysis analysis_argdist = {
	.name = "argdist",
	.summary = "Values in events: how often each came, or their histogram",
	.facts = FACT_BIT(FACT_RECORD),
	.facts_optional = FACT_BIT(FACT_THREAD_END),
	.facts_who = FACTS_WHO,
	.specs = true,
	.order = ORDER_THREAD,
	.order_who = ORDER_THREAD,
	.keys = KEY_BIT(KEY_EVENT) | KEY_BIT(KEY_COMM) | KEY_BIT(KEY_TID) | KEY_BIT(KEY_PID) |
		KEY_BIT(KEY_CPU) | KEY_BIT(KEY_VM),
	.by_live = KEY_BIT(KEY_EVENT),
	.by_file = KEY_BIT(KEY_EVENT),
	.new = argdist_new,
	.lost = argdist_lost,
	.feed = argdist_feed,
	.holds = argdist_holds,
	.report = argdist_report,
	.join = argdist_join,
	.free = argdist_free,
};
