// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The option table and what is made of it: the parser, --help, and the checks that need no look
 * at the machine but for names of files. Whatever is wrong here is a usage error (status 2) and one
 * sentence.
 */
#include "settings.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "analysis/analysis.h"
#include "render/render.h"

#define MEMBER(name) offsetof(struct settings, name)

/* Analyses whose tables have no distribution of anything. */
#define COUNTS_ONLY "hypercalls count stackcount"

/* In the order of help. */
static const struct option_spec option_table[] = {
	{ 'i', NULL, "FILE", "read a trace file instead of tracing", "analyses list", OPTION_TEXT,
	  WITH_ANY, MEMBER(input) },
	{ 0, "buffer", "NAME", "which of the file's buffers (default: the main one)", "analyses",
	  OPTION_TEXT, WITH_FILE, MEMBER(buffer) },
	{ 0, "vm-map", "FILE", "who is who in the file: lines of tid pid name vcpu", "analyses",
	  OPTION_TEXT, WITH_FILE, MEMBER(vm_map) },
	{ 'o', NULL, "FILE", "write the output there", "analyses info selftest record list",
	  OPTION_TEXT, WITH_ANY, MEMBER(output) },
	{ 'd', NULL, "TIME", "stop after 500ms, 10s, 5m, 1h", "analyses record", OPTION_TIME,
	  WITH_ANY, MEMBER(duration) },
	{ 'p', NULL, "PID", "only this process", "analyses record", OPTION_COUNT, WITH_ANY,
	  MEMBER(pid), KEY_BIT(KEY_PID) | KEY_BIT(KEY_VM) },
	{ 0, "children", NULL, "and those that it has started or will, and theirs",
	  "analyses record", OPTION_FLAG, WITH_LIVE, MEMBER(children),
	  KEY_BIT(KEY_PID) | KEY_BIT(KEY_VM) },
	{ 0, "vm", "NAME", "only this virtual machine", "analyses record", OPTION_TEXT, WITH_ANY,
	  MEMBER(vm), KEY_BIT(KEY_VM) },
	{ 0, "vcpu", "N", "only virtual CPUs of this number", "analyses", OPTION_NUMBER, WITH_ANY,
	  MEMBER(vcpu), KEY_BIT(KEY_VCPU) },
	{ 'C', NULL, "CPULIST", "only what happened on these CPUs (0-3,8)", "analyses", OPTION_CPUS,
	  WITH_ANY, MEMBER(cpus) },
	{ 0, "filter", "EXPR", "only records of the event before it for which this holds",
	  "specs record", OPTION_FILTER, WITH_LIVE, 0 },
	{ 'E', NULL, "EXPR", "which values: a field, or arithmetic (len / 4096, $retval, $latency)",
	  "argdist", OPTION_TEXT, WITH_ANY, MEMBER(expr) },
	{ 0, "linear", "STEP", "ranges of this width instead of single values", "argdist",
	  OPTION_COUNT, WITH_ANY, MEMBER(linear) },
	{ 0, "format", "TEXT", "what to print of an event, with {FIELD}s", "trace", OPTION_TEXT,
	  WITH_ANY, MEMBER(line_format) },
	{ 0, "stack", NULL, "kernel stacks too", "trace record hypercalls", OPTION_FLAG, WITH_ANY,
	  MEMBER(stack) },
	{ 0, "by", "KEYS", "group by these keys", "tables", OPTION_KEYS, WITH_ANY, MEMBER(by),
	  KEY_BIT(KEY_COUNT) - 1 },
	{ 0, "sort", "KEY", "order by this column (+KEY: ascending)", "tables list", OPTION_TEXT,
	  WITH_ANY, MEMBER(sort) },
	{ 'n', NULL, "N", "at most N lines or rows; one more sums the others", "analyses list",
	  OPTION_COUNT, WITH_ANY, MEMBER(limit) },
	{ 'H', "hist", NULL, "histograms", "tables", OPTION_FLAG, WITH_ANY, MEMBER(hist),
	  .without = COUNTS_ONLY },
	{ 0, "direct", NULL, "probe functions that make hypercalls directly, too", "hypercalls",
	  OPTION_FLAG, WITH_LIVE, MEMBER(direct) },
	{ 0, "percentiles", "LIST", "which percentiles (default 50,90,99)", "tables",
	  OPTION_PERCENTILES, WITH_ANY, MEMBER(percentiles), .without = COUNTS_ONLY },
	{ 'f', NULL, "FORMAT", "output format", "analyses info selftest list", OPTION_FORMAT,
	  WITH_ANY, MEMBER(format) },
	{ 0, "table", "NAME", "which table, in formats that print one",
	  "analyses info selftest list", OPTION_TEXT, WITH_ANY, MEMBER(table) },
	{ 'b', NULL, "SIZE", "ring buffer of each CPU (4M)", "analyses selftest record",
	  OPTION_SIZE, WITH_LIVE, MEMBER(buffer_size) },
	{ 0, "max-rate", "N", "stop when more than N records come in a second", "analyses record",
	  OPTION_COUNT, WITH_LIVE, MEMBER(max_rate) },
	{ 0, "size", "SIZE", "stop when the file has this size (1G)", "record", OPTION_SIZE,
	  WITH_LIVE, MEMBER(size) },
	{ 0, "last", "TIME", "keep only the newest records, of this time", "record", OPTION_TIME,
	  WITH_LIVE, MEMBER(last) },
	{ 0, "recover", NULL, "join what an interrupted recording left", "record", OPTION_FLAG,
	  WITH_LIVE, MEMBER(recover) },
	{ 'j', NULL, "N", "threads that work on the file (1; 0: as many as CPUs)", "analyses",
	  OPTION_NUMBER, WITH_FILE, MEMBER(jobs) },
	{ 'T', NULL, NULL, "time stamps", "analyses info selftest", OPTION_FLAG, WITH_ANY,
	  MEMBER(timestamps) },
	{ 'q', NULL, NULL, "say less", "analyses info selftest record list", OPTION_FLAG, WITH_ANY,
	  MEMBER(quiet) },
	{ 'v', NULL, NULL, "say more, show all columns", "analyses info selftest record list",
	  OPTION_LEVEL, WITH_ANY, MEMBER(verbose) },
	{ 0, "strict", NULL, "exit with status 3 when the result is incomplete", "analyses record",
	  OPTION_FLAG, WITH_ANY, MEMBER(strict) },
	{ 0, "dry-run", NULL, "say what would be touched, and stop", "analyses selftest record",
	  OPTION_FLAG, WITH_ANY, MEMBER(dry_run) },
	{ 0, "root", "DIR", "read /proc and /sys below a recorded tree", "analyses info list",
	  OPTION_TEXT, WITH_ANY, MEMBER(root.prefix) },
	{ 'h', "help", NULL, "this text", "all", OPTION_FLAG, WITH_ANY, MEMBER(help) },
	{ 'V', "version", NULL, "version", "all", OPTION_FLAG, WITH_ANY, MEMBER(version) },
};

