// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A probe's event is called p_FUNCTION or r_FUNCTION, in characters that tracefs allows; so a file
 * that was recorded with probes tells which function each is of.
 */
#include "cmd/events.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "base/util.h"
#include "trace/catalog.h"
#include "trace/tracefs.h"
#include "trace/user-symbol.h"

/* Making a probe costs the kernel 20 to 70 ms, alone; and each slows its function down. */
enum { FUNCTIONS_MAX = 500 };

static bool names(const char *text, const char *what)
{
	return text && strstr(text, what);
}

int events_parse(struct events *e, const struct settings *s, struct error *err)
{
	*e = (struct events){ 0 };
	if (!s->n_words)
		return error_set_status(err, 2,
					"which events? hvscope %s 't:kvm:*', or 'hvscope list' for "
					"what there is",
					s->command.name);
	e->latency = names(s->expr, "$latency");
	e->retval = names(s->expr, "$retval") || names(s->line_format, "$retval");
	e->specs = xcalloc(s->n_words, sizeof(*e->specs));
	for (unsigned int i = 0; i < s->n_words; i++) {
		/* where an INTERVAL may stand it isn't among the words */
		if (strspn(s->words[i], "0123456789."))
			return error_set_status(
				err, 2,
				"'%s' is no event, and hvscope %s takes no INTERVAL; "
				"-d TIME ends it",
				s->words[i], s->command.name);
		if (spec_parse(s->words[i], &e->specs[i], err))
			return -1;
		e->n_specs++;
	}
	return 0;
}

void events_free(struct events *e)
{
	for (unsigned int i = 0; i < e->n_specs; i++)
		spec_free(&e->specs[i]);
	for (size_t i = 0; i < e->n; i++) {
		free(e->events[i].system);
		free(e->events[i].name);
		free(e->events[i].label);
	}
	for (size_t i = 0; i < e->n_own; i++)
		free(e->own[i]);
	free(e->own);
	free(e->specs);
	free(e->events);
	free(e->definitions);
	*e = (struct events){ 0 };
}

bool events_own(const struct events *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (!e->events[i].system || strncmp(e->events[i].system, "kvm", 3) != 0)
			return true;
	return false;
}

const struct event *events_by_slot(const struct events *e, unsigned int slot)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->events[i].slot == (int)slot)
			return &e->events[i];
	return NULL;
}

static struct event *find(const struct events *e, const char *system, const char *name)
{
	for (size_t i = 0; i < e->n; i++)
		if (!strcmp(e->events[i].name, name) && !e->events[i].system == !system &&
		    (!system || !strcmp(e->events[i].system, system)))
			return &e->events[i];
	return NULL;
}

static bool have(const struct events *e, const char *system, const char *name)
{
	return find(e, system, name);
}

static struct event *add(struct events *e, unsigned int spec, const char *filter)
{
	e->events = xreallocarray(e->events, e->n + 1, sizeof(*e->events));
	e->events[e->n] = (struct event){
		.spec = spec, .filter = filter, .slot = -1, .entry = -1,
	};
	return &e->events[e->n++];
}

static char *own(struct events *e, char *text)
{
	e->own = xreallocarray(e->own, e->n_own + 1, sizeof(*e->own));
	return e->own[e->n_own++] = text;
}

/* --- Tracepoints --- */

/* Two patterns may name an event: it is one, so its filter must be one. */
static int add_tracepoint(struct events *e, unsigned int spec, const char *filter, const char *name,
			  struct error *err)
{
	size_t len = strcspn(name, ":");
	char *system = xstrndup(name, len);
	struct event *event = find(e, system, name + len + 1);

	if (!event) {
		event = add(e, spec, filter);
		event->system = system;
		event->name = xstrdup(name + len + 1);
		event->label = xstrdup(name);
		return 0;
	}
	free(system);
	if (!filter == !event->filter && (!filter || !strcmp(filter, event->filter)))
		return 0;
	return error_set_status(err, 2, "'%s' is named twice, with different filters", name);
}

