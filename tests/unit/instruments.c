// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The analyses of event specs fed literal facts: whose a stack is when interrupts come between,
 * when lines are handed on, which calls have a latency and which a loss took it from, and what
 * counts where values are many, negative, or none.
 */
#include <string.h>

#include "analysis/analysis.h"
#include "base/util.h"
#include "report/interval.h"
#include "report/report.h"

#include "tests/tap.h"

/* Slots: two events, the entry of the second one's function, stacks. */
enum { FIRST, SECOND, ENTRY, STACK };
/* Subjects 0 and 1 are CPUs; the thread of subject s has thread id 100 + s. */
enum { CPUS = 2, A = 2, B = 3 };
enum { NORMAL, SOFTIRQ, HARDIRQ, NMI };

/* What a fact points to instead of a record. */
struct record {
	uint64_t number;
	const char *text;
	unsigned int level;
	uint64_t stack[4]; /* ended by 0 */
};

struct fixture {
	const struct analysis *analysis;
	struct analysis_env env;
	struct subject_who who;
	const char *comm; /* of all threads; NULL: "kvm" */
	void *state;
	struct report *report;
	const struct table *table;
};

static const uint32_t slots[] = { FIRST, SECOND };
static const uint32_t entries[] = { FACT_NO_SLOT, ENTRY };

static const struct subject_who *who(void *ctx, uint32_t subject)
{
	struct fixture *t = ctx;

	t->who = (struct subject_who){
		.cpu = subject < CPUS, .cpu_id = subject, .tid = 100 + (int32_t)subject, .pid = 7,
		.vcpu = -1, .comm = t->comm ? t->comm : "kvm", .vm = "red",
	};
	return &t->who;
}

static const char *event(void *ctx, uint32_t slot)
{
	(void)ctx;
	return slot == FIRST ? "first" : "second";
}

static const struct record *record_of(const struct fact *f)
{
	return fact_record(f);
}

static int field(void *ctx, uint32_t slot, const char *name, struct field *field, struct error *err)
{
	(void)ctx;
	(void)slot;
	*field = (struct field){ .text = !strcmp(name, "text"), .is_signed = !strcmp(name, "n"),
				 .is_hex = !strcmp(name, "addr"), .size = 8 };
	return strcmp(name, "none") ? 0 : error_set(err, "no field");
}

static bool number(void *ctx, const struct field *field, const struct fact *f, uint64_t *value)
{
	(void)ctx;
	(void)field;
	*value = record_of(f)->number;
	return true;
}

static bool text(void *ctx, const struct field *field, const struct fact *f, char *to, size_t room)
{
	(void)ctx;
	(void)field;
	snprintf(to, room, "%s", record_of(f)->text);
	return true;
}

static void print(void *ctx, const struct fact *f, char *to, size_t room)
{
	(void)ctx;
	snprintf(to, room, "%s \n", record_of(f)->text ? record_of(f)->text : "");
}

static unsigned int level(void *ctx, const struct fact *f)
{
	(void)ctx;
	return record_of(f)->level;
}

static size_t stack(void *ctx, const struct fact *f, uint64_t *addresses, size_t room)
{
	size_t n = 0;

	(void)ctx;
	for (const uint64_t *a = record_of(f)->stack; *a && n < room; a++)
		addresses[n++] = *a;
	return n;
}

/* Functions "f1", "f2", ... each 16 bytes long; addresses from 0x1000 on have none. */
static const char *symbol(void *ctx, uint64_t address, const char **module, uint64_t *offset)
{
	static const char *const names[] = { "f0", "f1", "f2", "f3" };

	(void)ctx;
	if (address >= 0x1000)
		return NULL;
	*module = address >= 0x30 ? "mod" : NULL;
	*offset = address % 16;
	return names[address / 16 % ARRAY_SIZE(names)];
}

static void begin(struct fixture *t, const char *analysis)
{
	static const uint32_t percentiles[] = { 500000 };

	*t = (struct fixture){
		.analysis = analysis_find(analysis),
		.env = {
			.ctx = t, .who = who, .event = event, .field = field,
			.field_number = number, .field_text = text, .print = print, .level = level,
			.stack = stack, .symbol = symbol, .slots = slots, .entries = entries,
			.n_slots = ARRAY_SIZE(slots), .stack_slot = STACK,
			.by = KEY_BIT(KEY_EVENT), .times = true, .percentiles = percentiles,
			.n_percentiles = ARRAY_SIZE(percentiles),
		},
	};
}

