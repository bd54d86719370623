// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stolen time: the sampler on recorded and on broken /proc/stat, the arithmetic over samples, and
 * the steal clock's differences. The truth of the recorded files is computed by hand from their
 * text (ticks of 10 ms).
 */
#include "analysis/analysis.h"
#include "base/util.h"
#include "report/interval.h"
#include "sampler/sampler.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"

extern const struct analysis analysis_steal;

static bool any_cpu(void *ctx, uint16_t cpu)
{
	(void)ctx;
	return cpu != 77;
}

static const struct analysis_env env = { .cpu_selected = any_cpu, .hist = true };

/* Value of a number in the row whose first cell is `cpu`; -1 null or no such row. */
static double cell(const struct table *table, unsigned int cpu, const char *key)
{
	int column = table_find(table, key);

	for (size_t i = 0; i < table->nr_rows; i++) {
		const struct cell *c = &table->rows[i]->cells[column];

		if (table->rows[i]->cells[0].v.u != cpu || !c->set)
			continue;
		return table->columns[column].def->type == COLUMN_RATIO ? c->v.d : (double)c->v.u;
	}
	return -1;
}

static struct report *report_of(void *state)
{
	struct report *report = report_new("steal", "test");
	struct report_order order = { 0 };
	struct error err = { 0 };

	analysis_steal.report(state, report, 1000, true);
	if (report_finish(report, &order, &err) < 0)
		diag("%s", err.text);
	return report;
}

static bool has_note(const struct report *report, const char *part)
{
	for (unsigned int i = 0; i < report->nr_notes; i++)
		if (strstr(report->notes[i], part))
			return true;
	return false;
}

static bool near(double a, double b)
{
	return a > b - 1e-9 && a < b + 1e-9;
}

static void feed_root(void *state, const char *name)
{
	char *prefix = xasprintf("%s/tests/roots/steal/%s", tap_source(), name);
	struct root root = { .prefix = prefix };
	struct sample sample = { 0 };
	struct error err = { 0 };

	is_int(sampler_proc_stat.take(&root, 1, &sample, &err), 0, name);
	analysis_steal.feed(state, sample.facts, sample.n);
	sample_free(&sample);
	free(prefix);
}

/* busy0 → busy1, cpu0: user 136, system 6, idle 26, softirq 2, steal 821 ticks: 991 in all. */
static void test_recorded(void)
{
	void *state = analysis_steal.new(&env, NULL);
	struct report *report;
	struct table *table;

	feed_root(state, "busy0");
	feed_root(state, "busy1");
	report = report_of(state);
	table = report_table(report, "steal");
	is_int(table->nr_rows, 4, "a row for each of 4 CPUs");
	ok(cell(table, 0, "steal_ns") == 8210e6, "cpu0: 821 ticks were stolen");
	ok(near(cell(table, 0, "steal"), 821 / 991.0), "cpu0: of 991 ticks");
	ok(near(cell(table, 0, "system"), 8 / 991.0), "interrupt time is system time");
	ok(near(cell(table, 0, "user"), 136 / 991.0), "user time");
	ok(near(cell(table, 0, "idle"), 26 / 991.0), "idle time");
	/* 821 + 816 + 808 + 814; the kernel's own sum is rounded by itself and says 3260 */
	ok(table->totals && table->totals->cells[1].v.u == 32590000000, "the total of the CPUs");
	report_free(report);
	analysis_steal.free(state);
}

static void feed_times(void *state, unsigned int cpu, unsigned int n, const uint64_t ns[])
{
	struct fact fact = { .kind = FACT_CPU_TIME, .cpu = (uint16_t)cpu };

	for (unsigned int i = 0; i < n; i++) {
		fact.aux = (uint8_t)i;
		fact.a = ns[i];
		analysis_steal.feed(state, &fact, 1);
	}
}

static void next_sample(void *state)
{
	struct fact fact = { .kind = FACT_CPU_TIME, .aux = CPU_TIME_SAMPLE };

	analysis_steal.feed(state, &fact, 1);
}

