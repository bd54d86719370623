/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.dat files of versions 6 and 7 (trace-cmd.dat.v6(5), trace-cmd.dat.v7(5)), read by bounds
 * alone: whatever a file says of itself is a claim that is checked before it is used. Nothing is
 * read beyond the file, no number of the file decides how much memory is taken without a limit of
 * ours, and a file that is wrong anywhere that matters is refused with one sentence.
 *
 * The file is mapped; texts of formats are handed out as they stand, for libtraceevent to parse.
 * Compressed sections are inflated when they are first asked for, compressed records chunk by
 * chunk (tracedat_pages), in memory that does not grow with the trace.
 *
 * A file that is cut short is refused as a whole: what is missing would make every rate and every
 * "open" wrong without a mark of where.
 */
#ifndef HVSCOPE_TRACE_TRACEDAT_H
#define HVSCOPE_TRACE_TRACEDAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "trace/page.h"

struct tracedat;
struct tracedat_buffer; /* one instance's records; owned by its tracedat */

/*
 * Reads everything but the records and the long texts. NULL with *err on failure. A pipe is read
 * into memory, up to 256 MB. A version or compression that is unknown here is read through
 * libtracecmd when that knows it (facts: foreign); then the file must be one that can be sought in.
 *
 * The descriptor stays the caller's and must stay open as long as a foreign file is; `name` is
 * for sentences.
 */
struct tracedat *tracedat_open_fd(int fd, const char *name, struct error *err);
struct tracedat *tracedat_open(const char *path, struct error *err);
void tracedat_free(struct tracedat *t);

/* What a file says of where it was recorded. Strings are NULL when it doesn't say. */
struct tracedat_facts {
	unsigned int version;		/* 6 or 7; a foreign one's own */
	const char *compression;	/* "none", "zlib", "zstd"; NULL of a foreign one */
	bool foreign;			/* read through libtracecmd: by one thread, what it tells */
	unsigned int long_size;		/* of the kernel: 4 or 8 */
	bool big_endian;
	unsigned int cpus;		/* that the machine had */
	const char *kernel;		/* release, "6.1.0-56-amd64" */
	const char *machine;		/* "x86_64" */
	const char *host;		/* node name */
	const char *recorder;		/* version of the program that wrote it */
	uint64_t trace_id;		/* of the recording; 0 when it doesn't say */
	uint64_t dropped;		/* records that the kernel had no room for: no mark tells */
};

const struct tracedat_facts *tracedat_facts(const struct tracedat *t);

/* Buffers that hold records, the top one first; NULL from n = their number on. */
const struct tracedat_buffer *tracedat_buffer_at(const struct tracedat *t, size_t n);

/* By name. A NULL or empty name is the top buffer, or the first one when it has none. */
const struct tracedat_buffer *tracedat_buffer(const struct tracedat *t, const char *name);

const char *tracedat_buffer_name(const struct tracedat_buffer *b);  /* "" = the top buffer */
const char *tracedat_buffer_clock(const struct tracedat_buffer *b); /* NULL when it doesn't say */
unsigned int tracedat_buffer_cpus(const struct tracedat_buffer *b); /* CPU numbers are below it */
/* Pages of a CPU, and bytes of all records, inflated; 0 when the file is foreign: not told. */
uint64_t tracedat_buffer_pages(const struct tracedat_buffer *b, unsigned int cpu);
uint64_t tracedat_buffer_bytes(const struct tracedat_buffer *b);

/* Size and shape of its sub-buffers. */
struct page_layout tracedat_layout(const struct tracedat *t, const struct tracedat_buffer *b);

/* Times of records, once converted, are ns (false: clocks counter, uptime, tsc as it is, …). */
bool tracedat_clock_is_ns(const struct tracedat *t, const struct tracedat_buffer *b);

/*
 * The texts. They lie in the file or in memory of the tracedat, are NOT NUL-terminated, and are
 * anything: the file is hostile. text NULL = the file has none.
 */
struct tracedat_text {
	const char *text;
	size_t len;
};

