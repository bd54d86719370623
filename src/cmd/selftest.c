// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `hvscope selftest`: does what is told here agree with what happened? A tiny guest with known
 * numbers of exits runs under `exits` itself - its session, stream, pairing and report - and counts
 * what it does; then the two are compared.
 *
 * Rule: the guest is a process of its own that traces nothing and knows nothing of the tracer.
 * Where KVM emulates its guests, kvm_exit never fires: then the events that do fire are compared.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "analysis/analysis.h"
#include "cmd/env.h"
#include "cmd/output.h"
#include "cmd/run.h"
#include "command.h"
#include "guest/guest.h"

/* One that hangs, because this KVM has a way of its own, must not hold us up. */
enum { GUEST_SECONDS = 60 };

static const struct guest_plan plan = {
	.vcpus = 2,
	.rounds = 10,
	.migrate = 7,
	.ops = {
		[GUEST_CPUID] = 40,
		[GUEST_PORT_OUT] = 30,
		[GUEST_PORT_IN] = 20,
		[GUEST_MMIO_WRITE] = 12,
		[GUEST_MMIO_READ] = 8,
		[GUEST_HLT] = 6,
	},
};

/* Facts that are compared one by one, beside the exits. */
enum seen { SEEN_PORT, SEEN_MMIO, SEEN_USER, SEEN_KINDS };

struct thread_seen {
	int32_t tid;
	uint64_t n[SEEN_KINDS];
};

struct selftest {
	struct settings settings; /* those of the run: env.h leads back from here */
	struct analysis analysis;
	const struct analysis *exits;
	void *exits_state;
	const struct analysis_env *env;
	struct thread_seen *threads;
	size_t n_threads;
	struct guest_truth truth[GUEST_MAX_VCPUS];
	unsigned int vcpus; /* that told the truth */
	int told;           /* a pipe: what the guest tells */
	bool silent;        /* kvm_exit never fired for the guest */
	unsigned int wrong; /* rows that don't agree */
};

/* --- Seen --- */

static void *selftest_new(const struct analysis_env *env, struct error *err)
{
	const struct settings *settings = ((const struct env *)env->ctx)->settings;
	struct selftest *t =
		(struct selftest *)((char *)settings - offsetof(struct selftest, settings));

	t->env = env;
	t->exits_state = t->exits->new (env, err);
	return t->exits_state ? t : NULL;
}

static void selftest_free(void *state)
{
	struct selftest *t = state;

	t->exits->free(t->exits_state);
	free(t->threads);
	t->threads = NULL;
	t->n_threads = 0;
}

static struct thread_seen *thread_of(struct selftest *t, uint32_t subject)
{
	int32_t tid = t->env->who(t->env->ctx, subject)->tid;

	for (size_t i = 0; i < t->n_threads; i++)
		if (t->threads[i].tid == tid)
			return &t->threads[i];
	t->threads = xreallocarray(t->threads, t->n_threads + 1, sizeof(*t->threads));
	t->threads[t->n_threads] = (struct thread_seen){ .tid = tid };
	return &t->threads[t->n_threads++];
}

static void selftest_feed(void *state, const struct fact *facts, size_t n)
{
	struct selftest *t = state;

	t->exits->feed(t->exits_state, facts, n);
	for (size_t i = 0; i < n; i++) {
		if (facts[i].kind == FACT_PORTIO)
			thread_of(t, facts[i].subject)->n[SEEN_PORT]++;
		else if (facts[i].kind == FACT_MMIO)
			thread_of(t, facts[i].subject)->n[SEEN_MMIO]++;
		else if (facts[i].kind == FACT_USEREXIT)
			thread_of(t, facts[i].subject)->n[SEEN_USER]++;
	}
}

static void selftest_lost(void *state, const struct loss *losses, size_t n)
{
	struct selftest *t = state;

	t->exits->lost(t->exits_state, losses, n);
}

static bool is_guest(const struct selftest *t, uint64_t tid)
{
	for (unsigned int i = 0; i < t->vcpus; i++)
		if ((uint64_t)t->truth[i].tid == tid)
			return true;
	return false;
}

static uint64_t seen(const struct selftest *t, enum seen kind)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->n_threads; i++)
		if (is_guest(t, t->threads[i].tid))
			sum += t->threads[i].n[kind];
	return sum;
}