static const struct {
	const char *name;
	enum analysis_key key;
} key_names[] = {
	{ "vm", KEY_VM },         { "pid", KEY_PID },   { "vcpu", KEY_VCPU },
	{ "tid", KEY_TID },       { "comm", KEY_COMM }, { "cpu", KEY_CPU },
	{ "reason", KEY_REASON }, { "op", KEY_OP },     { "event", KEY_EVENT },
};

const struct option_spec *settings_options(size_t *n)
{
	*n = ARRAY_SIZE(option_table);
	return option_table;
}

/* Whether a word stands in a list with blanks between. */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = list; (p = strstr(p, word)) != NULL; p += len) {
		if ((p == list || p[-1] == ' ') && (!p[len] || p[len] == ' '))
			return true;
	}
	return false;
}

bool settings_has(const struct command *command, const struct option_spec *option)
{
	if (option->keys && command->analysis && !(option->keys & command->analysis->keys))
		return false;
	if (option->without && has_word(option->without, command->name))
		return false;
	return has_word(option->commands, "all") || has_word(option->commands, command->name) ||
	       (command->analysis && has_word(option->commands, "analyses")) ||
	       (command->analysis && !command->analysis->streams &&
		has_word(option->commands, "tables")) ||
	       (command->analysis && command->analysis->specs &&
		has_word(option->commands, "specs"));
}

