// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The writer of trace.dat against readers that know nothing of it: captures are taken apart into
 * part files and written anew; libtracecmd must read the same records from both, and `trace-cmd
 * report`, where it is installed, must print the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <trace-cmd.h>
#include <unistd.h>

#include "tests/leaks.h"
#include "tests/tap.h"
#include "trace/tracedat-write.h"

static FILE *temporary(void)
{
	FILE *file = tmpfile();

	if (file)
		return file;
	printf("Bail out! no room for a temporary file\n");
	exit(1);
}

/* The pages of a capture in two files, cut in the middle of each CPU, as parts. */
struct torn {
	FILE *files[2];
	struct tracedat_part parts[16];
	size_t n;
};

static void tear(struct torn *torn, struct tracedat *t)
{
	const struct tracedat_buffer *b = tracedat_buffer(t, NULL);
	struct tracedat_pages *pages = tracedat_pages_new(t, b);
	struct error err = { 0 };
	const void *page;
	unsigned int cpu;
	size_t size;

	*torn = (struct torn){ .files = { temporary(), temporary() } };
	for (cpu = 0; cpu < tracedat_buffer_cpus(b); cpu++) {
		uint64_t n, half = tracedat_buffer_pages(b, cpu) / 2;

		for (n = 0; tracedat_pages_get(pages, cpu, n, &page, &size, &err) == 1; n++) {
			FILE *file = torn->files[n >= half];

			if (!n || n == half)
				torn->parts[torn->n++] = (struct tracedat_part){
					.cpu = cpu,
					.fd = fileno(file),
					.offset = (uint64_t)ftell(file),
				};
			fwrite(page, 1, size, file);
			torn->parts[torn->n - 1].size += size;
			tracedat_pages_release(pages, cpu, n);
		}
	}
	fflush(torn->files[0]);
	fflush(torn->files[1]);
	tracedat_pages_free(pages);
}

static void torn_free(struct torn *torn)
{
	fclose(torn->files[0]);
	fclose(torn->files[1]);
}

/* --- Read back --- */

static bool same_record(const struct tep_record *a, const struct tep_record *b)
{
	return a->ts == b->ts && a->size == b->size && a->cpu == b->cpu &&
	       a->missed_events == b->missed_events && !memcmp(a->data, b->data, (size_t)a->size);
}

static bool same_records(const char *one, const char *other, unsigned int cpus, uint64_t *n)
{
	struct tracecmd_input *a = tracecmd_open(one, TRACECMD_FL_LOAD_NO_PLUGINS);
	struct tracecmd_input *b = tracecmd_open(other, TRACECMD_FL_LOAD_NO_PLUGINS);
	bool same = a && b;
	unsigned int cpu;

	for (cpu = 0; cpu < cpus && same; cpu++) {
		struct tep_record *x = tracecmd_read_cpu_first(a, (int)cpu);
		struct tep_record *y = tracecmd_read_cpu_first(b, (int)cpu);

		while (x && y && (same = same_record(x, y))) {
			++*n;
			tracecmd_free_record(x);
			tracecmd_free_record(y);
			x = tracecmd_read_data(a, (int)cpu);
			y = tracecmd_read_data(b, (int)cpu);
		}
		same &= !x && !y;
		tracecmd_free_record(x);
		tracecmd_free_record(y);
	}
	if (a)
		tracecmd_close(a);
	if (b)
		tracecmd_close(b);
	return same;
}

/* What trace-cmd prints of a file; NULL when there is no trace-cmd. */
static char *printed(const char *path)
{
	char *command = NULL, *text = NULL;
	size_t len = 0, room = 0, n;
	FILE *pipe;

	if (asprintf(&command, "trace-cmd report -t -N '%s' 2>/dev/null", path) < 0)
		abort();
	pipe = popen(command, "re");
	free(command);
	do {
		if (len + 4096 >= room) {
			room = 2 * room + 8192;
			text = realloc(text, room);
		}
		n = fread(text + len, 1, 4096, pipe);
		len += n;
	} while (n);
	text[len] = '\0';
	if (pclose(pipe)) {
		free(text);
		return NULL;
	}
	return text;
}

static void compare_printed(const char *one, const char *other)
{
	char *a = printed(one), *b = printed(other);

	if (!a)
		skip("trace-cmd is not installed", "trace-cmd report prints the same");
	else
		ok(b && strlen(a) > 100 && !strcmp(a, b), "trace-cmd report prints the same");
	free(a);
	free(b);
}

