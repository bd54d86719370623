// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An address is looked up once; functions are told apart by their names, stacks by the numbers of
 * their functions. So two call sites in one function make one stack, unless -v shows offsets.
 */
#include "analysis/stacks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"
#include "report/report.h"

enum {
	LEVELS = 4,
	FRAMES_MAX = 256,    /* of one stack: one that has as many is cut off there, and says so */
	STACKS_MAX = 100000, /* distinct ones */
	ADDRESSES_MAX = 1 << 18, /* likewise in them */
};

/* What the kernel writes for code that it made for tracing (FTRACE_TRAMPOLINE_MARKER). */
#define TRAMPOLINE UINT64_C(0x7fffffff)

/* --- Owners --- */

struct stack_owner {
	void *what;
	uint64_t time;
	uint32_t subject;
};

void stack_owners_free(struct stack_owners *o)
{
	free(o->waiting);
	losses_free(&o->losses);
	*o = (struct stack_owners){ 0 };
}

static struct stack_owner *place_of(struct stack_owners *o, const struct analysis_env *env,
				    const struct fact *f)
{
	unsigned int level = env->level(env->ctx, f) % LEVELS;

	if (f->cpu >= o->n_cpus) {
		unsigned int n = f->cpu + 1u;

		o->waiting = xreallocarray(o->waiting, (size_t)n * LEVELS, sizeof(*o->waiting));
		memset(o->waiting + o->n_cpus * LEVELS, 0,
		       (n - o->n_cpus) * LEVELS * sizeof(*o->waiting));
		o->n_cpus = n;
	}
	return &o->waiting[f->cpu * LEVELS + level];
}

void *stack_owners_wait(struct stack_owners *o, const struct analysis_env *env,
			const struct fact *f, void *what)
{
	struct stack_owner *place = place_of(o, env, f);
	void *before = place->what;

	*place = (struct stack_owner){ .what = what, .time = f->time, .subject = f->subject };
	o->now = f->time;
	return before;
}

void *stack_owners_take(struct stack_owners *o, const struct analysis_env *env,
			const struct fact *f)
{
	struct stack_owner *place = place_of(o, env, f);
	void *what = place->what;

	if (!what || place->subject != f->subject || losses_meet(&o->losses, place->time, f->time))
		return NULL;
	place->what = NULL;
	return what;
}

void stack_owners_lost(struct stack_owners *o, const struct loss *losses, size_t n)
{
	uint64_t oldest = o->now;

	for (unsigned int i = 0; i < o->n_cpus * LEVELS; i++)
		if (o->waiting[i].what)
			oldest = min(oldest, o->waiting[i].time);
	losses_forget(&o->losses, oldest);
	losses_add(&o->losses, losses, n);
}

void *stack_owners_drop(struct stack_owners *o)
{
	for (unsigned int i = 0; i < o->n_cpus * LEVELS; i++) {
		void *what = o->waiting[i].what;

		o->waiting[i].what = NULL;
		if (what)
			return what;
	}
	return NULL;
}

void stack_owners_forget(struct stack_owners *o, const void *what)
{
	for (unsigned int i = 0; i < o->n_cpus * LEVELS; i++)
		if (o->waiting[i].what == what)
			o->waiting[i].what = NULL;
}

/* --- Stacks --- */

struct known_stack {
	uint32_t next; /* of the same hash: number, 0 none */
	uint32_t n;
	uint32_t frames[]; /* numbers of functions, innermost first */
};

struct stacks {
	const struct analysis_env *env;
	struct hash addresses; /* → number of its function */
	struct strhash names;  /* → likewise + 1; their order is the numbers' */
	struct hash index;     /* hash of frames → number of the last stack that has it */
	struct known_stack **all;
	uint32_t n;
	size_t room;
	const char **shown; /* of stacks_frames() */
	uint64_t cut;       /* records whose stack was */
	uint64_t refused;   /* beyond these limits */
	bool unknown;       /* some address had no name */
};

struct stacks *stacks_new(const struct analysis_env *env)
{
	struct stacks *s = xcalloc(1, sizeof(*s));

	s->env = env;
	s->shown = xcalloc(FRAMES_MAX + 1, sizeof(*s->shown));
	return s;
}

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n; i++)
		free(s->all[i]);
	free(s->all);
	free(s->shown);
	hash_free(&s->addresses);
	hash_free(&s->index);
	strhash_free(&s->names);
	free(s);
}