/* Only one of the events is named. */
static void only(struct fixture *t, uint32_t place)
{
	t->env.slots = &slots[place];
	t->env.entries = &entries[place];
	t->env.n_slots = 1;
}

static void start(struct fixture *t)
{
	struct error err = { 0 };

	if (!t->state)
		t->state = t->analysis->new(&t->env, &err);
	if (!t->state)
		diag("%s", err.text);
}

static void feed(struct fixture *t, uint64_t time, uint16_t cpu, uint32_t subject, uint32_t slot,
		 const struct record *record)
{
	struct fact f = {
		.kind = FACT_RECORD, .time = time, .cpu = cpu, .subject = subject,
		.a = (uintptr_t)record, .b = (uint64_t)slot << 32 | sizeof(*record),
	};

	start(t);
	t->analysis->feed(t->state, &f, 1);
}

static void lose(struct fixture *t, uint64_t from, uint64_t to)
{
	struct loss loss = { .from = from, .to = to, .count = LOSS_UNKNOWN, .cpu = 1 };

	start(t);
	t->analysis->lost(t->state, &loss, 1);
}

static const struct table *report(struct fixture *t, bool last)
{
	start(t);
	report_free(t->report);
	t->report = report_new("x", "x");
	t->analysis->report(t->state, t->report, 0, last);
	report_finish(t->report, NULL, NULL);
	return t->table = t->report->tables[0];
}

static void end(struct fixture *t)
{
	report_free(t->report);
	t->analysis->free(t->state);
}

static const struct cell *cell(const struct fixture *t, size_t row, const char *key)
{
	return &t->table->rows[row]->cells[table_find(t->table, key)];
}

/* "outermost;…;innermost" of a row, "-" without. */
static const char *folded(const struct fixture *t, size_t row)
{
	const struct cell *c = cell(t, row, "stack");
	static char buf[256];
	size_t len = 0;

	snprintf(buf, sizeof(buf), "-");
	for (unsigned int i = 0; c->set && i < c->v.stack->nr; i++)
		len += (size_t)snprintf(buf + len, sizeof(buf) - len, "%s%s", i ? ";" : "",
					c->v.stack->frames[i]);
	return buf;
}

/* The count of the row with an event and a stack; 0 none. */
static uint64_t counted(const struct fixture *t, const char *name, const char *stack)
{
	for (size_t i = 0; i < t->table->nr_rows; i++)
		if (!strcmp(cell(t, i, "event")->v.text, name) && !strcmp(folded(t, i), stack))
			return cell(t, i, "count")->v.u;
	return 0;
}

/* The count of the row with a value; 0 none. */
static uint64_t valued(const struct fixture *t, const char *value)
{
	for (size_t i = 0; i < t->table->nr_rows; i++)
		if (!strcmp(cell(t, i, "value")->v.text, value))
			return cell(t, i, "count")->v.u;
	return 0;
}

static bool noted(const struct fixture *t, const char *words)
{
	for (unsigned int i = 0; i < t->report->nr_notes; i++)
		if (strstr(t->report->notes[i], words))
			return true;
	return false;
}

/* --- Stacks --- */

static const struct record plain = { .text = "plain" };
static const struct record in_irq = { .text = "irq", .level = HARDIRQ };
static const struct record in_nmi = { .text = "nmi", .level = NMI };
static const struct record stack_a = { .stack = { 0x11, 0x22 } };
static const struct record stack_b = { .stack = { 0x15, 0x22 } }; /* another place in f1 */
static const struct record stack_c = { .stack = { 0x1234, 0x35 } };
static const struct record stack_irq = { .level = HARDIRQ, .stack = { 0x21 } };
static const struct record stack_nmi = { .level = NMI, .stack = { 0x11 } };

