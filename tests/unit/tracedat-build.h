/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds trace.dat files for the tests of their reader: versions 6 and 7, plain and compressed,
 * with any options and several buffers. Independent of the reader and of the program's writer.
 */
#ifndef HVSCOPE_TESTS_TRACEDAT_BUILD_H
#define HVSCOPE_TESTS_TRACEDAT_BUILD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

/* Whether this build knows a compression. */
static inline bool build_has(const char *compression)
{
#ifdef HAVE_ZLIB
	if (!strcmp(compression, "zlib"))
		return true;
#endif
#ifdef HAVE_ZSTD
	if (!strcmp(compression, "zstd"))
		return true;
#endif
	return !strcmp(compression, "none");
}

/* Bytes that grow. */
struct blob {
	unsigned char *p;
	size_t len, room;
};

static inline void put(struct blob *b, const void *p, size_t len)
{
	if (b->len + len >= b->room) {
		b->room = 2 * (b->len + len) + 64;
		b->p = realloc(b->p, b->room);
	}
	if (len)
		memcpy(b->p + b->len, p, len);
	b->len += len;
}

static inline void put_u16(struct blob *b, uint16_t v)
{
	put(b, &v, sizeof(v));
}

static inline void put_u32(struct blob *b, uint32_t v)
{
	put(b, &v, sizeof(v));
}

static inline void put_u64(struct blob *b, uint64_t v)
{
	put(b, &v, sizeof(v));
}

static inline void put_string(struct blob *b, const char *s)
{
	put(b, s, strlen(s) + 1);
}

static inline void put_zeros(struct blob *b, size_t len)
{
	while (len--)
		put(b, "", 1);
}

static inline void set_u64(struct blob *b, size_t at, uint64_t v)
{
	memcpy(b->p + at, &v, sizeof(v));
}

enum { BUILD_CPUS = 4, BUILD_BUFFERS = 3, BUILD_PAGE = 4096, BUILD_CHUNK = 10 * BUILD_PAGE };

struct build_buffer {
	const char *name, *clock;
	unsigned int cpus;
	struct blob cpu[BUILD_CPUS]; /* not owned */
	bool own_options;	     /* version 6: says its number of CPUs in options of its own */
};

struct build {
	int version;
	const char *compression; /* version 7: "none", "zlib", "zstd" */
	const char *header_page, *header_event;
	const char *system, *format; /* one event */
	const char *kallsyms, *printk, *cmdlines;
	struct blob options; /* id, length, bytes; … without DONE. Not owned */
	unsigned int buffers; /* the first is the top buffer */
	struct build_buffer buffer[BUILD_BUFFERS];
	unsigned int chunk; /* inflated bytes of a chunk; 0 = BUILD_CHUNK */
	bool odd; /* its version is "06" or "07": libtracecmd knows it, our reader doesn't */
};

static inline void put_headers(struct blob *b, const struct build *f)
{
	put_string(b, "header_page");
	put_u64(b, strlen(f->header_page));
	put(b, f->header_page, strlen(f->header_page));
	put_string(b, "header_event");
	put_u64(b, strlen(f->header_event));
	put(b, f->header_event, strlen(f->header_event));
}

static inline void put_events(struct blob *b, const struct build *f)
{
	put_u32(b, 1);
	put_string(b, f->system);
	put_u32(b, 1);
	put_u64(b, strlen(f->format));
	put(b, f->format, strlen(f->format));
}

static inline void put_text(struct blob *b, const char *text, int width)
{
	if (width == 4)
		put_u32(b, (uint32_t)strlen(text));
	else
		put_u64(b, strlen(text));
	put(b, text, strlen(text));
}

/* Magic, version, this machine's byte order, longs of 8 bytes, pages of 4096. */
static inline void put_start(struct blob *b, const struct build *f)
{
	const uint16_t one = 1;
	char version[16];

	snprintf(version, sizeof(version), "%s%d", f->odd ? "0" : "", f->version);
	put(b, "\x17\x08\x44tracing", 10);
	put_string(b, version);
	put(b, *(const unsigned char *)&one ? "\0\x08" : "\1\x08", 2);
	put_u32(b, BUILD_PAGE);
}

