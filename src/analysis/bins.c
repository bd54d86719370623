// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bins by owner, CPU and value: see bins.h. The strings of an owner are copied once, so a bin
 * lives on when its subject is gone and its number means another thread.
 */
#include "analysis/bins.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"
#include "report/report.h"

/* Who a row is about, as far as --by asks; -1 and NULL are unknown or not asked for. */
struct owner {
	char *vm, *comm;
	int64_t pid, vcpu, tid;
	struct bin_cache *cache;
};

struct bins {
	const struct analysis_env *env;
	size_t size;
	struct bin_mask mask;
	struct owner *owners; /* number 1 is owners[0] */
	uint32_t n_owners;
	struct strhash owner_index;
	uint32_t *members; /* by subject: its owner, 0 not asked for */
	size_t n_members;
	struct bin **all; /* in order of first use */
	size_t n, room;
	char *chunk; /* where the next bins come from */
	size_t chunk_left;
	char **chunks;
	size_t n_chunks;
	uint32_t *index; /* open addressing: places in `all` + 1 */
	size_t index_size; /* a power of two, > 2 n */
};

enum { TAG_SPACE = 0xff, TAG_CPU = 0xffff00 };

/* What tells one owner from another. */
enum {
	OWNER_KEYS = KEY_BIT(KEY_VM) | KEY_BIT(KEY_PID) | KEY_BIT(KEY_VCPU) | KEY_BIT(KEY_TID) |
		     KEY_BIT(KEY_COMM)
};

/* Bins are as long as whole cache lines and begin with one: a count touches as few as possible. */
enum { LINE = 64, CHUNK_BINS = 64, CACHE_SLOTS = 16 };

struct bins *bins_new(const struct analysis_env *env, size_t size, enum analysis_key value)
{
	struct bins *b = xcalloc(1, sizeof(*b));

	b->env = env;
	b->size = (size + LINE - 1) / LINE * LINE;
	if (env->by & KEY_BIT(KEY_CPU))
		b->mask.tag |= TAG_CPU;
	if (env->by & KEY_BIT(value)) {
		b->mask.tag |= TAG_SPACE;
		b->mask.value = UINT64_MAX;
	}
	b->index_size = 64;
	b->index = xcalloc(b->index_size, sizeof(*b->index));
	return b;
}

void bins_free(struct bins *b, void (*release)(struct bin *bin))
{
	if (!b)
		return;
	for (size_t i = 0; release && i < b->n; i++)
		release(b->all[i]);
	for (size_t i = 0; i < b->n_chunks; i++)
		free(b->chunks[i]);
	free(b->chunks);
	for (uint32_t i = 0; i < b->n_owners; i++) {
		free(b->owners[i].vm);
		free(b->owners[i].comm);
		if (b->owners[i].cache)
			free(b->owners[i].cache->slots);
		free(b->owners[i].cache);
	}
	free(b->owners);
	free(b->members);
	strhash_free(&b->owner_index);
	free(b->all);
	free(b->index);
	free(b);
}

struct bin_mask bins_mask(const struct bins *b)
{
	return b->mask;
}

/* Only what --by asks for: everything else must not tell two rows apart. */
static struct owner who_counts(const struct bins *b, const struct subject_who *who, uint64_t vcpu)
{
	unsigned int by = b->env->by;
	bool thread = !who->cpu;
	struct owner o = { .pid = -1, .vcpu = -1, .tid = -1 };

	if (by & KEY_BIT(KEY_VM))
		o.vm = (char *)who->vm;
	if (by & KEY_BIT(KEY_PID) && thread)
		o.pid = who->pid;
	if (by & KEY_BIT(KEY_VCPU))
		o.vcpu = vcpu != FACT_NO_VCPU ? (int64_t)(uint32_t)vcpu : who->vcpu;
	/* Threads of unknown VM are never put together by guess. */
	if (thread && (by & KEY_BIT(KEY_TID) || (by & KEY_BIT(KEY_VM) && !who->vm)))
		o.tid = who->tid;
	if (by & KEY_BIT(KEY_COMM) && thread)
		o.comm = (char *)who->comm;
	return o;
}