static void test_owners(void)
{
	struct fixture t;

	begin(&t, "stackcount");
	feed(&t, 1, 0, A, FIRST, &plain);
	feed(&t, 2, 0, A, STACK, &stack_a);
	/* an interrupt between a record and its stack, an NMI within that */
	feed(&t, 3, 0, A, SECOND, &plain);
	feed(&t, 4, 0, 0, FIRST, &in_irq);
	feed(&t, 5, 0, 0, SECOND, &in_nmi);
	feed(&t, 6, 0, 0, STACK, &stack_nmi);
	feed(&t, 7, 0, 0, STACK, &stack_irq);
	feed(&t, 8, 0, A, STACK, &stack_b);
	/* another CPU at the same time, with its stack first */
	feed(&t, 9, 0, A, FIRST, &plain);
	feed(&t, 10, 1, B, FIRST, &plain);
	feed(&t, 11, 1, B, STACK, &stack_c);
	feed(&t, 12, 0, A, STACK, &stack_b);
	/* no stack came, then one of somebody else */
	feed(&t, 13, 0, A, SECOND, &plain);
	feed(&t, 14, 0, B, STACK, &stack_a);
	feed(&t, 15, 0, B, FIRST, &plain);
	report(&t, false);
	is_int(counted(&t, "first", "-"), 0, "who may still get a stack is not counted without");
	report(&t, true);
	is_int(counted(&t, "first", "f2;f1"), 2, "a stack is of the record before it, by function");
	is_int(counted(&t, "second", "f2;f1"), 1, "interrupts in between don't take it");
	is_int(counted(&t, "first", "f2"), 1, "they have their own");
	is_int(counted(&t, "second", "f1"), 1, "and NMIs theirs");
	is_int(counted(&t, "first", "f3 [mod];0x1234"), 1,
	       "so have other CPUs; what has no name is shown as an address, modules are named");
	is_int(counted(&t, "second", "-"), 1, "another thread's stack isn't taken");
	is_int(counted(&t, "first", "-"), 1, "at the end nothing comes any more");
	is_int(t.table->totals->cells[table_find(t.table, "count")].v.u, 8, "all were counted");
	ok(noted(&t, "2 records came without a stack"), "a note says what is missing");
	end(&t);
}

static void test_offsets(void)
{
	struct fixture t;

	begin(&t, "stackcount");
	t.env.verbose = 1;
	t.env.by = 0;
	t.env.no_symbols = "No names.";
	feed(&t, 1, 0, A, FIRST, &plain);
	feed(&t, 2, 0, A, STACK, &stack_a);
	feed(&t, 3, 0, A, SECOND, &plain);
	feed(&t, 4, 0, A, STACK, &stack_b);
	feed(&t, 5, 0, A, SECOND, &plain);
	feed(&t, 6, 0, A, STACK, &stack_b);
	report(&t, true);
	ok(t.table->nr_rows == 2 && table_find(t.table, "event") < 0, "rows are what --by says");
	is_str(folded(&t, 0), "f2+0x2;f1+0x5", "with -v places in a function are told apart");
	is_int(cell(&t, 0, "count")->v.u, 2, "the most frequent first");
	ok(!noted(&t, "No names."), "nothing is said of names while none is missing");
	feed(&t, 7, 0, A, SECOND, &plain);
	feed(&t, 8, 0, A, STACK, &stack_c);
	report(&t, true);
	ok(noted(&t, "No names."), "once one is, it is");
	end(&t);
}

static void test_stacks_lost(void)
{
	struct fixture t;

	begin(&t, "stackcount");
	lose(&t, 12, 18);
	feed(&t, 5, 0, A, FIRST, &plain);
	feed(&t, 6, 0, A, STACK, &stack_a);
	feed(&t, 10, 0, A, FIRST, &plain);
	feed(&t, 20, 0, A, STACK, &stack_b); /* of a record that was lost, for all we know */
	feed(&t, 30, 0, A, FIRST, &plain);
	feed(&t, 31, 0, A, STACK, &stack_a);
	report(&t, true);
	ok(counted(&t, "first", "f2;f1") == 2 && counted(&t, "first", "-") == 1,
	   "a stack behind a loss is nobody's");
	end(&t);
}

/* A rename has a stack behind it: both are of who it was before, as the record is. */
static void test_stacks_renamed(void)
{
	const struct fact renamed = { .kind = FACT_THREAD_NAME, .time = 2, .subject = A };
	struct fixture t;

	begin(&t, "stackcount");
	t.env.by |= KEY_BIT(KEY_COMM);
	t.comm = "sh";
	feed(&t, 1, 0, A, FIRST, &plain);
	feed(&t, 2, 0, A, STACK, &stack_a);
	feed(&t, 2, 0, A, SECOND, &plain);
	t.comm = "dd";
	t.analysis->feed(t.state, &renamed, 1);
	feed(&t, 3, 0, A, STACK, &stack_a);
	feed(&t, 4, 0, A, FIRST, &plain);
	feed(&t, 5, 0, A, STACK, &stack_a);
	report(&t, true);
	is_int((int64_t)t.table->nr_rows, 3, "who is renamed has two names");
	for (size_t i = 0; i < t.table->nr_rows; i++) {
		const char *name = cell(&t, i, "event")->v.text;
		const char *comm = cell(&t, i, "comm")->v.text;

		if (!strcmp(name, "second"))
			is_str(comm, "sh", "and a rename is of the old one, with its stack");
		ok(!strcmp(folded(&t, i), "f2;f1"), "of '%s' as '%s' the stack is known", name,
		   comm);
	}
	end(&t);
}

