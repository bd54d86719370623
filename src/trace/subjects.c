// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Thread id → dense number: a table in two levels for the ids that Linux gives out (below 2^22),
 * of which only the blocks in use exist, so that it has at most 16 MB whatever comes; a hash for
 * ids that only a damaged record can hold. Numbers that were given back are used again, the last
 * one first: their state in the analyses is still in the cache.
 */
#include "trace/subjects.h"

#include <string.h>

#include "base/hash.h"
#include "base/util.h"

enum {
	BLOCK_BITS = 10,
	BLOCK_IDS = 1 << BLOCK_BITS,
	TABLE_BITS = 22, /* PID_MAX_LIMIT of 64-bit kernels */
	TABLE_BLOCKS = 1 << (TABLE_BITS - BLOCK_BITS)
};

/* tid of a number that nothing has now; no thread and no record can have it. */
#define NO_TID INT32_MIN

struct subject {
	int32_t tid;
	uint32_t cpu; /* of an idle thread; of a free number: the next free one, 0 none */
};

/* What a number means from then on. */
struct subject_change {
	struct subject to;
	uint32_t number;
};

/* What numbers mean for subjects_what(): of the one who applies changes. */
struct known {
	struct subject *subjects;
	uint32_t n, room;
};

struct subjects {
	uint32_t *blocks[TABLE_BLOCKS]; /* numbers, 0 = none yet */
	uint32_t *idle;			/* of each CPU, 0 = none yet */
	struct hash rest;
	struct subject *subjects;
	uint32_t n, room;
	uint32_t free; /* 0 none: number 0 is a CPU always */
	uint32_t n_free;
	unsigned int n_cpus;
	bool deferred;			 /* changes are put down in: */
	struct subject_changes *changes;
	struct known known;
};

struct subjects *subjects_new(unsigned int n_cpus)
{
	struct subjects *s = xcalloc(1, sizeof(*s));

	s->n_cpus = n_cpus ? n_cpus : 1;
	s->idle = xcalloc(s->n_cpus, sizeof(*s->idle));
	s->n = s->n_cpus;
	s->room = s->n_cpus + 64;
	s->subjects = xcalloc(s->room, sizeof(*s->subjects));
	return s;
}

void subjects_free(struct subjects *s)
{
	if (!s)
		return;
	for (unsigned int i = 0; i < TABLE_BLOCKS; i++)
		free(s->blocks[i]);
	free(s->idle);
	free(s->subjects);
	free(s->known.subjects);
	hash_free(&s->rest);
	free(s);
}

static void set_meaning(struct subjects *s, uint32_t number, struct subject to)
{
	struct subject_changes *c = s->changes;

	s->subjects[number] = to;
	if (!s->deferred)
		return;
	c->list = xgrow(c->list, c->n, &c->room, sizeof(*c->list));
	c->list[c->n++] = (struct subject_change){ .to = to, .number = number };
}

static uint32_t take_number(struct subjects *s, int32_t tid, uint32_t cpu)
{
	uint32_t number = s->free;

	if (number) {
		s->free = s->subjects[number].cpu;
		s->n_free--;
	} else {
		if (s->n == s->room) {
			s->room *= 2;
			s->subjects = xreallocarray(s->subjects, s->room, sizeof(*s->subjects));
		}
		number = s->n++;
	}
	set_meaning(s, number, (struct subject){ .tid = tid, .cpu = cpu });
	return number;
}

/* Key in the hash of an id that has no place in the tables. */
static uint64_t rest_key(int32_t tid, uint32_t cpu)
{
	return tid ? (uint32_t)tid : UINT64_C(1) << 32 | cpu;
}

static uint32_t rest_number(struct subjects *s, int32_t tid, uint32_t cpu)
{
	union hash_value *value;
	bool is_new;

	if (tid == NO_TID) /* a damaged record: it shares with its neighbour */
		tid++;
	value = hash_insert(&s->rest, rest_key(tid, cpu), &is_new);
	if (is_new)
		value->u = take_number(s, tid, cpu);
	return (uint32_t)value->u;
}

uint32_t subjects_thread(struct subjects *s, int32_t tid, uint16_t cpu)
{
	uint32_t id = (uint32_t)tid, **block, *number;

	if (likely(id - 1 < (1u << TABLE_BITS) - 1)) {
		block = &s->blocks[id >> BLOCK_BITS];
		if (unlikely(!*block))
			*block = xcalloc(BLOCK_IDS, sizeof(**block));
		number = &(*block)[id & (BLOCK_IDS - 1)];
	} else if (!tid && cpu < s->n_cpus) {
		number = &s->idle[cpu];
	} else {
		return rest_number(s, tid, cpu);
	}
	if (unlikely(!*number))
		*number = take_number(s, tid, cpu);
	return *number;
}

bool subjects_what(const struct subjects *s, uint32_t subject, int32_t *tid, uint32_t *cpu)
{
	const struct subject *subjects = s->deferred ? s->known.subjects : s->subjects;

	if (subject < s->n_cpus || subject >= (s->deferred ? s->known.n : s->n)) {
		*cpu = subject;
		return false;
	}
	*tid = subjects[subject].tid;
	*cpu = subjects[subject].cpu;
	return true;
}

uint32_t subjects_limit(const struct subjects *s)
{
	return s->n;
}

void subjects_end(struct subjects *s, uint32_t subject)
{
	struct subject *gone;
	uint32_t id;

	if (subject < s->n_cpus || subject >= s->n || s->subjects[subject].tid == NO_TID)
		return;
	gone = &s->subjects[subject];
	id = (uint32_t)gone->tid;
	if (id - 1 < (1u << TABLE_BITS) - 1)
		s->blocks[id >> BLOCK_BITS][id & (BLOCK_IDS - 1)] = 0;
	else if (!gone->tid && gone->cpu < s->n_cpus)
		s->idle[gone->cpu] = 0;
	else
		hash_remove(&s->rest, rest_key(gone->tid, gone->cpu));
	set_meaning(s, subject, (struct subject){ .tid = NO_TID, .cpu = s->free });
	s->free = subject;
	s->n_free++;
}

uint32_t subjects_threads(const struct subjects *s)
{
	return s->n - s->n_cpus - s->n_free;
}

bool subjects_may_end(const struct subjects *s, uint32_t subject)
{
	int32_t tid = subject < s->n_cpus ? NO_TID : s->subjects[subject].tid;

	return tid != NO_TID && tid;
}

void subjects_record(struct subjects *s, struct subject_changes *to)
{
	if (!s->deferred) {
		s->known.n = s->known.room = s->n;
		s->known.subjects = xreallocarray(NULL, s->n, sizeof(*s->subjects));
		memcpy(s->known.subjects, s->subjects, s->n * sizeof(*s->subjects));
		s->deferred = true;
	}
	s->changes = to;
}

void subjects_apply(struct subjects *s, struct subject_changes *changes)
{
	struct known *known = &s->known;

	for (size_t i = 0; i < changes->n; i++) {
		const struct subject_change *c = &changes->list[i];

		if (c->number >= known->room) {
			known->room = max(c->number + 1, known->room * 2);
			known->subjects = xreallocarray(known->subjects, known->room,
							sizeof(*known->subjects));
		}
		known->subjects[c->number] = c->to;
		known->n = max(known->n, c->number + 1);
	}
	changes->n = 0;
}