static uint32_t add_owner(struct bins *b, const struct owner *o)
{
	char *key = xasprintf("%" PRId64 " %" PRId64 " %" PRId64 " %zu%s%s%s", o->pid, o->vcpu,
			      o->tid, o->vm ? strlen(o->vm) : 0, o->vm ? o->vm : "-",
			      o->comm ? "+" : "-", o->comm ? o->comm : "");
	bool is_new;
	void **number = strhash_insert(&b->owner_index, key, &is_new);

	free(key);
	if (is_new) {
		b->owners = xreallocarray(b->owners, b->n_owners + 1, sizeof(*b->owners));
		b->owners[b->n_owners] = *o;
		b->owners[b->n_owners].cache = NULL;
		b->owners[b->n_owners].vm = o->vm ? xstrdup(o->vm) : NULL;
		b->owners[b->n_owners++].comm = o->comm ? xstrdup(o->comm) : NULL;
		*number = (void *)(uintptr_t)b->n_owners;
	}
	return (uint32_t)(uintptr_t)*number;
}

/* Everybody's, where no key of --by tells one from another: to ask who somebody is costs files. */
static uint32_t any_owner(struct bins *b)
{
	const struct owner o = { .pid = -1, .vcpu = -1, .tid = -1 };

	return add_owner(b, &o);
}

uint32_t bins_owner(struct bins *b, uint32_t subject, uint64_t vcpu)
{
	const struct subject_who *who;
	struct owner o;
	char idle[32];

	if (!(b->env->by & OWNER_KEYS))
		return any_owner(b);
	who = b->env->who(b->env->ctx, subject);
	o = who_counts(b, who, vcpu);

	/* The kernel's name for it, which no file and no /proc tells. */
	if (b->env->by & KEY_BIT(KEY_COMM) && !who->cpu && !who->tid && !o.comm) {
		snprintf(idle, sizeof(idle), "swapper/%u", who->cpu_id);
		o.comm = idle;
	}
	return add_owner(b, &o);
}

uint32_t bins_member(struct bins *b, uint32_t subject)
{
	if (subject >= b->n_members) {
		size_t n = (size_t)subject + subject / 2 + 64;

		b->members = xreallocarray(b->members, n, sizeof(*b->members));
		memset(b->members + b->n_members, 0, (n - b->n_members) * sizeof(*b->members));
		b->n_members = n;
	}
	if (!b->members[subject])
		b->members[subject] = bins_owner(b, subject, FACT_NO_VCPU);
	return b->members[subject];
}

void bins_forget(struct bins *b, uint32_t subject)
{
	if (subject < b->n_members)
		b->members[subject] = 0;
}

