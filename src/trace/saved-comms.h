/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of threads that the kernel remembers from tracing them (saved_cmdlines of tracefs): the
 * last ones of the threads that came and went before anybody asked /proc.
 */
#ifndef HVSCOPE_TRACE_SAVED_COMMS_H
#define HVSCOPE_TRACE_SAVED_COMMS_H

#include "base/hash.h"

struct saved_comms {
	struct hash names; /* tid → text */
};

/* Reads them anew; what was known and the kernel forgot is kept. */
void saved_comms_read(struct saved_comms *s);

/* A thread's name, read anew when it isn't known; NULL when the kernel doesn't know it either. */
const char *saved_comms_find(struct saved_comms *s, int tid);

void saved_comms_free(struct saved_comms *s);

#endif