/* The option as the user types it: "-i" or "--buffer". */
static const char *option_text(const struct option_spec *o, char *buf, size_t size)
{
	if (o->letter)
		snprintf(buf, size, "-%c", o->letter);
	else
		snprintf(buf, size, "--%s", o->name);
	return buf;
}

/* getopt_long() needs values for long options that no letter has. */
static int option_value(const struct option_spec *o)
{
	return o->letter ? o->letter : 256 + (int)(o - option_table);
}

static const struct option_spec *option_by_value(const struct command *command, int value)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
		if (option_value(&option_table[i]) == value &&
		    (!command || settings_has(command, &option_table[i])))
			return &option_table[i];
	}
	return NULL;
}

/* --- Values --- */

static const char *key_name(enum analysis_key key)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_names); i++) {
		if (key_names[i].key == key)
			return key_names[i].name;
	}
	return "?";
}

/* "vm, pid or reason": the keys of a set. */
static void list_keys(unsigned int keys, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (unsigned int key = 0; key < KEY_COUNT && len < size; key++) {
		unsigned int rest = keys >> key >> 1;

		if (!(keys & KEY_BIT(key)))
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s%s", key_name(key),
					!rest             ? "" :
					rest & (rest - 1) ? ", " :
							    " or ");
	}
}

static int parse_keys(const char *text, unsigned int allowed, unsigned int *keys, struct error *err)
{
	char *copy = xstrdup(text), *rest = copy, *word, list[128];
	const char *near = NULL;
	int ret = 0;

	*keys = 0;
	while (!ret && (word = strsep(&rest, ",")) != NULL) {
		unsigned int bit = 0;

		for (size_t i = 0; i < ARRAY_SIZE(key_names); i++) {
			if (!(allowed & KEY_BIT(key_names[i].key)))
				continue;
			if (!strcmp(key_names[i].name, word))
				bit = KEY_BIT(key_names[i].key);
			else
				near = text_nearer(word, key_names[i].name, near);
		}
		*keys |= bit;
		if (bit)
			continue;
		list_keys(allowed, list, sizeof(list));
		ret = error_set_status(err, 2, "'%s' is no key to group by%s%s%s; take %s", word,
				       near ? " (did you mean " : "", near ? near : "",
				       near ? "?)" : "", list);
	}
	free(copy);
	return ret;
}

static int parse_count(const char *text, uint64_t *value, struct error *err)
{
	if (parse_u64(text, INT64_MAX, value, err))
		return -1;
	if (!*value)
		return error_set_status(err, 2, "0 is too few");
	return 0;
}

static int parse_value(struct settings *s, const struct option_spec *o, const char *arg,
		       struct error *err)
{
	void *member = (char *)s + o->member;

	switch (o->type) {
	case OPTION_FLAG:
		*(bool *)member = true;
		return 0;
	case OPTION_LEVEL:
		++*(unsigned int *)member;
		return 0;
	case OPTION_TEXT:
		*(const char **)member = arg;
		return *arg ? 0 : error_set_status(err, 2, "the %s is empty", o->metavar);
	case OPTION_NUMBER:
		return parse_u64(arg, INT32_MAX, member, err);
	case OPTION_COUNT:
		return parse_count(arg, member, err);
	case OPTION_TIME:
		return parse_duration(arg, member, err);
	case OPTION_SIZE:
		if (parse_size(arg, member, err))
			return -1;
		return *(uint64_t *)member ? 0 : error_set_status(err, 2, "0 is too small");
	case OPTION_CPUS:
		cpuset_free(member);
		s->has_cpus = true;
		return cpuset_parse(member, arg, err);
	case OPTION_KEYS:
		return parse_keys(arg,
				  s->command.analysis ? s->command.analysis->keys :
							KEY_BIT(KEY_COUNT) - 1,
				  member, err);
	case OPTION_PERCENTILES:
		return parse_percentiles(arg, member, SETTINGS_PERCENTILES, &s->n_percentiles, err);
	case OPTION_FILTER:
		if (!s->n_words)
			return error_set_status(err, 2,
						"it belongs behind the event that it is for");
		if (!*arg)
			return error_set_status(err, 2, "the %s is empty", o->metavar);
		if (s->filters[s->n_words - 1])
			return error_set_status(err, 2, "'%s' has one already; join them by &&",
						s->words[s->n_words - 1]);
		s->filters[s->n_words - 1] = arg;
		return 0;
	case OPTION_FORMAT:
		*(const struct renderer **)member = render_find(arg, err);
		return *(const struct renderer **)member ? 0 : -1;
	}
	return error_set(err, "option of unknown type");
}