/* --- Lines --- */

static void test_lines(void)
{
	struct fixture t;

	begin(&t, "trace");
	feed(&t, 5, 0, A, FIRST, &plain);
	feed(&t, 6, 1, 0, SECOND, &in_irq);
	report(&t, false);
	ok(t.table->nr_rows == 2 && cell(&t, 0, "time_ns")->v.u == 5 &&
	   cell(&t, 0, "tid")->v.u == 102, "lines in the order in which they came");
	is_str(cell(&t, 0, "text")->v.text, "plain", "texts end without blanks");
	ok(!cell(&t, 1, "tid")->set && !cell(&t, 1, "comm")->set,
	   "what an interrupt records is nobody's");
	is_int(report(&t, false)->nr_rows, 0, "each line comes once");
	ok(table_find(t.table, "stack") < 0, "without being asked for there are no stacks");
	end(&t);
}

static void test_lines_wait(void)
{
	struct fixture t;

	begin(&t, "trace");
	t.env.stacks = true;
	feed(&t, 5, 0, A, FIRST, &plain);
	feed(&t, 6, 1, B, FIRST, &plain);
	feed(&t, 7, 1, B, STACK, &stack_a);
	is_int(report(&t, false)->nr_rows, 0,
	       "a line waits for its stack, and the next for the line");
	feed(&t, 8, 0, A, STACK, &stack_c);
	is_int(report(&t, false)->nr_rows, 2, "then both come");
	is_str(folded(&t, 0), "f3 [mod];0x1234", "each with its own");
	is_str(folded(&t, 1), "f2;f1", "stack");
	feed(&t, 9, 0, A, FIRST, &plain);
	feed(&t, 10, 0, A, FIRST, &plain);
	is_int(report(&t, false)->nr_rows, 1, "behind the next record of its level no stack comes");
	ok(!cell(&t, 0, "stack")->set, "and none is invented");
	feed(&t, 20000000, 1, B, FIRST, &plain);
	is_int(report(&t, false)->nr_rows, 1, "after a time none is waited for");
	feed(&t, 20000001, 0, A, STACK, &stack_a);
	is_int(report(&t, true)->nr_rows, 1, "at the end neither");
	ok(!cell(&t, 0, "stack")->set, "a stack that comes too late is nobody's");
	end(&t);
}

static void test_limit(void)
{
	struct fixture t;

	begin(&t, "trace");
	t.env.limit = 2;
	feed(&t, 1, 0, A, FIRST, &plain);
	ok(!t.analysis->done(t.state), "-n 2: one line isn't all");
	feed(&t, 2, 0, A, FIRST, &plain);
	ok(t.analysis->done(t.state), "two are");
	feed(&t, 3, 0, A, FIRST, &plain);
	is_int(report(&t, true)->nr_rows, 2, "and no more come");
	end(&t);
}

static void test_format(void)
{
	static const struct record r = { .number = 255, .text = "x y" };
	struct fixture t;

	begin(&t, "trace");
	t.env.format = "{n}/{addr} {{{text}}} {n:x}\\t{addr:d}|";
	feed(&t, 1, 0, A, FIRST, &r);
	report(&t, true);
	is_str(cell(&t, 0, "text")->v.text, "255/0xff {x y} 0xff\t255|", "fields, braces, escapes");
	end(&t);
}

/* --- Values --- */

static struct record value(uint64_t number)
{
	return (struct record){ .number = number, .text = "t" };
}

static void feed_value(struct fixture *t, uint64_t n)
{
	struct record r = value(n);

	feed(t, 1, 0, A, FIRST, &r);
}

