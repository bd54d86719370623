/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live reading: one thread, all CPUs, whole sub-buffers by read(2), in rounds.
 *
 *   session_start()
 *   until the end:  live_round() → deliver below .horizon → check guards
 *   session_stop(); live_finish() until no more → deliver all; live_free(); session_free()
 *
 * A round waits (poll), takes H = now, and reads each CPU until it is empty or its last page
 * begins at or after what may be handed on. That is, with a barrier (every record older than H is
 * visible), all below H; else all below min(H of the previous round, H − 10 ms), because what
 * nested interrupts record becomes visible only when the outermost one is done. (While a buffer
 * fills fast, 25 ms are enough, whenever the previous round was.) What is newer is read ahead when
 * it is little.
 */
#ifndef HVSCOPE_TRACE_CURSOR_LIVE_H
#define HVSCOPE_TRACE_CURSOR_LIVE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "trace/barrier.h"
#include "trace/cursor.h"
#include "trace/session.h"
#include "trace/watch.h"

struct live;

struct live_options {
	bool strict;		/* every round with a barrier: some consumer pairs across threads */
	uint64_t max_rate;	/* --max-rate: records per second, 0 none */
	size_t pool;		/* bytes of pages held at most; 0: 16 MB, at least 4 pages a CPU */
	const sigset_t *sigmask; /* in force while waiting, NULL: unchanged */
};

struct live_result {
	uint64_t horizon;	/* all records below it are read: hand them on. Never falls */
	bool more;		/* enough for now: deliver and call again, it won't wait */
	bool interrupted;	/* a signal ended the wait */
	enum live_guard guard;
	double rate;		/* records per second, of the last whole second; 0 not yet known */
};

struct live_stats {
	uint64_t read_bytes, pages, rounds;
	uint64_t lost;		/* by the kernel's count: overrun + dropped, all CPUs */
	uint64_t lost_marked;	/* of these, by counts that stand on pages */
	uint64_t marks;		/* pages that say that records before them were lost */
	uint64_t cpu_ns;	/* of this thread since live_new() */
	uint64_t lag_ns;	/* the oldest that a record was when it was read */
	enum live_barrier barrier; /* the weakest that was used where one was asked for */
};

/* Opens the buffers. The session and the options' sigmask outlive it. */
struct live *live_new(struct session *s, const struct live_options *options, struct error *err);
void live_free(struct live *l);

/* Pages as the stream wants them; owned by l. */
const struct page_source *live_source(struct live *l);

/*
 * One round. Waits at most until `boundary` (ns of the clock mono, UINT64_MAX none) and 100 ms;
 * a round that ends at or behind the boundary was made with a barrier. Returns 0, -1 with *err.
 */
int live_round(struct live *l, uint64_t boundary, struct live_result *result, struct error *err);

/*
 * After session_stop(): reads on without waiting. result->more: deliver and call again; at the end
 * the horizon is UINT64_MAX.
 */
int live_finish(struct live *l, struct live_result *result, struct error *err);

/*
 * Up to which time `cpu` is known to be read, and the number of the page that will be read next,
 * for stream_drained(). 0: nothing is known.
 */
uint64_t live_drained(const struct live *l, unsigned int cpu, uint64_t *page);

/* Reads the kernel's counts anew, then tells. */
const struct live_stats *live_stats(struct live *l);

#endif
