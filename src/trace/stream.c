// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cursors, windows, losses.
 *
 * A cursor always knows the time of its CPU's next record, and therefore looks into the page
 * behind the one that it finished: that is also how a loss that begins in a window is known before
 * the window's facts are handed on, although the mark stands on a page behind it.
 *
 * A window ends where the first of the CPUs would take more than its share of memory, so all CPUs
 * advance together and no page of the future is held. Times in here are ns of the source's clock;
 * raw times exist only between a page and the end of its decoding.
 *
 * Everything that is decided is decided while windows are made: their ends, losses, the numbers of
 * threads. Delivery only reads, and what goes with a window travels with it, in its batch. So it
 * makes no difference whether windows are made one by one or ahead, by another thread.
 */
#include "trace/stream.h"

#include <string.h>

#include "base/util.h"
#include "trace/binding.h"
#include "trace/decode.h"
#include "trace/ends.h"
#include "trace/relay.h"
#include "trace/repage.h"
#include "trace/subjects.h"
#include "trace/window.h"

enum {
	WINDOW_BYTES = 8 << 20,	      /* of pages, all CPUs together */
	WINDOW_CPU_BYTES = 128 << 10, /* … and of one CPU: beyond it caches don't hold the facts */
	MAX_HELD = PAGE_WINDOW - 2,   /* pages of a CPU, empty ones between others among them */
	AHEAD_BYTES = 8 << 20	      /* of windows that are decoded ahead, pages and facts */
};

/* Records that are missing before a cursor's next one. */
struct gap {
	uint64_t marks, unknown, lost; /* by the kernel's marks */
	bool damage;		       /* a page could not be walked */
};

/* stream_drained() */
struct drained {
	uint64_t time;
	uint64_t page;
};

struct cursor {
	uint64_t page;	       /* number of the page that it stands on or wants next */
	uint64_t held;	       /* page of the window's begin */
	uint64_t released;     /* pages from this number on were not released */
	struct page_walk walk; /* before the next record, when open */
	uint64_t raw_next;     /* its raw time */
	uint64_t last;	       /* time of the last record walked */
	uint64_t silent;       /* up to here there was none: begin of a page that has none */
	struct drained drained, coming; /* the one that holds, the one for pages further on */
	struct gap gap;
	uint64_t gap_from; /* where it begins, or up to where it was told */
	bool open;
	bool in_gap; /* the gap's end is not found yet */
	bool dry;    /* no page there; asked again by the next stream_advance() */
};

struct losses {
	struct loss *list;
	size_t n, room;
};

/* A window and what goes with it, from its making to its delivery. */
struct batch {
	struct window *window;
	struct losses losses;
	struct subject_changes begun, ended; /* before its facts, and behind them */
	struct end_facts retired, gone;      /* likewise: whose numbers are given back */
	uint64_t *pages; /* by CPU: pages below are not needed any more once it was delivered */
	size_t bytes;	 /* of its pages and facts */
	struct stream_stats stats; /* up to its end */
};

struct stream {
	struct page_source source;
	struct repage *repage; /* pages of records, for sources without */
	struct subjects *subjects;
	struct decoder *decoder;
	struct batch batches[RELAY_SLOTS];
	struct batch *batch;   /* the one that is being made */
	struct window *window; /* its window */
	struct relay *relay;   /* NULL: each is delivered as soon as it is made */
	uint64_t until;	       /* of stream_advance() */
	struct error error;    /* why no batch could be made */
	struct cursor *cursors;
	uint64_t *next; /* by CPU: time of its next record, UINT64_MAX none known */
	uint64_t handed; /* all before it was handed on */
	struct losses losses; /* found, for the batch that ends next */
	struct ends *ends;
	uint32_t serial; /* of the last window */
	struct consumer *consumers;
	size_t n_consumers;
	struct stream_stats stats;     /* of what was made */
	struct stream_stats delivered; /* of what was handed on */
};