static char *frame_name(struct stacks *s, uint64_t address)
{
	const struct analysis_env *env = s->env;
	const char *module = NULL, *name;
	uint64_t offset = 0;
	char more[32] = "";

	if (address == TRAMPOLINE)
		return xstrdup("[ftrace trampoline]");
	name = env->symbol(env->ctx, address, &module, &offset);
	if (!name) {
		s->unknown = true;
		return xasprintf("0x%" PRIx64, address);
	}
	if (env->verbose)
		snprintf(more, sizeof(more), "+0x%" PRIx64, offset);
	return xasprintf("%s%s%s%s%s", name, more, module ? " [" : "", module ? module : "",
			 module ? "]" : "");
}

static uint32_t function_of(struct stacks *s, uint64_t address)
{
	bool is_new;
	union hash_value *number = hash_insert(&s->addresses, address, &is_new);

	if (is_new) {
		char *name = frame_name(s, address);
		void **place = strhash_insert(&s->names, name, &is_new);

		free(name);
		if (is_new)
			*place = (void *)(uintptr_t)s->names.nr;
		number->u = (uintptr_t)*place - 1;
	}
	return (uint32_t)number->u;
}

static uint64_t hash_frames(const uint32_t *frames, uint32_t n)
{
	uint64_t h = n;

	for (uint32_t i = 0; i < n; i++)
		h = (h ^ frames[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static uint32_t add_new(struct stacks *s, const uint32_t *frames, uint32_t n, uint64_t *last)
{
	struct known_stack *stack;

	s->all = xgrow(s->all, s->n, &s->room, sizeof(*s->all));
	stack = xmalloc(sizeof(*stack) + n * sizeof(*frames));
	stack->next = (uint32_t)*last;
	stack->n = n;
	memcpy(stack->frames, frames, n * sizeof(*frames));
	s->all[s->n++] = stack;
	*last = s->n;
	return s->n;
}

/* The numbers of functions; false: one is new, and there are too many already. */
static bool functions_of(struct stacks *s, const uint64_t *addresses, uint32_t *frames, uint32_t n)
{
	bool full = s->n >= STACKS_MAX || s->addresses.nr + n > ADDRESSES_MAX;

	for (uint32_t i = 0; i < n; i++) {
		if (full && !hash_find(&s->addresses, addresses[i]))
			return false;
		frames[i] = function_of(s, addresses[i]);
	}
	return true;
}

static uint32_t find_stack(const struct stacks *s, uint32_t number, const uint32_t *frames,
			   uint32_t n)
{
	for (; number; number = s->all[number - 1]->next) {
		const struct known_stack *known = s->all[number - 1];

		if (known->n == n && !memcmp(known->frames, frames, n * sizeof(*frames)))
			break;
	}
	return number;
}

uint32_t stacks_add(struct stacks *s, const struct fact *f)
{
	uint64_t addresses[FRAMES_MAX];
	uint32_t frames[FRAMES_MAX], n;
	size_t has = s->env->stack(s->env->ctx, f, addresses, FRAMES_MAX);
	union hash_value *last;
	uint32_t number = 0;
	uint64_t hash;

	n = (uint32_t)min(has, (size_t)FRAMES_MAX);
	s->cut += has >= FRAMES_MAX;
	if (functions_of(s, addresses, frames, n)) {
		hash = hash_frames(frames, n);
		last = hash_find(&s->index, hash);
		number = find_stack(s, last ? (uint32_t)last->u : 0, frames, n);
		if (!number && s->n < STACKS_MAX)
			number = add_new(s, frames, n, &hash_insert(&s->index, hash, NULL)->u);
	}
	s->refused += !number;
	return number;
}

const char *const *stacks_frames(struct stacks *s, uint32_t number, unsigned int *n)
{
	const struct known_stack *stack = s->all[number - 1];
	unsigned int shown = 0;

	if (stack->n == FRAMES_MAX)
		s->shown[shown++] = "[cut off here]";
	for (uint32_t i = stack->n; i-- > 0;)
		s->shown[shown++] = s->names.entries[stack->frames[i]].key;
	*n = shown;
	return s->shown;
}

void stacks_note(const struct stacks *s, struct report *report)
{
	if (s->unknown && s->env->no_symbols)
		report_note(report, "%s", s->env->no_symbols);
	if (s->cut)
		report_note(report,
			    "%" PRIu64 " records have stacks that are cut off after %d "
			    "functions.",
			    s->cut, FRAMES_MAX);
	if (s->refused)
		report_note(report,
			    "There are more than %d distinct stacks, or %d addresses in them: "
			    "%" PRIu64 " records were counted without theirs.",
			    STACKS_MAX, ADDRESSES_MAX, s->refused);
}
