// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The analysis `exits` fed literal facts: every rule of counting, timing and loss, and at the end
 * random facts under random losses against the rules applied one by one without any cleverness.
 */
#include <string.h>

#include "analysis/analysis.h"
#include "analysis/losses.h"
#include "report/interval.h"
#include "report/report.h"
#include "base/util.h"
#include "hv/hypervisor.h"

#include "tests/tap.h"

/* Subjects 0 … 3 are CPUs; the thread of subject s has thread id 100 + s. */
enum { CPUS = 4, A = 4, B = 5, C = 6 };

/* SVM reasons, whose idle ones the table knows. */
enum { SVM = 2, CPUID = 0x72, HLT = 0x78, IO = 0x7b, NAMELESS = 0x999 };

struct fixture {
	struct analysis_env env;
	struct subject_who who;
	uint32_t selected_subject;
	uint16_t selected_cpu;
	void *state;
	struct report *report;
	const struct table *table;
};

static const struct hypervisor *kvm_x86(void)
{
	for (const struct hypervisor *const *hv = hypervisors; *hv; hv++)
		if (!strcmp((*hv)->name, "kvm-x86"))
			return *hv;
	return NULL;
}

/* A and B are vCPUs of the VM "red", C's VM is unknown; all of process 7 have the name "kvm". */
static const struct subject_who *who(void *ctx, uint32_t subject)
{
	struct fixture *t = ctx;

	t->who = (struct subject_who){
		.cpu = subject < CPUS, .cpu_id = subject, .tid = 100 + (int32_t)subject, .pid = 7,
		.vcpu = subject == C ? -1 : (int32_t)subject - A, .comm = "kvm",
		.vm = subject == C ? NULL : "red",
	};
	return &t->who;
}

static const char *reason_name(void *ctx, uint8_t space, uint64_t reason)
{
	(void)ctx;
	if (space != SVM)
		return NULL;
	return reason == CPUID ? "cpuid" : reason == HLT ? "hlt" : reason == IO ? "io" : NULL;
}

static bool selected(void *ctx, uint32_t subject, uint64_t vcpu)
{
	(void)vcpu;
	return ((struct fixture *)ctx)->selected_subject == subject;
}

static bool cpu_selected(void *ctx, uint16_t cpu)
{
	return ((struct fixture *)ctx)->selected_cpu == cpu;
}

static void begin(struct fixture *t, unsigned int by)
{
	static const uint32_t percentiles[] = { 500000, 990000 };

	*t = (struct fixture){ .env = {
		.ctx = t, .who = who, .reason_name = reason_name, .hv = kvm_x86(), .by = by,
		.times = true, .percentiles = percentiles, .n_percentiles = ARRAY_SIZE(percentiles),
	} };
}

static void start(struct fixture *t)
{
	if (!t->state)
		t->state = analysis_find("exits")->new(&t->env, NULL);
}

static void fact(struct fixture *t, struct fact f)
{
	start(t);
	analysis_find("exits")->feed(t->state, &f, 1);
}

static void exit_at(struct fixture *t, uint32_t subject, uint64_t time, uint64_t reason)
{
	fact(t, (struct fact){ .kind = FACT_EXIT, .time = time, .subject = subject, .a = reason,
			       .b = subject - A, .aux = SVM });
}

static void entry_at(struct fixture *t, uint32_t subject, uint64_t time)
{
	fact(t, (struct fact){ .kind = FACT_ENTRY, .time = time, .subject = subject,
			       .b = subject - A });
}

static void lose(struct fixture *t, uint16_t cpu, uint64_t from, uint64_t to)
{
	struct loss loss = { .from = from, .to = to, .count = LOSS_UNKNOWN, .cpu = cpu };

	start(t);
	analysis_find("exits")->lost(t->state, &loss, 1);
}

static void report(struct fixture *t, struct interval *interval)
{
	start(t);
	report_free(t->report);
	t->report = report_new("exits", "exits");
	t->report->has_span = true;
	t->report->span_ns = 1000000000;
	analysis_find("exits")->report(t->state, t->report, 0, !interval);
	if (interval)
		interval_cut(interval, t->report);
	report_finish(t->report, &(struct report_order){ 0 }, NULL);
	t->table = report_table(t->report, "exits");
}

