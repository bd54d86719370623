// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The analysis `hypercalls` fed literal facts: what a flush issues, what joins a batch, whose
 * hypercalls are whose.
 */
#include <string.h>

#include "analysis/analysis.h"
#include "base/util.h"
#include "hv/hypercalls.h"
#include "report/report.h"

#include "tests/tap.h"

enum { TEXT_XEN = 1, TEXT_KVM, TEXT_IPI };

struct fixture {
	struct analysis_env env;
	struct subject_who who;
	void *state;
	struct report *report;
};

static const struct subject_who *who(void *ctx, uint32_t subject)
{
	struct fixture *t = ctx;

	t->who = (struct subject_who){ .tid = (int32_t)subject, .pid = -1, .vcpu = -1,
				       .comm = subject ? "task" : NULL, .cpu_id = 3,
				       .vm = subject >= 100 ? "red" : NULL };
	return &t->who;
}

static const char *string(void *ctx, uint64_t interned)
{
	(void)ctx;
	return interned == TEXT_XEN ? "xen" : interned == TEXT_KVM ? "kvm" : "send_ipi_one";
}

static void begin(struct fixture *t, unsigned int by)
{
	*t = (struct fixture){ .env = { .ctx = t, .who = who, .string = string, .by = by,
					.times = true } };
	t->state = analysis_find("hypercalls")->new(&t->env, NULL);
}

static void feed(struct fixture *t, uint32_t subject, enum fact_hypercall what, uint64_t a,
		 uint64_t interface)
{
	struct fact f = { .kind = FACT_HYPERCALL, .subject = subject, .aux = what, .a = a,
			  .b = interface };

	analysis_find("hypercalls")->feed(t->state, &f, 1);
}

static void report(struct fixture *t)
{
	t->report = report_new("hypercalls", "hypercalls");
	analysis_find("hypercalls")->report(t->state, t->report, 0, true);
	report_finish(t->report, &(struct report_order){ 0 }, NULL);
}

static void end(struct fixture *t)
{
	report_free(t->report);
	analysis_find("hypercalls")->free(t->state);
}

static const struct cell *cell(const struct fixture *t, const char *table, size_t row,
			       const char *key)
{
	const struct table *tab = report_table(t->report, table);
	int place = table_find(tab, key);

	return place < 0 || row >= tab->nr_rows ? NULL : &tab->rows[row]->cells[place];
}

static uint64_t number(const struct fixture *t, const char *table, size_t row, const char *key)
{
	const struct cell *c = cell(t, table, row, key);

	return c && c->set ? c->v.u : UINT64_MAX;
}

static const char *text(const struct fixture *t, const char *table, size_t row, const char *key)
{
	const struct cell *c = cell(t, table, row, key);

	return c && c->set ? c->v.text : NULL;
}

static void test_batches(void)
{
	struct fixture t;

	begin(&t, KEY_BIT(KEY_OP));
	feed(&t, 7, HYPERCALL_FLUSH, 0, TEXT_XEN); /* empty: the hypervisor sees nothing */
	feed(&t, 7, HYPERCALL_BATCHED, 14, TEXT_XEN);
	feed(&t, 7, HYPERCALL_FLUSH, 1, TEXT_XEN); /* direct: one entry, no multicall */
	for (int i = 0; i < 3; i++)
		feed(&t, 7, HYPERCALL_BATCHED, 1, TEXT_XEN);
	for (int i = 0; i < 4; i++)
		feed(&t, 7, HYPERCALL_EXTENDED, 1, TEXT_XEN);
	feed(&t, 7, HYPERCALL_FLUSH, 3, TEXT_XEN);
	feed(&t, 7, HYPERCALL_SECTION, 0, TEXT_XEN);
	report(&t);
	is_int(number(&t, "batches", 0, "flushes"), 3, "flushes of all kinds");
	is_int(number(&t, "batches", 0, "empty"), 1, "an empty one issues nothing");
	is_int(number(&t, "batches", 0, "direct"), 1, "one entry is issued as itself");
	is_int(number(&t, "batches", 0, "multicalls"), 1, "more are a multicall");
	is_int(number(&t, "batches", 0, "entries"), 4, "the entries of all flushes");
	is_int(number(&t, "batches", 0, "updates"), 8, "entries and what joined them");
	is_int(number(&t, "batches", 0, "issued"), 2, "transitions into the hypervisor");
	ok(cell(&t, "batches", 0, "ratio")->v.d == 4.0, "updates for each of them");
	is_int(number(&t, "batches", 0, "sections"), 1, "sections");
	is_int(number(&t, "hypercalls", 0, "op"), 1, "operations by their number,");
	is_str(text(&t, "hypercalls", 0, "name"), "mmu_update", "with their name");
	is_int(number(&t, "hypercalls", 0, "entries"), 3, "their entries");
	is_int(number(&t, "hypercalls", 0, "extended"), 4, "and what joined those");
	end(&t);
}

