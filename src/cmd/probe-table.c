// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One row for each event of a role, or one that says why the role has none here: a driver that
 * isn't there is shown as such, never guessed at.
 */
#include "cmd/probe-table.h"

#include <string.h>

#include "base/util.h"

enum { ROLE, WHEN, FUNCTIONS, WORKS, HITS, MISSED, WHY };

static const struct column columns[] = {
	[ROLE] = { .key = "role",
		   .title = "ROLE",
		   .type = COLUMN_TEXT,
		   .flags = COLUMN_LABEL,
		   .help = "What the function does" },
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

void probe_table_add(struct report *report, struct probes *probes,
		     const struct hv_probe *const *roles, size_t n)
{
	struct table *table;
	uint64_t missed = 0;

	if (!n || none_works(report, probes, roles, n))
		return;
	table = table_new(report, &(struct table_layout){ .name = "probes",
							  .title = "probes of functions",
							  .columns = columns,
							  .nr_columns = ARRAY_SIZE(columns) });
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < probes_count(probes); k++) {
			const char *role = probes_event(probes, k)->role;

			if (role && !strcmp(role, roles[i]->role))
				missed += add_event(table, probes, k);
		}
		add_refused(table, probes, roles[i]);
	}
	if (missed)
		report_note(report,
			    "The kernel missed %llu hits of probes (table probes): these "
			    "calls are in no figure, and a duration next to one may be "
			    "wrong.",
			    (unsigned long long)missed);
}
