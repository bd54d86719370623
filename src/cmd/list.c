// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `hvscope list`: which events there are, by pattern, with their fields when asked; functions that
 * a probe may be put on; and the events that a trace file has. Nothing is traced, and a file is
 * read in the confined child, like everywhere.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd/confine.h"
#include "cmd/output.h"
#include "cmd/progress.h"
#include "cmd/spec.h"
#include "command.h"
#include "render/render.h"
#include "report/report.h"
#include "settings.h"
#include "trace/binding.h"
#include "trace/catalog.h"
#include "trace/record.h"
#include "trace/tracedat.h"
#include "trace/tracefs.h"

/* One word may be several patterns: "kvm" is all of a system, and events of that name. */
struct pattern {
	char *text;
	const char *word; /* that it is of */
	struct spec spec;
	struct spec_matcher *matcher;
	bool found;
	char *near; /* a function that may have been meant, or NULL */
};

struct list {
	const struct settings *settings;
	struct pattern *patterns;
	size_t n_patterns;
	struct tfs tfs;
	struct tracedat *dat;
	struct catalog events;
	struct report *report;
	struct output *output;
};

/* --- Patterns --- */

static int add_pattern(struct list *l, const char *word, char *text, struct error *err)
{
	struct pattern *p;

	l->patterns = xreallocarray(l->patterns, l->n_patterns + 1, sizeof(*l->patterns));
	p = &l->patterns[l->n_patterns++];
	*p = (struct pattern){ .text = text, .word = word };
	if (spec_parse(text, &p->spec, err))
		return -1;
	if (p->spec.kind == SPEC_USER)
		return error_set_status(err, 2, "'%s': functions of programs are listed by nm(1)",
					word);
	if (p->spec.kind == SPEC_FUNCTION && l->settings->input)
		return error_set_status(err, 2, "'%s': a trace file has events, no functions",
					word);
	return 0;
}

/* Here a bare word is about events; functions need their p: or r:. */
static int add_word(struct list *l, const char *word, struct error *err)
{
	if (!*word)
		return error_set_status(err, 2, "a pattern is empty");
	if (*word == '/')
		return add_pattern(l, word, xasprintf("t:%s", word), err);
	if (strchr(word, ':'))
		return add_pattern(l, word, xstrdup(word), err);
	if (add_pattern(l, word, xasprintf("t:%s:*", word), err))
		return -1;
	return add_pattern(l, word, xasprintf("t:*:%s", word), err);
}

static int add_words(struct list *l, struct error *err)
{
	const struct settings *s = l->settings;

	if (!s->n_words && add_pattern(l, "*", xstrdup("t:*:*"), err))
		return -1;
	for (unsigned int i = 0; i < s->n_words; i++)
		if (add_word(l, s->words[i], err))
			return -1;
	/* A matcher keeps its spec, so they come when no pattern moves any more. */
	for (size_t i = 0; i < l->n_patterns; i++) {
		l->patterns[i].matcher = spec_matcher_new(&l->patterns[i].spec, err);
		if (!l->patterns[i].matcher)
			return -1;
	}
	return 0;
}

/* A pattern of a module (NULL: of none) is for the functions of that one alone. */
static bool is_of_module(const struct pattern *p, const char *module)
{
	return !p->spec.module == !module && (!module || !strcmp(p->spec.module, module));
}

static bool matches(struct list *l, enum spec_kind kind, const char *module, const char *name)
{
	bool any = false;

	for (size_t i = 0; i < l->n_patterns; i++) {
		struct pattern *p = &l->patterns[i];

		if (p->spec.kind != kind || !is_of_module(p, module) ||
		    !spec_matches(p->matcher, name))
			continue;
		p->found = any = true;
	}
	return any;
}

static bool asks_for(const struct list *l, enum spec_kind kind)
{
	for (size_t i = 0; i < l->n_patterns; i++)
		if (l->patterns[i].spec.kind == kind)
			return true;
	return false;
}

static bool word_found(const struct list *l, const char *word)
{
	for (size_t i = 0; i < l->n_patterns; i++)
		if (l->patterns[i].word == word && l->patterns[i].found)
			return true;
	return false;
}

