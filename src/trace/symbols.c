// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The print fmt is C, but only a corner of it: strings, identifiers, and constant expressions that
 * the preprocessor left behind (`(((0x24UL)))`, `0x040 + 14`, `-1ull`). The text may come from a
 * file that anyone wrote: nesting is limited and every step forward is checked for the end.
 */
#include "trace/symbols.h"

#include <ctype.h>
#include <string.h>

#include "base/util.h"

enum { MAX_NESTING = 64 };

struct symbol {
	uint64_t value;
	char *name;
};

struct symbols {
	struct symbol *symbols;
	size_t n, room;
	uint64_t mask;
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static const char *skip_space(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

/* Behind the string literal that begins at p, or at the text's end. */
static const char *skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : p;
}

/*
 * Behind an argument: the comma or closing bracket at its own level, or the text's end.
 */
static const char *skip_argument(const char *p)
{
	int depth = 0;

	while (*p) {
		if (*p == '"') {
			p = skip_string(p);
			continue;
		}
		if (strchr("({[", *p))
			depth++;
		else if (strchr(")}]", *p) && !depth--)
			return p;
		else if (*p == ',' && !depth)
			return p;
		p++;
	}
	return p;
}

/* Whether the text from p to end has REC->field as words of their own. */
static bool names_field(const char *p, const char *end, const char *field)
{
	size_t len = strlen(field);

	for (; p < end && (p = strstr(p, "REC")) && p < end; p += 3) {
		const char *q = skip_space(p + 3);

		if (strncmp(q, "->", 2) != 0)
			continue;
		q = skip_space(q + 2);
		if (!strncmp(q, field, len) && !is_word(q[len]))
			return true;
	}
	return false;
}

/* A constant expression: where it is read, and whether all of it was understood. */
struct expression {
	const char *p;
	bool good;
	int depth;
};

static uint64_t read_operators(struct expression *e, int level);

static void skip_number_suffix(struct expression *e)
{
	while (*e->p && strchr("uUlL", *e->p))
		e->p++;
	if (is_word(*e->p))
		e->good = false;
}

/* A number, a parenthesis, or a cast, which means nothing: keys are cut to the field anyway. */
static uint64_t read_primary(struct expression *e)
{
	uint64_t v = 0;
	char *end;

	e->p = skip_space(e->p);
	if (isdigit((unsigned char)*e->p)) {
		v = strtoull(e->p, &end, 0);
		e->p = end;
		skip_number_suffix(e);
	} else if (*e->p == '(' && (isalpha((unsigned char)*skip_space(e->p + 1)))) {
		while (is_word(*++e->p) || isspace((unsigned char)*e->p))
			;
		if (*e->p == ')')
			e->p++;
		else
			e->good = false;
		v = read_operators(e, -1);
	} else if (*e->p == '(') {
		e->p++;
		v = read_operators(e, 0);
		e->p = skip_space(e->p);
		if (*e->p == ')')
			e->p++;
		else
			e->good = false;
	} else {
		e->good = false;
	}
	return v;
}

static uint64_t read_unary(struct expression *e)
{
	e->p = skip_space(e->p);
	switch (*e->p) {
	case '-':
		e->p++;
		return -read_operators(e, -1);
	case '~':
		e->p++;
		return ~read_operators(e, -1);
	case '+':
		e->p++;
		return read_operators(e, -1);
	default:
		return read_primary(e);
	}
}

/* The operators by precedence, the loosest first. */
static const struct operator {
	const char *text;
	int level;
} operators[] = {
	{ "|", 0 }, { "^", 1 }, { "&", 2 }, { "<<", 3 }, { ">>", 3 },
	{ "+", 4 }, { "-", 4 }, { "*", 5 },
};

static const struct operator *find_operator(const char *p, int level)
{
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (operators[i].level >= level &&
		    !strncmp(p, operators[i].text, strlen(operators[i].text)))
			return &operators[i];
	return NULL;
}

static uint64_t apply(char operator, uint64_t a, uint64_t b)
{
	switch (operator) {
	case '|':
		return a | b;
	case '^':
		return a ^ b;
	case '&':
		return a & b;
	case '<':
		return b < 64 ? a << b : 0;
	case '>':
		return b < 64 ? a >> b : 0;
	case '+':
		return a + b;
	case '-':
		return a - b;
	default:
		return a * b;
	}
}

/* Operators of at least this level and what they bind; level -1: one operand without any. */
static uint64_t read_operators(struct expression *e, int level)
{
	const struct operator *op;
	uint64_t v = 0;

	if (++e->depth > MAX_NESTING)
		e->good = false;
	if (e->good)
		v = read_unary(e);
	while (e->good && level >= 0) {
		e->p = skip_space(e->p);
		op = find_operator(e->p, level);
		if (!op)
			break;
		e->p += strlen(op->text);
		v = apply(*op->text, v, read_operators(e, op->level + 1));
	}
	e->depth--;
	return v;
}

/* A constant that ends before end; false when it is none. */
static bool read_constant(const char *p, const char *end, uint64_t *value)
{
	struct expression e = { .p = p, .good = true };

	*value = read_operators(&e, 0);
	return e.good && skip_space(e.p) == end;
}

/*
 * The text of the string literals from p to end, which C joins when they follow each other; \" and
 * \\ lose their backslash.
 */
static char *read_string(const char *p, const char *end)
{
	char *text = xmalloc((size_t)(end - p) + 1), *to = text;

	for (; *p == '"'; p = skip_space(p)) {
		for (p++; *p && *p != '"'; p++) {
			if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
				p++;
			*to++ = *p;
		}
		if (*p)
			p++;
	}
	*to = '\0';
	return text;
}

static void add_symbol(struct symbols *s, uint64_t value, char *name)
{
	s->symbols = xgrow(s->symbols, s->n, &s->room, sizeof(*s->symbols));
	s->symbols[s->n++] = (struct symbol){ .value = value & s->mask, .name = name };
}

/* The pair between braces at p: { constant, "name" }. */
static void read_pair(struct symbols *s, const char *p)
{
	const char *comma, *name;
	uint64_t value;

	if (*p != '{')
		return;
	p++;
	comma = skip_argument(p);
	if (*comma != ',' || !read_constant(p, comma, &value))
		return;
	name = skip_space(comma + 1);
	if (*name == '"')
		add_symbol(s, value, read_string(name, skip_argument(name)));
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->symbols[i].name);
	free(s->symbols);
	free(s);
}

