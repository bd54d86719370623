// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fields come from libtraceevent's parse of the format, numbers and texts are read by us: within
 * the record's bounds, whatever the record says of where its texts are. Only the print fmt is
 * libtraceevent's to evaluate.
 */
#include "trace/record.h"

#include <event-parse.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <trace-seq.h>

#include "base/util.h"
#include "trace/binding.h"
#include "trace/decode.h"

struct type {
	struct record_field *fields;
	size_t n;
};

struct records {
	struct binding *binding;
	struct type *types; /* by slot; fields NULL: not yet looked at */
	unsigned int n_types;
};

struct records *records_new(struct binding *binding)
{
	struct records *r = xcalloc(1, sizeof(*r));

	r->binding = binding;
	return r;
}

void records_free(struct records *r)
{
	if (!r)
		return;
	for (unsigned int i = 0; i < r->n_types; i++)
		free(r->types[i].fields);
	free(r->types);
	free(r);
}

static enum record_kind kind_of(const struct tep_format_field *f)
{
	/* not by TEP_FIELD_IS_STRING, which any u8[] has, too */
	if (f->flags & TEP_FIELD_IS_ARRAY && f->elementsize <= 1 && strstr(f->type, "char") &&
	    !strstr(f->type, "unsigned"))
		return RECORD_TEXT;
	if (!(f->flags & TEP_FIELD_IS_ARRAY) &&
	    (f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8))
		return RECORD_NUMBER;
	return RECORD_BYTES;
}

static struct record_field field_of(const struct tep_format_field *f, bool common)
{
	struct record_field to = {
		.name = f->name, .type = f->type, .kind = kind_of(f), .common = common,
		.offset = f->offset > 0 ? (unsigned int)f->offset : 0,
		.size = f->size > 0 ? (unsigned int)f->size : 0,
		.is_signed = f->flags & TEP_FIELD_IS_SIGNED,
		.is_hex = f->flags & (TEP_FIELD_IS_POINTER | TEP_FIELD_IS_LONG) &&
			  !(f->flags & TEP_FIELD_IS_SIGNED),
	};

	if (f->flags & TEP_FIELD_IS_DYNAMIC && f->size == 4)
		to.where = f->flags & TEP_FIELD_IS_RELATIVE ? RECORD_REL_LOC : RECORD_DATA_LOC;
	return to;
}

static void add_fields(struct type *t, const struct tep_format_field *f, bool common)
{
	for (; f; f = f->next) {
		t->fields = xreallocarray(t->fields, t->n + 1, sizeof(*t->fields));
		t->fields[t->n++] = field_of(f, common);
	}
}

static const struct type *type_of(struct records *r, unsigned int slot)
{
	struct tep_event *tep;
	struct type *t;

	if (slot >= r->n_types) {
		r->types = xreallocarray(r->types, slot + 1, sizeof(*r->types));
		memset(r->types + r->n_types, 0, (slot + 1 - r->n_types) * sizeof(*r->types));
		r->n_types = slot + 1;
	}
	t = &r->types[slot];
	if (!t->fields) {
		tep = binding_tep_event(r->binding, slot);
		add_fields(t, tep->format.fields, false);
		add_fields(t, tep->format.common_fields, true);
	}
	return t;
}

const struct record_field *records_fields(struct records *r, unsigned int slot, size_t *n)
{
	const struct type *t = type_of(r, slot);

	*n = t->n;
	return t->fields;
}

/* "a, b, c": the event's own fields. The caller frees it. */
static char *list_fields(const struct type *t)
{
	char *list = xstrdup(""), *longer;

	for (size_t i = 0; i < t->n && !t->fields[i].common; i++) {
		longer = xasprintf("%s%s%s", list, *list ? ", " : "", t->fields[i].name);
		free(list);
		list = longer;
	}
	return list;
}

const struct record_field *records_field(struct records *r, unsigned int slot, const char *name,
					 struct error *err)
{
	const struct type *t = type_of(r, slot);
	char *list;

	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->fields[i].name, name))
			return &t->fields[i];
	list = list_fields(t);
	error_set(err, "%s has no field %s; it has: %s", binding_event_name(r->binding, slot), name,
		  *list ? list : "none");
	free(list);
	return NULL;
}

static bool fits(const struct record_field *field, size_t size)
{
	return field->offset <= size && field->size <= size - field->offset;
}

bool records_number(const struct records *r, const struct record_field *field, const void *record,
		    size_t size, uint64_t *value)
{
	const struct decode_arg arg = {
		.offset = (uint16_t)field->offset, .size = (uint16_t)field->size,
		.is_signed = field->is_signed,
	};

	if (field->kind != RECORD_NUMBER || field->offset > UINT16_MAX || !fits(field, size))
		return false;
	*value = decode_number(binding_plan(r->binding), &arg, record);
	return true;
}

/* Where a field's bytes are, wherever the record says they are; false: not within it. */
static bool locate(const struct records *r, const struct record_field *field, const void *record,
		   size_t size, size_t *offset, size_t *length)
{
	uint32_t where;

	if (!fits(field, size))
		return false;
	*offset = field->offset;
	*length = field->size;
	if (field->where == RECORD_HERE)
		return true;
	memcpy(&where, (const char *)record + *offset, sizeof(where));
	if (binding_plan(r->binding)->swap)
		where = __builtin_bswap32(where);
	*offset = (where & 0xffff) + (field->where == RECORD_REL_LOC ? *offset + 4 : 0);
	*length = where >> 16;
	return *offset <= size && *length <= size - *offset;
}

