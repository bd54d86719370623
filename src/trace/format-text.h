/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of an event's format file, made from the event that libtraceevent parsed it into: for
 * readers that hand out events but not their texts.
 */
#ifndef HVSCOPE_TRACE_FORMAT_TEXT_H
#define HVSCOPE_TRACE_FORMAT_TEXT_H

struct tep_event;

/* Parses into an event with the same fields that prints the same. The caller frees it. */
char *format_text(const struct tep_event *event);

#endif
