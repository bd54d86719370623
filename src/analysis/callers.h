/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls of functions that make hypercalls which have no tracepoint: how often, by function and by
 * the keys of --by. They stand beside hypercalls and are none themselves.
 */
#ifndef HVSCOPE_ANALYSIS_CALLERS_H
#define HVSCOPE_ANALYSIS_CALLERS_H

#include "analysis/analysis.h"

struct callers;

struct callers *callers_new(const struct analysis_env *env);
void callers_free(struct callers *c);

/* FACT_HYPERCALL_CALLER counts, what tells who a thread is forgets it; others do nothing. */
void callers_feed(struct callers *c, const struct fact *f);

/* What those of the piece that follows know (join of struct analysis). */
void callers_join(struct callers *c, const struct callers *next);

/* Adds the table "callers"; returns how many rows it has. */
size_t callers_report(const struct callers *c, struct report *report);

#endif