static void test_arithmetic(void)
{
	void *state = analysis_steal.new(&env, NULL);
	struct report *report;
	struct table *table;

	next_sample(state);
	feed_times(state, 0, 10, (const uint64_t[]){ 100, 10, 50, 500, 5, 1, 1, 40, 60, 5 });
	feed_times(state, 1, 10, (const uint64_t[]){ 0, 0, 0, 0, 0, 0, 0, 900, 0, 0 });
	feed_times(state, 2, 10, (const uint64_t[]){ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 });
	next_sample(state);
	/* user + 100 of which guest 80, nice + 20 of which guest_nice 20, idle runs backwards */
	feed_times(state, 0, 10, (const uint64_t[]){ 200, 30, 60, 400, 5, 1, 1, 60, 140, 25 });
	feed_times(state, 2, 10, (const uint64_t[]){ 7, 0, 0, 0, 0, 0, 0, 0, 0, 0 });
	next_sample(state);
	feed_times(state, 0, 10, (const uint64_t[]){ 200, 30, 60, 400, 5, 1, 1, 60, 140, 25 });
	feed_times(state, 1, 10, (const uint64_t[]){ 0, 0, 0, 0, 0, 0, 0, 5000, 0, 0 });
	feed_times(state, 77, 10, (const uint64_t[]){ 1, 0, 0, 0, 0, 0, 0, 1, 0, 0 });
	report = report_of(state);
	table = report_table(report, "steal");
	ok(cell(table, 0, "user_ns") == 20, "guest time is not user time");
	ok(cell(table, 0, "guest_ns") == 100, "guest and guest_nice");
	ok(cell(table, 0, "idle_ns") == 0, "a counter that runs backwards stands still");
	ok(cell(table, 0, "total_ns") == 150, "guest time is counted once");
	ok(near(cell(table, 0, "steal"), 20 / 150.0), "the steal ratio");
	ok(cell(table, 1, "steal_ns") == -1, "a CPU that comes back is not compared over its gap");
	ok(cell(table, 77, "total_ns") == -1, "a CPU that wasn't asked for has no row");
	ok(has_note(report, "ran backwards 1 time;"), "backwards is told");
	ok(has_note(report, "went offline 2 times and came back 1 time:"), "gone CPUs are told");
	report_free(report);
	analysis_steal.free(state);
}

static void test_old_kernel(void)
{
	struct analysis_env bare = env;
	struct report *report;
	void *state;

	state = analysis_steal.new(&bare, NULL);
	for (uint64_t i = 0; i < 2; i++) {
		next_sample(state);
		feed_times(state, 0, 7, (const uint64_t[]){ i, 0, 0, i, 0, 0, 0 });
	}
	report = report_of(state);
	ok(cell(report_table(report, "steal"), 0, "steal_ns") == -1, "without the column: null");
	ok(near(cell(report_table(report, "steal"), 0, "user"), 0.5), "the rest is told");
	ok(has_note(report, "unknown here, not zero"), "and it says so");
	report_free(report);
	analysis_steal.free(state);

	bare.native = "bare metal";
	state = analysis_steal.new(&bare, NULL);
	for (uint64_t i = 0; i < 2; i++) {
		next_sample(state);
		feed_times(state, 0, 8, (const uint64_t[]){ i, 0, 0, i, 0, 0, 0, 0 });
	}
	report = report_of(state);
	ok(cell(report_table(report, "steal"), 0, "steal_ns") == 0, "no guest: zero");
	ok(has_note(report, "no guest (bare metal)"), "and it says why");
	report_free(report);
	analysis_steal.free(state);
}

/* After a migration kernels were seen to give less than 0, and then to count on from there. */
static void test_below_zero(void)
{
	struct analysis_env since_boot = env;
	struct report *report;
	void *state;

	since_boot.verbose = 1;
	state = analysis_steal.new(&since_boot, NULL);
	next_sample(state);
	feed_times(state, 0, 8, (const uint64_t[]){ 0, 0, 0, 0, 0, 0, 0, 100 });
	next_sample(state);
	feed_times(state, 0, 8, (const uint64_t[]){ 10, 0, 0, 0, 0, 0, 0, (uint64_t)-50 });
	report = report_of(state);
	ok(cell(report_table(report, "steal"), 0, "steal_ns") == 0, "that is no stolen time");
	ok(has_note(report, "ran backwards 1 time;"), "but told");
	ok(cell(report_table(report, "boot"), 0, "steal_ns") == 0, "nor since boot");
	ok(cell(report_table(report, "boot"), 0, "total_ns") == 10, "of the rest");
	report_free(report);
	next_sample(state);
	feed_times(state, 0, 8, (const uint64_t[]){ 10, 0, 0, 0, 0, 0, 0, 20 });
	report = report_of(state);
	ok(cell(report_table(report, "steal"), 0, "steal_ns") == 70, "what came after it counts");
	report_free(report);
	analysis_steal.free(state);
}

