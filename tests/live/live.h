/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the live tests share: whether they can run, a load that makes a known number of calls when
 * told, and a reader that counts its records and checks what each round promised.
 */
#ifndef HVSCOPE_TESTS_LIVE_H
#define HVSCOPE_TESTS_LIVE_H

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "fact.h"
#include "tests/tap.h"
#include "trace/cursor-live.h"
#include "trace/page.h"
#include "trace/session.h"
#include "trace/tracefs.h"

#define CALLS 20000
#define TMP   512

/* Ends the test where this can't be traced; `why` is said where tracefs has no such file. */
static inline void need_tracefs(const char *file, const char *why)
{
	struct error err;
	struct tfs t;

	if (geteuid())
		skip_all("needs root");
	if (tfs_find(&t, NULL, true, &err))
		skip_all(err.text);
	if (!tfs_exists(&t, "%s", file))
		skip_all(why);
}

/* What a reader saw. */
struct tally {
	uint64_t records; /* of the load */
	uint64_t late;    /* older than a horizon that was given before */
	uint64_t marks, lost;
	uint64_t horizon;
	uint64_t next[1024]; /* page to be read next, by CPU */
	int pid;             /* of the load */
};

static inline void tally_page(struct tally *t, const struct page_layout *layout, const void *page,
			      size_t size)
{
	struct page_walk walk;
	struct page_record rec;

	if (page_begin(&walk, layout, page, size)) {
		ok(false, "a page of the kernel has a header");
		return;
	}
	t->marks += walk.lost;
	if (walk.lost && walk.lost_count != LOSS_UNKNOWN)
		t->lost += walk.lost_count;
	while (page_next(&walk, layout, &rec) == 1) {
		int pid;

		memcpy(&pid, rec.data + 4, sizeof(pid));
		t->late += rec.time < t->horizon;
		t->records += pid == t->pid;
	}
}

static inline void tally_all(struct tally *t, struct live *l)
{
	const struct page_source *source = live_source(l);
	const void *page;
	size_t size;

	for (unsigned int cpu = 0; cpu < source->n_cpus && cpu < ARRAY_SIZE(t->next); cpu++) {
		while (source->get(source->ctx, cpu, t->next[cpu], &page, &size, NULL) == 1) {
			tally_page(t, &source->layout, page, size);
			t->next[cpu]++;
		}
		source->release(source->ctx, cpu, t->next[cpu]);
	}
}

static inline void tally_finish(struct tally *t, struct session *s, struct live *l)
{
	struct live_result result = { .more = true };

	session_stop(s, NULL);
	while (result.more) {
		live_finish(l, &result, NULL);
		tally_all(t, l);
		t->horizon = result.horizon;
	}
	ok(result.horizon == UINT64_MAX, "after the end all may be handed on");
}

/* A process that waits for a byte, makes its calls, says so, and waits for another one. */
struct load {
	pid_t pid;
	int go[2], done[2];
};

__attribute__((noinline, unused)) static long called(long n)
{
	__asm__ volatile("" : "+r"(n));
	return n;
}

static inline void load_run(struct load *load, unsigned int calls)
{
	char byte;
	long sum = 0;

	while (read(load->go[0], &byte, 1) == 1) {
		for (unsigned int i = 0; i < calls; i++) {
			syscall(SYS_getppid);
			sum += called(i);
		}
		if (write(load->done[1], &byte, 1) != 1)
			break;
	}
	_exit(sum == 1);
}

static inline struct load load_new(unsigned int calls)
{
	struct load load;

	if (pipe(load.go) || pipe(load.done))
		exit(1);
	fflush(stdout);
	load.pid = fork();
	if (!load.pid) {
		close(load.go[1]);
		load_run(&load, calls);
	}
	close(load.go[0]);
	close(load.done[1]);
	return load;
}

static inline void load_go(const struct load *load)
{
	if (write(load->go[1], "g", 1) != 1)
		exit(1);
}

static inline void load_wait(const struct load *load)
{
	char byte;

	if (read(load->done[0], &byte, 1) != 1)
		exit(1);
}

static inline void load_free(struct load *load)
{
	close(load->go[1]);
	kill(load->pid, SIGKILL);
	waitpid(load->pid, NULL, 0);
	close(load->done[0]);
}

static inline const char *filter_getppid(void)
{
	static char text[32];

	snprintf(text, sizeof(text), "id == %d", (int)SYS_getppid);
	return text;
}

/* One event: entries of getppid by the load. */
static inline struct session_event getppid_event(void)
{
	return (struct session_event){ "raw_syscalls", "sys_enter", filter_getppid(), false };
}

static inline bool instance_exists(const char *name)
{
	char path[TMP];

	snprintf(path, sizeof(path), "/sys/kernel/tracing/instances/%s", name);
	return !access(path, F_OK);
}

static inline void instance_name(const struct session *s, char *name, size_t size)
{
	snprintf(name, size, "%s", strrchr(session_info(s)->instance, '/') + 1);
}

/* Lines of a file of tracefs that hold a text. */
static inline int lines_with(const char *file, const char *text)
{
	char path[2 * TMP], line[1024];
	int n = 0;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/%s", file);
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, text) != NULL;
	if (f)
		fclose(f);
	return n;
}

#endif
