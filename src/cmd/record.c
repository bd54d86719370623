// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `hvscope record`: the events that named analyses need, and those of event specs, into a trace
 * file. Records go from the kernel to part files beside it without being looked at; who the threads
 * are is written between them as markers. At the end the parts are joined; until the joined file
 * has its name, they stay, so what was recorded survives whatever happens.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "analysis/analysis.h"
#include "base/text.h"
#include "cmd/markers.h"
#include "cmd/output.h"
#include "cmd/progress.h"
#include "cmd/rows.h"
#include "cmd/stop.h"
#include "cmd/wanted.h"
#include "cmd/workload.h"
#include "command.h"
#include "sampler/roster.h"
#include "trace/clock.h"
#include "trace/parts.h"
#include "trace/recording.h"

#define GLANCE_NS UINT64_C(250000000)
#define SECOND_NS UINT64_C(1000000000)

/* An analysis whose events are recorded. */
struct subject {
	const struct analysis *analysis;
	struct rows rows;
};

struct record {
	const struct settings *settings;
	const char *file;
	struct stop stop;
	struct progress *progress;
	struct utsname uname;
	struct who *who;
	struct family *family; /* of -p, with --children */

	struct subject *subjects;
	size_t n_subjects;
	struct settings specs; /* ours, with the words that are event specs */
	struct events events;
	struct wanted wanted;

	struct session *session;
	struct parts *parts;
	struct recording *recording;
	struct roster *roster;
	struct workload *workload;
	bool marking; /* markers go to the buffer */
	bool begun;   /* there is something to keep */
	bool guarded;
	uint64_t glanced, shown; /* when */
	uint64_t bytes;
};

/* --- What to record --- */

static void add_subject(struct record *r, const struct analysis *analysis)
{
	struct subject *subject;

	r->subjects = xreallocarray(r->subjects, r->n_subjects + 1, sizeof(*r->subjects));
	subject = &r->subjects[r->n_subjects++];
	subject->analysis = analysis;
	rows_collect(&subject->rows, analysis, r->uname.machine, 0);
	wanted_rows(&r->wanted, &subject->rows);
}

static const struct analysis *find_analysis(const char *name)
{
	const struct analysis *analysis = analysis_find(name);

	return analysis && !analysis->specs ? analysis : NULL;
}

/* An analysis that a name may have meant, or NULL. */
static const char *near_analysis(const char *name)
{
	const char *near = NULL;

	for (const struct analysis *const *a = analyses; *a; a++)
		if (!(*a)->specs)
			near = text_nearer(name, (*a)->name, near);
	return near;
}

static int no_analysis(const char *name, struct error *err)
{
	const char *near = near_analysis(name);

	return error_set_status(err, 2, "there is no analysis '%s'%s%s%s", name,
				near ? "; did you mean '" : "", near ? near : "",
				near ? "'?" : "");
}

/* "exits,hypercalls"; 0: it is an event spec. */
static int add_analyses(struct record *r, const char *word, struct error *err)
{
	char *copy = xstrdup(word), *rest = copy, *name;
	/* Lists are of analyses; commas stand in no bare spec. */
	bool list = strchr(word, ',') && !strpbrk(word, ":/ ");
	int ret = list || find_analysis(word);

	while (ret > 0 && (name = strsep(&rest, ",")) != NULL) {
		const struct analysis *analysis = find_analysis(name);

		if (analysis)
			add_subject(r, analysis);
		else
			ret = no_analysis(name, err);
	}
	free(copy);
	return ret;
}

static int sort_words(struct record *r, struct error *err)
{
	const struct settings *s = r->settings;

	if (!s->n_words)
		return error_set_status(err, 2,
					"what shall be recorded? hvscope record exits, or events: "
					"hvscope record 't:kvm:*'");
	r->specs = *s;
	r->specs.words = xcalloc(s->n_words, sizeof(*r->specs.words));
	r->specs.filters = xcalloc(s->n_words, sizeof(*r->specs.filters));
	r->specs.n_words = 0;
	for (unsigned int i = 0; i < s->n_words; i++) {
		int found = add_analyses(r, s->words[i], err);

		if (found < 0)
			return -1;
		if (found && s->filters[i])
			return error_set_status(err, 2,
						"--filter: it belongs behind an event, and '%s' is "
						"an analysis, which needs its records whole",
						s->words[i]);
		if (found)
			continue;
		r->specs.filters[r->specs.n_words] = s->filters[i];
		r->specs.words[r->specs.n_words++] = s->words[i];
	}
	return 0;
}

