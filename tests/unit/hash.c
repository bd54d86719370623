// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The maps against a plain array that knows what should be in them, over many insertions and
 * removals of colliding keys.
 */
#include "tests/tap.h"

#include "base/hash.h"

enum { KEYS = 3000, STEPS = 300000 };

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

/* Keys that differ in high bits only, so that a weak hash would collide. */
static uint64_t number_key(unsigned i)
{
	return i % 2 ? (uint64_t)i << 40 : i;
}

static void test_numbers(void)
{
	static uint64_t truth[KEYS]; /* 0 = not there */
	struct hash hash = { 0 };
	uint64_t state = 1;
	uint32_t nr = 0, seen = 0;
	bool good = true;

	ok(!hash_find(&hash, 5), "an empty map has nothing");
	ok(!hash_remove(&hash, 5), "and nothing can be removed");
	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = next_random(&state) % KEYS;
		bool is_new;

		if (next_random(&state) % 3) {
			hash_insert(&hash, number_key(i), &is_new)->u = step + 1;
			good &= is_new == !truth[i];
			nr += is_new;
			truth[i] = step + 1;
		} else {
			bool removed = hash_remove(&hash, number_key(i));

			good &= removed == !!truth[i];
			nr -= removed;
			truth[i] = 0;
		}
		good &= hash.nr == nr;
	}
	ok(good, "insertions and removals report what they found");
	for (unsigned i = 0; i < KEYS; i++) {
		union hash_value *value = hash_find(&hash, number_key(i));

		good &= (value ? value->u : 0) == truth[i];
	}
	ok(good, "each key has its last value");
	hash_each(&hash, entry)
	{
		good &= entry->value.u && ++seen;
	}
	ok(good && seen == nr, "iteration visits each entry once");
	hash_free(&hash);
	is_int(hash.nr, 0, "freed is empty");
}

static void test_order(void)
{
	struct hash hash = { 0 };
	uint64_t wanted = 0;
	bool good = true;

	for (uint64_t i = 0; i < 1000; i++)
		hash_insert(&hash, i * 7919, NULL)->u = i;
	hash_each(&hash, entry) good &= entry->value.u == wanted++;
	ok(good, "iteration is in order of insertion");
	ok(!hash_pointer(&hash, 1), "a missing key has no pointer");
	hash_free(&hash);
}

static void test_strings(void)
{
	static char *truth[KEYS];
	struct strhash hash = { 0 };
	uint64_t state = 2;
	bool good = true;
	char key[32];

	for (unsigned step = 0; step < STEPS; step++) {
		unsigned i = next_random(&state) % KEYS;
		bool is_new;

		snprintf(key, sizeof(key), "%*u", (int)(i % 20), i);
		if (next_random(&state) % 3) {
			void **value = strhash_insert(&hash, key, &is_new);

			good &= is_new == !truth[i] && *value == truth[i];
			*value = truth[i] = key + i % 32;
		} else {
			good &= strhash_remove(&hash, key) == !!truth[i];
			truth[i] = NULL;
		}
	}
	for (unsigned i = 0; i < KEYS; i++) {
		snprintf(key, sizeof(key), "%*u", (int)(i % 20), i);
		good &= strhash_get(&hash, key) == truth[i];
	}
	ok(good, "names find their last value");
	ok(!strhash_get(&hash, ""), "the empty name is a name like others");
	*strhash_insert(&hash, "", NULL) = key;
	ok(strhash_get(&hash, "") == key, "and can be inserted");
	strhash_free(&hash);
}

int main(void)
{
	test_numbers();
	test_order();
	test_strings();
	return tap_done();
}