/* --- Options that aren't --- */

/* A word that getopt_long() didn't take: known elsewhere, misspelt, or ambiguous. */
static int unknown_long(const struct command *command, const char *word, struct error *err)
{
	size_t len = strcspn(word + 2, "=");
	char *name = xstrndup(word + 2, len);
	const char *near = NULL;
	unsigned int begins = 0;
	bool elsewhere = false;

	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
		const struct option_spec *o = &option_table[i];

		if (!o->name)
			continue;
		if (settings_has(command, o)) {
			begins += !strncmp(o->name, name, len);
			near = text_nearer(name, o->name, near);
		} else {
			elsewhere |= !strcmp(o->name, name);
		}
	}
	if (elsewhere)
		error_set_status(err, 2,
				 "hvscope %s has no option --%s; 'hvscope help %s' lists "
				 "those that it has",
				 command->name, name, command->name);
	else if (begins > 1)
		error_set_status(err, 2,
				 "--%s may mean several options; 'hvscope help %s' lists "
				 "them",
				 name, command->name);
	else if (near)
		error_set_status(err, 2, "there is no option --%s; did you mean --%s?", name, near);
	else
		error_set_status(err, 2,
				 "there is no option --%s; 'hvscope help %s' lists those "
				 "that are",
				 name, command->name);
	free(name);
	return -1;
}

static int unknown_option(const struct command *command, int letter, const char *word,
			  struct error *err)
{
	const struct option_spec *o = option_by_value(command, letter);

	if (o && letter)
		return error_set_status(err, 2, "--%s takes no argument", o->name);
	if (!letter)
		return unknown_long(command, word, err);
	if (option_by_value(NULL, letter))
		return error_set_status(err, 2,
					"hvscope %s has no option -%c; 'hvscope help %s' "
					"lists those that it has",
					command->name, letter, command->name);
	return error_set_status(err, 2,
				"there is no option -%c; 'hvscope help %s' lists those "
				"that are",
				letter, command->name);
}

/* --- Command line --- */

/* What getopt_long() wants, made from the rows that the command has. */
struct getopt_tables {
	char letters[2 * ARRAY_SIZE(option_table) + 3];
	struct option names[ARRAY_SIZE(option_table) + 1];
};

/* An option that the command lacks; getopt_long() would take it for the beginning of another. */
enum { OPTION_ELSEWHERE = 256 + ARRAY_SIZE(option_table) };

static bool begins_another(const struct command *command, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
		const struct option_spec *o = &option_table[i];

		if (o->name && settings_has(command, o) && !strncmp(o->name, name, strlen(name)))
			return true;
	}
	return false;
}

static void make_tables(const struct command *command, struct getopt_tables *t)
{
	size_t len = 0, n = 0;

	memset(t, 0, sizeof(*t));
	t->letters[len++] = '-'; /* operands come in order, so that a filter knows its event */
	t->letters[len++] = ':';
	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
		const struct option_spec *o = &option_table[i];

		if (!settings_has(command, o)) {
			if (o->name && begins_another(command, o->name))
				t->names[n++] = (struct option){ .name = o->name,
								 .has_arg = optional_argument,
								 .val = OPTION_ELSEWHERE };
			continue;
		}
		if (o->letter) {
			t->letters[len++] = o->letter;
			if (o->metavar)
				t->letters[len++] = ':';
		}
		if (o->name) {
			t->names[n++] = (struct option){
				.name = o->name,
				.has_arg = o->metavar ? required_argument : no_argument,
				.val = option_value(o),
			};
		}
	}
}

