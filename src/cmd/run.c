// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The life cycle of one analysis, source by source alike.
 */
#include "cmd/run.h"

#include <string.h>
#include <sys/stat.h>

#include "cmd/run-file.h"
#include "cmd/run-live.h"
#include "cmd/run-proc.h"
#include "cmd/workload.h"
#include "sampler/sampler.h"
#include "trace/clock.h"

/*
 * Those that are entries, or those that aren't. One of many that a pattern named may be unfit; one
 * that was named by itself may not.
 */
static int bind_some(struct run *run, bool entries, bool *any, struct error *err)
{
	for (size_t i = 0; i < run->events.n; i++) {
		struct event *event = &run->events.events[i];

		if (event->is_entry != entries)
			continue;
		event->slot = binding_add_record(run->binding, event->system, event->name, err);
		if (event->slot < 0 && !event->optional)
			return -1;
		*any |= event->slot >= 0;
	}
	return 0;
}

static int bind_events(struct run *run, struct error *err)
{
	struct error why = { 0 };
	bool any = false;

	/* first those that were named, so that their slots are their places */
	if (bind_some(run, false, &any, &why) || bind_some(run, true, &any, &why) || !any) {
		*err = why;
		return -1;
	}
	return 0;
}

/* What an analysis of records, or of stacks, may ask about them. */
static int bind_records(struct run *run, struct error *err)
{
	int stack = -1;

	if (run->env.analysis.stacks) {
		stack = binding_add_record(run->binding, "ftrace", "kernel_stack", err);
		if (stack < 0)
			return -1;
	}
	if (run->analysis->specs || stack >= 0)
		env_records(&run->env, &run->events, stack);
	return 0;
}

/*
 * Births and names are taken where somebody asks who threads are: live they cost little next to
 * what they tell of, but not nothing, and a file that has them can't be cut into pieces.
 */
void run_collect(struct run *run, const char *machine, bool direct)
{
	const unsigned int keys = KEY_BIT(KEY_COMM) | KEY_BIT(KEY_PID) | KEY_BIT(KEY_VCPU);
	bool who = run->analysis->streams || run->env.analysis.selected ||
		   run->env.analysis.by & keys;

	rows_collect(&run->rows, run->analysis, machine,
		     (direct ? ROWS_DIRECT : 0) | (who ? ROWS_WHO : 0));
}

static bool is_filtered(const struct run *run, const struct hv_event *event)
{
	for (size_t i = 0; i < run->events.n; i++) {
		const struct event *e = &run->events.events[i];

		if (e->filter && e->system && event->system && !strcmp(e->system, event->system) &&
		    !strcmp(e->name, event->name))
			return true;
	}
	return false;
}

/* Whether one of these facts is told, and each time: a filter of the user's holds for us, too. */
static bool tells_all(const struct run *run, uint64_t facts)
{
	for (size_t i = 0; i < run->rows.n; i++) {
		const struct rows_row *row = &run->rows.rows[i];

		if (row->bound && FACT_BIT(row->event->kind) & facts &&
		    is_filtered(run, row->event))
			return false;
	}
	return rows_tell(&run->rows, facts);
}

/* Whether the trace tells who threads are. */
static void bind_who(struct run *run)
{
	const uint64_t births = FACT_BIT(FACT_THREAD_BORN), names = FACT_BIT(FACT_THREAD_NAME);

	run->env.follows = rows_tell(&run->rows, births | names);
	run->env.births = tells_all(run, births);
	if (run->env.follows && !tells_all(run, births | names))
		progress_say(run->progress,
			     "--filter leaves out some births or names of threads "
			     "(task:task_newtask, task:task_rename): what threads that come and go "
			     "are called may be unknown, or out of date");
}

/* -C with none that there is would look like a quiet machine. */
static int check_cpus(const struct run *run, unsigned int cpus, struct error *err)
{
	const struct settings *s = run->settings;
	unsigned int cpu = 0;

	while (cpu < cpus && !cpuset_has(&s->cpus, cpu))
		cpu++;
	if (!s->has_cpus || cpu < cpus || !cpus)
		return 0;
	return error_set(err, "-C names none of the CPUs that there are: 0 to %u", cpus - 1);
}

