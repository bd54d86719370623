// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The drain loop. What was measured, and why the obvious rules are wrong:
 *
 * - a partial page is no sign that a CPU is dry (the rest of a page that was read in part looks
 *   partial, with full pages behind it), and reading until it is dry has no end under load: a CPU
 *   is done when it says EAGAIN or when its last page begins at or after H;
 * - always one whole sub-buffer is read: after a shorter read comes a remainder without header;
 * - the CPU that is behind the others is read next, so that when the pool of pages is full, all
 *   that is older than its last page can be handed on, and its pages be given back.
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
#define ROUND_MIN          (10 * MS)
#define POOL_DEFAULT       (UINT64_C(16) << 20)
#define POOL_PAGES_PER_CPU 4

struct live_cpu {
	void **pages; /* a ring of `room` (a power of two): page n is at n % room */
	size_t room;
	uint64_t first, end;  /* pages first … end - 1 are held */
	uint64_t last;        /* header time of the last page read */
	uint64_t round_bytes; /* read in this round */
	bool done;            /* for this round */
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
	bool released;                      /* since the pool was full */

	bool in_round, strict; /* the round goes on; it was made with a barrier */
	uint64_t h, h_before;  /* its H; that of the round before */
	uint64_t handed;       /* the highest horizon that was given */
	bool busy;             /* a buffer was found more than a quarter full: don't pause */

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

static void *take_page(struct live *l)
{
	if (l->n_spare)
		return l->spare[--l->n_spare];
	if (l->n_pages >= l->max_pages)
		return NULL;
	l->n_pages++;
	return xmalloc(l->page_size);
}

static void give_back(struct live *l, void *page)
{
	l->spare[l->n_spare++] = page;
}

static void set_pool(struct live *l, size_t pages)
{
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

/* Reads up to H. False when the pool is full before that. */
static bool drain(struct live *l)
{
	for (unsigned int cpu; (cpu = behind(l)) < l->n_cpus;) {
		struct live_cpu *c = &l->cpus[cpu];

		switch (read_page(l, cpu)) {
		case READ_PAGE:
			c->done = c->last >= l->h;
			break;
		case READ_DRY:
			c->done = true;
			break;
		case READ_FULL:
			return false;
		}
	}
	return true;
}

/* All pages that are older than this were read, although the round isn't over. */
static uint64_t read_up_to(const struct live *l)
{
	unsigned int cpu = behind(l);

	return cpu < l->n_cpus ? l->cpus[cpu].last : NEVER;
}

static void begin_round(struct live *l, uint64_t h)
{
	l->in_round = true;
	l->h = h;
	l->stats.rounds++;
	for (unsigned int cpu = 0; cpu < l->n_cpus; cpu++) {
		l->cpus[cpu].done = !watch_has(l->watch, cpu);
		l->cpus[cpu].round_bytes = 0;
	}
}

static void end_round(struct live *l)
{
	l->in_round = false;
	l->busy = false;
	for (unsigned int cpu = 0; cpu < l->n_cpus; cpu++)
		l->busy |= l->cpus[cpu].round_bytes > l->buffer_size / 4;
}

/* Goes on with a round until it is over or the pool is full; sets the horizon. */
static void go_on(struct live *l, uint64_t if_complete, struct live_result *result)
{
	uint64_t horizon;

	/* Full, and nothing was given back since: whoever reads needs more pages at once. */
	if (l->n_pages >= l->max_pages && !l->n_spare && !l->released)
		set_pool(l, l->max_pages + l->n_cpus);
	l->released = false;
	result->more = !drain(l);
	if (result->more) {
		horizon = read_up_to(l);
	} else {
		horizon = if_complete;
		end_round(l);
	}
	l->handed = max(l->handed, horizon);
	result->horizon = l->handed;
}

/* Whether all records older than now are visible after it. */
static bool pass_barrier(struct live *l)
{
	enum live_barrier used = barrier_pass(l->barrier);

	l->stats.barrier = max(l->stats.barrier, used);
	return used != BARRIER_MARGIN;
}

int live_round(struct live *l, uint64_t boundary, struct live_result *result, struct error *err)
{
	(void)err;
	*result = (struct live_result){ .horizon = l->handed };
	if (!l->in_round) {
		result->interrupted =
			!watch_wait(l->watch, boundary, l->busy ? 0 : l->h_before + ROUND_MIN);
		if (result->interrupted)
			return 0;
		begin_round(l, clock_now());
		l->strict = (l->options.strict || l->h >= boundary) && pass_barrier(l);
	}
	uint64_t margin = min(l->h_before, l->h > MARGIN ? l->h - MARGIN : 0);
	uint64_t h = l->h;

	go_on(l, l->strict ? h : margin, result);
	if (!l->in_round) {
		l->h_before = h;
		result->guard = watch_look(l->watch, h);
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
		begin_round(l, NEVER);
	}
	go_on(l, NEVER, result);
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
		.n_cpus = l->n_cpus,
		.layout = session_layout(s),
	};
	l->page_size = l->source.layout.size;
	set_pool(l, max((options->pool ? options->pool : POOL_DEFAULT) / l->page_size,
			(size_t)POOL_PAGES_PER_CPU * l->n_cpus));
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
