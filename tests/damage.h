/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Damage to files, the same for the same seed everywhere: bits flipped, numbers replaced by such as
 * are taken for lengths and places, bytes left out, the end cut off.
 *
 * HVSCOPE_DAMAGE=N asks for N damaged copies of each file, HVSCOPE_SEED=N for other ones.
 */
#ifndef HVSCOPE_TESTS_DAMAGE_H
#define HVSCOPE_TESTS_DAMAGE_H

#include "base/util.h"
#include "tests/unit/tracedat-build.h"

/* xorshift64*: the same numbers everywhere. */
static inline uint64_t rnd(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * 0x2545f4914f6cdd1dULL;
}

static inline uint64_t below(uint64_t *seed, uint64_t n)
{
	return n ? rnd(seed) % n : 0;
}

/* A number that is likely to be taken for a length, a count or a place. */
static inline uint64_t telling(uint64_t *seed, size_t len)
{
	static const uint64_t values[] = {
		0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
	};
	uint64_t i = below(seed, 4 + ARRAY_SIZE(values));

	switch (i) {
	case 0:
		return len;
	case 1:
		return len - below(seed, 64);
	case 2:
		return below(seed, len);
	case 3:
		return rnd(seed);
	default:
		return values[i - 4];
	}
}

/* Metadata is little beside records: half of the damage goes to the first and last 4 KB. */
static inline size_t somewhere(uint64_t *seed, const struct blob *b)
{
	size_t edge = min(b->len, (size_t)4096);

	switch (below(seed, 4)) {
	case 0:
		return below(seed, edge);
	case 1:
		return b->len - 1 - below(seed, edge);
	default:
		return below(seed, b->len);
	}
}

static inline void overwrite(struct blob *b, uint64_t *seed)
{
	size_t at = somewhere(seed, b);
	uint64_t value = telling(seed, b->len);
	size_t width = (size_t)1 << below(seed, 4);

	memcpy(b->p + at, &value, min(width, b->len - at));
}

static inline void shift(struct blob *b, uint64_t *seed)
{
	size_t at = somewhere(seed, b);
	size_t n = min((size_t)below(seed, 64), b->len - at);

	memmove(b->p + at, b->p + at + n, b->len - at - n);
	if (below(seed, 2))
		b->len -= n;
}

static inline void damage(struct blob *b, uint64_t *seed)
{
	unsigned int n = 1 + (unsigned int)below(seed, 4);

	switch (below(seed, 8)) {
	case 0:
		b->len = somewhere(seed, b);
		break;
	case 1:
		shift(b, seed);
		break;
	case 2:
	case 3:
		while (n--)
			overwrite(b, seed);
		break;
	default:
		while (n--)
			b->p[somewhere(seed, b)] ^= (unsigned char)(1 << below(seed, 8));
	}
}

static inline unsigned long from_env(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static inline uint64_t first_seed(void)
{
	return from_env("HVSCOPE_SEED", 1) * 0x9e3779b97f4a7c15ULL;
}

#endif
