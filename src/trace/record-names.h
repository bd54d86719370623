/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What print fmts call the addresses in records: for trace/record.c alone, since it speaks of
 * libtraceevent.
 */
#ifndef HVSCOPE_TRACE_RECORD_NAMES_H
#define HVSCOPE_TRACE_RECORD_NAMES_H

#include <stdbool.h>
#include <stddef.h>

struct ksyms;
struct tep_event;
struct tep_handle;

/*
 * Flags by constants of the kernel whose values no format tells are never set: libtraceevent takes
 * the first of them for the name of 0.
 */
void record_names_mend(struct tep_event *event);

/* Whether the event's print fmt has functions (%ps) in it. */
bool record_names_functions(const struct tep_event *event);

/* Functions are called as in the list, which stays as long as something is printed. */
void record_names_by(struct tep_handle *tep, const struct ksyms *ksyms);

/* Texts of the kernel (%s of a pointer), as the lines of printk_formats have them. */
void record_names_texts(struct tep_handle *tep, const char *lines, size_t len);

#endif
