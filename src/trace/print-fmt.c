// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Only arguments that are nothing but a field (REC->x, REC->x[1]) are looked at: what is computed
 * has the size of an int at least. Whatever isn't as expected is left as it is.
 */
#include "trace/print-fmt.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* Where the conversion of an argument ends, at its letter; and what is to be put before that. */
struct conversion {
	const char *letter;
	const char *more;
	bool plain; /* %d or %i without a length */
};

struct fmt {
	const char *format; /* the whole text */
	const char *args;   /* behind the comma after the string; NULL: there are none */
	struct conversion *conversions;
	size_t n;
};

static void add_conversion(struct fmt *f, const char *letter, bool plain)
{
	f->conversions = xreallocarray(f->conversions, f->n + 1, sizeof(*f->conversions));
	f->conversions[f->n++] = (struct conversion){ .letter = letter, .plain = plain };
}

/* From behind a '%' to what is behind the conversion. */
static const char *read_conversion(struct fmt *f, const char *p)
{
	const char *length;

	for (; *p && strchr("-+ #0123456789.*", *p); p++)
		if (*p == '*')
			add_conversion(f, p, false);
	length = p;
	p += strspn(p, "hlLqjzt");
	if (!*p || *p == '"')
		return p;
	if (*p != '%')
		add_conversion(f, p, p == length && (*p == 'd' || *p == 'i'));
	return p + 1;
}

/* The string with its conversions, up to its end; false when something else than commas follows. */
static bool read_string(struct fmt *f, const char *p)
{
	while (*p && *p != '"') {
		if (*p == '%')
			p = read_conversion(f, p + 1);
		else if (*p == '\\' && p[1])
			p += 2;
		else
			p++;
	}
	if (*p != '"')
		return false;
	p += 1 + strspn(p + 1, " \t");
	f->args = *p == ',' ? p + 1 : NULL;
	return f->args;
}

/* The end of an argument: a comma that isn't within parentheses or a string, or the text's end. */
static const char *argument_end(const char *p)
{
	int depth = 0;
	bool string = false;

	for (; *p && (*p != ',' || depth > 0 || string); p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '"')
			string = !string;
		else if (!string && strchr("([{", *p))
			depth++;
		else if (!string && strchr(")]}", *p))
			depth--;
	}
	return p;
}

/* "h" or "hh" by the type of a field, as it is declared up to its name; NULL: it needs none. */
static const char *more_of_type(const char *type, size_t len)
{
	static const struct {
		const char *name, *more;
	} types[] = {
		{ "s8", "hh" },   { "__s8", "hh" },     { "int8_t", "hh" }, { "signed char", "hh" },
		{ "char", "hh" }, { "s16", "h" },       { "__s16", "h" },   { "int16_t", "h" },
		{ "short", "h" }, { "short int", "h" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strlen(types[i].name) == len && !strncmp(types[i].name, type, len))
			return types[i].more;
	return NULL;
}

/* What the field of this name needs, by its line "\tfield:TYPE NAME[...];...signed:1;". */
static const char *more_of_field(const char *format, const char *name, size_t len)
{
	static const char begin[] = "\tfield:";
	const char *p = format, *line_end, *sign;

	for (; (p = strstr(p, begin)) != NULL; p = line_end) {
		const char *end = p + strcspn(p, ";["), *at = end - len;

		line_end = p + strcspn(p, "\n");
		sign = strstr(p, "signed:1;");
		p += strlen(begin);
		if (at > p && at[-1] == ' ' && !strncmp(at, name, len) && sign && sign < line_end)
			return more_of_type(p, (size_t)(at - 1 - p));
	}
	return NULL;
}

/* "REC->name" or "REC->name[1]" and nothing else. */
static const char *more_of_argument(const struct fmt *f, const char *p, const char *end)
{
	const char *name;
	size_t len;

	p += strspn(p, " \t");
	if (strncmp(p, "REC->", 5) != 0)
		return NULL;
	for (name = p += 5; isalnum((unsigned char)*p) || *p == '_'; p++)
		;
	len = (size_t)(p - name);
	if (*p == '[') {
		p += 1 + strspn(p + 1, "0123456789");
		if (*p++ != ']')
			return NULL;
	}
	p += strspn(p, " \t\n");
	return p == end && len ? more_of_field(f->format, name, len) : NULL;
}

static bool match_arguments(struct fmt *f)
{
	const char *p = f->args, *end;
	bool any = false;

	for (size_t i = 0; i < f->n && p; i++) {
		struct conversion *c = &f->conversions[i];

		end = argument_end(p);
		if (c->plain)
			c->more = more_of_argument(f, p, end);
		any |= c->more != NULL;
		p = *end ? end + 1 : NULL;
	}
	return any;
}

static char *rewrite(const struct fmt *f)
{
	const char *from = f->format;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		fatal("out of memory");
	for (size_t i = 0; i < f->n; i++) {
		const struct conversion *c = &f->conversions[i];

		if (!c->more)
			continue;
		fprintf(out, "%.*s%s", (int)(c->letter - from), from, c->more);
		from = c->letter;
	}
	fputs(from, out);
	fclose(out);
	return text;
}

char *print_fmt_mend(const char *format)
{
	static const char begin[] = "\nprint fmt: \"";
	struct fmt f = { .format = format };
	const char *p = strstr(format, begin);
	char *mended = NULL;

	if (p && strstr(format, "signed:1;") && read_string(&f, p + strlen(begin)) &&
	    match_arguments(&f))
		mended = rewrite(&f);
	free(f.conversions);
	return mended;
}
