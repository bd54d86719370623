// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looking before tracing. A missing event or function is told by name, what to do by the kind of
 * what is missing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "trace/ksyms.h"
#include "trace/preflight.h"
#include "trace/tracefs.h"

struct preflight {
	struct tfs tfs;
	bool kprobes;
	char *symbols; /* text of kallsyms, NULL can't be read */
	size_t n_symbols;
};

struct preflight *preflight_new(const struct root *root)
{
	struct preflight *p = xcalloc(1, sizeof(*p));

	tfs_find(&p->tfs, root, false, NULL);
	if (p->tfs.state != TFS_READY)
		return p;
	p->kprobes = tfs_exists(&p->tfs, "kprobe_events");
	if (p->kprobes)
		p->symbols = ksyms_text(&p->tfs.root, &p->n_symbols, NULL);
	return p;
}

void preflight_free(struct preflight *p)
{
	if (!p)
		return;
	free(p->symbols);
	free(p);
}

bool preflight_event(const struct preflight *p, const char *system, const char *name)
{
	return p->tfs.state == TFS_READY && tfs_exists(&p->tfs, "events/%s/%s", system, name);
}

/* " T name" and then a newline, or a tab and the module. */
static bool has_function(const struct preflight *p, const char *function)
{
	size_t len = strlen(function), left = p->n_symbols;
	const char *at = p->symbols;

	while ((at = memmem(at, left, function, len))) {
		const char *end = at + len;

		if (at - p->symbols >= 3 && at[-1] == ' ' && strchr("tTwW", at[-2]) &&
		    (*end == '\n' || *end == '\t'))
			return true;
		left = p->n_symbols - (end - p->symbols);
		at = end;
	}
	return false;
}

bool preflight_role(const struct preflight *p, const struct hv_probe *role, const char **function)
{
	if (!p->kprobes)
		return false;
	for (size_t c = 0; c < HV_CANDIDATES && role->functions[c]; c++) {
		/* Without kallsyms nobody knows: it will be tried. */
		if (p->symbols && !has_function(p, role->functions[c]))
			continue;
		*function = role->functions[c];
		return true;
	}
	return false;
}

/* Names, separated by commas, until the buffer is full. */
struct list {
	char text[160];
	size_t used, n;
};

static void __printf(2, 3) list_add(struct list *list, const char *fmt, ...)
{
	char name[96];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	list->n++;
	if (list->used + strlen(name) + sizeof(", …") < sizeof(list->text))
		list->used += snprintf(list->text + list->used, sizeof(list->text) - list->used,
				       "%s%s", list->used ? ", " : "", name);
	else if (!strstr(list->text, "…"))
		snprintf(list->text + list->used, sizeof(list->text) - list->used, ", …");
}

static void explain(const struct preflight *p, const struct list *events, const struct list *roles,
		    struct preflight_verdict *v)
{
	if (events->n) {
		snprintf(v->why, sizeof(v->why), "no event%s %s", events->n > 1 ? "s" : "",
			 events->text);
		snprintf(v->todo, sizeof(v->todo),
			 "load the kernel module that has %s, if this machine has a use for it",
			 events->n > 1 ? "them" : "it");
	} else if (!p->kprobes) {
		snprintf(v->why, sizeof(v->why), "this kernel has no kprobes");
		snprintf(v->todo, sizeof(v->todo), "boot a kernel with CONFIG_KPROBE_EVENTS");
	} else {
		snprintf(v->why, sizeof(v->why), "this kernel has no function for: %s",
			 roles->text);
	}
}

void preflight_check(const struct preflight *p, const struct hv_event *const *events,
		     size_t n_events, const struct hv_probe *const *roles, size_t n_roles,
		     struct preflight_verdict *verdict)
{
	struct list no_events = { 0 }, no_roles = { 0 }, no_optional = { 0 };
	const char *function;
	size_t have = 0;

	*verdict = (struct preflight_verdict){ .works = WORKS_NO };
	if (p->tfs.state != TFS_READY) {
		snprintf(verdict->why, sizeof(verdict->why), "%s", tfs_why(p->tfs.state));
		snprintf(verdict->todo, sizeof(verdict->todo), "%s", tfs_do(p->tfs.state));
		return;
	}
	for (size_t i = 0; i < n_events; i++) {
		if (!events[i]->system)
			continue;
		if (preflight_event(p, events[i]->system, events[i]->name))
			have++;
		else
			list_add(events[i]->optional ? &no_optional : &no_events, "%s:%s",
				 events[i]->system, events[i]->name);
	}
	/* Where all are optional, one of them has to be there. */
	if (!have && !no_events.n)
		no_events = no_optional;
	for (size_t i = 0; i < n_roles; i++) {
		if (preflight_role(p, roles[i], &function))
			have++;
		else
			list_add(&no_roles, "%s", roles[i]->title);
	}
	if (!no_events.n && !no_roles.n) {
		verdict->works = WORKS_YES;
		return;
	}
	verdict->works = have ? WORKS_PARTLY : WORKS_NO;
	explain(p, &no_events, &no_roles, verdict);
}
