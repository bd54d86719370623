// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The drain loop. What was measured, and why the obvious rules are wrong:
 *
 * - a partial page is no sign that a CPU is dry (the rest of a page that was read in part looks
 *   partial, with full pages behind it), and reading until it is dry has no end under load: a CPU
 *   is done when it says EAGAIN or when its last page begins at or after the round's goal;
 * - the goal is what may be handed on after the round, and no later: a page that has to wait in
 *   memory is out of the cache when its records are decoded. Much waits in the kernel's buffer
 *   instead, unless that gets full;
 * - likewise only a few pages are read before their records are handed on, so that the same memory
 *   is read into again and again. The CPU that is behind the others is read next: then all that is
 *   older than its last page can be handed on, and its pages be given back;
 * - always one whole sub-buffer is read: after a shorter read comes a remainder without header.
 */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "trace/clock.h"
#include "trace/cursor-live.h"
#include "trace/watch.h"

#define MS                 UINT64_C(1000000)
#define SECOND             (1000 * MS)
#define NEVER              UINT64_MAX
#define MARGIN             (10 * MS) /* longer than interrupts last */
#define BUSY_MARGIN        (25 * MS) /* so much may wait in the buffers */
#define ROUND_MIN          (10 * MS)
#define POOL_DEFAULT       (UINT64_C(16) << 20)
#define POOL_PAGES_PER_CPU 4
#define AT_ONCE            (UINT64_C(512) << 10) /* bytes: they stay in an L2 cache */
#define AT_ONCE_PER_CPU    2

struct live_cpu {
	void **pages; /* a ring of `room` (a power of two): page n is at n % room */
	size_t room;
	uint64_t first, end;  /* pages first … end - 1 are held */
	uint64_t last;        /* header time of the last page read */
	uint64_t round_bytes; /* read in this round */
	bool done, dry;       /* for this round; because there was nothing left */
};

struct live {
	struct watch *watch;
	struct live_options options;
	struct page_source source;
	struct live_cpu *cpus;
	unsigned int n_cpus;
	size_t page_size;
	uint64_t buffer_size;

	void **spare;                       /* pages free to be read into */
	size_t n_spare, n_pages, max_pages; /* n_pages: all, held or spare */
	size_t at_once, quota;              /* may be held: before they are handed on; just now */
	bool released;                      /* since the quota was used up */

	bool in_round, strict; /* the round goes on; it was made with a barrier */
	uint64_t h, h_before;  /* its H; that of the round before */
	uint64_t goal;         /* to be read up to: what may be handed on then */
	uint64_t handed;       /* the highest horizon that was given */
	bool busy;             /* a buffer was found more than an eighth full */

	struct barrier *barrier;
	uint64_t cpu_begin;
	struct live_stats stats;
};

static uint64_t thread_cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * SECOND + t.tv_nsec;
}

/* The page source. */

static int live_get(void *ctx, unsigned int cpu, uint64_t n, const void **page, size_t *size,
		    struct error *err)
{
	struct live *l = ctx;
	struct live_cpu *c = &l->cpus[cpu];

	(void)err;
	if (n < c->first || n >= c->end)
		return 0;
	*page = c->pages[n & (c->room - 1)];
	*size = l->page_size;
	return 1;
}

static int live_time(void *ctx, unsigned int cpu, uint64_t n, uint64_t *time, struct error *err)
{
	struct live *l = ctx;
	const void *page;
	size_t size;

	if (!live_get(ctx, cpu, n, &page, &size, err))
		return 0;
	*time = page_time(&l->source.layout, page);
	return 1;
}

static void live_release(void *ctx, unsigned int cpu, uint64_t n)
{
	struct live *l = ctx;
	struct live_cpu *c = &l->cpus[cpu];

	for (; c->first < min(n, c->end); c->first++) {
		l->spare[l->n_spare++] = c->pages[c->first & (c->room - 1)];
		l->released = true;
	}
}

const struct page_source *live_source(struct live *l)
{
	return &l->source;
}

/* The pool. */

static size_t held(const struct live *l)
{
	return l->n_pages - l->n_spare;
}

static void *take_page(struct live *l)
{
	if (held(l) >= l->quota)
		return NULL;
	if (l->n_spare)
		return l->spare[--l->n_spare];
	l->n_pages++;
	return xmalloc(l->page_size);
}

static void give_back(struct live *l, void *page)
{
	l->spare[l->n_spare++] = page;
}

static void set_quota(struct live *l, size_t pages)
{
	l->quota = pages;
	if (pages <= l->max_pages)
		return;
	l->max_pages = pages;
	l->spare = xreallocarray(l->spare, pages, sizeof(*l->spare));
}