/* A filter would take from an analysis what it pairs. */
static int check_filters(const struct record *r, struct error *err)
{
	for (size_t i = 0; i < r->events.n; i++) {
		const struct event *e = &r->events.events[i];

		for (size_t k = 0; e->filter && e->system && k < r->wanted.n_events; k++) {
			const struct session_event *w = &r->wanted.events[k];

			if (w->system && !strcmp(w->system, e->system) && !strcmp(w->name, e->name))
				return error_set_status(
					err, 2, "--filter: an analysis needs %s whole", e->label);
		}
	}
	return 0;
}

/* Single threads can only be recorded for who looks at each thread alone. */
static int check_threads(const struct record *r, struct error *err)
{
	for (size_t i = 0; r->wanted.n_pids && i < r->n_subjects; i++) {
		const struct analysis *a = r->subjects[i].analysis;

		if (a->order != ORDER_THREAD || a->pairs_threads)
			return error_set_status(err, 2,
						"%s needs the records of all threads: leave out %s",
						a->name, r->settings->pid ? "-p" : "--vm");
	}
	return 0;
}

/* A bare word is a function unless it is an analysis; misspelt, it may have been meant as one. */
static int expand_specs(struct record *r, struct error *err)
{
	char addresses[128];

	if (!r->specs.n_words)
		return 0;
	if (events_parse(&r->events, &r->specs, err))
		return -1;
	for (unsigned int i = 0; i < r->events.n_specs; i++) {
		const struct spec *spec = &r->events.specs[i];

		if (analysis_find(spec->text))
			return error_set_status(err, 2,
						"%s looks at events that are named: record those, "
						"as hvscope record 't:kvm:*'",
						spec->text);
		if (spec->kind == SPEC_FUNCTION && !spec->glob &&
		    !strcmp(spec->text, spec->pattern) && near_analysis(spec->text) &&
		    !probe_symbol_count(&r->settings->root, spec->pattern, addresses,
					sizeof(addresses)))
			return no_analysis(spec->text, err);
	}
	return events_expand_live(&r->events, &r->specs, err);
}

static int choose(struct record *r, struct error *err)
{
	const struct settings *s = r->settings;

	if (sort_words(r, err) || expand_specs(r, err) || check_filters(r, err))
		return -1;
	wanted_events(&r->wanted, &r->events);
	if (s->children && s->pid <= INT32_MAX)
		r->family = family_new(&s->root, (int32_t)s->pid);
	if (wanted_threads(&r->wanted, s, r->who, r->family, err))
		return -1;
	return check_threads(r, err);
}

static struct session_request make_request(const struct record *r)
{
	return (struct session_request){
		.root = &r->settings->root,
		.clock = CLOCK_LIVE,
		.buffer_size = r->settings->buffer_size,
		.pids = r->wanted.pids,
		.n_pids = r->wanted.n_pids,
		.events = r->wanted.events,
		.n_events = r->wanted.n_events,
		.roles = r->wanted.roles,
		.n_roles = r->wanted.n_roles,
		.definitions = r->events.definitions,
		.n_definitions = r->events.n_definitions,
		.stacktrace = r->settings->stack,
		.own_events = events_own(&r->events),
	};
}

static int print_plan(const struct session_request *request, const char *file, struct error *err)
{
	char *plan = session_plan(request, err);

	if (!plan)
		return -1;
	printf("%sfiles %s.cpu0 ... and %s.head, joined into %s and removed at the end\n", plan,
	       file, file, file);
	free(plan);
	return 0;
}

static bool is_there(void *ctx, const struct hv_event *event)
{
	return session_has(ctx, event->system, event->name);
}

