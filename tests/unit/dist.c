// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Distributions against a plain second computation from the values themselves: sorted for
 * extremes and percentiles, exact fractions for mean and standard deviation.
 */
#include "tests/tap.h"

#include "base/dist.h"

typedef unsigned __int128 u128;

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

/* Whether k is √(D/(n·(n-1))) rounded to the nearest, where D = n·Σx² - (Σx)². */
static bool is_stddev(const uint64_t *values, uint64_t n, uint64_t k)
{
	u128 sum = 0, squares = 0, d, scale = (u128)n * (n - 1);

	for (uint64_t i = 0; i < n; i++) {
		sum += values[i];
		squares += (u128)values[i] * values[i];
	}
	d = 4 * (n * squares - sum * sum);
	/* 2k - 1 ≤ 2s < 2k + 1 */
	return d < (2 * (u128)k + 1) * (2 * (u128)k + 1) * scale &&
	       (!k || d >= (2 * (u128)k - 1) * (2 * (u128)k - 1) * scale);
}

static bool is_mean(const uint64_t *values, uint64_t n, uint64_t mean)
{
	u128 sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += values[i];
	return mean == (2 * sum + n) / (2 * n);
}

static void test_random(void)
{
	bool means = true, deviations = true, extremes = true;
	uint64_t state = 7, values[300];

	for (unsigned round = 0; round < 3000; round++) {
		uint64_t n = 2 + next_random(&state) % 299, least = UINT64_MAX, greatest = 0, got;
		unsigned shift = next_random(&state) % 31;
		struct dist d = { 0 };

		for (uint64_t i = 0; i < n; i++) {
			values[i] = next_random(&state) >> shift;
			least = min(least, values[i]);
			greatest = max(greatest, values[i]);
			dist_add(&d, values[i]);
		}
		means &= dist_mean(&d, &got) && is_mean(values, n, got);
		deviations &= dist_stddev(&d, &got) && is_stddev(values, n, got);
		extremes &= dist_min(&d, &got) && got == least;
		extremes &= dist_max(&d, &got) && got == greatest;
		dist_free(&d);
	}
	ok(means, "means are rounded to the nearest");
	ok(deviations, "standard deviations too");
	ok(extremes, "least and greatest value");
}

static void test_small(void)
{
	struct dist d = { 0 };
	uint64_t ns = 99;

	ok(!dist_mean(&d, &ns) && !dist_min(&d, &ns) && !dist_max(&d, &ns) &&
		   !dist_percentile(&d, 500000, &ns),
	   "no values, no figures");
	is_int(ns, 99, "and the result is untouched");
	dist_add(&d, 1000);
	ok(!dist_stddev(&d, &ns), "one value has no standard deviation");
	dist_percentile(&d, 500000, &ns);
	is_int(ns, 1000, "a percentile stays within the values (1023 is the bucket's end)");
	dist_add(&d, 1001);
	dist_mean(&d, &ns);
	is_int(ns, 1001, "halves of a mean are rounded up");
	dist_stddev(&d, &ns);
	is_int(ns, 1, "0.707 is rounded up to 1");
	dist_free(&d);
	for (unsigned i = 0; i < 1000; i++)
		dist_add(&d, 12345);
	dist_stddev(&d, &ns);
	is_int(ns, 0, "equal values don't deviate");
	dist_free(&d);
	dist_add(&d, 0);
	dist_add(&d, (uint64_t)1 << 63);
	dist_stddev(&d, &ns);
	is_int(ns, 6521908912666391106, "0 and 2^63 deviate by 2^62.5");
	dist_min(&d, &ns);
	is_int(ns, 0, "0 is a value like others");
	dist_free(&d);
}

