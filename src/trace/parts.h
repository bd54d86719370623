/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part files: the raw sub-buffers of each CPU on their way from a session to a trace file, moved by
 * splice(2) without being looked at; those of CPUs that have few are read now and then. Beside the
 * output FILE they are called FILE.cpuN; what was written into them stays readable whatever comes:
 * parts_recover() finds it again.
 *
 *   session_start()
 *   until the end:  parts_round() → check .full, .guard
 *   session_stop(); parts_finish(); write the file from parts_list(); parts_remove(); parts_free()
 */
#ifndef HVSCOPE_TRACE_PARTS_H
#define HVSCOPE_TRACE_PARTS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "trace/session.h"
#include "trace/tracedat-write.h"
#include "trace/watch.h"

struct parts;

struct parts_options {
	const char *file;	 /* the output that they will be joined into */
	uint64_t max_bytes;	 /* of all parts together, 0 no limit */
	uint64_t last_ns;	 /* ring mode: older records are dropped, 0 all are kept */
	uint64_t max_rate;	 /* records per second, 0 no limit */
	const sigset_t *sigmask; /* in force while waiting, NULL: unchanged */
};

struct parts_result {
	bool full;	  /* max_bytes are reached (never in ring mode: there more is dropped) */
	bool interrupted; /* a signal ended the wait */
	enum live_guard guard;
	double rate;	/* records per second; 0 not yet known */
	uint64_t bytes; /* held in the parts now */
};

/* Refuses where parts of an interrupted recording lie. The session and the mask outlive it. */
struct parts *parts_new(struct session *s, const struct parts_options *options, struct error *err);

/* Waits until `until` (clock mono, UINT64_MAX none) or 100 ms, then moves what is there. */
int parts_round(struct parts *p, uint64_t until, struct parts_result *result, struct error *err);

/* After session_stop(): moves all that is left, pages that are not full included. */
int parts_finish(struct parts *p, struct error *err);

/*
 * Parts of an interrupted recording beside `file`, whole sub-buffers only; NULL: there are none.
 * Where ring mode dropped records the first sub-buffer gets the mark of a loss; behind the last one
 * of each CPU parts_list() has one without records that says that from there on they are missing,
 * unless parts_finish() was reached.
 */
struct parts *parts_recover(const char *file, const struct page_layout *layout, struct error *err);

/* Parts of the CPUs that have something, in order of CPUs; owned by p. */
const struct tracedat_part *parts_list(struct parts *p, size_t *n);

/* Of recovered parts: whether parts_finish() was reached, so that nothing is missing at the end. */
bool parts_whole(const struct parts *p);

/* Lost records by the kernel's count; 0 for recovered parts. */
uint64_t parts_lost(const struct parts *p);

/* Removes the files; parts_free() alone leaves them. */
void parts_remove(struct parts *p);
void parts_free(struct parts *p);

#endif
