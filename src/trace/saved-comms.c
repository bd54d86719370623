// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines "TID NAME". A name in angle brackets is one that the kernel doesn't know.
 */
#include "trace/saved-comms.h"

#include <string.h>

/* Names of threads that are long gone are not worth more memory than this takes. */
enum { NAMES_MAX = 65536 };

static void note(struct saved_comms *s, const char *line)
{
	char *name;
	unsigned long tid = strtoul(line, &name, 10);
	union hash_value *value;

	if (!tid || *name++ != ' ' || !*name || *name == '<')
		return;
	value = hash_insert(&s->names, tid, NULL);
	if (value->p && !strcmp(value->p, name))
		return;
	free(value->p);
	value->p = xstrdup(name);
}

static void forget(struct saved_comms *s)
{
	hash_each(&s->names, entry) free(entry->value.p);
	hash_free(&s->names);
}

void saved_comms_read(struct saved_comms *s)
{
	char *text, *rest, *line;

	s->found = s->found || !tfs_find(&s->tfs, NULL, false, NULL);
	text = rest = s->found ? tfs_read(&s->tfs, "saved_cmdlines") : NULL;
	while ((line = strsep(&rest, "\n")) != NULL)
		note(s, line);
	free(text);
	s->fresh = true;
}

const char *saved_comms_find(struct saved_comms *s, int tid)
{
	if (!s->fresh) {
		if (s->names.nr > NAMES_MAX)
			forget(s);
		saved_comms_read(s);
	}
	return hash_pointer(&s->names, (uint32_t)tid);
}

void saved_comms_age(struct saved_comms *s)
{
	s->fresh = false;
}

void saved_comms_free(struct saved_comms *s)
{
	forget(s);
}
