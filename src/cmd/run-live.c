// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Live: one session, one reader, rounds until something ends them: Ctrl-C, -d, COUNT, the command
 * behind "--", or a guard. Whatever it is, tracing is switched off, what was recorded is read to
 * its end, and the report is printed.
 */
#include "cmd/run-live.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cmd/glance.h"
#include "cmd/probe-table.h"
#include "cmd/wanted.h"
#include "cmd/workload.h"
#include "sampler/machine.h"
#include "trace/clock.h"
#include "trace/cursor-live.h"
#include "trace/saved-comms.h"
#include "trace/session.h"
#include "trace/tracefs.h"

/* When a run that has seen nothing looks at what comes instead, and how often. */
#define MS           UINT64_C(1000000)
#define GLANCE_AFTER (300 * MS)
#define LOOK_FIRST   (100 * MS)
#define LOOK_AGAIN   (500 * MS)

struct tracing {
	struct run *run;
	struct utsname uname;
	struct wanted wanted;
	struct session *session;
	struct live *live;
	struct workload *workload;
	struct saved_comms comms;
	bool glanced;          /* if what comes beside is looked at, then it is: */
	struct glance *glance; /* NULL: not, or not any more */
	uint64_t look_at;      /* the next time */
	uint64_t saw;          /* when enough had come; 0 not yet */
};

/* --- What to trace --- */

static struct session_request make_request(const struct tracing *t)
{
	const struct settings *s = t->run->settings;
	/* Only a filter that keeps all that pairing needs may be the kernel's. */
	bool filter = t->run->analysis->specs || (t->run->analysis->order == ORDER_THREAD &&
						  !t->run->analysis->pairs_threads);

	return (struct session_request){
		.root = &s->root,
		.clock = CLOCK_LIVE,
		.buffer_size = s->buffer_size,
		.pids = filter ? t->wanted.pids : NULL,
		.n_pids = filter ? t->wanted.n_pids : 0,
		.events = t->wanted.events,
		.n_events = t->wanted.n_events,
		.roles = t->wanted.roles,
		.n_roles = t->wanted.n_roles,
		.definitions = t->run->events.definitions,
		.n_definitions = t->run->events.n_definitions,
		.stacktrace = t->run->env.analysis.stacks,
		.own_events = events_own(&t->run->events),
	};
}

static int print_plan(const struct session_request *request, struct output *output,
		      struct error *err)
{
	char *plan = session_plan(request, err);

	if (!plan)
		return -1;
	fputs(plan, output_stream(output));
	free(plan);
	return 0;
}

/* --- Binding --- */

static bool is_there(void *ctx, const struct hv_event *event)
{
	const struct tracing *t = ctx;

	return session_has(t->session, event->system, event->name);
}

static int bind(struct tracing *t, struct error *err)
{
	const struct session_info *info = session_info(t->session);
	struct format_source formats = session_formats(t->session);
	bool absent;

	if (!run_bind(t->run, &formats, info->n_cpus, is_there, t, &absent, err))
		return 0;
	return absent ? wanted_explain(&t->wanted, &t->run->rows, t->run->analysis->name,
				       &t->run->settings->root, err) :
			-1;
}

/* --- Start --- */

static const char *comm_of(void *ctx, int tid)
{
	return saved_comms_find(ctx, tid);
}

static int64_t realtime_of(uint64_t mono)
{
	struct timespec ts;
	uint64_t now = clock_now();

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec - (int64_t)(now - mono);
}

static void add_probes(void *ctx, struct report *report)
{
	const struct tracing *t = ctx;

	probe_table_add(report, &t->run->settings->root, session_probes(t->session),
			t->wanted.roles, t->wanted.n_roles);
}

