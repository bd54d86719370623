/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two maps with open addressing: 64-bit number → pointer or number, and string →
 * pointer. They grow as needed and shrink never. Iteration is in order of insertion
 * (removals apart: see hash_each), never in order of hash values, so that equal
 * input gives equal output.
 */
#ifndef HVSCOPE_BASE_HASH_H
#define HVSCOPE_BASE_HASH_H

#include "base/util.h"

union hash_value {
	void *p;
	uint64_t u;
};

/* Finds entries by their hash values; internal to both maps. */
struct hash_index {
	uint32_t *slots; /* number of an entry + 1; 0 = free */
	uint32_t mask;   /* slots - 1 */
};

/*
 * Number → value. A zeroed struct is an empty map. Values belong to the caller.
 * A pointer to a value is valid until the next insertion or removal.
 */
struct hash {
	struct hash_entry *entries; /* dense, in order of insertion */
	uint32_t nr;                /* entries in use */
	uint32_t room;              /* entries allocated */
	struct hash_index index;
};

struct hash_entry {
	uint64_t key;
	union hash_value value;
};

void hash_free(struct hash *hash);

/* The value of the key, or NULL. */
union hash_value *hash_find(const struct hash *hash, uint64_t key);

/* The value of the key; a new one is zero, and *is_new (may be NULL) tells. */
union hash_value *hash_insert(struct hash *hash, uint64_t key, bool *is_new);

/* Returns whether the key was there. The last entry takes the removed one's place. */
bool hash_remove(struct hash *hash, uint64_t key);

/* For short lookups: the pointer of a key, or NULL. */
static inline void *hash_pointer(const struct hash *hash, uint64_t key)
{
	union hash_value *value = hash_find(hash, key);

	return value ? value->p : NULL;
}

/* Visits all entries; the body may change values, not the map. */
#define hash_each(hash, entry)                           \
	for (struct hash_entry *entry = (hash)->entries; \
	     entry && entry < (hash)->entries + (hash)->nr; entry++)

/* String → pointer. Keys are copied; a zeroed struct is an empty map. */
struct strhash {
	struct strhash_entry *entries;
	uint32_t nr;
	uint32_t room;
	struct hash_index index;
};

struct strhash_entry {
	char *key;   /* owned by the map */
	void *value; /* the caller's */
	uint64_t hash;
};

void strhash_free(struct strhash *hash);

/* The value of the key, or NULL. */
void *strhash_get(const struct strhash *hash, const char *key);

/* Where the value of the key stands; a new one is NULL, and *is_new (may be NULL) tells. */
void **strhash_insert(struct strhash *hash, const char *key, bool *is_new);

bool strhash_remove(struct strhash *hash, const char *key);

#define strhash_each(hash, entry)                           \
	for (struct strhash_entry *entry = (hash)->entries; \
	     entry && entry < (hash)->entries + (hash)->nr; entry++)

#endif