int run_bind(struct run *run, const struct format_source *formats, unsigned int cpus,
	     bool (*has)(void *ctx, const struct hv_event *event), void *ctx, bool *absent,
	     struct error *err)
{
	run->subjects = subjects_new(cpus);
	run->binding = binding_new(formats);
	run->env.subjects = run->subjects;
	run->env.binding = run->binding;
	*absent = false;
	if (check_cpus(run, cpus, err))
		return -1;
	if ((run->analysis->specs && bind_events(run, err)) || bind_records(run, err))
		return -1;
	if (rows_bind(&run->rows, run->analysis, formats, run->binding, has, ctx, absent, err))
		return -1;
	run->env.analysis.hv = rows_hypervisor(&run->rows);
	bind_who(run);
	return 0;
}

void run_begin(struct run *run, uint64_t start, bool has_utc, int64_t utc)
{
	struct analysis_env *env = &run->env.analysis;

	run->start = run->reported = env->begin = start;
	run->source.has_begin = env->has_utc = has_utc;
	run->source.begin = utc;
	env->utc = utc - (int64_t)start;
}

static struct report *new_report(const struct run *run)
{
	struct report *report = report_new(run->settings->command.name, NULL);

	report->lines = run->analysis->streams;
	return report;
}

/* Prints it to nowhere. */
static int try_render(const struct settings *s, const struct report *report, struct error *err)
{
	const struct render_options options = { .table = s->table, .version = PACKAGE_VERSION };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct render *render = render_begin(s->format, &options, out);
	int ret = render_report(render, report, err);

	if (render_end(render, ret ? NULL : err))
		ret = -1;
	fclose(out);
	free(text);
	return ret;
}

/* A column, a table or a format that doesn't go is told now, not after hours of tracing. */
static int check_wishes(struct run *run, struct error *err)
{
	const struct settings *s = run->settings;
	struct report_order order = { .sort = s->sort };
	struct report *report = new_report(run);
	int ret;

	run->analysis->report(run->state, report, 0, false);
	if (run->extend)
		run->extend(run->extend_ctx, report);
	ret = report_finish(report, &order, err) || try_render(s, report, err) ? -1 : 0;
	if (ret)
		err->status = 2;
	report_free(report);
	return ret;
}

int run_prepare(struct run *run, struct error *err)
{
	run->env.analysis.sampled = run->source.kind != SOURCE_FILE &&
				    sampler_find(run->analysis->facts_sampled);
	run->state = run->analysis->new (&run->env.analysis, err);
	if (!run->state || check_wishes(run, err))
		return -1;
	if (run->settings->interval)
		run->interval = interval_new();
	return 0;
}

static int print_lines(struct run *run, bool last, struct error *err);

enum { LINES_AT_ONCE = 1024 }; /* so many are in memory */

/* Lines are printed as they come; once that failed, the rest is for nobody. */
static void feed_lines(struct run *run, const struct fact *facts, size_t n)
{
	while (n && !run->failure.status && !run_done(run)) {
		size_t some = min(n, (size_t)LINES_AT_ONCE);

		run->analysis->feed(run->state, facts, some);
		print_lines(run, false, &run->failure);
		facts += some;
		n -= some;
	}
}

static void feed_some(struct run *run, const struct fact *facts, size_t n)
{
	if (run->analysis->streams)
		feed_lines(run, facts, n);
	else
		run->analysis->feed(run->state, facts, n);
}

/* What is before a birth or a name is of whoever had the id, or of the old name. */
static void feed_following(struct run *run, const struct fact *facts, size_t n)
{
	size_t fed = 0;

	for (size_t i = 0; i < n; i++) {
		if (likely(facts[i].kind != FACT_THREAD_BORN && facts[i].kind != FACT_THREAD_NAME))
			continue;
		feed_some(run, facts + fed, i - fed);
		env_told(&run->env, &facts[i]);
		fed = i;
	}
	feed_some(run, facts + fed, n - fed);
}

static void feed(void *ctx, const struct fact *facts, size_t n)
{
	struct run *run = ctx;

	for (size_t i = 0; !run->fed && i < n; i++)
		run->fed = run->analysis->facts & FACT_BIT(facts[i].kind);
	if (run->env.follows)
		feed_following(run, facts, n);
	else
		feed_some(run, facts, n);
}

static void ended(void *ctx, const struct fact *facts, size_t n)
{
	struct run *run = ctx;

	env_forget(&run->env, facts, n);
}

static bool holds(void *ctx, uint32_t subject)
{
	const struct run *run = ctx;

	return run->analysis->holds && run->analysis->holds(run->state, subject);
}

