/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of events that have no meaning of their own (FACT_RECORD): their fields by name, as
 * numbers and texts, and the whole as the kernel's print fmt has it. What a field is, is found
 * once; reading it is reading memory.
 */
#ifndef HVSCOPE_TRACE_RECORD_H
#define HVSCOPE_TRACE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct binding;
struct ksyms;
struct records;

enum record_kind {
	RECORD_NUMBER,
	RECORD_TEXT,
	RECORD_BYTES /* an array or a struct: neither of both, but see `item` */
};

/* Where a field's bytes are. */
enum record_where {
	RECORD_HERE,
	RECORD_DATA_LOC, /* 32 bits here say: offset in the record | length << 16 */
	RECORD_REL_LOC	 /* likewise, the offset counted from behind these 32 bits */
};

struct record_field {
	const char *name, *type; /* "pid", "pid_t" */
	enum record_kind kind;
	bool is_signed;
	bool is_hex;	 /* an address or a mask: people read it in hexadecimal */
	bool common;	 /* common_pid and the like, which every event has */
	unsigned int offset, size; /* in the record */
	enum record_where where;
	unsigned int item;  /* bytes of an element of the array that it is; 0: it has no numbers */
	unsigned int index; /* it is this element of an array that is not here */
};

/* The binding outlives it. */
struct records *records_new(struct binding *binding);
void records_free(struct records *r);

/* The fields of a slot's event: its own in the format's order, then the common ones. */
const struct record_field *records_fields(struct records *r, unsigned int slot, size_t *n);

/*
 * One of them by name, or an element of one as "name[3]", a number; NULL with *err, which names
 * those that there are. Whether an array behind the fields has the element, each record tells.
 */
const struct record_field *records_field(struct records *r, unsigned int slot, const char *name,
					 struct error *err);

/*
 * A field's value out of a record of `size` bytes. False when the record is too short for it, or
 * its array has no such element, or the field is of the other kind. A number is sign-extended where
 * it is signed; a text is cut to `room` and NUL-terminated.
 */
bool records_number(const struct records *r, const struct record_field *field, const void *record,
		    size_t size, uint64_t *value);
bool records_text(const struct records *r, const struct record_field *field, const void *record,
		  size_t size, char *text, size_t room);

/*
 * The addresses of a stack record (ftrace:kernel_stack), innermost first; at most `room`. Returns
 * how many the record has, 0 when it is none.
 */
size_t records_stack(struct records *r, unsigned int slot, const void *record, size_t size,
		     uint64_t *addresses, size_t room);

/*
 * What was interrupted for the record to be made, from its common_flags: 0 nothing (a thread was
 * running), 1 by a softirq, 2 by an interrupt, 3 by an NMI. Records of one CPU and one level follow
 * each other without another of that level between.
 */
unsigned int records_level(const struct records *r, const void *record, size_t size);
enum { RECORD_LEVELS = 4 };

/*
 * The record by its print fmt, or by its fields ("a=1 b=x") where libtraceevent doesn't understand
 * that. Cut to `room`, NUL-terminated, otherwise as it comes: whoever prints it quotes it.
 */
void records_print(struct records *r, unsigned int slot, const void *record, size_t size,
		   uint16_t cpu, char *text, size_t room);

/*
 * What that calls the addresses that a print fmt tells: functions (%ps) by a list, which outlives
 * the binding's use, and texts of the kernel (%s of a pointer) by the lines of printk_formats.
 * There is a slot by then.
 */
bool records_names_functions(const struct records *r, unsigned int slot);
void records_functions(struct records *r, const struct ksyms *ksyms);
void records_texts(struct records *r, const char *lines, size_t len);

#endif
