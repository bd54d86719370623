// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Births in a window by thread: whose thread a new one is, its maker's birth tells, so no birth may
 * come behind a later one, on whatever CPUs makers and new threads were. (The orders themselves are
 * tested with the stream.)
 */
#include "tests/tap.h"
#include "trace/window.h"

enum { FIRST = 10, MADE = 11, OLD = 12 };

static void put(struct window *w, uint16_t cpu, uint64_t time, uint32_t subject, int kind)
{
	struct fact fact = { .time = time, .subject = subject, .cpu = cpu, .kind = (uint8_t)kind };

	window_reserve(w, 1);
	window_see(w, subject, cpu);
	w->facts[w->n++] = fact;
	if (kind == FACT_THREAD_BORN)
		window_born(w, subject);
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

/* Born on one CPU, the first makes another thread on its next one, which stays there. */
static void test_maker_moved(struct window *w)
{
	size_t n;

	window_begin(w, 1);
	window_cpu(w, 0);
	put(w, 0, 150, MADE, FACT_THREAD_BORN);
	put(w, 0, 160, MADE, FACT_RECORD);
	put(w, 0, 170, FIRST, FACT_RECORD);
	window_cpu(w, 1);
	put(w, 1, 100, FIRST, FACT_THREAD_BORN);
	put(w, 1, 110, OLD, FACT_RECORD);
	window_end(w);
	ok(in_order(w, &n) && n == 5, "a thread's birth is not told before its maker's");
}

/* The made one's id was another's, whose last fact lies right before the birth. */
static void test_id_reused(struct window *w)
{
	size_t n;

	window_begin(w, 2);
	window_cpu(w, 0);
	put(w, 0, 50, MADE, FACT_RECORD);
	put(w, 0, 150, MADE, FACT_THREAD_BORN);
	put(w, 0, 160, MADE, FACT_RECORD);
	window_cpu(w, 1);
	put(w, 1, 100, FIRST, FACT_THREAD_BORN);
	put(w, 1, 110, FIRST, FACT_RECORD);
	window_end(w);
	ok(in_order(w, &n) && n == 5, "not even where its id was another's just before");
}

static void test_one_cpu(struct window *w)
{
	size_t n;

	window_begin(w, 3);
	window_cpu(w, 0);
	put(w, 0, 100, FIRST, FACT_THREAD_BORN);
	put(w, 0, 110, MADE, FACT_THREAD_BORN);
	put(w, 0, 120, FIRST, FACT_RECORD);
	window_end(w);
	ok(in_order(w, &n) && n == 3, "on one CPU all is as it stands");
}

int main(void)
{
	struct window *w = window_new();

	test_maker_moved(w);
	test_id_reused(w);
	test_one_cpu(w);
	window_free(w);
	return tap_done();
}
