// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From rows, specs and selections to what a session is asked for, each event and probe once.
 */
#include "cmd/wanted.h"

#include <string.h>

#include "base/hash.h"
#include "base/util.h"
#include "trace/preflight.h"

static bool has_role(const struct wanted *w, const struct hv_probe *role)
{
	for (size_t i = 0; i < w->n_roles; i++) {
		if (w->roles[i] == role)
			return true;
	}
	return false;
}

static bool has_event(const struct wanted *w, const struct hv_event *event)
{
	for (size_t i = 0; i < w->n_events; i++) {
		const struct session_event *e = &w->events[i];

		if (e->system && !strcmp(e->system, event->system) && !strcmp(e->name, event->name))
			return true;
	}
	return false;
}

void wanted_rows(struct wanted *w, const struct rows *rows)
{
	w->events = xreallocarray(w->events, w->n_events + rows->n + 1, sizeof(*w->events));
	w->roles = xreallocarray(w->roles, w->n_roles + rows->n + 1, sizeof(*w->roles));
	for (size_t i = 0; i < rows->n; i++) {
		const struct hv_event *event = rows->rows[i].event;
		const struct hv_probe *role = rows_probe(&rows->rows[i]);

		if (role && !has_role(w, role))
			w->roles[w->n_roles++] = role;
		if (event->system && !has_event(w, event))
			w->events[w->n_events++] = (struct session_event){
				.system = event->system,
				.name = event->name,
				.optional = true,
			};
	}
}

void wanted_events(struct wanted *w, const struct events *events)
{
	w->events = xreallocarray(w->events, w->n_events + events->n + 1, sizeof(*w->events));
	for (size_t i = 0; i < events->n; i++) {
		const struct event *event = &events->events[i];

		if (event->system || event->filter)
			w->events[w->n_events++] = (struct session_event){
				.system = event->system,
				.name = event->name,
				.filter = event->filter,
				.optional = event->optional,
			};
	}
}

static void add_tasks(struct wanted *w, struct who *who, int32_t pid)
{
	int32_t *tids;
	size_t n = who_tasks(who, pid, &tids);

	w->pids = xreallocarray(w->pids, w->n_pids + n + 1, sizeof(*w->pids));
	for (size_t i = 0; i < n; i++) {
		w->pids[w->n_pids++] = tids[i];
		who_born(who, tids[i], pid);
	}
	free(tids);
}

static void add_family(struct wanted *w, struct who *who, const struct family *family)
{
	int32_t *pids;
	size_t n = family_members(family, &pids);

	for (size_t i = 0; i < n; i++)
		add_tasks(w, who, pids[i]);
	free(pids);
}

static int add_process(struct wanted *w, uint64_t pid, struct who *who, const struct family *family,
		       struct error *err)
{
	int32_t id = pid > INT32_MAX ? INT32_MAX : (int32_t)pid, process = who_thread(who, id)->pid;

	/* it may be called something else when tracing begins */
	who_ended(who, id);
	/* /proc/TID is there, too */
	if (process > 0 && process != id)
		return error_set(err, "%d is a thread of process %d, which is what -p takes", id,
				 process);
	if (family)
		add_family(w, who, family);
	else
		add_tasks(w, who, id);
	return w->n_pids ? 0 : error_set(err, "there is no process %llu", (unsigned long long)pid);
}

int wanted_threads(struct wanted *w, const struct settings *s, struct who *who,
		   const struct family *family, struct error *err)
{
	char others[400];
	int32_t *pids;
	size_t n;

	if (s->pid && add_process(w, s->pid, who, family, err))
		return -1;
	if (!s->vm)
		return 0;
	n = who_find_vm(who, s->vm, &pids, others, sizeof(others));
	for (size_t i = 0; i < n && !s->pid; i++)
		add_tasks(w, who, pids[i]);
	free(pids);
	if (!n)
		return error_set(err, "no virtual machine '%s' runs here; %s%s", s->vm,
				 *others ? "there are " : "none does", others);
	return 0;
}

/* The kernel adds those that are forked, and takes away those that end. */
static char *read_threads(void *ctx)
{
	return session_threads(ctx);
}

/* Drops those that the kernel follows, whose ids are in the text. */
static void drop_followed(struct wanted *w, char *followed)
{
	struct hash ids = { 0 };
	size_t n = 0;
	char *line;

	while ((line = strsep(&followed, "\n")) != NULL)
		hash_insert(&ids, strtoul(line, NULL, 10), NULL);
	for (size_t i = 0; i < w->n_pids; i++)
		if (!hash_find(&ids, (uint32_t)w->pids[i]))
			w->pids[n++] = w->pids[i];
	w->n_pids = n;
	hash_free(&ids);
}

/* The threads that are there now and not followed. */
static void look_again(struct wanted *missing, const struct settings *s, struct who *who,
		       struct family *family, const struct session *session)
{
	struct error gone = { 0 };
	char *followed;

	if (family)
		family_look(family);
	wanted_threads(missing, s, who, family, &gone);
	followed = session_threads(session);
	if (followed)
		drop_followed(missing, followed);
	else
		missing->n_pids = 0;
	free(followed);
}

int wanted_follow(const struct settings *s, struct who *who, struct family *family,
		  struct session *session, struct error *err)
{
	enum { LOOKS = 100 }; /* who is added forks meanwhile, but not for ever unseen */
	bool complete = false;
	int ret = 0;

	if (family)
		family_ask(family, read_threads, session);
	for (int i = 0; !ret && !complete && i < LOOKS; i++) {
		struct wanted missing = { 0 };

		look_again(&missing, s, who, family, session);
		complete = !missing.n_pids;
		if (!complete)
			ret = session_follow(session, missing.pids, missing.n_pids);
		wanted_free(&missing);
	}
	return ret ? error_errno(err, ret, "can't trace more threads (set_event_pid)") : 0;
}

void wanted_note(const struct settings *s, struct who *who)
{
	struct wanted now = { 0 };

	if (s->pid && s->pid <= INT32_MAX)
		add_tasks(&now, who, (int32_t)s->pid);
	wanted_free(&now);
}

void wanted_free(struct wanted *w)
{
	free(w->events);
	free(w->roles);
	free(w->pids);
	*w = (struct wanted){ 0 };
}

int wanted_explain(const struct wanted *w, const struct rows *rows, const char *name,
		   const struct root *root, struct error *err)
{
	const struct hv_event **events = xcalloc(rows->n + 1, sizeof(*events));
	struct preflight *preflight = preflight_new(root);
	struct preflight_verdict verdict = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < rows->n; i++) {
		if (rows->rows[i].required && rows->rows[i].event->system)
			events[n++] = rows->rows[i].event;
	}
	preflight_check(preflight, events, n, w->roles, w->n_roles, &verdict);
	if (verdict.why[0])
		error_set(err, "hvscope %s finds nothing to trace here: %s%s%s", name, verdict.why,
			  verdict.todo[0] ? "; " : "", verdict.todo);
	preflight_free(preflight);
	free(events);
	return -1;
}
