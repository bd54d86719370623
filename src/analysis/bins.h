/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bins: what an analysis counts under one combination of the keys of --by, later a row of its
 * table. A bin is found in two steps, so that the hot path compares two numbers:
 *
 *	owner = who the keys vm, pid, vcpu, tid and comm tell apart: asked once per subject;
 *	bin   = owner × CPU × value (reason, operation): looked up among those of the subject.
 *
 * An analysis's own struct begins with a struct bin. Its table's columns begin with BIN_COLUMNS.
 */
#ifndef HVSCOPE_ANALYSIS_BINS_H
#define HVSCOPE_ANALYSIS_BINS_H

#include "analysis/analysis.h"
#include "base/util.h"

struct bins;

struct bin {
	uint64_t value;
	uint32_t tag;	/* the space, and above it the CPU where that is a key */
	uint32_t owner; /* from 1 */
};

/*
 * Bins of `size` bytes, zeroed but for their head. `value` is the key that the space and value of
 * a bin belong to (KEY_REASON, KEY_OP): without it in --by all values share a bin.
 */
struct bins *bins_new(const struct analysis_env *env, size_t size, enum analysis_key value);

/* release (may be NULL) frees what the analysis keeps in a bin. */
void bins_free(struct bins *b, void (*release)(struct bin *bin));

/* The owner of a subject's bins. A vCPU that a fact tells counts more than the thread's name. */
uint32_t bins_owner(struct bins *b, uint32_t subject, uint64_t vcpu);

/* The same by the thread's name alone, asked for once: two loads from then on. */
uint32_t bins_member(struct bins *b, uint32_t subject);

/* Whether who a fact's subject is, which bins_member() asks once, is another with it. */
static inline bool bins_outdated(const struct fact *f)
{
	return FACT_BIT(f->kind) & FACTS_WHO;
}

/* Who the subject is has to be asked again. */
void bins_forget(struct bins *b, uint32_t subject);

/* The bin; a new one when there is none. */
struct bin *bins_get(struct bins *b, uint32_t owner, uint16_t cpu, uint8_t space, uint64_t value);

/*
 * Bins of another state into these: first the numbers that its owners have here (by their number
 * there, the caller frees it), then for each of its bins the one with the same keys.
 */
uint32_t *bins_adopt(struct bins *b, const struct bins *from);
struct bin *bins_twin(struct bins *b, const uint32_t *owners, const struct bin *bin);

/* Both for all bins of another state: `add` puts what one has counted into its twin. */
void bins_join(struct bins *b, const struct bins *from,
	       void (*add)(struct bin *to, const struct bin *from));

/* All of them, in the order of their first use. */
size_t bins_count(const struct bins *b);
struct bin *bins_at(const struct bins *b, size_t i);

static inline uint8_t bin_space(const struct bin *bin)
{
	return bin->tag & 0xff;
}

/* Where CPUs are a key. */
static inline uint16_t bin_cpu(const struct bin *bin)
{
	return (uint16_t)(bin->tag >> 8);
}

/* Which bits of tag and value tell bins apart under the --by in force. */
struct bin_mask {
	uint32_t tag;
	uint64_t value;
};

struct bin_mask bins_mask(const struct bins *b);

/* The bins that an owner has used, found by two loads. Zeroed: none. */
struct bin_cache {
	struct bin **slots; /* open addressing; NULL where nothing is */
	uint32_t mask;	    /* slots - 1 */
	uint32_t n;
};

/* The owner's, which all its subjects share: it lives as long as the bins. */
struct bin_cache *bins_cache(struct bins *b, uint32_t owner);

void bin_cache_add(struct bin_cache *cache, struct bin *bin);

/* Values that are small numbers, as reasons are, stand side by side and don't collide. */
static inline uint32_t bin_cache_slot(const struct bin_cache *cache, uint64_t value, uint32_t tag)
{
	return ((uint32_t)value ^ tag * 0x9e3779b1u >> 16) & cache->mask;
}

/* Where the search for a fact's bin begins, and mostly ends. The cache isn't empty. */
static inline struct bin *const *bin_cache_place(const struct bin_cache *cache,
						 const struct bin_mask *mask, const struct fact *f)
{
	uint32_t tag = ((uint32_t)f->cpu << 8 | f->aux) & mask->tag;

	return &cache->slots[bin_cache_slot(cache, f->a & mask->value, tag)];
}

/* The bin, or NULL when it isn't in the cache. */
static inline struct bin *bin_cached(const struct bin_cache *cache, const struct bin_mask *mask,
				     uint16_t cpu, uint8_t space, uint64_t value)
{
	uint32_t tag = ((uint32_t)cpu << 8 | space) & mask->tag;
	struct bin *bin;

	if (unlikely(!cache->slots))
		return NULL;
	value &= mask->value;
	for (uint32_t i = bin_cache_slot(cache, value, tag); (bin = cache->slots[i]);
	     i = (i + 1) & cache->mask)
		if (likely(bin->value == value && bin->tag == tag))
			return bin;
	return NULL;
}

/* The columns of the keys, which every table of bins begins with. */
enum bin_column { BIN_VM, BIN_PID, BIN_VCPU, BIN_TID, BIN_COMM, BIN_CPU, BIN_COLUMNS };

#define BIN_COLUMN(name, heading, kind, more, words)             \
	{                                                        \
		.key = name, .title = heading, .type = kind,     \
		.flags = COLUMN_LABEL | (more), .help = words    \
	}

/*
 * The thread is shown without being asked for where the VM is unknown, and a table without any
 * known VM leaves that column out.
 */
#define BIN_COLUMN_DEFS                                                                     \
	[BIN_VM] = BIN_COLUMN("vm", "VM", COLUMN_TEXT, COLUMN_WHEN_ANY,                     \
			      "Name of the virtual machine"),                               \
	[BIN_PID] = BIN_COLUMN("pid", "PID", COLUMN_COUNT, COLUMN_GAUGE, "Process id"),     \
	[BIN_VCPU] = BIN_COLUMN("vcpu", "VCPU", COLUMN_COUNT, COLUMN_GAUGE, "vCPU number"), \
	[BIN_TID] = BIN_COLUMN("tid", "TID", COLUMN_COUNT, COLUMN_GAUGE | COLUMN_WHEN_ANY,  \
			       "Thread id"),                                                \
	[BIN_COMM] = BIN_COLUMN("comm", "COMM", COLUMN_TEXT, 0, "Name of the thread"),      \
	[BIN_CPU] = BIN_COLUMN("cpu", "CPU", COLUMN_COUNT, COLUMN_GAUGE, "CPU of the event")

/* Writes the places of the key columns that --by asks for; returns how many, ≤ BIN_COLUMNS. */
unsigned int bins_show(const struct bins *b, unsigned int *show);

struct row;

/* Sets the key columns of a row. */
void bins_label(const struct bins *b, const struct bin *bin, struct row *row);

#endif
