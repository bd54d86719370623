// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One file each: available_events of tracefs, kallsyms of /proc.
 */
#include "trace/catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "trace/ksyms.h"

static void add(struct catalog *c, char *name)
{
	c->names = xgrow(c->names, c->n, &c->room, sizeof(*c->names));
	c->names[c->n++] = name;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct catalog *c)
{
	if (c->n)
		qsort(c->names, c->n, sizeof(*c->names), by_name);
}

int catalog_tracepoints(struct catalog *c, const struct tfs *t, struct error *err)
{
	char *rest, *line;

	*c = (struct catalog){ .text = tfs_read(t, "available_events") };
	if (!c->text)
		return error_errno(err, errno, "can't read the list of tracepoints, %s/%s", t->dir,
				   "available_events");
	for (rest = c->text; (line = strsep(&rest, "\n"));)
		if (strchr(line, ':'))
			add(c, line);
	sort(c);
	return 0;
}

/* What compilers and the kernel's build make beside the function of that name. */
static bool is_split_off(const char *name)
{
	static const char *const beginnings[] = { "__pfx_",     "__cfi_",     "__SCT__",  "__SCK__",
						  "__ksymtab_", "__kcrctab_", "__kstrtab" };

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (!strncmp(name, beginnings[i], strlen(beginnings[i])))
			return true;
	return strchr(name, '.');
}

/* Whether "[module]" is this one. */
static bool is_module(const char *text, const char *module)
{
	size_t len = strlen(module);

	return *text == '[' && !strncmp(text + 1, module, len) && !strcmp(text + 1 + len, "]");
}

/* "ffffffff81000000 T name", and "\t[module]" behind it. NULL: no function for us. */
static char *function_of(char *line, const char *module)
{
	char *type = strchr(line, ' '), *name, *end;

	if (!type || !strchr("tT", type[1]) || type[2] != ' ')
		return NULL;
	name = type + 3;
	end = name + strcspn(name, "\t ");
	if (module && !(*end && is_module(end + 1, module)))
		return NULL;
	*end = '\0';
	return *name && !is_split_off(name) ? name : NULL;
}

/* Names that stand there more than once go, all of them. */
static void drop_ambiguous(struct catalog *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n;) {
		size_t next = i + 1;

		while (next < c->n && !strcmp(c->names[next], c->names[i]))
			next++;
		if (next == i + 1)
			c->names[kept++] = c->names[i];
		i = next;
	}
	c->n = kept;
}

int catalog_functions(struct catalog *c, const struct root *root, const char *module,
		      struct error *err)
{
	char *rest, *line, *name;

	*c = (struct catalog){ .text = ksyms_text(root, NULL, err) };
	if (!c->text)
		return -1;
	for (rest = c->text; (line = strsep(&rest, "\n"));)
		if ((name = function_of(line, module)))
			add(c, name);
	sort(c);
	drop_ambiguous(c);
	return 0;
}

void catalog_free(struct catalog *c)
{
	free(c->names);
	free(c->text);
	*c = (struct catalog){ 0 };
}

const char *catalog_nearest(const struct catalog *c, const char *name)
{
	const char *best = NULL;

	for (size_t i = 0; i < c->n; i++)
		best = text_nearer(name, c->names[i], best);
	return best;
}
