// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers of threads and CPUs: dense, one each, given back, and none for the asking of a liar. */
#include <stdint.h>

#include "tests/gen.h"
#include "tests/tap.h"
#include "trace/subjects.h"

static bool is_thread(struct subjects *s, uint32_t subject, int32_t tid, uint32_t cpu)
{
	int32_t got_tid = -1;
	uint32_t got_cpu = 0;

	return subjects_what(s, subject, &got_tid, &got_cpu) && got_tid == tid &&
	       (tid || got_cpu == cpu);
}

static void ordinary(void)
{
	struct subjects *s = subjects_new(4);
	uint32_t a, b, idle0, idle1, cpu = 0;
	int32_t tid = 0;

	is_int(subjects_limit(s), 4, "numbers begin behind the CPUs'");
	ok(!subjects_what(s, subjects_cpu(3), &tid, &cpu) && cpu == 3, "a CPU is itself");
	a = subjects_thread(s, 1234, 0);
	b = subjects_thread(s, 1235, 0);
	ok(a == 4 && b == 5, "they are dense");
	is_int(subjects_thread(s, 1234, 3), a, "a thread is the same on any CPU");
	idle0 = subjects_thread(s, 0, 0);
	idle1 = subjects_thread(s, 0, 1);
	ok(idle0 != idle1 && subjects_thread(s, 0, 0) == idle0, "an idle thread is its CPU's own");
	ok(is_thread(s, a, 1234, 0) && is_thread(s, idle1, 0, 1), "numbers tell who they are");
	is_int(subjects_limit(s), 8, "no more than were asked for");
	subjects_end(s, a);
	is_int(subjects_thread(s, 99, 0), a, "a number that was given back is used first");
	ok(subjects_thread(s, 1234, 0) != a, "and its thread id gets another one");
	subjects_end(s, a);
	subjects_end(s, a);
	subjects_end(s, 2);
	subjects_end(s, 100000);
	ok(subjects_thread(s, 7, 0) == a && subjects_thread(s, 8, 0) != a,
	   "giving back twice, or what one never had, is nothing");
	subjects_end(s, idle0);
	ok(subjects_thread(s, 0, 0) == idle0, "an idle thread's number too");
	subjects_free(s);
	subjects_free(NULL);
}

/* Against a plain list: any ids, in any order, ended and begun again. */
static void many(void)
{
	enum { IDS = 5000, STEPS = 200000 };
	struct subjects *s = subjects_new(2);
	struct gen_random r = { 5 };
	uint32_t *numbers = calloc(IDS, sizeof(*numbers)), highest = 0;
	bool good = true;

	for (int i = 0; i < STEPS && good; i++) {
		uint32_t id = (uint32_t)gen_below(&r, IDS);
		/* small ids, the highest of Linux, and what no Linux gives out */
		int32_t tid = (int32_t)(id < 3000 ? id + 1 : id < 4000 ? (1 << 22) - 3500 + id :
							     id * 0x9e3779b9u | 0x80000000u);
		uint32_t number = subjects_thread(s, tid, 0);

		good = !numbers[id] || numbers[id] == number;
		numbers[id] = number;
		good = good && is_thread(s, number, tid, 0);
		highest = number > highest ? number : highest;
		if (!gen_below(&r, 3)) {
			subjects_end(s, number);
			numbers[id] = 0;
		}
	}
	ok(good, "ids of all sizes keep their numbers until they end");
	ok(highest < IDS + 2, "numbers are never more than threads at once");
	subjects_free(s);
	free(numbers);
}

static void extremes(void)
{
	struct subjects *s = subjects_new(1);
	static const int32_t tids[] = { INT32_MIN, INT32_MAX, -1, 1 << 22, (1 << 22) - 1 };
	uint32_t number;
	bool good = true;

	for (size_t i = 0; i < sizeof(tids) / sizeof(*tids); i++) {
		number = subjects_thread(s, tids[i], 0);
		good = good && number == subjects_thread(s, tids[i], 0);
	}
	ok(good, "the extremes have numbers");
	number = subjects_thread(s, 0, 60000);
	ok(number == subjects_thread(s, 0, 60000) && number != subjects_thread(s, 0, 60001),
	   "a CPU that there isn't has an idle thread");
	subjects_free(s);
}

int main(void)
{
	ordinary();
	many();
	extremes();
	return tap_done();
}
