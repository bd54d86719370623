// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The option table: what is parsed, what is refused with which words, and that help, the manual
 * pages and the completions say neither more nor less than the table.
 */
#include "settings.h"

#include <string.h>
#include <unistd.h>

#include "analysis/analysis.h"
#include "render/render.h"
#include "tests/tap.h"

enum { WORDS = 16 };

/* Parses one command line, blanks between the words. */
static int parse(struct settings *s, const char *line, struct error *err)
{
	static char copies[4][256]; /* the settings' texts are argv's: they must stay */
	static char *argv[4][WORDS];
	static unsigned int turn;
	char *copy = copies[turn % 4], **words = argv[turn % 4], *save;
	struct command command;
	int argc = 0;

	turn++;
	snprintf(copy, sizeof(copies[0]), "%s", line);
	for (char *word = strtok_r(copy, " ", &save); word && argc < WORDS - 1;
	     word = strtok_r(NULL, " ", &save))
		words[argc++] = word;
	words[argc] = NULL;
	*err = (struct error){ 0 };
	if (command_find(words[0], &command, err))
		return -1;
	return settings_parse(s, &command, argc, words, err);
}

static void good(const char *line, struct settings *s)
{
	struct error err;

	ok(!parse(s, line, &err), "taken: %s", line);
	if (err.status)
		diag("%s", err.text);
}

static void bad(const char *line, const char *words)
{
	struct settings s;
	struct error err;
	int ret = parse(&s, line, &err);

	ok(ret < 0 && err.status == 2 && strstr(err.text, words), "refused: %s (%s)", line, words);
	if (!ret || !strstr(err.text, words))
		diag("status %d: %s", err.status, err.text);
	settings_free(&s);
}

static void test_defaults(void)
{
	struct settings s;

	good("exits", &s);
	ok(!s.input && !s.output && !s.interval && !s.count && !s.duration, "no limits by default");
	ok(s.vcpu == UINT64_MAX && !s.has_cpus && !s.pid && !s.vm, "no selection by default");
	is_str(s.format->name, "table", "a table by default");
	is_int(s.n_percentiles, 3, "three percentiles");
	is_int(s.percentiles[2], 990000, "the last is 99");
	settings_free(&s);
}

static void test_values(void)
{
	struct settings s;

	good("exits -d 1.5s -p 12 --vm a --vcpu 0 -C 0-2,5 -n 3", &s);
	is_int(s.duration, 1500000000, "-d in ns");
	is_int(s.pid, 12, "-p");
	is_str(s.vm, "a", "--vm");
	is_int(s.vcpu, 0, "--vcpu takes 0");
	ok(s.has_cpus && cpuset_count(&s.cpus) == 4 && cpuset_has(&s.cpus, 5), "-C");
	is_int(s.limit, 3, "-n");
	settings_free(&s);

	good("exits --by vm,cpu --sort +exits --hist --percentiles 50,99.9 -f json --table exits",
	     &s);
	is_int(s.by, KEY_BIT(KEY_VM) | KEY_BIT(KEY_CPU), "--by");
	is_str(s.sort, "+exits", "--sort");
	ok(s.hist, "--hist");
	is_int(s.n_percentiles, 2, "two percentiles");
	is_int(s.percentiles[1], 999000, "99.9 as parts per million");
	is_str(s.format->name, "json", "-f");
	is_str(s.table, "exits", "--table");
	settings_free(&s);

	good("argdist x:y -E z --percentiles 50 -H", &s);
	is_int(s.n_percentiles, 1, "percentiles of values");
	settings_free(&s);

	good("exits -b 4M --max-rate 1000 -Tqvv --strict --dry-run --root /r 500ms 3", &s);
	is_int(s.buffer_size, 4 << 20, "-b in bytes");
	is_int(s.max_rate, 1000, "--max-rate");
	ok(s.timestamps && s.quiet && s.verbose == 2 && s.strict && s.dry_run, "flags together");
	is_str(s.root.prefix, "/r", "--root");
	is_int(s.interval, 500000000, "INTERVAL");
	is_int(s.count, 3, "COUNT");
	settings_free(&s);

	good("exits 2 -i f 5 --buffer b --vm-map m", &s);
	is_str(s.input, "f", "-i between the operands");
	is_str(s.buffer, "b", "--buffer");
	is_str(s.vm_map, "m", "--vm-map");
	is_int(s.interval, 2000000000, "a number alone is seconds");
	is_int(s.count, 5, "COUNT behind an option");
	settings_free(&s);
}