/* The guest's exits by `name` (SVM's or VMX's), NULL: all, as `exits` reports them. */
static uint64_t exits_seen(const struct selftest *t, const struct report *report, const char *svm,
			   const char *vmx)
{
	const struct table *table = report_table(report, "exits");
	int tid = table_find(table, "tid"), reason = table_find(table, "reason"),
	    exits = table_find(table, "exits");
	uint64_t sum = 0;

	for (size_t i = 0; i < table->nr_rows; i++) {
		const struct cell *cells = table->rows[i]->cells;

		if (!cells[tid].set || !is_guest(t, cells[tid].v.u))
			continue;
		if (!svm || !strcmp(cells[reason].v.text, svm) ||
		    !strcmp(cells[reason].v.text, vmx))
			sum += cells[exits].v.u;
	}
	return sum;
}

/* --- Done --- */

/* The guest has ended, so all that it told is in the pipe. */
static void truth_read(struct selftest *t)
{
	char text[GUEST_MAX_VCPUS * 512], *rest = text, *line;
	ssize_t n = read(t->told, text, sizeof(text) - 1);

	if (n <= 0)
		return;
	text[n] = '\0';
	while (t->vcpus < GUEST_MAX_VCPUS && (line = strsep(&rest, "\n")) != NULL)
		if (*line)
			guest_truth_parse(&t->truth[t->vcpus++], line);
}

static uint64_t done(const struct selftest *t, enum guest_op op)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < t->vcpus; i++)
		sum += t->truth[i].done[op];
	return sum;
}

static uint64_t ports_done(const struct selftest *t)
{
	/* Each vCPU says at a port that it is at its end, which ends it: it counted no more. */
	return done(t, GUEST_PORT_OUT) + done(t, GUEST_PORT_IN) + t->vcpus;
}

static bool all_came_to_end(const struct selftest *t)
{
	for (unsigned int i = 0; i < t->vcpus; i++)
		if (!t->truth[i].ok)
			return false;
	return t->vcpus == plan.vcpus;
}

/* --- Compared --- */

enum { WHAT, DONE, SEEN, EQUAL };

static const struct column columns[] = {
	[WHAT] = { .key = "what",
		   .title = "WHAT",
		   .type = COLUMN_TEXT,
		   .flags = COLUMN_LABEL,
		   .help = "What the guest did" },
	[DONE] = { .key = "done",
		   .title = "DONE",
		   .type = COLUMN_COUNT,
		   .flags = COLUMN_GAUGE,
		   .help = "How often, counted by the guest" },
	[SEEN] = { .key = "seen",
		   .title = "SEEN",
		   .type = COLUMN_COUNT,
		   .flags = COLUMN_GAUGE,
		   .help = "How often it was seen" },
	[EQUAL] = { .key = "equal",
		    .title = "EQUAL",
		    .type = COLUMN_BOOL,
		    .help = "Whether the two agree" },
};

static void compare(struct selftest *t, struct table *table, const char *what, uint64_t n_done,
		    uint64_t n_seen)
{
	struct row *row = table_row(table);

	row_text(row, WHAT, what);
	row_count(row, DONE, n_done);
	row_count(row, SEEN, n_seen);
	row_bool(row, EQUAL, n_done == n_seen);
	t->wrong += n_done != n_seen;
}

static void compare_all(struct selftest *t, struct table *table, const struct report *exits)
{
	uint64_t mmio = done(t, GUEST_MMIO_WRITE) + done(t, GUEST_MMIO_READ);

	t->silent = !exits_seen(t, exits, NULL, NULL);
	if (!t->silent) {
		compare(t, table, "exits: cpuid", done(t, GUEST_CPUID),
			exits_seen(t, exits, "cpuid", "CPUID"));
		compare(t, table, "exits: port I/O", ports_done(t),
			exits_seen(t, exits, "io", "IO_INSTRUCTION"));
		compare(t, table, "exits: halt", done(t, GUEST_HLT),
			exits_seen(t, exits, "hlt", "HLT"));
	}
	compare(t, table, "port accesses", ports_done(t), seen(t, SEEN_PORT));
	compare(t, table, "MMIO accesses", mmio, seen(t, SEEN_MMIO));
	compare(t, table, "ways out to user space", ports_done(t) + mmio + done(t, GUEST_HLT),
		seen(t, SEEN_USER));
}

