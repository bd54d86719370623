// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every format, on one report with hostile names. Without arguments: checks in C. With
 * `render FORMAT [intervals]` it prints the report, for the shell tests that let jq and
 * promtool judge.
 */
#include <errno.h>

#include "tests/tap.h"

#include "base/text.h"
#include "render/render.h"

enum {
	VM,
	REASON,
	CODE,
	IDLE,
	EXITS,
	RATE,
	DISCARDED,
	OPEN,
	SHARE,
	TOTAL,
	TIME_SHARE,
	MEAN,
	STDDEV,
	PERCENTILE,
	MAX,
	HIST,
	SIZE,
	LAST_SEEN,
	TRACED,
	NR,
};

static const struct column columns[NR] = {
	[VM] = { "vm", "VM", COLUMN_TEXT, COLUMN_LABEL },
	[REASON] = { "reason", "REASON", COLUMN_TEXT, COLUMN_LABEL },
	[CODE] = { "code", "CODE", COLUMN_HEX, COLUMN_LABEL | COLUMN_WIDE },
	[IDLE] = { "idle", "IDLE", COLUMN_BOOL, COLUMN_WIDE },
	[EXITS] = { "exits", "EXITS", COLUMN_COUNT, .metric = "exits",
		    .help = "Exits \\ \"seen\"" },
	[RATE] = { "rate", "EXITS/s", COLUMN_RATE, .derive = DERIVE_RATE, .of = "exits" },
	[DISCARDED] = { "discarded", "DISCARDED", COLUMN_COUNT, COLUMN_WHEN_ANY,
			.metric = "exits_discarded", .help = "Exits not timed" },
	[OPEN] = { "open", "OPEN", COLUMN_COUNT, COLUMN_GAUGE | COLUMN_SUM | COLUMN_WIDE,
		   .metric = "exits_open", .help = "Exits without entry so far" },
	[SHARE] = { "share", "SHARE", COLUMN_RATIO, .derive = DERIVE_SHARE, .of = "exits" },
	[TOTAL] = { "total_ns", "TOTAL", COLUMN_NS, .derive = DERIVE_SUM,
		    .metric = "exits_handling", .help = "Time spent" },
	[TIME_SHARE] = { "time_share", "TIME", COLUMN_RATIO, COLUMN_NOT_LAST,
			 .derive = DERIVE_SHARE, .of = "total_ns" },
	[MEAN] = { "mean_ns", "MEAN", COLUMN_NS, .derive = DERIVE_MEAN },
	[STDDEV] = { "stddev_ns", "STDDEV", COLUMN_NS, COLUMN_WIDE, .derive = DERIVE_STDDEV },
	[PERCENTILE] = { "p%_ns", "P%", COLUMN_NS, .derive = DERIVE_PERCENTILE },
	[MAX] = { "max_ns", "MAX", COLUMN_NS, .derive = DERIVE_MAX, .metric = "exits_handling_max",
		  .help = "Longest" },
	[HIST] = { "hist", "Handling", COLUMN_HISTOGRAM, .derive = DERIVE_HISTOGRAM,
		   .metric = "exit_handling", .help = "Time from exit to entry" },
	[SIZE] = { "size_bytes", "SIZE", COLUMN_BYTES, COLUMN_GAUGE | COLUMN_WIDE,
		   .metric = "sample_size", .help = "Size" },
	[LAST_SEEN] = { "seen", "SEEN", COLUMN_TIME, COLUMN_WIDE },
	[TRACED] = { "traced", "TRACED", COLUMN_PARTLY, COLUMN_WIDE },
};

static const uint32_t percentiles[] = { 500000, 999000 };

/* Names as a hostile guest owner would choose them. */
static const char *const names[] = {
	"web",
	"\033[2J\033]0;owned\007",            /* a terminal's control sequences */
	"a\"b,c\\d\ne\r\n{f=\"g\"} 1\n# EOF", /* what ends a field, a label, an exposition */
	"\xff\xfe\xc0\x80",                   /* no UTF-8 */
	"\xff\xfe\xc0\x81",                   /* looks the same where that is replaced */
	"=cmd|' /C calc'!A0",
	"\xe2\x80\xaeltr",
	"a very long name that goes on and on and wouldn't fit into any line that people read",
};

struct sample {
	struct dist dist[ARRAY_SIZE(names)];
	struct report *report;
	struct table *table;
};

static struct table *add_table(struct report *report, const char *name, bool histograms)
{
	return table_new(report, &(struct table_layout){ .name = name,
							 .columns = columns,
							 .nr_columns = NR,
							 .percentiles = percentiles,
							 .nr_percentiles = 2,
							 .histograms = histograms,
							 .sort = "total_ns" });
}

