// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What live tracing costs: the reader per record, the start and the stop, and the workload per pair
 * of events, hvscope's and that of its peers, round after round so that what else happens on the
 * machine meets all of them alike.
 *
 *	live HVSCOPE [SECONDS [ROUNDS [CALLS]]]
 *
 * The load is a loop of getppid() on every CPU but the first, where the readers are kept; for the
 * pairing of exits it is a guest that does CPUID. Figures are CPU time, but for start and stop. It
 * wants root and never fails on time: what can't run here is left out with the reason.
 *
 *	live load CALLS FILE
 *
 * is the load of the cost to the workload: CPU time per call is written to FILE.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/util.h"
#include "guest/guest.h"

enum { MAX_ROUNDS = 31, MAX_ARGS = 20, MAX_LOADS = 255, TEXT = 65536 };

#define ENTER "raw_syscalls:sys_enter"
#define EXIT "raw_syscalls:sys_exit"

struct bench {
	char self[4096]; /* this program */
	char dir[32];    /* our files' folder, and they: */
	char *out, *err, *file;
	const char *hvscope;
	int cpus, rounds;
	double seconds;
	const char *calls;
};

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void pause_for(double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds };

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	while (nanosleep(&t, &t) && errno == EINTR)
		continue;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* --- Values of the rounds --- */

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Least, median and greatest; returns the median. */
static double print_three(const char *what, double *values, int n, const char *unit)
{
	qsort(values, (size_t)n, sizeof(*values), by_value);
	printf("  %-44s%10.2f %10.2f %10.2f  %s\n", what, values[0], values[n / 2], values[n - 1],
	       unit);
	return values[n / 2];
}

/* --- Programs --- */

/* What a program said, as far as it fits. */
static void read_text(const char *path, char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT - 1);

	text[max(n, (ssize_t)0)] = '\0';
	if (fd >= 0)
		close(fd);
}

static char *last_line(char *text)
{
	char *line;

	if (*text)
		text[strlen(text) - 1] = '\0'; /* its newline */
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

/* Where programs that print their usage after an error have the error. */
static char *first_line(char *text)
{
	text += strspn(text, " \n");
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* Starts it on the first CPU; its two outputs go to our files. */
static pid_t start(const struct bench *b, const char *const *args)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	pin(0);
	if (dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO) < 0 ||
	    dup2(open(b->out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), STDOUT_FILENO) < 0 ||
	    dup2(open(b->err, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), STDERR_FILENO) < 0)
		_exit(126);
	setenv("LC_ALL", "C", 1);
	execvp(args[0], (char *const *)(uintptr_t)args);
	_exit(127);
}

/* --- Loads --- */

enum load { LOAD_NONE, LOAD_CALLS, LOAD_GUEST };

static _Noreturn void run_load(enum load load)
{
	const struct guest_plan plan = {
		.ops = { [GUEST_CPUID] = 1000000 },
		.rounds = 1,
		.vcpus = 1,
	};
	struct guest_truth truth[GUEST_MAX_VCPUS];
	struct error err;

	while (load == LOAD_CALLS)
		syscall(SYS_getppid);
	while (!guest_run(&plan, truth, &err) && truth[0].ok)
		continue;
	_exit(1);
}

/* One on each CPU but the first; on a machine with one CPU, there. */
static int start_loads(const struct bench *b, enum load load, pid_t *pids)
{
	int n = load == LOAD_NONE ? 0 : min(max(b->cpus - 1, 1), (int)MAX_LOADS);

	for (int i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin(b->cpus > 1 ? i + 1 : 0);
		run_load(load);
	}
	return n;
}