static void test_workload(void)
{
	struct settings s;

	good("exits -d 1s -- ls -l --vm", &s);
	ok(s.workload && !strcmp(s.workload[0], "ls") && !strcmp(s.workload[2], "--vm") &&
		   !s.workload[3],
	   "what follows -- is left alone");
	ok(!s.vm, "and is none of ours");
	settings_free(&s);
	bad("exits --", "missing after --");
	bad("help -- ls", "runs no command");
	bad("exits -i f -- ls", "nothing with -i");
}

static void test_refusals(void)
{
	bad("exitz", "did you mean 'exits'");
	bad("nonsense-of-all-kinds", "hvscope help");
	bad("exits --percentles 5", "did you mean --percentiles");
	bad("exits --xyzzy-plugh", "hvscope help exits");
	bad("exits -Z", "no option -Z");
	bad("exits --v", "several options");
	bad("exits --strict=1", "takes no argument");
	bad("exits -i", "needs an argument, FILE");
	bad("exits --vm", "needs an argument, NAME");
	bad("help --vm x", "hvscope help has no option --vm");
	bad("steal --vm x", "hvscope steal has no option --vm;");
	bad("steal --vm=x", "hvscope steal has no option --vm;");
	bad("help -d 5", "hvscope help has no option -d");
	bad("count x:y -H", "hvscope count has no option -H");
	bad("stackcount x:y --percentiles 5", "hvscope stackcount has no option --percentiles");
	bad("argdist x:y -E z --percentiles 5", "-H is missing");
	bad("hypercalls --hist", "hvscope hypercalls has no option --hist");
	bad("exits -d 5x", "5x");
	bad("exits -d 0", "above 0");
	bad("exits -p x", "'x'");
	bad("exits -p 0", "too few");
	bad("exits -n -1", "-1");
	bad("exits -C 3-1", "3-1");
	bad("exits -C a", "CPUs");
	bad("exits --by vn", "did you mean vm");
	bad("exits --by vm,", "no key");
	bad("exits --percentiles 0", "percentiles");
	bad("exits --percentiles 50,x", "percentiles");
	bad("exits -f jsn", "did you mean 'json'");
	bad("exits -b 0", "too small");
	bad("exits -b 4Q", "4Q");
	bad("exits 0.0001", "1ms is the least");
	bad("exits foo", "foo");
	bad("exits 1 0", "COUNT");
	bad("exits 1 2 3", "too much");
	bad("help exits 3 4 --oops", "--oops");
	bad("exits --buffer b", "-i FILE is missing");
	bad("exits --vm-map b", "-i FILE is missing");
	bad("exits -j 2", "-i FILE is missing");
	bad("exits -i f -b 4M", "live tracing");
	bad("exits -i f --max-rate 4", "live tracing");
	bad("exits -f prometheus 1", "-o FILE is missing");
}

/* --- What is written about options elsewhere --- */

