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
#include "trace/record-names.h"

/* A field that somebody asked for as NAME[NUMBER]. They stand still in memory. */
struct element {
	struct element *next;
	struct record_field field;
	char *name;
};

struct type {
	struct record_field *fields;
	size_t n;
	struct element *elements;
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

static void free_elements(struct element *e)
{
	for (struct element *next; e; e = next) {
		next = e->next;
		free(e->name);
		free(e);
	}
}

void records_free(struct records *r)
{
	if (!r)
		return;
	for (unsigned int i = 0; i < r->n_types; i++) {
		free_elements(r->types[i].elements);
		free(r->types[i].fields);
	}
	free(r->types);
	free(r);
}

static bool is_width(unsigned int size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static enum record_kind kind_of(const struct tep_format_field *f)
{
	/* not by TEP_FIELD_IS_STRING, which any u8[] has, too */
	if (f->flags & TEP_FIELD_IS_ARRAY && f->elementsize <= 1 && strstr(f->type, "char") &&
	    !strstr(f->type, "unsigned"))
		return RECORD_TEXT;
	/* "__data_loc cpumask_t" has no brackets, and is elsewhere all the same */
	if (!(f->flags & (TEP_FIELD_IS_ARRAY | TEP_FIELD_IS_DYNAMIC)) &&
	    f->size > 0 && is_width((unsigned int)f->size))
		return RECORD_NUMBER;
	return RECORD_BYTES;
}

/*
 * Bytes of a type of numbers, 0 for others: "__data_loc unsigned long[]". libtraceevent knows them
 * of few types, where the array isn't here and so has no length to divide.
 */
static unsigned int type_size(const char *type, unsigned int long_size)
{
	static const char *const skipped[] = { "__data_loc ", "__rel_loc ", "const ", "unsigned ",
					       "signed " };
	static const struct {
		const char *name;
		unsigned int size; /* 0: that of long */
	} types[] = {
		{ "char", 1 }, { "bool", 1 }, { "u8", 1 }, { "s8", 1 }, { "__u8", 1 },
		{ "__s8", 1 }, { "uint8_t", 1 }, { "int8_t", 1 }, { "short", 2 }, { "u16", 2 },
		{ "s16", 2 }, { "__u16", 2 }, { "__s16", 2 }, { "uint16_t", 2 }, { "int16_t", 2 },
		{ "int", 4 }, { "unsigned", 4 }, { "u32", 4 }, { "s32", 4 }, { "__u32", 4 },
		{ "__s32", 4 }, { "uint32_t", 4 }, { "int32_t", 4 }, { "pid_t", 4 }, { "long", 0 },
		{ "size_t", 0 }, { "long long", 8 }, { "u64", 8 }, { "s64", 8 }, { "__u64", 8 },
		{ "__s64", 8 }, { "uint64_t", 8 }, { "int64_t", 8 },
	};
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(skipped); i++)
		if (!strncmp(type, skipped[i], strlen(skipped[i])))
			type += strlen(skipped[i]);
	len = strcspn(type, "[");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strncmp(type, types[i].name, len) && !types[i].name[len])
			return types[i].size ? types[i].size : long_size;
	return 0;
}

/* Bytes of an array's element, where that is a number. */
static unsigned int item_of(const struct tep_format_field *f)
{
	unsigned int size;

	if (!(f->flags & TEP_FIELD_IS_ARRAY))
		return 0;
	if (f->flags & TEP_FIELD_IS_DYNAMIC || !f->arraylen)
		size = type_size(f->type, (unsigned int)tep_get_long_size(f->event->tep));
	else if (strstr(f->type, "struct") || strstr(f->type, "union"))
		return 0;
	else
		size = (unsigned int)f->size / f->arraylen;
	return is_width(size) ? size : 0;
}

/* The elements of an array without a length ("u32 a[]", of a probe) are zeros to libtraceevent. */
static void mend_array(struct tep_format_field *f)
{
	unsigned int item = item_of(f);

	if (!(f->flags & TEP_FIELD_IS_ARRAY) || f->flags & TEP_FIELD_IS_DYNAMIC || f->arraylen ||
	    !item)
		return;
	f->arraylen = (unsigned int)f->size / item;
	f->elementsize = item;
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
		.item = item_of(f),
	};

	if (f->flags & TEP_FIELD_IS_DYNAMIC && f->size == 4)
		to.where = f->flags & TEP_FIELD_IS_RELATIVE ? RECORD_REL_LOC : RECORD_DATA_LOC;
	return to;
}

static void add_fields(struct type *t, struct tep_format_field *f, bool common)
{
	for (; f; f = f->next) {
		mend_array(f);
		t->fields = xreallocarray(t->fields, t->n + 1, sizeof(*t->fields));
		t->fields[t->n++] = field_of(f, common);
	}
}

static struct type *type_of(struct records *r, unsigned int slot)
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
		record_names_mend(tep);
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

static const struct record_field *find_field(const struct type *t, const char *name, size_t len)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strncmp(t->fields[i].name, name, len) && !t->fields[i].name[len])
			return &t->fields[i];
	return NULL;
}