/* --- version 6 --- */

/* Records lie on pages of the file, behind the table that says where. */
static inline void put_records_v6(struct blob *b, const struct build_buffer *buf, bool clock)
{
	char text[64];
	size_t table = b->len;
	unsigned int cpu;

	put_zeros(b, 16 * buf->cpus);
	if (clock) {
		snprintf(text, sizeof(text), "[%s] counter\n", buf->clock);
		put_text(b, text, 8);
	}
	for (cpu = 0; cpu < buf->cpus; cpu++) {
		put_zeros(b, (BUILD_PAGE - b->len % BUILD_PAGE) % BUILD_PAGE);
		set_u64(b, table + 16 * cpu, b->len);
		set_u64(b, table + 16 * cpu + 8, buf->cpu[cpu].len);
		put(b, buf->cpu[cpu].p, buf->cpu[cpu].len);
	}
}

static inline struct blob build_v6(const struct build *f)
{
	struct blob b = { 0 };
	size_t places[BUILD_BUFFERS];
	unsigned int i;

	put_start(&b, f);
	put_headers(&b, f);
	put_u32(&b, 0);
	put_events(&b, f);
	put_text(&b, f->kallsyms, 4);
	put_text(&b, f->printk, 4);
	put_text(&b, f->cmdlines, 8);
	put_u32(&b, f->buffer[0].cpus);
	put(&b, "options  ", 10);
	/* TRACECLOCK. trace-cmd writes no text here, and libtracecmd reads it nevertheless. */
	put_u16(&b, 4);
	put_u32(&b, 2);
	put(&b, " ", 2);
	put(&b, f->options.p, f->options.len);
	for (i = 1; i < f->buffers; i++) {
		put_u16(&b, 3);
		put_u32(&b, 8 + (uint32_t)strlen(f->buffer[i].name) + 1);
		places[i] = b.len;
		put_u64(&b, 0);
		put_string(&b, f->buffer[i].name);
	}
	put_u16(&b, 0);
	put(&b, "flyrecord", 10);
	put_records_v6(&b, &f->buffer[0], true);
	for (i = 1; i < f->buffers; i++) {
		set_u64(&b, places[i], b.len);
		if (f->buffer[i].own_options) {
			put(&b, "options  ", 10);
			put_u16(&b, 8); /* CPUCOUNT */
			put_u32(&b, 4);
			put_u32(&b, f->buffer[i].cpus);
			put_u16(&b, 0);
		}
		put(&b, "flyrecord", 10);
		put_records_v6(&b, &f->buffer[i], false);
	}
	return b;
}

/* --- version 7 --- */

static inline struct blob pack(const char *how, const unsigned char *p, size_t len)
{
	struct blob b = { 0 };

#ifdef HAVE_ZLIB
	if (!strcmp(how, "zlib")) {
		uLongf size = compressBound(len);

		b.p = malloc(size);
		compress(b.p, &size, p, len);
		b.len = size;
		return b;
	}
#endif
#ifdef HAVE_ZSTD
	if (!strcmp(how, "zstd")) {
		b.p = malloc(ZSTD_compressBound(len));
		b.len = ZSTD_compress(b.p, ZSTD_compressBound(len), p, len, 1);
		return b;
	}
#endif
	(void)how;
	put(&b, p, len);
	return b;
}

/* A section before the records; its place. */
static inline uint64_t put_section(struct blob *b, const struct build *f, int id,
				   struct blob content)
{
	bool packed = strcmp(f->compression, "none");
	struct blob p = pack(f->compression, content.p, content.len);
	uint64_t place = b->len;

	put_u16(b, (uint16_t)id);
	put_u16(b, packed);
	put_u32(b, 0);
	put_u64(b, p.len + (packed ? 8 : 0));
	if (packed) {
		put_u32(b, (uint32_t)p.len);
		put_u32(b, (uint32_t)content.len);
	}
	put(b, p.p, p.len);
	free(p.p);
	free(content.p);
	return place;
}

