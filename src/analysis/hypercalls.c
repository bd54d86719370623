// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hypercalls, from either side. In a guest (or dom0) those that its own kernel makes or batches; on
 * a host those of its guests. Counts only: nothing is paired.
 *
 * A batching kernel collects entries, lets further updates join an entry that is in the batch
 * already, and flushes. What the hypervisor sees of a flush of n entries is nothing for n = 0, that
 * hypercall for n = 1, and one multicall for more. So
 *
 *	flushes = empty + direct + multicalls	and	ratio = updates / (direct + multicalls)
 *
 * with updates = entries + extended: how much work one transition into the hypervisor carries.
 *
 * With --stack, a stack belongs to the last fact of its subject, if that was a hypercall, on the
 * same CPU, and nothing was lost between.
 */
#include "analysis/analysis.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/bins.h"
#include "analysis/callers.h"
#include "analysis/stacks.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/util.h"
#include "hv/hypercalls.h"
#include "hv/hypervisor.h"

/* One operation of someone. */
struct op_bin {
	struct bin bin;
	uint64_t entries;
	uint64_t extended;
	uint32_t number; /* place in hypercalls.numbered + 1, 0: none of its stacks came yet */
};

/* How someone batched. */
struct batch_bin {
	struct bin bin;
	uint64_t updates;
	uint64_t empty, direct, multicalls; /* flushes */
	uint64_t flushed;                   /* entries that they carried */
	uint64_t sections;
};

/*
 * Whose hypercalls they are decides what `vm` means: a host's facts are about a guest's thread, a
 * kernel's own about a task that is in no VM.
 */
enum side { SIDE_OWN, SIDE_GUESTS, SIDES };

struct subject {
	uint32_t owner[SIDES]; /* 0: not met yet */
	uint32_t batcher;
	bool unselected;
	uint16_t cpu;          /* where … */
	struct op_bin *awaits; /* … this one's stack would come; NULL: none will */
};

/* A bin's space: an index of interfaces, and whether its value is a name or a number. */
enum { MAX_INTERFACES = 128, SPACE_NAME = 0x80 };

struct hypercalls {
	const struct analysis_env *env;
	struct analysis_env own_env, batch_env; /* with fewer keys in --by */
	struct bins *ops[SIDES];
	struct bins *batches;
	struct callers *callers;
	struct stacks *stacks;
	struct hash stack_counts; /* number of an op << 32 | of a stack → how often */
	struct op_bin **numbered;
	uint32_t n_numbered;
	struct subject *subjects;
	size_t n_subjects;
	uint64_t interfaces[MAX_INTERFACES]; /* interned names */
	unsigned int n_interfaces;
};

static void *hypercalls_new(const struct analysis_env *env, struct error *err)
{
	struct hypercalls *h;

	(void)err;
	/* the hypercall of a piece's first stack may be in the piece before it */
	if (env->piece && env->stacks)
		return NULL;
	h = xcalloc(1, sizeof(*h));
	h->env = env;
	h->own_env = h->batch_env = *env;
	h->own_env.by &= ~KEY_BIT(KEY_VM);
	h->batch_env.by &= ~(KEY_BIT(KEY_VM) | KEY_BIT(KEY_OP));
	h->ops[SIDE_OWN] = bins_new(&h->own_env, sizeof(struct op_bin), KEY_OP);
	h->ops[SIDE_GUESTS] = bins_new(env, sizeof(struct op_bin), KEY_OP);
	h->batches = bins_new(&h->batch_env, sizeof(struct batch_bin), KEY_OP);
	h->callers = callers_new(env);
	h->stacks = stacks_new(env);
	return h;
}

static void hypercalls_free(void *state)
{
	struct hypercalls *h = state;

	if (!h)
		return;
	for (int side = 0; side < SIDES; side++)
		bins_free(h->ops[side], NULL);
	bins_free(h->batches, NULL);
	callers_free(h->callers);
	stacks_free(h->stacks);
	hash_free(&h->stack_counts);
	free(h->numbered);
	free(h->subjects);
	free(h);
}