static void same_facts(struct tracedat *a, struct tracedat *b)
{
	const struct tracedat_facts *x = tracedat_facts(a), *y = tracedat_facts(b);
	size_t n = 0;
	struct tracedat_event e, f;
	struct error err = { 0 };
	int wrong = 0;

	is_int(y->version, 6, "the written one is version 6");
	is_str(y->kernel, x->kernel, "its kernel");
	is_str(y->machine, x->machine, "its machine");
	is_str(y->host, x->host, "its host");
	is_int(y->trace_id, x->trace_id, "its id");
	is_int(y->cpus, x->cpus, "its CPUs");
	is_str(tracedat_buffer_clock(tracedat_buffer(b, NULL)),
	       tracedat_buffer_clock(tracedat_buffer(a, NULL)), "its clock");
	while (tracedat_event_at(a, n++, &e, &err) == 1)
		if (tracedat_event(b, e.system, e.name, &f, &err) != 1 || e.id != f.id ||
		    e.format.len != f.format.len ||
		    memcmp(e.format.text, f.format.text, e.format.len))
			wrong++;
	is_int(wrong, 0, "its events");
	is_int(tracedat_event_at(b, n - 1, &f, &err), 0, "and no more");
	is_int(y->dropped, 9, "what the kernel dropped");
}

static void test_capture(const char *top, const char *name)
{
	static const struct tracedat_text stats[] = { { "dropped events: 4\n", 18 },
						      { "dropped events: 5\n", 18 } };
	char written[] = "/tmp/hvscope-write-XXXXXX", *path = NULL;
	int fd = mkstemp(written);
	struct tracedat_contents contents;
	struct tracedat_event *events;
	struct error err = { 0 };
	struct tracedat *t, *again;
	struct torn torn;
	uint64_t n = 0;

	if (asprintf(&path, "%s/tests/traces/%s", top, name) < 0)
		abort();
	diag("%s", name);
	t = tracedat_open(path, &err);
	if (t && tracedat_facts(t)->foreign) {
		skip("this build can't read it by itself", name);
		unlink(written);
		close(fd);
		tracedat_free(t);
		free(path);
		return;
	}
	if (!ok(t && !tracedat_contents(t, &contents, &events, &err), "the capture's contents"))
		return;
	tear(&torn, t);
	contents.parts = torn.parts;
	contents.n_parts = torn.n;
	contents.stats = stats;
	contents.n_stats = ARRAY_SIZE(stats);
	is_int(tracedat_write(fd, &contents, &err), 0, "are written");
	close(fd);
	again = tracedat_open(written, &err);
	if (ok(again, "and read back"))
		same_facts(t, again);
	else
		diag("%s", err.text);
	ok(same_records(path, written, contents.cpus, &n) && n, "libtracecmd: same records");
	compare_printed(path, written);
	unlink(written);
	torn_free(&torn);
	tracedat_free(again);
	tracedat_free(t);
	free(events);
	free(path);
}

/* A file before there are records, and its end on a full disk and in a pipe. */
static void test_others(const char *top)
{
	struct tracedat_contents contents;
	struct tracedat_event *events;
	struct error err = { 0 };
	struct tracedat *t, *again;
	struct torn torn;
	char *path = NULL;
	FILE *file = temporary();
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), fds[2];
	pid_t pid;

	if (asprintf(&path, "%s/tests/traces/xen/xen-small.v6.dat", top) < 0 || pipe(fds))
		abort();
	t = tracedat_open(path, &err);
	if (!t || tracedat_contents(t, &contents, &events, &err))
		abort();
	is_int(tracedat_write(fileno(file), &contents, &err), 0, "without parts");
	again = tracedat_open_fd(fileno(file), "FILE", &err);
	ok(again && !tracedat_buffer_bytes(tracedat_buffer(again, NULL)), "it is whole, and empty");
	tracedat_free(again);
	if (full >= 0) {
		is_int(tracedat_write(full, &contents, &err), -1, "a full disk is a failure");
		ok(strstr(err.text, "No space left"), "that says why: %s", err.text);
		close(full);
	}
	tear(&torn, t);
	contents.parts = torn.parts;
	contents.n_parts = torn.n;
	pid = fork();
	if (!pid)
		_exit(tracedat_write(fds[1], &contents, &err) ? 1 : 0);
	close(fds[1]);
	again = tracedat_open_fd(fds[0], "a pipe", &err);
	waitpid(pid, NULL, 0);
	ok(again && tracedat_buffer_bytes(tracedat_buffer(again, NULL)) ==
			    tracedat_buffer_bytes(tracedat_buffer(t, NULL)),
	   "into a pipe it is written wholly");
	torn.parts[0].size += 1 << 20;
	torn.parts[0].offset += 1 << 20;
	rewind(file);
	is_int(tracedat_write(fileno(file), &contents, &err), -1, "a part shorter than said");
	close(fds[0]);
	fclose(file);
	torn_free(&torn);
	tracedat_free(again);
	tracedat_free(t);
	free(events);
	free(path);
}

int main(void)
{
	static const char *const captures[] = {
		"kvm/5.10-small.dat",
		"kvm/6.1-lost.dat",
		"kvm/7.2-small.dat",
		"arch/s390x-6.12-sched-bigendian.dat",
		"xen/xen-small.v6.dat",
	};
	const char *top = tap_source();
	size_t i;

	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	for (i = 0; i < ARRAY_SIZE(captures); i++)
		test_capture(top, captures[i]);
	test_others(top);
	return tap_done();
}