static void test_sides(void)
{
	struct fixture t;

	begin(&t, KEY_BIT(KEY_VM) | KEY_BIT(KEY_OP));
	for (int i = 0; i < 3; i++)
		feed(&t, 100, HYPERCALL_DIRECT, 5, TEXT_KVM);
	for (int i = 0; i < 2; i++)
		feed(&t, 101, HYPERCALL_DIRECT, 24, TEXT_XEN);
	feed(&t, 7, HYPERCALL_OTHER, TEXT_IPI, TEXT_KVM);
	report(&t);
	is_str(text(&t, "hypercalls", 0, "vm"), "red", "a guest's hypercall has its VM");
	is_str(text(&t, "hypercalls", 0, "name"), "kick_cpu", "and its interface's name");
	is_str(text(&t, "hypercalls", 1, "name"), "vcpu_op", "each interface its own");
	is_str(text(&t, "hypercalls", 1, "interface"), "xen", "which is told");
	is_str(text(&t, "hypercalls", 2, "name"), "send_ipi_one",
	       "one without a number has a name");
	ok(!cell(&t, "hypercalls", 2, "op")->set, "and no number");
	ok(!cell(&t, "hypercalls", 2, "vm")->set && !cell(&t, "hypercalls", 2, "tid")->set,
	   "the kernel's own are of no VM, and not one row per thread");
	is_int(report_table(t.report, "batches")->nr_rows, 0, "nothing was batched: no rows");
	end(&t);
}

static void test_keys(void)
{
	struct fixture t;

	begin(&t, KEY_BIT(KEY_COMM));
	feed(&t, 0, HYPERCALL_BATCHED, 3, TEXT_XEN);
	feed(&t, 7, HYPERCALL_BATCHED, 3, TEXT_XEN);
	feed(&t, 7, HYPERCALL_BATCHED, 1, TEXT_XEN);
	feed(&t, 8, HYPERCALL_BATCHED, 1, TEXT_XEN);
	report(&t);
	is_str(text(&t, "hypercalls", 0, "comm"), "task", "by name of the task");
	is_int(number(&t, "hypercalls", 0, "entries"), 3, "all its hypercalls together");
	is_str(text(&t, "hypercalls", 1, "comm"), "swapper/3", "the idle task has a name");
	end(&t);

	begin(&t, KEY_BIT(KEY_OP));
	report(&t);
	is_int(report_table(t.report, "hypercalls")->nr_rows, 0, "no hypercalls, no rows");
	is_int(t.report->nr_notes, 1, "but a sentence that says so");
	end(&t);
}

static void test_names(void)
{
	is_str(hypercall_name("xen", 29), "sched_op", "Xen's numbers,");
	is_str(hypercall_name("xen", 12), "memory_op", "of which 11 is skipped");
	is_str(hypercall_name("xen", 11), NULL, "and has no name");
	is_str(hypercall_name("hyperv", 0xb), "send_ipi", "Hyper-V's");
	is_str(hypercall_name("kvm", 11), "sched_yield", "KVM's");
	is_str(hypercall_name("other", 1), NULL, "nobody's");
}

