// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Parsed once, by precedence, into a program for a stack of values; its depth is known by then, so
 * that evaluating it needs neither memory nor checks.
 */
#include "analysis/expr.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

enum { DEPTH_MAX = 64 }; /* of the stack, and of parentheses in each other */

enum op {
	OP_CONSTANT,
	OP_NAME,
	OP_NEGATE,
	OP_INVERT,
	OP_NOT,
	OP_MULTIPLY,
	OP_DIVIDE,
	OP_MODULO,
	OP_ADD,
	OP_SUBTRACT,
	OP_LEFT,
	OP_RIGHT,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_EQUAL,
	OP_UNEQUAL,
	OP_AND,
	OP_XOR,
	OP_OR,
	OP_BOTH,
	OP_EITHER,
};

/* Longer ones before those that they begin with. */
static const struct {
	const char *text;
	enum op op;
	unsigned int precedence;
} binary_ops[] = {
	{ "<<", OP_LEFT, 8 },       { ">>", OP_RIGHT, 8 },
	{ "<=", OP_LESS_EQUAL, 7 }, { ">=", OP_GREATER_EQUAL, 7 },
	{ "==", OP_EQUAL, 6 },      { "!=", OP_UNEQUAL, 6 },
	{ "&&", OP_BOTH, 2 },       { "||", OP_EITHER, 1 },
	{ "*", OP_MULTIPLY, 10 },   { "/", OP_DIVIDE, 10 },
	{ "%", OP_MODULO, 10 },     { "+", OP_ADD, 9 },
	{ "-", OP_SUBTRACT, 9 },    { "<", OP_LESS, 7 },
	{ ">", OP_GREATER, 7 },     { "&", OP_AND, 5 },
	{ "^", OP_XOR, 4 },         { "|", OP_OR, 3 },
};

struct step {
	enum op op;
	struct expr_value value; /* OP_CONSTANT; OP_NAME: v is its number */
};

struct expr {
	struct step *steps;
	unsigned int n_steps;
	char **names;
	unsigned int n_names;
};

struct parser {
	struct expr *e;
	const char *text, *p;
	unsigned int depth;  /* of the stack here */
	unsigned int nested; /* calls of parse_unary() in each other */
	struct error *err;
};

static int parse_binary(struct parser *s, unsigned int least);

static int bad(struct parser *s, const char *why)
{
	if (!*s->p)
		return error_set_status(s->err, 2, "expression '%s': %s at its end", s->text, why);
	return error_set_status(s->err, 2, "expression '%s': %s at '%s'", s->text, why, s->p);
}

static int too_deep(struct parser *s)
{
	return error_set_status(s->err, 2, "an expression is nested too deep: '%.60s'", s->text);
}

/* A step changes the depth of the stack by `change`. */
static int add_step(struct parser *s, enum op op, struct expr_value value, int change)
{
	struct expr *e = s->e;

	e->steps = xreallocarray(e->steps, e->n_steps + 1, sizeof(*e->steps));
	e->steps[e->n_steps++] = (struct step){ .op = op, .value = value };
	s->depth += (unsigned int)change;
	return s->depth > DEPTH_MAX ? too_deep(s) : 0;
}

static void skip_blanks(struct parser *s)
{
	while (isspace((unsigned char)*s->p))
		s->p++;
}

static int parse_number(struct parser *s)
{
	struct expr_value value;
	char *end;

	errno = 0;
	value.v = strtoull(s->p, &end, 0);
	if (errno)
		return bad(s, "a number is too great");
	if (isalnum((unsigned char)*end) || *end == '_')
		return bad(s, "this is no number");
	value.is_signed = value.v <= INT64_MAX;
	s->p = end;
	return add_step(s, OP_CONSTANT, value, 1);
}

/* "[2]" behind a name of so many characters: the name with it, which one element always has. */
static char *parse_element(struct parser *s, const char *begin, int len)
{
	unsigned long long index;
	char *end;

	s->p++;
	skip_blanks(s);
	if (!isdigit((unsigned char)*s->p)) {
		bad(s, "the number of the array's element is missing");
		return NULL;
	}
	errno = 0;
	index = strtoull(s->p, &end, 0);
	if (errno) {
		bad(s, "a number is too great");
		return NULL;
	}
	s->p = end;
	skip_blanks(s);
	if (*s->p != ']') {
		bad(s, "a closing bracket is missing");
		return NULL;
	}
	s->p++;
	return xasprintf("%.*s[%llu]", len, begin, index);
}

