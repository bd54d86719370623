// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A window's facts lie in one array, CPU after CPU. Rule: what is in order already is handed on
 * where it lies; what is not is sorted by merging runs that are in order pairwise, which reads and
 * writes memory in sequence, unlike a heap over many CPUs. Equal times keep the array's order,
 * which is by CPU, then position.
 */
#include "trace/window.h"

#include <string.h>

/* An uninterrupted run of one subject that moved. */
struct segment {
	uint64_t begin, end; /* times of its first and last fact */
	uint32_t first, n;   /* of the window's facts */
	uint32_t subject;
	uint16_t cpu;
};

/* What is sorted: a time, and what has it. */
struct key {
	uint64_t time;
	uint32_t index;
};

struct spans {
	struct window_span *spans;
	size_t n, room;
};

/* The memory of the views, kept from window to window. */
struct window_views {
	bool has_sorted, has_threads; /* made for this window */
	struct window_span whole;
	struct window_span global;
	struct spans threads;
	struct segment *segments;
	size_t n_segments, segments_room;
	uint32_t *last; /* by subject: its last segment so far, + 1 */
	uint32_t n_last;
	struct key *keys[2]; /* merged to and fro */
	size_t n_keys, keys_room;
	size_t *runs; /* where sorted runs of keys begin; one more for the end of the last */
	size_t n_runs, runs_room;
	struct fact *sorted, *moved;
	size_t sorted_room, moved_room;
};

struct window *window_new(void)
{
	struct window *w = xcalloc(1, sizeof(*w));

	w->views = xcalloc(1, sizeof(*w->views));
	return w;
}

void window_free(struct window *w)
{
	if (!w)
		return;
	free(w->views->threads.spans);
	free(w->views->segments);
	free(w->views->last);
	free(w->views->runs);
	free(w->views->keys[0]);
	free(w->views->keys[1]);
	free(w->views->sorted);
	free(w->views->moved);
	free(w->views);
	free(w->facts);
	free(w->marks);
	free(w->parts);
	free(w);
}

void window_begin(struct window *w, uint32_t serial)
{
	w->n = 0;
	w->n_parts = 0;
	w->moved = 0;
	w->ends = 0;
	w->views->has_sorted = false;
	w->views->has_threads = false;
	/* once in 2^32 windows marks of another age could be taken for this one's */
	if (serial <= w->serial && w->n_marks)
		memset(w->marks, 0, w->n_marks * sizeof(*w->marks));
	w->serial = serial;
}

void window_cpu(struct window *w, uint16_t cpu)
{
	if (w->n_parts)
		w->parts[w->n_parts - 1].end = w->n;
	w->parts = xgrow(w->parts, w->n_parts, &w->parts_room, sizeof(*w->parts));
	w->parts[w->n_parts++] = (struct window_part){ .begin = w->n, .end = w->n, .cpu = cpu };
}

void window_end(struct window *w)
{
	if (w->n_parts)
		w->parts[w->n_parts - 1].end = w->n;
}

void window_grow(struct window *w, size_t n)
{
	w->room = max(w->n + n, w->room + w->room / 2);
	w->facts = xreallocarray(w->facts, w->room, sizeof(*w->facts));
}

void window_grow_marks(struct window *w, uint32_t subject)
{
	uint32_t n = max(subject + 1, w->n_marks * 2);

	w->marks = xreallocarray(w->marks, n, sizeof(*w->marks));
	memset(w->marks + w->n_marks, 0, (n - w->n_marks) * sizeof(*w->marks));
	w->n_marks = n;
}

/* Room for n keys, none of them there yet. */
static void begin_keys(struct window_views *v, size_t n)
{
	if (v->keys_room < n) {
		v->keys_room = n + n / 2;
		for (int i = 0; i < 2; i++) {
			free(v->keys[i]);
			v->keys[i] = xreallocarray(NULL, v->keys_room, sizeof(struct key));
		}
	}
	v->n_keys = 0;
	v->n_runs = 0;
}