static void lost(void *ctx, const struct loss *losses, size_t n)
{
	struct run *run = ctx;

	if (run->analysis->lost)
		run->analysis->lost(run->state, losses, n);
}

void run_connect(struct run *run, const struct page_source *source)
{
	struct consumer consumer = {
		.order = run->env.follows ? run->analysis->order_who : run->analysis->order,
		.lost = lost,
		.feed = feed,
		.ended = ended,
		.holds = holds,
		.ctx = run,
	};

	run->stream = stream_new(source, run->binding, run->subjects);
	stream_add(run->stream, &consumer);
	run->stats = stream_stats(run->stream);
}

bool run_done(const struct run *run)
{
	return run->analysis->done && run->analysis->done(run->state);
}

int run_check(struct run *run, struct error *err)
{
	if (!run->failure.status)
		return 0;
	*err = run->failure;
	return -1;
}

void run_end(struct run *run)
{
	/* Of a report that could not be printed. */
	if (run->render)
		render_end(run->render, NULL);
	if (run->state)
		run->analysis->free(run->state);
	stream_free(run->stream);
	binding_free(run->binding);
	subjects_free(run->subjects);
	interval_free(run->interval);
	rows_free(&run->rows);
	events_free(&run->events);
	env_end(&run->env);
	strhash_free(&run->said);
	sample_free(&run->sample);
	run->render = NULL;
	run->state = NULL;
	run->stream = NULL;
	run->stats = NULL;
	run->binding = NULL;
	run->subjects = NULL;
	run->interval = NULL;
}

int run_sample(struct run *run, uint64_t *now, struct error *err)
{
	const struct sampler *sampler = sampler_find(run->analysis->facts_sampled);
	uint64_t time = clock_now();

	if (now)
		*now = time;
	if (!sampler)
		return 0;
	if (sampler->take(&run->settings->root, time, &run->sample, err))
		return -1;
	run->analysis->feed(run->state, run->sample.facts, run->sample.n);
	return 0;
}

/* --- Boundaries --- */

/* `n` times `ns` behind the start. What is beyond all times is UINT64_MAX: it never comes. */
static uint64_t time_after(const struct run *run, uint64_t n, uint64_t ns)
{
	uint64_t span, time;

	if (__builtin_mul_overflow(n, ns, &span) || __builtin_add_overflow(run->start, span, &time))
		return UINT64_MAX;
	return time;
}

uint64_t run_boundary(const struct run *run)
{
	const struct settings *s = run->settings;
	uint64_t boundary = UINT64_MAX;

	if (s->duration)
		boundary = time_after(run, 1, s->duration);
	if (s->interval)
		boundary = min(boundary, time_after(run, run->reports + 1, s->interval));
	return boundary;
}

bool run_is_over(const struct run *run, uint64_t now)
{
	const struct settings *s = run->settings;

	if (s->duration && now >= time_after(run, 1, s->duration))
		return true;
	return s->interval && s->count && now >= time_after(run, s->count, s->interval);
}

/* --- Reports --- */

static void fill_source(const struct run *run, struct report *report)
{
	const struct run_source *source = &run->source;

	report->source.kind = source->kind;
	report->source.cpus = source->cpus;
	report_set(&report->source.path, source->path);
	report_set(&report->source.kernel, source->kernel);
	report_set(&report->source.machine, source->machine);
	report_set(&report->source.clock, source->clock);
	report_set(&report->host, source->host);
}

/* What the report is about: an interval, or the run so far. */
static void fill_span(const struct run *run, struct report *report, uint64_t now, bool cumulative)
{
	uint64_t from = cumulative ? run->start : run->reported;

	report->interval = run->settings->interval ? run->reports + 1 : 0;
	report->has_span = run->env.analysis.times;
	report->span_ns = now - from;
	if (run->source.kind != SOURCE_PROC) {
		report->has_begin_ns = run->env.analysis.times;
		report->begin_ns = from;
	}
	report->has_begin = run->source.has_begin;
	report->begin = run->source.begin + (int64_t)(from - run->start);
}