static int no_match(const struct spec *spec, const char *what, const char *near, struct error *err)
{
	char *shown = text_fit(spec->text, 160);

	error_set(err, "no %s matches '%s'%s%s%s", what, shown, near ? "; did you mean '" : "",
		  near ? near : "", near ? "'?" : "");
	free(shown);
	return -1;
}

static int expand_tracepoints(struct events *e, unsigned int i, const char *filter,
			      const struct catalog *catalog, struct error *err)
{
	const struct spec *spec = &e->specs[i];
	struct spec_matcher *m = spec_matcher_new(spec, err);
	bool found = false;
	int ret = 0;

	if (!m)
		return -1;
	for (size_t k = 0; k < catalog->n && !ret; k++) {
		if (!spec_matches(m, catalog->names[k]))
			continue;
		found = true;
		ret = add_tracepoint(e, i, filter, catalog->names[k], err);
	}
	spec_matcher_free(m);
	return found ? ret :
		       no_match(spec, "tracepoint",
				spec->regex || spec->glob ? NULL :
							    catalog_nearest(catalog, spec->pattern),
				err);
}

/* One that is named, not matched, needs no list of all that there are. */
static bool is_there(const struct tfs *tfs, const struct spec *spec)
{
	const char *colon = strchr(spec->pattern, ':');

	return !spec->regex && !spec->glob && colon && !strchr(spec->pattern, '/') &&
	       tfs_exists(tfs, "events/%.*s/%s/enable", (int)(colon - spec->pattern), spec->pattern,
			  colon + 1);
}

/* --- Functions --- */

/* "... retval=..." has the argument retval. */
static bool has_arg(const char *args, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = args; p && *p; p += strcspn(p, " \t"), p += strspn(p, " \t"))
		if (!strncmp(p, name, len) && p[len] == '=')
			return true;
	return false;
}

/* The spec's, and what is asked for without being told there. */
static const char *args_of(struct events *e, const struct spec *spec)
{
	if (!spec->is_return || !e->retval || has_arg(spec->args, "retval") ||
	    has_arg(spec->args, "ret"))
		return spec->args;
	return own(e, xasprintf("%s%sretval=$retval", spec->args ? spec->args : "",
				spec->args ? " " : ""));
}