static struct subject *subject_of(struct hypercalls *h, uint32_t subject)
{
	if (subject >= h->n_subjects) {
		size_t n = max((size_t)64, (size_t)subject + subject / 2 + 1);

		h->subjects = xreallocarray(h->subjects, n, sizeof(*h->subjects));
		memset(h->subjects + h->n_subjects, 0, (n - h->n_subjects) * sizeof(*h->subjects));
		h->n_subjects = n;
	}
	return &h->subjects[subject];
}

static void meet(struct hypercalls *h, struct subject *s, uint32_t subject)
{
	const struct analysis_env *env = h->env;

	for (int side = 0; side < SIDES; side++)
		s->owner[side] = bins_owner(h->ops[side], subject, FACT_NO_VCPU);
	s->batcher = bins_owner(h->batches, subject, FACT_NO_VCPU);
	s->unselected = env->selected && !env->selected(env->ctx, subject, FACT_NO_VCPU);
}

/* More interfaces than there will ever be share the last place. */
static uint8_t interface_space(struct hypercalls *h, uint64_t interned)
{
	unsigned int i = 0;

	while (i < h->n_interfaces && h->interfaces[i] != interned)
		i++;
	if (i == MAX_INTERFACES)
		return MAX_INTERFACES - 1;
	if (i == h->n_interfaces)
		h->interfaces[h->n_interfaces++] = interned;
	return (uint8_t)i;
}

static struct op_bin *op_of(struct hypercalls *h, const struct subject *s, const struct fact *f)
{
	enum side side = f->aux == HYPERCALL_DIRECT ? SIDE_GUESTS : SIDE_OWN;
	uint8_t space = interface_space(h, f->b);

	if (f->aux == HYPERCALL_OTHER)
		space |= SPACE_NAME;
	return (struct op_bin *)bins_get(h->ops[side], s->owner[side], f->cpu, space, f->a);
}

static void count_flush(struct batch_bin *batch, uint64_t entries)
{
	batch->flushed += entries;
	if (!entries)
		batch->empty++;
	else if (entries == 1)
		batch->direct++;
	else
		batch->multicalls++;
}

static void count(struct hypercalls *h, struct subject *s, const struct fact *f)
{
	struct batch_bin *batch = NULL;
	struct op_bin *op = NULL;

	if (f->aux != HYPERCALL_DIRECT && f->aux != HYPERCALL_OTHER)
		batch = (struct batch_bin *)bins_get(h->batches, s->batcher, f->cpu, 0, 0);
	switch ((enum fact_hypercall)f->aux) {
	case HYPERCALL_DIRECT:
	case HYPERCALL_OTHER:
		op = op_of(h, s, f);
		op->entries++;
		break;
	case HYPERCALL_BATCHED:
		op = op_of(h, s, f);
		op->entries++;
		batch->updates++;
		break;
	case HYPERCALL_EXTENDED:
		op = op_of(h, s, f);
		op->extended++;
		batch->updates++;
		break;
	case HYPERCALL_FLUSH:
		count_flush(batch, f->a);
		break;
	case HYPERCALL_SECTION:
		batch->sections++;
		break;
	}
	s->awaits = op;
	s->cpu = f->cpu;
}

static uint32_t number_of(struct hypercalls *h, struct op_bin *op)
{
	if (!op->number) {
		h->numbered = xreallocarray(h->numbered, h->n_numbered + 1, sizeof(op));
		h->numbered[h->n_numbered++] = op;
		op->number = h->n_numbered;
	}
	return op->number;
}

static void count_stack(struct hypercalls *h, const struct fact *f)
{
	struct subject *s = subject_of(h, f->subject);
	uint32_t stack = s->awaits && s->cpu == f->cpu ? stacks_add(h->stacks, f) : 0;

	if (stack)
		hash_insert(&h->stack_counts, (uint64_t)number_of(h, s->awaits) << 32 | stack, NULL)
			->u++;
	s->awaits = NULL;
}

