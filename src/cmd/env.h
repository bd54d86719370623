/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world as an analysis sees it (struct analysis_env): who the subjects are, what numbers are
 * called, and whom the user asked about.
 */
#ifndef HVSCOPE_CMD_ENV_H
#define HVSCOPE_CMD_ENV_H

#include <pthread.h>

#include "analysis/analysis.h"
#include "base/error.h"
#include "cmd/events.h"
#include "sampler/family.h"
#include "sampler/who.h"
#include "settings.h"
#include "trace/binding.h"
#include "trace/ksyms.h"
#include "trace/record.h"
#include "trace/subjects.h"

struct env {
	struct analysis_env analysis; /* what analyses get */
	const struct settings *settings;
	struct who *who;
	struct family *family; /* of -p, with --children; NULL: only itself */
	struct subjects *subjects; /* NULL before there is a source */
	struct binding *binding;
	const struct events *events; /* that the user named; NULL: none */
	struct records *records;     /* NULL: nothing asked for them */
	struct ksyms *ksyms;	     /* NULL: there is no list of functions */
	uint32_t *slots, *entries;   /* of the events: see struct analysis_env */
	struct subject_who **known; /* by subject */
	size_t n_known;
	bool follows; /* the trace tells who is born or called what: env_told() */
	bool births;  /* of each thread it tells that it is born */
	pthread_mutex_t *lock; /* for `who`, where others ask it too; NULL: nobody does */
};

/*
 * Fills in what the settings say; whoever has the source then sets the rest of env->analysis.
 * Fails when -p or --vm ask for what isn't known here, or a --by key is none of the analysis.
 */
int env_begin(struct env *env, const struct settings *settings, struct who *who,
	      struct error *err);
void env_end(struct env *env);

/*
 * The same world for a piece of a file (struct analysis_env), whose facts have subjects of their
 * own. All that know the same `who` have the same lock. To be ended before `env`.
 */
void env_fork(struct env *to, const struct env *env, struct subjects *subjects,
	      pthread_mutex_t *lock, uint64_t begin);
void env_fork_end(struct env *env);

/*
 * The events are bound: from now on the analysis may ask about their records. `stack_slot` is that
 * of stack records, -1 for none.
 */
void env_records(struct env *env, const struct events *events, int stack_slot);

/* Records are printed as the kernel does it; whether it says functions' names in some. */
bool env_prints(const struct env *env);
bool env_wants_symbols(const struct env *env);

/* Where functions' names come from, NULL: from nowhere. Takes it over. */
void env_symbols(struct env *env, struct ksyms *ksyms);

/* The kernel's texts that records point to: lines of printk_formats. */
void env_texts(struct env *env, const char *lines, size_t len);

/* A FACT_THREAD_BORN or FACT_THREAD_NAME, before facts behind it are fed. */
void env_told(struct env *env, const struct fact *f);

/* Forgets the threads whose end is among the facts, since their ids may be reused. */
void env_forget(struct env *env, const struct fact *facts, size_t n);

#endif