/* Each analysis must find what it needs, or it will find nothing in the file either. */
static int check_subjects(struct record *r, struct error *err)
{
	struct format_source formats = session_formats(r->session);

	for (size_t i = 0; i < r->n_subjects; i++) {
		struct subject *s = &r->subjects[i];
		struct binding *binding = binding_new(&formats);
		bool absent;
		int ret = rows_bind(&s->rows, s->analysis, &formats, binding, is_there, r->session,
				    &absent, err);

		binding_free(binding);
		if (ret && absent)
			wanted_explain(&r->wanted, &s->rows, s->analysis->name, &r->settings->root,
				       err);
		if (ret)
			return -1;
	}
	return 0;
}

/* --- Markers --- */

static void mark(void *ctx, const char *marker)
{
	const struct record *r = ctx;

	if (r->marking)
		session_mark(r->session, marker);
}

static void mark_time(const struct record *r)
{
	char text[MARKERS_TIME_SIZE];

	markers_format_time(text);
	mark((void *)(uintptr_t)r, text);
}

static void set_comms(struct record *r)
{
	char *comms = roster_comms(r->roster);

	recording_set_comms(r->recording, comms);
	free(comms);
}

/* --- Begin --- */

static int check_file(const char *file, struct error *err)
{
	struct stat st;

	if (!stat(file, &st) && !S_ISREG(st.st_mode))
		return error_set(err,
				 "%s is no file: a recording needs one, with room for its parts "
				 "beside it",
				 file);
	return 0;
}

static int prepare(struct record *r, struct error *err)
{
	const struct settings *s = r->settings;
	struct parts_options options = {
		.file = r->file,
		.max_bytes = s->size,
		.last_ns = s->last,
		.max_rate = s->max_rate,
		.sigmask = &r->stop.wait,
	};

	if (recording_may_begin(r->file, err))
		return -1;
	r->parts = parts_new(r->session, &options, err);
	if (!r->parts)
		return -1;
	r->recording =
		recording_new(r->session, r->wanted.events, r->wanted.n_events, s->stack, err);
	if (!r->recording)
		return -1;
	r->roster = roster_new(&s->root, (int32_t)s->pid, mark, r);
	roster_look(r->roster);
	set_comms(r);
	return recording_head(r->recording, r->file, err);
}

static int start(struct record *r, struct error *err)
{
	const struct settings *s = r->settings;

	if (s->workload) {
		r->workload = workload_new(s->workload, &r->stop, err);
		if (!r->workload)
			return -1;
	}
	if (session_start(r->session, err))
		return -1;
	r->marking = true;
	mark_time(r);
	roster_repeat(r->roster);
	return r->workload ? workload_go(r->workload, err) : 0;
}

static void say_start(const struct record *r)
{
	const struct settings *s = r->settings;
	const struct session_info *info = session_info(r->session);

	if (s->verbose && info->mounted)
		progress_say(r->progress, "tracefs was not mounted; it is now, and stays so");
	if (!s->duration && !s->size && !s->workload && isatty(STDERR_FILENO))
		progress_say(r->progress, "recording on %u CPUs; Ctrl-C ends it and writes %s",
			     info->online, r->file);
}

/* --- Rounds --- */

static uint64_t count_records(const struct record *r)
{
	uint64_t n = 0;

	for (unsigned int cpu = 0; cpu < session_info(r->session)->n_cpus; cpu++) {
		struct session_stats stats;

		if (!session_stats(r->session, cpu, &stats))
			n += stats.read + stats.entries;
	}
	return n;
}

static void show(struct record *r, uint64_t now)
{
	const struct settings *s = r->settings;
	uint64_t begin = session_info(r->session)->begin;
	double part = -1;

	if (now < r->shown + SECOND_NS || !isatty(STDERR_FILENO))
		return;
	r->shown = now;
	if (s->duration)
		part = (double)(now - begin) / (double)s->duration;
	if (s->size && !s->last)
		part = max(part, (double)r->bytes / (double)s->size);
	progress_show(r->progress, count_records(r), parts_lost(r->parts), part);
}