/* What is made from now on goes into this one. */
static void use_batch(struct stream *s, unsigned int which)
{
	struct batch *b = &s->batches[which];

	if (!b->window) {
		b->window = window_new();
		b->pages = xcalloc(s->source.n_cpus, sizeof(*b->pages));
	}
	s->batch = b;
	s->window = b->window;
	decoder_window(s->decoder, b->window);
	subjects_record(s->subjects, &b->begun);
}

struct stream *stream_new(const struct page_source *source, struct binding *binding,
			  struct subjects *subjects)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->source = *source;
	if (!source->get) {
		s->repage = repage_new(source);
		s->source = *repage_source(s->repage);
	}
	s->subjects = subjects;
	s->ends = ends_new(subjects);
	s->decoder = decoder_new(binding_plan(binding), &s->source.layout, subjects, NULL);
	use_batch(s, 0);
	s->cursors = xcalloc(s->source.n_cpus, sizeof(*s->cursors));
	s->next = xcalloc(s->source.n_cpus, sizeof(*s->next));
	for (unsigned int cpu = 0; cpu < s->source.n_cpus; cpu++)
		s->next[cpu] = UINT64_MAX;
	s->stats.first = s->delivered.first = UINT64_MAX;
	return s;
}

static void free_batch(struct batch *b)
{
	window_free(b->window);
	free(b->losses.list);
	free(b->begun.list);
	free(b->ended.list);
	free(b->retired.list);
	free(b->gone.list);
	free(b->pages);
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	relay_free(s->relay);
	repage_free(s->repage);
	decoder_free(s->decoder);
	for (int i = 0; i < RELAY_SLOTS; i++)
		free_batch(&s->batches[i]);
	free(s->cursors);
	free(s->next);
	free(s->losses.list);
	ends_free(s->ends);
	free(s->consumers);
	free(s);
}

void stream_keep_threads(struct stream *s, uint32_t n)
{
	ends_keep(s->ends, n);
}

void stream_add(struct stream *s, const struct consumer *consumer)
{
	s->consumers = xreallocarray(s->consumers, s->n_consumers + 1, sizeof(*s->consumers));
	s->consumers[s->n_consumers++] = *consumer;
}

/* Of those that are still to come only the first is kept: a loss may seem longer, never shorter. */
void stream_drained(struct stream *s, unsigned int cpu, uint64_t time, uint64_t page)
{
	struct cursor *c;

	if (cpu >= s->source.n_cpus)
		return;
	c = &s->cursors[cpu];
	if (c->coming.page <= c->page)
		c->drained = c->coming;
	if (c->coming.page <= c->page || c->coming.page == page)
		c->coming = (struct drained){ .time = time, .page = page };
}

const struct stream_stats *stream_stats(const struct stream *s)
{
	return &s->delivered;
}

static uint64_t to_ns(const struct stream *s, unsigned int cpu, uint64_t raw)
{
	return s->source.clock ? s->source.clock(s->source.clock_ctx, cpu, raw) : raw;
}

/*
 * The first raw time whose ns are at or behind `ns`, looked for from a raw time before it on:
 * a clock is only trusted to be monotonic near where the records are.
 */
