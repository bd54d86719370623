/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The facts of one window, in the order of CPUs and positions as they were decoded, and the other
 * orders as views of them.
 *
 * By thread, the facts of a thread (subject) that was seen on one CPU only are in order as they
 * stand. Those of the others come in segments, uninterrupted runs of one subject on one CPU:
 * putting the segments in order is enough, unless two of one subject overlap in time. Births come
 * in the order of time, whatever thread they are of.
 */
#ifndef HVSCOPE_TRACE_WINDOW_H
#define HVSCOPE_TRACE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"
#include "fact.h"

/* Where a subject was seen, and in which window: older marks need no clearing. */
struct window_mark {
	uint32_t window;
	uint16_t cpu;
	bool moved;
};

/* A run of facts to hand on. */
struct window_span {
	const struct fact *facts;
	size_t n;
};

/* All facts of one CPU. */
struct window_part {
	size_t begin, end;
	uint16_t cpu;
};

struct window {
	struct fact *facts;
	size_t n, room;
	struct window_mark *marks; /* by subject */
	uint32_t n_marks;
	uint32_t serial; /* of this window, from 1 */
	uint32_t moved;	 /* subjects that were seen on two CPUs, or are new */
	uint32_t ends;	 /* FACT_THREAD_ENDs */
	struct window_part *parts;
	size_t n_parts, parts_room;
	struct window_views *views;
};

struct window *window_new(void);
void window_free(struct window *w);

/* Empties it for a window, whose serial number is above that of the one before or begins anew. */
void window_begin(struct window *w, uint32_t serial);

/* What is added from now on is of `cpu`: CPUs in ascending order. */
void window_cpu(struct window *w, uint16_t cpu);

/* No more facts: the views may be asked for. */
void window_end(struct window *w);

/* The facts in an order, as spans that are to be handed on one after another. */
const struct window_span *window_order(struct window *w, enum order order, size_t *n);

/* The rare halves of the two below. */
void window_grow(struct window *w, size_t n);
void window_grow_marks(struct window *w, uint32_t subject);

/* Room for n more facts behind facts + w->n. */
static inline void window_reserve(struct window *w, size_t n)
{
	if (unlikely(w->room - w->n < n))
		window_grow(w, n);
}

/* A fact of the subject comes from the CPU. */
static inline void window_see(struct window *w, uint32_t subject, uint16_t cpu)
{
	struct window_mark *m;

	if (unlikely(subject >= w->n_marks))
		window_grow_marks(w, subject);
	m = &w->marks[subject];
	if (m->window != w->serial) {
		*m = (struct window_mark){ .window = w->serial, .cpu = cpu };
	} else if (m->cpu != cpu && !m->moved) {
		m->moved = true;
		w->moved++;
	}
}

/*
 * The subject, seen already, is new. Whose thread it is may be told by its maker's birth, so that
 * must not come behind it: all births are put in order, as the facts of those that moved are.
 */
static inline void window_born(struct window *w, uint32_t subject)
{
	w->moved += !w->marks[subject].moved;
	w->marks[subject].moved = true;
}

#endif
