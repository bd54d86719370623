// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The program on damaged traces, from end to end: each run prints its result or one sentence and
 * status 1, in bounded time, and a result that isn't there leaves no file behind. The libraries
 * that parse formats may crash on them: that is a sentence too, and counted here.
 *
 * HVSCOPE_DAMAGE=N: copies of each file (default 250), HVSCOPE_SEED=N: other ones.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/damage.h"
#include "tests/tap.h"
#include "trace/tracedat-write.h"

/* A folder with nothing but what a run gets and leaves. */
struct bench {
	char dir[64];
	char input[96], output[96], errors[96];
	const char *program;
};

static void bench_new(struct bench *b)
{
	const char *tmp = getenv("TMPDIR");

	b->program = getenv("HVSCOPE");
	if (!b->program)
		skip_all("HVSCOPE doesn't name the program");
	snprintf(b->dir, sizeof(b->dir), "%.40s/hvscope-damaged-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(b->dir)) {
		printf("Bail out! no folder %s\n", b->dir);
		exit(1);
	}
	snprintf(b->input, sizeof(b->input), "%s/trace.dat", b->dir);
	snprintf(b->output, sizeof(b->output), "%s/out", b->dir);
	snprintf(b->errors, sizeof(b->errors), "%s/errors", b->dir);
}

static void bench_free(struct bench *b)
{
	unlink(b->input);
	unlink(b->output);
	unlink(b->errors);
	ok(!rmdir(b->dir), "nothing else was left behind");
}

static void store(const char *path, const struct blob *b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, b->p, b->len) != (ssize_t)b->len) {
		printf("Bail out! no room for %s\n", path);
		exit(1);
	}
	close(fd);
}

