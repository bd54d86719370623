/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Histograms of 64-bit values (nanoseconds): a bucket each below 32, above that 16
 * equal buckets per power of two. So a bucket is at most 1/16 of its value wide, the
 * borders at powers of two are exact, and histograms add and subtract bucket by bucket.
 *
 * A row of 16 counters is allocated when its first value comes (64 bytes): most
 * distributions touch few. Counters have 32 bits; the upper halves come into being
 * when the first of them overflows.
 */
#ifndef HVSCOPE_BASE_HISTOGRAM_H
#define HVSCOPE_BASE_HISTOGRAM_H

#include "base/util.h"

enum {
	HISTOGRAM_STEPS = 16, /* buckets per row */
	HISTOGRAM_ROWS = 61,  /* 0-15, 16-31, then one per power of two up to 2^63 */
	HISTOGRAM_BUCKETS = HISTOGRAM_ROWS * HISTOGRAM_STEPS,
};

/* A zeroed struct is an empty histogram. It owns its memory: don't copy the struct. */
struct histogram {
	uint32_t (*rows)[HISTOGRAM_STEPS];
	uint32_t *high;               /* upper halves of all buckets, or NULL */
	uint8_t nr, room;             /* rows in use and allocated */
	uint8_t slot[HISTOGRAM_ROWS]; /* place in rows + 1; 0 = nothing was counted there */
};

/* The bucket of a value, 0 … HISTOGRAM_BUCKETS - 1, without a branch. */
static inline unsigned histogram_bucket(uint64_t value)
{
	unsigned top = 63 ^ (unsigned)__builtin_clzll(value | HISTOGRAM_STEPS); /* highest bit */
	unsigned shift = top - 4;

	return (shift * HISTOGRAM_STEPS) + (unsigned)(value >> shift);
}

/* The least and the greatest value of a bucket. */
uint64_t histogram_low(unsigned bucket);
uint64_t histogram_high(unsigned bucket);

/* The rare half of histogram_add(): n more in a bucket, with growth and overflow. */
void histogram_add_bucket(struct histogram *h, unsigned bucket, uint64_t n);

/* Likewise, when the lower half of a counter went round. */
void histogram_carry(struct histogram *h, unsigned bucket);

static inline void histogram_add(struct histogram *h, uint64_t value)
{
	unsigned bucket = histogram_bucket(value);
	unsigned slot = h->slot[bucket / HISTOGRAM_STEPS];

	if (unlikely(!slot))
		histogram_add_bucket(h, bucket, 1);
	else if (unlikely(!++h->rows[slot - 1][bucket % HISTOGRAM_STEPS]))
		histogram_carry(h, bucket);
}

/* Where histogram_add() of this value will count: to be prefetched. NULL: nowhere yet. */
static inline const void *histogram_place(const struct histogram *h, uint64_t value)
{
	unsigned bucket = histogram_bucket(value);
	unsigned slot = h->slot[bucket / HISTOGRAM_STEPS];

	return slot ? &h->rows[slot - 1][bucket % HISTOGRAM_STEPS] : NULL;
}

/* Empties it and releases its memory. */
void histogram_free(struct histogram *h);

/* Values counted in a bucket. */
uint64_t histogram_get(const struct histogram *h, unsigned bucket);

/* All values counted. */
uint64_t histogram_count(const struct histogram *h);

/* to += from. */
void histogram_merge(struct histogram *to, const struct histogram *from);

/* from -= what; `what` must be an earlier copy of `from`. */
void histogram_subtract(struct histogram *from, const struct histogram *what);

/* Replaces what `to` held. */
void histogram_copy(struct histogram *to, const struct histogram *from);

/* Rank ⌈ppm / 1,000,000 · n⌉ of n values, and 1 for ppm 0: exact for any n. */
uint64_t histogram_rank(uint64_t n, uint32_t ppm);

/*
 * The greatest value of the bucket that holds a rank, counted from 1. False, and *value untouched,
 * when there aren't as many values.
 */
bool histogram_at_rank(const struct histogram *h, uint64_t rank, uint64_t *value);

/* Likewise for the rank of a percentile of all values. */
bool histogram_percentile(const struct histogram *h, uint32_t ppm, uint64_t *value);

/* How many values are ≤ 2^power - 1 (power 0 … 64): exact, no bucket straddles it. */
uint64_t histogram_count_below(const struct histogram *h, unsigned power);

/*
 * Steps through the buckets that hold something, from below:
 *
 *	for (unsigned i = 0; histogram_next(h, &i, &bucket);)
 *
 * with low ≤ value ≤ high of the bucket.
 */
struct histogram_bucket {
	uint64_t low, high;
	uint64_t count;
};

bool histogram_next(const struct histogram *h, unsigned *pos, struct histogram_bucket *bucket);

#endif