static char *read_file(const char *path)
{
	char full[512];
	FILE *f;
	char *text;
	size_t n;

	snprintf(full, sizeof(full), "%s/%s", tap_source(), path);
	f = fopen(full, "r");
	if (!f)
		return NULL;
	text = xcalloc(1, 1 << 20);
	n = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

/* ".It Fl d Ar time", as mdoc has a row of the table; long names stand first as "Fl -hist". */
static void man_line(const struct option_spec *o, char *buf, size_t size)
{
	size_t len = 0;

	len += (size_t)snprintf(buf, size, "\n.It Fl ");
	if (o->letter)
		len += (size_t)snprintf(buf + len, size - len, "%c%s", o->letter,
					o->name ? " , Fl " : "");
	if (o->name)
		len += (size_t)snprintf(buf + len, size - len, "-%s", o->name);
	if (o->metavar) {
		len += (size_t)snprintf(buf + len, size - len, " Ar ");
		for (const char *p = o->metavar; *p && len + 1 < size; p++)
			buf[len++] = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
		buf[len] = '\0';
	}
	snprintf(buf + len, size - len, "\n");
}

static unsigned int count_of(const char *text, const char *what)
{
	unsigned int n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
		n++;
	return n;
}

/* The page that has an option: that of all commands, or of the first that it is for. */
static bool in_general(const struct option_spec *o)
{
	return strstr(o->commands, "analyses") || strstr(o->commands, "tables") ||
	       strstr(o->commands, "specs") ||
	       !strcmp(o->commands, "all");
}

static char *page_of(const struct option_spec *o)
{
	char path[128];

	if (in_general(o))
		return read_file("man/hvscope.1");
	snprintf(path, sizeof(path), "man/hvscope-%.*s.1", (int)strcspn(o->commands, " "),
		 o->commands);
	return read_file(path);
}

static void test_manual(void)
{
	char *man = read_file("man/hvscope.1"), line[128];
	struct command command;
	size_t n, general = 0;
	const struct option_spec *table = settings_options(&n);

	for (size_t i = 0; i < n; i++) {
		char *page = page_of(&table[i]);

		general += in_general(&table[i]);
		man_line(&table[i], line, sizeof(line));
		ok(page && strstr(page, line), "a manual page has '%.*s'", (int)strlen(line) - 2,
		   line + 1);
		free(page);
	}
	if (!man) {
		ok(false, "man/hvscope.1 is there");
		return;
	}
	is_int(count_of(man, "\n.It Fl "), general,
	       "hvscope.1 has no option that the table hasn't");
	for (size_t i = 0; command_at(i, &command); i++) {
		snprintf(line, sizeof(line), "\n.It Cm %s\n", command.name);
		ok(strstr(man, line), "hvscope.1 names the command %s", command.name);
	}
	for (const struct renderer *const *r = render_all(); *r; r++)
		ok(strstr(man, (*r)->name), "hvscope.1 names the format %s", (*r)->name);
	free(man);
}

/* Each name of a list of commands is one, or a class. */
static void test_table(void)
{
	struct command command;
	size_t n, wrong = 0;
	const struct option_spec *table = settings_options(&n);

	for (size_t i = 0; i < n; i++) {
		char *copy = xasprintf("%s%s%s", table[i].commands,
				       table[i].without ? " " : "",
				       table[i].without ? table[i].without : "");
		char *rest = copy, *word;

		while ((word = strsep(&rest, " ")) != NULL) {
			bool known = !strcmp(word, "all") || !strcmp(word, "analyses") ||
				     !strcmp(word, "tables") || !strcmp(word, "specs") ||
				     !command_find(word, &command, NULL);

			if (!known)
				diag("option %zu names the command '%s'", i, word);
			wrong += !known;
		}
		free(copy);
		for (size_t j = 0; j < i; j++) {
			bool twice = table[i].letter && table[i].letter == table[j].letter;

			if (table[i].name && table[j].name)
				twice |= !strcmp(table[i].name, table[j].name);
			if (twice)
				diag("options %zu and %zu have the same name", j, i);
			wrong += twice;
		}
	}
	is_int(wrong, 0, "options are for commands that exist, and no name is given twice");
}

int main(void)
{
	test_defaults();
	test_values();
	test_workload();
	test_refusals();
	test_table();
	test_manual();
	return tap_done();
}