static inline void put_chunks(struct blob *b, const struct build *f, const struct blob *data)
{
	size_t chunk = f->chunk ? f->chunk : BUILD_CHUNK;
	size_t at;

	put_u32(b, (uint32_t)((data->len + chunk - 1) / chunk));
	for (at = 0; at < data->len; at += chunk) {
		size_t size = data->len - at < chunk ? data->len - at : chunk;
		struct blob p = pack(f->compression, data->p + at, size);

		put_u32(b, (uint32_t)p.len);
		put_u32(b, (uint32_t)size);
		put(b, p.p, p.len);
		free(p.p);
	}
}

/* The records of a buffer, and the option that says where they are. */
static inline void put_buffer_v7(struct blob *b, const struct build *f,
				 const struct build_buffer *buf, struct blob *options)
{
	bool packed = strcmp(f->compression, "none");
	uint64_t section = b->len;
	unsigned int cpu;

	put_u16(b, 3);
	put_u16(b, packed);
	put_u32(b, 0);
	put_u64(b, 0);
	put_u16(options, 3);
	put_u32(options, 8 + (uint32_t)strlen(buf->name) + 1 + (uint32_t)strlen(buf->clock) + 1 +
				 8 + 20 * buf->cpus);
	put_u64(options, section);
	put_string(options, buf->name);
	put_string(options, buf->clock);
	put_u32(options, BUILD_PAGE);
	put_u32(options, buf->cpus);
	for (cpu = 0; cpu < buf->cpus; cpu++) {
		uint64_t place;

		if (!packed)
			put_zeros(b, (BUILD_PAGE - b->len % BUILD_PAGE) % BUILD_PAGE);
		place = b->len;
		if (packed && buf->cpu[cpu].len)
			put_chunks(b, f, &buf->cpu[cpu]);
		else
			put(b, buf->cpu[cpu].p, buf->cpu[cpu].len);
		put_u32(options, cpu);
		put_u64(options, place);
		put_u64(options, b->len - place - (packed && buf->cpu[cpu].len ? 4 : 0));
	}
	set_u64(b, section + 8, b->len - section - 16);
}

static inline void put_place(struct blob *options, int id, uint64_t place)
{
	put_u16(options, (uint16_t)id);
	put_u32(options, 8);
	put_u64(options, place);
}

static inline struct blob build_v7(const struct build *f)
{
	struct blob b = { 0 }, options = { 0 }, part = { 0 };
	size_t where;
	unsigned int i;

	put_start(&b, f);
	put_string(&b, f->compression);
	put_string(&b, "1");
	where = b.len;
	put_u64(&b, 0);

	put_headers(&part, f);
	put_place(&options, 16, put_section(&b, f, 16, part));
	part = (struct blob){ 0 };
	put_u32(&part, 0);
	put_place(&options, 17, put_section(&b, f, 17, part));
	part = (struct blob){ 0 };
	put_events(&part, f);
	put_place(&options, 18, put_section(&b, f, 18, part));
	part = (struct blob){ 0 };
	put_text(&part, f->kallsyms, 4);
	put_place(&options, 19, put_section(&b, f, 19, part));
	part = (struct blob){ 0 };
	put_text(&part, f->printk, 4);
	put_place(&options, 20, put_section(&b, f, 20, part));
	part = (struct blob){ 0 };
	put_text(&part, f->cmdlines, 8);
	put_place(&options, 21, put_section(&b, f, 21, part));
	put(&options, f->options.p, f->options.len);
	for (i = 0; i < f->buffers; i++)
		put_buffer_v7(&b, f, &f->buffer[i], &options);
	put_u16(&options, 0);
	put_u32(&options, 8);
	put_u64(&options, 0);

	set_u64(&b, where, b.len);
	put_u16(&b, 0);
	put_u16(&b, 0);
	put_u32(&b, 0);
	put_u64(&b, options.len);
	put(&b, options.p, options.len);
	free(options.p);
	return b;
}

static inline struct blob build_file(const struct build *f)
{
	return f->version == 6 ? build_v6(f) : build_v7(f);
}

#endif
