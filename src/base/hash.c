// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Maps as a dense array of entries plus an index with linear probing, at most half full.
 * Removal closes the gap in the index (no tombstones, so lookups never get slower with
 * age) and moves the last entry into the removed one's place.
 *
 * String keys come from outside, but an attacker gains little: a map holds names of one
 * host, and the worst case is linear, not endless.
 */
#include <string.h>

#include "base/hash.h"

enum { FIRST_ROOM = 8 };

/* The hash value of entry number i of a map. */
typedef uint64_t hash_of_fn(const void *entries, uint32_t i);

/* Spreads every bit of the key over all bits (the finalizer of MurmurHash3). */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

/* FNV-1a, then mixed, as the index takes the low bits. */
static uint64_t string_hash(const char *key)
{
	uint64_t x = 0xcbf29ce484222325ULL;

	for (; *key; key++)
		x = (x ^ (unsigned char)*key) * 0x100000001b3ULL;
	return mix(x);
}

static void index_put(struct hash_index *index, uint64_t hash, uint32_t entry)
{
	uint32_t i = hash & index->mask;

	while (index->slots[i])
		i = (i + 1) & index->mask;
	index->slots[i] = entry + 1;
}

/* Where entry number `entry` is noted. */
static uint32_t index_place(const struct hash_index *index, uint64_t hash, uint32_t entry)
{
	uint32_t i = hash & index->mask;

	while (index->slots[i] != entry + 1)
		i = (i + 1) & index->mask;
	return i;
}

static void index_rebuild(struct hash_index *index, const void *entries, uint32_t nr, uint32_t room,
			  hash_of_fn *hash_of)
{
	free(index->slots);
	index->mask = 2 * room - 1;
	index->slots = xcalloc(2 * (size_t)room, sizeof(*index->slots));
	for (uint32_t i = 0; i < nr; i++)
		index_put(index, hash_of(entries, i), i);
}

/* Frees a slot, and moves back those behind it that would no longer be found. */
static void index_remove(struct hash_index *index, uint32_t gap, const void *entries,
			 hash_of_fn *hash_of)
{
	uint32_t i = gap, home;

	for (;;) {
		i = (i + 1) & index->mask;
		if (!index->slots[i])
			break;
		home = hash_of(entries, index->slots[i] - 1) & index->mask;
		if (((i - home) & index->mask) >= ((i - gap) & index->mask)) {
			index->slots[gap] = index->slots[i];
			gap = i;
		}
	}
	index->slots[gap] = 0;
}

static uint64_t number_hash_of(const void *entries, uint32_t i)
{
	return mix(((const struct hash_entry *)entries)[i].key);
}

static struct hash_entry *number_find(const struct hash *hash, uint64_t key)
{
	uint32_t i = mix(key) & hash->index.mask, entry;

	if (!hash->nr)
		return NULL;
	for (; (entry = hash->index.slots[i]); i = (i + 1) & hash->index.mask)
		if (hash->entries[entry - 1].key == key)
			return &hash->entries[entry - 1];
	return NULL;
}

void hash_free(struct hash *hash)
{
	free(hash->entries);
	free(hash->index.slots);
	memset(hash, 0, sizeof(*hash));
}

union hash_value *hash_find(const struct hash *hash, uint64_t key)
{
	struct hash_entry *entry = number_find(hash, key);

	return entry ? &entry->value : NULL;
}

union hash_value *hash_insert(struct hash *hash, uint64_t key, bool *is_new)
{
	struct hash_entry *entry = number_find(hash, key);

	if (is_new)
		*is_new = !entry;
	if (entry)
		return &entry->value;
	if (hash->nr == hash->room) {
		hash->room = hash->room ? 2 * hash->room : FIRST_ROOM;
		hash->entries = xreallocarray(hash->entries, hash->room, sizeof(*entry));
		index_rebuild(&hash->index, hash->entries, hash->nr, hash->room, number_hash_of);
	}
	entry = &hash->entries[hash->nr];
	memset(entry, 0, sizeof(*entry));
	entry->key = key;
	index_put(&hash->index, mix(key), hash->nr++);
	return &entry->value;
}

bool hash_remove(struct hash *hash, uint64_t key)
{
	struct hash_entry *entry = number_find(hash, key);
	uint32_t number, last;

	if (!entry)
		return false;
	number = entry - hash->entries;
	index_remove(&hash->index, index_place(&hash->index, mix(key), number), hash->entries,
		     number_hash_of);
	last = --hash->nr;
	if (number != last) {
		uint32_t place = index_place(&hash->index, mix(hash->entries[last].key), last);

		hash->index.slots[place] = number + 1;
		*entry = hash->entries[last];
	}
	return true;
}

static uint64_t string_hash_of(const void *entries, uint32_t i)
{
	return ((const struct strhash_entry *)entries)[i].hash;
}

static struct strhash_entry *string_find(const struct strhash *hash, const char *key, uint64_t sum)
{
	uint32_t i = sum & hash->index.mask, number;

	if (!hash->nr)
		return NULL;
	for (; (number = hash->index.slots[i]); i = (i + 1) & hash->index.mask) {
		struct strhash_entry *entry = &hash->entries[number - 1];

		if (entry->hash == sum && !strcmp(entry->key, key))
			return entry;
	}
	return NULL;
}

void strhash_free(struct strhash *hash)
{
	strhash_each(hash, entry) free(entry->key);
	free(hash->entries);
	free(hash->index.slots);
	memset(hash, 0, sizeof(*hash));
}

void *strhash_get(const struct strhash *hash, const char *key)
{
	struct strhash_entry *entry = string_find(hash, key, string_hash(key));

	return entry ? entry->value : NULL;
}

void **strhash_insert(struct strhash *hash, const char *key, bool *is_new)
{
	uint64_t sum = string_hash(key);
	struct strhash_entry *entry = string_find(hash, key, sum);

	if (is_new)
		*is_new = !entry;
	if (entry)
		return &entry->value;
	if (hash->nr == hash->room) {
		hash->room = hash->room ? 2 * hash->room : FIRST_ROOM;
		hash->entries = xreallocarray(hash->entries, hash->room, sizeof(*entry));
		index_rebuild(&hash->index, hash->entries, hash->nr, hash->room, string_hash_of);
	}
	entry = &hash->entries[hash->nr];
	*entry = (struct strhash_entry){ .key = xstrdup(key), .hash = sum };
	index_put(&hash->index, sum, hash->nr++);
	return &entry->value;
}

bool strhash_remove(struct strhash *hash, const char *key)
{
	uint64_t sum = string_hash(key);
	struct strhash_entry *entry = string_find(hash, key, sum);
	uint32_t number, last;

	if (!entry)
		return false;
	number = entry - hash->entries;
	index_remove(&hash->index, index_place(&hash->index, sum, number), hash->entries,
		     string_hash_of);
	free(entry->key);
	last = --hash->nr;
	if (number != last) {
		uint32_t place = index_place(&hash->index, hash->entries[last].hash, last);

		hash->index.slots[place] = number + 1;
		*entry = hash->entries[last];
	}
	return true;
}