static bool is_plain(const struct pattern *p)
{
	return !p->spec.glob && !p->spec.regex;
}

/* What a pattern that nothing matches may have meant, as the end of the sentence. */
static char *hint(const struct list *l, const struct pattern *p)
{
	const char *near = p->near;

	if (!strchr(p->word, ':') && !p->spec.regex && !l->settings->input)
		return xasprintf("; functions are listed by 'p:%s'.", p->word);
	if (p->spec.kind == SPEC_TRACEPOINT && is_plain(p))
		near = catalog_nearest(&l->events, p->spec.pattern);
	return near ? xasprintf("; did you mean '%s'?", near) : xstrdup(".");
}

/* An empty result is a result; what was looked for is said. */
static void note_missing(struct list *l)
{
	for (size_t i = 0; i < l->n_patterns; i++) {
		const struct pattern *p = &l->patterns[i];
		char *end;

		if (word_found(l, p->word) || (i && l->patterns[i - 1].word == p->word))
			continue;
		end = hint(l, p);
		report_note(l->report, "No %s matches '%s'%s",
			    p->spec.kind == SPEC_TRACEPOINT ? "event" : "function", p->word, end);
		free(end);
	}
}

/* --- Tables --- */

enum { EVENT, FIELD, TYPE, SIZE, COLUMNS };

static const struct column columns[COLUMNS] = {
	[EVENT] = { .key = "event",
		    .title = "EVENT",
		    .type = COLUMN_TEXT,
		    .flags = COLUMN_LABEL,
		    .help = "Tracepoint, as system:event" },
	[FIELD] = { .key = "field",
		    .title = "FIELD",
		    .type = COLUMN_TEXT,
		    .flags = COLUMN_LABEL,
		    .help = "Field of its records" },
	[TYPE] = { .key = "type",
		   .title = "TYPE",
		   .type = COLUMN_TEXT,
		   .help = "Type of the field in C" },
	[SIZE] = { .key = "size",
		   .title = "SIZE",
		   .type = COLUMN_COUNT,
		   .flags = COLUMN_GAUGE,
		   .help = "Bytes of the field in a record" },
};

static const struct column function_columns[] = {
	{ .key = "function",
	  .title = "FUNCTION",
	  .type = COLUMN_TEXT,
	  .flags = COLUMN_LABEL,
	  .help = "Function of the kernel or of a module" },
};

static struct table *events_table(struct report *report, bool fields)
{
	static const unsigned int show[] = { EVENT, FIELD, TYPE, SIZE };

	return table_new(report, &(struct table_layout){
					 .name = fields ? "fields" : "events",
					 .title = fields ? "events and their fields" : "events",
					 .columns = columns,
					 .nr_columns = COLUMNS,
					 .show = show,
					 .nr_show = fields ? COLUMNS : 1 });
}

/* By libtraceevent, as they are read. An event without fields, or a format beyond it, has a row. */
static void add_fields(struct table *table, const struct format_source *formats, const char *event)
{
	struct binding *binding = binding_new(formats);
	size_t len = strcspn(event, ":"), n = 0, own = 0;
	char *system = xstrndup(event, len);
	int slot = binding_add_record(binding, system, event + len + 1, NULL);
	struct records *records = records_new(binding);
	const struct record_field *fields =
		slot < 0 ? NULL : records_fields(records, (unsigned int)slot, &n);

	for (size_t i = 0; i < n; i++) {
		struct row *row;

		if (fields[i].common)
			continue;
		row = table_row(table);
		row_text(row, EVENT, event);
		row_text(row, FIELD, fields[i].name);
		row_text(row, TYPE, fields[i].type);
		row_count(row, SIZE, fields[i].size);
		own++;
	}
	if (!own)
		row_text(table_row(table), EVENT, event);
	records_free(records);
	binding_free(binding);
	free(system);
}

