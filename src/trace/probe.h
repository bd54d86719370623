/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes: dynamic events of our own group, made from roles (a list of candidate functions for
 * different kernels, hv/hypervisor.h) or from raw definitions, and removed again.
 *
 * Names: a role's entry event is called like the role, its return event ROLE_return. With
 * every_candidate all functions share these two events. A candidate is tried and the kernel's
 * error_log read, because errno means different things in different kernels; a symbol that
 * exists twice is refused here, because older kernels take one of them in silence.
 */
#ifndef HVSCOPE_TRACE_PROBE_H
#define HVSCOPE_TRACE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "hv/hypervisor.h"
#include "trace/tracefs.h"

#define PROBE_RETURN "_return"

/* A definition in our words. Strings are the caller's and outlive the probes. */
struct probe_definition {
	char type;	   /* 'p' entry, 'r' return, of a kernel function */
	bool user;	   /* uprobe: `place` is PATH:0xOFFSET */
	const char *name;  /* of the event */
	const char *place; /* [MODULE:]FUNCTION[+OFFSET] */
	const char *args;  /* tracefs syntax, NULL none */
	unsigned int maxactive; /* 'r': 0 the kernel's choice */
	bool optional;	   /* a refusal is no failure: the event is simply not there */
};

/* One event that exists, and what became of it. */
struct probe_event {
	const char *name;
	const char *role;      /* NULL: from a definition */
	const char *places;    /* functions behind it, separated by blanks */
	bool is_return;
};

struct probes;

/* `group` is copied. Nothing is touched before probes_create(). */
struct probes *probes_new(const struct tfs *t, const char *group);

/* Removes what was made, then frees. */
void probes_free(struct probes *p);

/* Asked for: a role (kept by reference), a definition (kept by reference). */
void probes_add_role(struct probes *p, const struct hv_probe *role);
void probes_add(struct probes *p, const struct probe_definition *d);

/*
 * Makes all of them, in one write where the kernel agrees. A role of which no candidate works is
 * no failure: probes_refused() tells. A definition that is refused is: -1, the sentence with the
 * kernel's own words. -1 too when the kernel has no kprobes (uprobes) and one was defined.
 */
int probes_create(struct probes *p, struct error *err);

/* Removes them from the kernel (events must be off). */
void probes_remove(struct probes *p);

size_t probes_count(const struct probes *p);
const struct probe_event *probes_event(const struct probes *p, size_t i);

/* Why a role has no event: one sentence, "" when it has; NULL for a role never added. */
const char *probes_refused(const struct probes *p, const char *role);

/* Whether the role has its event, and its return event. */
bool probes_has(const struct probes *p, const char *role, bool is_return);

/* Hits and missed hits of event i so far, from kprobe_profile (sum over its functions). -1 with
 * *err when it can't be read. Counts of uprobes have no misses. */
int probes_profile(struct probes *p, size_t i, uint64_t *hits, uint64_t *missed, struct error *err);

/* The event of a role, malloced: its name, and "_" for what the kernel doesn't take in one. */
char *probe_event_name(const char *role, bool is_return);

/* What is written for a role's candidate or a definition: one line without newline, malloced. */
char *probes_line_role(const char *group, const struct hv_probe *role, const char *function,
		       bool is_return);
char *probes_line(const char *group, const struct probe_definition *d);

/* Removes every dynamic event of a group, whoever made it: for reaping. */
void probes_remove_group(const struct tfs *t, const char *group);

/*
 * How often a function stands in kallsyms; writes the addresses ("0xffff…, 0xffff…") when more
 * than once. 0 unknown function, -1 kallsyms can't be read.
 */
int probe_symbol_count(const struct root *root, const char *function, char *addresses, size_t size);

#endif
