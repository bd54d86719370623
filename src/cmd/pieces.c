// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rule: threads share nothing but what is only read, and, behind a lock, who the threads of the
 * trace are. A piece's stream first goes to the seam without a fact for the analysis; losses it
 * tells at once, because they may reach beyond.
 *
 * Two pieces are joined when the second begins, on every CPU, before the very record where the
 * first ended: so none is missing or counted twice, whatever the times in the file say.
 */
#include "cmd/pieces.h"

#include <signal.h>
#include <time.h>

#include "cmd/pace.h"
#include "trace/decode.h"
#include "trace/piece.h"

struct work;

struct worker {
	struct work *work;
	pthread_t thread;
	const struct page_source *source;
	uint64_t from, until; /* UINT64_MAX: all there is */
	struct piece *piece;
	struct subjects *subjects;
	struct env env;
	struct stream *stream;
	void *state;
	bool begun, whole, failed;	   /* the seam was reached; the end was */
	struct stream_stats before;	   /* at the seam */
	struct stream_place *first, *last; /* by CPU, in the whole: at the seam, and in the end */
	struct pieces_progress progress;   /* behind the lock */
};

struct work {
	const struct pieces *pieces;
	struct worker *workers;
	unsigned int n, running;
	bool stop;
	pthread_mutex_t lock; /* of these two, and of progress */
	pthread_cond_t changed;
	pthread_mutex_t who;
};

/* --- A piece --- */

static void feed(void *ctx, const struct fact *facts, size_t n)
{
	struct worker *w = ctx;

	if (w->begun)
		w->work->pieces->analysis->feed(w->state, facts, n);
}

static void lost(void *ctx, const struct loss *losses, size_t n)
{
	const struct worker *w = ctx;
	const struct analysis *analysis = w->work->pieces->analysis;

	if (analysis->lost)
		analysis->lost(w->state, losses, n);
}

static struct stream_place *places(const struct worker *w)
{
	unsigned int n = w->source->n_cpus;
	struct stream_place *list = xcalloc(n + 1, sizeof(*list));

	for (unsigned int cpu = 0; cpu < n; cpu++) {
		list[cpu] = stream_place(w->stream, cpu);
		list[cpu].page = piece_page(w->piece, cpu, list[cpu].page);
	}
	return list;
}

/* What came in must not depend on where windows end. */
static bool is_sound(const struct worker *w)
{
	const struct stream_stats *stats = stream_stats(w->stream);

	return !stats->late && !stats->damaged && !stats->irregular && !stats->retired;
}

/* Tells how far it is, and learns whether to stop. */
static bool goes_on(struct worker *w)
{
	const struct stream_stats *stats = stream_stats(w->stream);
	struct pieces_progress now = {
		.records = stats->records - w->before.records,
		.lost_records = stats->lost_records - w->before.lost_records,
	};
	bool stop;

	for (unsigned int cpu = 0; cpu < w->source->n_cpus; cpu++)
		now.pages += piece_page(w->piece, cpu, stream_place(w->stream, cpu).page) -
			     w->first[cpu].page;
	pthread_mutex_lock(&w->work->lock);
	w->progress = now;
	stop = w->work->stop;
	pthread_mutex_unlock(&w->work->lock);
	return !stop;
}

static int reach_seam(struct worker *w, struct error *err)
{
	const struct consumer consumer = {
		.order = w->work->pieces->analysis->order, .lost = lost, .feed = feed, .ctx = w,
	};

	w->piece = piece_new(w->source, w->from);
	w->stream = stream_new(piece_source(w->piece), w->env.binding, w->subjects);
	stream_add(w->stream, &consumer);
	if (stream_advance(w->stream, w->from, err))
		return -1;
	w->before = *stream_stats(w->stream);
	w->first = places(w);
	w->begun = true;
	return 0;
}

static int read_piece(struct worker *w, struct error *err)
{
	uint64_t step = PACE_FIRST, next, before;
	const struct stream_stats *stats;

	if (reach_seam(w, err))
		return -1;
	stats = stream_stats(w->stream);
	for (; (next = stream_peek(w->stream, err)) < w->until; ) {
		before = stats->records;
		if (!goes_on(w))
			return 0;
		if (stream_advance(w->stream, min(pace_end(next, step), w->until), err) ||
		    !is_sound(w))
			return -1;
		step = pace_next(step, stats->records - before, PACE_COUNT);
	}
	/* losses that nothing came after end here */
	if (err->status || stream_advance(w->stream, w->until, err) || !is_sound(w))
		return -1;
	w->last = places(w);
	w->whole = true;
	return 0;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	struct error err = { 0 };

	w->failed = read_piece(w, &err);
	pthread_mutex_lock(&w->work->lock);
	w->work->running--;
	w->work->stop |= w->failed;
	pthread_cond_signal(&w->work->changed);
	pthread_mutex_unlock(&w->work->lock);
	return NULL;
}

static bool begin_piece(struct work *work, unsigned int number)
{
	const struct pieces *p = work->pieces;
	struct worker *w = &work->workers[number];

	w->work = work;
	w->source = &p->sources[number];
	w->from = number ? p->seams[number - 1] : 0;
	w->until = number < p->n_seams ? p->seams[number] : UINT64_MAX;
	w->subjects = subjects_new(w->source->n_cpus);
	env_fork(&w->env, p->env, w->subjects, &work->who, w->from);
	w->state = p->analysis->new(&w->env.analysis, NULL);
	return w->state;
}

static void end_piece(struct worker *w)
{
	if (w->state)
		w->work->pieces->analysis->free(w->state);
	stream_free(w->stream);
	env_fork_end(&w->env);
	subjects_free(w->subjects);
	piece_free(w->piece);
	free(w->first);
	free(w->last);
}