static size_t bin_hash(const struct bin *bin)
{
	uint64_t h = bin->value * UINT64_C(0x9e3779b97f4a7c15);

	h ^= ((uint64_t)bin->owner << 32 | bin->tag) * UINT64_C(0xc2b2ae3d27d4eb4f);
	return (h ^ h >> 29) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

/* The place in the index where the bin is or belongs. */
static uint32_t *bin_place(const struct bins *b, const struct bin *want)
{
	size_t i = bin_hash(want) & (b->index_size - 1);

	for (; b->index[i]; i = (i + 1) & (b->index_size - 1)) {
		const struct bin *bin = b->all[b->index[i] - 1];

		if (bin->value == want->value && bin->tag == want->tag && bin->owner == want->owner)
			break;
	}
	return &b->index[i];
}

static void grow(struct bins *b)
{
	free(b->index);
	b->index_size *= 4;
	b->index = xcalloc(b->index_size, sizeof(*b->index));
	for (size_t i = 0; i < b->n; i++)
		*bin_place(b, b->all[i]) = (uint32_t)i + 1;
}

static struct bin *new_bin(struct bins *b)
{
	struct bin *bin;

	if (!b->chunk_left) {
		b->chunk = aligned_alloc(LINE, CHUNK_BINS * b->size);
		if (!b->chunk)
			fatal("out of memory");
		b->chunk_left = CHUNK_BINS;
		b->chunks = xreallocarray(b->chunks, b->n_chunks + 1, sizeof(*b->chunks));
		b->chunks[b->n_chunks++] = b->chunk;
	}
	bin = (struct bin *)b->chunk;
	memset(bin, 0, b->size);
	b->chunk += b->size;
	b->chunk_left--;
	b->all = xgrow(b->all, b->n, &b->room, sizeof(*b->all));
	b->all[b->n++] = bin;
	return bin;
}

static struct bin *get_bin(struct bins *b, const struct bin *want)
{
	uint32_t *place = bin_place(b, want);
	struct bin *bin;

	if (*place)
		return b->all[*place - 1];
	bin = new_bin(b);
	*bin = *want;
	*place = (uint32_t)b->n;
	if (2 * b->n >= b->index_size)
		grow(b);
	return bin;
}

struct bin *bins_get(struct bins *b, uint32_t owner, uint16_t cpu, uint8_t space, uint64_t value)
{
	struct bin want = {
		.value = value & b->mask.value,
		.tag = ((uint32_t)cpu << 8 | space) & b->mask.tag,
		.owner = owner,
	};

	return get_bin(b, &want);
}

uint32_t *bins_adopt(struct bins *b, const struct bins *from)
{
	uint32_t *owners = xcalloc(from->n_owners + 1, sizeof(*owners));

	for (uint32_t i = 0; i < from->n_owners; i++)
		owners[i + 1] = add_owner(b, &from->owners[i]);
	return owners;
}

struct bin *bins_twin(struct bins *b, const uint32_t *owners, const struct bin *bin)
{
	struct bin want = *bin;

	want.owner = owners[bin->owner];
	return get_bin(b, &want);
}

void bins_join(struct bins *b, const struct bins *from,
	       void (*add)(struct bin *to, const struct bin *from))
{
	uint32_t *owners = bins_adopt(b, from);

	for (size_t i = 0; i < from->n; i++)
		add(bins_twin(b, owners, from->all[i]), from->all[i]);
	free(owners);
}

static void cache_put(struct bin_cache *cache, struct bin *bin)
{
	uint32_t i = bin_cache_slot(cache, bin->value, bin->tag);

	while (cache->slots[i])
		i = (i + 1) & cache->mask;
	cache->slots[i] = bin;
}

void bin_cache_add(struct bin_cache *cache, struct bin *bin)
{
	struct bin_cache grown = { .n = cache->n, .mask = CACHE_SLOTS - 1 };

	if (!cache->slots || 2 * cache->n > cache->mask) {
		if (cache->slots)
			grown.mask = 4 * cache->mask + 3;
		grown.slots = xcalloc(grown.mask + 1, sizeof(*grown.slots));
		for (uint32_t i = 0; cache->slots && i <= cache->mask; i++)
			if (cache->slots[i])
				cache_put(&grown, cache->slots[i]);
		free(cache->slots);
		*cache = grown;
	}
	cache_put(cache, bin);
	cache->n++;
}

struct bin_cache *bins_cache(struct bins *b, uint32_t owner)
{
	struct owner *o = &b->owners[owner - 1];

	if (!o->cache)
		o->cache = xcalloc(1, sizeof(*o->cache));
	return o->cache;
}

size_t bins_count(const struct bins *b)
{
	return b->n;
}

struct bin *bins_at(const struct bins *b, size_t i)
{
	return b->all[i];
}

unsigned int bins_show(const struct bins *b, unsigned int *show)
{
	static const enum analysis_key keys[] = {
		[BIN_VM] = KEY_VM, [BIN_PID] = KEY_PID, [BIN_VCPU] = KEY_VCPU,
		[BIN_TID] = KEY_TID, [BIN_COMM] = KEY_COMM, [BIN_CPU] = KEY_CPU,
	};
	unsigned int by = b->env->by, n = 0;

	if (by & KEY_BIT(KEY_VM))
		by |= KEY_BIT(KEY_TID); /* of those whose VM is unknown */
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		if (by & KEY_BIT(keys[i]))
			show[n++] = i;
	return n;
}

static void label_number(struct row *row, unsigned int column, int64_t value)
{
	if (value >= 0)
		row_count(row, column, (uint64_t)value);
}

void bins_label(const struct bins *b, const struct bin *bin, struct row *row)
{
	const struct owner *o = &b->owners[bin->owner - 1];

	row_text(row, BIN_VM, o->vm);
	row_text(row, BIN_COMM, o->comm);
	label_number(row, BIN_PID, o->pid);
	label_number(row, BIN_VCPU, o->vcpu);
	label_number(row, BIN_TID, o->tid);
	if (b->mask.tag & TAG_CPU)
		row_count(row, BIN_CPU, bin_cpu(bin));
}