static int start(struct tracing *t, struct error *err)
{
	struct run *run = t->run;
	const struct session_info *info = session_info(t->session);
	struct live_options options = {
		.strict = run->analysis->pairs_threads,
		.max_rate = run->settings->max_rate,
		.sigmask = &run->stop->wait,
	};

	t->live = live_new(t->session, &options, err);
	if (!t->live)
		return -1;
	run_connect(run, live_source(t->live));
	if (run->settings->workload) {
		t->workload = workload_new(run->settings->workload, run->stop, err);
		if (!t->workload)
			return -1;
	}
	wanted_note(run->settings, run->env.who);
	if (session_start(t->session, err))
		return -1;
	wanted_note(run->settings, run->env.who);
	run_begin(run, info->begin, true, realtime_of(info->begin));
	if (run_sample(run, NULL, err))
		return -1;
	return t->workload ? workload_go(t->workload, err) : 0;
}

/* Who waits at a terminal is told what for. */
static void say_start(const struct tracing *t)
{
	const struct settings *s = t->run->settings;
	const struct session_info *info = session_info(t->session);

	if (s->verbose && info->mounted)
		progress_say(t->run->progress, "tracefs was not mounted; it is now, and stays so");
	if (!s->duration && !s->count && !s->workload && isatty(STDERR_FILENO))
		progress_say(t->run->progress, "tracing on %u CPUs; Ctrl-C ends it and prints",
			     info->online);
}

/* --- Rounds --- */

static int advance(struct tracing *t, uint64_t until, struct error *err)
{
	struct run *run = t->run;
	unsigned int cpus = live_source(t->live)->n_cpus;

	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		uint64_t page, drained = live_drained(t->live, cpu, &page);

		if (drained)
			stream_drained(run->stream, cpu, drained, page);
	}
	return stream_advance(run->stream, until, err) || run_check(run, err) ? -1 : 0;
}

static void say_guard(struct tracing *t, const struct live_result *result)
{
	const struct settings *s = t->run->settings;

	t->run->guarded = true;
	if (result->guard == GUARD_RATE)
		progress_say(t->run->progress,
			     "stopped: %.0f records came in a second, and "
			     "--max-rate allows %llu",
			     result->rate, (unsigned long long)s->max_rate);
	else
		progress_say(t->run->progress,
			     "stopped: records were lost in two successive "
			     "seconds, reading can't keep up; a larger buffer (-b) or a narrower "
			     "question (-p, --vm) may help");
}

/* Instances are open to everybody who may trace, and some tools reset all of them. */
static void say_meddled(struct tracing *t)
{
	t->run->guarded = true;
	progress_say(t->run->progress, "somebody else switched off what this run traced; what came "
				       "after that is missing, and perhaps some of what came right "
				       "before");
}

static bool ended_from_outside(struct tracing *t)
{
	return stop_asked(t->run->stop) || (t->workload && workload_ended(t->workload)) ||
	       run_done(t->run);
}

/*
 * Records that the kernel counted as lost and no mark gives a number for. At a boundary its count
 * is already ahead of what was handed on, so there it only stands in for marks without a number.
 */
static uint64_t count_unmarked(struct tracing *t, bool at_end)
{
	const struct stream_stats *stats = stream_stats(t->run->stream);
	uint64_t lost;

	if (!at_end && !stats->lost_unknown)
		return 0;
	lost = live_stats(t->live)->lost;
	return lost > stats->lost_records ? lost - stats->lost_records : 0;
}

/* --- What comes beside --- */

/*
 * Nothing came so far: does what would come beside it? Other CPUs or vCPUs than those asked for
 * can't be left out of that.
 */
static void begin_glance(struct tracing *t)
{
	const struct settings *s = t->run->settings;

	t->glanced = true;
	if (!t->run->analysis->facts_beside || s->has_cpus || s->vcpu != UINT64_MAX ||
	    !run_is_empty(t->run))
		return;
	t->glance = glance_new(s, &t->wanted, t->uname.machine, t->run->analysis->facts_beside);
	t->look_at = clock_now() + LOOK_FIRST;
}

