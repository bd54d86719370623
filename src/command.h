/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user can ask for: verbs (commands.def, a file each in cmd/) and analyses. Every
 * analysis is a command by itself, so a new one needs no row here.
 */
#ifndef HVSCOPE_COMMAND_H
#define HVSCOPE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct analysis;
struct settings;

/* What may stand behind a command's options. */
enum command_operands {
	OPERANDS_NONE = 0,
	OPERANDS_INTERVAL = 1 << 0, /* [INTERVAL [COUNT]], as the last ones */
	OPERANDS_WORKLOAD = 1 << 1, /* -- COMMAND... */
	OPERANDS_FREE = 1 << 2,	    /* words of the command's own: see `usage` */
};

/* What a verb can't do without; what an analysis needs, its facts say. */
enum command_needs {
	NEEDS_TRACING = 1 << 0,
	NEEDS_KVM = 1 << 1,
};

struct command {
	const char *name;
	const char *summary;	/* one line for help, without full stop */
	unsigned int operands;	/* enum command_operands */
	unsigned int needs;	/* enum command_needs */
	const char *usage;	/* of the free operands: "[COMMAND]"; NULL without them */
	const struct analysis *analysis; /* NULL: a verb */
	/*
	 * Returns the exit status, or -1 with *err, whose status counts (0 there means 1).
	 * Which options a command has is said in the table of settings.c.
	 */
	int (*run)(const struct settings *settings, struct error *err);
};

/* Command number i, analyses first; false behind the last. */
bool command_at(size_t i, struct command *command);

/* By name; -1 with a sentence (did you mean ...?) and status 2 when there is none. */
int command_find(const char *name, struct command *command, struct error *err);

/* All of them, one a line, and how to get more: `hvscope help`. */
void command_help_all(FILE *out);

#endif
