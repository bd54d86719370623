/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session is one run of live tracing: a private tracefs instance and a group of probes, and
 * nothing else. It begins and ends in this order, however it comes to the end:
 *
 *   session_new    reap what dead runs left; the instance, tracing off; its tracing_on is held
 *                  open (that makes rmdir fail with EBUSY, so that nobody reaps a living one);
 *                  clock, buffers, options; probes; filters; events
 *   session_start  tracing on
 *   session_stop   tracing off (drain the buffers after it)
 *   session_free   events off; probes removed; instance removed
 *
 * A fatal end of the program restores too: the session registers itself with cleanup_push().
 * The buffers' descriptors are the session's too, because one that is open keeps the instance.
 */
#ifndef HVSCOPE_TRACE_SESSION_H
#define HVSCOPE_TRACE_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/path.h"
#include "hv/hypervisor.h"
#include "trace/binding.h"
#include "trace/page.h"
#include "trace/probe.h"
#include "trace/tracefs.h"

struct session_event {
	const char *system;	/* NULL: an event of our probes, by its name */
	const char *name;
	const char *filter;	/* tracefs syntax, NULL none */
	bool optional;		/* its absence is no failure: session_has() tells */
};

/* Strings and arrays in it are the caller's and outlive the session. Zero means the default. */
struct session_request {
	const struct root *root;	/* of /proc and /sys; a recorded one is refused */
	const char *clock;		/* "mono" */
	uint64_t buffer_size;		/* bytes per CPU; 0: min(16 MB, 2 % of memory ÷ CPUs) */
	unsigned int subbuf_kb;		/* 0: 64, from 64 CPUs 16 or 4; where the kernel can */
	const int32_t *pids;		/* thread ids: only their records, and what they fork */
	size_t n_pids;
	bool stacktrace;		/* a stack after each record */
	bool own_events;		/* enabled events can be fired by ourselves: keep us out */
	const struct session_event *events;
	size_t n_events;
	const struct hv_probe *const *roles; /* their events are enabled too, unasked */
	size_t n_roles;
	const struct probe_definition *definitions; /* likewise */
	size_t n_definitions;
};

struct session;

/*
 * -1/NULL with a sentence: no tracefs (and why), events missing (all of them, by name), a filter
 * or a probe refused (with the kernel's words and a caret), too little memory.
 */
struct session *session_new(const struct session_request *request, struct error *err);
int session_start(struct session *s, struct error *err);

/*
 * More threads than the request's `pids`, when there were any; what they fork is followed, too.
 * 0 or -errno.
 */
int session_follow(struct session *s, const int32_t *tids, size_t n);

/* Ids of the threads that the kernel follows now, a line each, for the caller to free, or NULL. */
char *session_threads(const struct session *s);

int session_stop(struct session *s, struct error *err);
void session_free(struct session *s);

/* What session_new() would touch, for --dry-run: lines that the caller frees. Touches nothing. */
char *session_plan(const struct session_request *request, struct error *err);

/* Whether an optional event (system NULL: of our probes) is there and enabled. */
bool session_has(const struct session *s, const char *system, const char *name);

/* NULL without roles and definitions. */
struct probes *session_probes(const struct session *s);

/* Formats of the running kernel, our probes' by system NULL. Valid as long as the session. */
struct format_source session_formats(const struct session *s);

/* Sub-buffers of the instance. */
struct page_layout session_layout(const struct session *s);

struct session_info {
	const char *instance;	/* its path below tracefs */
	const char *group;	/* of the probes */
	const char *kernel, *machine; /* uname -r, -m */
	const char *clock;
	unsigned int n_cpus;	/* CPU numbers are below it */
	unsigned int online;
	uint64_t buffer_size;	/* bytes per CPU, as the kernel has it */
	uint64_t begin, end;	/* ns of CLOCK_MONOTONIC: tracing on, off; 0 not yet */
	bool mounted;		/* we mounted tracefs */
	bool kept_out;		/* our own records are filtered by the kernel */
	bool meddled;		/* somebody had switched it off, or all events, or all probes */
	unsigned int reaped;	/* instances of dead runs that were removed */
	uint64_t new_ns;	/* that session_new() took in all … */
	uint64_t probes_ns;	/* … in making probes, … */
	uint64_t enable_ns;	/* … and in enabling events */
};

const struct session_info *session_info(const struct session *s);

/* What the kernel counted on one CPU since the start. */
struct session_stats {
	uint64_t entries;	/* in the buffer, unread */
	uint64_t overrun;	/* overwritten unread */
	uint64_t dropped;	/* not written (overwrite off, nested too deep) */
	uint64_t read;		/* records read */
};

/* 0, or -1 when the CPU has none (offline since ever). */
int session_stats(const struct session *s, unsigned int cpu, struct session_stats *stats);

/*
 * Keeps a CPU's stats open, where there are files to spare. To open a file of an instance has to
 * wait while any other one on this machine is made or removed: longer than buffers may last.
 */
void session_hold_stats(struct session *s, unsigned int cpu);

/* Opens a file of the instance; -errno. O_CLOEXEC is added. Close it before session_free(). */
int session_open(const struct session *s, int flags, const char *fmt, ...) __printf(3, 4);

/* trace_pipe_raw of a CPU, non-blocking, opened when first asked for, the session's. -errno. */
int session_raw(struct session *s, unsigned int cpu);

/* Writes to trace_marker of the instance: a record of type ftrace:print. 0 or -errno. */
int session_mark(const struct session *s, const char *text);

#endif