static void say_guard(struct record *r, const struct parts_result *result)
{
	r->guarded = true;
	if (result->guard == GUARD_RATE)
		progress_say(r->progress,
			     "stopped: %.0f records came in a second, and --max-rate allows %llu",
			     result->rate, (unsigned long long)r->settings->max_rate);
	else
		progress_say(
			r->progress,
			"stopped: records were lost in two successive seconds, writing can't "
			"keep up; a larger buffer (-b), fewer events or a faster disk may help");
}

/* Instances are open to everybody who may trace, and some tools reset all of them. */
static void say_meddled(struct record *r)
{
	r->guarded = true;
	progress_say(r->progress, "somebody else switched off what is recorded; what came after "
				  "that is missing");
}

/* 1 when the recording is over. */
static int next_round(struct record *r, uint64_t end, struct error *err)
{
	struct parts_result result;
	uint64_t now;

	if (parts_round(r->parts, min(end, r->glanced + GLANCE_NS), &result, err))
		return -1;
	r->bytes = result.bytes;
	now = clock_now();
	if (now >= r->glanced + GLANCE_NS) {
		roster_glance(r->roster);
		recording_see_comms(r->recording);
		r->glanced = now;
	}
	show(r, now);
	if (result.guard != GUARD_NONE)
		say_guard(r, &result);
	return result.guard != GUARD_NONE || result.full || now >= end;
}

static int rounds(struct record *r, struct error *err)
{
	uint64_t begin = session_info(r->session)->begin;
	uint64_t end = r->settings->duration ? begin + r->settings->duration : UINT64_MAX;
	int over = 0;

	r->glanced = begin;
	while (!over && !stop_asked(&r->stop) && !(r->workload && workload_ended(r->workload)))
		over = next_round(r, end, err);
	return over < 0 ? -1 : 0;
}

/* --- End --- */

/* What the ring dropped is told once more; names of threads are asked for when all is over. */
static int finish(struct record *r, struct error *err)
{
	roster_glance(r->roster);
	mark_time(r);
	roster_repeat(r->roster);
	r->marking = false;
	if (session_stop(r->session, err) || parts_finish(r->parts, err))
		return -1;
	if (session_info(r->session)->meddled)
		say_meddled(r);
	roster_look(r->roster);
	set_comms(r);
	return 0;
}

static int not_joined(const char *file, struct error *err)
{
	const struct error was = *err;

	return error_set(err,
			 "%s; what was recorded stays, 'hvscope record --recover -o %s' joins it",
			 was.text, file);
}