/* Of a function, what an event's name can hold: letters, digits and _, and not too many. */
static char *tracefs_name(const char *function)
{
	char *name = xasprintf("%.50s", function);

	for (char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	return name;
}

/* An event's name, at most 63 characters, and unlike the others'. */
static char *event_name(const struct events *e, bool is_return, const char *function)
{
	char *part = tracefs_name(function);
	char *name = xasprintf("%c_%s", is_return ? 'r' : 'p', part);
	unsigned int n = 1;

	free(part);
	while (have(e, NULL, name)) {
		char *other = xasprintf("%.50s_%u", name, ++n);

		free(name);
		name = other;
	}
	return name;
}

/* The spec's event, or the entry that belongs to it as a return. The place is e's own. */
static struct event *add_one(struct events *e, unsigned int i, bool is_return, const char *function,
			     const char *place, bool optional)
{
	const struct spec *spec = &e->specs[i];
	char *name = event_name(e, is_return, function);
	const char *args = is_return == spec->is_return ? args_of(e, spec) : NULL;
	struct event *event = add(e, i, NULL);

	event->name = name;
	event->optional = optional;
	e->definitions =
		xreallocarray(e->definitions, e->n_definitions + 1, sizeof(*e->definitions));
	e->definitions[e->n_definitions++] = (struct probe_definition){
		.type = is_return ? 'r' : 'p',
		.user = spec->kind == SPEC_USER,
		.name = own(e, xstrdup(name)),
		.place = place,
		.args = args,
		.optional = optional,
	};
	return event;
}

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/*
 * Whether another spec names this probe; with other arguments or another filter it is another one.
 * What one of them names by itself must be taken.
 */
static bool have_probe(struct events *e, const struct spec *spec, const char *filter,
		       const char *place, bool optional)
{
	const char *args = args_of(e, spec);

	for (size_t i = 0; i < e->n_definitions; i++) {
		struct probe_definition *d = &e->definitions[i];
		struct event *event;

		if (!same(d->place, place) || d->user != (spec->kind == SPEC_USER) ||
		    d->type != (spec->is_return ? 'r' : 'p') || !same(d->args, args))
			continue;
		event = find(e, NULL, d->name);
		if (!event || event->is_entry || !same(event->filter, filter))
			continue;
		d->optional &= optional;
		event->optional &= optional;
		return true;
	}
	return false;
}

static void add_probe(struct events *e, unsigned int i, const char *filter, const char *function,
		      char *place, const char *label, bool optional)
{
	const struct spec *spec = &e->specs[i];
	struct event *event;

	own(e, place);
	if (have_probe(e, spec, filter, place, optional))
		return;
	event = add_one(e, i, spec->is_return, function, place, optional);
	event->filter = filter;
	event->label = xasprintf("%s%s",
				 !spec->is_return        ? "" :
				 spec->kind == SPEC_USER ? "ur:" :
							   "r:",
				 label);
	if (!spec->is_return || !e->latency)
		return;
	event->entry = (int)e->n;
	event = add_one(e, i, false, function, place, optional);
	event->label = xstrdup(label);
	event->is_entry = true;
}

static char *function_place(const struct spec *spec, const char *function)
{
	char offset[32] = "";

	if (spec->offset)
		snprintf(offset, sizeof(offset), "+%llu", (unsigned long long)spec->offset);
	return xasprintf("%s%s%s%s", spec->module ? spec->module : "", spec->module ? ":" : "",
			 function, offset);
}

static int expand_function_pattern(struct events *e, unsigned int i, const char *filter,
				   const struct catalog *catalog, struct error *err)
{
	const struct spec *spec = &e->specs[i];
	struct spec_matcher *m = spec_matcher_new(spec, err);
	size_t found = 0;

	if (!m)
		return -1;
	for (size_t k = 0; k < catalog->n; k++)
		found += spec_matches(m, catalog->names[k]);
	for (size_t k = 0; k < catalog->n && found <= FUNCTIONS_MAX; k++)
		if (spec_matches(m, catalog->names[k]))
			add_probe(e, i, filter, catalog->names[k],
				  function_place(spec, catalog->names[k]), catalog->names[k], true);
	spec_matcher_free(m);
	if (!found)
		return no_match(spec, "function", NULL, err);
	if (found > FUNCTIONS_MAX)
		return error_set(err,
				 "'%s' matches %zu functions, and at most %d are probed at "
				 "once: name fewer",
				 spec->text, found, FUNCTIONS_MAX);
	return 0;
}

/* A pattern for the functions of one module. */
static int expand_module(struct events *e, unsigned int i, const char *filter,
			 const struct root *root, struct error *err)
{
	struct catalog catalog;
	int ret = catalog_functions(&catalog, root, e->specs[i].module, err);

	if (!ret)
		ret = expand_function_pattern(e, i, filter, &catalog, err);
	catalog_free(&catalog);
	return ret;
}

/* A tracepoint of this name, without its system, or NULL. */
static const char *tracepoint_called(const struct catalog *tracepoints, const char *name)
{
	for (size_t k = 0; k < tracepoints->n; k++)
		if (!strcmp(strchr(tracepoints->names[k], ':') + 1, name))
			return tracepoints->names[k];
	return NULL;
}

static int no_function(const struct spec *spec, const struct tfs *tfs, struct error *err)
{
	struct catalog functions, tracepoints;
	const char *meant = NULL;

	catalog_functions(&functions, &tfs->root, spec->module, NULL);
	catalog_tracepoints(&tracepoints, tfs, NULL);
	if (!spec->module && !spec->offset)
		meant = tracepoint_called(&tracepoints, spec->pattern);
	no_match(spec, "function", meant ? meant : catalog_nearest(&functions, spec->pattern), err);
	catalog_free(&tracepoints);
	catalog_free(&functions);
	return -1;
}

static int expand_function(struct events *e, unsigned int i, const char *filter,
			   struct catalog *catalog, const struct tfs *tfs, struct error *err)
{
	const struct spec *spec = &e->specs[i];
	const struct root *root = &tfs->root;
	char addresses[128], *place;

	if (spec->module && (spec->regex || spec->glob))
		return expand_module(e, i, filter, root, err);
	if (!catalog->names && (spec->regex || spec->glob) &&
	    catalog_functions(catalog, root, NULL, err))
		return -1;
	if (spec->regex || spec->glob)
		return expand_function_pattern(e, i, filter, catalog, err);
	place = function_place(spec, spec->pattern);
	if (!probe_symbol_count(root, place, addresses, sizeof(addresses))) {
		free(place);
		return no_function(spec, tfs, err);
	}
	add_probe(e, i, filter, spec->pattern, place, spec->pattern, false);
	return 0;
}

/* --- User functions --- */

/* The kernel takes a place behind the end of the file, and refuses the event later, wordlessly. */
static int check_offset(const struct spec *spec, struct error *err)
{
	struct stat st;

	if (stat(spec->path, &st) || !S_ISREG(st.st_mode) || spec->offset < (uint64_t)st.st_size)
		return 0;
	return error_set(err,
			 "0x%" PRIx64 " lies behind the end of %s, which has 0x%" PRIx64 " bytes",
			 spec->offset, spec->path, (uint64_t)st.st_size);
}

/* Names of symbols are taken as they are: those of some languages have *, ? and brackets. */
static int find_symbol(const struct spec *spec, uint64_t *offset, struct error *err)
{
	struct error why = { 0 };

	if (!user_symbol_offset(spec->path, spec->pattern, offset, &why))
		return 0;
	return error_set_status(err, why.status, "%s%s", why.text,
				strpbrk(spec->pattern, "*?[") ? " (a user probe takes no pattern)" :
								"");
}

static int expand_user(struct events *e, unsigned int i, const char *filter, struct error *err)
{
	const struct spec *spec = &e->specs[i];
	const char *base = strrchr(spec->path, '/');
	uint64_t offset = spec->offset;
	char place[32], *label;

	if (*spec->path != '/')
		return error_set_status(err, 2,
					"event '%s': the path of a program or library is "
					"absolute, so that the kernel finds it",
					spec->text);
	if (spec->pattern ? find_symbol(spec, &offset, err) : check_offset(spec, err))
		return -1;
	snprintf(place, sizeof(place), "0x%llx", (unsigned long long)offset);
	label = xasprintf("%s:%s", base + 1, spec->pattern ? spec->pattern : place);
	add_probe(e, i, filter, spec->pattern ? spec->pattern : place,
		  xasprintf("%s:%s", spec->path, place), label, false);
	free(label);
	return 0;
}

/* --- All of them --- */

int events_expand_live(struct events *e, const struct settings *s, struct error *err)
{
	struct catalog tracepoints = { 0 }, functions = { 0 };
	struct tfs tfs;
	int ret = tfs_find(&tfs, &s->root, !s->dry_run, err);

	for (unsigned int i = 0; !ret && i < e->n_specs; i++) {
		switch (e->specs[i].kind) {
		case SPEC_TRACEPOINT:
			if (is_there(&tfs, &e->specs[i])) {
				ret = add_tracepoint(e, i, s->filters[i], e->specs[i].pattern, err);
				break;
			}
			if (!tracepoints.text)
				ret = catalog_tracepoints(&tracepoints, &tfs, err);
			if (!ret)
				ret = expand_tracepoints(e, i, s->filters[i], &tracepoints, err);
			break;
		case SPEC_FUNCTION:
			ret = expand_function(e, i, s->filters[i], &functions, &tfs, err);
			break;
		case SPEC_USER:
			ret = expand_user(e, i, s->filters[i], err);
			break;
		}
	}
	catalog_free(&tracepoints);
	catalog_free(&functions);
	return ret;
}

/* A probe's event in a file: the function by its name, when it is one of the spec's kind. */
static const char *function_in_file(const struct spec *spec, const char *system, const char *name)
{
	if (strncmp(system, "hvscope_", 8) != 0 && strcmp(system, "kprobes") != 0)
		return NULL;
	if (name[0] != (spec->is_return ? 'r' : 'p') || name[1] != '_')
		return NULL;
	return name + 2;
}

/* The event as a spec of this kind would name it: the caller frees it; NULL: no spec does. */
static char *name_in_file(const struct spec *spec, const char *system, const char *name)
{
	const char *function;

	if (spec->kind == SPEC_TRACEPOINT)
		return strcmp(system, "ftrace") ? xasprintf("%s:%s", system, name) : NULL;
	function = function_in_file(spec, system, name);
	return function ? xstrdup(function) : NULL;
}

/* A function whose name an event can't hold as it is. */
static bool is_named(const struct spec *spec, const char *called)
{
	char *name;
	bool same_name;

	if (spec->kind == SPEC_TRACEPOINT || !spec->pattern || spec->regex || spec->glob)
		return false;
	name = tracefs_name(spec->pattern);
	same_name = !strcmp(name, called);
	free(name);
	return same_name;
}

static bool take_from_file(struct events *e, unsigned int i, const struct spec_matcher *m,
			   const char *system, const char *name)
{
	const struct spec *spec = &e->specs[i];
	char *called = name_in_file(spec, system, name);
	bool matches = called && (spec_matches(m, called) || is_named(spec, called));
	struct event *event;

	if (matches && !have(e, system, name)) {
		event = add(e, i, NULL);
		event->system = xstrdup(system);
		event->name = xstrdup(name);
		event->label = xasprintf("%s%s", spec->is_return ? "r:" : "", called);
	}
	free(called);
	return matches;
}

static int not_in_file(const struct spec *spec,
		       const char *(*name)(void *ctx, size_t i, const char **system), void *ctx,
		       struct error *err)
{
	bool plain = spec->pattern && !spec->regex && !spec->glob;
	const char *system, *event, *near;
	char *full, *best = NULL;
	int ret;

	for (size_t k = 0; plain && (event = name(ctx, k, &system)); k++) {
		full = name_in_file(spec, system, event);
		near = full ? text_nearer(spec->pattern, full, best) : best;
		if (near == full) {
			free(best);
			best = full;
		} else {
			free(full);
		}
	}
	ret = no_match(spec, "event of the file", best, err);
	free(best);
	return ret;
}

/* Each return that was taken gets the entry to its function, which the file must have, too. */
static int take_entries(struct events *e,
			const char *(*name)(void *ctx, size_t i, const char **system), void *ctx,
			struct error *err)
{
	const char *system, *event;
	struct event *entry;

	for (size_t i = 0, n = e->n; i < n; i++) {
		if (!e->specs[e->events[i].spec].is_return)
			continue;
		for (size_t k = 0; (event = name(ctx, k, &system)); k++)
			if (!strcmp(system, e->events[i].system) && event[0] == 'p' &&
			    !strcmp(event + 1, e->events[i].name + 1))
				break;
		if (!event)
			return error_set(err,
					 "the file has no entry to %s, so its latency isn't "
					 "known",
					 e->events[i].label);
		e->events[i].entry = (int)e->n;
		entry = add(e, e->events[i].spec, NULL);
		entry->system = xstrdup(system);
		entry->name = xstrdup(event);
		entry->label = xstrdup(event);
		entry->is_entry = true;
	}
	return 0;
}

int events_expand_file(struct events *e, const struct settings *s,
		       const char *(*name)(void *ctx, size_t i, const char **system), void *ctx,
		       struct error *err)
{
	const char *system, *event;

	(void)s;
	for (unsigned int i = 0; i < e->n_specs; i++) {
		struct spec_matcher *m = spec_matcher_new(&e->specs[i], err);
		bool found = false;

		if (!m)
			return -1;
		for (size_t k = 0; (event = name(ctx, k, &system)); k++)
			found |= take_from_file(e, i, m, system, event);
		spec_matcher_free(m);
		if (!found)
			return not_in_file(&e->specs[i], name, ctx, err);
	}
	return e->latency ? take_entries(e, name, ctx, err) : 0;
}