struct tracedat_text tracedat_header_page(const struct tracedat *t);
struct tracedat_text tracedat_header_event(const struct tracedat *t);

/* Inflated on the first call; -1 with *err when that fails, else 0 and *text. */
int tracedat_kallsyms(struct tracedat *t, struct tracedat_text *text, struct error *err);
int tracedat_printk(struct tracedat *t, struct tracedat_text *text, struct error *err);
int tracedat_cmdlines(struct tracedat *t, struct tracedat_text *text, struct error *err);

/* One event's format file; found by scanning its `name:` and `ID:` lines, nothing is parsed. */
struct tracedat_event {
	const char *system, *name;
	int id; /* -1: it has no ID line */
	struct tracedat_text format;
};

/* Event n of the file, those of the system "ftrace" first; 1, 0 there are only n, -1 *err. */
int tracedat_event_at(struct tracedat *t, size_t n, struct tracedat_event *event,
		      struct error *err);
/* By system and name; 1, 0 the file has none, -1 *err. */
int tracedat_event(struct tracedat *t, const char *system, const char *name,
		   struct tracedat_event *event, struct error *err);

/* Name of a thread as saved when recording ended; NULL when it wasn't. Lives as long as t. */
const char *tracedat_comm(struct tracedat *t, int tid);

/*
 * Pages of one buffer, for one thread: several readers of a tracedat may run at once. A plain file
 * gives pointers into the map, to any number of threads. Of a compressed one, the chunk with the
 * wanted page is inflated and kept until all its pages were released: who releases what is done
 * holds memory that doesn't grow with the trace.
 */
struct tracedat_pages;

struct tracedat_pages *tracedat_pages_new(const struct tracedat *t,
					  const struct tracedat_buffer *b);
void tracedat_pages_free(struct tracedat_pages *p);

/*
 * Chunks that pages will be wanted of soon are inflated by up to so many threads meanwhile; returns
 * how many there are, 0 where nothing is to be inflated. To be called once, before the first page.
 */
unsigned int tracedat_pages_threads(struct tracedat_pages *p, unsigned int threads);

/*
 * Page n of a CPU: 1 with *page and *size (a last page may be shorter than the layout says), 0 when
 * there is none, -1 with *err. *page is valid until a later number is released.
 */
int tracedat_pages_get(struct tracedat_pages *p, unsigned int cpu, uint64_t n, const void **page,
		       size_t *size, struct error *err);
/* The CPU's pages below n are not needed any more. */
void tracedat_pages_release(struct tracedat_pages *p, unsigned int cpu, uint64_t n);

/*
 * Raw time → time, as libtracecmd converts: first the shift to a host's clock (per CPU, between
 * samples), then counter ticks to ns, then the offset. Plain data: copy it where it is used.
 */
struct tracedat_sample {
	int64_t time, offset, scaling, fraction;
};

struct tracedat_clock {
	const struct tracedat_sample *samples; /* ascending times, no two alike */
	size_t n_samples;		       /* 0: no shift */
	bool interpolate;
	uint32_t mult; /* 0: no ticks */
	uint32_t shift;
	int64_t offset;
};

/* The conversion for one CPU of a buffer; its samples are owned by the tracedat. */
struct tracedat_clock tracedat_clock(const struct tracedat *t, const struct tracedat_buffer *b,
				     unsigned int cpu);

uint64_t tracedat_shifted(const struct tracedat_clock *c, uint64_t raw);

static inline uint64_t tracedat_time(const struct tracedat_clock *c, uint64_t raw)
{
	uint64_t time = raw;

	if (unlikely(c->n_samples))
		time = tracedat_shifted(c, time);
	if (unlikely(c->mult)) {
		/* mult is an int where it is multiplied there, hence the sign extension. */
		uint64_t mult = (uint64_t)(int64_t)(int32_t)c->mult;
		uint64_t high = time >> 32;

		time = (time & UINT32_MAX) * mult >> c->shift;
		time += (high * mult) << (32 - c->shift);
	}
	return time + (uint64_t)c->offset;
}

#endif
