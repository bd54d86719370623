// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From text to struct spec. A regular expression may hold blanks and colons, so its end is its
 * second unescaped slash; everything else ends at the first blank, behind which a probe's arguments
 * stand.
 */
#include "cmd/spec.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

struct prefix {
	const char *text;
	enum spec_kind kind;
	bool is_return;
};

static const struct prefix prefixes[] = {
	{ "t:", SPEC_TRACEPOINT, false }, { "p:", SPEC_FUNCTION, false },
	{ "r:", SPEC_FUNCTION, true },    { "u:", SPEC_USER, false },
	{ "ur:", SPEC_USER, true },
};

enum { SHOWN = 160 }; /* columns of a spec in a sentence, so that the reason has room, too */

static int bad(struct error *err, const char *text, const char *why)
{
	char *shown = text_fit(text, SHOWN);

	error_set_status(err, 2, "event '%s': %s", shown, why);
	free(shown);
	return -1;
}

/* Without a prefix: a tracepoint when there is a colon, else a function. */
static const char *read_prefix(const char *text, struct spec *spec)
{
	size_t colon;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t len = strlen(prefixes[i].text);

		if (strncmp(text, prefixes[i].text, len) != 0)
			continue;
		spec->kind = prefixes[i].kind;
		spec->is_return = prefixes[i].is_return;
		return text + len;
	}
	/* No function has a colon in its name, so a regular expression with one means events. */
	colon = strcspn(text, ":");
	spec->kind = colon < strcspn(text, *text == '/' ? "" : " /") ? SPEC_TRACEPOINT :
								       SPEC_FUNCTION;
	return text;
}

/* Length of "/.../" with both slashes, 0 when it isn't closed. */
static size_t regex_length(const char *text)
{
	for (size_t i = 1; text[i]; i++) {
		if (text[i] == '\\' && text[i + 1])
			i++;
		else if (text[i] == '/')
			return i + 1;
	}
	return 0;
}

static int read_offset(const char *text, uint64_t *offset)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	*offset = strtoull(text, &end, 0);
	return errno || *end ? -1 : 0;
}

static int read_function(struct spec *spec, const char *word, struct error *err)
{
	const char *slash = strchr(word, '/');
	char *plus;

	if (slash) {
		spec->module = xstrndup(word, (size_t)(slash - word));
		word = slash + 1;
		if (!*spec->module)
			return bad(err, spec->text, "there is no module before the slash");
	}
	spec->pattern = xstrdup(word);
	plus = strchr(spec->pattern, '+');
	if (plus) {
		*plus = '\0';
		if (spec->is_return || read_offset(plus + 1, &spec->offset))
			return bad(err, spec->text,
				   "an offset is +NUMBER, and only at an entry (p:)");
	}
	spec->glob = spec->pattern[strcspn(spec->pattern, "*?[")];
	if (!*spec->pattern)
		return bad(err, spec->text, "there is no function in it");
	if (spec->glob && plus)
		return bad(err, spec->text, "an offset needs one function, not a pattern");
	return 0;
}

/* The last colon that stands alone: C++ names have pairs of them. */
static const char *last_single_colon(const char *word)
{
	const char *found = NULL;

	for (const char *p = word; *p; p++)
		if (*p == ':' && p[1] != ':' && (p == word || p[-1] != ':'))
			found = p;
	return found;
}

static int read_user(struct spec *spec, const char *word, struct error *err)
{
	const char *colon = last_single_colon(word);

	if (!colon && spec->args && strchr(spec->args, ':'))
		return bad(err, spec->text,
			   "the kernel takes no path with a blank in it; a link without one helps");
	if (!colon || colon == word || !colon[1])
		return bad(err, spec->text, "a user probe is u:PATH:SYMBOL or u:PATH:0xOFFSET");
	spec->path = xstrndup(word, (size_t)(colon - word));
	if (!strncmp(colon + 1, "0x", 2)) {
		if (read_offset(colon + 1, &spec->offset))
			return bad(err, spec->text, "the offset is no hexadecimal number");
		return 0;
	}
	spec->pattern = xstrdup(colon + 1);
	return 0;
}

