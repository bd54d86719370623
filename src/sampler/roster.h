/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The roster of a recording: which threads of which virtual machines there are, looked up in /proc
 * again and again while records are taken and nobody reads them. Each thread is told as a marker
 * (sampler/who.h) when it is new or has become another. It also keeps the names of all threads.
 */
#ifndef HVSCOPE_SAMPLER_ROSTER_H
#define HVSCOPE_SAMPLER_ROSTER_H

#include <stdint.h>

#include "base/path.h"

struct roster;

/*
 * The root outlives it. Threads of process `pid` (0: of none) are told whether it is a virtual
 * machine or not.
 */
struct roster *roster_new(const struct root *root, int32_t pid,
			  void (*tell)(void *ctx, const char *marker), void *ctx);
void roster_free(struct roster *r);

/* Looks at all processes, however many there are: at the begin and at the end. */
void roster_look(struct roster *r);

/* Looks at virtual machines and at processes that are new, which may become one: now and then. */
void roster_glance(struct roster *r);

/* Tells all that was told so far once more. */
void roster_repeat(struct roster *r);

/* Lines "TID NAME" of all threads that were seen, those that ended too; the caller frees it. */
char *roster_comms(const struct roster *r);

#endif
