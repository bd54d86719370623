/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the trace.dat reader share. Only tracedat*.c include it.
 */
#ifndef HVSCOPE_TRACE_TRACEDAT_INTERNAL_H
#define HVSCOPE_TRACE_TRACEDAT_INTERNAL_H

#include "trace/cursor.h"
#include "trace/tracedat.h"

/*
 * Limits of ours, far above what recorders write: a number of the file that is beyond them is
 * damage, whatever the file's size.
 */
enum {
	CPUS_MAX = 65536,
	OPTIONS_MAX = 1 << 20,
	OPTION_SECTIONS_MAX = 4096,
	BUFFERS_MAX = 4096,
	EXTENTS_MAX = 1 << 18, /* of all buffers together */
	EVENTS_MAX = 1 << 20,
	PAGE_MIN = 4096,
	PAGE_MAX = 8 << 20,
	SECTION_MAX = 256 << 20, /* inflated */
	CHUNK_MAX = 4 << 20,	 /* inflated, or sixteen pages if that is more */
	PIPE_MAX = 256 << 20,
};

/*
 * A part of the file (or of an inflated section) that is read from front to back. Reading beyond
 * its end gives zeros and empty strings and sets `cut`, so that a run of reads is checked once.
 */
struct slice {
	const unsigned char *p, *end;
	bool swap; /* the file's endianness is not this machine's */
	bool cut;
};

static inline uint64_t slice_left(const struct slice *s)
{
	return (uint64_t)(s->end - s->p);
}

uint16_t slice_u16(struct slice *s);
uint32_t slice_u32(struct slice *s);
uint64_t slice_u64(struct slice *s);
/* A NUL-terminated string where it stands; "" when its end is missing. */
const char *slice_string(struct slice *s);
/* Takes `len` bytes; whether they are just these. */
bool slice_is(struct slice *s, const char *want, size_t len);
/* The next len bytes as a slice of their own; empty (and s is cut) when they aren't there. */
struct slice slice_take(struct slice *s, uint64_t len);

enum section_id {
	SECTION_OPTIONS = 0,
	SECTION_BUFFER = 3,
	SECTION_HEADERS = 16,
	SECTION_FTRACE = 17,
	SECTION_EVENTS = 18,
	SECTION_KALLSYMS = 19,
	SECTION_PRINTK = 20,
	SECTION_CMDLINES = 21,
};

/* A section before the records; a compressed one has its content once it is asked for. */
struct section {
	bool there;
	struct slice content;	/* as it lies in the file, or inflated */
	unsigned char *inflated; /* NULL: not (yet) */
	bool packed;
};

enum compression {
	COMPRESSION_NONE,
	COMPRESSION_ZLIB,
	COMPRESSION_ZSTD,
};

/*
 * Where chunks of compressed records begin: every `stride`-th one is remembered, so that the table
 * has a bounded size; those between are found by walking the chunks' own headers.
 */
struct chunk_mark {
	const unsigned char *at; /* the chunk's header */
	uint64_t page;		 /* number of its first page */
};

enum { CHUNK_MARKS = 1024 };

struct chunks {
	struct chunk_mark *marks;
	size_t n_marks;
	uint64_t stride;
	uint64_t n_chunks;
	uint64_t pages, bytes;
};

/* One CPU's records. */
struct extent {
	struct slice data;	/* plain pages, or chunks */
	struct chunks chunks;	/* of compressed ones */
	uint64_t pages;
};

struct tracedat_buffer {
	char *name;
	char *clock; /* NULL: doesn't say */
	unsigned int page_size;
	bool packed;
	bool shifted; /* the option TIME_SHIFT applies to it */
	unsigned int cpus;
	struct extent *extents; /* of a foreign file all empty */
};

struct event_entry {
	char *system, *name;
	int id;
	struct tracedat_text format;
	char *made; /* the format's text, when it isn't the file's */
};

struct comm_entry {
	int tid;
	char *comm;
};

struct time_shift {
	bool interpolate;
	unsigned int cpus;
	struct cpu_shift {
		struct tracedat_sample *samples;
		size_t n;
	} *cpu;
};

struct tracedat {
	char *name; /* of the file, for sentences */
	int own_fd; /* when we opened it, and need it still; else -1 */
	struct fallback *fallback; /* of a foreign file */
	struct page_layout foreign_layout;
	unsigned char *base;
	size_t size;
	bool mapped; /* else allocated */
	bool swap;
	enum compression compression;
	unsigned int page_size; /* of the file's header */
	unsigned int data_offset; /* of the data in a sub-buffer */

	struct tracedat_facts facts;
	char *uname, *recorder, *clock;

	struct tracedat_buffer *buffers; /* the top one first */
	size_t n_buffers;
	size_t n_extents;	/* of all of them */
	uint64_t claimed;	/* bytes of the file that are records */

	struct section sections[SECTION_CMDLINES - SECTION_HEADERS + 1];
	struct tracedat_text header_page, header_event;
	struct event_entry *events;
	size_t n_events;
	bool indexed;
	struct comm_entry *comms;
	size_t n_comms;
	bool comms_read;

	int64_t offset;
	uint32_t mult, shift;
	struct time_shift time_shift;
};