/* A column that goes leaves no figure, and has none over its gap when it is back. */
static void test_column_goes(void)
{
	void *state = analysis_steal.new(&env, NULL);
	struct report *report;

	next_sample(state);
	feed_times(state, 0, 8, (const uint64_t[]){ 0, 0, 0, 0, 0, 0, 0, 5 });
	next_sample(state);
	feed_times(state, 0, 7, (const uint64_t[]){ 10, 0, 0, 0, 0, 0, 0 });
	report = report_of(state);
	ok(cell(report_table(report, "steal"), 0, "steal_ns") == -1, "a column that went: null");
	ok(cell(report_table(report, "steal"), 0, "user_ns") == 10, "the others are told");
	ok(has_note(report, "unknown here, not zero"), "and it says so");
	report_free(report);
	next_sample(state);
	feed_times(state, 0, 8, (const uint64_t[]){ 20, 0, 0, 0, 0, 0, 0, 500 });
	next_sample(state);
	feed_times(state, 0, 8, (const uint64_t[]){ 30, 0, 0, 0, 0, 0, 0, 507 });
	report = report_of(state);
	ok(cell(report_table(report, "steal"), 0, "steal_ns") == 7, "back again: from then on");
	report_free(report);
	analysis_steal.free(state);
}

/* Files that are no /proc/stat, each with what must be said. */
static void test_broken(void)
{
	static const struct {
		const char *text, *say;
	} cases[] = {
		{ "", "no line of a CPU" },
		{ "cpu 1 2 3 4\nintr 5\n", "no line of a CPU" },
		{ "cpu0 1 2 x 4\n", "makes no sense" },
		{ "cpu0 1 2\n", "makes no sense" },
		{ "cpu0 1 2 3 99999999999999999999999\n", "makes no sense" },
		{ "cpu99999999 1 2 3 4\n", "makes no sense" },
		{ "cpu0 18446744073709551615 2 3 4\n", "makes no sense" },
		{ "cpu0", "makes no sense" },
	};
	char dir[] = "/tmp/hvscope-steal.XXXXXX";
	struct sample sample = { 0 };
	struct root root = { .prefix = dir };
	char *proc, *stat;

	if (!mkdtemp(dir)) {
		skip("no place for files in /tmp", "broken /proc/stat");
		return;
	}
	proc = xasprintf("%s/proc", dir);
	stat = xasprintf("%s/stat", proc);
	mkdir(proc, 0700);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		FILE *f = fopen(stat, "w");

		fputs(cases[i].text, f);
		fclose(f);
		ok(sampler_proc_stat.take(&root, 1, &sample, &err) < 0 &&
			   strstr(err.text, cases[i].say),
		   "case %zu is refused: %s", i, err.text);
	}
	unlink(stat);
	rmdir(proc);
	rmdir(dir);
	free(stat);
	free(proc);
	sample_free(&sample);
}

static void reading(void *state, uint16_t on, unsigned int about, uint64_t time, uint64_t ns)
{
	struct fact facts[] = {
		{ .kind = FACT_STEAL, .cpu = on, .time = time, .aux = FACT_BEGIN, .a = about },
		{ .kind = FACT_STEAL, .cpu = on, .time = time + 1, .aux = FACT_END, .b = ns },
	};

	analysis_steal.feed(state, facts, 2);
}

