/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields by name in all events that the user named: looked for once, before anything is traced.
 */
#ifndef HVSCOPE_ANALYSIS_FIELDS_H
#define HVSCOPE_ANALYSIS_FIELDS_H

#include "analysis/analysis.h"
#include "analysis/expr.h"

/*
 * The field of each event of env->slots, an array in their order that the caller frees. "$retval"
 * is the field retval or ret. -1 with *err, status 2, when an event has none.
 */
int fields_find(const struct analysis_env *env, const char *name, struct field **fields,
		struct error *err);

/* The place of a record's event in env->slots; -1: it is none of them. */
int fields_place(const struct analysis_env *env, const struct fact *f);

/* The one of a record's event; NULL when it is none of env->slots. */
const struct field *fields_of(const struct analysis_env *env, const struct field *fields,
			      const struct fact *f);

/* A number as people read it: `hex` of so many bytes, or decimal with its sign. */
void fields_text(struct expr_value value, bool hex, unsigned int size, char *text, size_t room);

#endif