static void add_row(struct sample *s, unsigned i)
{
	struct row *row = table_row(s->table);

	for (unsigned n = 0; n <= i; n++)
		dist_add(&s->dist[i], (1000 + 10 * n) << i);
	dist_add(&s->dist[0], i);
	row_text(row, VM, names[i]);
	row_text(row, REASON, i == 1 ? "HLT" : "EPT_VIOLATION");
	row_printf(row, CODE, "0x%x", i == 4 ? 3 : i); /* so two look alike in metrics */
	row_bool(row, IDLE, i == 1);
	row_count(row, EXITS, 1000 * (i + 1));
	row_count(row, DISCARDED, i == 3);
	row_count(row, OPEN, i);
	row_count(row, SIZE, 4096 * i);
	row_time(row, LAST_SEEN, 1000000000123456789 + i);
	row_partly(row, TRACED, i % 3);
	row->flags = i == 1 ? ROW_LAST : 0;
	row_lend(row, 0, &s->dist[i]);
}

static void sample_new(struct sample *s, bool histograms, size_t limit)
{
	struct report_order order = { .limit = limit };
	struct report *report = report_new("exits", "exits of guests");

	memset(s, 0, sizeof(*s));
	s->report = report;
	report->has_span = report->has_records = report->has_lost = true;
	report->has_begin = report->has_begin_ns = true;
	report->begin = 1000000000000000000;
	report->begin_ns = 55000000000;
	report->span_ns = 2500000000;
	report->records = UINT64_MAX;
	report->vms = 8;
	report->vcpus = 9;
	report->source.kind = SOURCE_FILE;
	report->source.cpus = 4;
	report_set(&report->source.path, "/tmp/\033[31mx.dat");
	report_set(&report->source.clock, "mono");
	report->lost = (struct report_lost){
		.records = 1, .marks = 2, .unknown = 1, .intervals_discarded = 2, .intervals = 100
	};
	report_note(report, "A note with %s.", "\033[1mcontrol\033[0m");
	report_note(report, "%s%s%s", "A note that is longer than a line has room for, although ",
		    "nobody likes to read long notes, ", "goes on with an indent on the next one.");
	s->table = add_table(report, "exits", histograms);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		add_row(s, i);
	report_finish(report, &order, NULL);
}

static void sample_free(struct sample *s)
{
	report_free(s->report);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		dist_free(&s->dist[i]);
}

/* What a format prints of the report; the caller frees it. */
static char *print(const char *format, const struct render_options *options,
		   const struct report *report, unsigned times, struct error *err)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct render *render = render_begin(render_find(format, NULL), options, out);

	while (times--)
		if (render_report(render, report, err))
			break;
	render_end(render, NULL);
	fclose(out);
	return text;
}

static bool has_controls(const char *text, const char *allowed)
{
	for (; *text; text++)
		if (((unsigned char)*text < 0x20 || *text == 0x7f) && !strchr(allowed, *text))
			return true;
	return false;
}

static unsigned longest_line(const char *text)
{
	unsigned longest = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");
		char *line = xstrndup(text, len);

		longest = max(longest, text_width(line));
		free(line);
		text += len + (text[len] != '\0');
	}
	return longest;
}

static bool has_trailing_blanks(const char *text)
{
	return strstr(text, " \n") || strstr(text, "\t\n");
}