/* The keys from here on are in order among themselves. */
static void begin_run(struct window_views *v)
{
	if (v->n_runs && v->runs[v->n_runs - 1] == v->n_keys)
		return;
	v->runs = xgrow(v->runs, v->n_runs + 1, &v->runs_room, sizeof(*v->runs));
	v->runs[v->n_runs++] = v->n_keys;
}

static void add_key(struct window_views *v, uint64_t time, size_t index)
{
	v->keys[0][v->n_keys++] = (struct key){ .time = time, .index = (uint32_t)index };
}

/* Two sorted runs into one; the left one first where times are equal. */
static void merge(struct key *to, const struct key *a, const struct key *a_end,
		  const struct key *b, const struct key *b_end)
{
	while (a < a_end && b < b_end)
		*to++ = b->time < a->time ? *b++ : *a++;
	memcpy(to, a, (size_t)(a_end - a) * sizeof(*to));
	memcpy(to + (a_end - a), b, (size_t)(b_end - b) * sizeof(*to));
}

/* Halves the number of runs. */
static void merge_pairs(struct window_views *v, struct key *to, const struct key *from)
{
	size_t *runs = v->runs, n = 0, i;

	for (i = 0; i + 1 < v->n_runs; i += 2) {
		merge(to + runs[i], from + runs[i], from + runs[i + 1], from + runs[i + 1],
		      from + runs[i + 2]);
		runs[n++] = runs[i];
	}
	if (i < v->n_runs) {
		memcpy(to + runs[i], from + runs[i], (runs[i + 1] - runs[i]) * sizeof(*to));
		runs[n++] = runs[i];
	}
	runs[n] = v->n_keys;
	v->n_runs = n;
}

static const struct key *sort_keys(struct window_views *v)
{
	int which = 0;

	if (v->n_runs)
		v->runs[v->n_runs] = v->n_keys;
	for (; v->n_runs > 1; which = !which)
		merge_pairs(v, v->keys[!which], v->keys[which]);
	return v->keys[which];
}

/* The facts that the sorted keys name, one after another in *to. */
static struct window_span gather(struct window *w, const struct key *keys, struct fact **to,
				 size_t *room)
{
	size_t n = w->views->n_keys;

	if (*room < n) {
		*room = n + n / 2;
		free(*to);
		*to = xreallocarray(NULL, *room, sizeof(**to));
	}
	for (size_t i = 0; i < n; i++)
		(*to)[i] = w->facts[keys[i].index];
	return (struct window_span){ .facts = *to, .n = n };
}

static void make_global(struct window *w)
{
	struct window_views *v = w->views;

	begin_keys(v, w->n);
	for (size_t i = 0; i < w->n_parts; i++) {
		begin_run(v);
		for (size_t j = w->parts[i].begin; j < w->parts[i].end; j++)
			add_key(v, w->facts[j].time, j);
	}
	v->global = gather(w, sort_keys(v), &v->sorted, &v->sorted_room);
}

static void add_span(struct spans *s, const struct fact *facts, size_t n)
{
	struct window_span *last = s->n ? &s->spans[s->n - 1] : NULL;

	if (last && last->facts + last->n == facts) {
		last->n += n;
		return;
	}
	s->spans = xgrow(s->spans, s->n, &s->room, sizeof(*s->spans));
	s->spans[s->n++] = (struct window_span){ .facts = facts, .n = n };
}

static void add_segment(struct window *w, const struct fact *facts, size_t n)
{
	struct window_views *v = w->views;

	v->segments = xgrow(v->segments, v->n_segments, &v->segments_room, sizeof(*v->segments));
	v->segments[v->n_segments++] = (struct segment){
		.begin = facts->time, .end = facts[n - 1].time,
		.first = (uint32_t)(facts - w->facts), .n = (uint32_t)n,
		.subject = facts->subject, .cpu = facts->cpu,
	};
}

static bool has_moved(const struct window *w, uint32_t subject)
{
	return subject < w->n_marks && w->marks[subject].window == w->serial &&
	       w->marks[subject].moved;
}

