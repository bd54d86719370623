// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A ring of filled slots and a stack of free ones under one lock. Waking a thread costs as much as
 * a small window does, so a side that has to wait is woken only when there is something to do for a
 * while: half of what there can be, or all that there will be. The slot that was used last is
 * filled first: its memory is in the cache, and where windows are large only a few slots ever grow.
 */
#include "trace/relay.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/util.h"

enum state {
	IDLE,	/* nothing to make */
	MAKING,
	ENDED,	/* the last slot was made, or */
	FAILED, /* could not be made */
	LEAVING /* the thread is to end */
};

struct relay {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t maker, owner; /* who waits where */
	relay_make *make;
	void *ctx;
	size_t limit;
	enum state state;
	unsigned int free[RELAY_SLOTS], n_free;
	unsigned int filled[RELAY_SLOTS], first, n_filled;
	size_t bytes[RELAY_SLOTS], total; /* of all slots that are not free */
};

static bool may_make(const struct relay *r)
{
	return r->n_free == RELAY_SLOTS || (r->n_free && r->total < r->limit);
}

/* Whether a maker that had to wait has something to do for a while. */
static bool half_used(const struct relay *r)
{
	return r->n_free == RELAY_SLOTS ||
	       (r->n_free >= RELAY_SLOTS / 2 && r->total < r->limit / 2);
}

static void fill(struct relay *r)
{
	unsigned int slot = r->free[--r->n_free];
	size_t bytes = 0;
	int made;

	pthread_mutex_unlock(&r->lock);
	made = r->make(r->ctx, slot, &bytes);
	pthread_mutex_lock(&r->lock);
	if (made < 0) {
		r->free[r->n_free++] = slot;
	} else {
		r->filled[(r->first + r->n_filled++) % RELAY_SLOTS] = slot;
		r->bytes[slot] = bytes;
		r->total += bytes;
	}
	if (made <= 0)
		r->state = made ? FAILED : ENDED;
	if (made <= 0 || r->n_filled >= RELAY_SLOTS / 2 || !may_make(r))
		pthread_cond_signal(&r->owner);
}

static void *run(void *arg)
{
	struct relay *r = arg;

	pthread_mutex_lock(&r->lock);
	while (r->state != LEAVING) {
		if (r->state == MAKING && may_make(r))
			fill(r);
		else
			pthread_cond_wait(&r->maker, &r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

struct relay *relay_new(relay_make *make, void *ctx, size_t bytes)
{
	struct relay *r = xcalloc(1, sizeof(*r));
	sigset_t all, before;
	int failed;

	r->make = make;
	r->ctx = ctx;
	r->limit = bytes;
	while (r->n_free < RELAY_SLOTS) {
		r->free[r->n_free] = r->n_free;
		r->n_free++;
	}
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->maker, NULL);
	pthread_cond_init(&r->owner, NULL);
	/* signals are for the thread that waits for them */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&r->thread, NULL, run, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!failed)
		return r;
	free(r);
	return NULL;
}

void relay_free(struct relay *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->state = LEAVING;
	pthread_cond_signal(&r->maker);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	pthread_cond_destroy(&r->owner);
	pthread_cond_destroy(&r->maker);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

void relay_begin(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	r->state = MAKING;
	pthread_cond_signal(&r->maker);
	pthread_mutex_unlock(&r->lock);
}

int relay_next(struct relay *r, unsigned int *slot)
{
	int got = 1;

	pthread_mutex_lock(&r->lock);
	while (!r->n_filled && r->state == MAKING)
		pthread_cond_wait(&r->owner, &r->lock);
	if (r->n_filled) {
		*slot = r->filled[r->first];
		r->first = (r->first + 1) % RELAY_SLOTS;
		r->n_filled--;
	} else {
		got = r->state == FAILED ? -1 : 0;
		r->state = IDLE;
	}
	pthread_mutex_unlock(&r->lock);
	return got;
}

void relay_done(struct relay *r, unsigned int slot)
{
	pthread_mutex_lock(&r->lock);
	r->free[r->n_free++] = slot;
	r->total -= r->bytes[slot];
	if (half_used(r))
		pthread_cond_signal(&r->maker);
	pthread_mutex_unlock(&r->lock);
}

void relay_settle(struct relay *r)
{
	pthread_mutex_lock(&r->lock);
	/* all but the one that is being filled */
	while (r->n_free < RELAY_SLOTS - 1) {
		pthread_cond_signal(&r->owner);
		pthread_cond_wait(&r->maker, &r->lock);
	}
	pthread_mutex_unlock(&r->lock);
}
