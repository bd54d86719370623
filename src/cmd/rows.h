/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which rows of which hypervisors' tables tell the facts that an analysis asks for, and whether
 * what exists here (or in a file) is enough.
 */
#ifndef HVSCOPE_CMD_ROWS_H
#define HVSCOPE_CMD_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/analysis.h"
#include "base/error.h"
#include "hv/hypervisor.h"
#include "trace/binding.h"

struct rows_row {
	const struct hypervisor *hv;
	const struct hv_event *event;
	bool required; /* tells a fact that the analysis can't do without */
	bool fits;     /* is there, with the fields that it needs */
	bool bound;
};

struct rows {
	struct rows_row *rows;
	size_t n;
};

/* What is asked beyond what an analysis always takes: its facts_asked, its facts_who. */
enum { ROWS_DIRECT = 1, ROWS_WHO = 2 };

/* Of all hypervisors that fit the machine (NULL: unknown, all do). */
void rows_collect(struct rows *rows, const struct analysis *analysis, const char *machine,
		  unsigned int asked);
void rows_free(struct rows *rows);

/* The probe behind a row without a system; NULL for a tracepoint's. */
const struct hv_probe *rows_probe(const struct rows_row *row);

/*
 * Binds what `has` says is there and what fits. Of rows that only serve together none is bound
 * unless all are. Returns -1 with *err when a fact that the analysis needs has no row: then
 * `*absent` tells whether its events are missing (the caller knows what to do about that), or
 * unfit.
 */
int rows_bind(struct rows *rows, const struct analysis *analysis,
	      const struct format_source *formats, struct binding *binding,
	      bool (*has)(void *ctx, const struct hv_event *event), void *ctx, bool *absent,
	      struct error *err);

/* Whether one of these facts (FACT_BIT()s) is told by a bound row. */
bool rows_tell(const struct rows *rows, uint64_t facts);

/* Whose required facts are bound; NULL: several hypervisors' or none. */
const struct hypervisor *rows_hypervisor(const struct rows *rows);

/* Names of the events of required rows, each once: "kvm:kvm_exit, kvm:kvm_entry". */
void rows_names(const struct rows *rows, char *buf, size_t size);

#endif
