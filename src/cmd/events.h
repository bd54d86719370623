/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From event specs (cmd/spec.h) to events: patterns are expanded by what the kernel or a file has,
 * functions become probes of our own.
 */
#ifndef HVSCOPE_CMD_EVENTS_H
#define HVSCOPE_CMD_EVENTS_H

#include "base/error.h"
#include "cmd/spec.h"
#include "settings.h"
#include "trace/probe.h"

struct event {
	char *system;       /* NULL: of our probes */
	char *name;         /* in tracefs */
	char *label;        /* as the user knows it: "xen:xen_mc_flush", "vfs_read", "r:vfs_read" */
	const char *filter; /* NULL none; settings' */
	unsigned int spec;  /* place of its spec among the operands */
	bool optional;      /* one of many that a pattern named */
	int slot;           /* of the binding, -1 not bound */
	int entry;          /* place of the event that is the entry of this return, -1 none */
	bool is_entry;      /* it is there only for that */
};

struct events {
	struct spec *specs;
	unsigned int n_specs;
	struct event *events;
	size_t n;
	struct probe_definition *definitions;
	size_t n_definitions;
	size_t n_own; /* texts that the definitions point to */
	char **own;
	bool latency; /* $latency is asked for: each return needs its entry */
	bool retval;  /* likewise $retval */
};

/* Parses the operands. */
int events_parse(struct events *e, const struct settings *s, struct error *err);

/* Expands by the running kernel. Nothing is touched. */
int events_expand_live(struct events *e, const struct settings *s, struct error *err);

/*
 * Expands by the events that a file has: name(ctx, i, &system) gives number i, NULL behind the
 * last.
 */
int events_expand_file(struct events *e, const struct settings *s,
		       const char *(*name)(void *ctx, size_t i, const char **system), void *ctx,
		       struct error *err);

void events_free(struct events *e);

/*
 * Whether the program may fire one of them itself: then it has to be kept out, or it reads what
 * reading makes. Events of KVM it can't: no thread of it is a vCPU.
 */
bool events_own(const struct events *e);

/* The event of a slot, or NULL. */
const struct event *events_by_slot(const struct events *e, unsigned int slot);

#endif