static void add_notes(const struct selftest *t, struct report *report)
{
	if (!t->vcpus || !all_came_to_end(t)) {
		report_note(report, "The guest did not come to its end, so nothing is proved.");
		return;
	}
	if (t->silent)
		report_note(report, "kvm_exit never fired: this KVM emulates its guests, and "
				    "'hvscope exits' has nothing to show here. The events that do "
				    "fire were compared.");
	if (t->wrong)
		report_note(report, "%u of these counts are wrong.", t->wrong);
	else
		report_note(report, "All counts are exact.");
}

static void selftest_report(void *state, struct report *report, uint64_t now, bool last)
{
	struct selftest *t = state;
	struct report *exits = report_new("exits", NULL);
	struct table *table =
		table_new(report, &(struct table_layout){
					  .name = "selftest",
					  .title = "what a guest did, and what was seen of it",
					  .columns = columns,
					  .nr_columns = ARRAY_SIZE(columns),
				  });

	if (last)
		truth_read(t);
	t->wrong = 0;
	t->exits->report(t->exits_state, exits, now, last);
	compare_all(t, table, exits);
	report->lost.intervals = exits->lost.intervals;
	report->lost.intervals_discarded = exits->lost.intervals_discarded;
	report->vcpus = t->vcpus;
	if (last)
		add_notes(t, report);
	report_free(exits);
}

/* --- The whole --- */

/* `hvscope selftest guest`: only the guest, to be watched by whoever wants to. */
static int run_guest(const struct settings *s, struct error *err)
{
	struct guest_truth truth[GUEST_MAX_VCPUS];
	struct output *output = output_open(s->output, OUTPUT_ONCE, err);
	int status = -1;

	if (!output)
		return -1;
	alarm(GUEST_SECONDS);
	if (!guest_run(&plan, truth, err)) {
		for (unsigned int i = 0; i < plan.vcpus; i++)
			guest_truth_print(&truth[i], output_stream(output));
		status = output_report(output, err) || output_done(output, err) ? -1 : 0;
	}
	output_free(output);
	return status;
}

static int run_watched(struct selftest *t, char *pipe_path, struct error *err)
{
	char self[] = "/proc/self/exe", verb[] = "selftest", word[] = "guest", o[] = "-o";
	char *guest[] = { self, verb, word, o, pipe_path, NULL };
	int status;

	t->settings.command.analysis = &t->analysis;
	t->settings.by = KEY_BIT(KEY_TID) | KEY_BIT(KEY_REASON);
	t->settings.workload = guest;
	status = run_analysis(&t->settings, err);
	if (status < 0)
		err->status = 1;
	if (status < 0 || t->settings.dry_run)
		return status;
	/* A status above 0 is that of a guest that didn't come to its end. */
	return t->wrong || !all_came_to_end(t) ? 1 : 0;
}

static int run_selftest(const struct settings *s, struct error *err)
{
	struct selftest t = { .settings = *s, .exits = analysis_find("exits") };
	char path[64];
	int ends[2], status;

	if (s->n_words > 1 || (s->n_words && strcmp(s->words[0], "guest")))
		return error_set_status(err, 2, "hvscope selftest takes only the word 'guest'");
	if (s->n_words)
		return run_guest(s, err);
	if (guest_check(err))
		return -1;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return error_errno(err, errno, "can't make a pipe");
	t.told = ends[0];
	t.analysis = (struct analysis){
		.name = s->command.name,
		.facts = t.exits->facts,
		.facts_optional = t.exits->facts_optional | FACT_BIT(FACT_PORTIO) |
				  FACT_BIT(FACT_MMIO) | FACT_BIT(FACT_USEREXIT),
		.order = t.exits->order,
		.keys = t.exits->keys,
		.new = selftest_new,
		.lost = selftest_lost,
		.feed = selftest_feed,
		.report = selftest_report,
		.free = selftest_free,
	};
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), ends[1]);
	status = run_watched(&t, path, err);
	close(ends[0]);
	close(ends[1]);
	return status;
}

const struct command command_selftest = {
	.name = "selftest",
	.summary = "Run a tiny guest and check that its exits are counted exactly",
	.operands = OPERANDS_FREE,
	.needs = NEEDS_TRACING | NEEDS_KVM,
	.usage = "[guest]",
	.run = run_selftest,
};
