/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user chose: parsed once from the command line by the one option table, constant from
 * then on. An option means the same in every command that has it; --help is printed from the
 * same table, and tests compare it with the manual page and the completions.
 */
#ifndef HVSCOPE_SETTINGS_H
#define HVSCOPE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/path.h"
#include "base/text.h"
#include "command.h"

struct renderer;

enum { SETTINGS_PERCENTILES = 16 }; /* of one --percentiles list */

struct settings {
	struct command command;

	const char *input;  /* -i; NULL: live */
	const char *buffer; /* --buffer: of the file; NULL: its main one */
	const char *vm_map; /* --vm-map */
	const char *output; /* -o; NULL: stdout */
	uint64_t duration;  /* -d, ns; 0: no limit */

	uint64_t pid;       /* -p; 0: all */
	bool children;      /* --children: and its descendants */
	const char *vm;     /* --vm; NULL: all */
	uint64_t vcpu;      /* --vcpu; UINT64_MAX: all */
	bool has_cpus;      /* -C was given: */
	struct cpuset cpus; /* only exits on these */

	unsigned int by;  /* KEY_BIT()s of analysis/analysis.h; 0: the analysis's default */
	const char *sort; /* NULL: the table's default */
	uint64_t limit;   /* -n; 0: all rows */

	const char *expr;        /* -E; NULL: none */
	uint64_t linear;         /* --linear; 0: none */
	const char *line_format; /* --format; NULL: the kernel's */
	bool stack;              /* --stack */

	bool hist;
	bool direct; /* --direct */
	uint32_t percentiles[SETTINGS_PERCENTILES]; /* parts per million, ascending */
	unsigned int n_percentiles;

	const struct renderer *format;
	const char *table;

	uint64_t buffer_size; /* -b, bytes per CPU; 0: by memory */
	uint64_t max_rate;    /* records/s; 0: no limit */
	uint64_t size;        /* --size, bytes of a recording; 0: no limit */
	uint64_t last;        /* --last, ns: only the newest are kept; 0: all */
	bool recover;         /* --recover */
	uint64_t jobs;        /* -j, threads for a file; 0: as many as CPUs */

	bool timestamps, quiet, strict, dry_run;
	unsigned int verbose;
	struct root root; /* --root; prefix NULL: the real one */

	uint64_t interval; /* ns; 0: one report at the end */
	uint64_t count;    /* intervals; 0: no limit */

	char **words;         /* free operands, n_words of them; owned, the texts are argv's */
	const char **filters; /* --filter behind each of them; NULL: none */
	unsigned int n_words;
	char *const *workload; /* after --, ended by NULL; NULL: none */

	bool help;    /* --help: nothing else was checked */
	bool version; /* --version, likewise */
};

/* How an option's argument is read, and into which type of member. */
enum option_type {
	OPTION_FLAG,        /* bool */
	OPTION_LEVEL,       /* unsigned int, one more each time */
	OPTION_TEXT,        /* const char * */
	OPTION_NUMBER,      /* uint64_t from 0 */
	OPTION_COUNT,       /* uint64_t from 1 */
	OPTION_TIME,        /* uint64_t, ns */
	OPTION_SIZE,        /* uint64_t, bytes */
	OPTION_CPUS,        /* struct cpuset */
	OPTION_KEYS,        /* unsigned int, KEY_BIT()s */
	OPTION_PERCENTILES, /* percentiles and n_percentiles */
	OPTION_FORMAT,      /* const struct renderer * */
	OPTION_FILTER,      /* of the free operand before it */
};

/* Options that make sense with only one kind of source. */
enum option_source { WITH_ANY, WITH_LIVE, WITH_FILE };

struct option_spec {
	char letter;         /* 0: none */
	const char *name;    /* long one; NULL: none */
	const char *metavar; /* of its argument; NULL: it takes none */
	const char *help;    /* for people, without full stop */
	/*
	 * Who has it, with blanks between: names; "analyses"; of those "tables" (which don't
	 * stream) or "specs" (of event specs); "all".
	 */
	const char *commands;
	enum option_type type;
	enum option_source source;
	size_t member;     /* offsetof(struct settings, …) */
	unsigned int keys; /* KEY_BIT()s: only for analyses that have one of them; 0: no matter */
	const char *without; /* names in a class of `commands` that lack it; NULL: none */
};

/*
 * Reads the command line behind the command's name (argv[0] is that name). The texts stay argv's.
 * Returns -1 with a sentence and status 2 for everything that can be known to be wrong.
 */
int settings_parse(struct settings *settings, const struct command *command, int argc, char **argv,
		   struct error *err);
void settings_free(struct settings *settings);

/* The table; n of them. */
const struct option_spec *settings_options(size_t *n);
bool settings_has(const struct command *command, const struct option_spec *option);

/* Usage and options of a command. */
void settings_help(const struct command *command, FILE *out);

#endif