/* The pairs from the comma behind a __print_symbolic's first argument on. */
static struct symbols *read_table(const char *p, unsigned int bytes)
{
	struct symbols *s = xcalloc(1, sizeof(*s));

	s->mask = bytes && bytes < 8 ? (UINT64_C(1) << (8 * bytes)) - 1 : UINT64_MAX;
	while (*p == ',') {
		p = skip_space(p + 1);
		read_pair(s, p);
		p = skip_argument(p);
	}
	if (!s->n) {
		symbols_free(s);
		return NULL;
	}
	return s;
}

/* The next __print_symbolic( from p on: at its first argument; NULL when there is none. */
static const char *next_table(const char *p)
{
	static const char name[] = "__print_symbolic";

	while (*p) {
		if (*p == '"') {
			p = skip_string(p);
		} else if (!is_word(*p)) {
			p++;
		} else {
			bool found = !strncmp(p, name, sizeof(name) - 1);

			while (is_word(*p))
				p++;
			p = skip_space(p);
			if (found && *p == '(')
				return p + 1;
		}
	}
	return NULL;
}

struct symbols *symbols_parse(const char *format, const char *field, unsigned int nth,
			      unsigned int bytes)
{
	const char *p = strstr(format, "print fmt:"), *comma;

	if (!p)
		return NULL;
	for (p += strlen("print fmt:"); (p = next_table(p)); p = comma) {
		comma = skip_argument(p);
		if (names_field(p, comma, field) && !nth--)
			return read_table(comma, bytes);
	}
	return NULL;
}

const char *symbols_name(const struct symbols *s, uint64_t value)
{
	value &= s->mask;
	for (size_t i = 0; i < s->n; i++)
		if (s->symbols[i].value == value)
			return s->symbols[i].name;
	return NULL;
}

size_t symbols_count(const struct symbols *s)
{
	return s->n;
}

const char *symbols_at(const struct symbols *s, size_t i, uint64_t *value)
{
	*value = s->symbols[i].value;
	return s->symbols[i].name;
}
