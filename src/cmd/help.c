// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `hvscope help [COMMAND]`: all of it is printed from the tables.
 */
#include "command.h"
#include "settings.h"

static int run_help(const struct settings *settings, struct error *err)
{
	struct command command;

	if (settings->n_words > 1)
		return error_set_status(err, 2, "hvscope help takes one command, not also '%s'",
					settings->words[1]);
	if (!settings->n_words) {
		command_help_all(stdout);
		return 0;
	}
	if (command_find(settings->words[0], &command, err))
		return -1;
	settings_help(&command, stdout);
	return 0;
}

const struct command command_help = {
	.name = "help",
	.summary = "What the commands are, or the options of one",
	.operands = OPERANDS_FREE,
	.usage = "[COMMAND]",
	.run = run_help,
};