static uint64_t to_raw(const struct stream *s, unsigned int cpu, uint64_t ns, uint64_t before)
{
	uint64_t low = before, step = 1, high;

	if (!s->source.clock || ns == UINT64_MAX)
		return ns;
	while (before + step > before && to_ns(s, cpu, before + step) < ns) {
		low = before + step;
		step *= 2;
		if (!step)
			return UINT64_MAX;
	}
	high = before + step > before ? before + step : UINT64_MAX;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (to_ns(s, cpu, middle) < ns)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* Losses. */

/* A loss of the CPU, from where its gap begins or was told up to. */
static void add_loss(struct stream *s, unsigned int cpu, uint64_t to, uint64_t count)
{
	struct losses *l = &s->losses;

	l->list = xgrow(l->list, l->n, &l->room, sizeof(*l->list));
	l->list[l->n++] = (struct loss){
		.from = s->cursors[cpu].gap_from, .to = to, .cpu = (uint16_t)cpu, .count = count,
	};
}

static void begin_gap(struct cursor *c)
{
	if (c->in_gap)
		return;
	if (c->coming.page <= c->page)
		c->drained = c->coming;
	c->gap_from = max(max(c->last, c->silent), c->drained.time);
	c->in_gap = true;
}

static void end_gap(struct stream *s, unsigned int cpu, uint64_t to)
{
	struct cursor *c = &s->cursors[cpu];

	add_loss(s, cpu, to, c->gap.unknown || c->gap.damage ? LOSS_UNKNOWN : c->gap.lost);
	c->in_gap = false;
}

/* A mark counts when the first record behind it is walked: that decides its interval. */
static void count_marks(struct stream *s, struct cursor *c)
{
	s->stats.lost_marks += c->gap.marks;
	s->stats.lost_unknown += c->gap.unknown;
	s->stats.lost_records += c->gap.lost;
	c->gap = (struct gap){ 0 };
}

static void mark_gap(struct cursor *c, uint64_t count)
{
	begin_gap(c);
	c->gap.marks++;
	if (count == LOSS_UNKNOWN)
		c->gap.unknown++;
	else
		c->gap.lost += count;
}

/* What the rest of a page held is unknown: as good as lost. */
static void leave_damaged(struct stream *s, struct cursor *c)
{
	s->stats.damaged++;
	begin_gap(c);
	c->gap.damage = true;
}

/*
 * A gap whose end no page tells yet lasts at least as long as what is handed on meanwhile, and for
 * good when nothing more comes: then it is told, and counted, with the window in which it begins.
 */
static void extend_gaps(struct stream *s, uint64_t until)
{
	for (unsigned int cpu = 0; cpu < s->source.n_cpus; cpu++) {
		struct cursor *c = &s->cursors[cpu];

		if (!c->in_gap || c->gap_from >= until)
			continue;
		if (until == UINT64_MAX || (c->dry && !s->source.grows)) {
			end_gap(s, cpu, UINT64_MAX);
			count_marks(s, c);
		} else {
			add_loss(s, cpu, until, 0);
			c->gap_from = until;
			s->stats.irregular = true;
		}
	}
}

/* Cursors. */

/* Opens the wanted page: 1 done, 0 it isn't there, -1 error. A damaged one is left behind. */
static int open_page(struct stream *s, unsigned int cpu, struct error *err)
{
	struct cursor *c = &s->cursors[cpu];
	const void *page;
	size_t size;
	int got;

	got = s->source.get(s->source.ctx, cpu, c->page, &page, &size, err);
	if (got <= 0)
		return got;
	if (page_begin(&c->walk, &s->source.layout, page, size)) {
		leave_damaged(s, c);
		c->page++;
		return 1;
	}
	c->open = true;
	if (c->walk.lost)
		mark_gap(c, c->walk.lost_count);
	else if (c->walk.p == c->walk.end)
		c->silent = max(c->silent, to_ns(s, cpu, c->walk.time));
	return 1;
}

/* The next record of the open page, without walking: false when there is none. */
static bool peek_record(struct stream *s, unsigned int cpu)
{
	struct cursor *c = &s->cursors[cpu];
	struct page_walk ahead = c->walk;
	struct page_record rec;
	int got = page_next(&ahead, &s->source.layout, &rec);

	/* No clock comes to the last time that there is, and no limit lies behind it. */
	if (got == 1 && rec.time != UINT64_MAX) {
		c->raw_next = rec.time;
		s->next[cpu] = to_ns(s, cpu, rec.time);
		return true;
	}
	if (got)
		leave_damaged(s, c);
	c->open = false;
	c->page++;
	return false;
}

/*
 * Goes on to where the CPU's next record is. s->next[cpu] is UINT64_MAX when there is none yet. It
 * is only a lower bound, and the cursor not open, when so many pages are held already that looking
 * on has to wait for their release.
 */
static int find_next(struct stream *s, unsigned int cpu, struct error *err)
{
	struct cursor *c = &s->cursors[cpu];
	int got;

	do {
		if (c->page - c->held >= MAX_HELD) {
			s->next[cpu] = c->last;
			return 0;
		}
		got = c->open ? 1 : open_page(s, cpu, err);
		if (got <= 0) {
			c->dry = true;
			s->next[cpu] = UINT64_MAX;
			return got;
		}
	} while (!c->open || !peek_record(s, cpu));
	if (c->in_gap)
		end_gap(s, cpu, s->next[cpu]);
	return 0;
}

static void release_pages(struct stream *s, unsigned int cpu, uint64_t below)
{
	struct cursor *c = &s->cursors[cpu];

	if (c->released >= below)
		return;
	c->released = below;
	if (s->source.release)
		s->source.release(s->source.ctx, cpu, below);
}

/*
 * Between windows all cursors look for their next record. No page is needed then but by its cursor,
 * unless windows were made ahead: that many pages without a record are rare enough to wait.
 */
static int find_all(struct stream *s, struct error *err)
{
	for (unsigned int cpu = 0; cpu < s->source.n_cpus; cpu++) {
		struct cursor *c = &s->cursors[cpu];

		while (!c->open && !c->dry) {
			if (find_next(s, cpu, err))
				return -1;
			if (c->held == c->page)
				continue;
			if (s->relay)
				relay_settle(s->relay);
			c->held = c->page;
			release_pages(s, cpu, c->page);
		}
	}
	return 0;
}

uint64_t stream_peek(struct stream *s, struct error *err)
{
	uint64_t earliest = UINT64_MAX;

	for (unsigned int cpu = 0; cpu < s->source.n_cpus; cpu++)
		s->cursors[cpu].dry = false;
	if (find_all(s, err))
		return UINT64_MAX;
	for (unsigned int cpu = 0; cpu < s->source.n_cpus; cpu++)
		earliest = min(earliest, s->next[cpu]);
	return earliest;
}

struct stream_place stream_place(const struct stream *s, unsigned int cpu)
{
	return (struct stream_place){ .page = s->cursors[cpu].page, .next = s->next[cpu] };
}

/* Windows. */

/* Pages that one CPU may take in a window when `active` of them have something. */
static uint64_t pages_each(const struct stream *s, unsigned int active)
{
	uint64_t size = s->source.layout.size, pages;

	pages = min((uint64_t)WINDOW_CPU_BYTES, WINDOW_BYTES / (uint64_t)active) / size;
	return max((uint64_t)1, min(pages, (uint64_t)MAX_HELD - 1));
}

/* Where the next window ends; `until` or before. False: nothing is left before `until`. */
static bool window_until(struct stream *s, uint64_t until, uint64_t *end)
{
	uint64_t earliest = UINT64_MAX, pages, time;
	unsigned int active = 0;

	for (unsigned int cpu = 0; cpu < s->source.n_cpus; cpu++) {
		active += s->next[cpu] < until;
		earliest = min(earliest, s->next[cpu]);
	}
	if (!active)
		return false;
	pages = pages_each(s, active);
	*end = until;
	for (unsigned int cpu = 0; cpu < s->source.n_cpus; cpu++) {
		if (s->next[cpu] >= *end ||
		    s->source.time(s->source.ctx, cpu, s->cursors[cpu].page + pages, &time,
				   NULL) != 1)
			continue;
		*end = min(*end, to_ns(s, cpu, time));
	}
	*end = max(*end, earliest + 1);
	return true;
}

/* Facts from `first` on have raw times. */
static void convert_times(struct stream *s, unsigned int cpu, size_t first)
{
	if (!s->source.clock)
		return;
	for (size_t i = first; i < s->window->n; i++)
		s->window->facts[i].time = to_ns(s, cpu, s->window->facts[i].time);
}

/* The part of a page behind the cursor's last record was decoded. */
static void end_part(struct stream *s, unsigned int cpu, const struct decode_result *result)
{
	struct cursor *c = &s->cursors[cpu];
	uint64_t first = s->next[cpu];

	s->stats.irregular |= first < c->last || c->walk.went_back;
	if (!result->records)
		return;
	c->last = to_ns(s, cpu, result->last);
	s->stats.irregular |= c->last < first;
}

/* Decodes a CPU's records before `until`; the records walked are added to *records. */
static int decode_until(struct stream *s, unsigned int cpu, uint64_t until, uint64_t *records,
			struct error *err)
{
	struct cursor *c = &s->cursors[cpu];
	uint64_t limit = to_raw(s, cpu, until, c->raw_next);
	enum decode_stop stop;

	while (c->open && s->next[cpu] < until) {
		struct decode_result result;
		size_t first = s->window->n;

		count_marks(s, c);
		stop = decode_page(s->decoder, &c->walk, limit, &result);
		*records += result.records;
		end_part(s, cpu, &result);
		convert_times(s, cpu, first);
		if (stop == DECODE_LIMIT && result.next != UINT64_MAX) {
			c->raw_next = result.next;
			s->next[cpu] = to_ns(s, cpu, result.next);
			break;
		}
		if (stop != DECODE_PAGE)
			leave_damaged(s, c);
		c->open = false;
		c->page++;
		if (find_next(s, cpu, err))
			return -1;
	}
	return 0;
}

static int decode_cpu(struct stream *s, unsigned int cpu, uint64_t until, struct error *err)
{
	uint64_t late = 0, records = 0;

	window_cpu(s->window, (uint16_t)cpu);
	decoder_cpu(s->decoder, (uint16_t)cpu);
	s->stats.first = min(s->stats.first, s->next[cpu]);
	if (s->next[cpu] < s->handed && decode_until(s, cpu, min(s->handed, until), &late, err))
		return -1;
	if (decode_until(s, cpu, until, &records, err))
		return -1;
	s->stats.late += late;
	s->stats.records += late + records;
	s->stats.last = max(s->stats.last, s->cursors[cpu].last);
	return 0;
}

/* Threads that are too many. */

static uint32_t last_seen(const void *ctx, uint32_t subject)
{
	const struct stream *s = ctx;
	uint32_t last = 0;

	for (int i = 0; i < RELAY_SLOTS; i++) {
		const struct window *w = s->batches[i].window;

		if (w && subject < w->n_marks)
			last = max(last, w->marks[subject].window);
	}
	return last;
}

static bool is_held(const void *ctx, uint32_t subject)
{
	const struct stream *s = ctx;

	for (size_t i = 0; i < s->n_consumers; i++)
		if (s->consumers[i].holds && s->consumers[i].holds(s->consumers[i].ctx, subject))
			return true;
	return false;
}

/* What consumers hold is known when they have all that was made. */
static void retire_threads(struct stream *s)
{
	const struct end_choice choice = {
		.seen = last_seen, .held = is_held, .ctx = s, .now = s->serial,
	};

	if (!ends_too_many(s->ends))
		return;
	if (s->relay)
		relay_settle(s->relay);
	s->stats.cut_short += ends_retire(s->ends, &choice, &s->batch->retired);
	s->stats.retired += s->batch->retired.n;
}

/* Batches. */

/* The window has all its facts: what its threads did to their numbers, and its size. */
static void end_window(struct stream *s)
{
	struct batch *b = s->batch;

	window_end(b->window);
	subjects_record(s->subjects, &b->ended);
	ends_after(s->ends, b->window, &b->gone);
	b->bytes = b->window->n * sizeof(struct fact);
	for (unsigned int cpu = 0; cpu < s->source.n_cpus; cpu++) {
		struct cursor *c = &s->cursors[cpu];

		b->bytes += (size_t)(c->page - c->held) * s->source.layout.size;
		b->pages[cpu] = c->held = c->page;
	}
}

/* The next window; 1 made, 0 nothing is left for it but losses without facts, -1 with *err. */
static int make_batch(struct stream *s, struct error *err)
{
	struct losses spare = s->batch->losses; /* handed on: its memory is used again */
	uint64_t end = s->until;
	bool more;

	if (find_all(s, err))
		return -1;
	more = window_until(s, s->until, &end);
	if (more)
		retire_threads(s);
	s->serial = s->serial == UINT32_MAX ? 1 : s->serial + 1;
	window_begin(s->window, s->serial);
	for (unsigned int cpu = 0; more && cpu < s->source.n_cpus; cpu++)
		if (s->next[cpu] < end && decode_cpu(s, cpu, end, err))
			return -1;
	extend_gaps(s, end);
	if (more)
		end_window(s);
	if (more || end != UINT64_MAX)
		s->handed = max(s->handed, end);
	s->batch->losses = s->losses;
	s->losses = spare;
	s->batch->stats = s->stats;
	return more;
}

/* `ends`: threads may end among the facts. */
static void feed(const struct consumer *c, const struct fact *facts, size_t n, bool ends)
{
	c->feed(c->ctx, facts, n);
	if (ends && c->ended)
		c->ended(c->ctx, facts, n);
}

/* Ends of numbers, while these still mean who had them. */
static void tell_ends(struct stream *s, struct end_facts *ends)
{
	for (size_t i = 0; i < s->n_consumers && ends->n; i++)
		feed(&s->consumers[i], ends->list, ends->n, true);
	ends->n = 0;
}

static void deliver(struct stream *s, struct batch *b)
{
	s->delivered = b->stats;
	tell_ends(s, &b->retired);
	subjects_apply(s->subjects, &b->begun);
	for (size_t i = 0; i < s->n_consumers; i++)
		if (b->losses.n && s->consumers[i].lost)
			s->consumers[i].lost(s->consumers[i].ctx, b->losses.list, b->losses.n);
	b->losses.n = 0;
	for (size_t i = 0; i < s->n_consumers && b->window->n; i++) {
		const struct consumer *c = &s->consumers[i];
		const struct window_span *spans;
		size_t n;

		spans = window_order(b->window, c->order, &n);
		for (size_t j = 0; j < n; j++)
			feed(c, spans[j].facts, spans[j].n, b->window->ends);
	}
	tell_ends(s, &b->gone);
	subjects_apply(s->subjects, &b->ended);
}

/* A batch was delivered, and all those before it. */
static void release_batch(struct stream *s, const struct batch *b)
{
	for (unsigned int cpu = 0; cpu < s->source.n_cpus; cpu++)
		release_pages(s, cpu, b->pages[cpu]);
}

static int advance_here(struct stream *s, struct error *err)
{
	int made;

	do {
		use_batch(s, 0);
		made = make_batch(s, err);
		if (made < 0)
			return -1;
		deliver(s, s->batch);
		release_batch(s, s->batch);
	} while (made);
	return 0;
}

/* Ahead of delivery: the maker's thread. */

static int make_ahead(void *ctx, unsigned int slot, size_t *bytes)
{
	struct stream *s = ctx;
	int made;

	use_batch(s, slot);
	release_batch(s, s->batch);
	made = make_batch(s, &s->error);
	*bytes = s->batch->bytes;
	return made;
}

void stream_decode_ahead(struct stream *s)
{
	if (!s->relay)
		s->relay = relay_new(make_ahead, s, AHEAD_BYTES);
}

static int advance_ahead(struct stream *s, struct error *err)
{
	unsigned int slot;
	int got;

	relay_begin(s->relay);
	while ((got = relay_next(s->relay, &slot)) > 0) {
		deliver(s, &s->batches[slot]);
		relay_done(s->relay, slot);
	}
	for (unsigned int cpu = 0; cpu < s->source.n_cpus; cpu++)
		release_pages(s, cpu, s->cursors[cpu].held);
	if (got)
		*err = s->error;
	return got;
}

int stream_advance(struct stream *s, uint64_t until, struct error *err)
{
	for (unsigned int cpu = 0; cpu < s->source.n_cpus; cpu++)
		s->cursors[cpu].dry = false;
	s->until = until;
	return s->relay ? advance_ahead(s, err) : advance_here(s, err);
}