static void end(struct fixture *t)
{
	report_free(t->report);
	analysis_find("exits")->free(t->state);
}

static const struct cell *cell(const struct fixture *t, const struct row *row, const char *key)
{
	int place = table_find(t->table, key);

	return place < 0 ? NULL : &row->cells[place];
}

static uint64_t count(const struct fixture *t, const struct row *row, const char *key)
{
	const struct cell *c = row ? cell(t, row, key) : NULL;

	return c && c->set ? c->v.u : UINT64_MAX;
}

static bool null(const struct fixture *t, const struct row *row, const char *key)
{
	const struct cell *c = cell(t, row, key);

	return c && !c->set;
}

static const char *text(const struct fixture *t, const struct row *row, const char *key)
{
	const struct cell *c = cell(t, row, key);

	return c && c->set ? c->v.text : NULL;
}

/* The first row whose cell is this text. */
static const struct row *row_of(const struct fixture *t, const char *key, const char *want)
{
	for (size_t i = 0; i < t->table->nr_rows; i++) {
		const char *got = text(t, t->table->rows[i], key);

		if (got && !strcmp(got, want))
			return t->table->rows[i];
	}
	return NULL;
}

static bool adds_up(const struct fixture *t, const struct row *row)
{
	return count(t, row, "exits") == count(t, row, "timed") + count(t, row, "discarded") +
						 count(t, row, "unpaired") + count(t, row, "open");
}

static void test_fates(void)
{
	struct fixture t;
	const struct row *cpuid, *io;

	begin(&t, KEY_BIT(KEY_REASON));
	entry_at(&t, A, 5); /* nothing: no exit before it */
	exit_at(&t, A, 10, CPUID);
	entry_at(&t, A, 17);
	entry_at(&t, A, 18); /* nothing again */
	exit_at(&t, A, 20, CPUID);
	exit_at(&t, B, 21, IO);
	exit_at(&t, A, 30, IO); /* the one before is unpaired */
	entry_at(&t, B, 121);
	entry_at(&t, A, 31);
	exit_at(&t, A, 40, CPUID); /* open */
	report(&t, NULL);

	cpuid = row_of(&t, "reason", "cpuid");
	io = row_of(&t, "reason", "io");
	is_int(count(&t, cpuid, "exits"), 3, "each exit is counted when it happens");
	is_int(count(&t, cpuid, "timed"), 1, "one was timed");
	is_int(count(&t, cpuid, "unpaired"), 1, "one met another exit first");
	is_int(count(&t, cpuid, "open"), 1, "one stayed open");
	is_int(count(&t, cpuid, "total_ns"), 7, "the time of the timed one");
	is_int(count(&t, io, "total_ns"), 101, "threads don't mix");
	is_int(count(&t, io, "min_ns"), 1, "shortest");
	is_int(count(&t, io, "max_ns"), 100, "longest");
	is_str(text(&t, cpuid, "code"), "0x72", "the code is the field in hexadecimal");
	ok(adds_up(&t, cpuid) && adds_up(&t, io) && adds_up(&t, t.table->totals),
	   "exits = timed + discarded + unpaired + open in rows and totals");
	is_int(count(&t, t.table->totals, "exits"), 5, "totals");
	is_int(t.report->vcpus, 2, "two threads took exits");
	end(&t);
}

static void test_nothing_timed(void)
{
	struct fixture t;
	const struct row *row;

	begin(&t, KEY_BIT(KEY_REASON));
	exit_at(&t, A, 10, NAMELESS);
	report(&t, NULL);
	row = t.table->rows[0];
	is_str(text(&t, row, "reason"), "0x999", "a reason without a name is its number");
	is_int(count(&t, row, "total_ns"), 0, "nothing timed: the total is 0");
	ok(null(&t, row, "min_ns") && null(&t, row, "mean_ns") && null(&t, row, "stddev_ns") &&
		   null(&t, row, "p50_ns") && null(&t, row, "max_ns"),
	   "nothing timed: all other times are null");
	ok(null(&t, row, "time_share"), "a share of nothing is null");
	end(&t);

	begin(&t, KEY_BIT(KEY_REASON));
	report(&t, NULL);
	is_int(t.table->nr_rows, 0, "no exits, no rows");
	is_int(t.report->nr_notes, 1, "but a sentence that says so");
	end(&t);
}

