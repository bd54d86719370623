/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a run is, on one line of stderr that is written over and wiped: only where stderr is a
 * terminal and nothing else is printed there. Sentences for people go to stderr through here too,
 * so that the line is never in their way.
 */
#ifndef HVSCOPE_CMD_PROGRESS_H
#define HVSCOPE_CMD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/util.h"

struct progress;

/* `shown`: false, nothing but sentences; `quiet`: not even those that only comment. */
struct progress *progress_new(bool shown, bool quiet);
void progress_free(struct progress *p);

/* At most some times a second; cheap to call. `part`: 0 … 1 of the whole, negative: unknown. */
void progress_show(struct progress *p, uint64_t records, uint64_t lost, double part);

/* Wipes the line, so that something else can be printed. */
void progress_wipe(struct progress *p);

/* "hvscope: " and a sentence; text from outside is made safe. Not with `quiet`. */
void progress_say(struct progress *p, const char *fmt, ...) __printf(2, 3);

#endif
