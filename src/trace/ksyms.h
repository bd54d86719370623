/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel functions by address, from a list in the form of /proc/kallsyms: of the running kernel or
 * of a trace file.
 */
#ifndef HVSCOPE_TRACE_KSYMS_H
#define HVSCOPE_TRACE_KSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/path.h"

struct ksyms;

/* Of a text that need not end in NUL and isn't needed afterwards. */
struct ksyms *ksyms_new(const char *text, size_t len);

/*
 * The list of the running kernel as it stands, NUL-terminated; the caller frees it. *len (may be
 * NULL) is its length. NULL with *err when it can't be read.
 */
char *ksyms_text(const struct root *root, size_t *len, struct error *err);

/* Of the running kernel; NULL with *err when it can't be read. */
struct ksyms *ksyms_load(const struct root *root, struct error *err);
void ksyms_free(struct ksyms *k);

/* There is no function in it: hidden from us (all addresses 0), or the list is empty. */
bool ksyms_empty(const struct ksyms *k);

struct ksym {
	const char *name;   /* the list's */
	const char *module; /* NULL: the kernel itself */
	uint64_t offset;    /* of the address in the function */
};

/* False when the address lies in no function that is known. */
bool ksyms_find(const struct ksyms *k, uint64_t address, struct ksym *sym);

#endif
