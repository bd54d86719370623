// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls, upcalls with the interrupts that they serve, block requests and packets, fed as literal
 * facts: every way in which a call and a request can end.
 */
#include "analysis/analysis.h"
#include "base/util.h"

#include "tests/tap.h"

extern const struct analysis analysis_callbacks;
extern const struct analysis analysis_drivers;

static const char *string_of(void *ctx, uint64_t interned)
{
	static const char *const names[] = { "", "upcall", "queue", "interrupt", "eth0", "timer0" };

	(void)ctx;
	return interned < ARRAY_SIZE(names) ? names[interned] : "?";
}

static const struct subject_who *who_of(void *ctx, uint32_t subject)
{
	static const struct subject_who nobody = { .tid = -1, .pid = -1, .vcpu = -1 };

	(void)ctx;
	(void)subject;
	return &nobody;
}

static const struct analysis_env env = {
	.string = string_of,
	.who = who_of,
	.by = KEY_BIT(KEY_OP),
	.times = true,
};

static struct report *report_of(const struct analysis *analysis, void *state)
{
	struct report *report = report_new(analysis->name, "test");
	struct report_order order = { 0 };
	struct error err = { 0 };

	analysis->report(state, report, 1000, true);
	if (report_finish(report, &order, &err) < 0)
		diag("%s", err.text);
	return report;
}

/* The thread 9 has the name that ctx points to. */
static const struct subject_who *named(void *ctx, uint32_t subject)
{
	static struct subject_who who = { .tid = 9, .pid = 9, .vcpu = -1 };

	(void)subject;
	who.comm = *(const char **)ctx;
	return &who;
}

/* The number under `key` in the row that has `text` as a label; -1: null, or no such row. */
static int64_t cell(const struct report *report, const char *name, const char *text,
		    const char *key)
{
	const struct table *table = report_table(report, name);
	int column = table ? table_find(table, key) : -1;

	for (size_t i = 0; column >= 0 && i < table->nr_rows; i++) {
		const struct row *row = table->rows[i];

		for (unsigned int k = 0; k < table->nr_columns; k++) {
			const struct cell *c = &row->cells[k];

			if (table->columns[k].def->type == COLUMN_TEXT && c->set &&
			    !strcmp(c->v.text, text))
				return row->cells[column].set ? (int64_t)row->cells[column].v.u :
								-1;
		}
	}
	return -1;
}

#define CALL(k, phase, who, role, at)                                                           \
	{                                                                                       \
		.kind = k, .aux = phase, .subject = who, .cpu = (uint16_t)((who)&3), .a = role, \
		.time = at                                                                      \
	}

static void test_calls(void)
{
	static const struct fact facts[] = {
		CALL(FACT_DRIVER_CALL, FACT_BEGIN, 9, 2, 100), /* timed: 10 */
		CALL(FACT_DRIVER_CALL, FACT_BEGIN, 1, 3, 105), /* in between, another's: 1 */
		CALL(FACT_DRIVER_CALL, FACT_END, 1, 3, 106),
		CALL(FACT_DRIVER_CALL, FACT_END, 9, 2, 110),
		CALL(FACT_DRIVER_CALL, FACT_END, 9, 2, 111),   /* of nothing */
		CALL(FACT_DRIVER_CALL, FACT_BEGIN, 9, 2, 120), /* unpaired */
		CALL(FACT_DRIVER_CALL, FACT_BEGIN, 9, 2, 130), /* over the loss: discarded */
		CALL(FACT_DRIVER_CALL, FACT_END, 9, 2, 160),
		CALL(FACT_DRIVER_CALL, FACT_BEGIN, 10, 2, 170), /* its thread ends: open */
		{ .kind = FACT_THREAD_END, .subject = 10, .time = 180 },
		CALL(FACT_DRIVER_CALL, FACT_END, 10, 2, 190),  /* another thread by that number */
		CALL(FACT_DRIVER_CALL, FACT_BEGIN, 9, 2, 200), /* open */
	};
	struct loss loss = { .from = 140, .to = 150, .cpu = 3, .count = LOSS_UNKNOWN };
	void *state = analysis_drivers.new(&env, NULL);
	struct report *report;

	analysis_drivers.lost(state, &loss, 1);
	analysis_drivers.feed(state, facts, ARRAY_SIZE(facts));
	report = report_of(&analysis_drivers, state);
	is_int(cell(report, "calls", "queue", "calls"), 5, "calls");
	is_int(cell(report, "calls", "queue", "timed"), 1, "timed");
	is_int(cell(report, "calls", "queue", "total_ns"), 10, "for 10 ns");
	is_int(cell(report, "calls", "queue", "discarded"), 1, "discarded");
	is_int(cell(report, "calls", "queue", "unpaired"), 1, "unpaired");
	is_int(cell(report, "calls", "queue", "open"), 2, "open");
	is_int(cell(report, "calls", "interrupt", "total_ns"), 1, "another subject's call inside");
	is_int(report->lost.intervals_discarded, 1, "the report counts what was discarded");
	report_free(report);
	analysis_drivers.free(state);
}

