/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who a thread is: its process, its virtual machine, which virtual CPU it runs. Live from /proc,
 * read when a thread is first asked about, since it may be gone a moment later. For a trace file
 * only from what it or the user says (markers, --vm-map): two threads are never put in one machine
 * by guess. Either may have a trace that tells who is born and what it is called from then on.
 *
 * A VM is the process of its vCPU threads.
 */
#ifndef HVSCOPE_SAMPLER_WHO_H
#define HVSCOPE_SAMPLER_WHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/path.h"

struct who_thread {
	int32_t tid;
	int32_t pid;	  /* -1 unknown */
	int32_t vcpu;	  /* -1 unknown */
	const char *comm; /* NULL unknown */
	const char *vm;	  /* NULL: unknown, or the process is no VM */
};

struct who;

/* Live: /proc below the root is asked. The root outlives it. */
struct who *who_new_live(const struct root *root);

/* For a trace file: only what who_set() says is known. */
struct who *who_new_recorded(void);

/* Names of threads that a file has, or live of those that are gone already. */
void who_set_comms(struct who *w, const char *(*comm)(void *ctx, int tid), void *ctx);
void who_free(struct who *w);

/* About a thread; texts are copied. What was known of it before is replaced where this knows it. */
void who_set(struct who *w, const struct who_thread *thread);

/* Lines "tid pid name vcpu" of a --vm-map file ("-": unknown, "#" begins a comment). */
int who_read_map(struct who *w, const char *path, struct error *err);

/*
 * Never NULL. Good until the next call; the names of machines until who_free(). A later call may
 * know more.
 */
const struct who_thread *who_thread(struct who *w, int32_t tid);

/*
 * As a trace tells it: the thread is new, one of the process `pid` (-1 unknown); and what it is
 * called from now on. Costs no look at /proc before somebody asks about it.
 */
void who_born(struct who *w, int32_t tid, int32_t pid);
void who_named(struct who *w, int32_t tid, const char *comm);

/*
 * The thread is gone, or won't be asked about for long: it is looked up anew when it comes back,
 * perhaps as another one. What who_set() said of it stays.
 */
void who_ended(struct who *w, int32_t tid);

/* Whether the VMs of threads are known (live, or something was set). */
bool who_knows_vms(const struct who *w);

/*
 * Live: processes of the VM of this name into *pids (the caller frees it); how many. When there is
 * none, 0, and `others` gets the names of those that run, quoted ("" when none does).
 */
size_t who_find_vm(struct who *w, const char *name, int32_t **pids, char *others, size_t size);

/* Recorded: whether a thread was set to be of the VM of this name; `others` gets all names. */
bool who_has_vm(const struct who *w, const char *name, char *others, size_t size);

/* Live: thread ids of a process, the caller frees *tids; 0 when it is gone. */
size_t who_tasks(struct who *w, int32_t pid, int32_t **tids);

/*
 * A marker: what one thread is, as a line of text that a recording carries (trace_marker). Format,
 * all on one line with single blanks, unknown things as "-", names percent-encoded:
 *
 *	hvscope-who 1 TID PID VCPU VM COMM
 */
enum { WHO_MARKER_SIZE = 1024 };

/* Writes the line, NUL-terminated, without newline; returns its length. */
size_t who_format_marker(const struct who_thread *thread, char buf[WHO_MARKER_SIZE]);

/*
 * Whether text (len bytes, a newline at the end is allowed) is a marker; fills thread and the names
 * behind it. Anything that isn't exactly one is none.
 */
struct who_marker {
	struct who_thread thread; /* its names point to: */
	char vm[256], comm[64];
};

bool who_parse_marker(const char *text, size_t len, struct who_marker *marker);

#endif
