/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel stacks: whose they are, and each once.
 *
 * The kernel writes a stack as a record of its own behind the record that it is of. Between the two
 * only records of higher levels (interrupts, NMIs) can come on that CPU. So a stack belongs to the
 * last record without one of the same CPU, level and subject; unless records were lost between.
 */
#ifndef HVSCOPE_ANALYSIS_STACKS_H
#define HVSCOPE_ANALYSIS_STACKS_H

#include "analysis/analysis.h"
#include "analysis/losses.h"

struct report;

/* Records that wait for their stack, by CPU and level. A zeroed struct holds none. */
struct stack_owners {
	struct stack_owner *waiting;
	unsigned int n_cpus;
	struct losses losses;
	uint64_t now;
};

void stack_owners_free(struct stack_owners *o);

/*
 * `what` stands for the record f, which waits from now on. Returns what waited there before, to
 * which no stack will come any more, or NULL.
 */
void *stack_owners_wait(struct stack_owners *o, const struct analysis_env *env,
			const struct fact *f, void *what);

/*
 * Whose stack the stack record f is, who doesn't wait any more; NULL: nobody's, or that isn't
 * certain.
 */
void *stack_owners_take(struct stack_owners *o, const struct analysis_env *env,
			const struct fact *f);

/* Losses, before the facts around them. */
void stack_owners_lost(struct stack_owners *o, const struct loss *losses, size_t n);

/* One that waits still, which it doesn't from now on; NULL: there is none. */
void *stack_owners_drop(struct stack_owners *o);

/* `what` waits no more, wherever it does. */
void stack_owners_forget(struct stack_owners *o, const void *what);

/*
 * Distinct stacks by the names of their functions. Frames are "function", with -v "function+0x1f"
 * and the module; "0xffff..." where no function is known.
 */
struct stacks;

struct stacks *stacks_new(const struct analysis_env *env);
void stacks_free(struct stacks *s);

/* The number of a stack record's stack, from 1; 0: there are too many distinct ones already. */
uint32_t stacks_add(struct stacks *s, const struct fact *f);

/* The frames of a number above 0, outermost first, in memory that lives until the next call. */
const char *const *stacks_frames(struct stacks *s, uint32_t number, unsigned int *n);

/* Says what is missing in them: names, and frames beyond the limit. */
void stacks_note(const struct stacks *s, struct report *report);

#endif