static void queue_page(struct live_cpu *c, void *page)
{
	if (c->end - c->first == c->room) {
		size_t room = c->room ? c->room * 2 : 4;
		void **pages = xcalloc(room, sizeof(*pages));

		for (uint64_t n = c->first; n < c->end; n++)
			pages[n & (room - 1)] = c->pages[n & (c->room - 1)];
		free(c->pages);
		c->pages = pages;
		c->room = room;
	}
	c->pages[c->end++ & (c->room - 1)] = page;
}

/* Reading. */

/* Counts what a page says about losses, and how long its first record waited. */
static void note_page(struct live *l, struct live_cpu *c, const void *page)
{
	struct page_walk walk;
	struct page_record rec;

	l->stats.pages++;
	l->stats.read_bytes += l->page_size;
	if (page_begin(&walk, &l->source.layout, page, l->page_size))
		return;
	if (walk.lost) {
		l->stats.marks++;
		if (walk.lost_count != LOSS_UNKNOWN)
			l->stats.lost_marked += walk.lost_count;
	}
	if (!c->round_bytes && page_next(&walk, &l->source.layout, &rec) == 1 && rec.time < l->h &&
	    l->h != NEVER)
		l->stats.lag_ns = max(l->stats.lag_ns, l->h - rec.time);
	c->last = max(c->last, page_time(&l->source.layout, page));
	c->round_bytes += walk.end - (const unsigned char *)page;
}

enum read_result { READ_PAGE, READ_DRY, READ_FULL };

static enum read_result read_page(struct live *l, unsigned int cpu)
{
	struct live_cpu *c = &l->cpus[cpu];
	int fd = watch_fd(l->watch, cpu);
	void *page;
	ssize_t n;

	if (fd < 0)
		return READ_DRY;
	page = take_page(l);
	if (!page)
		return READ_FULL;
	do {
		n = read(fd, page, l->page_size);
	} while (n < 0 && errno == EINTR);
	/* EAGAIN: dry. What else a CPU that goes offline may say: dry until the next round. */
	if (n != (ssize_t)l->page_size) {
		give_back(l, page);
		return READ_DRY;
	}
	queue_page(c, page);
	note_page(l, c, page);
	return READ_PAGE;
}

/* The CPU that is furthest behind, of those not done; n_cpus: all are. */
static unsigned int behind(const struct live *l)
{
	unsigned int at = l->n_cpus;

	for (unsigned int cpu = 0; cpu < l->n_cpus; cpu++)
		if (!l->cpus[cpu].done && (at == l->n_cpus || l->cpus[cpu].last < l->cpus[at].last))
			at = cpu;
	return at;
}

/* Reads up to the goal. False when the quota is used up before that. */
static bool drain(struct live *l)
{
	for (unsigned int cpu; (cpu = behind(l)) < l->n_cpus;) {
		struct live_cpu *c = &l->cpus[cpu];

		switch (read_page(l, cpu)) {
		case READ_PAGE:
			c->done = c->last >= l->goal;
			break;
		case READ_DRY:
			c->done = c->dry = true;
			break;
		case READ_FULL:
			return false;
		}
	}
	return true;
}

static void set_goal(struct live *l, uint64_t goal)
{
	l->goal = goal;
	for (unsigned int cpu = 0; cpu < l->n_cpus; cpu++) {
		struct live_cpu *c = &l->cpus[cpu];

		c->done = c->dry || c->last >= goal || !watch_has(l->watch, cpu);
	}
}

static void begin_round(struct live *l, uint64_t h, uint64_t goal)
{
	l->in_round = true;
	l->h = h;
	l->stats.rounds++;
	for (unsigned int cpu = 0; cpu < l->n_cpus; cpu++) {
		l->cpus[cpu].dry = false;
		l->cpus[cpu].round_bytes = 0;
	}
	set_goal(l, goal);
	set_quota(l, max(l->at_once, held(l) + (size_t)AT_ONCE_PER_CPU * l->n_cpus));
}

static bool is_busy(const struct live *l)
{
	for (unsigned int cpu = 0; cpu < l->n_cpus; cpu++)
		if (l->cpus[cpu].round_bytes > l->buffer_size / 8)
			return true;
	return false;
}

/* What may not be handed on yet: when it is little, or would fill the kernel's buffers. */
static void read_ahead(struct live *l)
{
	if ((l->busy || is_busy(l)) && !watch_full(l->watch))
		return;
	set_goal(l, l->h);
	set_quota(l, l->max_pages);
	drain(l);
}

static void end_round(struct live *l)
{
	read_ahead(l);
	l->in_round = false;
	l->busy = is_busy(l);
}

