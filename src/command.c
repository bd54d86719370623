// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands: the analyses of analyses.def, run by cmd/run.c, and the verbs of commands.def.
 */
#include "command.h"

#include <string.h>

#include "analysis/analysis.h"
#include "base/text.h"
#include "cmd/run.h"

#define COMMAND(name) extern const struct command command_##name;
#include "cmd/commands.def"
#undef COMMAND

static const struct command *const verbs[] = {
#define COMMAND(name) &command_##name,
#include "cmd/commands.def"
#undef COMMAND
};

bool command_at(size_t i, struct command *command)
{
	size_t n = 0;

	while (analyses[n] && n < i)
		n++;
	if (analyses[n]) {
		*command = (struct command){
			.name = analyses[n]->name,
			.summary = analyses[n]->summary,
			.operands = OPERANDS_WORKLOAD |
				    (analyses[n]->streams ? 0 : OPERANDS_INTERVAL) |
				    (analyses[n]->specs ? OPERANDS_FREE : 0),
			.usage = analyses[n]->specs ? "EVENT..." : NULL,
			.analysis = analyses[n],
			.run = run_analysis,
		};
		return true;
	}
	if (i - n >= ARRAY_SIZE(verbs))
		return false;
	*command = *verbs[i - n];
	return true;
}

int command_find(const char *name, struct command *command, struct error *err)
{
	const char *near = NULL;

	for (size_t i = 0; command_at(i, command); i++) {
		if (!strcmp(command->name, name))
			return 0;
		near = text_nearer(name, command->name, near);
	}
	if (near)
		return error_set_status(err, 2, "there is no command '%s'; did you mean '%s'?",
					name, near);
	return error_set_status(err, 2, "there is no command '%s'; 'hvscope help' lists them",
				name);
}

void command_help_all(FILE *out)
{
	struct command command;

	fputs("Usage: hvscope COMMAND [options] [INTERVAL [COUNT]]\n"
	      "       hvscope COMMAND [options] -- command...\n"
	      "\n"
	      "Shows what hypervisors do to the machines they run, through tracefs, /proc "
	      "and /sys.\n"
	      "\n",
	      out);
	for (size_t i = 0; command_at(i, &command); i++)
		fprintf(out, "  %-12s %s\n", command.name, command.summary);
	fputs("\n"
	      "'hvscope help COMMAND' or 'hvscope COMMAND --help' lists its options. "
	      "Manual: hvscope(1).\n",
	      out);
}
