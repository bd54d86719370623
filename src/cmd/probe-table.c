// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One row for each event of a role, or one that says why the role has none here: a driver that
 * isn't there is shown as such, never guessed at.
 */
#include "cmd/probe-table.h"

#include <string.h>

#include "base/util.h"
#include "sampler/devices.h"

enum { ROLE, WHEN, FUNCTIONS, WORKS, HITS, MISSED, WHY };

static const struct column columns[] = {
	[ROLE] = { .key = "role",
		   .title = "ROLE",
		   .type = COLUMN_TEXT,
		   .flags = COLUMN_LABEL,
		   .help = "What the function does, or a driver of which none is known" },
	[WHEN] = { .key = "when",
		   .title = "WHEN",
		   .type = COLUMN_TEXT,
		   .flags = COLUMN_LABEL,
		   .help = "At the function's entry or at its return" },
	[FUNCTIONS] = { .key = "functions",
			.title = "FUNCTION",
			.type = COLUMN_TEXT,
			.help = "Functions that are probed for it" },
	[WORKS] = { .key = "works",
		    .title = "WORKS",
		    .type = COLUMN_PARTLY,
		    .help = "Whether there is a probe" },
	[HITS] = { .key = "hits",
		   .title = "HITS",
		   .type = COLUMN_COUNT,
		   .metric = "probe_hits",
		   .help = "Calls that the kernel recorded" },
	[MISSED] = { .key = "missed",
		     .title = "MISSED",
		     .type = COLUMN_COUNT,
		     .metric = "probe_missed",
		     .help = "Calls that the kernel missed" },
	[WHY] = { .key = "why",
		  .title = "WHY NOT",
		  .type = COLUMN_TEXT,
		  .help = "Why there is none" },
};

static uint64_t add_event(struct table *table, struct probes *probes, size_t i)
{
	const struct probe_event *event = probes_event(probes, i);
	struct row *row = table_row(table);
	uint64_t hits, missed;

	row_text(row, ROLE, event->role);
	row_text(row, WHEN, event->is_return ? "return" : "entry");
	row_text(row, FUNCTIONS, event->places);
	row_partly(row, WORKS, PARTLY_YES);
	if (probes_profile(probes, i, &hits, &missed, NULL))
		return 0;
	row_count(row, HITS, hits);
	row_count(row, MISSED, missed);
	return missed;
}

static void add_refused(struct table *table, struct probes *probes, const struct hv_probe *role)
{
	const char *why = probes_refused(probes, role->role);
	struct row *row;

	if (!why || !*why)
		return;
	row = table_row(table);
	row_text(row, ROLE, role->role);
	row_partly(row, WORKS, PARTLY_NO);
	row_text(row, WHY, why);
}

static bool has_role(const char *driver, const struct hv_probe *const *roles, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (roles[i]->driver && !strcmp(roles[i]->driver, driver))
			return true;
	return false;
}

static bool came_before(const struct device *devices, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(devices[k].driver, devices[i].driver))
			return true;
	return false;
}

/* Paravirtual devices whose driver has no role among these: not guessed at, but not hidden. */
static void add_unlisted(struct table *table, const struct root *root,
			 const struct hv_probe *const *roles, size_t n)
{
	size_t n_devices;
	struct device *devices = devices_look(root, true, &n_devices);

	for (size_t i = 0; i < n_devices; i++) {
		struct row *row;

		if (devices[i].kind != DEVICE_PARAVIRTUAL || !devices[i].driver[0] ||
		    has_role(devices[i].driver, roles, n) || came_before(devices, i))
			continue;
		row = table_row(table);
		row_text(row, ROLE, devices[i].driver);
		row_partly(row, WORKS, PARTLY_NO);
		row_text(row, WHY, "no functions of this driver are listed");
	}
	free(devices);
}

static bool any_driver(const struct hv_probe *const *roles, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (roles[i]->driver)
			return true;
	return false;
}

/* Where no role has a function, one sentence says more than a table of refusals. */
static bool none_works(struct report *report, struct probes *probes,
		       const struct hv_probe *const *roles, size_t n)
{
	const char *why = NULL;

	for (size_t i = 0; i < n; i++) {
		if (probes_has(probes, roles[i]->role, false) ||
		    probes_has(probes, roles[i]->role, true))
			return false;
		why = why && *why ? why : probes_refused(probes, roles[i]->role);
	}
	report_note(report, "No function is probed here (%s%s): %s.", roles[0]->role,
		    n > 1 ? ", ..." : "", why ? why : "unknown");
	return true;
}

void probe_table_add(struct report *report, const struct root *root, struct probes *probes,
		     const struct hv_probe *const *roles, size_t n)
{
	struct table *table;
	uint64_t missed = 0;
	bool none;

	if (!n)
		return;
	none = none_works(report, probes, roles, n);
	table = table_new(report, &(struct table_layout){ .name = "probes",
							  .title = "probes of functions",
							  .columns = columns,
							  .nr_columns = ARRAY_SIZE(columns) });
	for (size_t i = 0; i < n && !none; i++) {
		for (size_t k = 0; k < probes_count(probes); k++) {
			const char *role = probes_event(probes, k)->role;

			if (role && !strcmp(role, roles[i]->role))
				missed += add_event(table, probes, k);
		}
		add_refused(table, probes, roles[i]);
	}
	if (any_driver(roles, n))
		add_unlisted(table, root, roles, n);
	if (missed)
		report_note(report,
			    "The kernel missed %llu hits of probes (table probes): these "
			    "calls are in no figure, and a duration next to one may be "
			    "wrong.",
			    (unsigned long long)missed);
}