/* Facts of those that stayed become spans, of those that moved segments. */
static void split(struct window *w)
{
	const struct fact *f, *end, *next;

	w->views->n_segments = 0;
	for (size_t i = 0; i < w->n_parts; i++) {
		end = w->facts + w->parts[i].end;
		for (f = w->facts + w->parts[i].begin; f < end; f = next) {
			for (next = f + 1; next < end && next->subject == f->subject &&
					   next->kind != FACT_THREAD_BORN;)
				next++;
			if (has_moved(w, f->subject))
				add_segment(w, f, (size_t)(next - f));
			else
				add_span(&w->views->threads, f, (size_t)(next - f));
		}
	}
}

/* The keys of all segments, a run for each CPU. */
static void key_segments(struct window_views *v)
{
	begin_keys(v, v->n_segments);
	for (size_t i = 0; i < v->n_segments; i++) {
		if (!i || v->segments[i].cpu != v->segments[i - 1].cpu)
			begin_run(v);
		add_key(v, v->segments[i].begin, i);
	}
}

/* Likewise of all facts in them. */
static void key_moved(struct window *w)
{
	struct window_views *v = w->views;
	size_t n = 0;

	for (size_t i = 0; i < v->n_segments; i++)
		n += v->segments[i].n;
	begin_keys(v, n);
	for (size_t i = 0; i < v->n_segments; i++) {
		const struct segment *s = &v->segments[i];

		if (!i || s->cpu != v->segments[i - 1].cpu)
			begin_run(v);
		for (uint32_t j = s->first; j < s->first + s->n; j++)
			add_key(v, w->facts[j].time, j);
	}
}

/* Whether all of a's facts come before all of b's, which begins no earlier. */
static bool comes_before(const struct segment *a, const struct segment *b)
{
	return a->end < b->begin || (a->end == b->begin && a->cpu <= b->cpu);
}

/* Whether, of each subject, one segment ends before the next one in the order begins. */
static bool segments_apart(struct window *w, const struct key *keys)
{
	struct window_views *v = w->views;

	if (v->n_last < w->n_marks) {
		v->n_last = w->n_marks;
		v->last = xreallocarray(v->last, v->n_last, sizeof(*v->last));
	}
	for (size_t i = 0; i < v->n_segments; i++)
		v->last[v->segments[i].subject] = 0;
	for (size_t i = 0; i < v->n_keys; i++) {
		const struct segment *s = &v->segments[keys[i].index];
		uint32_t last = v->last[s->subject];

		if (last && !comes_before(&v->segments[last - 1], s))
			return false;
		v->last[s->subject] = keys[i].index + 1;
	}
	return true;
}

static void make_threads(struct window *w)
{
	struct window_views *v = w->views;
	const struct key *keys;
	struct window_span moved;

	v->threads.n = 0;
	split(w);
	key_segments(v);
	keys = sort_keys(v);
	if (segments_apart(w, keys)) {
		for (size_t i = 0; i < v->n_keys; i++) {
			const struct segment *s = &v->segments[keys[i].index];

			add_span(&v->threads, w->facts + s->first, s->n);
		}
		return;
	}
	key_moved(w);
	moved = gather(w, sort_keys(v), &v->moved, &v->moved_room);
	add_span(&v->threads, moved.facts, moved.n);
}

const struct window_span *window_order(struct window *w, enum order order, size_t *n)
{
	struct window_views *v = w->views;

	*n = 1;
	if (order == ORDER_CPU || w->n_parts < 2 || (order == ORDER_THREAD && !w->moved)) {
		v->whole = (struct window_span){ .facts = w->facts, .n = w->n };
		return &v->whole;
	}
	if (order == ORDER_GLOBAL) {
		if (!v->has_sorted)
			make_global(w);
		v->has_sorted = true;
		return &v->global;
	}
	if (!v->has_threads)
		make_threads(w);
	v->has_threads = true;
	*n = v->threads.n;
	return v->threads.spans;
}