/* Callers of hypercalls that nothing tells: a table of their own, and no hypercalls. */
static void test_callers(void)
{
	const struct fact calls[] = {
		{ .kind = FACT_HYPERCALL_CALLER, .subject = 7, .a = TEXT_IPI, .b = TEXT_KVM },
		{ .kind = FACT_HYPERCALL_CALLER, .subject = 8, .a = TEXT_IPI, .b = TEXT_KVM },
		{ .kind = FACT_THREAD_END, .subject = 8 },
		{ .kind = FACT_HYPERCALL_CALLER, .subject = 8, .a = TEXT_IPI, .b = TEXT_KVM },
	};
	struct fixture t;

	begin(&t, KEY_BIT(KEY_OP) | KEY_BIT(KEY_VM));
	analysis_find("hypercalls")->feed(t.state, calls, ARRAY_SIZE(calls));
	report(&t);
	is_str(text(&t, "callers", 0, "function"), "send_ipi_one", "the function");
	is_str(text(&t, "callers", 0, "makes"), "kvm", "and what it makes");
	is_int(number(&t, "callers", 0, "calls"), 3, "how often it was called");
	is_int(report_table(t.report, "hypercalls")->nr_rows, 0, "which is no hypercall");
	end(&t);
	begin(&t, KEY_BIT(KEY_TID));
	analysis_find("hypercalls")->feed(t.state, calls, ARRAY_SIZE(calls));
	report(&t);
	is_int(number(&t, "callers", 0, "tid"), 8, "by task");
	is_int(number(&t, "callers", 0, "calls"), 2, "those of each");
	is_int(number(&t, "callers", 1, "calls"), 1, "and of the other");
	end(&t);
}

/* A stack of one function, whose address is `a` of the record. */
static size_t one_frame(void *ctx, const struct fact *f, uint64_t *addresses, size_t room)
{
	(void)ctx;
	if (room)
		addresses[0] = f->a;
	return 1;
}

static const char *function(void *ctx, uint64_t address, const char **module, uint64_t *offset)
{
	(void)ctx;
	*module = NULL;
	*offset = 0;
	return address == 1 ? "set_pte" : "switch_mm";
}

static void feed_stack(struct fixture *t, uint32_t subject, uint16_t cpu, uint64_t address)
{
	struct fact f = { .kind = FACT_RECORD, .subject = subject, .cpu = cpu, .a = address,
			  .b = UINT64_C(5) << 32 };

	analysis_find("hypercalls")->feed(t->state, &f, 1);
}

static void test_stacks(void)
{
	const struct analysis *a = analysis_find("hypercalls");
	struct loss loss = { .from = 1, .to = 2 };
	struct fixture t;

	begin(&t, KEY_BIT(KEY_OP));
	t.env.stacks = true;
	t.env.stack_slot = 5;
	t.env.stack = one_frame;
	t.env.symbol = function;
	a->free(t.state);
	t.state = a->new(&t.env, NULL);
	feed(&t, 7, HYPERCALL_BATCHED, 14, TEXT_XEN);
	feed(&t, 8, HYPERCALL_BATCHED, 3, TEXT_XEN);
	feed_stack(&t, 7, 0, 1); /* each its own, whoever comes first */
	feed_stack(&t, 8, 0, 2);
	feed(&t, 7, HYPERCALL_EXTENDED, 14, TEXT_XEN);
	feed_stack(&t, 7, 0, 1);
	feed_stack(&t, 7, 0, 1); /* of something else */
	feed(&t, 7, HYPERCALL_BATCHED, 14, TEXT_XEN);
	feed_stack(&t, 7, 1, 1); /* of another CPU */
	feed(&t, 7, HYPERCALL_BATCHED, 14, TEXT_XEN);
	feed(&t, 7, HYPERCALL_FLUSH, 1, TEXT_XEN);
	feed_stack(&t, 7, 0, 1); /* of the flush */
	feed(&t, 7, HYPERCALL_BATCHED, 14, TEXT_XEN);
	a->lost(t.state, &loss, 1);
	feed_stack(&t, 7, 0, 1); /* perhaps of what was lost */
	report(&t);
	is_int(report_table(t.report, "stacks")->nr_rows, 2, "two ways");
	is_int(number(&t, "stacks", 0, "op"), 14, "to this one");
	is_int(number(&t, "stacks", 0, "count"), 2, "an entry and an update came that way");
	is_str(cell(&t, "stacks", 0, "stack")->v.stack->frames[0], "set_pte", "by name");
	is_int(number(&t, "stacks", 1, "op"), 3, "and to the other");
	is_int(number(&t, "stacks", 1, "count"), 1, "once");
	ok(t.report->nr_notes && !strcmp(t.report->notes[0], "3 hypercalls came without a stack."),
	   "those without are told");
	end(&t);
}

int main(void)
{
	test_batches();
	test_callers();
	test_stacks();
	test_sides();
	test_keys();
	test_names();
	return tap_done();
}