static int read_tracepoint(struct spec *spec, const char *word, struct error *err)
{
	const char *colon = strchr(word, ':');

	if (!colon || colon == word || !colon[1] || strchr(colon + 1, ':'))
		return bad(err, spec->text, "a tracepoint is SYSTEM:EVENT");
	spec->pattern = xstrdup(word);
	spec->glob = word[strcspn(word, "*?[")];
	return 0;
}

static int read_word(struct spec *spec, const char *word, struct error *err)
{
	if (spec->regex) {
		if (spec->kind == SPEC_USER)
			return bad(err, spec->text, "a user probe takes no pattern");
		spec->pattern = xstrndup(word + 1, strlen(word) - 2);
		return *spec->pattern ? 0 : bad(err, spec->text, "the pattern is empty");
	}
	switch (spec->kind) {
	case SPEC_TRACEPOINT:
		return read_tracepoint(spec, word, err);
	case SPEC_FUNCTION:
		return read_function(spec, word, err);
	case SPEC_USER:
		break;
	}
	return read_user(spec, word, err);
}

int spec_parse(const char *text, struct spec *spec, struct error *err)
{
	const char *body, *args;
	size_t len;
	char *word;
	int ret;

	*spec = (struct spec){ .text = text };
	/* tracefs would take what follows as a command of its own */
	if (strchr(text, '\n'))
		return bad(err, text, "there is a line break in it");
	body = read_prefix(text, spec);
	spec->regex = *body == '/' && spec->kind != SPEC_USER;
	len = spec->regex ? regex_length(body) : strcspn(body, " \t");
	if (!len)
		return bad(err, text,
			   spec->regex ? "the pattern has no closing slash" :
					 "there is nothing in it");
	args = body + len + strspn(body + len, " \t");
	if (*args && (spec->kind == SPEC_TRACEPOINT || args == body + len))
		return bad(err, text,
			   spec->kind == SPEC_TRACEPOINT ? "a tracepoint takes no arguments" :
							   "there is something behind the pattern");
	if (*args)
		spec->args = xstrdup(args);
	word = xstrndup(body, len);
	ret = read_word(spec, word, err);
	free(word);
	if (ret)
		spec_free(spec);
	return ret;
}

void spec_free(struct spec *spec)
{
	free(spec->pattern);
	free(spec->module);
	free(spec->path);
	free(spec->args);
	*spec = (struct spec){ 0 };
}

struct spec_matcher {
	const struct spec *spec;
	regex_t regex;
};

struct spec_matcher *spec_matcher_new(const struct spec *spec, struct error *err)
{
	struct spec_matcher *m = xcalloc(1, sizeof(*m));
	char why[128];
	int ret;

	m->spec = spec;
	if (!spec->regex)
		return m;
	ret = regcomp(&m->regex, spec->pattern, REG_EXTENDED | REG_NOSUB);
	if (!ret)
		return m;
	regerror(ret, &m->regex, why, sizeof(why));
	bad(err, spec->text, why);
	free(m);
	return NULL;
}

/* What a place in a file is called where it has no symbol. */
static bool is_place(const char *name, uint64_t offset)
{
	char place[32];

	snprintf(place, sizeof(place), "0x%" PRIx64, offset);
	return !strcmp(name, place);
}

bool spec_matches(const struct spec_matcher *m, const char *name)
{
	if (m->spec->regex)
		return !regexec(&m->regex, name, 0, NULL, 0);
	if (m->spec->glob)
		return !fnmatch(m->spec->pattern, name, 0);
	if (!m->spec->pattern)
		return is_place(name, m->spec->offset);
	return !strcmp(m->spec->pattern, name);
}

void spec_matcher_free(struct spec_matcher *m)
{
	if (!m)
		return;
	if (m->spec->regex)
		regfree(&m->regex);
	free(m);
}