static void test_values(void)
{
	struct fixture t;

	begin(&t, "argdist");
	only(&t, FIRST);
	t.env.expr = "n";
	feed_value(&t, 5);
	feed_value(&t, 5);
	feed_value(&t, (uint64_t)-1);
	report(&t, true);
	ok(valued(&t, "5") == 2 && valued(&t, "-1") == 1, "signed values");
	end(&t);
	begin(&t, "argdist");
	only(&t, FIRST);
	t.env.expr = "addr";
	feed_value(&t, UINT64_MAX);
	report(&t, true);
	is_int(valued(&t, "0xffffffffffffffff"), 1, "addresses");
	end(&t);
	begin(&t, "argdist");
	only(&t, FIRST);
	t.env.expr = "text";
	feed_value(&t, 5);
	report(&t, true);
	is_int(valued(&t, "t"), 1, "texts");
	end(&t);
	begin(&t, "argdist");
	only(&t, FIRST);
	t.env.expr = "10 / n";
	feed_value(&t, 0);
	feed_value(&t, 3);
	report(&t, true);
	ok(t.table->nr_rows == 1 && valued(&t, "3") == 1 && noted(&t, "1 record had no value"),
	   "what has no value");
	end(&t);
}

static void test_ranges(void)
{
	struct fixture t;

	begin(&t, "argdist");
	only(&t, FIRST);
	t.env.expr = "n";
	t.env.linear = 10;
	for (int64_t i = 25; i >= -11; i--)
		feed_value(&t, (uint64_t)i);
	feed_value(&t, (uint64_t)INT64_MIN);
	feed_value(&t, INT64_MAX);
	report(&t, true);
	ok(valued(&t, "[-20, -10)") == 1 + 0 && valued(&t, "[-10, 0)") == 10 &&
	   valued(&t, "[0, 10)") == 10 && valued(&t, "[10, 20)") == 10 &&
	   valued(&t, "[20, 30)") == 6, "ranges, below 0 too");
	is_str(cell(&t, 1, "value")->v.text, "[-20, -10)", "in their order");
	is_int(t.table->totals->cells[table_find(t.table, "count")].v.u, 39, "of all values");
	end(&t);
}

static void test_hist(void)
{
	struct fixture t;

	begin(&t, "argdist");
	only(&t, FIRST);
	t.env.expr = "n";
	t.env.hist = true;
	feed_value(&t, 4);
	feed_value(&t, 8);
	feed_value(&t, (uint64_t)-3);
	report(&t, true);
	ok(cell(&t, 0, "count")->v.u == 3 && cell(&t, 0, "negative")->v.u == 1 &&
	   cell(&t, 0, "total")->v.u == 12 && cell(&t, 0, "min")->v.u == 4 &&
	   cell(&t, 0, "mean")->v.u == 6 && cell(&t, 0, "max")->v.u == 8,
	   "figures of a histogram; what is below 0 is counted beside it");
	end(&t);
}

/* --- Latencies --- */

/* The ends of what 64 bits can hold: a range is cut there, and no two are one in another. */
static void test_extreme_ranges(void)
{
	struct fixture t;

	begin(&t, "argdist");
	only(&t, FIRST);
	t.env.expr = "n";
	t.env.linear = INT64_MAX;
	feed_value(&t, (uint64_t)-1);
	feed_value(&t, (uint64_t)-2);
	feed_value(&t, (uint64_t)-INT64_MAX);
	feed_value(&t, (uint64_t)INT64_MIN);
	report(&t, true);
	ok(t.table->nr_rows == 2 && valued(&t, "[-9223372036854775807, 0)") == 3 &&
	   valued(&t, "[-9223372036854775808, -9223372036854775807)") == 1, "the least numbers");
	end(&t);
	begin(&t, "argdist");
	only(&t, FIRST);
	t.env.expr = "addr";
	t.env.linear = 10;
	feed_value(&t, UINT64_MAX);
	report(&t, true);
	ok(valued(&t, "[18446744073709551610, 18446744073709551616)") == 1, "the greatest");
	end(&t);
}

static void test_many_values(void)
{
	struct fixture t;

	begin(&t, "argdist");
	only(&t, FIRST);
	t.env.expr = "n";
	for (uint64_t n = 0; n < 100000; n++)
		feed_value(&t, n);
	report(&t, true);
	ok(t.table->nr_rows == 100000 && !noted(&t, "more than 100000"), "many distinct values");
	for (uint64_t n = 99998; n < 100003; n++)
		feed_value(&t, n);
	report(&t, true);
	ok(t.table->nr_rows == 100001 && valued(&t, "(more values)") == 3 &&
	   valued(&t, "99999") == 2 && noted(&t, "more than 100000"), "what is more is one row");
	end(&t);
}