static void fill_records(const struct run *run, struct report *report, bool last, bool cumulative)
{
	static const struct stream_stats none;
	const struct stream_stats *now = run->stats, *past = cumulative ? &none : &run->past;

	if (!now)
		return;
	report->has_records = report->has_lost = true;
	report->records = now->records - past->records;
	report->lost.records = now->lost_records - past->lost_records + (last ? run->unmarked : 0);
	report->lost.marks = now->lost_marks - past->lost_marks;
	report->lost.unknown = now->lost_unknown - past->lost_unknown;
	report->lost.late = now->late - past->late;
	report->lost.stopped = last && run->guarded;
	if (last && now->damaged)
		report_note(report, "%llu pages of the trace could not be read to their end.",
			    (unsigned long long)now->damaged);
	if (last && now->cut_short)
		report_note(report,
			    "%llu threads of which nothing was seen for long count as ended, with "
			    "what was pending of them left open: more than %d can't be followed at "
			    "once.",
			    (unsigned long long)now->cut_short, THREADS_KEPT);
}

static void say_once(struct run *run, const char *text)
{
	enum { SAID_MAX = 1000 }; /* figures in them change, for as long as the run lasts */
	bool is_new;

	if (run->said.nr >= SAID_MAX)
		strhash_free(&run->said);
	strhash_insert(&run->said, text, &is_new);
	if (is_new)
		progress_say(run->progress, "%s", text);
}

/* Formats that only carry figures leave the sentences to stderr, each once. */
static void say_notes(struct run *run, const struct report *report)
{
	for (unsigned int i = 0; i < report->nr_notes; i++)
		say_once(run, report->notes[i]);
}

static bool has_rows(const struct report *report)
{
	for (unsigned int i = 0; i < report->nr_tables; i++)
		if (report->tables[i]->nr_rows)
			return true;
	return false;
}

/* Not by a report: that would begin the next interval of what gauges tell. */
bool run_is_empty(const struct run *run)
{
	return !run->fed;
}

/* An empty result is one that says what was looked for. */
static void tell_empty(const struct run *run, struct report *report, bool last)
{
	char names[256];

	if (!last || run->found || !run->rows.n)
		return;
	rows_names(&run->rows, names, sizeof(names));
	if (*names)
		report_note(report, "Looked for %s.", names);
}

static struct render *begin_render(const struct run *run)
{
	const struct settings *s = run->settings;
	FILE *out = output_stream(run->output);
	struct render_options options = {
		.verbose = s->verbose,
		.quiet = s->quiet,
		.color = render_color(out),
		.timestamps = s->timestamps,
		.intervals = s->interval,
		.table = s->table,
		.version = PACKAGE_VERSION,
	};

	return render_begin(s->format, &options, out);
}

static int print_report(struct run *run, const struct report *report, bool last, struct error *err)
{
	bool whole = run->settings->format->rewrites; /* each report is a document of its own */
	char *left_out;

	/* Who reads a file can't rename (cmd/output.h): its last state is all that is seen. */
	if (whole && !last && run->settings->input)
		return 0;
	progress_wipe(run->progress);
	if (!run->render)
		run->render = begin_render(run);
	left_out = render_left_out(run->render, report);
	if (left_out)
		say_once(run, left_out);
	free(left_out);
	if (render_report(run->render, report, err))
		return -1;
	if (whole || last) {
		struct render *render = run->render;

		run->render = NULL;
		if (render_end(render, err))
			return -1;
	}
	return output_report(run->output, err);
}

/* What lines can't show. */
static void say_lost(struct run *run, const struct report *report)
{
	const struct report_lost *lost = &report->lost;

	if (!report->has_lost || report_complete(report))
		return;
	progress_say(run->progress,
		     "lost: %llu records at %llu places, %llu of them without a "
		     "number; %llu came too late%s",
		     (unsigned long long)lost->records, (unsigned long long)lost->marks,
		     (unsigned long long)lost->unknown, (unsigned long long)lost->late,
		     lost->stopped ? "; stopped early" : "");
}

/* The lines that are new. */
static int print_lines(struct run *run, bool last, struct error *err)
{
	struct report *report = new_report(run);
	int ret = -1;

	run->analysis->report(run->state, report, 0, last);
	fill_records(run, report, last, true);
	if (!report_finish(report, NULL, err) && !print_report(run, report, last, err))
		ret = 0;
	if (last) {
		run->incomplete |= !report_complete(report);
		say_notes(run, report);
		say_lost(run, report);
	}
	report_free(report);
	return ret;
}