/* "NAME is damaged: …; take another copy of it or record anew", status 1. Returns -1. */
int tracedat_damaged(const struct tracedat *t, struct error *err, const char *fmt, ...)
	__printf(3, 4);

/* Something isn't whole within the file: mostly it is the file that ends too early. Returns -1. */
int tracedat_cut_short(const struct tracedat *t, struct error *err, const char *what);

/* tracedat.c */
struct section *tracedat_section(struct tracedat *t, enum section_id id);
/* The whole file from `offset` on; cut when it is beyond its end. */
struct slice tracedat_at(const struct tracedat *t, uint64_t offset);
/* Replaces a compressed section's content by what it is inflated. */
int tracedat_inflate(struct tracedat *t, struct section *s, struct error *err);
/* Its content, inflated if need be; -1 with *err. An absent one has an empty content. */
int tracedat_content(struct tracedat *t, enum section_id id, struct slice *content,
		     struct error *err);

/* tracedat-v6.c, tracedat-v7.c: from behind the first words on */
int tracedat_read_v6(struct tracedat *t, struct slice *s, struct error *err);
int tracedat_read_v7(struct tracedat *t, struct slice *s, struct error *err);
/* Version 7: the section `id` lies at `offset`. */
int tracedat_option_section(struct tracedat *t, enum section_id id, uint64_t offset,
			    struct error *err);

/* tracedat-foreign.c: through libtracecmd; -1 when that doesn't know it either */
int tracedat_read_foreign(struct tracedat *t, int fd);

struct foreign_pages;

struct foreign_pages *foreign_pages_new(const struct tracedat *t, const struct tracedat_buffer *b,
					struct error *err);
void foreign_pages_free(struct foreign_pages *p);
const struct page_source *foreign_pages_source(const struct foreign_pages *p);

/* tracedat-places.c; the buffer that is added may move when the next one is */
struct tracedat_buffer *tracedat_buffer_add(struct tracedat *t, const char *name);
int tracedat_check_page_size(const struct tracedat *t, uint32_t size, struct error *err);
int tracedat_extent(struct tracedat *t, struct tracedat_buffer *b, uint32_t cpu, uint64_t offset,
		    uint64_t size, struct error *err);

/* tracedat-options.c */
struct options_reader {
	struct tracedat *t;
	uint64_t next; /* version 7: offset of the next options section, 0 = no more */
	uint64_t cpu_count; /* of the option CPUCOUNT, 0 = none */
	bool clock_follows; /* version 6: the text of trace_clock stands behind the CPUs' table */
	/* A buffer is described: version 6 its offset only, version 7 all of it. */
	int (*buffer)(void *ctx, struct slice *option, struct error *err);
	void *ctx;
};

/* Reads options up to DONE. Returns 0, -1 with *err. */
int tracedat_options(struct options_reader *o, struct slice *s, struct error *err);
/* The name between the brackets of trace_clock's text, NULL when there is none; to be freed. */
char *tracedat_clock_name(const char *text, size_t len);

/* tracedat-formats.c */
int tracedat_read_headers(struct tracedat *t, struct error *err);
/* Walks a section of version 6, whose end nothing but its content tells. */
void tracedat_skip_headers(struct slice *s);
void tracedat_skip_formats(struct slice *s, bool systems);

/* tracedat-chunks.c */
struct inflater;

struct inflater *inflater_new(enum compression compression);
void inflater_free(struct inflater *i);
/* Exactly `size` bytes must come out; else -1. */
int inflater_run(struct inflater *i, const unsigned char *from, size_t from_size,
		 unsigned char *to, size_t size);

enum chunk_state { CHUNK_WAITING, CHUNK_RUNNING, CHUNK_DONE, CHUNK_FAILED };

/* A chunk of records and the memory for what it holds. */
struct chunk {
	struct chunk *next;	   /* of its CPU */
	struct chunk *waiting;	   /* behind it, for a thread of the crew */
	enum chunk_state state;	   /* the crew's, as long as it has it */
	const unsigned char *from; /* in the file, `packed` bytes */
	uint32_t packed;
	uint64_t first, pages;
	size_t size, room; /* of data[]: in use, there */
	_Alignas(8) unsigned char data[];
};

/* tracedat-crew.c: threads that inflate ahead of a reader, which is one thread */
struct crew;

/* NULL: there can't be any. Fewer threads than were asked for, when the system gives no more. */
struct crew *crew_new(enum compression compression, unsigned int threads);
/* Chunks that it was given are still the caller's. */
void crew_free(struct crew *c);
unsigned int crew_size(const struct crew *c);
/* It has the chunk until crew_forget(), and looks for what it was given at crew_start(). */
void crew_add(struct crew *c, struct chunk *h);
void crew_start(struct crew *c);
/* Until it is inflated, by whomever; -1 when it can't be. `own` is the caller's. */
int crew_want(struct crew *c, struct chunk *h, struct inflater *own);
void crew_forget(struct crew *c, struct chunk *h);

/*
 * Walks all chunk headers of an extent, remembers where they are and sets the extent's end; its
 * data is cut when they are not all there, or one of them can't be.
 */
void chunks_scan(const struct tracedat_buffer *b, struct extent *e);

#endif
