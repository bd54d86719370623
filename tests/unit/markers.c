// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Markers in a trace file: found where a recording has them, not in what is no longer part of a
 * page, and not mixed up with other texts.
 */
#include "cmd/markers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/tap.h"
#include "trace/tracedat-write.h"

enum { PAGE = 4096, HEAD = 16, CPUS = 2, PAGES = 3 };

static const char header_page[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				  "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
				  "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
				  "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";
static const char header_event[] = "# compressed entry header\n";

struct trace {
	unsigned char pages[CPUS][PAGES][PAGE];
};

static struct trace *trace_new(void)
{
	struct trace *t = xcalloc(1, sizeof(*t));

	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		for (unsigned int n = 0; n < PAGES; n++) {
			uint64_t time = 1000 * (n + 1);

			memcpy(t->pages[cpu][n], &time, sizeof(time));
		}
	}
	return t;
}

/* A record of ftrace:print with this text, as trace_marker makes it. */
static void mark(struct trace *t, unsigned int cpu, unsigned int n, const char *text)
{
	unsigned char *page = t->pages[cpu][n], *p;
	uint32_t len = (uint32_t)(16 + strlen(text) + 2 + 3) & ~3u, words[2] = { 0, len + 4 };
	uint16_t id = 5;
	uint64_t commit;

	memcpy(&commit, page + 8, sizeof(commit));
	p = page + HEAD + commit;
	memcpy(p, words, sizeof(words));
	memcpy(p + 8, &id, sizeof(id));
	memcpy(p + 8 + 16, text, strlen(text));
	p[8 + 16 + strlen(text)] = '\n';
	commit += 8 + len;
	memcpy(page + 8, &commit, sizeof(commit));
}

/* As if the last record had been taken back: its bytes stay behind the committed data. */
static void uncommit(struct trace *t, unsigned int cpu, unsigned int n)
{
	memset(t->pages[cpu][n] + 8, 0, 8);
}

/* What the markers of such a file say; the trace is used up. */
static struct who *read_back(struct trace *t, struct markers *markers)
{
	char path[] = "/tmp/hvscope-markers.XXXXXX", part_path[] = "/tmp/hvscope-part.XXXXXX";
	int fd = mkstemp(path), part = mkstemp(part_path);
	struct tracedat_part parts[CPUS] = {
		{ .cpu = 0, .fd = part, .size = PAGES * PAGE },
		{ .cpu = 1, .fd = part, .offset = PAGES * PAGE, .size = PAGES * PAGE },
	};
	struct tracedat_contents contents = {
		.long_size = 8,
		.page_size = PAGE,
		.header_page = { header_page, sizeof(header_page) - 1 },
		.header_event = { header_event, sizeof(header_event) - 1 },
		.clock = "mono",
		.cpus = CPUS,
		.parts = parts,
		.n_parts = CPUS,
	};
	struct who *who = who_new_recorded();
	struct error err = { 0 };
	struct tracedat *dat;

	if (write(part, t->pages, sizeof(t->pages)) < 0)
		diag("%s: %s", part_path, strerror(errno));
	if (tracedat_write(fd, &contents, &err))
		diag("%s", err.text);
	dat = tracedat_open(path, &err);
	ok(dat && !markers_read(who, dat, tracedat_buffer(dat, NULL), markers, &err),
	   "a file is looked through");
	if (err.status)
		diag("%s", err.text);
	tracedat_free(dat);
	close(fd);
	close(part);
	unlink(path);
	unlink(part_path);
	free(t);
	return who;
}

static bool is_in(struct who *who, int32_t tid, const char *vm)
{
	const struct who_thread *t = who_thread(who, tid);

	return t->vm && !strcmp(t->vm, vm);
}

int main(void)
{
	struct trace *t = trace_new();
	struct markers markers;
	struct who *who;
	char text[MARKERS_TIME_SIZE];

	mark(t, 1, 0, "hello");
	mark(t, 1, 0, "hvscope-time 1 1000 5000");
	mark(t, 1, 0, "hvscope-time 1 1000 x");
	mark(t, 1, 0, "hvscope-time 1 1000 7000 8");
	mark(t, 1, 0, "hvscope-who 1 11 10 0 web%20server CPU%200/KVM");
	mark(t, 1, 0, "hvscope-who 1 12 10 1 web%20server -");
	mark(t, 0, 1, "hvscope-who 1 13 - - db -");
	mark(t, 0, 1, "hvscope-who 2 14 - - next -");
	mark(t, 0, 1, "I say hvscope-who 1 15 - - said -");
	mark(t, 0, 2, "hvscope-who 1 16 - - stale -");
	uncommit(t, 0, 2);
	who = read_back(t, &markers);
	ok(who_knows_vms(who), "machines are known");
	ok(markers.has_time && markers.time == 4000, "so is the time of day");
	ok(is_in(who, 11, "web server") && is_in(who, 12, "web server"),
	   "at the beginning of a CPU");
	is_int(who_thread(who, 11)->pid, 10, "with their process");
	is_int(who_thread(who, 12)->vcpu, 1, "and number");
	is_str(who_thread(who, 11)->comm, "CPU 0/KVM", "and name");
	ok(is_in(who, 13, "db"), "in the middle of another");
	ok(!who_thread(who, 14)->vm, "of another version: not known here");
	ok(!who_thread(who, 15)->vm, "inside another text: none");
	ok(!who_thread(who, 16)->vm, "not committed: not there");
	who_free(who);

	t = trace_new();
	mark(t, 0, 2, "hvscope-who 1 21 20 0 late -");
	mark(t, 1, 1, "hvscope-who 1 22 20 1 late -");
	markers_format_time(text);
	mark(t, 1, 1, text);
	who = read_back(t, &markers);
	ok(is_in(who, 21, "late") && is_in(who, 22, "late"), "only at the end of a CPU");
	ok(markers.has_time && markers.time > INT64_C(1000000000000000000),
	   "the time that is written is read, and it is of this century");
	who_free(who);

	who = read_back(trace_new(), &markers);
	ok(!who_knows_vms(who) && !markers.has_time, "none: nothing is known");
	who_free(who);
	return tap_done();
}
