// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The text is cut into pieces once; a piece that is a field has been found in each event by then.
 */
#include "analysis/template.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analysis/fields.h"
#include "base/util.h"

struct piece {
	char *text;           /* to print as it is; NULL: a field */
	struct field *fields; /* by place in env->slots */
	char base;            /* 'x' hexadecimal, 'd' decimal, 0 as people read the field */
};

struct template
{
	const struct analysis_env *env;
	struct piece *pieces;
	size_t n;
};

void template_free(struct template *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++) {
		free(f->pieces[i].text);
		free(f->pieces[i].fields);
	}
	free(f->pieces);
	free(f);
}

static struct piece *add(struct template *f)
{
	f->pieces = xreallocarray(f->pieces, f->n + 1, sizeof(*f->pieces));
	f->pieces[f->n] = (struct piece){ 0 };
	return &f->pieces[f->n++];
}

/* "name", "name:x" or "name:d" between braces, `len` long. */
static int add_field(struct template *f, const char *begin, size_t len, struct error *err)
{
	struct piece *piece = add(f);
	char *name = xstrndup(begin, len), *colon = strchr(name, ':');
	int ret;

	if (colon)
		*colon++ = '\0';
	if (colon && (!strcmp(colon, "x") || !strcmp(colon, "d")))
		piece->base = *colon;
	if (!*name || (colon && !piece->base))
		ret = error_set_status(err, 2,
				       "format: '{%.*s}' is no field: it is {NAME}, {NAME:x} or "
				       "{NAME:d}",
				       (int)len, begin);
	else
		ret = fields_find(f->env, name, &piece->fields, err);
	free(name);
	return ret;
}

/* Text up to the next field, with its escapes resolved; returns where it ends. */
static const char *add_text(struct template *f, const char *p)
{
	char *text = xstrdup(p), *to = text;

	for (; *p; p++) {
		if ((*p == '{' || *p == '}') && p[1] == *p)
			*to++ = *p++;
		else if (*p == '{' || *p == '}')
			break;
		else if (*p == '\\' && (p[1] == 'n' || p[1] == 't' || p[1] == '\\'))
			*to++ = *++p == 'n' ? '\n' : *p == 't' ? '\t' : '\\';
		else
			*to++ = *p;
	}
	*to = '\0';
	add(f)->text = text;
	return p;
}

struct template *template_new(const struct analysis_env *env, const char *text, struct error *err)
{
	struct template *f = xcalloc(1, sizeof(*f));
	const char *p, *end;

	f->env = env;
	for (p = add_text(f, text); *p; p = add_text(f, end + 1)) {
		end = *p == '{' ? strchr(p, '}') : NULL;
		if (!end)
			error_set_status(err, 2,
					 "format: a '%c' stands alone at '%s'; the sign "
					 "itself is %c%c",
					 *p, p, *p, *p);
		if (!end || add_field(f, p + 1, (size_t)(end - p - 1), err)) {
			template_free(f);
			return NULL;
		}
	}
	return f;
}

static void print_field(const struct template *f, const struct piece *piece,
			const struct fact *fact, char *text, size_t room)
{
	const struct analysis_env *env = f->env;
	const struct field *field = fields_of(env, piece->fields, fact);
	uint64_t value;

	if (!field || (field->text && !env->field_text(env->ctx, field, fact, text, room)) ||
	    (!field->text && !env->field_number(env->ctx, field, fact, &value)))
		snprintf(text, room, "?");
	else if (!field->text)
		fields_text((struct expr_value){ value, field->is_signed },
			    piece->base ? piece->base == 'x' : field->is_hex, field->size, text,
			    room);
}

void template_print(const struct template *f, const struct fact *fact, char *text, size_t room)
{
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < f->n && len + 1 < room; i++) {
		if (f->pieces[i].text)
			snprintf(text + len, room - len, "%s", f->pieces[i].text);
		else
			print_field(f, &f->pieces[i], fact, text + len, room - len);
		len += strlen(text + len);
	}
}
