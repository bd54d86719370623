/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a session is to record: the events and probes behind the rows of tables, and behind the
 * event specs of the user; and whose records, by -p and --vm.
 */
#ifndef HVSCOPE_CMD_WANTED_H
#define HVSCOPE_CMD_WANTED_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cmd/events.h"
#include "cmd/rows.h"
#include "sampler/family.h"
#include "sampler/who.h"
#include "settings.h"
#include "trace/session.h"

/* A zeroed struct is nothing. What the events point to belongs to rows and specs. */
struct wanted {
	struct session_event *events;
	size_t n_events;
	const struct hv_probe **roles;
	size_t n_roles;
	int32_t *pids; /* thread ids */
	size_t n_pids;
};

/* All rows, as optional ones: whether those that exist suffice is found out by binding. */
void wanted_rows(struct wanted *w, const struct rows *rows);

/* Of the events that the user named, the probes' are enabled by themselves, unless filtered. */
void wanted_events(struct wanted *w, const struct events *events);

/*
 * -p (and its family, unless NULL) and --vm: the threads that the kernel is to tell of. -1 with
 * *err when there are none.
 */
int wanted_threads(struct wanted *w, const struct settings *s, struct who *who,
		   const struct family *family, struct error *err);

/*
 * Those that came since: from its begin on, the kernel follows each fork of the session's threads
 * itself, but not those between the look for threads and that. Before session_start(). The session
 * outlives the family, which asks it from now on.
 */
int wanted_follow(const struct settings *s, struct who *who, struct family *family,
		  struct session *session, struct error *err);

/*
 * Right before tracing begins, and right behind it: whose threads those of -p are. Who is born
 * later is told by the trace, but who was born before may be gone when somebody asks.
 */
void wanted_note(const struct settings *s, struct who *who);

void wanted_free(struct wanted *w);

/*
 * None of the events of these rows exists: the sentence why, and what can be done, about the
 * command or analysis `name`; -1.
 */
int wanted_explain(const struct wanted *w, const struct rows *rows, const char *name,
		   const struct root *root, struct error *err);

#endif
