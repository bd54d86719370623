// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads that inflate chunks before they are wanted. Chunks wait in the order in which they were
 * found; the reader takes one that nobody began out of turn and inflates it itself, and while
 * another is at the one that it wants it helps with those that wait. What a chunk's memory holds is
 * one thread's at any time, handed over under the lock.
 */
#include <pthread.h>
#include <signal.h>

#include "trace/tracedat-internal.h"

struct crew {
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	struct chunk *first, **end; /* those that wait */
	bool leaving;
	unsigned int n_workers;
	struct worker {
		struct crew *crew;
		struct inflater *inflater;
		pthread_t thread;
	} workers[];
};

/* Takes it out of the queue, where `link` points to it. */
static void take(struct crew *c, struct chunk **link)
{
	struct chunk *h = *link;

	*link = h->waiting;
	if (!h->waiting)
		c->end = link;
	h->waiting = NULL;
}

static void unqueue(struct crew *c, struct chunk *h)
{
	struct chunk **link = &c->first;

	while (*link != h)
		link = &(*link)->waiting;
	take(c, link);
}

/* One that is out of the queue; without the lock meanwhile. */
static void run_chunk(struct crew *c, struct chunk *h, struct inflater *inflater)
{
	int failed;

	h->state = CHUNK_RUNNING;
	pthread_mutex_unlock(&c->lock);
	failed = inflater_run(inflater, h->from, h->packed, h->data, h->size);
	pthread_mutex_lock(&c->lock);
	h->state = failed ? CHUNK_FAILED : CHUNK_DONE;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct crew *c = w->crew;

	pthread_mutex_lock(&c->lock);
	while (!c->leaving) {
		struct chunk *h = c->first;

		if (!h) {
			pthread_cond_wait(&c->work, &c->lock);
			continue;
		}
		take(c, &c->first);
		run_chunk(c, h, w->inflater);
		pthread_cond_signal(&c->done);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static bool start_worker(struct crew *c, enum compression compression)
{
	struct worker *w = &c->workers[c->n_workers];
	sigset_t all, before;
	int failed;

	w->crew = c;
	w->inflater = inflater_new(compression);
	if (!w->inflater)
		return false;
	/* signals are for the thread that waits for them */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&w->thread, NULL, work, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		inflater_free(w->inflater);
	return !failed;
}

struct crew *crew_new(enum compression compression, unsigned int threads)
{
	struct crew *c = xcalloc(1, sizeof(*c) + threads * sizeof(c->workers[0]));

	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->work, NULL);
	pthread_cond_init(&c->done, NULL);
	c->end = &c->first;
	while (c->n_workers < threads && start_worker(c, compression))
		c->n_workers++;
	if (c->n_workers)
		return c;
	crew_free(c);
	return NULL;
}

void crew_free(struct crew *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->leaving = true;
	pthread_cond_broadcast(&c->work);
	pthread_mutex_unlock(&c->lock);
	for (unsigned int i = 0; i < c->n_workers; i++) {
		pthread_join(c->workers[i].thread, NULL);
		inflater_free(c->workers[i].inflater);
	}
	pthread_cond_destroy(&c->done);
	pthread_cond_destroy(&c->work);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

unsigned int crew_size(const struct crew *c)
{
	return c->n_workers;
}

void crew_add(struct crew *c, struct chunk *h)
{
	pthread_mutex_lock(&c->lock);
	h->state = CHUNK_WAITING;
	h->waiting = NULL;
	*c->end = h;
	c->end = &h->waiting;
	pthread_mutex_unlock(&c->lock);
}

void crew_start(struct crew *c)
{
	pthread_cond_broadcast(&c->work);
}

int crew_want(struct crew *c, struct chunk *h, struct inflater *own)
{
	int ret;

	pthread_mutex_lock(&c->lock);
	if (h->state == CHUNK_WAITING) {
		unqueue(c, h);
		run_chunk(c, h, own);
	}
	while (h->state == CHUNK_RUNNING) {
		struct chunk *other = c->first;

		if (other) {
			take(c, &c->first);
			run_chunk(c, other, own);
		} else {
			pthread_cond_wait(&c->done, &c->lock);
		}
	}
	ret = h->state == CHUNK_DONE ? 0 : -1;
	pthread_mutex_unlock(&c->lock);
	return ret;
}

void crew_forget(struct crew *c, struct chunk *h)
{
	pthread_mutex_lock(&c->lock);
	if (h->state == CHUNK_WAITING)
		unqueue(c, h);
	while (h->state == CHUNK_RUNNING)
		pthread_cond_wait(&c->done, &c->lock);
	pthread_mutex_unlock(&c->lock);
}
