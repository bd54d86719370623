// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Distributions: figures from integer sums. The variance is (n·Σx² - (Σx)²) / (n·(n-1)),
 * which needs more than 128 bits for large n; so it is computed from the deviations
 * against the rounded mean, which are small: with m = ⌊Σx/n⌋ and r = Σx - n·m,
 * Σ(x-mean)² = (Σx² - 2m·Σx + n·m²) - r²/n.
 */
#include <string.h>

#include "base/dist.h"

typedef unsigned __int128 u128;

void dist_free(struct dist *d)
{
	histogram_free(&d->histogram);
	memset(d, 0, sizeof(*d));
}

void dist_merge(struct dist *to, const struct dist *from)
{
	to->count += from->count;
	to->sum += from->sum;
	to->squares += from->squares;
	to->inverse_min = max(to->inverse_min, from->inverse_min);
	to->max = max(to->max, from->max);
	to->inverse_run_min = max(to->inverse_run_min, from->inverse_run_min);
	to->run_max = max(to->run_max, from->run_max);
	histogram_merge(&to->histogram, &from->histogram);
}

void dist_copy(struct dist *to, const struct dist *from)
{
	struct histogram histogram = { 0 };

	histogram_copy(&histogram, &from->histogram);
	histogram_free(&to->histogram);
	*to = *from;
	to->histogram = histogram;
}

void dist_move(struct dist *to, struct dist *from)
{
	histogram_free(&to->histogram);
	*to = *from;
	memset(from, 0, sizeof(*from));
}

void dist_cut(struct dist *d)
{
	d->inverse_run_min = max(d->inverse_run_min, d->inverse_min);
	d->run_max = max(d->run_max, d->max);
	d->inverse_min = 0;
	d->max = 0;
}

void dist_interval(struct dist *to, const struct dist *now, const struct dist *before)
{
	dist_copy(to, now);
	to->inverse_run_min = 0;
	to->run_max = 0;
	if (!before)
		return;
	to->count -= before->count;
	to->sum -= before->sum;
	to->squares -= before->squares;
	histogram_subtract(&to->histogram, &before->histogram);
}

bool dist_min(const struct dist *d, uint64_t *ns)
{
	if (!d->count)
		return false;
	*ns = ~max(d->inverse_min, d->inverse_run_min);
	return true;
}

bool dist_max(const struct dist *d, uint64_t *ns)
{
	if (!d->count)
		return false;
	*ns = max(d->max, d->run_max);
	return true;
}

/*
 * The sum is kept modulo 2^64. The histogram says within 1/16 what it is, which tells how often it
 * went round as long as that is less than 16 times. False: it isn't known.
 */
static bool whole_sum(const struct dist *d, u128 *sum)
{
	uint64_t greatest = 0;
	struct histogram_bucket bucket;
	u128 least = 0, most = 0;

	*sum = d->sum;
	if (!dist_max(d, &greatest) || (u128)d->count * greatest <= UINT64_MAX)
		return true;
	for (unsigned i = 0; histogram_next(&d->histogram, &i, &bucket);) {
		least += (u128)bucket.count * bucket.low;
		most += (u128)bucket.count * bucket.high;
	}
	*sum |= least >> 64 << 64;
	if (*sum < least)
		*sum += (u128)1 << 64;
	return most - *sum < (u128)1 << 64;
}

bool dist_sum(const struct dist *d, uint64_t *ns)
{
	u128 sum;

	if (!whole_sum(d, &sum) || sum > UINT64_MAX)
		return false;
	*ns = (uint64_t)sum;
	return true;
}

bool dist_mean(const struct dist *d, uint64_t *ns)
{
	u128 sum;

	if (!d->count || !whole_sum(d, &sum))
		return false;
	*ns = (uint64_t)(sum / d->count) + (sum % d->count >= d->count - sum % d->count);
	return true;
}

/* ⌊√n⌋, bit by bit. */
static uint64_t root_of(u128 n)
{
	uint64_t root = 0;

	for (uint64_t bit = (uint64_t)1 << 63; bit; bit >>= 1)
		if ((u128)(root | bit) * (root | bit) <= n)
			root |= bit;
	return root;
}

/* Σ(x-mean)² is at most n·(range/2)²: whether that stays so small that nothing goes round. */
static bool deviations_fit(const struct dist *d)
{
	uint64_t least = 0, greatest = 0;
	u128 range;

	dist_min(d, &least);
	dist_max(d, &greatest);
	range = greatest - least;
	return range * range <= ~(u128)0 / d->count;
}

/*
 * s = √(D/(n-1)) with D = Σ(x-mean)² = E - r²/n. Rounded to the nearest: s ≥ k + ½ is
 * 4·D ≥ (n-1)·(2k+1)², and 4D is exact in the units of 1/n. All that is compared are
 * quotients whose remainders are kept, so no figure is rounded twice.
 */
bool dist_stddev(const struct dist *d, uint64_t *ns)
{
	uint64_t n = d->count, m, r, k;
	u128 sum, whole, variance, rest, square;

	if (n < 2 || !whole_sum(d, &sum) || !deviations_fit(d))
		return false;
	m = (uint64_t)(sum / n);
	r = (uint64_t)(sum % n);
	/* Modulo 2^128 throughout; the result is small and never negative. */
	whole = d->squares - 2 * (u128)m * sum + (u128)n * m * m;
	/* D = whole - r²/n = up - part/n with 0 ≤ part < n */
	square = (u128)r * r;
	whole -= square / n + (square % n != 0);
	rest = square % n ? n - square % n : 0; /* D = whole + rest/n */
	variance = whole / (n - 1);
	k = root_of(variance);
	/* (k + ½)² = k² + k + ¼ ≤ D/(n-1)? */
	if (variance - (u128)k * k > k ||
	    (variance - (u128)k * k == k && 4 * (whole % (n - 1)) + 4 * rest / n >= n - 1))
		k++;
	*ns = k;
	return true;
}

bool dist_percentile(const struct dist *d, uint32_t ppm, uint64_t *ns)
{
	uint64_t least = 0, greatest = 0, value;

	if (!dist_min(d, &least) || !dist_max(d, &greatest) ||
	    !histogram_at_rank(&d->histogram, histogram_rank(d->count, ppm), &value))
		return false;
	*ns = value < least ? least : min(value, greatest);
	return true;
}