static void hypercalls_lost(void *state, const struct loss *losses, size_t n)
{
	struct hypercalls *h = state;

	(void)losses;
	for (size_t i = 0; n && i < h->n_subjects; i++)
		h->subjects[i].awaits = NULL;
}

static void hypercalls_feed(void *state, const struct fact *facts, size_t n)
{
	struct hypercalls *h = state;
	const struct analysis_env *env = h->env;

	for (const struct fact *f = facts; f < facts + n; f++) {
		struct subject *s;

		callers_feed(h->callers, f);
		if (f->kind == FACT_RECORD && fact_slot(f) == env->stack_slot)
			count_stack(h, f);
		if (f->kind != FACT_HYPERCALL && !bins_outdated(f))
			continue;
		s = subject_of(h, f->subject);
		if (f->kind != FACT_HYPERCALL) {
			*s = (struct subject){ 0 };
			continue;
		}
		s->awaits = NULL;
		if (!s->batcher)
			meet(h, s, f->subject);
		if (s->unselected || (env->cpu_selected && !env->cpu_selected(env->ctx, f->cpu)))
			continue;
		count(h, s, f);
	}
}

/* Interfaces are numbered as they come: a bin's space means another one in each piece. */
static void join_ops(struct hypercalls *h, const struct hypercalls *next, enum side side)
{
	uint32_t *owners = bins_adopt(h->ops[side], next->ops[side]);

	for (size_t i = 0; i < bins_count(next->ops[side]); i++) {
		const struct op_bin *from = (struct op_bin *)bins_at(next->ops[side], i);
		uint8_t space = bin_space(&from->bin);
		struct op_bin *to;

		space = (space & SPACE_NAME) |
			interface_space(h, next->interfaces[space & ~SPACE_NAME]);
		to = (struct op_bin *)bins_get(h->ops[side], owners[from->bin.owner],
					       bin_cpu(&from->bin), space, from->bin.value);
		to->entries += from->entries;
		to->extended += from->extended;
	}
	free(owners);
}

static void add_batch(struct bin *twin, const struct bin *bin)
{
	struct batch_bin *to = (struct batch_bin *)twin;
	const struct batch_bin *from = (const struct batch_bin *)bin;

	to->updates += from->updates;
	to->empty += from->empty;
	to->direct += from->direct;
	to->multicalls += from->multicalls;
	to->flushed += from->flushed;
	to->sections += from->sections;
}

/* Texts are the tables' own, numbered before any record is read: all pieces know the same. */
static bool hypercalls_join(void *state, void *next)
{
	struct hypercalls *h = state;
	const struct hypercalls *n = next;

	for (int side = 0; side < SIDES; side++)
		join_ops(h, n, (enum side)side);
	bins_join(h->batches, n->batches, add_batch);
	callers_join(h->callers, n->callers);
	return true;
}

enum { INTERFACE = BIN_COLUMNS, OP, NAME, ENTRIES, EXTENDED, RATE, SHARE, OP_COLUMNS };

static const struct column op_columns[OP_COLUMNS] = {
	BIN_COLUMN_DEFS,
	[INTERFACE] = { .key = "interface",
			.title = "INTERFACE",
			.type = COLUMN_TEXT,
			.flags = COLUMN_LABEL,
			.help = "Whose numbers these are" },
	[OP] = { .key = "op",
		 .title = "OP",
		 .type = COLUMN_COUNT,
		 .flags = COLUMN_LABEL | COLUMN_GAUGE,
		 .help = "Number of the hypercall" },
	[NAME] = { .key = "name",
		   .title = "NAME",
		   .type = COLUMN_TEXT,
		   .flags = COLUMN_LABEL,
		   .help = "Name of the hypercall" },
	[ENTRIES] = { .key = "entries",
		      .title = "ENTRIES",
		      .type = COLUMN_COUNT,
		      .metric = "hypercalls",
		      .help = "Hypercalls made, or put into a batch" },
	[EXTENDED] = { .key = "extended",
		       .title = "EXTENDED",
		       .type = COLUMN_COUNT,
		       .flags = COLUMN_WHEN_ANY,
		       .metric = "hypercalls_extended",
		       .help = "Updates that joined a hypercall in the batch" },
	[RATE] = { .key = "rate",
		   .title = "RATE",
		   .type = COLUMN_RATE,
		   .derive = DERIVE_RATE,
		   .of = "entries",
		   .help = "Entries per second" },
	[SHARE] = { .key = "share",
		    .title = "SHARE",
		    .type = COLUMN_RATIO,
		    .derive = DERIVE_SHARE,
		    .of = "entries",
		    .help = "Share of all entries" },
};

