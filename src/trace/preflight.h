/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preflight: what can be traced here, and if not, why and what to do. It only looks (also into a
 * recorded tree) and never makes a probe: whether the kernel takes one is known when it is tried.
 */
#ifndef HVSCOPE_TRACE_PREFLIGHT_H
#define HVSCOPE_TRACE_PREFLIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/path.h"
#include "hv/hypervisor.h"

enum works { WORKS_NO, WORKS_PARTLY, WORKS_YES };

struct preflight_verdict {
	enum works works;
	char why[256];	/* what is missing, "" when nothing */
	char todo[256];	/* what to do about it, "" nothing can be done */
};

struct preflight;

/* Looks once: tracefs, lockdown, user, kprobes, kallsyms. Never fails. */
struct preflight *preflight_new(const struct root *root);
void preflight_free(struct preflight *p);

/* Whether an event exists; unknown (no tracefs) is no. */
bool preflight_event(const struct preflight *p, const char *system, const char *name);

/* Whether some candidate of the role exists in the kernel and kprobes do; names it. */
bool preflight_role(const struct preflight *p, const struct hv_probe *role, const char **function);

/*
 * What a command would find: rows of tables (probe rows go by `roles`). All required ones there:
 * yes; some: partly; none: no. An optional row alone makes no difference.
 */
void preflight_check(const struct preflight *p, const struct hv_event *const *events,
		     size_t n_events, const struct hv_probe *const *roles, size_t n_roles,
		     struct preflight_verdict *verdict);

#endif
