/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Symbol tables of a print fmt: the {value, "name"} pairs of a __print_symbolic().
 *
 * The text is read by a small parser of our own, because libtraceevent gives up on a print fmt as
 * soon as one expression in it is beyond it (as the nested parentheses of arm64's are), and then
 * tells no table at all.
 */
#ifndef HVSCOPE_TRACE_SYMBOLS_H
#define HVSCOPE_TRACE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct symbols;

/*
 * Table number nth (from 0) of those whose first argument names REC->field, out of the text of a
 * format file. `bytes` is the field's width: keys are cut to it (0: 8 bytes). A pair that can't
 * be understood is left out. NULL when there is no such table.
 */
struct symbols *symbols_parse(const char *format, const char *field, unsigned int nth,
			      unsigned int bytes);
void symbols_free(struct symbols *s);

/* Name of a value (cut like the keys), the first one as the kernel does it; NULL when none. */
const char *symbols_name(const struct symbols *s, uint64_t value);

/* All pairs as they stand. */
size_t symbols_count(const struct symbols *s);
const char *symbols_at(const struct symbols *s, size_t i, uint64_t *value);

#endif
