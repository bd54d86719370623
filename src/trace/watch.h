/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching the buffers of all CPUs of a session, for whoever empties them: which there are, waiting
 * until there is something to do, and once a second the kernel's counts, by which a run that does
 * harm or is behind is stopped.
 */
#ifndef HVSCOPE_TRACE_WATCH_H
#define HVSCOPE_TRACE_WATCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace/session.h"

/* Why one should stop now. */
enum live_guard {
	GUARD_NONE,
	GUARD_BEHIND, /* records were lost in each of two successive seconds */
	GUARD_RATE    /* more than max_rate records came in a second */
};

struct watch;

/* Session and mask outlive it. max_rate 0: none. sigmask: in force while waiting, or NULL. */
struct watch *watch_new(struct session *s, uint64_t max_rate, const sigset_t *sigmask);
void watch_free(struct watch *w);

/* Opens the buffers of all CPUs there are. Too few files allowed: -1: some would be missing. */
int watch_open(struct watch *w, struct error *err);

unsigned int watch_cpus(const struct watch *w);

/* Whether the CPU was ever online and its buffer can be opened: known anew once a second. */
bool watch_has(const struct watch *w, unsigned int cpu);

/* The buffer of a CPU, -1 when it has none. */
int watch_fd(struct watch *w, unsigned int cpu);

/*
 * Waits until a buffer is half full, `boundary` (UINT64_MAX none; no wait when it has passed), or
 * 100 ms; not shorter than `pause` (a time) allows, because some kernels' poll wakes up for any
 * record. False: a signal came.
 */
bool watch_wait(struct watch *w, uint64_t boundary, uint64_t pause);

/* Whether the last wait found the CPU's buffer that full, or found any record there. */
bool watch_ready(const struct watch *w, unsigned int cpu);

/*
 * Whether a buffer is that full now, of those that the last wait was for; always where poll wakes
 * up for any record.
 */
bool watch_full(struct watch *w);

/* Sleeps; a signal ends it. */
void watch_sleep(const struct watch *w, uint64_t ns);

/* Looks for CPUs that came. */
void watch_see(struct watch *w);

/* Once a second (now is given): counts, CPUs that came, and whether to stop. */
enum live_guard watch_look(struct watch *w, uint64_t now);

/* Records per second in the last whole second; 0 not yet known. */
double watch_rate(const struct watch *w);

/* Records lost so far by the kernel's count: overrun and dropped, all CPUs. */
uint64_t watch_lost(const struct watch *w);

#endif
