// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reports: what is derived from an analysis's cells, worked out here by hand from a few rows,
 * and intervals as differences of totals.
 */
#include "tests/tap.h"

#include "report/interval.h"

enum {
	VM,
	REASON,
	EXITS,
	RATE,
	TIMED,
	OPEN,
	SHARE,
	TOTAL,
	TIME_SHARE,
	MEAN,
	PERCENTILE,
	MAX,
	HIST,
	PER_EXIT,
	NR,
};

static const struct column columns[NR] = {
	[VM] = { "vm", "VM", COLUMN_TEXT, COLUMN_LABEL },
	[REASON] = { "reason", "REASON", COLUMN_TEXT, COLUMN_LABEL },
	[EXITS] = { "exits", "EXITS", COLUMN_COUNT },
	[RATE] = { "rate", "RATE", COLUMN_RATE, .derive = DERIVE_RATE, .of = "exits" },
	[TIMED] = { "timed", "TIMED", COLUMN_COUNT, .derive = DERIVE_NUMBER },
	[OPEN] = { "open", "OPEN", COLUMN_COUNT, COLUMN_GAUGE | COLUMN_SUM },
	[SHARE] = { "share", "SHARE", COLUMN_RATIO, .derive = DERIVE_SHARE, .of = "exits" },
	[TOTAL] = { "total_ns", "TOTAL", COLUMN_NS, .derive = DERIVE_SUM },
	[TIME_SHARE] = { "time_share", "TIME%", COLUMN_RATIO, COLUMN_NOT_LAST,
			 .derive = DERIVE_SHARE, .of = "total_ns" },
	[MEAN] = { "mean_ns", "MEAN", COLUMN_NS, .derive = DERIVE_MEAN },
	[PERCENTILE] = { "p%_ns", "P%", COLUMN_NS, .derive = DERIVE_PERCENTILE },
	[MAX] = { "max_ns", "MAX", COLUMN_NS, .derive = DERIVE_MAX },
	[HIST] = { "hist", "HIST", COLUMN_HISTOGRAM, .derive = DERIVE_HISTOGRAM },
	[PER_EXIT] = { "per_exit", "PER", COLUMN_RATIO, .derive = DERIVE_RATIO, .of = "open",
		       .per = "exits" },
};

static const uint32_t percentiles[] = { 500000, 999000 };

static struct table *new_table(struct report *report)
{
	return table_new(report, &(struct table_layout){
					 .name = "exits",
					 .columns = columns,
					 .nr_columns = NR,
					 .percentiles = percentiles,
					 .nr_percentiles = 2,
					 .sort = "total_ns",
				 });
}

static struct row *add(struct table *table, const char *vm, const char *reason, uint64_t exits,
		       struct dist *dist)
{
	struct row *row = table_row(table);

	row_text(row, VM, vm);
	row_text(row, REASON, reason);
	row_count(row, EXITS, exits);
	row_count(row, OPEN, 1);
	if (dist)
		row_lend(row, 0, dist);
	return row;
}

static struct cell *cell(const struct row *row, const char *key)
{
	return &row->cells[table_find(row->table, key)];
}

static bool is_null(const struct row *row, const char *key)
{
	return !cell(row, key)->set;
}

static uint64_t count(const struct row *row, const char *key)
{
	return cell(row, key)->set ? cell(row, key)->v.u : UINT64_MAX;
}

static bool near(const struct row *row, const char *key, double want)
{
	double difference = cell(row, key)->v.d - want;

	return cell(row, key)->set && difference < 1e-12 && difference > -1e-12;
}

/* Distributions of three reasons: 2 × 100 ns, 1 × 600 ns, and an idle one of 1 s. */
struct sample {
	struct dist io, msr, idle;
	struct report *report;
	struct table *table;
};

static void sample_new(struct sample *s)
{
	memset(s, 0, sizeof(*s));
	dist_add(&s->io, 100);
	dist_add(&s->io, 100);
	dist_add(&s->msr, 600);
	dist_add(&s->idle, 1000000000);
	s->report = report_new("exits", "exits");
	s->report->has_span = true;
	s->report->span_ns = 2000000000;
	s->table = new_table(s->report);
	add(s->table, "web", "IO", 3, &s->io);
	add(s->table, "web", "HLT", 4, &s->idle)->flags |= ROW_LAST;
	add(s->table, "db", "MSR", 1, &s->msr);
}

static void sample_free(struct sample *s)
{
	report_free(s->report);
	dist_free(&s->io);
	dist_free(&s->msr);
	dist_free(&s->idle);
}

