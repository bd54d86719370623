// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Births in a window by thread: whose thread a new one is, its maker's birth tells, so no birth may
 * come behind a later one, on whatever CPUs makers and new threads were. (The orders themselves are
 * tested with the stream.)
 */
#include "base/util.h"
#include "tests/tap.h"
#include "trace/window.h"

enum { FIRST = 10, MADE = 11, OLD = 12 };

static void put(struct window *w, const struct fact *f)
{
	window_reserve(w, 1);
	window_see(w, f->subject, f->cpu);
	w->facts[w->n++] = *f;
	if (f->kind == FACT_THREAD_BORN)
		window_born(w, f->subject);
}

/* Whether births come in the order of time, and each thread's facts, too; how many in *n. */
static bool in_order(struct window *w, size_t *n)
{
	uint64_t births = 0, last[16] = { 0 };
	size_t n_spans;
	const struct window_span *spans = window_order(w, ORDER_THREAD, &n_spans);
	bool good = true;

	*n = 0;
	for (size_t i = 0; i < n_spans; i++) {
		for (const struct fact *f = spans[i].facts; f < spans[i].facts + spans[i].n; f++) {
			good &= f->time >= last[f->subject];
			last[f->subject] = f->time;
			++*n;
			if (f->kind != FACT_THREAD_BORN)
				continue;
			good &= f->time >= births;
			births = f->time;
		}
	}
	return good;
}

/* A window of these facts, in order of CPUs. */
static void test(struct window *w, const struct fact *facts, size_t n, const char *name)
{
	static uint32_t serial;
	size_t told;

	window_begin(w, ++serial);
	for (size_t i = 0; i < n; i++) {
		if (!i || facts[i].cpu != facts[i - 1].cpu)
			window_cpu(w, facts[i].cpu);
		put(w, &facts[i]);
	}
	window_end(w);
	ok(in_order(w, &told) && told == n, "%s", name);
}

#define FACT(on, at, who, what) { .cpu = on, .time = at, .subject = who, .kind = what }

int main(void)
{
	/* Born on one CPU, the first makes another thread on its next one, which stays there. */
	static const struct fact maker_moved[] = {
		FACT(0, 150, MADE, FACT_THREAD_BORN),
		FACT(0, 160, MADE, FACT_RECORD),
		FACT(0, 170, FIRST, FACT_RECORD),
		FACT(1, 100, FIRST, FACT_THREAD_BORN),
		FACT(1, 110, OLD, FACT_RECORD),
	};
	/* The made one's id was another's, whose last fact lies right before the birth. */
	static const struct fact id_reused[] = {
		FACT(0, 50, MADE, FACT_RECORD),
		FACT(0, 150, MADE, FACT_THREAD_BORN),
		FACT(0, 160, MADE, FACT_RECORD),
		FACT(1, 100, FIRST, FACT_THREAD_BORN),
		FACT(1, 110, FIRST, FACT_RECORD),
	};
	static const struct fact one_cpu[] = {
		FACT(0, 100, FIRST, FACT_THREAD_BORN),
		FACT(0, 110, MADE, FACT_THREAD_BORN),
		FACT(0, 120, FIRST, FACT_RECORD),
	};
	struct window *w = window_new();

	test(w, maker_moved, ARRAY_SIZE(maker_moved), "a birth is not told before the maker's");
	test(w, id_reused, ARRAY_SIZE(id_reused), "not even where the id was another's before");
	test(w, one_cpu, ARRAY_SIZE(one_cpu), "on one CPU all is as it stands");
	window_free(w);
	return tap_done();
}