/* Before a round. */
static void look_beside(struct tracing *t)
{
	uint64_t now = clock_now();

	if (!t->glanced && now >= t->run->start + GLANCE_AFTER)
		begin_glance(t);
	if (!t->glance || t->saw || now < t->look_at)
		return;
	t->look_at = now + LOOK_AGAIN;
	if (glance_saw(t->glance))
		t->saw = now;
	if (t->saw) {
		glance_close(t->glance);
	} else if (!run_is_empty(t->run)) {
		glance_free(t->glance);
		t->glance = NULL;
	}
}

/*
 * Before a report, when all before the horizon was handed on: of what was seen later it isn't known
 * whether it came alone.
 */
static void tell_beside(struct tracing *t, uint64_t horizon)
{
	if (t->saw && t->saw <= horizon && run_is_empty(t->run))
		t->run->env.analysis.beside = glance_names(t->glance);
}

/* --- Handing on --- */

/* Delivers what is known up to the horizon, with a report at each boundary on the way. */
static int hand_on(struct tracing *t, uint64_t horizon, bool *over, struct error *err)
{
	struct run *run = t->run;
	uint64_t boundary;

	while ((boundary = run_boundary(run)) <= horizon) {
		*over = run_is_over(run, boundary);
		if (advance(t, boundary, err) || run_sample(run, NULL, err))
			return -1;
		if (*over)
			run->unmarked = count_unmarked(t, false);
		tell_beside(t, boundary);
		if (run_report(run, boundary, *over, err))
			return -1;
		if (*over)
			return 0;
	}
	return advance(t, horizon, err);
}

/* Rounds until the run is over: then *reported says whether its last report was printed. */
static int rounds(struct tracing *t, bool *reported, struct error *err)
{
	struct run *run = t->run;
	struct live_result result;

	*reported = false;
	while (!ended_from_outside(t)) {
		const struct stream_stats *stats = stream_stats(run->stream);

		look_beside(t);
		if (live_round(t->live, run_boundary(run), &result, err) ||
		    hand_on(t, result.horizon, reported, err))
			return -1;
		if (!result.more)
			saved_comms_age(&t->comms);
		progress_show(run->progress, stats->records, stats->lost_records, -1);
		if (*reported)
			return 0;
		if (result.guard != GUARD_NONE) {
			say_guard(t, &result);
			return 0;
		}
	}
	return 0;
}

/* Tracing is off: all that is still in the buffers, and what reports are still to come. */
static int finish(struct tracing *t, struct error *err)
{
	uint64_t end = session_info(t->session)->end;
	struct run *run = t->run;
	struct live_result result;
	bool over = false;

	saved_comms_age(&t->comms);
	do {
		if (live_finish(t->live, &result, err) ||
		    hand_on(t, result.more ? min(result.horizon, end) : end, &over, err))
			return -1;
	} while (result.more && !over);
	if (over)
		return 0;
	if (advance(t, UINT64_MAX, err) || run_sample(run, NULL, err))
		return -1;
	run->unmarked = count_unmarked(t, true);
	if (t->glance && !t->saw && glance_saw(t->glance))
		t->saw = end;
	tell_beside(t, UINT64_MAX);
	return run_report(run, max(end, run->reported), true, err);
}

static const char *barrier_name(enum live_barrier barrier)
{
	switch (barrier) {
	case BARRIER_MEMBARRIER:
		return "membarrier";
	case BARRIER_AFFINITY:
		return "affinity";
	case BARRIER_MARGIN:
		return "10 ms margin";
	case BARRIER_NONE:
		break;
	}
	return "none needed";
}