/* --- All of them --- */

/* One thread each; false: the system gives no more. Signals are for the thread that waits. */
static bool start(struct work *work, unsigned int *started)
{
	sigset_t all, before;
	int failed = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (*started = 0; *started < work->n; ++*started) {
		struct worker *w = &work->workers[*started];

		pthread_mutex_lock(&work->lock);
		failed = pthread_create(&w->thread, NULL, run, w);
		work->running += !failed;
		work->stop |= failed;
		pthread_mutex_unlock(&work->lock);
		if (failed)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return !failed;
}

/* Until all threads are at their end: tells how far they are. */
static void watch(struct work *work)
{
	enum { PAUSE = 50000000 }; /* ns */
	const struct pieces *p = work->pieces;
	struct timespec when;

	pthread_mutex_lock(&work->lock);
	while (work->running) {
		struct pieces_progress sum = { 0 };
		bool stop;

		for (unsigned int i = 0; i < work->n; i++) {
			sum.records += work->workers[i].progress.records;
			sum.lost_records += work->workers[i].progress.lost_records;
			sum.pages += work->workers[i].progress.pages;
		}
		pthread_mutex_unlock(&work->lock);
		stop = p->meanwhile && !p->meanwhile(p->ctx, &sum);
		clock_gettime(CLOCK_MONOTONIC, &when);
		when.tv_nsec += PAUSE;
		when.tv_sec += when.tv_nsec / 1000000000;
		when.tv_nsec %= 1000000000;
		pthread_mutex_lock(&work->lock);
		work->stop |= stop;
		if (work->running)
			pthread_cond_timedwait(&work->changed, &work->lock, &when);
	}
	pthread_mutex_unlock(&work->lock);
}

static bool same_places(const struct work *work, const struct stream_place *a,
			const struct stream_place *b)
{
	for (unsigned int cpu = 0; cpu < work->pieces->sources->n_cpus; cpu++)
		if (a[cpu].page != b[cpu].page || a[cpu].next != b[cpu].next)
			return false;
	return true;
}

static void add_stats(struct stream_stats *to, const struct worker *w)
{
	const struct stream_stats *now = stream_stats(w->stream);

	to->records += now->records - w->before.records;
	to->lost_records += now->lost_records - w->before.lost_records;
	to->lost_marks += now->lost_marks - w->before.lost_marks;
	to->lost_unknown += now->lost_unknown - w->before.lost_unknown;
	to->first = min(to->first, now->first);
	to->last = max(to->last, now->last);
}

/* Up to the first piece that is not whole. */
static bool join(const struct work *work, struct pieces *p)
{
	const struct worker *last = NULL;

	p->stats = (struct stream_stats){ .first = UINT64_MAX };
	for (unsigned int i = 0; i < work->n && work->workers[i].begun; i++) {
		struct worker *w = &work->workers[i];

		if (last && !same_places(work, last->last, w->first))
			return false;
		if (!p->analysis->join(p->state, w->state))
			return false;
		add_stats(&p->stats, w);
		if (!w->whole)
			break;
		last = w;
	}
	return true;
}

static bool run_all(struct work *work, struct pieces *p)
{
	unsigned int started;
	bool good = start(work, &started);

	watch(work);
	for (unsigned int i = 0; i < started; i++) {
		pthread_join(work->workers[i].thread, NULL);
		good &= !work->workers[i].failed;
	}
	if (!good)
		return false;
	p->state = p->analysis->new(&p->env->analysis, NULL);
	if (p->state && join(work, p))
		return true;
	if (p->state)
		p->analysis->free(p->state);
	p->state = NULL;
	return false;
}

static bool is_text(const struct decode_arg *arg)
{
	return arg->read != DECODE_CONST && arg->read != DECODE_NUMBER;
}

/* The binding collects the texts that it meets in records, and knows one thread. */
static bool has_texts(const struct decode_plan *plan)
{
	for (uint32_t i = 0; i < plan->n_rows; i++) {
		const struct decode_row *row = &plan->rows[i];
		bool extra = false;

		for (int j = 0; j < HV_EXTRA; j++)
			extra |= is_text(&row->extra[j]);
		if (extra || is_text(&row->a) || is_text(&row->b) || is_text(&row->aux) ||
		    is_text(&row->who))
			return true;
	}
	return false;
}

/* What an analysis is asked for may be what it can't tell of a piece: then it makes no state. */
static bool takes_pieces(const struct analysis *analysis, const struct env *env)
{
	struct env piece;
	void *state;

	env_fork(&piece, env, NULL, NULL, 0);
	state = analysis->new(&piece.analysis, NULL);
	if (state)
		analysis->free(state);
	env_fork_end(&piece);
	return state;
}

bool pieces_fit(const struct analysis *analysis, const struct env *env,
		const struct page_source *source)
{
	return analysis->join && !source->clock && source->get &&
	       !has_texts(binding_plan(env->binding)) && takes_pieces(analysis, env);
}

bool pieces_run(struct pieces *p)
{
	struct work work = { .pieces = p, .n = p->n_seams + 1 };
	pthread_condattr_t clock;
	bool good = true;

	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&work.changed, &clock);
	pthread_condattr_destroy(&clock);
	pthread_mutex_init(&work.lock, NULL);
	pthread_mutex_init(&work.who, NULL);
	work.workers = xcalloc(work.n, sizeof(*work.workers));
	for (unsigned int i = 0; i < work.n; i++)
		good &= begin_piece(&work, i);
	good = good && run_all(&work, p);
	for (unsigned int i = 0; i < work.n; i++)
		end_piece(&work.workers[i]);
	free(work.workers);
	pthread_cond_destroy(&work.changed);
	pthread_mutex_destroy(&work.who);
	pthread_mutex_destroy(&work.lock);
	return good;
}
