/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After a barrier all records older than it are visible to whoever reads the buffers. Without one
 * they may be late: what interrupts record, one inside the other, becomes visible only when the
 * outermost is done.
 */
#ifndef HVSCOPE_TRACE_BARRIER_H
#define HVSCOPE_TRACE_BARRIER_H

/* What was used, the better first. */
enum live_barrier {
	BARRIER_NONE,	    /* none was needed */
	BARRIER_MEMBARRIER, /* membarrier(2) */
	BARRIER_AFFINITY,   /* this thread was on each CPU */
	BARRIER_MARGIN	    /* there is none: a margin of time has to do */
};

struct barrier;

/* CPU numbers are below n_cpus. Isolated and nohz_full CPUs are never disturbed. */
struct barrier *barrier_new(unsigned int n_cpus);
void barrier_free(struct barrier *b);

enum live_barrier barrier_pass(struct barrier *b);

#endif
