// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The slow half of histograms. Bucket numbers run through all values: rows 0 and 1 are
 * 0 … 31, row r > 1 covers [2^(r+3), 2^(r+4)) in 16 equal steps of 2^(r-1).
 *
 * A count is low + high · 2^32; `high` exists only once a low half has overflowed.
 */
#include <string.h>

#include "base/histogram.h"

uint64_t histogram_low(unsigned bucket)
{
	unsigned row = bucket / HISTOGRAM_STEPS, step = bucket % HISTOGRAM_STEPS;

	return row ? (uint64_t)(HISTOGRAM_STEPS + step) << (row - 1) : step;
}

uint64_t histogram_high(unsigned bucket)
{
	unsigned row = bucket / HISTOGRAM_STEPS;

	return histogram_low(bucket) + ((uint64_t)1 << (row ? row - 1 : 0)) - 1;
}

/* The 16 counters of a row, which come into being here. */
static uint32_t *row_of(struct histogram *h, unsigned row)
{
	if (!h->slot[row]) {
		if (h->nr == h->room) {
			h->room = min(h->room + h->room / 2 + 2, (int)HISTOGRAM_ROWS);
			h->rows = xreallocarray(h->rows, h->room, sizeof(*h->rows));
		}
		memset(h->rows[h->nr], 0, sizeof(*h->rows));
		h->slot[row] = ++h->nr;
	}
	return h->rows[h->slot[row] - 1];
}

static void store(struct histogram *h, unsigned bucket, uint64_t count)
{
	if (count > UINT32_MAX && !h->high)
		h->high = xcalloc(HISTOGRAM_BUCKETS, sizeof(*h->high));
	if (h->high)
		h->high[bucket] = count >> 32;
	row_of(h, bucket / HISTOGRAM_STEPS)[bucket % HISTOGRAM_STEPS] = (uint32_t)count;
}

void histogram_add_bucket(struct histogram *h, unsigned bucket, uint64_t n)
{
	if (n)
		store(h, bucket, histogram_get(h, bucket) + n);
}

void histogram_carry(struct histogram *h, unsigned bucket)
{
	if (!h->high)
		h->high = xcalloc(HISTOGRAM_BUCKETS, sizeof(*h->high));
	h->high[bucket]++;
}

void histogram_free(struct histogram *h)
{
	free(h->rows);
	free(h->high);
	memset(h, 0, sizeof(*h));
}

uint64_t histogram_get(const struct histogram *h, unsigned bucket)
{
	unsigned slot = h->slot[bucket / HISTOGRAM_STEPS];
	uint64_t high = h->high ? h->high[bucket] : 0;

	return slot ? (high << 32) + h->rows[slot - 1][bucket % HISTOGRAM_STEPS] : 0;
}

/* A report of many rows spends its time here: no call per bucket. */
bool histogram_next(const struct histogram *h, unsigned *pos, struct histogram_bucket *bucket)
{
	for (unsigned i = *pos; i < HISTOGRAM_BUCKETS; i++) {
		unsigned slot = h->slot[i / HISTOGRAM_STEPS];

		if (!slot) {
			i |= HISTOGRAM_STEPS - 1; /* on to the next row */
			continue;
		}
		bucket->count = h->rows[slot - 1][i % HISTOGRAM_STEPS];
		if (unlikely(h->high))
			bucket->count += (uint64_t)h->high[i] << 32;
		if (!bucket->count)
			continue;
		bucket->low = histogram_low(i);
		bucket->high = histogram_high(i);
		*pos = i + 1;
		return true;
	}
	*pos = HISTOGRAM_BUCKETS;
	return false;
}

uint64_t histogram_count(const struct histogram *h)
{
	return histogram_count_below(h, 64);
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	struct histogram_bucket bucket;

	for (unsigned i = 0; histogram_next(from, &i, &bucket);)
		histogram_add_bucket(to, i - 1, bucket.count);
}

void histogram_subtract(struct histogram *from, const struct histogram *what)
{
	struct histogram_bucket bucket;

	for (unsigned i = 0; histogram_next(what, &i, &bucket);)
		store(from, i - 1, histogram_get(from, i - 1) - bucket.count);
}

void histogram_copy(struct histogram *to, const struct histogram *from)
{
	histogram_free(to);
	memcpy(to->slot, from->slot, sizeof(to->slot));
	to->nr = to->room = from->nr;
	if (from->nr) {
		to->rows = xcalloc(from->nr, sizeof(*to->rows));
		memcpy(to->rows, from->rows, from->nr * sizeof(*to->rows));
	}
	if (from->high) {
		to->high = xcalloc(HISTOGRAM_BUCKETS, sizeof(*to->high));
		memcpy(to->high, from->high, HISTOGRAM_BUCKETS * sizeof(*to->high));
	}
}

uint64_t histogram_rank(uint64_t n, uint32_t ppm)
{
	uint64_t rank = (uint64_t)(((unsigned __int128)n * ppm + 999999) / 1000000);

	return max(rank, (uint64_t)1);
}

bool histogram_at_rank(const struct histogram *h, uint64_t rank, uint64_t *value)
{
	struct histogram_bucket bucket;
	uint64_t seen = 0;

	for (unsigned i = 0; histogram_next(h, &i, &bucket);) {
		seen += bucket.count;
		if (seen >= rank) {
			*value = bucket.high;
			return true;
		}
	}
	return false;
}

bool histogram_percentile(const struct histogram *h, uint32_t ppm, uint64_t *value)
{
	return histogram_at_rank(h, histogram_rank(histogram_count(h), ppm), value);
}

uint64_t histogram_count_below(const struct histogram *h, unsigned power)
{
	struct histogram_bucket bucket;
	uint64_t sum = 0;

	for (unsigned i = 0; histogram_next(h, &i, &bucket);) {
		if (power < 64 && bucket.high >> power)
			break;
		sum += bucket.count;
	}
	return sum;
}