static void call(struct fixture *t, uint32_t subject, uint64_t from, uint64_t to)
{
	if (from)
		feed(t, from, 0, subject, ENTRY, &plain);
	if (to)
		feed(t, to, 0, subject, SECOND, &plain);
}

static void begin_latency(struct fixture *t, bool hist)
{
	begin(t, "argdist");
	only(t, SECOND);
	t->env.expr = "$latency";
	t->env.hist = hist;
}

static void test_latency(void)
{
	struct fixture t;

	begin_latency(&t, false);
	call(&t, A, 10, 0);
	call(&t, B, 11, 14);	/* another thread's within */
	call(&t, A, 0, 15);
	call(&t, A, 0, 20);	/* a return without its entry */
	call(&t, A, 30, 0);	/* an entry without its return */
	call(&t, A, 40, 43);
	call(&t, B, 50, 0);	/* … until the end */
	report(&t, true);
	ok(t.table->nr_rows == 2 && valued(&t, "3") == 2 && valued(&t, "5") == 1,
	   "the time between entry and return, by thread");
	ok(noted(&t, "1 call had no return before"), "a second entry is told");
	ok(noted(&t, "1 call had not returned"), "and what is open at the end");
	end(&t);
}

static void test_latency_lost(void)
{
	struct fixture t;

	begin_latency(&t, true);
	call(&t, A, 10, 20);
	lose(&t, 25, 35);
	call(&t, A, 21, 30);	/* from within */
	call(&t, A, 34, 40);	/* into it */
	call(&t, A, 35, 45);	/* touches its end */
	report(&t, true);
	is_str(t.table->name, "latency", "latencies have a table of their own");
	ok(cell(&t, 0, "count")->v.u == 2 && cell(&t, 0, "total_ns")->v.u == 20,
	   "what may have met a loss has no latency");
	ok(t.report->lost.intervals == 4 && t.report->lost.intervals_discarded == 2,
	   "and is counted as discarded");
	end(&t);
}

static void is_refused(const char *analysis, const char *expr, const char *why)
{
	struct error err = { 0 };
	struct fixture t;

	begin(&t, analysis);
	t.env.expr = expr;
	t.env.format = expr;
	t.state = t.analysis->new(&t.env, &err);
	if (!ok(!t.state && err.status == 2 && strstr(err.text, why), "%s '%s': %s", analysis, expr,
		why))
		diag("%s", err.text);
	if (t.state)
		t.analysis->free(t.state);
}

/* A thread's number is another thread's after its end. */
static void test_thread_end(const char *analysis, const char *expr)
{
	const struct fact gone = { .kind = FACT_THREAD_END, .time = 200, .subject = A };
	const struct record r = { .number = 5 };
	struct fixture t;

	begin(&t, analysis);
	only(&t, 0);
	t.env.by = KEY_BIT(KEY_COMM);
	t.env.expr = expr;
	t.comm = "old";
	feed(&t, 100, 0, A, FIRST, &r);
	t.comm = "unasked";
	feed(&t, 150, 0, A, FIRST, &r);
	t.analysis->feed(t.state, &gone, 1);
	t.comm = "new";
	feed(&t, 300, 0, A, FIRST, &r);
	report(&t, true);
	is_int(t.table->nr_rows, 2, "a row for each of two threads of one number");
	is_str(cell(&t, 0, "comm")->v.text, "old", "the first one, asked once");
	is_int(cell(&t, 0, "count")->v.u, 2, "with both of its records");
	is_str(cell(&t, 1, "comm")->v.text, "new", "and the second one");
	end(&t);
}

int main(void)
{
	test_thread_end("count", NULL);
	test_thread_end("argdist", "n");
	test_owners();
	test_offsets();
	test_stacks_lost();
	test_stacks_renamed();
	test_lines();
	test_lines_wait();
	test_limit();
	test_format();
	test_values();
	test_ranges();
	test_hist();
	test_latency();
	test_extreme_ranges();
	test_many_values();
	test_latency_lost();
	is_refused("argdist", "$latency", "first has no $latency");
	is_refused("argdist", "none", "no field");
	is_refused("argdist", "text + 1", "text is a text");
	is_refused("trace", "{none}", "no field");
	is_refused("trace", "{n", "'{' stands alone");
	is_refused("trace", "{n:y}", "is no field");
	is_refused("trace", "}", "'}' stands alone");
	return tap_done();
}