static void test_clock(void)
{
	void *state = analysis_steal.new(&env, NULL);
	struct fact nested[] = {
		{ .kind = FACT_STEAL, .cpu = 0, .time = 40, .aux = FACT_BEGIN, .a = 0 },
		{ .kind = FACT_STEAL, .cpu = 0, .time = 41, .aux = FACT_BEGIN, .a = 1 },
		{ .kind = FACT_STEAL, .cpu = 0, .time = 42, .aux = FACT_END, .b = 1300 },
		{ .kind = FACT_STEAL, .cpu = 0, .time = 43, .aux = FACT_END, .b = 150 },
		{ .kind = FACT_STEAL, .cpu = 0, .time = 44, .aux = FACT_END, .b = 9999 },
	};
	struct loss loss = { .from = 50, .to = 60, .cpu = 3, .count = 1 };
	struct loss late = { .from = 500, .to = 600, .cpu = 3, .count = 1 };
	struct report *report;
	struct table *table;

	reading(state, 0, 0, 10, 100);
	reading(state, 1, 1, 12, 1000);
	reading(state, 0, 1, 20, 1200); /* asked from another CPU */
	reading(state, 0, 0, 30, 90);   /* backwards */
	analysis_steal.feed(state, nested, ARRAY_SIZE(nested));
	analysis_steal.lost(state, &loss, 1);
	reading(state, 1, 1, 65, 1300); /* over it, too */
	analysis_steal.lost(state, &late, 1);
	reading(state, 0, 0, 70, 1150); /* over the first loss, which is over: discarded */
	reading(state, 0, 0, 80, 1155);
	report = report_of(state);
	table = report_table(report, "slices");
	ok(cell(table, 0, "readings") == 5, "readings are by the CPU asked about");
	ok(cell(table, 0, "backwards") == 1, "backwards is counted");
	ok(cell(table, 0, "total_ns") == 65, "60 after the nested reading, 5 after the loss");
	ok(cell(table, 1, "total_ns") == 300, "200 and 100, whoever asked");
	ok(cell(table, 1, "max_ns") == 200, "the greatest");
	ok(cell(table, 1, "max_at_ns") == 21, "and when it was");
	is_int(report->lost.intervals_discarded, 2, "what spans a loss is discarded");
	report_free(report);
	analysis_steal.free(state);
}

/* A return that was missed leaves its entry behind: the next return without one isn't its. */
/* The greatest of an interval, and when that was, as if nothing had been before. */
static void test_clock_intervals(void)
{
	static const struct {
		uint64_t time, ns;
		double max, at;
	} readings[] = {
		{ 10, 100, -1, -1 }, { 20, 150, 50, 21 }, { 30, 157, 7, 31 }, { 40, 157, -1, -1 },
	};
	void *state = analysis_steal.new(&env, NULL);
	struct interval *interval = interval_new();

	for (size_t i = 0; i < ARRAY_SIZE(readings); i++) {
		struct report *report = report_new("steal", "test");
		struct report_order order = { 0 };
		struct table *table;

		reading(state, 0, 0, readings[i].time, readings[i].ns);
		analysis_steal.report(state, report, readings[i].time + 5, false);
		interval_cut(interval, report);
		report_finish(report, &order, NULL);
		table = report_table(report, "slices");
		ok(cell(table, 0, "max_ns") == readings[i].max, "interval %zu: the greatest", i);
		ok(cell(table, 0, "max_at_ns") == readings[i].at, "and when it was");
		report_free(report);
	}
	interval_free(interval);
	analysis_steal.free(state);
}

static void test_missed(void)
{
	const uint64_t later = 2000000000;
	const struct fact missed = { .kind = FACT_STEAL, .time = 1, .aux = FACT_BEGIN, .a = 1 };
	const struct fact alone = {
		.kind = FACT_STEAL, .time = later + 40, .aux = FACT_END, .b = 7
	};
	void *state = analysis_steal.new(&env, NULL);
	struct report *report;
	struct table *table;

	analysis_steal.feed(state, &missed, 1);
	reading(state, 0, 0, later, 100);
	reading(state, 0, 0, later + 20, 130);
	analysis_steal.feed(state, &alone, 1);
	report = report_of(state);
	table = report_table(report, "slices");
	is_int(table->nr_rows, 1, "only one CPU was read about");
	ok(cell(table, 0, "readings") == 2 && cell(table, 0, "total_ns") == 30, "as it was read");
	report_free(report);
	analysis_steal.free(state);
}

int main(void)
{
	test_clock_intervals();
	test_missed();
	test_recorded();
	test_arithmetic();
	test_old_kernel();
	test_below_zero();
	test_column_goes();
	test_broken();
	test_clock();
	return tap_done();
}
