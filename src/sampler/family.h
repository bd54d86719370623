/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process and its descendants (--children), live by /proc: those that there are, and those that
 * come later. Whose parents ended before anybody asked has another parent by then, which is why the
 * kernel's own list of threads, kept at each fork, can be asked too.
 */
#ifndef HVSCOPE_SAMPLER_FAMILY_H
#define HVSCOPE_SAMPLER_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/path.h"

struct family;

/* The root outlives it. */
struct family *family_new(const struct root *root, int32_t pid);
void family_free(struct family *f);

/* Looks for processes that came since. */
void family_look(struct family *f);

/* Its processes as far as they were looked for, in an array that the caller frees; how many. */
size_t family_members(const struct family *f, int32_t **pids);

/* Reads the kernel's list of thread ids, as a text that is freed here; NULL: there is none. */
void family_ask(struct family *f, char *(*threads)(void *ctx), void *ctx);

/* Whether a thread's process is of it. One that is gone may be: nobody can say that it isn't. */
bool family_has(struct family *f, int32_t pid, int32_t tid);

/* A process that a thread of `maker`, another process (-1: unknown), has just made. */
void family_born(struct family *f, int32_t pid, int32_t maker, int32_t maker_tid);

/* The process is gone; its id may come back as another one. */
void family_ended(struct family *f, int32_t pid);

#endif