static void test_derived(void)
{
	struct sample s;
	struct row *io, *msr, *idle;

	sample_new(&s);
	ok(!report_finish(s.report, NULL, NULL), "a report is finished");
	msr = s.table->rows[0];
	io = s.table->rows[1];
	idle = s.table->rows[2];
	is_str(cell(msr, "reason")->v.text, "MSR", "the greatest total comes first");
	is_str(cell(idle, "reason")->v.text, "HLT", "idle rows come last, however long");
	is_int(count(io, "timed"), 2, "timed is the number of values");
	is_int(count(io, "total_ns"), 200, "their sum");
	is_int(count(io, "mean_ns"), 100, "their mean");
	is_int(count(msr, "p50_ns"), 600, "their median");
	is_int(count(msr, "p99_9_ns"), 600, "a percentile with a fraction has its key");
	is_str(s.table->columns[table_find(s.table, "p99_9_ns")].title, "P99.9", "and title");
	ok(table_find(s.table, "hist") < 0, "no histogram unless asked for");
	ok(near(io, "share", 3 / 8.0), "share is of all exits");
	ok(near(io, "time_share", 0.25) && near(msr, "time_share", 0.75),
	   "time_share is of all but the idle time");
	ok(is_null(idle, "time_share"), "and idle rows have none");
	is_int(count(idle, "total_ns"), 1000000000, "but their time is shown");
	ok(near(io, "rate", 1.5), "rate is per second of the span");
	ok(near(io, "per_exit", 1 / 3.0), "a ratio of two columns");
	sample_free(&s);
}

static void test_totals(void)
{
	struct sample s;
	const struct row *totals;

	sample_new(&s);
	report_finish(s.report, NULL, NULL);
	totals = s.table->totals;
	is_int(count(totals, "exits"), 8, "totals add counts");
	is_int(count(totals, "open"), 3, "and gauges that may be added");
	is_int(count(totals, "timed"), 4, "and distributions,");
	is_int(count(totals, "total_ns"), 1000000800, "their sums");
	is_int(count(totals, "p50_ns"), 103, "and percentiles are of all values");
	ok(near(totals, "share", 1) && near(totals, "time_share", 1), "shares are 1");
	ok(is_null(totals, "vm") && is_null(totals, "reason"), "labels have no total");
	sample_free(&s);
}

static void test_others(void)
{
	struct report_order order = { .limit = 1 };
	struct sample s;
	const struct row *others;

	sample_new(&s);
	report_finish(s.report, &order, NULL);
	others = s.table->others;
	is_int(s.table->nr_rows, 1, "one row is left");
	ok(others && s.table->nr_others == 2, "two became one");
	is_int(count(others, "exits"), 7, "which adds their counts");
	is_int(count(others, "max_ns"), 1000000000, "has the greatest of their values");
	ok(near(others, "share", 7 / 8.0), "their share of all rows");
	ok(near(others, "time_share", 0.25), "and only the busy ones' share of time");
	is_int(count(s.table->totals, "exits"), 8, "totals are those before the cut");
	sample_free(&s);
	order.limit = 3;
	sample_new(&s);
	report_finish(s.report, &order, NULL);
	ok(!s.table->others, "no others when all rows fit");
	sample_free(&s);
}

static void sorted(const char *sort, const char *want)
{
	struct report_order order = { .sort = sort };
	char got[64] = "";
	size_t used = 0;
	struct sample s;

	sample_new(&s);
	report_finish(s.report, &order, NULL);
	for (size_t i = 0; i < s.table->nr_rows; i++)
		used += snprintf(got + used, sizeof(got) - used, "%s%s", i ? " " : "",
				 cell(s.table->rows[i], "reason")->v.text);
	is_str(got, want, sort);
	sample_free(&s);
}

static void test_sort(void)
{
	struct report_order order = { .sort = "exist" };
	struct error err = { 0 };
	struct sample s;

	sorted("exits", "IO MSR HLT");
	sorted("+exits", "MSR IO HLT");
	sorted("reason", "IO MSR HLT");
	sorted("-reason", "MSR IO HLT");
	sorted("vm", "MSR IO HLT");
	sample_new(&s);
	ok(report_finish(s.report, &order, &err), "an unknown key is refused");
	is_int(err.status, 2, "as wrong usage");
	ok(strstr(err.text, "did you mean 'exits'"), "with the nearest one");
	sample_free(&s);
}

/* What isn't known is null, never 0. */
static void test_nulls(void)
{
	struct report *report = report_new("exits", "exits");
	struct table *table = new_table(report), *empty = new_table(report);
	struct dist none = { 0 };
	struct row *row, *timed;

	row = add(table, NULL, "a", 0, NULL);
	timed = add(table, NULL, "b", 0, &none);
	ok(!report_finish(report, NULL, NULL), "a report without a span");
	ok(is_null(row, "vm"), "no text is null");
	ok(is_null(row, "total_ns") && is_null(row, "timed"), "no distribution: no times");
	is_int(count(timed, "total_ns"), 0, "an empty one has the sum 0");
	ok(is_null(timed, "mean_ns") && is_null(timed, "max_ns") && is_null(timed, "p50_ns"),
	   "but nothing else");
	ok(is_null(row, "rate"), "no span: no rate");
	ok(is_null(row, "share") && is_null(row, "per_exit"), "nothing is divided by 0");
	is_int(count(empty->totals, "exits"), 0, "over no rows a sum is 0");
	ok(is_null(empty->totals, "total_ns"), "but of times only where there are times");
	ok(is_null(empty->totals, "mean_ns"), "and there is no mean");
	report_free(report);

	report = report_new("exits", "exits");
	report->has_span = true;
	empty = new_table(report);
	ok(!report_finish(report, NULL, NULL), "a report of a span in which nothing was seen");
	is_int(count(empty->totals, "total_ns"), 0, "has the total 0");
	ok(is_null(empty->totals, "mean_ns"), "and no mean");
	report_free(report);
}

