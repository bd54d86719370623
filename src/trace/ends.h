/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When numbers of threads are given back: a thread's that ended, once nothing came of it for a
 * window; and where there are too many threads, those of which nothing came for longest. Either is
 * told by a fact, the last one with that number: a FACT_THREAD_END with END_NUMBER.
 */
#ifndef HVSCOPE_TRACE_ENDS_H
#define HVSCOPE_TRACE_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fact.h"

struct ends;
struct subjects;
struct window;

/* Facts to be told. Zeroed: none. */
struct end_facts {
	struct fact *list;
	size_t n, room;
};

struct ends *ends_new(struct subjects *subjects);
void ends_free(struct ends *e);

/* How many threads are not too many. Without it THREADS_KEPT (fact.h). */
void ends_keep(struct ends *e, uint32_t threads);

/* The window has all its facts: adds to *to those who ended before it, or in it. */
void ends_after(struct ends *e, const struct window *w, struct end_facts *to);

/* Whether there are too many: to be asked between windows. */
bool ends_too_many(const struct ends *e);

/* How threads are chosen. */
struct end_choice {
	/* The serial number of the last window that it was seen in. */
	uint32_t (*seen)(const void *ctx, uint32_t subject);
	/* Whether somebody has something of it pending, which its end would cut short. */
	bool (*held)(const void *ctx, uint32_t subject);
	const void *ctx;
	uint32_t now; /* the serial number of the last window */
};

/*
 * Gives back as many as are too many and some more, so that it isn't asked for at each window; but
 * of those that are held no more than are too many, and none that was seen just now. Adds them to
 * *to; returns how many of them were held.
 */
uint32_t ends_retire(struct ends *e, const struct end_choice *choice, struct end_facts *to);

#endif
