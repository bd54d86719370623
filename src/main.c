// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Find the command, run it, say what went wrong.
 *
 * This is the one place that prints errors; their texts may quote names from outside, so they are
 * made safe for a terminal here. Output that can't be written is an error like any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "command.h"
#include "settings.h"

/* A closed descriptor 0, 1 or 2 would be given to the next file that is opened. */
static void hold_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
			/* Of the other direction, so that using it fails as a closed one does. */
			if (open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
				_exit(1);
		}
	}
}

/* Of a tree that isn't there, everything would be unknown. */
static int check_tree(const char *tree, struct error *err)
{
	int fd = tree ? open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (tree && fd < 0)
		return error_errno(err, errno, "there is no recorded tree at %s", tree);
	if (tree)
		close(fd);
	return 0;
}

static int run_command(const struct command *command, int argc, char **argv, struct error *err)
{
	struct settings settings;
	int status;

	status = settings_parse(&settings, command, argc, argv, err);
	if (!status && settings.help)
		settings_help(command, stdout);
	else if (!status && settings.version)
		puts(PACKAGE_STRING);
	else if (!status && !(status = check_tree(settings.root.prefix, err)))
		status = command->run(&settings, err);
	settings_free(&settings);
	return status;
}

static int run(int argc, char **argv, struct error *err)
{
	struct command command;

	if (argc < 2)
		return error_set_status(err, 2, "a command is missing; 'hvscope help' lists them");
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(PACKAGE_STRING);
		return 0;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		command_help_all(stdout);
		return 0;
	}
	if (argv[1][0] == '-')
		return error_set_status(err, 2,
					"the command comes first, '%s' behind it; 'hvscope "
					"help' lists the commands",
					argv[1]);
	if (command_find(argv[1], &command, err))
		return -1;
	return run_command(&command, argc - 1, argv + 1, err);
}

/*
 * Our own sentences may end in lines that begin with two blanks: what the kernel refused, and a
 * caret under the place. Any other newline comes from a name, and is shown as what it is.
 */
static void print_error(const struct error *err)
{
	char *copy = xstrdup(err->text);

	fputs("hvscope: ", stderr);
	for (char *line = copy, *end; line; line = end) {
		char *quoted;

		end = strstr(line, "\n  ");
		if (end)
			*end++ = '\0';
		quoted = text_quote_dup(line, sizeof(err->text) * 4);
		fprintf(stderr, "%s\n", quoted);
		free(quoted);
	}
	free(copy);
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	int status;

	hold_descriptors();
	/* A reader that left and a file that may not grow are found out by the write that fails. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	status = run(argc, argv, &err);
	if (status >= 0 && (fflush(stdout) || ferror(stdout)))
		status = error_output(&err, errno, "the output could not be written");
	if (status < 0) {
		if (*err.text)
			print_error(&err);
		status = err.status ? err.status : 1;
	}
	cleanup_run();
	return status;
}
