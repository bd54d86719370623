/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A user's format for events: text with {field}s in it, {field:x} for hexadecimal, {field:d} for
 * decimal, {{ and }} for braces. An element of an array is {field[2]}. \n and \t are what they are
 * in C.
 */
#ifndef HVSCOPE_ANALYSIS_TEMPLATE_H
#define HVSCOPE_ANALYSIS_TEMPLATE_H

#include "analysis/analysis.h"

struct template;

/*
 * For the events of env->slots: NULL with *err, status 2, when it is no format or one of them has
 * no such field.
 */
struct template *template_new(const struct analysis_env *env, const char *text, struct error *err);
void template_free(struct template *f);

/* Of a record of one of those events, cut to `room`, NUL-terminated. */
void template_print(const struct template *f, const struct fact *fact, char *text, size_t room);

#endif