int run_report(struct run *run, uint64_t now, bool last, struct error *err)
{
	const struct settings *s = run->settings;
	struct report_order order = { .sort = s->sort, .limit = s->limit };
	bool cumulative = s->format->rewrites || !s->interval;
	struct report *report;
	int ret = -1;

	if (run->analysis->streams)
		return print_lines(run, last, err);
	report = new_report(run);

	run->analysis->report(run->state, report, now, last);
	run->found |= has_rows(report);
	if (run->extend)
		run->extend(run->extend_ctx, report);
	fill_source(run, report);
	fill_span(run, report, now, cumulative);
	fill_records(run, report, last, cumulative);
	if (!cumulative)
		interval_cut(run->interval, report);
	tell_empty(run, report, last);
	run->incomplete |= report->has_lost && !report_complete(report);
	if (!report_finish(report, &order, err) && !print_report(run, report, last, err))
		ret = 0;
	if (!ret && !s->format->tells_notes)
		say_notes(run, report);
	report_free(report);
	run->reports++;
	run->reported = now;
	if (run->stats)
		run->past = *run->stats;
	return ret;
}

/* --- The whole --- */

static enum output_kind output_kind(const struct settings *s)
{
	if (s->command.analysis->streams)
		return OUTPUT_GROWS;
	if (!s->interval)
		return OUTPUT_ONCE;
	/* A file is read in a child that can't rename: see print_report(). */
	if (s->format->rewrites)
		return s->input ? OUTPUT_ONCE : OUTPUT_REPLACED;
	return OUTPUT_GROWS;
}

/* Live, an analysis that a sampler can serve traces only for what --hist adds. */
static bool is_sampled(const struct settings *s)
{
	const struct analysis *analysis = s->command.analysis;

	return !s->input && analysis->facts_sampled && !s->hist &&
	       sampler_find(analysis->facts_sampled);
}

/* Tracing was refused; what only /proc is needed for isn't. */
static int tell_without_hist(struct error *err, const struct analysis *analysis)
{
	size_t len = strlen(err->text);

	if (strstr(err->text, "works without it"))
		return -1;
	snprintf(err->text + len, sizeof(err->text) - len,
		 "; without --hist, 'hvscope %s' works from %s alone", analysis->name,
		 sampler_find(analysis->facts_sampled)->name);
	return -1;
}

static int run_source(struct run *run, struct error *err)
{
	const struct analysis *analysis = run->analysis;
	int status;

	if (run->settings->input)
		return run_file(run, err);
	if (is_sampled(run->settings))
		return run_proc(run, err);
	status = run_live(run, err);
	if (status < 0 && !run->start && sampler_find(analysis->facts_sampled))
		return tell_without_hist(err, analysis);
	return status;
}

/* The status of a run that came to its end. */
static int final_status(const struct run *run)
{
	if (run->guarded || (run->settings->strict && run->incomplete))
		return 3;
	return 0;
}

/* The trace that is read is worth more than what would take its place. */
static bool replaces_input(const struct settings *s)
{
	struct stat in, out;

	return s->input && s->output && !stat(s->input, &in) && !stat(s->output, &out) &&
	       S_ISREG(in.st_mode) && in.st_dev == out.st_dev && in.st_ino == out.st_ino;
}

static int run_with_output(struct run *run, struct error *err)
{
	const struct settings *s = run->settings;
	int status;

	if (replaces_input(s))
		return error_set(err, "%s is the trace that is read: -o would replace it",
				 s->output);
	stop_interrupts(run->stop, true);
	run->output = output_open(s->output, output_kind(s), err);
	stop_interrupts(run->stop, false);
	if (!run->output)
		return -1;
	status = run_source(run, err);
	if (status >= 0 && output_done(run->output, err))
		status = -1;
	output_free(run->output);
	return status > 0 ? status : status < 0 ? -1 : final_status(run);
}

int run_analysis(const struct settings *settings, struct error *err)
{
	struct stop stop;
	struct run run = {
		.settings = settings,
		.analysis = settings->command.analysis,
		.stop = &stop,
	};
	struct who *who = settings->input ? who_new_recorded() : who_new_live(&settings->root);
	int status = -1;
	bool known;

	stop_begin(&stop);
	/* A command that runs meanwhile may write to the terminal itself. */
	run.progress = progress_new(!settings->workload, settings->quiet);
	stop_interrupts(&stop, true);
	known = !settings->vm_map || !who_read_map(who, settings->vm_map, err);
	stop_interrupts(&stop, false);
	if (known) {
		run.env.who = who;
		status = run_with_output(&run, err);
	}
	progress_free(run.progress);
	stop_end(&stop);
	who_free(who);
	/* With a command to run, statuses below 125 are the command's. */
	if (status < 0 && settings->workload && err->status < WORKLOAD_FAILED)
		err->status = WORKLOAD_FAILED;
	return status;
}
