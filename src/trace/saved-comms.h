/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of threads that the kernel remembers from tracing them (saved_cmdlines of tracefs): the
 * last ones of the threads that came and went before anybody asked /proc.
 */
#ifndef HVSCOPE_TRACE_SAVED_COMMS_H
#define HVSCOPE_TRACE_SAVED_COMMS_H

#include "base/hash.h"
#include "trace/tracefs.h"

struct saved_comms {
	struct hash names; /* tid → text */
	struct tfs tfs;	   /* once it was found */
	bool found;
	bool fresh; /* read since saved_comms_age() */
};

/* Reads them anew; what was known and the kernel forgot is kept. */
void saved_comms_read(struct saved_comms *s);

/*
 * A thread's name; NULL when the kernel doesn't know it either. They are read anew for it, since an
 * id may be another thread's by now, but not twice without saved_comms_age() between: to be called
 * when there are new records, because of those before it the kernel has learnt nothing since.
 */
const char *saved_comms_find(struct saved_comms *s, int tid);

void saved_comms_age(struct saved_comms *s);

void saved_comms_free(struct saved_comms *s);

#endif
