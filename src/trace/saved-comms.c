// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines "TID NAME". A name in angle brackets is one that the kernel doesn't know.
 */
#include "trace/saved-comms.h"

#include <string.h>

#include "trace/tracefs.h"

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

void saved_comms_read(struct saved_comms *s)
{
	struct tfs tfs;
	char *text = tfs_find(&tfs, NULL, false, NULL) ? NULL : tfs_read(&tfs, "saved_cmdlines");
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		note(s, line);
	free(text);
}

const char *saved_comms_find(struct saved_comms *s, int tid)
{
	if (!hash_find(&s->names, (uint32_t)tid))
		saved_comms_read(s);
	return hash_pointer(&s->names, (uint32_t)tid);
}

void saved_comms_free(struct saved_comms *s)
{
	hash_each(&s->names, entry) free(entry->value.p);
	hash_free(&s->names);
}
