/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Subjects: dense numbers for the threads and CPUs that facts are about, so that analyses keep
 * their state in plain arrays. Numbers below n_cpus are CPUs; a thread's number may mean
 * another thread behind its END_NUMBER (fact.h).
 */
#ifndef HVSCOPE_TRACE_SUBJECTS_H
#define HVSCOPE_TRACE_SUBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct subjects;

/* Numbers that got or lost their meaning, in that order. Zeroed: none. */
struct subject_changes {
	struct subject_change *list;
	size_t n, room;
};

struct subjects *subjects_new(unsigned int n_cpus);
void subjects_free(struct subjects *s);

/* The number of a thread; tid 0 is the idle thread of `cpu`, which has one of its own. */
uint32_t subjects_thread(struct subjects *s, int32_t tid, uint16_t cpu);

static inline uint32_t subjects_cpu(uint16_t cpu)
{
	return cpu;
}

/* What a number means: true and *tid (0: idle thread of *cpu) for a thread, false for CPU *cpu. */
bool subjects_what(const struct subjects *s, uint32_t subject, int32_t *tid, uint32_t *cpu);

/* One above the highest number in use. */
uint32_t subjects_limit(const struct subjects *s);

/* The thread is gone: its number is free, its id will get another one. */
void subjects_end(struct subjects *s, uint32_t subject);

/*
 * How many threads have a number, and whether one is that of a thread which can end (not of a CPU,
 * nor of an idle thread): as numbers were given out, whatever was applied.
 */
uint32_t subjects_threads(const struct subjects *s);
bool subjects_may_end(const struct subjects *s, uint32_t subject);

/*
 * Numbers are given out and back ahead of their use, perhaps by another thread: from the first call
 * on subjects_what() knows of changes only once they are applied. Until the next call they are put
 * down in *to.
 */
void subjects_record(struct subjects *s, struct subject_changes *to);

/* subjects_what() knows of them from now on, and they are empty. */
void subjects_apply(struct subjects *s, struct subject_changes *changes);

#endif
