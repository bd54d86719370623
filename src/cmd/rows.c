// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From an analysis's facts to rows of tables to slots of the binding.
 */
#include "cmd/rows.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "trace/probe.h"

void rows_collect(struct rows *rows, const struct analysis *analysis, const char *machine,
		  unsigned int asked)
{
	uint64_t facts = analysis->facts | analysis->facts_optional |
			 (asked & ROWS_DIRECT ? analysis->facts_asked : 0) |
			 (asked & ROWS_WHO ? analysis->facts_who : 0);

	*rows = (struct rows){ 0 };
	for (const struct hypervisor *const *hv = hypervisors; *hv; hv++) {
		if (!hypervisor_fits(*hv, machine))
			continue;
		for (size_t i = 0; i < (*hv)->n_events; i++) {
			const struct hv_event *event = &(*hv)->events[i];
			uint64_t bit = FACT_BIT(event->kind);

			if (!(bit & facts))
				continue;
			rows->rows = xreallocarray(rows->rows, rows->n + 1, sizeof(*rows->rows));
			rows->rows[rows->n++] = (struct rows_row){
				.hv = *hv,
				.event = event,
				.required = bit & analysis->facts,
			};
		}
	}
}

void rows_free(struct rows *rows)
{
	free(rows->rows);
	*rows = (struct rows){ 0 };
}

const struct hv_probe *rows_probe(const struct rows_row *row)
{
	if (row->event->system)
		return NULL;
	for (size_t i = 0; i < row->hv->n_probes; i++) {
		const struct hv_probe *probe = &row->hv->probes[i];
		size_t len = strlen(probe->role);

		/* The name of a return event is the role's with a suffix (trace/probe.h). */
		if (!strncmp(row->event->name, probe->role, len) &&
		    (!row->event->name[len] || !strcmp(row->event->name + len, PROBE_RETURN)))
			return probe;
	}
	return NULL;
}

/*
 * Which rows fit what is there, tried on a binding that is thrown away: a kernel of another machine
 * may have an event of the same name with other fields, of which a group must not be half bound.
 */
static void try_rows(struct rows *rows, const struct format_source *formats,
		     bool (*has)(void *ctx, const struct hv_event *event), void *ctx,
		     struct error *unfit)
{
	struct binding *trial = binding_new(formats);

	for (size_t i = 0; i < rows->n; i++) {
		struct rows_row *row = &rows->rows[i];
		struct error why = { 0 };

		row->fits =
			has(ctx, row->event) && binding_add(trial, row->hv, row->event, &why) >= 0;
		if (!row->fits && why.status && row->required && !unfit->status)
			*unfit = why;
	}
	binding_free(trial);
}

/* Whether the other rows of this one's group fit too. */
static bool group_fits(const struct rows *rows, const struct rows_row *row)
{
	for (size_t i = 0; row->event->group && i < rows->n; i++) {
		const struct rows_row *other = &rows->rows[i];

		if (other->hv == row->hv && other->event->group == row->event->group &&
		    !other->fits)
			return false;
	}
	return row->fits;
}

int rows_bind(struct rows *rows, const struct analysis *analysis,
	      const struct format_source *formats, struct binding *binding,
	      bool (*has)(void *ctx, const struct hv_event *event), void *ctx, bool *absent,
	      struct error *err)
{
	struct error unfit = { 0 };
	/* records are those of events that the user names, which are no rows */
	uint64_t needed = analysis->facts & ~FACT_BIT(FACT_RECORD), told = 0;
	char names[256];

	try_rows(rows, formats, has, ctx, &unfit);
	for (size_t i = 0; i < rows->n; i++) {
		struct rows_row *row = &rows->rows[i];

		if (!group_fits(rows, row) || binding_add(binding, row->hv, row->event, NULL) < 0)
			continue;
		row->bound = true;
		told |= FACT_BIT(row->event->kind);
	}
	*absent = false;
	if ((told & needed) == needed || (analysis->any_fact && (told & needed)))
		return 0;
	if (unfit.status) {
		*err = unfit;
		return -1;
	}
	*absent = true;
	rows_names(rows, names, sizeof(names));
	return error_set(err, "none of the events that tell of it is there (%s)", names);
}

bool rows_tell(const struct rows *rows, uint64_t facts)
{
	for (size_t i = 0; i < rows->n; i++)
		if (rows->rows[i].bound && FACT_BIT(rows->rows[i].event->kind) & facts)
			return true;
	return false;
}

const struct hypervisor *rows_hypervisor(const struct rows *rows)
{
	const struct hypervisor *hv = NULL;

	for (size_t i = 0; i < rows->n; i++) {
		const struct rows_row *row = &rows->rows[i];

		if (!row->bound || !row->required)
			continue;
		if (hv && hv != row->hv)
			return NULL;
		hv = row->hv;
	}
	return hv;
}

/* Whether an earlier row has the same event. */
static bool seen_before(const struct rows *rows, size_t n)
{
	const struct hv_event *event = rows->rows[n].event;

	for (size_t i = 0; i < n; i++) {
		const struct hv_event *other = rows->rows[i].event;

		if (rows->rows[i].required && !strcmp(other->name, event->name) &&
		    !strcmp(other->system ? other->system : "", event->system ? event->system : ""))
			return true;
	}
	return false;
}

void rows_names(const struct rows *rows, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < rows->n; i++) {
		const struct hv_event *event = rows->rows[i].event;
		const char *system = event->system;

		if (!rows->rows[i].required || seen_before(rows, i))
			continue;
		if (len + strlen(event->name) + (system ? strlen(system) : 0) + 8 > size) {
			snprintf(buf + len, size - len, ", …");
			return;
		}
		len += (size_t)snprintf(buf + len, size - len, "%s%s%s%s", len ? ", " : "",
					system ? system : "", system ? ":" : "", event->name);
	}
}