/* A thread that becomes another program: a call counts for the name that it began under. */
static void test_renamed(void)
{
	static const struct fact before[] = {
		CALL(FACT_DRIVER_CALL, FACT_BEGIN, 9, 2, 100),
		CALL(FACT_DRIVER_CALL, FACT_END, 9, 2, 101),
		CALL(FACT_DRIVER_CALL, FACT_BEGIN, 9, 3, 102),
	};
	static const struct fact after[] = {
		{ .kind = FACT_THREAD_NAME, .subject = 9, .time = 103 },
		CALL(FACT_DRIVER_CALL, FACT_END, 9, 3, 104),
		CALL(FACT_DRIVER_CALL, FACT_BEGIN, 9, 2, 105),
		CALL(FACT_DRIVER_CALL, FACT_END, 9, 2, 108),
	};
	const char *name = "sh";
	struct analysis_env by_name = env;
	struct report *report;
	void *state;

	by_name.ctx = &name;
	by_name.who = named;
	by_name.by = KEY_BIT(KEY_COMM);
	state = analysis_drivers.new(&by_name, NULL);
	analysis_drivers.feed(state, before, ARRAY_SIZE(before));
	name = "dd";
	analysis_drivers.feed(state, after, ARRAY_SIZE(after));
	report = report_of(&analysis_drivers, state);
	is_int(cell(report, "calls", "sh", "total_ns"), 3, "calls of the shell");
	is_int(cell(report, "calls", "dd", "total_ns"), 3, "and of what it became");
	report_free(report);
	analysis_drivers.free(state);
}

#define UNIT(major, minor) ((uint64_t)((major) << 20 | (minor)) << 32)
#define REQUEST(phase, dev, sector, n, at)                                                    \
	{                                                                                     \
		.kind = FACT_REQUEST, .aux = phase, .a = sector, .b = (dev) | (n), .time = at \
	}

static void test_requests(void)
{
	const uint64_t a = UNIT(202, 0), b = UNIT(202, 16);
	const struct fact facts[] = {
		REQUEST(FACT_BEGIN, a, 8, 4, 10), REQUEST(FACT_BEGIN, b, 8, 4, 11),
		REQUEST(FACT_END, a, 8, 4, 30), /* 20 */
		REQUEST(FACT_END, b, 8, 4, 41), /* 30: same sector, other device */
		REQUEST(FACT_BEGIN, a, 8, 4, 50), REQUEST(FACT_BEGIN, a, 8, 4, 60),
		REQUEST(FACT_END, a, 8, 4, 65),   /* 5: the last issue wins */
		REQUEST(FACT_END, a, 8, 4, 70),   /* of nothing */
		REQUEST(FACT_BEGIN, a, 0, 0, 80), /* a flush */
		REQUEST(FACT_END, a, 0, 0, 90),   REQUEST(FACT_BEGIN, a, 99, 1, 95), /* open */
	};
	void *state = analysis_drivers.new(&env, NULL);
	struct report *report;

	analysis_drivers.feed(state, facts, ARRAY_SIZE(facts));
	report = report_of(&analysis_drivers, state);
	is_int(cell(report, "requests", "202:0", "requests"), 5, "requests");
	is_int(cell(report, "requests", "202:0", "timed"), 2, "timed");
	is_int(cell(report, "requests", "202:0", "total_ns"), 25, "for 25 ns");
	is_int(cell(report, "requests", "202:0", "reissued"), 1, "reissued");
	is_int(cell(report, "requests", "202:0", "empty"), 1, "without sectors");
	is_int(cell(report, "requests", "202:0", "open"), 1, "open");
	is_int(cell(report, "requests", "202:16", "total_ns"), 30, "the other device");
	report_free(report);
	analysis_drivers.free(state);
}

static bool not_cpu_3(void *ctx, uint16_t cpu)
{
	(void)ctx;
	return cpu != 3;
}

/* -C: one of those CPUs issues it, whichever completes it; issued again elsewhere, it is gone. */
static void test_requests_of_cpus(void)
{
	const uint64_t a = UNIT(202, 0);
	struct fact facts[] = {
		REQUEST(FACT_BEGIN, a, 8, 4, 10), REQUEST(FACT_END, a, 8, 4, 15),
		REQUEST(FACT_BEGIN, a, 8, 4, 20), REQUEST(FACT_BEGIN, a, 8, 4, 30),
		REQUEST(FACT_END, a, 8, 4, 40),
	};
	struct analysis_env some = env;
	struct report *report;
	void *state;

	facts[1].cpu = facts[3].cpu = facts[4].cpu = 3;
	some.cpu_selected = not_cpu_3;
	state = analysis_drivers.new(&some, NULL);
	analysis_drivers.feed(state, facts, ARRAY_SIZE(facts));
	report = report_of(&analysis_drivers, state);
	is_int(cell(report, "requests", "202:0", "requests"), 2, "two of these CPUs");
	is_int(cell(report, "requests", "202:0", "total_ns"), 5, "one is timed");
	is_int(cell(report, "requests", "202:0", "reissued"), 1, "the other was issued again");
	is_int(cell(report, "requests", "202:0", "open"), 0, "and isn't open");
	report_free(report);
	analysis_drivers.free(state);
}