static unsigned count_of(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

/* What holds for every format: nothing that a terminal would obey. */
static void test_all(void)
{
	struct render_options options = { .version = "1" };
	struct sample s;

	sample_new(&s, true, 0);
	for (unsigned i = 0; render_all()[i]; i++) {
		const char *name = render_all()[i]->name;
		char *text = print(name, &options, s.report, 1, NULL);

		ok(!has_controls(text, strcmp(name, "csv") ? "\n" : "\r\n"),
		   "%s: no control characters", name);
		ok(!strstr(text, "\xff") && !strstr(text, "\xc0\x80"), "%s: only UTF-8", name);
		free(text);
	}
	sample_free(&s);
}

static void test_find(void)
{
	struct error err = { 0 };

	ok(render_find("json", &err), "a format is found");
	ok(!render_find("jsno", &err) && err.status == 2 && strstr(err.text, "did you mean 'json'"),
	   "a slip is understood");
	ok(!render_find("", &err) && strstr(err.text, "openmetrics"), "else all are named");
}

static void test_table(void)
{
	struct render_options options = { 0 };
	struct sample s;
	char *text;

	sample_new(&s, false, 0);
	text = print("table", &options, s.report, 1, NULL);
	ok(!strncmp(text, "exits of guests: 2.50s, 8 VMs, 9 vCPUs, 4 CPUs, /tmp/\\x1b[31mx.dat\n",
		    60),
	   "the first line says what it is about");
	ok(longest_line(text) <= 100, "100 columns are enough");
	ok(!has_trailing_blanks(text), "no blanks at the ends of lines");
	ok(strstr(text, "\ntotal "), "a line of totals");
	ok(strstr(text, "Lost: 1 record, 2 places of loss (1 without a number), "
			"2 intervals discarded."),
	   "a line of losses");
	ok(strstr(text, "2.0% of the intervals were discarded") && strstr(text, "biased low"),
	   "above 1 in 100 it says that times are biased");
	ok(strstr(text, "DISCARDED") && !strstr(text, "STDDEV"), "columns as they are needed");
	ok(strstr(text, "A note with \\x1b[1mcontrol"), "notes are quoted too");
	ok(strstr(text, "notes, goes on\n  with an indent"), "and wrapped");
	free(text);
	s.report->lost.intervals = 201;
	text = print("table", &options, s.report, 1, NULL);
	ok(!strstr(text, "biased"), "below 1 in 100 it doesn't");
	free(text);
	s.report->lost = (struct report_lost){ 0 };
	options.verbose = true;
	text = print("table", &options, s.report, 1, NULL);
	ok(strstr(text, "STDDEV") && strstr(text, "Nothing was lost."), "all columns with -v");
	free(text);
	options.verbose = false;
	options.quiet = true;
	text = print("table", &options, s.report, 1, NULL);
	ok(!strncmp(text, "VM ", 3) && !strstr(text, "lost"), "only the table with -q");
	free(text);
	sample_free(&s);
}

/* The whole of a small table, as it should look. */
static void test_golden(void)
{
	static const struct column small[] = {
		{ "vm", "VM", COLUMN_TEXT, COLUMN_LABEL },
		{ "tid", "TID", COLUMN_COUNT, COLUMN_LABEL },
		{ "exits", "EXITS", COLUMN_COUNT },
		{ "total_ns", "TOTAL", COLUMN_NS, .derive = DERIVE_SUM },
		{ "hist", "Handling", COLUMN_HISTOGRAM, .derive = DERIVE_HISTOGRAM },
	};
	struct render_options options = { .color = true };
	struct report *report = report_new("exits", NULL);
	struct table *table = table_new(report, &(struct table_layout){ .name = "t",
									.columns = small,
									.nr_columns = 5,
									.histograms = true });
	struct dist dist = { 0 };
	struct row *row = table_row(table);
	char *text;

	dist_add(&dist, 1);
	for (unsigned i = 0; i < 4; i++)
		dist_add(&dist, 5 + i);
	row_text(row, 0, "大");
	row_count(row, 1, 12);
	row_count(row, 2, 1234);
	row_lend(row, 0, &dist);
	row = table_row(table);
	row_count(row, 1, 345);
	row_count(row, 2, 1);
	report_finish(report, NULL, NULL);
	text = print("table", &options, report, 1, NULL);
	is_str(text,
	       "exits: unknown time, live\n"
	       "\033[1mVM     TID  EXITS  TOTAL\033[0m\n"
	       "大      12   1234   27ns\n"
	       "-      345      1      -\n"
	       "total        1235   27ns\n"
	       "\n"
	       "Handling: vm=大 tid=12\n"
	       "     nsecs               : count     distribution\n"
	       "         0 -> 1          : 1        |*************                           |\n"
	       "         2 -> 3          : 0        |                                        |\n"
	       "         4 -> 7          : 3        |****************************************|\n"
	       "         8 -> 15         : 1        |*************                           |\n\n",
	       "a table with its histogram");
	free(text);
	report_free(report);
	dist_free(&dist);
}

static void test_csv(void)
{
	struct render_options options = { 0 };
	struct sample s;
	char *text;

	sample_new(&s, true, 3);
	text = print("csv", &options, s.report, 1, NULL);
	ok(!strncmp(text, "vm,reason,code,idle,exits,rate,", 31), "keys are the header");
	is_int(count_of(text, "\r\n"), 5, "a header, three rows, the others");
	is_int(count_of(text, "\n"), 5, "and no other line ends");
	ok(strstr(text, "\r\n(5 others),,,,"), "the others are named, their labels are empty");
	free(text);
	options.intervals = true;
	text = print("csv", &options, s.report, 2, NULL);
	ok(!strncmp(text, "time,vm,", 8), "with intervals the first column is the time");
	is_int(count_of(text, "time,vm"), 1, "the header comes once");
	is_int(count_of(text, "\r\n2001-09-09T01:46:40.000000000Z,"), 8, "each row has its begin");
	free(text);
	s.report->has_begin = false;
	text = print("csv", &options, s.report, 1, NULL);
	ok(strstr(text, "\r\n55,"), "or that of the source's clock");
	free(text);
	sample_free(&s);
	sample_new(&s, true, 0);
	options.intervals = false;
	text = print("csv", &options, s.report, 1, NULL);
	ok(strstr(text,
		  "\r\n\"a\"\"b,c\\\\d\\ne\\x0d\\n{f=\"\"g\"\"} 1\\n# EOF\",EPT_VIOLATION,0x2,"),
	   "quotes are doubled, control characters escaped");
	ok(strstr(text, ",3840:4096:1;3968:") || strstr(text, "3968:4096:"),
	   "histograms are low:high:count;…");
	free(text);
	sample_free(&s);
}

static void test_tables(void)
{
	struct render_options options = { .table = "second" };
	struct error err = { 0 };
	struct sample s;
	struct render *render;
	char *text, *sentence;

	sample_new(&s, false, 0);
	add_table(s.report, "second", false);
	add_table(s.report, "third", false);
	text = print("csv", &options, s.report, 1, &err);
	is_int(count_of(text, "\r\n"), 1, "--table chooses, here an empty one");
	free(text);
	options.table = "fourth";
	text = print("csv", &options, s.report, 1, &err);
	ok(err.status == 2 && strstr(err.text, "exits, second and third"),
	   "a table that isn't there");
	free(text);
	options.table = NULL;
	render = render_begin(render_find("csv", NULL), &options, stdout);
	sentence = render_left_out(render, s.report);
	ok(sentence && strstr(sentence, "second and third"), "others are named");
	free(sentence);
	render_end(render, NULL);
	render = render_begin(render_find("json", NULL), &options, stdout);
	ok(!render_left_out(render, s.report), "nothing is left out of JSON");
	render_end(render, NULL);
	sample_free(&s);
}

static void test_folded(void)
{
	static const struct column stacks[] = {
		{ "count", "COUNT", COLUMN_COUNT },
		{ "stack", "STACK", COLUMN_STACK, COLUMN_LABEL },
	};
	static const char *const frames[] = { "main", "a;b", "leaf\n\033" };
	struct render_options options = { 0 };
	struct error err = { 0 };
	struct report *report = report_new("stackcount", NULL);
	struct table *table =
		table_new(report, &(struct table_layout){
					  .name = "stacks", .columns = stacks, .nr_columns = 2 });
	struct row *row = table_row(table);
	struct sample s;
	char *text;

	row_count(row, 0, 42);
	row_stack(row, 1, frames, 3);
	report_finish(report, NULL, NULL);
	text = print("folded", &options, report, 1, NULL);
	is_str(text, "main;a:b;leaf\\n\\x1b 42\n", "a stack is a line");
	free(text);
	text = print("table", &options, report, 1, NULL);
	ok(strstr(text, "42\n    leaf\\n\\x1b\n    a;b\n    main\n"),
	   "in tables the innermost first");
	free(text);
	text = print("csv", &options, report, 1, NULL);
	ok(strstr(text, "\r\n42,main;a;b;leaf\\n\\x1b\r\n"), "in CSV joined");
	free(text);
	text = print("prometheus", &options, report, 1, &err);
	ok(err.status == 2 && strstr(err.text, "stackcount has none that is a metric") && !*text,
	   "metrics without any are refused");
	free(text);
	report_free(report);
	sample_new(&s, false, 0);
	text = print("folded", &options, s.report, 1, &err);
	ok(err.status == 2 && strstr(err.text, "stacks"), "without stacks it is refused");
	free(text);
	sample_free(&s);
}

/* Rows of one stack that other columns tell apart, and records without one. */
static void test_folded_keys(void)
{
	static const struct column stacks[] = {
		{ "comm", "COMM", COLUMN_TEXT, COLUMN_LABEL },
		{ "cpu", "CPU", COLUMN_COUNT, COLUMN_LABEL | COLUMN_GAUGE },
		{ "event", "EVENT", COLUMN_TEXT, COLUMN_LABEL },
		{ "stack", "STACK", COLUMN_STACK, COLUMN_LABEL },
		{ "count", "COUNT", COLUMN_COUNT },
	};
	static const char *const comms[] = { "a;b", "c\n", NULL };
	static const char *const frames[] = { "main", "leaf" };
	struct render_options options = { 0 };
	struct report *report = report_new("stackcount", NULL);
	struct table *table =
		table_new(report, &(struct table_layout){
					  .name = "stacks", .columns = stacks, .nr_columns = 5 });
	char *text;

	for (unsigned int i = 0; i < 3; i++) {
		struct row *row = table_row(table);

		row_text(row, 0, comms[i]);
		row_count(row, 1, 3 + i);
		row_text(row, 2, "same");
		if (i != 1)
			row_stack(row, 3, frames, 2);
		row_count(row, 4, 10 + i);
	}
	report_finish(report, NULL, NULL);
	text = print("folded", &options, report, 1, NULL);
	is_str(text, "a:b;3;main;leaf 10\nc\\n;4;[no stack] 11\n-;5;main;leaf 12\n",
	       "what tells rows apart stands outermost, what all share doesn't");
	free(text);
	report_free(report);
}

/* What has the same outer functions stands once, with the sum. */
static void test_tree(void)
{
	static const struct column stacks[] = {
		{ "event", "EVENT", COLUMN_TEXT, COLUMN_LABEL },
		{ "cpu", "CPU", COLUMN_COUNT, COLUMN_LABEL | COLUMN_GAUGE },
		{ "stack", "STACK", COLUMN_STACK, COLUMN_LABEL },
		{ "count", "COUNT", COLUMN_COUNT },
	};
	static const struct {
		unsigned int cpu, n;
		const char *frames[4];
		uint64_t count;
	} rows[] = {
		{ 0, 3, { "entry", "call", "write\n" }, 30 },
		{ 0, 3, { "entry", "call", "read" }, 50 },
		{ 0, 2, { "entry", "call" }, 5 },
		{ 0, 2, { "irq", "timer" }, 10 },
		{ 1, 2, { "irq", "timer" }, 4 },
		{ 1, 0, { NULL }, 1 },
	};
	struct render_options options = { .quiet = true };
	struct report_order order = { .sort = "count", .limit = 5 };
	struct report *report = report_new("stackcount", NULL);
	struct table *table =
		table_new(report, &(struct table_layout){
					  .name = "stacks", .columns = stacks, .nr_columns = 4 });
	struct error err = { 0 };
	struct sample s;
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct row *row = table_row(table);

		row_text(row, 0, "same");
		row_count(row, 1, rows[i].cpu);
		if (rows[i].n)
			row_stack(row, 2, rows[i].frames, rows[i].n);
		row_count(row, 3, rows[i].count);
	}
	report_finish(report, &order, NULL);
	text = print("tree", &options, report, 1, NULL);
	is_str(text, "   95   95.0%  cpu 0\n"
		     "   85   85.0%    entry\n"
		     "                 call\n"
		     "   50   50.0%      read\n"
		     "   30   30.0%      write\\n\n"
		     "    5    5.0%      [self]\n"
		     "   10   10.0%    irq\n"
		     "                 timer\n"
		     "    4    4.0%  cpu 1\n"
		     "               irq\n"
		     "               timer\n"
		     "    1    1.0%  (1 others)\n",
	       "a tree: the greatest first, with what has no stack of its own");
	free(text);
	report_free(report);
	sample_new(&s, false, 0);
	text = print("tree", &options, s.report, 1, &err);
	ok(err.status == 2 && strstr(err.text, "the format tree is for stacks"),
	   "without stacks it is refused");
	free(text);
	sample_free(&s);
}

