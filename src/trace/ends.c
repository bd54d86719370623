// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A thread's last own switch comes behind its end, so its number stays for a window; whatever else
 * comes behind it is another thread's with its id, which then goes on with the number.
 *
 * Which threads are too many is found by looking at all of them, but only when there are a quarter
 * more than the last look left: nothing is done for each record. Ages are told apart as well as
 * histograms do; beyond that it doesn't matter who goes.
 */
#include "trace/ends.h"

#include <string.h>

#include "base/histogram.h"
#include "base/util.h"
#include "trace/subjects.h"
#include "trace/window.h"

/* Windows since which a thread has to be unseen. */
enum { RECENT = 2 };

struct ended {
	uint64_t time;
	uint32_t subject;
	bool reborn;
};

struct candidate {
	uint32_t subject;
	uint16_t bucket; /* of its age: so many windows ago it was seen */
	bool held;
};

struct ends {
	struct subjects *subjects;
	struct ended *list;
	size_t n, room;
	uint32_t *of; /* by subject: index in list + 1, 0 none */
	uint32_t n_of;
	uint32_t keep, too_many;
};

struct ends *ends_new(struct subjects *subjects)
{
	struct ends *e = xcalloc(1, sizeof(*e));

	e->subjects = subjects;
	ends_keep(e, THREADS_KEPT);
	return e;
}

void ends_free(struct ends *e)
{
	if (!e)
		return;
	free(e->list);
	free(e->of);
	free(e);
}

void ends_keep(struct ends *e, uint32_t threads)
{
	e->keep = e->too_many = threads;
}

static void give_back(struct ends *e, uint32_t subject, uint64_t time, struct end_facts *to)
{
	to->list = xgrow(to->list, to->n, &to->room, sizeof(*to->list));
	to->list[to->n++] = (struct fact){
		.time = time, .subject = subject, .kind = FACT_THREAD_END, .aux = END_NUMBER,
	};
	subjects_end(e->subjects, subject);
}

/* Threads that end. */

static void add_ended(struct ends *e, const struct fact *f)
{
	uint32_t limit = subjects_limit(e->subjects);
	struct ended *ended;

	if (e->n_of < limit) {
		e->of = xreallocarray(e->of, limit, sizeof(*e->of));
		memset(e->of + e->n_of, 0, (limit - e->n_of) * sizeof(*e->of));
		e->n_of = limit;
	}
	if (e->of[f->subject]) { /* it lived and died a second time */
		ended = &e->list[e->of[f->subject] - 1];
		ended->time = max(ended->time, f->time);
		return;
	}
	e->list = xgrow(e->list, e->n, &e->room, sizeof(*e->list));
	e->list[e->n++] = (struct ended){ .time = f->time, .subject = f->subject };
	e->of[f->subject] = (uint32_t)e->n;
}

/* Facts behind a thread's end are another thread's with its id, but for its own last switch. */
static void find_reborn(struct ends *e, const struct window *w)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct fact *f = &w->facts[i];
		struct ended *ended;

		if (f->subject >= e->n_of || !e->of[f->subject])
			continue;
		ended = &e->list[e->of[f->subject] - 1];
		if (f->time > ended->time && f->kind != FACT_SWITCH_OUT)
			ended->reborn = true;
	}
}

static bool seen_in(const struct window *w, uint32_t subject)
{
	return subject < w->n_marks && w->marks[subject].window == w->serial;
}

void ends_after(struct ends *e, const struct window *w, struct end_facts *to)
{
	size_t kept = 0;

	if (!w->ends && !e->n)
		return;
	for (size_t i = 0; w->ends && i < w->n; i++)
		if (w->facts[i].kind == FACT_THREAD_END)
			add_ended(e, &w->facts[i]);
	find_reborn(e, w);
	for (size_t i = 0; i < e->n; i++) {
		struct ended *ended = &e->list[i];

		e->of[ended->subject] = 0;
		if (ended->reborn)
			continue;
		if (!seen_in(w, ended->subject)) {
			give_back(e, ended->subject, ended->time, to);
			continue;
		}
		e->list[kept++] = *ended;
		e->of[ended->subject] = (uint32_t)kept;
	}
	e->n = kept;
}

/* Too many threads. */

bool ends_too_many(const struct ends *e)
{
	return subjects_threads(e->subjects) > e->too_many;
}

/* Who may go, and how many of them were seen how long ago; by whether they are held. */
struct candidates {
	struct candidate *list;
	size_t n;
	uint32_t counts[2][HISTOGRAM_BUCKETS];
};

/* Who goes: all above a bucket, and so many of those in it. */
struct cut {
	unsigned int bucket;
	uint32_t rest;
};

/* Those that are ending go by themselves. */
static void find_candidates(const struct ends *e, const struct end_choice *choice,
			    struct candidates *to)
{
	uint32_t limit = subjects_limit(e->subjects);

	to->list = xcalloc(limit, sizeof(*to->list));
	for (uint32_t i = 0; i < limit; i++) {
		struct candidate *c = &to->list[to->n];
		uint32_t age;

		if (!subjects_may_end(e->subjects, i) || (i < e->n_of && e->of[i]))
			continue;
		age = choice->now - choice->seen(choice->ctx, i);
		if (age < RECENT)
			continue;
		*c = (struct candidate){ .subject = i, .held = choice->held(choice->ctx, i) };
		c->bucket = (uint16_t)histogram_bucket(age);
		to->counts[c->held][c->bucket]++;
		to->n++;
	}
}

/* Where the oldest `n` end. */
static struct cut find_cut(const uint32_t *counts, uint32_t n)
{
	for (unsigned int bucket = HISTOGRAM_BUCKETS; bucket-- > 0;) {
		if (counts[bucket] >= n)
			return (struct cut){ .bucket = bucket, .rest = n };
		n -= counts[bucket];
	}
	return (struct cut){ .rest = UINT32_MAX };
}

static uint32_t cut_off(struct ends *e, const struct candidates *from, bool held, uint32_t n,
			struct end_facts *to)
{
	struct cut cut = find_cut(from->counts[held], n);
	size_t before = to->n;

	for (size_t i = 0; i < from->n; i++) {
		const struct candidate *c = &from->list[i];

		if (c->held != held || c->bucket < cut.bucket ||
		    (c->bucket == cut.bucket && !cut.rest))
			continue;
		cut.rest -= c->bucket == cut.bucket;
		give_back(e, c->subject, 0, to);
	}
	return (uint32_t)(to->n - before);
}

uint32_t ends_retire(struct ends *e, const struct end_choice *choice, struct end_facts *to)
{
	uint32_t threads = subjects_threads(e->subjects), fewer = e->keep - e->keep / 4, held = 0;
	struct candidates *from = xcalloc(1, sizeof(*from));

	find_candidates(e, choice, from);
	if (threads > fewer)
		threads -= cut_off(e, from, false, threads - fewer, to);
	if (threads > e->keep)
		held = cut_off(e, from, true, threads - e->keep, to);
	threads -= held;
	e->too_many = max(e->keep, threads + e->keep / 4);
	free(from->list);
	free(from);
	return held;
}