static void add_word(struct settings *s, char *word)
{
	s->words = xreallocarray(s->words, s->n_words + 1, sizeof(*s->words));
	s->filters = xreallocarray(s->filters, s->n_words + 1, sizeof(*s->filters));
	s->words[s->n_words] = word;
	s->filters[s->n_words++] = NULL;
}

/* Options and operands of argv. Remembers in `given` which options came. */
static int parse_options(struct settings *s, int argc, char **argv, bool *given, struct error *err)
{
	struct getopt_tables tables;
	char text[32];
	int c;

	make_tables(&s->command, &tables);
	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, tables.letters, tables.names, NULL)) != -1) {
		const struct option_spec *o = option_by_value(&s->command, c == ':' ? optopt : c);

		if (c == 1) {
			add_word(s, optarg);
			continue;
		}
		if (c == ':')
			return error_set_status(err, 2, "%s needs an argument, %s: %s",
						option_text(o, text, sizeof(text)), o->metavar,
						o->help);
		if (c == OPTION_ELSEWHERE)
			return unknown_long(&s->command, argv[optind - 1], err);
		if (c == '?')
			return unknown_option(&s->command, optopt, argv[optind - 1], err);
		if (parse_value(s, o, optarg, err))
			return error_prefix(err, "%s", option_text(o, text, sizeof(text)));
		given[o - option_table] = true;
		if (s->help || s->version)
			return 0;
	}
	return 0;
}

static bool looks_like_interval(const char *word)
{
	return (*word >= '0' && *word <= '9') || *word == '.';
}

/* [INTERVAL [COUNT]]; free operands come before them and are kept. */
static int parse_operands(struct settings *s, struct error *err)
{
	const struct command *command = &s->command;
	unsigned int first = 0, n = s->n_words;
	char **words = s->words;

	if (command->operands & OPERANDS_FREE) {
		while (first < n && !((command->operands & OPERANDS_INTERVAL) &&
				      looks_like_interval(words[first])))
			first++;
	}
	s->n_words = first;
	if (first == n)
		return 0;
	if (!(command->operands & OPERANDS_INTERVAL))
		return error_set_status(err, 2, "hvscope %s takes no '%s'; see 'hvscope help %s'",
					command->name, words[first], command->name);
	if (n - first > 2)
		return error_set_status(err, 2,
					"'%s' is too much: an INTERVAL and a COUNT are the "
					"last operands of hvscope %s",
					words[first + 2], command->name);
	if (parse_duration(words[first], &s->interval, err))
		return error_prefix(err, "INTERVAL");
	if (s->interval < 1000000)
		return error_set_status(err, 2, "INTERVAL: %s is too short, 1ms is the least",
					words[first]);
	if (n - first == 2 && parse_count(words[first + 1], &s->count, err))
		return error_prefix(err, "COUNT");
	return 0;
}

/* As BCC's -i. */
static bool is_meant_as_interval(const struct settings *s)
{
	return s->input && !s->input[strspn(s->input, "0123456789.")] && access(s->input, F_OK) &&
	       s->command.operands & OPERANDS_INTERVAL;
}

/* What one row can't say: options that need or exclude another. */
static int check_together(const struct settings *s, const bool *given, struct error *err)
{
	char text[32];

	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
		const struct option_spec *o = &option_table[i];

		if (given[i] && o->source == WITH_LIVE && s->input)
			return error_set_status(err, 2,
						"%s is for live tracing and does nothing "
						"with -i",
						option_text(o, text, sizeof(text)));
		if (given[i] && o->source == WITH_FILE && !s->input)
			return error_set_status(err, 2, "%s is for trace files: -i FILE is missing",
						option_text(o, text, sizeof(text)));
		if (given[i] && o->type == OPTION_PERCENTILES && s->expr && !s->hist)
			return error_set_status(err, 2, "%s: of a distribution, and -H is missing",
						option_text(o, text, sizeof(text)));
	}
	if (is_meant_as_interval(s))
		return error_set_status(err, 2,
					"-i %s: there is no such trace file; an INTERVAL is the "
					"last operand",
					s->input);
	if (s->workload && s->input)
		return error_set_status(err, 2,
					"a command to run (after --) is for live tracing "
					"and does nothing with -i");
	if (s->children && !s->pid)
		return error_set_status(err, 2, "--children: of whom? -p PID is missing");
	if (s->format && s->format->rewrites && s->interval && !s->output)
		return error_set_status(err, 2,
					"-f %s with an INTERVAL rewrites a file each time: "
					"-o FILE is missing",
					s->format->name);
	return 0;
}