static void test_failure(void)
{
	struct render_options options = { 0 };
	struct error err = { 0 };
	FILE *full = fopen("/dev/full", "w");
	struct render *render;
	struct sample s;

	if (!full) {
		skip("there is no /dev/full", "a full disk");
		return;
	}
	sample_new(&s, false, 0);
	render = render_begin(render_find("json", NULL), &options, full);
	ok(render_report(render, s.report, &err) && err.status == 1 &&
		   strstr(err.text, strerrordesc_np(ENOSPC)),
	   "a full disk is an error");
	render_end(render, NULL);
	fclose(full);
	ok(!render_color(stdout) || getenv("TERM"), "no colour without a terminal");
	sample_free(&s);
}

/* Prints the report for another program to judge. */
static int show(const char *format, bool intervals)
{
	struct render_options options = { .version = "1.0", .intervals = intervals };
	struct sample s;
	char *text;

	sample_new(&s, true, intervals ? 4 : 0);
	s.report->interval = intervals;
	text = print(format, &options, s.report, intervals ? 2 : 1, NULL);
	fputs(text, stdout);
	free(text);
	sample_free(&s);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return show(argv[1], argc > 2);
	test_all();
	test_find();
	test_table();
	test_golden();
	test_csv();
	test_tables();
	test_folded();
	test_folded_keys();
	test_tree();
	test_failure();
	return tap_done();
}
