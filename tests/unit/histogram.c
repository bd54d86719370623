// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Histograms against sorting: every percentile, count and border is worked out a second time
 * from the sorted values and from the words of the definition (a bucket each below 32, above
 * that 16 equal buckets per power of two), not with the code under test.
 */
#include "tests/tap.h"

#include "base/histogram.h"

enum { VALUES = 2000000 };

/* A fixed sequence (splitmix64), so that a failure can be repeated. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The greatest value in the bucket of v, by the words of the definition. */
static uint64_t highest(uint64_t v)
{
	unsigned __int128 power = 32, width;

	if (v < 32)
		return v;
	while (power * 2 <= v)
		power *= 2;
	width = power / 16;
	return (uint64_t)(power + ((v - power) / width + 1) * width - 1);
}

static void test_borders(void)
{
	bool adjoin = true, inside = true, narrow = true;

	for (unsigned i = 0; i + 1 < HISTOGRAM_BUCKETS; i++)
		adjoin &= histogram_high(i) + 1 == histogram_low(i + 1);
	ok(adjoin, "each bucket begins where the last one ends");
	is_int(histogram_low(0), 0, "the first begins at 0");
	is_int(histogram_high(HISTOGRAM_BUCKETS - 1), UINT64_MAX, "the last ends with all bits");
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		inside &= histogram_bucket(histogram_low(i)) == i;
		inside &= histogram_bucket(histogram_high(i)) == i;
		narrow &= histogram_high(i) == highest(histogram_low(i));
	}
	ok(inside, "a bucket's least and greatest value are in it");
	ok(narrow, "16 equal buckets for each power of two, one for each value below 32");
}

/* Short and long, crowded and alone, with the extremes. */
static uint64_t *make_values(void)
{
	uint64_t *values = malloc(VALUES * sizeof(*values)), state = 42;

	for (unsigned i = 0; i < VALUES; i++)
		values[i] = next_random(&state) >> (next_random(&state) % 64);
	values[0] = 0;
	values[1] = (uint64_t)1 << 63;
	values[2] = UINT64_MAX;
	values[3] = ((uint64_t)1 << 63) - 1;
	return values;
}

static void test_percentiles(const struct histogram *h, const uint64_t *sorted)
{
	static const uint32_t ppm[] = { 0,      1,      10000,  250000, 500000, 900000,
					950000, 990000, 999000, 999999, 1000000 };
	uint64_t got = 0;

	for (unsigned i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++) {
		uint64_t rank = ((uint64_t)VALUES * ppm[i] + 999999) / 1000000;
		char name[64];

		snprintf(name, sizeof(name), "rank of %u millionths as by sorting", ppm[i]);
		histogram_percentile(h, ppm[i], &got);
		is_int(got, highest(sorted[rank ? rank - 1 : 0]), name);
	}
}

static void test_below(const struct histogram *h, const uint64_t *sorted)
{
	bool good = true;

	for (unsigned power = 0; power <= 64; power++) {
		uint64_t n = 0;

		while (n < VALUES && (power == 64 || !(sorted[n] >> power)))
			n++;
		good &= histogram_count_below(h, power) == n;
	}
	ok(good, "counts up to 2^k - 1 are exact for every k");
}

/* Walks buckets and sorted values together. */
static void test_walk(const struct histogram *h, const uint64_t *sorted)
{
	struct histogram_bucket bucket;
	uint64_t at = 0;
	bool good = true;

	for (unsigned i = 0; histogram_next(h, &i, &bucket);) {
		uint64_t n = 0;

		while (at < VALUES && sorted[at] <= bucket.high) {
			good &= sorted[at] >= bucket.low;
			at++;
			n++;
		}
		good &= n == bucket.count && n;
	}
	ok(good && at == VALUES, "the walk visits each value's bucket once, and no empty one");
}

static bool same(const struct histogram *a, const struct histogram *b)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (histogram_get(a, i) != histogram_get(b, i))
			return false;
	return true;
}

static void test_sums(const uint64_t *values)
{
	struct histogram all = { 0 }, first = { 0 }, second = { 0 }, copy = { 0 };

	for (unsigned i = 0; i < VALUES; i++) {
		histogram_add(&all, values[i]);
		histogram_add(i % 3 ? &first : &second, values[i]);
	}
	histogram_copy(&copy, &first);
	histogram_merge(&copy, &second);
	ok(same(&copy, &all), "merged halves are the whole");
	histogram_subtract(&copy, &second);
	ok(same(&copy, &first), "the whole less one half is the other");
	histogram_subtract(&copy, &first);
	is_int(histogram_count(&copy), 0, "less both, nothing is left");
	ok(!histogram_percentile(&copy, 500000, &(uint64_t){ 0 }), "and it has no median");
	histogram_free(&all);
	histogram_free(&first);
	histogram_free(&second);
	histogram_free(&copy);
}

static void test_overflow(void)
{
	struct histogram h = { 0 }, copy = { 0 };
	unsigned bucket = histogram_bucket(1000);
	uint64_t value = 0;

	histogram_add_bucket(&h, bucket, UINT32_MAX);
	ok(!h.high, "2^32 - 1 values need no upper halves");
	histogram_add(&h, 1000);
	histogram_add(&h, 1000);
	histogram_add(&h, 5);
	is_int(histogram_get(&h, bucket), (int64_t)UINT32_MAX + 2, "counting goes on above 2^32");
	histogram_copy(&copy, &h);
	histogram_merge(&copy, &h);
	is_int(histogram_get(&copy, bucket), 2 * ((int64_t)UINT32_MAX + 2), "merging too");
	is_int(histogram_count(&copy), 2 * ((int64_t)UINT32_MAX + 3), "and the sum of all");
	histogram_subtract(&copy, &h);
	ok(same(&copy, &h), "subtracting comes back below");
	histogram_add_bucket(&copy, histogram_bucket(7), (uint64_t)1 << 62);
	histogram_percentile(&copy, 999999, &value);
	is_int(value, 7, "ranks beyond 2^53 are exact");
	histogram_free(&h);
	histogram_free(&copy);
}

static void test_memory(void)
{
	struct histogram h = { 0 };

	for (uint64_t v = 1024; v < 2048; v++)
		histogram_add(&h, v);
	is_int(h.nr, 1, "one power of two takes one row");
	is_int(sizeof(*h.rows), 64, "of 64 bytes");
	for (unsigned power = 0; power < 64; power++)
		histogram_add(&h, (uint64_t)1 << power);
	is_int(h.nr, HISTOGRAM_ROWS, "all powers take all rows");
	histogram_free(&h);
	is_int(h.nr, 0, "freed is empty");
}

int main(void)
{
	uint64_t *values = make_values();
	struct histogram h = { 0 };

	test_borders();
	test_sums(values);
	for (unsigned i = 0; i < VALUES; i++)
		histogram_add(&h, values[i]);
	qsort(values, VALUES, sizeof(*values), compare);
	is_int(histogram_count(&h), VALUES, "nothing is lost");
	test_percentiles(&h, values);
	test_below(&h, values);
	test_walk(&h, values);
	test_overflow();
	test_memory();
	histogram_free(&h);
	free(values);
	return tap_done();
}