/* A loss that what is pending has met is remembered, however long ago it was. */
static void test_old_loss(void)
{
	const uint64_t a = UNIT(202, 0);
	const struct fact begin[] = {
		CALL(FACT_DRIVER_CALL, FACT_BEGIN, 9, 2, 5),
		REQUEST(FACT_BEGIN, a, 8, 4, 5),
	};
	const struct fact end[] = {
		CALL(FACT_DRIVER_CALL, FACT_END, 9, 2, 90),
		REQUEST(FACT_END, a, 8, 4, 90),
		CALL(FACT_DRIVER_CALL, FACT_BEGIN, 9, 2, 91),
		REQUEST(FACT_BEGIN, a, 8, 4, 91),
		CALL(FACT_DRIVER_CALL, FACT_END, 9, 2, 95),
		REQUEST(FACT_END, a, 8, 4, 97),
	};
	void *state = analysis_drivers.new(&env, NULL);
	struct report *report;

	analysis_drivers.feed(state, begin, ARRAY_SIZE(begin));
	for (uint64_t at = 10; at < 80; at += 30) {
		const struct loss loss = { .from = at, .to = at + 5, .cpu = 3, .count = 1 };
		const struct fact other[] = {
			CALL(FACT_DRIVER_CALL, FACT_BEGIN, 1, 3, at + 7),
			CALL(FACT_DRIVER_CALL, FACT_END, 1, 3, at + 8),
			REQUEST(FACT_BEGIN, a, 99, 4, at + 8),
			REQUEST(FACT_END, a, 99, 4, at + 9),
		};

		analysis_drivers.lost(state, &loss, 1);
		analysis_drivers.feed(state, other, ARRAY_SIZE(other));
	}
	analysis_drivers.feed(state, end, ARRAY_SIZE(end));
	report = report_of(&analysis_drivers, state);
	is_int(cell(report, "calls", "queue", "discarded"), 1, "a call over old losses");
	is_int(cell(report, "calls", "queue", "total_ns"), 4, "the next one is timed");
	is_int(cell(report, "calls", "interrupt", "timed"), 3, "and those between losses");
	is_int(cell(report, "requests", "202:0", "discarded"), 1, "a request over them");
	is_int(cell(report, "requests", "202:0", "total_ns"), 9, "and the others");
	report_free(report);
	analysis_drivers.free(state);
}

static void test_packets(void)
{
	static const struct fact facts[] = {
		{ .kind = FACT_PACKETS, .aux = FACT_READ, .a = 4, .b = 3 },
		{ .kind = FACT_PACKETS, .aux = FACT_READ, .a = 4, .b = 0 },
		{ .kind = FACT_PACKETS, .aux = FACT_WRITE, .a = 4, .b = 60 },
	};
	void *state = analysis_drivers.new(&env, NULL);
	struct report *report;

	analysis_drivers.feed(state, facts, ARRAY_SIZE(facts));
	report = report_of(&analysis_drivers, state);
	is_int(cell(report, "network", "eth0", "polls"), 2, "polls");
	is_int(cell(report, "network", "eth0", "received"), 3, "packets in them");
	is_int(cell(report, "network", "eth0", "sent"), 1, "packets sent");
	is_int(cell(report, "network", "eth0", "sent_bytes"), 60, "bytes sent");
	report_free(report);
	analysis_drivers.free(state);
}

static void test_callbacks(void)
{
	static const struct fact facts[] = {
		{ .kind = FACT_IRQ, .aux = FACT_BEGIN, .a = 24, .b = 5, .time = 5 }, /* outside */
		{ .kind = FACT_IRQ, .aux = FACT_END, .a = 24, .time = 6 },
		{ .kind = FACT_CALLBACK, .aux = FACT_BEGIN, .a = 1, .time = 10 },
		{ .kind = FACT_IRQ, .aux = FACT_BEGIN, .a = 24, .b = 5, .time = 12 },
		{ .kind = FACT_IRQ, .aux = FACT_END, .a = 24, .time = 15 },
		{ .kind = FACT_CALLBACK, .aux = FACT_END, .a = 1, .time = 20 },
	};
	void *state = analysis_callbacks.new(&env, NULL);
	struct report *report;

	analysis_callbacks.feed(state, facts, ARRAY_SIZE(facts));
	report = report_of(&analysis_callbacks, state);
	is_int(cell(report, "callbacks", "upcall", "calls"), 1, "one upcall");
	is_int(cell(report, "callbacks", "upcall", "total_ns"), 10, "of 10 ns");
	is_int(cell(report, "interrupts", "24 timer0", "calls"), 1, "the interrupt inside only");
	is_int(cell(report, "interrupts", "24 timer0", "total_ns"), 3, "of 3 ns");
	report_free(report);
	analysis_callbacks.free(state);
}

int main(void)
{
	test_calls();
	test_renamed();
	test_requests();
	test_requests_of_cpus();
	test_old_loss();
	test_packets();
	test_callbacks();
	return tap_done();
}