static void stop_loads(const pid_t *pids, int n)
{
	for (int i = 0; i < n; i++) {
		if (pids[i] <= 0)
			continue;
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

/* --- Reading --- */

/* One run of hvscope. */
struct reading {
	double records, lost, seconds; /* of tracing */
	double cpu_ns;                 /* from its start to its end */
	double reading_ns;             /* of it between set-up and end, as -v says */
	double start_ms;               /* from its start to tracing */
	double stop_ms;                /* from the signal to its end */
};

/* A number of the JSON that hvscope writes: of its first such key. */
static double number_of(const char *json, const char *key)
{
	const char *at = strstr(json, key);

	return at ? strtod(at + strlen(key), NULL) : 0;
}

/* Of the line of -v. */
static double reading_time(const char *text)
{
	static const char key[] = "own CPU time ";
	const char *at = strstr(text, key);
	char *unit;
	double value = at ? strtod(at + strlen(key), &unit) : 0;

	if (!at || *unit == 'n')
		return value;
	return value * (*unit == 'u' ? 1e3 : *unit == 'm' ? 1e6 : 1e9);
}

/* Traces for the time asked for under a load. False with the program's last line in `text`. */
static bool read_once(const struct bench *b, const char *const *args, enum load load,
		      struct reading *to, char *text)
{
	pid_t loads[MAX_LOADS], pid;
	const int n = start_loads(b, load, loads);
	uint64_t begin, end;
	struct rusage u;
	int status;

	begin = now(CLOCK_MONOTONIC);
	pid = start(b, args);
	pause_for(b->seconds);
	end = now(CLOCK_MONOTONIC);
	kill(pid, SIGINT);
	if (wait4(pid, &status, 0, &u) != pid)
		status = -1;
	to->stop_ms = (double)(now(CLOCK_MONOTONIC) - end) / 1e6;
	stop_loads(loads, n);
	read_text(b->out, text);
	to->records = number_of(text, "\"records\": ");
	to->lost = number_of(text, "\"lost\": {\"records\": ");
	to->seconds = number_of(text, "\"span_ns\": ") / 1e9;
	to->start_ms = (number_of(text, "\"begin_ns\": ") - (double)begin) / 1e6;
	to->cpu_ns = (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 +
		     (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
	read_text(b->err, text);
	to->reading_ns = reading_time(text);
	return !status && to->seconds > 0;
}

/* A program under a load, all rounds of it. */
struct series {
	const char *name, *args[MAX_ARGS];
	enum load load;
	const char *skipped; /* why there is nothing */
	struct reading rounds[MAX_ROUNDS];
	char said[TEXT];
};

/* Rounds with fewer records than this tell nothing about one record. */
enum { FEW_RECORDS = 1000 };

static void read_round(const struct bench *b, struct series *s, int round)
{
	struct reading *r = &s->rounds[round];

	if (s->skipped)
		return;
	if (!read_once(b, s->args, s->load, r, s->said))
		s->skipped = last_line(s->said);
	else if (s->load == LOAD_GUEST && r->records < FEW_RECORDS)
		s->skipped = "no kvm_exit came: a KVM that emulates its guests has none";
}

/* CPU times of a run without load: they are not the records'. */
struct quiet {
	double cpu_ns, reading_ns;
};

static struct quiet print_series(const struct bench *b, struct series *s, struct quiet quiet)
{
	double v[8][MAX_ROUNDS];
	struct quiet cpu = { 0 };

	printf("\n%s\n", s->name);
	if (s->skipped) {
		printf("  skipped: %s\n", s->skipped);
		return cpu;
	}
	for (int i = 0; i < b->rounds; i++) {
		const struct reading *r = &s->rounds[i];

		v[0][i] = r->records / r->seconds / 1e6;
		v[1][i] = r->lost;
		v[2][i] = r->cpu_ns / 1e6;
		v[3][i] = max(r->cpu_ns - quiet.cpu_ns, 0.0) / max(r->records, 1.0);
		v[4][i] = max(r->cpu_ns - quiet.cpu_ns, 0.0) / r->seconds / 1e7;
		v[5][i] = r->start_ms;
		v[6][i] = r->stop_ms;
		v[7][i] = r->reading_ns / 1e6;
	}
	print_three("records", v[0], b->rounds, "M/s");
	print_three("lost", v[1], b->rounds, "records");
	cpu.cpu_ns = print_three("CPU time of the whole run", v[2], b->rounds, "ms") * 1e6;
	cpu.reading_ns = print_three("... of it reading", v[7], b->rounds, "ms") * 1e6;
	if (s->load != LOAD_NONE) {
		for (int i = 0; i < b->rounds; i++)
			v[7][i] = max(s->rounds[i].reading_ns - quiet.reading_ns, 0.0) /
				  max(s->rounds[i].records, 1.0);
		print_three("reading, beyond that of a quiet run", v[7], b->rounds, "ns/record");
		print_three("CPU time beyond that of a quiet run", v[3], b->rounds, "ns/record");
		print_three("... as share of a core", v[4], b->rounds, "%");
	}
	print_three("start of the program to tracing", v[5], b->rounds, "ms");
	print_three("signal to the program's end", v[6], b->rounds, "ms");
	printf("  last: %s\n", last_line(s->said));
	return cpu;
}

static void measure_reading(const struct bench *b)
{
	enum { QUIET, N = 4 };
	const char *h = b->hvscope;
	struct series *s = xcalloc(N, sizeof(*s));
	const struct quiet none = { 0 };
	struct error err;
	struct quiet quiet;

	s[QUIET] = (struct series){ .name = "hvscope exits -v, no load of ours",
				    .args = { h, "exits", "-v", "-f", "json" } };
	s[1] = (struct series){ .name = "hvscope count -v " ENTER ", no load of ours",
				.args = { h, "count", "-v", "-f", "json", ENTER } };
	s[2] = (struct series){ .name = "hvscope count -v " ENTER ", getppid loops",
				.load = LOAD_CALLS,
				.args = { h, "count", "-v", "-f", "json", ENTER } };
	s[3] = (struct series){ .name = "hvscope exits -v, guests that do CPUID",
				.load = LOAD_GUEST,
				.args = { h, "exits", "-v", "-f", "json" } };
	if (guest_check(&err))
		s[3].skipped = err.text;
	for (int round = 0; round < b->rounds; round++)
		for (int i = 0; i < N; i++)
			read_round(b, &s[i], round);
	quiet = print_series(b, &s[QUIET], none);
	/* each load's own quiet run: the programs don't start alike */
	print_series(b, &s[3], quiet);
	quiet = print_series(b, &s[1], none);
	print_series(b, &s[2], quiet);
	fflush(stdout);
	free(s);
}

/* --- Cost to the workload --- */

static int load_main(const char *calls, const char *path)
{
	const uint64_t n = max(strtoull(calls, NULL, 0), 1ull);
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	FILE *f = fopen(path, "we");
	uint64_t begin;

	if (!f) {
		perror(path);
		return 1;
	}
	pin((int)cpus - 1);
	begin = now(CLOCK_PROCESS_CPUTIME_ID);
	for (uint64_t i = 0; i < n; i++)
		syscall(SYS_getppid);
	fprintf(f, "%.3f\n", (double)(now(CLOCK_PROCESS_CPUTIME_ID) - begin) / (double)n);
	return fclose(f) ? 1 : 0;
}

/* The events with nothing around them: what is added is the kernel's part of any tracer's cost. */
static const char bare_script[] =
	"i=/sys/kernel/tracing/instances/bench.hvscope; mkdir -p $i && echo mono >$i/trace_clock && "
	"echo " ENTER " >$i/set_event && echo " EXIT " >>$i/set_event && \"$@\"; status=$?; "
	"echo >$i/set_event; rmdir $i; exit $status";

/* Who traces a load; the load's command follows, as one word where `joined`. */
struct tracer {
	const char *name, *args[MAX_ARGS];
	bool joined;
};

struct cost {
	double ns[MAX_ROUNDS]; /* per call */
	char *skipped;
};

static void run_traced(const struct bench *b, const struct tracer *t, int round, struct cost *to)
{
	char *joined = xasprintf("%s load %s %s", b->self, b->calls, b->file);
	const char *const load[] = { b->self, "load", b->calls, b->file };
	const char *args[MAX_ARGS + ARRAY_SIZE(load) + 1] = { NULL };
	char *text = xcalloc(1, TEXT);
	int n = 0, status;
	pid_t pid;

	for (; t->args[n]; n++)
		args[n] = t->args[n];
	for (size_t i = 0; !t->joined && i < ARRAY_SIZE(load); i++)
		args[n++] = load[i];
	if (t->joined)
		args[n] = joined;
	unlink(b->file);
	pid = start(b, args);
	if (waitpid(pid, &status, 0) != pid)
		status = -1;
	read_text(b->file, text);
	to->ns[round] = strtod(text, NULL);
	read_text(b->err, text);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		to->skipped = xstrdup("not installed");
	else if (status || to->ns[round] <= 0)
		to->skipped = xstrdup(first_line(text));
	free(text);
	free(joined);
}

static void print_cost(const struct bench *b, const struct tracer *t, const struct cost *c,
		       const struct cost *plain, const struct cost *ours)
{
	double added[MAX_ROUNDS], ratio[MAX_ROUNDS];

	printf("\n%s\n", t->name);
	if (c->skipped || plain->skipped) {
		printf("  skipped: %s\n", c->skipped ? c->skipped : "the load alone didn't run");
		return;
	}
	for (int i = 0; i < b->rounds; i++) {
		added[i] = c == plain ? c->ns[i] : c->ns[i] - plain->ns[i];
		ratio[i] = (ours->ns[i] - plain->ns[i]) / added[i];
	}
	print_three(c == plain ? "a call" : "added to a call, which is two events", added,
		    b->rounds, "ns");
	if (c != plain && c != ours && !ours->skipped)
		print_three("hvscope's share of that", ratio, b->rounds, "");
}

static void measure_cost(const struct bench *b)
{
	enum { PLAIN, OURS, N = 7 };
	const struct tracer tracers[N] = {
		[PLAIN] = { .name = "getppid loop, not traced" },
		[OURS] = { .name = "hvscope count",
			   .args = { b->hvscope, "count", "-q", ENTER, EXIT, "--" } },
		{ .name = "ftrace that nobody reads", .args = { "sh", "-c", bare_script, "sh" } },
		{ .name = "perf stat -a",
		  .args = { "perf", "stat", "-a", "-e", ENTER, "-e", EXIT, "--" } },
		{ .name = "perf record -a",
		  .args = { "perf", "record", "-a", "-q", "-o", "/dev/null", "-e", ENTER, "-e",
			    EXIT, "--" } },
		{ .name = "bpftrace, count",
		  .joined = true,
		  .args = { "bpftrace", "-e",
			    "tracepoint:" ENTER ", tracepoint:" EXIT " { @[probe] = count(); }",
			    "-c" } },
		{ .name = "bpftrace, histogram of the time between",
		  .joined = true,
		  .args = { "bpftrace", "-e",
			    "tracepoint:" ENTER " { @s[tid] = nsecs; } "
			    "tracepoint:" EXIT " /@s[tid]/ "
			    "{ @[args->id] = hist(nsecs - @s[tid]); delete(@s[tid]); }",
			    "-c" } },
	};
	struct cost *costs = xcalloc(N, sizeof(*costs));

	for (int round = 0; round < b->rounds; round++)
		for (int i = 0; i < N; i++)
			if (!costs[i].skipped)
				run_traced(b, &tracers[i], round, &costs[i]);
	for (int i = 0; i < N; i++)
		print_cost(b, &tracers[i], &costs[i], &costs[PLAIN], &costs[OURS]);
	for (int i = 0; i < N; i++)
		free(costs[i].skipped);
	free(costs);
}

/* --- The whole --- */

static void print_machine(const struct bench *b)
{
	double load[3] = { 0 };
	struct utsname u;

	if (uname(&u) || getloadavg(load, 3) < 0)
		return;
	printf("Linux %s %s, %d CPUs, load average %.1f %.1f %.1f\n", u.release, u.machine, b->cpus,
	       load[0], load[1], load[2]);
	printf("%d rounds of %.1f s, loops of %s calls; least, median and greatest\n", b->rounds,
	       b->seconds, b->calls);
	fflush(stdout);
}

static bool prepare(struct bench *b, int argc, char **argv)
{
	ssize_t n = readlink("/proc/self/exe", b->self, sizeof(b->self) - 1);

	b->hvscope = argv[1];
	if (argc > 2)
		b->seconds = max(strtod(argv[2], NULL), 0.1);
	if (argc > 3)
		b->rounds = max(1, min((int)MAX_ROUNDS, (int)strtol(argv[3], NULL, 0)));
	if (argc > 4)
		b->calls = argv[4];
	if (n < 0 || !mkdtemp(b->dir)) {
		fprintf(stderr, "live: %s: %s\n", b->dir, strerror(errno));
		return false;
	}
	b->out = xasprintf("%s/out", b->dir);
	b->err = xasprintf("%s/err", b->dir);
	b->file = xasprintf("%s/ns", b->dir);
	return true;
}

int main(int argc, char **argv)
{
	struct bench b = {
		.dir = "/tmp/hvscope-bench.XXXXXX",
		.seconds = 1,
		.rounds = 3,
		.calls = "300000",
		.cpus = (int)sysconf(_SC_NPROCESSORS_ONLN),
	};

	if (argc == 4 && !strcmp(argv[1], "load"))
		return load_main(argv[2], argv[3]);
	if (argc < 2) {
		fprintf(stderr, "usage: live HVSCOPE [SECONDS [ROUNDS [CALLS]]]\n");
		return 2;
	}
	if (!prepare(&b, argc, argv))
		return 1;
	print_machine(&b);
	measure_reading(&b);
	measure_cost(&b);
	unlink(b.out);
	unlink(b.err);
	unlink(b.file);
	rmdir(b.dir);
	free(b.out);
	free(b.err);
	free(b.file);
	return 0;
}
