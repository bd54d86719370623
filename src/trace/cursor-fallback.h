/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace files that our own reader doesn't know (another version, a compression that this build
 * lacks), through libtracecmd as far as it knows them. Its public interface gives records, formats
 * and names of threads; neither clocks nor where a file was recorded.
 */
#ifndef HVSCOPE_TRACE_CURSOR_FALLBACK_H
#define HVSCOPE_TRACE_CURSOR_FALLBACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "trace/cursor.h"

struct fallback;
struct tep_event;

/* NULL when libtracecmd doesn't know the file either. The descriptor stays the caller's. */
struct fallback *fallback_open(int fd);
void fallback_free(struct fallback *f);

/* Buffer n's name, "" the top one's; NULL from n = their number on. */
const char *fallback_buffer(const struct fallback *f, size_t n);

unsigned int fallback_cpus(const struct fallback *f);
unsigned int fallback_long_size(const struct fallback *f);
bool fallback_big_endian(const struct fallback *f);
uint64_t fallback_trace_id(const struct fallback *f);

/* Event n of the file, owned by f; NULL from n = their number on. */
const struct tep_event *fallback_event(const struct fallback *f, size_t n);

/* Name of a thread; NULL when the file has none. */
const char *fallback_comm(const struct fallback *f, int tid);

/*
 * The records of buffer n, from the beginning: a source without pages, with times as libtracecmd
 * converts them. One thread reads all those of a file. NULL with *err when it can't be read.
 */
struct fallback_records;

struct fallback_records *fallback_records_new(const struct fallback *f, size_t n,
					      struct error *err);
void fallback_records_free(struct fallback_records *r);
const struct page_source *fallback_source(const struct fallback_records *r);

#endif