/* Cuts argv at "--": what follows is the command to run. */
static int split_workload(struct settings *s, int *argc, char **argv, struct error *err)
{
	for (int i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		if (!(s->command.operands & OPERANDS_WORKLOAD))
			return error_set_status(err, 2,
						"hvscope %s runs no command: nothing may "
						"stand after --",
						s->command.name);
		if (i + 1 == *argc)
			return error_set_status(err, 2, "a command to run is missing after --");
		s->workload = argv + i + 1;
		*argc = i;
		return 0;
	}
	return 0;
}

int settings_parse(struct settings *s, const struct command *command, int argc, char **argv,
		   struct error *err)
{
	bool given[ARRAY_SIZE(option_table)] = { false };

	*s = (struct settings){
		.command = *command,
		.vcpu = UINT64_MAX,
		.jobs = 1,
		.percentiles = { 500000, 900000, 990000 },
		.n_percentiles = 3,
	};
	s->format = render_find("table", NULL);
	if (split_workload(s, &argc, argv, err) || parse_options(s, argc, argv, given, err))
		return -1;
	if (s->help || s->version)
		return 0;
	if (parse_operands(s, err))
		return -1;
	return check_together(s, given, err);
}

void settings_free(struct settings *s)
{
	cpuset_free(&s->cpus);
	free(s->words);
	free(s->filters);
}

/* --- Help --- */

static void print_usage(const struct command *command, FILE *out)
{
	bool interval = command->operands & OPERANDS_INTERVAL;

	fprintf(out, "Usage: hvscope %s [options]%s%s%s\n", command->name,
		command->usage ? " " : "", command->usage ? command->usage : "",
		interval ? " [INTERVAL [COUNT]]" : "");
	if (command->operands & OPERANDS_WORKLOAD)
		fprintf(out, "       hvscope %s [options]%s%s -- command...\n", command->name,
			command->usage ? " " : "", command->usage ? command->usage : "");
}

/* What the argument may be, where a list says it. */
static void print_choices(const struct command *command, const struct option_spec *o, FILE *out)
{
	char keys[128];

	if (o->type == OPTION_FORMAT) {
		for (const struct renderer *const *r = render_all(); *r; r++)
			fprintf(out, "%*s%-12s %s\n", 26, "", (*r)->name, (*r)->summary);
	} else if (o->type == OPTION_KEYS && command->analysis) {
		list_keys(command->analysis->keys, keys, sizeof(keys));
		fprintf(out, "%*s%s\n", 26, "", keys);
	}
}

void settings_help(const struct command *command, FILE *out)
{
	char text[64];

	print_usage(command, out);
	fprintf(out, "\n%s.\n\n", command->summary);
	for (size_t i = 0; i < ARRAY_SIZE(option_table); i++) {
		const struct option_spec *o = &option_table[i];
		int len;

		if (!settings_has(command, o))
			continue;
		len = o->letter ? snprintf(text, sizeof(text), "-%c%s", o->letter,
					   o->name ? ", " : "") :
				  snprintf(text, sizeof(text), "    ");
		snprintf(text + len, sizeof(text) - (size_t)len, "%s%s%s%s", o->name ? "--" : "",
			 o->name ? o->name : "", o->metavar ? " " : "",
			 o->metavar ? o->metavar : "");
		fprintf(out, "  %-23s %s\n", text, o->help);
		print_choices(command, o, out);
	}
	if (command->operands & OPERANDS_INTERVAL)
		fputs("\nINTERVAL: report every 500ms, 10s, 5m (a number alone: seconds), "
		      "COUNT times.\n",
		      out);
	fprintf(out, "Manual: hvscope-%s(1), hvscope(1).\n", command->name);
}