/* One interval (100, 200) of A on CPU 0, and a loss somewhere. */
static void test_loss_positions(void)
{
	static const struct {
		uint64_t from, to;
		bool met;
		const char *where;
	} cases[] = {
		{ 10, 90, false, "before" },
		{ 10, 100, false, "up to the exit" },
		{ 10, 101, true, "over the exit" },
		{ 100, 101, true, "from the exit on" },
		{ 120, 130, true, "within" },
		{ 100, 200, true, "exactly" },
		{ 10, 300, true, "around" },
		{ 199, 300, true, "over the entry" },
		{ 200, 300, false, "from the entry on" },
		{ 250, 300, false, "behind" },
		{ 0, 150, true, "from the begin of the trace" },
		{ 150, UINT64_MAX, true, "to the end of the trace" },
		{ 200, UINT64_MAX, false, "from the entry to the end of the trace" },
		{ 0, UINT64_MAX, true, "all the time" },
		{ 150, 150, true, "between two records of one time" },
		{ 200, 200, false, "between two records of the entry's time" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (uint16_t cpu = 0; cpu < 2; cpu++) {
			struct fixture t;
			const struct row *row;

			begin(&t, KEY_BIT(KEY_REASON));
			lose(&t, cpu, cases[i].from, cases[i].to);
			exit_at(&t, A, 100, CPUID);
			entry_at(&t, A, 200);
			report(&t, NULL);
			row = t.table->rows[0];
			ok(count(&t, row, "discarded") == cases[i].met &&
				   count(&t, row, "timed") == !cases[i].met && adds_up(&t, row),
			   "a loss %s, on %s CPU: %s", cases[i].where, cpu ? "another" : "its own",
			   cases[i].met ? "discarded" : "timed");
			is_int(t.report->lost.intervals_discarded, cases[i].met,
			       "and the report says how many");
			is_int(t.report->lost.intervals, 1, "of how many");
			end(&t);
		}
	}
}

static void test_loss_remembered(void)
{
	struct fixture t;

	begin(&t, KEY_BIT(KEY_REASON));
	exit_at(&t, A, 100, HLT); /* sleeps through several windows */
	exit_at(&t, B, 100, CPUID);
	lose(&t, 1, 150, 160);
	entry_at(&t, B, 140); /* before the loss */
	exit_at(&t, B, 170, CPUID);
	lose(&t, 1, 400, 410);
	entry_at(&t, B, 180);
	exit_at(&t, B, 500, CPUID);
	lose(&t, 1, 900, 910);
	entry_at(&t, B, 510);
	entry_at(&t, A, 600);
	exit_at(&t, A, 610, IO);
	entry_at(&t, A, 620);
	report(&t, NULL);
	is_int(count(&t, row_of(&t, "reason", "hlt"), "discarded"), 1,
	       "a loss of an earlier window discards what was pending then");
	is_int(count(&t, row_of(&t, "reason", "cpuid"), "timed"), 3,
	       "and nothing that lies between losses");
	is_int(count(&t, row_of(&t, "reason", "io"), "timed"), 1, "nor the thread's next exit");
	end(&t);
}

static void test_losses_border(void)
{
	struct losses l = { 0 };
	struct loss touching[] = { { .from = 10, .to = 20 }, { .from = 0, .to = 10 },
				   { .from = 30, .to = 40 }, { .from = 35, .to = 50 } };

	losses_add(&l, touching, ARRAY_SIZE(touching));
	is_int(l.n, 3, "spans that overlap become one, that touch don't");
	ok(!losses_meet(&l, 10, 10), "an interval of no length on the border of two meets neither");
	ok(losses_meet(&l, 9, 11), "one across the border does");
	ok(!losses_meet(&l, 20, 30), "one that fills the space between doesn't");
	ok(losses_meet(&l, 45, 45), "one of no length within does");
	losses_add(&l, touching, 1);
	is_int(l.n, 3, "the same loss again changes nothing");
	losses_forget(&l, 20);
	is_int(l.n, 1, "what has ended is forgotten");
	losses_free(&l);
}

static void test_intervals(void)
{
	struct fixture t;
	struct interval *interval = interval_new();
	const struct row *row;

	begin(&t, KEY_BIT(KEY_REASON));
	exit_at(&t, A, 100, CPUID);
	entry_at(&t, A, 110);
	exit_at(&t, A, 120, IO);
	report(&t, interval);
	row = row_of(&t, "reason", "io");
	is_int(count(&t, row, "exits"), 1, "an exit counts in its interval");
	is_int(count(&t, row, "open"), 1, "it is open there");
	entry_at(&t, A, 5120);
	report(&t, interval);
	row = row_of(&t, "reason", "io");
	is_int(t.table->nr_rows, 1, "rows without anything are left out");
	is_int(count(&t, row, "exits"), 0, "no exit in the second interval");
	is_int(count(&t, row, "timed"), 1, "but one timed, by its entry");
	is_int(count(&t, row, "total_ns"), 5000, "with all of its time");
	is_int(count(&t, row, "open"), 0, "and none open");
	exit_at(&t, A, 6000, IO);
	fact(&t, (struct fact){ .kind = FACT_THREAD_END, .time = 6001, .subject = A });
	report(&t, interval);
	is_int(count(&t, row_of(&t, "reason", "io"), "open"), 1,
	       "what the end of a thread left open is open in that interval");
	report(&t, interval);
	is_int(t.table->nr_rows, 0, "and gone in the next");
	interval_free(interval);
	end(&t);
}

static void test_thread_end(void)
{
	struct fixture t;
	const struct row *row;

	begin(&t, KEY_BIT(KEY_REASON));
	exit_at(&t, A, 100, CPUID);
	fact(&t, (struct fact){ .kind = FACT_THREAD_END, .time = 110, .subject = A });
	entry_at(&t, A, 1000000); /* another thread with the same number */
	exit_at(&t, A, 1000010, CPUID);
	entry_at(&t, A, 1000020);
	report(&t, NULL);
	row = t.table->rows[0];
	is_int(count(&t, row, "open"), 1, "the end of the thread closes its exit as open");
	is_int(count(&t, row, "max_ns"), 10, "a reused number pairs with nothing");
	ok(adds_up(&t, row), "and all add up");
	end(&t);
}

static void test_idle(void)
{
	struct fixture t;
	const struct row *hlt, *cpuid;

	begin(&t, KEY_BIT(KEY_REASON));
	exit_at(&t, A, 0, HLT);
	entry_at(&t, A, 1000000);
	exit_at(&t, A, 1000100, CPUID);
	entry_at(&t, A, 1000130);
	exit_at(&t, A, 1000200, IO);
	entry_at(&t, A, 1000210);
	report(&t, NULL);
	hlt = row_of(&t, "reason", "hlt");
	cpuid = row_of(&t, "reason", "cpuid");
	ok(hlt == t.table->rows[2], "an idle reason is listed last, however long it lasts");
	ok(cell(&t, hlt, "idle")->v.b && !cell(&t, cpuid, "idle")->v.b, "and says so");
	ok(null(&t, hlt, "time_share"), "its share of the time is null");
	is_int(count(&t, hlt, "total_ns"), 1000000, "its total is shown");
	ok(cell(&t, cpuid, "time_share")->v.d == 0.75, "it stays out of the others' denominator");
	end(&t);
}

static void exit_on(struct fixture *t, uint16_t cpu, uint64_t time, uint64_t reason)
{
	fact(t, (struct fact){ .kind = FACT_EXIT, .time = time, .subject = A, .cpu = cpu,
			       .a = reason, .aux = SVM });
}

static void test_selection(void)
{
	struct fixture t;

	begin(&t, KEY_BIT(KEY_REASON));
	t.env.cpu_selected = cpu_selected;
	t.selected_cpu = 1;
	exit_on(&t, 1, 10, CPUID);
	fact(&t, (struct fact){ .kind = FACT_ENTRY, .time = 20, .subject = A, .cpu = 0 });
	exit_on(&t, 0, 30, CPUID);
	fact(&t, (struct fact){ .kind = FACT_ENTRY, .time = 50, .subject = A, .cpu = 1 });
	exit_on(&t, 1, 60, CPUID);
	exit_on(&t, 0, 70, IO);
	report(&t, NULL);
	is_int(t.table->nr_rows, 1, "-C leaves only exits of that CPU");
	is_int(count(&t, t.table->rows[0], "exits"), 2, "by the exit's CPU");
	is_int(count(&t, t.table->rows[0], "total_ns"), 10, "wherever the entry was");
	is_int(count(&t, t.table->rows[0], "unpaired"), 1, "pairing sees all CPUs");
	end(&t);

	begin(&t, KEY_BIT(KEY_REASON));
	t.env.selected = selected;
	t.selected_subject = B;
	exit_at(&t, A, 10, CPUID);
	exit_at(&t, B, 10, CPUID);
	entry_at(&t, A, 11);
	entry_at(&t, B, 13);
	exit_at(&t, A, 20, CPUID);
	entry_at(&t, A, 25);
	report(&t, NULL);
	is_int(count(&t, t.table->totals, "exits"), 1, "only the selected thread counts");
	is_int(count(&t, t.table->totals, "total_ns"), 3, "with its time");
	is_int(t.report->vcpus, 1, "and is the only one seen");
	end(&t);
}

static void test_clocks(void)
{
	struct fixture t;

	begin(&t, KEY_BIT(KEY_REASON));
	exit_at(&t, A, 100, CPUID);
	entry_at(&t, A, 90); /* on another CPU, whose clock is behind */
	exit_at(&t, A, 100, CPUID);
	entry_at(&t, A, 100);
	report(&t, NULL);
	is_int(count(&t, t.table->rows[0], "discarded"), 1, "a negative interval is discarded");
	is_int(count(&t, t.table->rows[0], "timed"), 1, "one of no length is timed");
	is_int(count(&t, t.table->rows[0], "max_ns"), 0, "as 0");
	is_int(t.report->nr_notes, 1, "a sentence says that clocks differ");
	end(&t);

	begin(&t, KEY_BIT(KEY_REASON));
	t.env.times = false;
	exit_at(&t, A, 100, CPUID);
	entry_at(&t, A, 101);
	report(&t, NULL);
	is_int(count(&t, t.table->rows[0], "timed"), 1, "a clock that isn't one: pairs count");
	ok(null(&t, t.table->rows[0], "total_ns") && null(&t, t.table->rows[0], "max_ns"),
	   "but times are null");
	end(&t);
}

static size_t rows_by(unsigned int by)
{
	struct fixture t;
	size_t n;

	begin(&t, by);
	for (uint32_t subject = A; subject <= C; subject++) {
		for (uint16_t cpu = 0; cpu < 2; cpu++) {
			fact(&t, (struct fact){ .kind = FACT_EXIT, .time = 10 + cpu * 10,
						.subject = subject, .cpu = cpu, .aux = SVM,
						.a = cpu ? CPUID : IO, .b = FACT_NO_VCPU });
			fact(&t, (struct fact){ .kind = FACT_ENTRY, .time = 15 + cpu * 10,
						.subject = subject, .b = FACT_NO_VCPU });
		}
	}
	report(&t, NULL);
	n = t.table->nr_rows;
	ok(count(&t, t.table->totals, "exits") == 6 && count(&t, t.table->totals, "total_ns") == 30,
	   "nothing is lost between %zu rows", n);
	end(&t);
	return n;
}

static void test_keys(void)
{
	struct fixture t;

	is_int(rows_by(0), 1, "no key: one row");
	is_int(rows_by(KEY_BIT(KEY_REASON)), 2, "by reason");
	is_int(rows_by(KEY_BIT(KEY_CPU)), 2, "by cpu");
	is_int(rows_by(KEY_BIT(KEY_TID)), 3, "by tid");
	is_int(rows_by(KEY_BIT(KEY_PID)), 1, "by pid");
	is_int(rows_by(KEY_BIT(KEY_COMM)), 1, "by comm");
	is_int(rows_by(KEY_BIT(KEY_VCPU)), 3, "by vcpu, one of them unknown");
	is_int(rows_by(KEY_BIT(KEY_VM)), 2, "by vm, one of them unknown");
	is_int(rows_by(KEY_BIT(KEY_VM) | KEY_BIT(KEY_REASON)), 4, "by vm,reason");
	is_int(rows_by(KEY_BIT(KEY_TID) | KEY_BIT(KEY_CPU)), 6, "by tid,cpu");
	is_int(rows_by(UINT32_MAX), 6, "by all of them");

	begin(&t, KEY_BIT(KEY_VM));
	exit_at(&t, A, 1, CPUID);
	exit_at(&t, C, 1, CPUID);
	exit_at(&t, C + 1, 1, CPUID);
	report(&t, NULL);
	ok(null(&t, row_of(&t, "vm", "red"), "tid"), "a known VM has no thread shown");
	for (size_t i = 0; i < t.table->nr_rows; i++)
		if (null(&t, t.table->rows[i], "vm"))
			is_int(count(&t, t.table->rows[i], "tid"), 100 + C, "an unknown one has");
	ok(table_find(t.table, "reason") < 0, "a key that wasn't asked for has no column");
	end(&t);
}

static void test_vcpu(void)
{
	struct fixture t;

	begin(&t, KEY_BIT(KEY_VCPU));
	fact(&t, (struct fact){ .kind = FACT_EXIT, .time = 1, .subject = C, .b = FACT_NO_VCPU });
	fact(&t, (struct fact){ .kind = FACT_ENTRY, .time = 2, .subject = C, .b = 9 });
	fact(&t, (struct fact){ .kind = FACT_EXIT, .time = 3, .subject = C, .b = FACT_NO_VCPU });
	fact(&t, (struct fact){ .kind = FACT_ENTRY, .time = 4, .subject = C, .b = 9 });
	fact(&t, (struct fact){ .kind = FACT_EXIT, .time = 5, .subject = C, .b = FACT_NO_VCPU });
	report(&t, NULL);
	is_int(t.table->nr_rows, 2, "a vCPU that only entries tell is unknown before the first");
	for (size_t i = 0; i < t.table->nr_rows; i++)
		if (!null(&t, t.table->rows[i], "vcpu"))
			is_int(count(&t, t.table->rows[i], "exits"), 2, "and known behind it");
	end(&t);
}

static void test_spaces(void)
{
	struct fixture t;
	const struct row *row;

	begin(&t, KEY_BIT(KEY_REASON));
	exit_at(&t, A, 1, CPUID);
	entry_at(&t, A, 2);
	fact(&t, (struct fact){ .kind = FACT_EXIT, .time = 3, .subject = A, .a = CPUID, .aux = 1 });
	report(&t, NULL);
	is_int(t.table->nr_rows, 2, "equal numbers of two instruction sets are two reasons");
	end(&t);

	/* More reasons than the cache of a thread has places, again and again. */
	begin(&t, KEY_BIT(KEY_REASON));
	for (uint64_t i = 0; i < 3000; i++) {
		exit_at(&t, A, 10 * i, i % 300);
		entry_at(&t, A, 10 * i + i % 300 % 10);
	}
	report(&t, NULL);
	is_int(t.table->nr_rows, 300, "many reasons, a row each");
	row = row_of(&t, "code", "0x12b");
	is_int(count(&t, row, "exits"), 10, "each with its count");
	is_int(count(&t, row, "total_ns"), 90, "and its time");
	end(&t);
}

/* A small generator, so that a failure can be repeated. */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

enum { FACTS = 400, LOSSES = 12, WINDOW = 200 };

/* What is expected, by the rules' own words. */
static void expect(const struct fact *facts, const struct loss *losses, uint64_t want[4])
{
	for (size_t i = 0; i < FACTS; i++) {
		size_t j = i + 1;
		bool met = false;

		if (facts[i].kind != FACT_EXIT)
			continue;
		while (j < FACTS && facts[j].subject != facts[i].subject)
			j++;
		if (j == FACTS) {
			want[3]++; /* open */
			continue;
		}
		if (facts[j].kind == FACT_EXIT) {
			want[2]++; /* unpaired */
			continue;
		}
		for (size_t k = 0; k < LOSSES; k++)
			met |= losses[k].from < facts[j].time && facts[i].time < losses[k].to;
		want[met]++;
	}
}

/* Feeds as the stream does: window by window, the losses that overlap each one first. */
static void feed_windows(struct fixture *t, const struct fact *facts, const struct loss *losses)
{
	uint64_t last = facts[FACTS - 1].time;
	size_t i = 0;

	for (uint64_t begins = 0; begins <= last; begins += WINDOW) {
		for (size_t k = 0; k < LOSSES; k++)
			if (losses[k].from < begins + WINDOW && losses[k].to >= begins)
				lose(t, 0, losses[k].from, losses[k].to);
		for (; i < FACTS && facts[i].time < begins + WINDOW; i++)
			fact(t, facts[i]);
	}
}

static void test_random(void)
{
	static const char *const keys[] = { "timed", "discarded", "unpaired", "open" };
	uint64_t seed = 88172645463325252;
	size_t wrong = 0;

	for (int round = 0; round < 300; round++) {
		struct fact facts[FACTS];
		struct loss losses[LOSSES] = { 0 };
		uint64_t want[4] = { 0 }, time = 0;
		struct fixture t;

		for (size_t i = 0; i < FACTS; i++) {
			time += next_random(&seed) % 8;
			facts[i] = (struct fact){ .time = time, .a = IO, .aux = SVM,
						  .subject = A + next_random(&seed) % 5,
						  .kind = FACT_ENTRY };
			if (next_random(&seed) % 9 < 5)
				facts[i].kind = FACT_EXIT;
		}
		for (size_t k = 0; k < LOSSES; k++) {
			losses[k].from = next_random(&seed) % time;
			losses[k].to = losses[k].from + next_random(&seed) % (k ? 30 : 500);
		}
		expect(facts, losses, want);
		begin(&t, KEY_BIT(KEY_REASON));
		feed_windows(&t, facts, losses);
		report(&t, NULL);
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			wrong += count(&t, t.table->totals, keys[i]) != want[i];
		end(&t);
	}
	is_int(wrong, 0, "random facts under random losses, against the rules one by one");
}

/* So many bins that the analysis looks ahead in the facts that it is fed. */
static void test_many(void)
{
	enum { THREADS = 3000, ROUNDS = 4 };
	static struct fact facts[THREADS * ROUNDS * 2];
	struct fixture t;
	size_t n = 0, right = 0;

	for (size_t i = 0; i < (size_t)THREADS * ROUNDS; i++) {
		uint32_t subject = A + i % THREADS;
		struct fact f = { .kind = FACT_EXIT, .time = 1000 * i, .subject = subject,
				  .a = i / THREADS % 2 ? IO : CPUID, .aux = SVM };

		facts[n++] = f;
		f.kind = i % 7 ? FACT_ENTRY : FACT_THREAD_END;
		f.time += subject;
		facts[n++] = f;
	}
	begin(&t, KEY_BIT(KEY_TID) | KEY_BIT(KEY_REASON));
	start(&t);
	analysis_find("exits")->feed(t.state, facts, n / 2);
	analysis_find("exits")->feed(t.state, facts + n / 2, n / 2);
	report(&t, NULL);
	is_int(t.table->nr_rows, 2 * THREADS, "many threads, two rows each");
	for (size_t i = 0; i < t.table->nr_rows; i++) {
		const struct row *row = t.table->rows[i];

		right += count(&t, row, "exits") == 2 && adds_up(&t, row) &&
			 count(&t, row, "total_ns") ==
				 count(&t, row, "timed") * (count(&t, row, "tid") - 100);
	}
	is_int(right, 2 * THREADS, "each with its own exits and times");
	is_int(count(&t, t.table->totals, "open"), (THREADS * ROUNDS + 6) / 7,
	       "and those that the end of a thread left open");
	end(&t);
}

int main(void)
{
	test_fates();
	test_nothing_timed();
	test_loss_positions();
	test_loss_remembered();
	test_losses_border();
	test_intervals();
	test_thread_end();
	test_idle();
	test_selection();
	test_clocks();
	test_keys();
	test_vcpu();
	test_spaces();
	test_many();
	test_random();
	return tap_done();
}