static uint64_t own_cpu_time(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

static void say_end(const struct record *r)
{
	const struct session_info *info = session_info(r->session);
	uint64_t lost = parts_lost(r->parts);
	char size[TEXT_UNIT_SIZE], span[TEXT_UNIT_SIZE], buffer[TEXT_UNIT_SIZE],
		setup[TEXT_UNIT_SIZE], probes[TEXT_UNIT_SIZE], cpu[TEXT_UNIT_SIZE];
	struct stat st = { 0 };

	stat(r->file, &st);
	progress_say(r->progress, "%s: %s%llu records in %s, %s; %llu were lost", r->file,
		     r->settings->last ? "the newest of " : "",
		     (unsigned long long)count_records(r),
		     text_ns(span, sizeof(span), info->end - info->begin),
		     text_bytes(size, sizeof(size), (uint64_t)st.st_size),
		     (unsigned long long)lost);
	if (r->settings->verbose)
		progress_say(r->progress,
			     "own CPU time %s, buffer %s on each CPU, set up in %s (of it probes "
			     "%s)",
			     text_ns(cpu, sizeof(cpu), own_cpu_time()),
			     text_bytes(buffer, sizeof(buffer), info->buffer_size),
			     text_ns(setup, sizeof(setup), info->new_ns),
			     text_ns(probes, sizeof(probes), info->probes_ns));
}

static int join(struct record *r, struct error *err)
{
	struct output *output = output_open(r->file, OUTPUT_ONCE, err);
	int ret = -1;

	if (output && !recording_write(r->recording, fileno(output_stream(output)), r->parts, err))
		ret = output_done(output, err);
	output_free(output);
	if (ret)
		return not_joined(r->file, err);
	parts_remove(r->parts);
	recording_remove(r->file);
	say_end(r);
	return 0;
}

static int record(struct record *r, struct error *err)
{
	struct session_request request;

	if (choose(r, err))
		return -1;
	request = make_request(r);
	if (r->settings->dry_run)
		return print_plan(&request, r->file, err);
	if (check_file(r->file, err))
		return -1;
	r->session = session_new(&request, err);
	if (!r->session)
		return -1;
	if (request.n_pids &&
	    wanted_follow(r->settings, r->who, r->family, r->session, err))
		return -1;
	if (check_subjects(r, err) || prepare(r, err) || start(r, err))
		return -1;
	r->begun = true;
	say_start(r);
	if (rounds(r, err) || finish(r, err))
		return -1;
	progress_wipe(r->progress);
	return join(r, err);
}

static int final_status(const struct record *r)
{
	if (r->guarded)
		return 3;
	return r->settings->strict && r->parts && parts_lost(r->parts) ? 3 : 0;
}

static void leave(struct record *r)
{
	if (r->recording && !r->begun) {
		parts_remove(r->parts);
		recording_remove(r->file);
	}
	parts_free(r->parts);
	recording_free(r->recording);
	roster_free(r->roster);
	session_free(r->session);
	for (size_t i = 0; i < r->n_subjects; i++)
		rows_free(&r->subjects[i].rows);
	free(r->subjects);
	events_free(&r->events);
	wanted_free(&r->wanted);
	free(r->specs.words);
	free(r->specs.filters);
}

static int record_live(const struct settings *s, const char *file, struct error *err)
{
	struct record r = { .settings = s, .file = file };
	int status, end;

	uname(&r.uname);
	stop_begin(&r.stop);
	r.progress = progress_new(true, s->quiet);
	r.who = who_new_live(&s->root);
	status = record(&r, err);
	progress_wipe(r.progress);
	end = final_status(&r);
	leave(&r);
	if (!status && r.workload)
		status = workload_wait(r.workload, &r.stop);
	workload_free(r.workload);
	family_free(r.family);
	who_free(r.who);
	progress_free(r.progress);
	stop_end(&r.stop);
	if (status < 0 && s->workload && err->status < WORKLOAD_FAILED)
		err->status = WORKLOAD_FAILED;
	return status ? status : end;
}

/* --- After a crash --- */

static void say_recovered(const struct settings *s, const char *file, const struct parts *parts)
{
	static const char missing[] = "it says from when on, on each CPU, records are missing";
	struct progress *progress = progress_new(true, s->quiet);

	progress_say(progress, "%s: what was written is joined; %s", file,
		     parts_whole(parts) ? "it was stopped, so nothing is missing at its end" :
					  missing);
	progress_free(progress);
}

static int recover(const struct settings *s, const char *file, struct error *err)
{
	struct parts *parts = NULL;
	struct output *output;
	int ret = -1;

	if (s->n_words || s->workload)
		return error_set_status(err, 2,
					"--recover only joins what lies beside the file (-o)");
	if (check_file(file, err))
		return -1;
	output = output_open(file, OUTPUT_ONCE, err);
	if (output && !recording_recover(file, fileno(output_stream(output)), &parts, err))
		ret = output_done(output, err);
	output_free(output);
	if (!ret) {
		parts_remove(parts);
		recording_remove(file);
		say_recovered(s, file, parts);
	}
	parts_free(parts);
	return ret;
}

static int run_record(const struct settings *s, struct error *err)
{
	const char *file = s->output ? s->output : "trace.dat";

	return s->recover ? recover(s, file, err) : record_live(s, file, err);
}

const struct command command_record = {
	.name = "record",
	.summary = "Write what analyses need, or events, into a trace file",
	.operands = OPERANDS_FREE | OPERANDS_WORKLOAD,
	.needs = NEEDS_TRACING,
	.usage = "ANALYSIS[,ANALYSIS...]|EVENT...",
	.run = run_record,
};
