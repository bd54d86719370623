/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world as an analysis sees it (struct analysis_env): who the subjects are, what numbers are
 * called, and whom the user asked about.
 */
#ifndef HVSCOPE_CMD_ENV_H
#define HVSCOPE_CMD_ENV_H

#include "analysis/analysis.h"
#include "base/error.h"
#include "cmd/events.h"
#include "sampler/who.h"
#include "settings.h"
#include "trace/binding.h"
#include "trace/subjects.h"

struct env {
	struct analysis_env analysis; /* what analyses get */
	const struct settings *settings;
	struct who *who;
	struct subjects *subjects; /* NULL before there is a source */
	struct binding *binding;
	const struct events *events; /* that the user named; NULL: none */
	struct subject_who **known; /* by subject */
	size_t n_known;
};

/*
 * Fills in what the settings say; whoever has the source then sets the rest of env->analysis.
 * Fails when -p or --vm ask for what isn't known here, or a --by key is none of the analysis.
 */
int env_begin(struct env *env, const struct settings *settings, struct who *who,
	      struct error *err);
void env_end(struct env *env);

/* Live: forgets the threads whose end is among the facts, since their ids may be reused. */
void env_forget(struct env *env, const struct fact *facts, size_t n);

#endif
