/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expressions over the fields of a record, as in C: + - * / % & | ^ << >> ~ ! && ||, comparisons,
 * parentheses, constants in decimal, hexadecimal and octal. All values have 64 bits; as in C, an
 * operation is an unsigned one when one side is (a field of 64 unsigned bits, or a constant beyond
 * the signed ones). Names are fields, elements of them as "args[2]", or begin with '$'.
 */
#ifndef HVSCOPE_ANALYSIS_EXPR_H
#define HVSCOPE_ANALYSIS_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct expr;

struct expr_value {
	uint64_t v;
	bool is_signed;
};

/* NULL with a sentence that points at the place, status 2. */
struct expr *expr_parse(const char *text, struct error *err);
void expr_free(struct expr *e);

/* The names in it, each once: what they stand for is the caller's to know. */
unsigned int expr_names(const struct expr *e);
const char *expr_name(const struct expr *e, unsigned int i);

/* It is nothing but one name: the only case in which that may be a text. */
bool expr_is_name(const struct expr *e);

/* By the values of the names, in their order. False where there is no result (x / 0). */
bool expr_eval(const struct expr *e, const struct expr_value *names, struct expr_value *result);

#endif