bool records_text(const struct records *r, const struct record_field *field, const void *record,
		  size_t size, char *text, size_t room)
{
	size_t offset, length;

	if (field->kind != RECORD_TEXT || !room ||
	    !locate(r, field, record, size, &offset, &length))
		return false;
	length = strnlen((const char *)record + offset, min(length, room - 1));
	memcpy(text, (const char *)record + offset, length);
	text[length] = '\0';
	return true;
}

size_t records_stack(struct records *r, unsigned int slot, const void *record, size_t size,
		     uint64_t *addresses, size_t room)
{
	const struct record_field *number = records_field(r, slot, "size", NULL);
	const struct record_field *callers = records_field(r, slot, "caller", NULL);
	struct decode_arg arg = {
		.size = (uint16_t)tep_get_long_size(binding_tep_event(r->binding, slot)->tep),
	};
	uint64_t n;

	if (!number || !callers || !records_number(r, number, record, size, &n) ||
	    callers->offset >= size || callers->offset > UINT16_MAX - size)
		return 0;
	/* the format speaks of eight: a record has as many as fit */
	n = min(n, (uint64_t)(size - callers->offset) / arg.size);
	for (size_t i = 0; i < n; i++) {
		uint64_t address;

		arg.offset = (uint16_t)(callers->offset + i * arg.size);
		address = decode_number(binding_plan(r->binding), &arg, record);
		if (address == (arg.size == 4 ? UINT32_MAX : UINT64_MAX))
			return i; /* how older kernels say that the rest is empty */
		if (i < room)
			addresses[i] = address;
	}
	return n;
}

unsigned int records_level(const struct records *r, const void *record, size_t size)
{
	enum { IN_HARDIRQ = 0x08, IN_SOFTIRQ = 0x10, IN_NMI = 0x40 };
	uint16_t offset = binding_plan(r->binding)->flags_offset;
	unsigned int flags = offset < size ? ((const unsigned char *)record)[offset] : 0;

	return flags & IN_NMI ? 3 : flags & IN_HARDIRQ ? 2 : flags & IN_SOFTIRQ ? 1 : 0;
}

/* "ARRAY[0a, ff]", as trace-cmd prints what is neither number nor text. */
static bool bytes_text(const struct records *r, const struct record_field *field,
		       const void *record, size_t size, char *text, size_t room)
{
	size_t offset, length, at;

	if (field->kind != RECORD_BYTES || !locate(r, field, record, size, &offset, &length))
		return false;
	at = (size_t)snprintf(text, room, "ARRAY[");
	for (size_t i = 0; i < length && at + sizeof(", 00]") < room; i++)
		at += (size_t)snprintf(text + at, room - at, "%s%02x", i ? ", " : "",
				       ((const unsigned char *)record)[offset + i]);
	snprintf(text + at, room - at, "]");
	return true;
}

/* " name=value" behind what is there. */
static void append_field(const struct records *r, const struct record_field *field,
			 const void *record, size_t size, char *text, size_t room)
{
	size_t at = strlen(text);
	char value[1024];
	uint64_t number;

	if (records_number(r, field, record, size, &number))
		snprintf(value, sizeof(value), field->is_hex ? "0x%" PRIx64 : field->is_signed ?
			 "%" PRId64 : "%" PRIu64, number);
	else if (!records_text(r, field, record, size, value, sizeof(value)) &&
		 !bytes_text(r, field, record, size, value, sizeof(value)))
		return;
	snprintf(text + at, room - at, "%s%s=%s", at ? " " : "", field->name, value);
}

static void print_fields(struct records *r, unsigned int slot, const void *record, size_t size,
			 char *text, size_t room)
{
	const struct type *t = type_of(r, slot);

	*text = '\0';
	for (size_t i = 0; i < t->n && !t->fields[i].common; i++)
		append_field(r, &t->fields[i], record, size, text, room);
}

/* libtraceevent believes what a record says of its texts, and reads them up to a NUL. */
static bool is_sound(const struct records *r, const struct type *t, const void *record, size_t size)
{
	size_t offset, length;

	for (size_t i = 0; i < t->n; i++) {
		const struct record_field *f = &t->fields[i];

		if (!locate(r, f, record, size, &offset, &length))
			return false;
		if (f->where != RECORD_HERE && f->kind == RECORD_TEXT &&
		    !memchr((const char *)record + offset, '\0', length))
			return false;
	}
	return true;
}

void records_print(struct records *r, unsigned int slot, const void *record, size_t size,
		   uint16_t cpu, char *text, size_t room)
{
	struct tep_event *tep = binding_tep_event(r->binding, slot);
	struct tep_record rec = {
		.data = (void *)(uintptr_t)record, .size = (int)size, .cpu = cpu,
	};
	struct trace_seq s;

	if (!room)
		return;
	if (tep->flags & TEP_EVENT_FL_FAILED || !is_sound(r, type_of(r, slot), record, size)) {
		print_fields(r, slot, record, size, text, room);
		return;
	}
	trace_seq_init(&s);
	tep_print_event(tep->tep, &s, &rec, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&s);
	snprintf(text, room, "%s", s.buffer ? s.buffer : "");
	trace_seq_destroy(&s);
}
