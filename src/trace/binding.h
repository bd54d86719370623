/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Binding: event id → slot, with the offsets, sizes and signedness of the fields that a
 * hypervisor's table (or a user's event spec) asks for, resolved once per run by libtraceevent
 * from the formats of the running kernel or of a file. No string is compared after that.
 */
#ifndef HVSCOPE_TRACE_BINDING_H
#define HVSCOPE_TRACE_BINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "fact.h"
#include "hv/hypervisor.h"

struct binding;
struct decode_plan;
struct tep_event;

/*
 * Where formats come from: the text of events/SYSTEM/NAME/format, or NULL when there is none (the
 * caller frees it). Probes of ours: system NULL → the group of this run.
 */
struct format_source {
	char *(*format)(void *ctx, const char *system, const char *name);
	void *ctx;
	unsigned int long_size;
	bool big_endian; /* the records' byte order */
};

struct binding *binding_new(const struct format_source *source);
void binding_free(struct binding *b);

/*
 * Binds one row of a table; the same row again is the same slot. Returns the slot, -1 with *err
 * when the event or a field of it is missing or unfit (one sentence that names it; err->status
 * stays 0 for an absent event, so that optional rows can be told from broken ones).
 */
int binding_add(struct binding *b, const struct hypervisor *hv, const struct hv_event *row,
		struct error *err);

/* Binds any event as FACT_RECORD. Returns its slot, -1 with *err. */
int binding_add_record(struct binding *b, const char *system, const char *name, struct error *err);

unsigned int binding_slots(const struct binding *b);

/* What the stream decodes by; valid and growing until binding_free(). */
const struct decode_plan *binding_plan(const struct binding *b);

/* The row behind a slot, NULL for one of binding_add_record(). */
const struct hv_event *binding_row(const struct binding *b, unsigned int slot);

/* libtraceevent's view of a slot's event: for trace/record.c alone. */
struct tep_event *binding_tep_event(const struct binding *b, unsigned int slot);

/* "system:name" and id of a slot. */
const char *binding_event_name(const struct binding *b, unsigned int slot);
int binding_event_id(const struct binding *b, unsigned int slot);

/* The text behind an interned number, 0 = "". Owned by the binding. */
const char *binding_string(const struct binding *b, uint64_t interned);

/*
 * Name of a value by the hypervisor's names row: flags, print fmt, fixed table; NULL when it has
 * none. Owned by the binding, found once per value.
 */
const char *binding_reason_name(struct binding *b, const struct hypervisor *hv, uint8_t space,
				uint64_t value);

#endif