enum {
	FLUSHES = BIN_COLUMNS,
	EMPTY,
	DIRECT,
	MULTICALLS,
	FLUSHED,
	UPDATES,
	ISSUED,
	RATIO,
	SECTIONS,
	BATCH_COLUMNS
};

#define COUNT_COLUMN(name, heading, more, as, words)                                              \
	{                                                                                         \
		.key = name, .title = heading, .type = COLUMN_COUNT, .flags = more, .metric = as, \
		.help = words                                                                     \
	}

static const struct column batch_columns[BATCH_COLUMNS] = {
	BIN_COLUMN_DEFS,
	[FLUSHES] = COUNT_COLUMN("flushes", "FLUSHES", 0, "hypercall_flushes", "Batches flushed"),
	[EMPTY] = COUNT_COLUMN("empty", "EMPTY", 0, "hypercall_flushes_empty",
			       "Flushes of nothing, which issue no hypercall"),
	[DIRECT] = COUNT_COLUMN("direct", "DIRECT", 0, "hypercall_flushes_direct",
				"Flushes of one hypercall, which is issued as itself"),
	[MULTICALLS] = COUNT_COLUMN("multicalls", "MULTICALLS", 0, "hypercall_flushes_multicall",
				    "Flushes of several hypercalls by one multicall"),
	[FLUSHED] = COUNT_COLUMN("entries", "ENTRIES", 0, "hypercall_flushed_entries",
				 "Hypercalls in these batches"),
	[UPDATES] = COUNT_COLUMN("updates", "UPDATES", 0, "hypercall_updates",
				 "Hypercalls put into batches, and updates that joined them"),
	[ISSUED] = COUNT_COLUMN("issued", "ISSUED", 0, "hypercalls_issued",
				"Transitions into the hypervisor that the batches took"),
	[RATIO] = { .key = "ratio",
		    .title = "RATIO",
		    .type = COLUMN_RATE,
		    .flags = COLUMN_GAUGE,
		    .derive = DERIVE_RATIO,
		    .of = "updates",
		    .per = "issued",
		    .help = "Updates for each transition" },
	[SECTIONS] = COUNT_COLUMN("sections", "SECTIONS", COLUMN_WIDE, "hypercall_sections",
				  "Sections of code that batch"),
};

/* Interface, number and name: three columns from `place` on. */
static void name_op(const struct hypercalls *h, const struct bin *bin, struct row *row,
		    unsigned int place)
{
	const struct analysis_env *env = h->env;
	uint8_t space = bin_space(bin);
	const char *interface = env->string(env->ctx, h->interfaces[space & ~SPACE_NAME]);

	row_text(row, place, interface);
	if (space & SPACE_NAME) {
		row_text(row, place + 2, env->string(env->ctx, bin->value));
		return;
	}
	row_count(row, place + 1, bin->value);
	row_text(row, place + 2, hypercall_name(interface, bin->value));
}