/* `spec`: of the events to count; NULL for an analysis without one. */
static void become(const struct bench *b, const char *command, const char *spec)
{
	int errors = open(b->errors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	dup2(errors, STDERR_FILENO);
	alarm(20); /* ends a run that hangs, as a signal that nobody else sends */
	execl(b->program, b->program, command, "-i", b->input, "-f", "json", "-o", b->output, spec,
	      (char *)NULL);
	_exit(127);
}

/* Its wait status, and what it said. */
static int run(const struct bench *b, const char *command, const char *spec, char *said,
	       size_t size)
{
	int status = 0, fd;
	ssize_t n;
	pid_t pid;

	unlink(b->output);
	pid = fork();
	if (!pid)
		become(b, command, spec);
	waitpid(pid, &status, 0);
	fd = open(b->errors, O_RDONLY | O_CLOEXEC);
	n = read(fd, said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close(fd);
	return status;
}

/* One line "hvscope: …" that ends with a newline. */
static bool is_sentence(const char *said)
{
	const char *end = strchr(said, '\n');

	return !strncmp(said, "hvscope: ", 9) && end && !end[1];
}

/* With sanitizers, a library's crash is their report, before the sentence. */
static bool is_blame(const char *said)
{
	const char *frame = strstr(said, "    #0 ");
	const char *end = frame ? strchr(frame, '\n') : NULL;
	const char *library = frame ? strstr(frame, "/libtrace") : NULL;
	const char *last = strstr(said, "\nhvscope: ");

	return library && library < end && last && is_sentence(last + 1);
}

struct tally {
	unsigned int results, refused, crashed;
	unsigned int wrong;
};

static void judge(const struct bench *b, int status, const char *said, struct tally *t)
{
	bool there = !access(b->output, F_OK);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && there) {
		t->results++;
		return;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && !there &&
	    (is_sentence(said) || is_blame(said))) {
		t->refused++;
		t->crashed += strstr(said, "analysing it crashed") || is_blame(said);
		return;
	}
	t->wrong++;
	diag("status 0x%x, %s output: %s", (unsigned int)status, there ? "an" : "no", said);
}

static void test_damaged(const struct bench *b, const struct blob *whole, const char *what,
			 const char *command, const char *spec)
{
	struct blob copy = { .p = malloc(whole->len + 1) };
	unsigned long i, n = from_env("HVSCOPE_DAMAGE", 250);
	uint64_t seed = first_seed();
	struct tally t = { 0 };
	char said[65536];

	for (i = 0; i < n && t.wrong < 5; i++) {
		memcpy(copy.p, whole->p, whole->len);
		copy.len = whole->len;
		damage(&copy, &seed);
		store(b->input, &copy);
		judge(b, run(b, command, spec, said, sizeof(said)), said, &t);
	}
	is_int(t.wrong, 0, what);
	diag("%u results, %u refused, %u of them crashes", t.results, t.refused, t.crashed);
	free(copy.p);
}

/* A capture's file, and the same in version 6. */
static struct blob load(const char *path)
{
	struct blob b = { 0 };
	unsigned char part[4096];
	FILE *file = fopen(path, "re");
	size_t n;

	while (file && (n = fread(part, 1, sizeof(part), file)) > 0)
		put(&b, part, n);
	if (file)
		fclose(file);
	return b;
}

static struct blob load_as_v6(const struct bench *b, const char *path)
{
	struct error err = { 0 };
	struct tracedat *t = tracedat_open(path, &err);
	const struct tracedat_buffer *buffer = t ? tracedat_buffer(t, NULL) : NULL;
	struct tracedat_pages *pages = t ? tracedat_pages_new(t, buffer) : NULL;
	struct tracedat_contents contents;
	struct tracedat_event *events = NULL;
	struct tracedat_part parts[8] = { 0 };
	struct blob records = { 0 }, file;
	unsigned int cpu;
	int in, out;

	if (t && tracedat_facts(t)->foreign)
		skip_all("this build can't read zstd by itself");
	if (!t || tracedat_contents(t, &contents, &events, &err)) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	for (cpu = 0; cpu < min(contents.cpus, (unsigned int)ARRAY_SIZE(parts)); cpu++) {
		const void *page;
		size_t size;
		uint64_t n;

		parts[cpu] = (struct tracedat_part){ .cpu = cpu, .offset = records.len };
		for (n = 0; tracedat_pages_get(pages, cpu, n, &page, &size, &err) == 1; n++)
			put(&records, page, size);
		parts[cpu].size = records.len - parts[cpu].offset;
	}
	store(b->output, &records);
	in = open(b->output, O_RDONLY | O_CLOEXEC);
	out = open(b->input, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	contents.parts = parts;
	contents.n_parts = cpu;
	while (cpu--)
		parts[cpu].fd = in;
	if (tracedat_write(out, &contents, &err))
		printf("Bail out! %s\n", err.text);
	close(in);
	close(out);
	file = load(b->input);
	tracedat_pages_free(pages);
	tracedat_free(t);
	free(events);
	free(records.p);
	return file;
}

int main(void)
{
	const char *top = tap_source();
	struct blob packed, plain;
	struct bench b;
	char *path = NULL;

	bench_new(&b);
	if (asprintf(&path, "%s/tests/traces/kvm/6.1-small.dat", top) < 0)
		abort();
	packed = load(path);
	plain = load_as_v6(&b, path);
	test_damaged(&b, &plain, "exits of damaged copies, version 6", "exits", NULL);
	test_damaged(&b, &packed, "exits of damaged copies, version 7, zstd", "exits", NULL);
	free(path);
	if (asprintf(&path, "%s/tests/traces/xen/xen-small.v6.dat", top) < 0)
		abort();
	free(packed.p);
	packed = load(path);
	test_damaged(&b, &packed, "a trace without exits, version 6", "exits", NULL);
	test_damaged(&b, &packed, "counts of damaged copies, version 6", "count", "xen:*");
	bench_free(&b);
	free(packed.p);
	free(plain.p);
	free(path);
	return tap_done();
}