static void list_events(struct list *l, const struct format_source *formats)
{
	bool fields = l->settings->verbose;
	struct table *table = events_table(l->report, fields);

	for (size_t i = 0; i < l->events.n; i++) {
		if (!matches(l, SPEC_TRACEPOINT, NULL, l->events.names[i]))
			continue;
		if (fields)
			add_fields(table, formats, l->events.names[i]);
		else
			row_text(table_row(table), EVENT, l->events.names[i]);
	}
}

/* What misspelt functions of a module may have meant. */
static void note_near(struct list *l, const char *module, const struct catalog *functions)
{
	for (size_t i = 0; i < l->n_patterns; i++) {
		struct pattern *p = &l->patterns[i];
		const char *near = NULL;

		if (p->spec.kind == SPEC_FUNCTION && is_of_module(p, module) && is_plain(p) &&
		    !p->found)
			near = catalog_nearest(functions, p->spec.pattern);
		if (near && !p->near)
			p->near = xasprintf("%c:%s%s%s", p->word[0], module ? module : "",
					    module ? "/" : "", near);
	}
}

/* The functions that patterns of this module name; each module once, at its first pattern. */
static int list_module(struct list *l, struct table *table, size_t first, struct error *err)
{
	const char *module = l->patterns[first].spec.module;
	struct catalog functions;

	for (size_t i = 0; i < first; i++)
		if (l->patterns[i].spec.kind == SPEC_FUNCTION &&
		    is_of_module(&l->patterns[i], module))
			return 0;
	if (catalog_functions(&functions, &l->settings->root, module, err))
		return -1;
	for (size_t i = 0; i < functions.n; i++)
		if (matches(l, SPEC_FUNCTION, module, functions.names[i]))
			row_text(table_row(table), 0, functions.names[i]);
	note_near(l, module, &functions);
	catalog_free(&functions);
	return 0;
}

static int list_functions(struct list *l, struct error *err)
{
	struct table *table;

	table = table_new(l->report,
			  &(struct table_layout){ .name = "functions",
						  .title = "functions",
						  .columns = function_columns,
						  .nr_columns = ARRAY_SIZE(function_columns) });
	for (size_t i = 0; i < l->n_patterns; i++)
		if (l->patterns[i].spec.kind == SPEC_FUNCTION && list_module(l, table, i, err))
			return -1;
	return 0;
}

/* --- Output --- */

/* Formats that only carry figures leave the sentences to stderr. */
static void say_notes(const struct list *l)
{
	struct progress *progress = progress_new(false, l->settings->quiet);

	for (unsigned int i = 0; i < l->report->nr_notes; i++)
		progress_say(progress, "%s", l->report->notes[i]);
	progress_free(progress);
}

static int print(struct list *l, struct error *err)
{
	const struct settings *s = l->settings;
	FILE *out = output_stream(l->output);
	struct report_order order = { .sort = s->sort, .limit = s->limit };
	struct render_options options = {
		.verbose = s->verbose,
		.quiet = s->quiet,
		.color = render_color(out),
		.table = s->table,
		.version = PACKAGE_VERSION,
	};

	note_missing(l);
	if (report_finish(l->report, &order, err) ||
	    render_once(s->format, &options, out, l->report, err))
		return -1;
	if (!s->format->tells_notes)
		say_notes(l);
	return output_report(l->output, err);
}

/* --- This kernel --- */

static char *kernel_format(void *ctx, const char *system, const char *name)
{
	const struct list *l = ctx;

	return tfs_read(&l->tfs, "events/%s/%s/format", system, name);
}

static void tell_kernel(struct report *report, const struct root *root)
{
	struct utsname uts;
	char text[128];

	report->source.kind = SOURCE_PROC;
	if (path_read_line(root, text, sizeof(text), "/proc/sys/kernel/osrelease") > 0)
		report_set(&report->source.kernel, text);
	if (root->prefix || uname(&uts))
		return;
	report_set(&report->source.machine, uts.machine);
	report_set(&report->host, uts.nodename);
}