static int parse_name(struct parser *s)
{
	const char *begin = s->p;
	struct expr *e = s->e;
	unsigned int i;
	char *name;
	int len;

	for (s->p++; isalnum((unsigned char)*s->p) || *s->p == '_'; s->p++)
		;
	len = (int)(s->p - begin);
	name = *s->p == '[' ? parse_element(s, begin, len) : xstrndup(begin, (size_t)len);
	if (!name)
		return -1;
	for (i = 0; i < e->n_names && strcmp(e->names[i], name); i++)
		;
	if (i < e->n_names) {
		free(name);
	} else {
		e->names = xreallocarray(e->names, e->n_names + 1, sizeof(*e->names));
		e->names[e->n_names++] = name;
	}
	return add_step(s, OP_NAME, (struct expr_value){ .v = i }, 1);
}

static int parse_primary(struct parser *s)
{
	if (isdigit((unsigned char)*s->p))
		return parse_number(s);
	if (isalpha((unsigned char)*s->p) || *s->p == '_' || *s->p == '$')
		return parse_name(s);
	if (*s->p != '(')
		return bad(s, "a field, a number or a parenthesis is missing");
	s->p++;
	if (parse_binary(s, 1))
		return -1;
	if (*s->p != ')')
		return bad(s, "a closing parenthesis is missing");
	s->p++;
	return 0;
}

static int parse_unary(struct parser *s)
{
	static const struct expr_value none;
	static const char signs[] = "-~!+";
	const char *sign;
	int ret;

	skip_blanks(s);
	if (++s->nested > DEPTH_MAX)
		return too_deep(s);
	sign = *s->p ? strchr(signs, *s->p) : NULL;
	if (!sign) {
		ret = parse_primary(s);
	} else {
		s->p++;
		ret = parse_unary(s);
		if (!ret && *sign != '+')
			ret = add_step(s,
				       *sign == '-' ? OP_NEGATE :
				       *sign == '~' ? OP_INVERT :
						      OP_NOT,
				       none, 0);
	}
	s->nested--;
	skip_blanks(s);
	return ret;
}

/* The operator that stands here: its row, or -1. */
static int find_binary(const struct parser *s)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(binary_ops); i++)
		if (!strncmp(s->p, binary_ops[i].text, strlen(binary_ops[i].text)))
			return (int)i;
	return -1;
}

/* Operators of this precedence and above; those of the same one group from the left. */
static int parse_binary(struct parser *s, unsigned int least)
{
	static const struct expr_value none;
	int i;

	if (parse_unary(s))
		return -1;
	while ((i = find_binary(s)) >= 0 && binary_ops[i].precedence >= least) {
		s->p += strlen(binary_ops[i].text);
		if (parse_binary(s, binary_ops[i].precedence + 1) ||
		    add_step(s, binary_ops[i].op, none, -1))
			return -1;
	}
	return 0;
}

struct expr *expr_parse(const char *text, struct error *err)
{
	struct parser s = { .e = xcalloc(1, sizeof(*s.e)), .text = text, .p = text, .err = err };

	if (!parse_binary(&s, 1)) {
		if (!*s.p)
			return s.e;
		bad(&s, "an operator is missing");
	}
	expr_free(s.e);
	return NULL;
}

void expr_free(struct expr *e)
{
	if (!e)
		return;
	for (unsigned int i = 0; i < e->n_names; i++)
		free(e->names[i]);
	free(e->names);
	free(e->steps);
	free(e);
}

unsigned int expr_names(const struct expr *e)
{
	return e->n_names;
}

const char *expr_name(const struct expr *e, unsigned int i)
{
	return e->names[i];
}

bool expr_is_name(const struct expr *e)
{
	return e->n_steps == 1 && e->steps[0].op == OP_NAME;
}

/* --- Evaluation --- */

/* A value on the stack; x / 0 has none, nor has what is made of it. */
struct operand {
	struct expr_value value;
	bool none;
};