static void test_layout(void)
{
	static const unsigned show[] = { REASON, EXITS };
	struct report *report = report_new("exits", NULL);
	struct table *table;
	struct row *row;

	table = table_new(report, &(struct table_layout){ .name = "t",
							  .columns = columns,
							  .nr_columns = NR,
							  .show = show,
							  .nr_show = 2 });
	row = add(table, "web", "IO", 1, NULL);
	is_int(table->nr_columns, 2, "only the chosen columns");
	is_str(row->cells[0].v.text, "IO", "in the chosen order");
	row_text(row, REASON, "MSR");
	is_str(row->cells[0].v.text, "MSR", "a cell may be set again");
	row_printf(row, REASON, "%d", 7);
	is_str(row->cells[0].v.text, "7", "and formatted");
	row_text(row, REASON, NULL);
	ok(!row->cells[0].set, "and made null");
	ok(report_table(report, "t") == table && !report_table(report, "x"), "a table by name");
	report_free(report);
}

static void test_complete(void)
{
	struct report *report = report_new("exits", NULL);

	ok(report_complete(report), "without losses a report is complete");
	report->lost.late = 1;
	ok(!report_complete(report), "not with late records");
	report->lost.late = 0;
	report->lost.stopped = true;
	ok(!report_complete(report), "nor when it was stopped early");
	report_free(report);
}

/* One interval of an analysis whose totals are given. */
static struct report *cut(struct interval *interval, struct dist *io, uint64_t exits, uint64_t open,
			  uint64_t discarded)
{
	struct report *report = report_new("exits", NULL);
	struct table *table = new_table(report);

	row_count(add(table, "web", "IO", exits, io), OPEN, open);
	row_count(add(table, "web", "quiet", 5, NULL), OPEN, 0);
	report->lost.intervals_discarded = discarded;
	interval_cut(interval, report);
	report_finish(report, NULL, NULL);
	return report;
}

static void test_intervals(void)
{
	struct interval *interval = interval_new();
	struct dist io = { 0 };
	struct report *report;
	const struct row *row;

	dist_add(&io, 5000);
	report = cut(interval, &io, 3, 2, 7);
	is_int(report->tables[0]->nr_rows, 2, "the first interval has all rows");
	is_int(report->lost.intervals_discarded, 7, "and all that was discarded");
	report_free(report);

	dist_add(&io, 40);
	report = cut(interval, &io, 3, 1, 9);
	is_int(report->tables[0]->nr_rows, 1, "a row without news is dropped");
	row = report->tables[0]->rows[0];
	is_int(count(row, "exits"), 0, "exits 0");
	is_int(count(row, "timed"), 1, "timed 1: the exit was in the last interval");
	is_int(count(row, "open"), 1, "a gauge isn't subtracted");
	is_int(count(row, "max_ns"), 40, "the greatest value is the interval's");
	is_int(count(row, "total_ns"), 40, "its sum a difference");
	is_int(report->lost.intervals_discarded, 2, "what was discarded too");
	report_free(report);

	report = cut(interval, &io, 1, 0, 9);
	is_int(count(report->tables[0]->rows[0], "exits"), 1, "a total that fell began anew");
	report_free(report);
	is_int(io.count, 2, "lent distributions stay whole");
	interval_free(interval);
	dist_free(&io);
}

/* Labels that try to look like others' must not share a past. */
static void test_identity(void)
{
	static const char *const names[][2] = {
		{ "a", "b" }, { "a,1:b", "" }, { "", "a,1:b" }, { "ab", "" }, { NULL, "ab" },
	};
	struct interval *interval = interval_new();
	bool good = true;

	for (unsigned round = 1; round <= 2; round++) {
		struct report *report = report_new("exits", NULL);
		struct table *table = new_table(report);

		for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
			add(table, names[i][0], names[i][1], (i + 1) * 10 * round, NULL);
		add(table, "a", "b", 100 * round, NULL); /* a twin */
		interval_cut(interval, report);
		for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
			good &= count(table->rows[i], "exits") == (i + 1) * 10;
		good &= count(table->rows[ARRAY_SIZE(names)], "exits") == 100;
		report_free(report);
	}
	ok(good, "each row is compared with its own past");
	interval_free(interval);
}

int main(void)
{
	test_derived();
	test_totals();
	test_others();
	test_sort();
	test_nulls();
	test_layout();
	test_complete();
	test_intervals();
	test_identity();
	report_free(NULL);
	interval_free(NULL);
	return tap_done();
}