/* The number in "name[3]". */
static int read_index(const char *bracket, unsigned long *index)
{
	char *end;

	if (bracket[1] < '0' || bracket[1] > '9')
		return -1;
	*index = strtoul(bracket + 1, &end, 0); /* ULONG_MAX if it is greater */
	return strcmp(end, "]") ? -1 : 0;
}

/* Whether an array has the element, as far as that is known without a record. */
static int check_index(const struct record_field *array, unsigned long index, const char *event,
		       struct error *err)
{
	unsigned int n = array->where == RECORD_HERE ? array->size / array->item :
						       UINT16_MAX / array->item;

	if (index < n)
		return 0;
	if (array->where != RECORD_HERE)
		return error_set(err, "%s: %s has fewer elements than %lu in any record", event,
				 array->name, index);
	return error_set(err, "%s: %s has %u elements, %s[0] to %s[%u]", event, array->name, n,
			 array->name, array->name, n - 1);
}

static const struct record_field *add_element(struct type *t, const struct record_field *array,
					      unsigned int index)
{
	struct element *e = xcalloc(1, sizeof(*e));

	e->name = xasprintf("%s[%u]", array->name, index);
	e->field = *array;
	e->field.name = e->name;
	e->field.kind = RECORD_NUMBER;
	e->field.item = 0;
	e->field.size = array->item;
	if (array->where == RECORD_HERE)
		e->field.offset += index * array->item;
	else
		e->field.index = index;
	e->next = t->elements;
	t->elements = e;
	return &e->field;
}

/* "name[3]", of which `len` bytes are the name. */
static const struct record_field *find_element(struct type *t, const struct record_field *array,
					       const char *text, const char *event,
					       struct error *err)
{
	unsigned long index;

	if (read_index(text + strlen(array->name), &index)) {
		error_set(err, "%s: an element is NAME[NUMBER]", text);
		return NULL;
	}
	if (!array->item) {
		error_set(err, "%s: %s is %s but '%s'", event, array->name,
			  array->kind == RECORD_BYTES ? "neither a number nor an array of them" :
							"no array",
			  array->type);
		return NULL;
	}
	if (check_index(array, index, event, err))
		return NULL;
	for (const struct element *e = t->elements; e; e = e->next)
		if (!strncmp(e->name, array->name, strlen(array->name)) &&
		    strtoul(e->name + strlen(array->name) + 1, NULL, 10) == index &&
		    e->name[strlen(array->name)] == '[')
			return &e->field;
	return add_element(t, array, (unsigned int)index);
}

const struct record_field *records_field(struct records *r, unsigned int slot, const char *name,
					 struct error *err)
{
	struct type *t = type_of(r, slot);
	size_t len = strcspn(name, "[");
	const struct record_field *found = find_field(t, name, len);
	char *list;

	if (found && name[len])
		return find_element(t, found, name, binding_event_name(r->binding, slot), err);
	if (found)
		return found;
	list = list_fields(t);
	error_set(err, "%s has no field %.*s; it has: %s", binding_event_name(r->binding, slot),
		  (int)len, name, *list ? list : "none");
	free(list);
	return NULL;
}

static bool fits(const struct record_field *field, size_t size)
{
	return field->offset <= size && field->size <= size - field->offset;
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

/* An element of an array: its bytes are some of the array's. */
static bool locate_element(const struct records *r, const struct record_field *field,
			   const void *record, size_t size, size_t *offset)
{
	struct record_field array = *field;
	size_t length;

	array.size = sizeof(uint32_t);
	if (!locate(r, &array, record, size, offset, &length) ||
	    field->size > length || field->index > length / field->size - 1)
		return false;
	*offset += (size_t)field->index * field->size;
	return true;
}

bool records_number(const struct records *r, const struct record_field *field, const void *record,
		    size_t size, uint64_t *value)
{
	struct decode_arg arg = { .size = (uint16_t)field->size, .is_signed = field->is_signed };
	size_t offset = field->offset;

	if (field->kind != RECORD_NUMBER ||
	    !(field->where == RECORD_HERE ? fits(field, size) :
					    locate_element(r, field, record, size, &offset)) ||
	    offset > UINT16_MAX)
		return false;
	arg.offset = (uint16_t)offset;
	*value = decode_number(binding_plan(r->binding), &arg, record);
	return true;
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
		snprintf(value, sizeof(value),
			 field->is_hex    ? "0x%" PRIx64 :
			 field->is_signed ? "%" PRId64 :
					    "%" PRIu64,
			 number);
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

bool records_names_functions(const struct records *r, unsigned int slot)
{
	return record_names_functions(binding_tep_event(r->binding, slot));
}

/* All events are of one handle. */
static struct tep_handle *handle_of(const struct records *r)
{
	return binding_tep_event(r->binding, 0)->tep;
}

void records_functions(struct records *r, const struct ksyms *ksyms)
{
	record_names_by(handle_of(r), ksyms);
}

void records_texts(struct records *r, const char *lines, size_t len)
{
	record_names_texts(handle_of(r), lines, len);
}