static void report_ops(const struct hypercalls *h, struct report *report)
{
	bool by_op = h->env->by & KEY_BIT(KEY_OP);
	unsigned int show[OP_COLUMNS], n = bins_show(h->ops[SIDE_GUESTS], show);
	struct table *table;

	for (unsigned int i = by_op ? INTERFACE : ENTRIES; i < OP_COLUMNS; i++)
		show[n++] = i;
	table = table_new(report, &(struct table_layout){
					  .name = "hypercalls",
					  .title = "hypercalls",
					  .sort = "entries",
					  .columns = op_columns,
					  .nr_columns = OP_COLUMNS,
					  .show = show,
					  .nr_show = n,
				  });
	for (int side = 0; side < SIDES; side++) {
		for (size_t i = 0; i < bins_count(h->ops[side]); i++) {
			const struct op_bin *op = (struct op_bin *)bins_at(h->ops[side], i);
			struct row *row = table_row(table);

			bins_label(h->ops[side], &op->bin, row);
			if (by_op)
				name_op(h, &op->bin, row, INTERFACE);
			row_count(row, ENTRIES, op->entries);
			row_count(row, EXTENDED, op->extended);
		}
	}
}

enum { S_INTERFACE, S_OP, S_NAME, S_STACK, S_COUNT };

static const struct column stack_columns[] = {
	[S_INTERFACE] = { .key = "interface",
			  .title = "INTERFACE",
			  .type = COLUMN_TEXT,
			  .flags = COLUMN_LABEL,
			  .help = "Whose numbers these are" },
	[S_OP] = { .key = "op",
		   .title = "OP",
		   .type = COLUMN_COUNT,
		   .flags = COLUMN_LABEL | COLUMN_GAUGE,
		   .help = "Number of the hypercall" },
	[S_NAME] = { .key = "name",
		     .title = "NAME",
		     .type = COLUMN_TEXT,
		     .flags = COLUMN_LABEL,
		     .help = "Name of the hypercall" },
	[S_STACK] = { .key = "stack",
		      .title = "STACK",
		      .type = COLUMN_STACK,
		      .flags = COLUMN_LABEL,
		      .help = "Kernel functions that led there" },
	[S_COUNT] = { .key = "count",
		      .title = "COUNT",
		      .type = COLUMN_COUNT,
		      .help = "Hypercalls, and updates that joined one, that came this way" },
};

static uint64_t count_ops(const struct hypercalls *h)
{
	uint64_t n = 0;

	for (int side = 0; side < SIDES; side++) {
		for (size_t i = 0; i < bins_count(h->ops[side]); i++) {
			const struct op_bin *op = (struct op_bin *)bins_at(h->ops[side], i);

			n += op->entries + op->extended;
		}
	}
	return n;
}

/* Which way the kernel came to each hypercall. */
static void report_stacks(struct hypercalls *h, struct report *report, bool last)
{
	uint64_t bare = count_ops(h);
	char number[40];
	struct table *table = table_new(
		report, &(struct table_layout){ .name = "stacks",
						.title = "ways to them",
						.sort = "count",
						.columns = stack_columns,
						.nr_columns = ARRAY_SIZE(stack_columns) });

	hash_each(&h->stack_counts, e)
	{
		const struct op_bin *op = h->numbered[(e->key >> 32) - 1];
		struct row *row = table_row(table);
		const char *const *frames;
		unsigned int n;

		name_op(h, &op->bin, row, S_INTERFACE);
		frames = stacks_frames(h->stacks, (uint32_t)e->key, &n);
		row_stack(row, S_STACK, frames, n);
		row_count(row, S_COUNT, e->value.u);
		bare -= e->value.u;
	}
	if (last && bare)
		report_note(report, "%s came without a stack.",
			    text_plural(number, sizeof(number), bare, "hypercall", "hypercalls"));
	stacks_note(h->stacks, report);
}