/* INT64_MIN / -1 has no result in 64 bits; nor has anything / 0. */
static bool divide(enum op op, struct expr_value a, struct expr_value b, struct expr_value *to)
{
	if (!b.v)
		return false;
	if (!to->is_signed) {
		to->v = op == OP_DIVIDE ? a.v / b.v : a.v % b.v;
		return true;
	}
	if ((int64_t)a.v == INT64_MIN && (int64_t)b.v == -1)
		return false;
	to->v = (uint64_t)(op == OP_DIVIDE ? (int64_t)a.v / (int64_t)b.v :
					     (int64_t)a.v % (int64_t)b.v);
	return true;
}

/* By as many bits as there are or more, nothing is left but the sign. */
static uint64_t shift(enum op op, struct expr_value a, uint64_t by)
{
	bool negative = a.is_signed && (int64_t)a.v < 0;

	if (by > 63)
		return op == OP_RIGHT && negative ? UINT64_MAX : 0;
	if (op == OP_LEFT)
		return a.v << by;
	return a.v >> by | (negative && by ? ~(UINT64_MAX >> by) : 0);
}

static bool is_less(struct expr_value a, struct expr_value b, bool is_signed)
{
	return is_signed ? (int64_t)a.v < (int64_t)b.v : a.v < b.v;
}

static bool apply(enum op op, struct expr_value a, struct expr_value b, struct expr_value *to)
{
	bool is_signed = a.is_signed && b.is_signed;

	to->is_signed = is_signed;
	switch (op) {
	case OP_MULTIPLY:
		to->v = a.v * b.v;
		return true;
	case OP_DIVIDE:
	case OP_MODULO:
		return divide(op, a, b, to);
	case OP_ADD:
		to->v = a.v + b.v;
		return true;
	case OP_SUBTRACT:
		to->v = a.v - b.v;
		return true;
	case OP_LEFT:
	case OP_RIGHT:
		to->v = shift(op, a, b.v);
		to->is_signed = a.is_signed;
		return true;
	case OP_AND:
		to->v = a.v & b.v;
		return true;
	case OP_XOR:
		to->v = a.v ^ b.v;
		return true;
	case OP_OR:
		to->v = a.v | b.v;
		return true;
	default:
		break;
	}
	to->is_signed = true;
	to->v = op == OP_LESS          ? is_less(a, b, is_signed) :
		op == OP_LESS_EQUAL    ? !is_less(b, a, is_signed) :
		op == OP_GREATER       ? is_less(b, a, is_signed) :
		op == OP_GREATER_EQUAL ? !is_less(a, b, is_signed) :
		op == OP_EQUAL         ? a.v == b.v :
		op == OP_UNEQUAL       ? a.v != b.v :
		op == OP_BOTH          ? a.v && b.v :
					 a.v || b.v;
	return true;
}

/* As in C, what is right of && and || doesn't matter where the left side says it all. */
static bool is_decided(enum op op, const struct operand *left)
{
	return !left->none &&
	       ((op == OP_BOTH && !left->value.v) || (op == OP_EITHER && left->value.v));
}

static void apply_binary(enum op op, struct operand *left, const struct operand *right)
{
	if (is_decided(op, left))
		left->value = (struct expr_value){ .v = op == OP_EITHER, .is_signed = true };
	else if (left->none || right->none || !apply(op, left->value, right->value, &left->value))
		left->none = true;
}

bool expr_eval(const struct expr *e, const struct expr_value *names, struct expr_value *result)
{
	struct operand stack[DEPTH_MAX + 1], *top = stack; /* stack[0] stays unused */

	for (const struct step *step = e->steps; step < e->steps + e->n_steps; step++) {
		switch (step->op) {
		case OP_CONSTANT:
			*++top = (struct operand){ .value = step->value };
			break;
		case OP_NAME:
			*++top = (struct operand){ .value = names[step->value.v] };
			break;
		case OP_NEGATE:
			top->value.v = -top->value.v;
			break;
		case OP_INVERT:
			top->value.v = ~top->value.v;
			break;
		case OP_NOT:
			top->value = (struct expr_value){ .v = !top->value.v, .is_signed = true };
			break;
		default:
			top--;
			apply_binary(step->op, top, top + 1);
		}
	}
	*result = top->value;
	return !top->none;
}
