/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A glance: do events come that tell these facts? For runs that see nothing of what they were asked
 * for, and could say why by what comes beside it. It is a session of its own, which costs where
 * there is nothing to be seen, and only there. Nothing is read: the kernel counts.
 */
#ifndef HVSCOPE_CMD_GLANCE_H
#define HVSCOPE_CMD_GLANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/wanted.h"
#include "settings.h"

struct glance;

/*
 * Begins to look for the events that tell one of `facts` on this machine (uname -m), of the threads
 * that `whom` has (none: of all). NULL: it can't be told.
 */
struct glance *glance_new(const struct settings *settings, const struct wanted *whom,
			  const char *machine, uint64_t facts);
void glance_free(struct glance *g);

/* Nothing more is counted. */
void glance_stop(struct glance *g);

/*
 * Whether so many came that guests must be running: one that is halted and stopped leaves a few.
 */
bool glance_saw(const struct glance *g);

/* Ends it, but for the names. */
void glance_close(struct glance *g);

/* Names of the events, separated by commas. */
const char *glance_names(const struct glance *g);

#endif
