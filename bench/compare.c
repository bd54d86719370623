// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hvscope and its peers on the same events, one after the other and round after round, so that
 * what else happens on the machine meets all of them alike.
 *
 *	compare HVSCOPE TOOLS [RECORDS [ROUNDS]]
 *
 * TOOLS is the folder with generate, iterate and touch.
 *
 * Figures are CPU time (user and system, children included) per record, the ratio to hvscope's in
 * the same round, and peak memory. A peer that isn't installed is left out, and said so.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"

enum { MAX_ROUNDS = 31, MAX_ARGS = 12 };

/* What is run; "%dat" and "%perf" stand for the files. */
struct command {
	const char *name;
	const char *args[MAX_ARGS];
};

struct result {
	double ns[MAX_ROUNDS]; /* of CPU time, per record */
	double megabytes;
	bool failed;
};

struct bench {
	char *generate, *iterate, *touch;
	char *dir, *dat, *perf;
	uint64_t records;
	int rounds;
};

static double cpu_ns(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e9 +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1e3;
}

/* Runs it with its output thrown away; false when it couldn't be run or failed. */
static bool run(const char *const *args, struct rusage *usage)
{
	pid_t pid = fork();
	int status, null;

	if (!pid) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		setenv("LC_ALL", "C", 1);
		execvp(args[0], (char *const *)(uintptr_t)args);
		_exit(127);
	}
	return pid > 0 && wait4(pid, &status, 0, usage) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

static void run_command(const struct bench *b, const struct command *c, int round,
			struct result *to)
{
	const char *args[MAX_ARGS + 1] = { NULL };
	struct rusage usage;

	for (int i = 0; i < MAX_ARGS && c->args[i]; i++)
		args[i] = !strcmp(c->args[i], "%dat")  ? b->dat :
			  !strcmp(c->args[i], "%perf") ? b->perf : c->args[i];
	if (to->failed || !run(args, &usage)) {
		to->failed = true;
		return;
	}
	to->ns[round] = cpu_ns(&usage) / (double)b->records;
	to->megabytes = max(to->megabytes, (double)usage.ru_maxrss / 1024);
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Least, median and greatest. */
static void print_three(double *values, int n, int width)
{
	qsort(values, (size_t)n, sizeof(*values), by_value);
	printf("%*.1f %*.1f %*.1f", width, values[0], width, values[n / 2], width, values[n - 1]);
}

static void print_result(const struct bench *b, const struct command *c, const struct result *r,
			 const struct result *ours)
{
	double ns[MAX_ROUNDS], ratio[MAX_ROUNDS];

	if (r->failed) {
		printf("%-40s not installed, or it failed\n", c->name);
		return;
	}
	memcpy(ns, r->ns, sizeof(ns));
	for (int i = 0; i < b->rounds; i++)
		ratio[i] = r->ns[i] / ours->ns[i];
	printf("%-40s", c->name);
	print_three(ns, b->rounds, 8);
	printf("  ");
	print_three(ratio, b->rounds, 6);
	printf(" %7.0f\n", r->megabytes);
}

/* Runs all commands on one load and prints a table; the first command is the measure. */
static void compare(const struct bench *b, const struct command *commands, size_t n,
		    unsigned int cpus, unsigned int threads, unsigned int migrations)
{
	char text[4][24];
	const char *generate[] = { b->generate, b->dir, text[0], text[1], text[2], text[3], NULL };
	struct result *results = xcalloc(n, sizeof(*results));
	struct rusage usage;

	snprintf(text[0], sizeof(text[0]), "%" PRIu64, b->records);
	snprintf(text[1], sizeof(text[1]), "%u", cpus);
	snprintf(text[2], sizeof(text[2]), "%u", threads);
	snprintf(text[3], sizeof(text[3]), "%u", migrations);
	if (!run(generate, &usage)) {
		fprintf(stderr, "compare: %s could not write its files\n", b->generate);
		exit(1);
	}
	printf("\n%u CPUs, %u threads, %u migrations per CPU and second\n", cpus, threads,
	       migrations);
	printf("%-40s%8s %8s %8s  %6s %6s %6s %7s\n", "", "ns min", "median", "max", "ratio",
	       "median", "max", "MB");
	for (int round = 0; round < b->rounds; round++)
		for (size_t i = 0; i < n; i++)
			run_command(b, &commands[i], round, &results[i]);
	for (size_t i = 0; i < n; i++)
		print_result(b, &commands[i], &results[i], &results[0]);
	fflush(stdout);
	free(results);
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/hvscope-bench.XXXXXX";
	struct bench b = {
		.dir = dir, .rounds = 5, .records = 2000000,
		.generate = xasprintf("%s/generate", argc > 2 ? argv[2] : "."),
		.iterate = xasprintf("%s/iterate", argc > 2 ? argv[2] : "."),
		.touch = xasprintf("%s/touch", argc > 2 ? argv[2] : "."),
	};
	/* the dear ones last: most loads are left to the first of them */
	enum { LIBRARY = 3, PERF, ALL };
	const struct command commands[ALL] = {
		{ "hvscope exits",
		  { argv[1], "exits", "-i", "%dat", "--by", "reason", "-f", "json" } },
		{ "mapping and touching the bytes", { b.touch, "%dat" } },
		{ "tracecmd_iterate_events, empty", { b.iterate, "%dat" } },
		{ "perf kvm stat report", { "perf", "kvm", "-i", "%perf", "stat", "report" } },
		{ "trace-cmd report", { "trace-cmd", "report", "-i", "%dat" } },
	};

	if (argc < 3) {
		fprintf(stderr, "usage: compare HVSCOPE TOOLS [RECORDS [ROUNDS]]\n");
		return 2;
	}
	if (argc > 3)
		b.records = max(strtoull(argv[3], NULL, 0), 1ull);
	if (argc > 4)
		b.rounds = max(1, min(MAX_ROUNDS, (int)strtol(argv[4], NULL, 0)));
	if (!mkdtemp(dir)) {
		fprintf(stderr, "compare: %s: %s\n", dir, strerror(errno));
		return 1;
	}
	b.dat = xasprintf("%s/bench.dat", dir);
	b.perf = xasprintf("%s/bench.perf", dir);
	printf("%" PRIu64 " records, %d rounds; CPU time per record, ratio to hvscope, memory\n",
	       b.records, b.rounds);
	compare(&b, commands, ALL, 2, 2, 0);
	compare(&b, commands, LIBRARY, 2, 8, 1000);
	compare(&b, commands, LIBRARY, 64, 64, 0);
	compare(&b, commands, LIBRARY, 256, 256, 0);
	compare(&b, commands, LIBRARY, 2, 10000, 0);
	/* perf's time grows with the CPUs: a few records will do */
	b.records = min(b.records, (uint64_t)300000);
	b.rounds = 1;
	compare(&b, commands, PERF, 64, 64, 0);
	unlink(b.dat);
	unlink(b.perf);
	rmdir(dir);
	free(b.dat);
	free(b.perf);
	free(b.generate);
	free(b.iterate);
	free(b.touch);
	return 0;
}