static int list_kernel(struct list *l, struct error *err)
{
	struct format_source formats = {
		.format = kernel_format,
		.ctx = l,
		.long_size = sizeof(long),
		.big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
	};

	tell_kernel(l->report, &l->settings->root);
	if (asks_for(l, SPEC_TRACEPOINT)) {
		if (tfs_find(&l->tfs, &l->settings->root, true, err) ||
		    catalog_tracepoints(&l->events, &l->tfs, err))
			return -1;
		list_events(l, &formats);
	}
	if (asks_for(l, SPEC_FUNCTION) && list_functions(l, err))
		return -1;
	return print(l, err);
}

/* --- A file --- */

static char *file_format(void *ctx, const char *system, const char *name)
{
	const struct list *l = ctx;
	struct tracedat_event event;

	if (tracedat_event(l->dat, system, name, &event, NULL) != 1 || !event.format.text)
		return NULL;
	return xstrndup(event.format.text, event.format.len);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the file's events, sorted; those of the tracer itself are none. */
static int read_events(struct list *l, struct error *err)
{
	struct catalog *c = &l->events;
	struct tracedat_event event;
	int ret;

	for (size_t i = 0; (ret = tracedat_event_at(l->dat, i, &event, err)) == 1; i++) {
		if (!strcmp(event.system, "ftrace"))
			continue;
		c->names = xreallocarray(c->names, c->n + 1, sizeof(*c->names));
		c->names[c->n++] = xasprintf("%s:%s", event.system, event.name);
	}
	if (c->n)
		qsort(c->names, c->n, sizeof(*c->names), by_name);
	return ret;
}

static void tell_file(struct list *l)
{
	const struct tracedat_facts *facts = tracedat_facts(l->dat);
	struct report *report = l->report;

	report->source.kind = SOURCE_FILE;
	report->source.cpus = facts->cpus;
	report_set(&report->source.path, l->settings->input);
	report_set(&report->source.kernel, facts->kernel);
	report_set(&report->source.machine, facts->machine);
	report_set(&report->host, facts->host);
}

struct job {
	struct list *list;
	int fd;
};

static int list_file_here(void *arg, struct error *err)
{
	struct job *job = arg;
	struct list *l = job->list;
	struct format_source formats = { .format = file_format, .ctx = l };
	int ret = -1;

	l->dat = tracedat_open_fd(job->fd, l->settings->input, err);
	if (l->dat && !read_events(l, err)) {
		formats.long_size = tracedat_facts(l->dat)->long_size;
		formats.big_endian = tracedat_facts(l->dat)->big_endian;
		tell_file(l);
		list_events(l, &formats);
		ret = print(l, err);
	}
	for (size_t i = 0; i < l->events.n; i++)
		free(l->events.names[i]);
	catalog_free(&l->events);
	tracedat_free(l->dat);
	return ret;
}

static int list_file(struct list *l, struct error *err)
{
	const char *path = l->settings->input;
	struct job job = { .list = l, .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct confined confined = { .job = list_file_here, .arg = &job, .file = path };
	int ret;

	if (job.fd < 0)
		return error_errno(err, errno, "%s can't be opened", path);
	ret = confine_run(&confined, err);
	close(job.fd);
	return ret;
}

/* --- The whole --- */

static int run_list(const struct settings *s, struct error *err)
{
	struct list l = { .settings = s };
	int ret = -1;

	l.output = output_open(s->output, OUTPUT_ONCE, err);
	l.report = report_new("list", "events that can be traced");
	if (l.output && !add_words(&l, err))
		ret = s->input ? list_file(&l, err) : list_kernel(&l, err);
	if (!ret)
		ret = output_done(l.output, err);
	for (size_t i = 0; i < l.n_patterns; i++) {
		spec_matcher_free(l.patterns[i].matcher);
		free(l.patterns[i].near);
		spec_free(&l.patterns[i].spec);
		free(l.patterns[i].text);
	}
	free(l.patterns);
	catalog_free(&l.events);
	report_free(l.report);
	output_free(l.output);
	return ret;
}

const struct command command_list = {
	.name = "list",
	.summary = "Which events there are, and their fields",
	.operands = OPERANDS_FREE,
	.needs = NEEDS_TRACING,
	.usage = "[PATTERN...]",
	.run = run_list,
};