static void say_end(const struct tracing *t)
{
	const struct session_info *info = session_info(t->session);
	const struct live_stats *stats = live_stats(t->live);
	char cpu[TEXT_UNIT_SIZE], lag[TEXT_UNIT_SIZE], size[TEXT_UNIT_SIZE], all[TEXT_UNIT_SIZE],
		setup[TEXT_UNIT_SIZE], probes[TEXT_UNIT_SIZE];

	progress_say(t->run->progress,
		     "own CPU time %s, lag at most %s, buffer %s on each CPU, "
		     "order by %s, set up in %s (of it probes %s); read %s",
		     text_ns(cpu, sizeof(cpu), stats->cpu_ns),
		     text_ns(lag, sizeof(lag), stats->lag_ns),
		     text_bytes(size, sizeof(size), info->buffer_size),
		     barrier_name(stats->barrier), text_ns(setup, sizeof(setup), info->new_ns),
		     text_ns(probes, sizeof(probes), info->probes_ns),
		     text_bytes(all, sizeof(all), stats->read_bytes));
}

static int trace(struct tracing *t, struct error *err)
{
	bool reported;

	if (start(t, err))
		return -1;
	say_start(t);
	if (rounds(t, &reported, err))
		return -1;
	if (t->glance && !t->saw)
		glance_stop(t->glance);
	if (session_stop(t->session, err))
		return -1;
	if (session_info(t->session)->meddled)
		say_meddled(t);
	if (!reported && finish(t, err))
		return -1;
	if (t->run->settings->verbose)
		say_end(t);
	return 0;
}

/* --- The whole --- */

/* Of functions and of texts, where they will be printed. */
static void load_names(struct run *run)
{
	const struct root *root = &run->settings->root;
	struct tfs tfs;
	char *texts;

	if (env_wants_symbols(&run->env))
		env_symbols(&run->env, ksyms_load(root, NULL));
	if (!env_prints(&run->env) || tfs_find(&tfs, root, false, NULL))
		return;
	texts = tfs_read(&tfs, "printk_formats");
	if (texts)
		env_texts(&run->env, texts, strlen(texts));
	free(texts);
}

static int set_up(struct tracing *t, struct error *err)
{
	struct run *run = t->run;
	struct session_request request;

	run_collect(run, t->uname.machine, run->settings->direct);
	wanted_rows(&t->wanted, &run->rows);
	if (run->analysis->specs && (events_parse(&run->events, run->settings, err) ||
				     events_expand_live(&run->events, run->settings, err)))
		return -1;
	wanted_events(&t->wanted, &run->events);
	if (wanted_threads(&t->wanted, run->settings, run->env.who, run->env.family, err))
		return -1;
	request = make_request(t);
	if (run->settings->dry_run)
		return print_plan(&request, run->output, err);
	t->session = session_new(&request, err);
	if (!t->session)
		return -1;
	run->source.cpus = session_info(t->session)->online;
	if (request.n_pids &&
	    wanted_follow(run->settings, run->env.who, run->env.family, t->session, err))
		return -1;
	if (t->wanted.n_roles) {
		run->extend = add_probes;
		run->extend_ctx = t;
	}
	if (bind(t, err))
		return -1;
	load_names(run);
	if (run_prepare(run, err))
		return -1;
	return trace(t, err);
}

int run_live(struct run *run, struct error *err)
{
	struct tracing t = { .run = run };
	struct machine machine;
	char host[256] = "";
	int status;

	uname(&t.uname);
	gethostname(host, sizeof(host) - 1);
	machine_look(&run->settings->root, &machine);
	run->source = (struct run_source){
		.kind = SOURCE_LIVE,
		.kernel = t.uname.release,
		.machine = t.uname.machine,
		.clock = CLOCK_LIVE,
		.host = *host ? host : NULL,
	};
	who_set_comms(run->env.who, comm_of, &t.comms);
	status = env_begin(&run->env, run->settings, run->env.who, err);
	if (!status) {
		run->env.analysis.native = machine_native(&machine);
		status = set_up(&t, err);
	}
	run_end(run);
	glance_free(t.glance);
	live_free(t.live);
	session_free(t.session);
	if (!status && t.workload)
		status = workload_wait(t.workload, run->stop);
	workload_free(t.workload);
	wanted_free(&t.wanted);
	who_set_comms(run->env.who, NULL, NULL);
	saved_comms_free(&t.comms);
	return status;
}