/* Goes on with a round until its goal is reached or the quota used up; sets the horizon. */
static void go_on(struct live *l, struct live_result *result)
{
	/* Nothing was given back since: whoever reads needs more pages at once. */
	if (held(l) >= l->quota && !l->released)
		set_quota(l, l->quota + l->n_cpus);
	l->released = false;
	result->more = !drain(l);
	/* All pages that are older than the last one of the CPU that is behind were read. */
	l->handed = max(l->handed, result->more ? l->cpus[behind(l)].last : l->goal);
	result->horizon = l->handed;
}

/* Whether all records older than now are visible after it. */
static bool pass_barrier(struct live *l)
{
	enum live_barrier used = barrier_pass(l->barrier);

	l->stats.barrier = max(l->stats.barrier, used);
	return used != BARRIER_MARGIN;
}

/* Up to where all records are visible in a round with this H. */
static uint64_t without_barrier(const struct live *l, uint64_t h)
{
	uint64_t goal = l->h_before;

	/* A whole round's worth would be much to leave in the buffers. */
	if (l->busy)
		goal = max(goal, h - BUSY_MARGIN);
	return min(goal, h - MARGIN);
}

/* Waits for the next round and begins it. False: a signal came instead. */
static bool next_round(struct live *l, uint64_t boundary)
{
	uint64_t h;

	if (!watch_wait(l->watch, boundary, l->busy ? 0 : l->h_before + ROUND_MIN))
		return false;
	h = clock_now();
	l->strict = (l->options.strict || h >= boundary) && pass_barrier(l);
	begin_round(l, h, l->strict ? h : without_barrier(l, h));
	return true;
}

int live_round(struct live *l, uint64_t boundary, struct live_result *result, struct error *err)
{
	(void)err;
	*result = (struct live_result){ .horizon = l->handed };
	if (!l->in_round && !next_round(l, boundary)) {
		result->interrupted = true;
		return 0;
	}
	go_on(l, result);
	if (!result->more) {
		end_round(l);
		l->h_before = l->h;
		result->guard = watch_look(l->watch, l->h);
	}
	result->rate = watch_rate(l->watch);
	return 0;
}

int live_finish(struct live *l, struct live_result *result, struct error *err)
{
	(void)err;
	*result = (struct live_result){ .rate = watch_rate(l->watch) };
	if (l->h != NEVER) {
		/* Records that interrupts are still writing: wait for them. */
		if (!pass_barrier(l))
			watch_sleep(l->watch, MARGIN);
		watch_see(l->watch);
		begin_round(l, NEVER, NEVER);
	}
	go_on(l, result);
	l->in_round = result->more;
	return 0;
}

uint64_t live_drained(const struct live *l, unsigned int cpu, uint64_t *page)
{
	*page = l->cpus[cpu].end;
	return !watch_has(l->watch, cpu) || l->in_round ? 0 : l->handed;
}

const struct live_stats *live_stats(struct live *l)
{
	l->stats.lost = watch_lost(l->watch);
	l->stats.cpu_ns = thread_cpu_time() - l->cpu_begin;
	return &l->stats;
}

struct live *live_new(struct session *s, const struct live_options *options, struct error *err)
{
	const struct session_info *info = session_info(s);
	int fd = session_raw(s, 0);
	uint64_t pool;

	/* CPU 0 is always there; what it says goes for all. */
	if (fd < 0) {
		error_errno(err, fd, "the buffers can't be read (per_cpu/cpu0/trace_pipe_raw)");
		return NULL;
	}
	struct live *l = xcalloc(1, sizeof(*l));

	l->watch = watch_new(s, options->max_rate, options->sigmask);
	l->options = *options;
	l->n_cpus = info->n_cpus;
	l->buffer_size = info->buffer_size;
	l->cpus = xcalloc(l->n_cpus, sizeof(*l->cpus));
	l->source = (struct page_source){
		.get = live_get,
		.release = live_release,
		.time = live_time,
		.ctx = l,
		.grows = true,
		.n_cpus = l->n_cpus,
		.layout = session_layout(s),
	};
	l->page_size = l->source.layout.size;
	pool = options->pool ? options->pool : POOL_DEFAULT;
	l->at_once = min(AT_ONCE, pool) / l->page_size;
	set_quota(l, max(pool / l->page_size, (uint64_t)POOL_PAGES_PER_CPU * l->n_cpus));
	l->cpu_begin = thread_cpu_time();
	l->barrier = barrier_new(l->n_cpus);
	if (!watch_open(l->watch, err))
		return l;
	live_free(l);
	return NULL;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	for (unsigned int cpu = 0; cpu < l->n_cpus; cpu++) {
		live_release(l, cpu, NEVER);
		free(l->cpus[cpu].pages);
	}
	for (size_t i = 0; i < l->n_spare; i++)
		free(l->spare[i]);
	barrier_free(l->barrier);
	free(l->spare);
	free(l->cpus);
	watch_free(l->watch);
	free(l);
}