static void report_batches(const struct hypercalls *h, struct report *report)
{
	unsigned int show[BATCH_COLUMNS], n = bins_show(h->batches, show);
	struct table *table;

	for (unsigned int i = FLUSHES; i < BATCH_COLUMNS; i++)
		show[n++] = i;
	table = table_new(report, &(struct table_layout){
					  .name = "batches",
					  .title = "batches of them",
					  .sort = "flushes",
					  .columns = batch_columns,
					  .nr_columns = BATCH_COLUMNS,
					  .show = show,
					  .nr_show = n,
				  });
	for (size_t i = 0; i < bins_count(h->batches); i++) {
		const struct batch_bin *b = (struct batch_bin *)bins_at(h->batches, i);
		struct row *row = table_row(table);

		bins_label(h->batches, &b->bin, row);
		row_count(row, FLUSHES, b->empty + b->direct + b->multicalls);
		row_count(row, EMPTY, b->empty);
		row_count(row, DIRECT, b->direct);
		row_count(row, MULTICALLS, b->multicalls);
		row_count(row, FLUSHED, b->flushed);
		row_count(row, UPDATES, b->updates);
		row_count(row, ISSUED, b->direct + b->multicalls);
		row_count(row, SECTIONS, b->sections);
	}
}

/* As the tables have them, separated by commas. The caller frees it. */
static char *name_callers(void)
{
	char *names = xstrdup("");

	for (const struct hypervisor *const *hv = hypervisors; *hv; hv++) {
		for (size_t i = 0; i < (*hv)->n_events; i++) {
			const struct hv_event *event = &(*hv)->events[i];
			char *more;

			if (event->kind != FACT_HYPERCALL_CALLER)
				continue;
			more = xasprintf("%s%s%s", names, *names ? ", " : "", event->name);
			free(names);
			names = more;
		}
	}
	return names;
}

/* What the tracepoints of a batching kernel leave out, and how to see it nevertheless. */
static void add_limits(const struct hypercalls *h, struct report *report, bool callers)
{
	report_note(report, "Only batched hypercalls are seen: iret, set_segment_base, sched_op, "
			    "vcpu_op, event_channel_op and grant_table_op are made directly, "
			    "most of all in dom0.");
	if (!h->env->direct && !callers) {
		char *functions = name_callers();

		report_note(report,
			    "Functions that make those can be probed: --direct counts the calls "
			    "of %s.",
			    functions);
		free(functions);
	}
}

static void hypercalls_report(void *state, struct report *report, uint64_t now, bool last)
{
	struct hypercalls *h = state;
	size_t own = bins_count(h->ops[SIDE_OWN]), guests = bins_count(h->ops[SIDE_GUESTS]);
	size_t callers;

	(void)now;
	report_ops(h, report);
	report_batches(h, report);
	if (h->env->stacks)
		report_stacks(h, report, last);
	callers = callers_report(h->callers, report);
	if (!own && !guests && !callers && !bins_count(h->batches))
		report_note(report, "No hypercalls were seen: this is neither a Xen PV or Hyper-V "
				    "guest nor a host of guests that made any, or they made them "
				    "where no tracepoint is.");
	if (bins_count(h->batches))
		add_limits(h, report, callers);
}

const struct analysis analysis_hypercalls = {
	.name = "hypercalls",
	.summary = "Hypercalls of this guest, or on a host those of its guests, and how they batch",
	.facts = FACT_BIT(FACT_HYPERCALL),
	.facts_optional = FACT_BIT(FACT_THREAD_END),
	.facts_who = FACTS_WHO,
	.facts_asked = FACT_BIT(FACT_HYPERCALL_CALLER),
	.order = ORDER_THREAD,
	.order_who = ORDER_THREAD,
	.keys = KEY_BIT(KEY_VM) | KEY_BIT(KEY_PID) | KEY_BIT(KEY_VCPU) | KEY_BIT(KEY_TID) |
		KEY_BIT(KEY_COMM) | KEY_BIT(KEY_CPU) | KEY_BIT(KEY_OP),
	.by_live = KEY_BIT(KEY_VM) | KEY_BIT(KEY_OP),
	.by_file = KEY_BIT(KEY_OP),
	.new = hypercalls_new,
	.lost = hypercalls_lost,
	.feed = hypercalls_feed,
	.report = hypercalls_report,
	.join = hypercalls_join,
	.free = hypercalls_free,
};