/* Ten years of values near a second: sums of squares far beyond 64 bits. */
static void test_large(void)
{
	struct dist d = { 0 }, twice = { 0 };
	uint64_t ns = 0;

	for (unsigned i = 0; i < 1000; i++)
		dist_add(&d, 1000000000000000 + i % 2);
	for (unsigned i = 0; i < 16; i++)
		dist_merge(&twice, &d);
	is_int(twice.count, 16000, "merged distributions add their counts");
	dist_mean(&twice, &ns);
	is_int(ns, 1000000000000001, "mean of long times");
	dist_stddev(&twice, &ns);
	is_int(ns, 1, "a deviation of 0.5 in 10^15 isn't lost");
	dist_free(&d);
	dist_free(&twice);
}

/* Values that are no times, as addresses: the sum goes round, and what is told of it is true. */
static void test_round(void)
{
	bool sums = true, means = true, deviations = true;
	uint64_t state = 11, values[16];
	unsigned known = 0;
	struct dist d = { 0 };
	uint64_t ns = 5;

	for (unsigned round = 0; round < 3000; round++) {
		uint64_t n = 2 + next_random(&state) % 15, got;
		unsigned shift = next_random(&state) % 8;
		u128 sum = 0;

		for (uint64_t i = 0; i < n; i++) {
			values[i] = (next_random(&state) << 33 | next_random(&state)) >> shift;
			sum += values[i];
			dist_add(&d, values[i]);
		}
		sums &= dist_sum(&d, &got) == (sum <= UINT64_MAX) &&
			(sum > UINT64_MAX || got == (uint64_t)sum);
		means &= dist_mean(&d, &got) && is_mean(values, n, got);
		if (dist_stddev(&d, &got)) {
			known++;
			deviations &= got > 0 && got <= UINT64_MAX / 2 + 1;
		}
		dist_free(&d);
	}
	ok(sums, "sums are told where they have 64 bits");
	ok(means, "means also where they have more");
	ok(deviations && known > 1000, "deviations are within half the range");
	for (unsigned i = 0; i < 14000; i++)
		dist_add(&d, UINT64_MAX - i % 2);
	ok(!dist_sum(&d, &ns) && !dist_mean(&d, &ns) && ns == 5,
	   "what can't be told of thousands of them isn't");
	ok(dist_stddev(&d, &ns) == false && dist_max(&d, &ns) && ns == UINT64_MAX,
	   "their extremes are");
	dist_free(&d);
	ok(dist_sum(&d, &ns) && !ns, "nothing sums up to 0");
}

static void test_intervals(void)
{
	struct dist total = { 0 }, before = { 0 }, part = { 0 };
	uint64_t ns = 0;

	dist_add(&total, 50);
	dist_add(&total, 5000);
	dist_interval(&part, &total, NULL);
	is_int(part.count, 2, "the first interval is all so far");
	dist_copy(&before, &total);
	dist_cut(&total);
	dist_add(&total, 300);
	dist_interval(&part, &total, &before);
	is_int(part.count, 1, "the second only what came since");
	is_int(part.sum, 300, "its sum is a difference");
	dist_min(&part, &ns);
	is_int(ns, 300, "its least value is its own");
	dist_max(&part, &ns);
	is_int(ns, 300, "its greatest too");
	dist_percentile(&part, 10000, &ns);
	is_int(ns, 300, "and so are its percentiles");
	dist_min(&total, &ns);
	is_int(ns, 50, "the run keeps its least");
	dist_max(&total, &ns);
	is_int(ns, 5000, "and its greatest value");
	dist_copy(&before, &total);
	dist_cut(&total);
	dist_interval(&part, &total, &before);
	ok(!part.count && !dist_max(&part, &ns), "an empty interval has no extremes");
	dist_move(&part, &total);
	is_int(part.count, 3, "moved contents arrive");
	is_int(total.count, 0, "and leave nothing behind");
	dist_free(&part);
	dist_free(&before);
	dist_free(&total);
}

int main(void)
{
	test_random();
	test_small();
	test_large();
	test_round();
	test_intervals();
	return tap_done();
}
