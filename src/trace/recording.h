/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a trace file has beside its records: formats, symbols, names, where it was recorded. While
 * records come in it stands beside the part files, as FILE.head, so that after a crash they can
 * still be read:
 *
 *   recording_new(); recording_head(); … parts_finish(); recording_write(); recording_remove()
 */
#ifndef HVSCOPE_TRACE_RECORDING_H
#define HVSCOPE_TRACE_RECORDING_H

#include "base/error.h"
#include "trace/parts.h"
#include "trace/session.h"

struct recording;

/*
 * Reads what the kernel says about the events that the session has enabled. `events` are those
 * that it was asked for; `symbols`: the kernel's functions are needed, for stacks. The session
 * outlives it.
 */
struct recording *recording_new(struct session *s, const struct session_event *events,
				size_t n_events, bool symbols, struct error *err);
void recording_free(struct recording *r);

/* Now and then while records come: the kernel remembers the names of few threads. */
void recording_see_comms(struct recording *r);

/* Names of threads, lines "TID NAME": copied. Those that the kernel remembered are added. */
void recording_set_comms(struct recording *r, const char *comms);

/* Refuses while another run records into the file. */
int recording_may_begin(const char *file, struct error *err);

/* Writes FILE.head, and holds a lock on it until recording_free(). */
int recording_head(struct recording *r, const char *file, struct error *err);

/* After parts_finish(): writes the whole. */
int recording_write(struct recording *r, int fd, struct parts *parts, struct error *err);

/* Removes FILE.head. */
void recording_remove(const char *file);

/*
 * Writes the whole from the parts and the head that an interrupted recording left beside `file`,
 * and leaves them there. Refuses one that isn't at its end. *parts gets what was found: for
 * parts_list(), parts_remove() and parts_free().
 */
int recording_recover(const char *file, int fd, struct parts **parts, struct error *err);

#endif
