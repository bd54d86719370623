// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trace.dat: the file, its first words and its sections. Every offset and length of the file goes
 * through a slice, which cannot leave the file.
 */
#include "trace/tracedat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/cursor-fallback.h"
#include "trace/tracedat-internal.h"

int tracedat_damaged(const struct tracedat *t, struct error *err, const char *fmt, ...)
{
	char what[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return error_set(err, "%s is damaged: %s; take another copy of it or record anew", t->name,
			 what);
}

int tracedat_cut_short(const struct tracedat *t, struct error *err, const char *what)
{
	return error_set(err,
			 "%s is cut short or damaged: %s aren't whole within its %zu bytes; take "
			 "another copy of it or record anew",
			 t->name, what, t->size);
}

static const unsigned char *slice_bytes(struct slice *s, uint64_t len)
{
	const unsigned char *p = s->p;

	if (s->cut || len > slice_left(s)) {
		s->cut = true;
		s->p = s->end;
		return NULL;
	}
	s->p += len;
	return p;
}

uint16_t slice_u16(struct slice *s)
{
	const unsigned char *p = slice_bytes(s, 2);
	uint16_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return s->swap ? __builtin_bswap16(v) : v;
}

uint32_t slice_u32(struct slice *s)
{
	const unsigned char *p = slice_bytes(s, 4);
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return s->swap ? __builtin_bswap32(v) : v;
}

uint64_t slice_u64(struct slice *s)
{
	const unsigned char *p = slice_bytes(s, 8);
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return s->swap ? __builtin_bswap64(v) : v;
}

const char *slice_string(struct slice *s)
{
	const unsigned char *end = memchr(s->p, '\0', slice_left(s));

	if (s->cut || !end) {
		s->cut = true;
		s->p = s->end;
		return "";
	}
	return (const char *)slice_bytes(s, (uint64_t)(end - s->p) + 1);
}

struct slice slice_take(struct slice *s, uint64_t len)
{
	const unsigned char *p = slice_bytes(s, len);
	struct slice part = { .p = s->end, .end = s->end, .swap = s->swap };

	if (p) {
		part.p = p;
		part.end = p + len;
	}
	return part;
}

bool slice_is(struct slice *s, const char *want, size_t len)
{
	const unsigned char *p = slice_bytes(s, len);

	return p && !memcmp(p, want, len);
}

struct slice tracedat_at(const struct tracedat *t, uint64_t offset)
{
	struct slice s = { .p = t->base, .end = t->base + t->size, .swap = t->swap };

	slice_bytes(&s, offset);
	return s;
}

/* --- sections --- */

struct section *tracedat_section(struct tracedat *t, enum section_id id)
{
	return &t->sections[id - SECTION_HEADERS];
}

int tracedat_inflate(struct tracedat *t, struct section *s, struct error *err)
{
	uint32_t from_size = slice_u32(&s->content);
	uint32_t size = slice_u32(&s->content);
	struct slice from = slice_take(&s->content, from_size);
	struct inflater *inflater;
	int ret;

	if (s->content.cut || size > SECTION_MAX)
		return tracedat_damaged(t, err, "a compressed section claims %u bytes in %u", size,
					from_size);
	inflater = inflater_new(t->compression);
	s->inflated = xmalloc(size ? size : 1);
	ret = inflater_run(inflater, from.p, from_size, s->inflated, size);
	inflater_free(inflater);
	if (ret)
		return tracedat_damaged(t, err, "a section compressed with %s can't be inflated",
					t->facts.compression);
	s->content = (struct slice){ .p = s->inflated, .end = s->inflated + size, .swap = t->swap };
	return 0;
}

int tracedat_content(struct tracedat *t, enum section_id id, struct slice *content,
		     struct error *err)
{
	struct section *s = tracedat_section(t, id);

	if (!s->there) {
		*content = (struct slice){ .p = t->base, .end = t->base, .swap = t->swap };
		return 0;
	}
	if (s->packed && !s->inflated && tracedat_inflate(t, s, err))
		return -1;
	*content = s->content;
	return 0;
}

/* --- the file --- */

static int set_compression(struct tracedat *t, struct slice *s, bool *foreign, struct error *err)
{
	static const char *const names[] = {
		[COMPRESSION_NONE] = "none",
		[COMPRESSION_ZLIB] = "zlib",
		[COMPRESSION_ZSTD] = "zstd",
	};
	const char *name = slice_string(s);
	struct inflater *inflater;
	size_t i;

	slice_string(s); /* version of the compressing library */
	if (s->cut)
		return tracedat_cut_short(t, err, "its first words");
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			break;
	t->compression = (enum compression)i;
	inflater = i < ARRAY_SIZE(names) ? inflater_new(t->compression) : NULL;
	if (!inflater) {
		*foreign = true;
		return error_set(err,
				 "%s is compressed with \"%.20s\", which this hvscope was built "
				 "without; convert it: trace-cmd convert --compression none",
				 t->name, name);
	}
	inflater_free(inflater);
	t->facts.compression = names[i];
	return 0;
}

static int not_a_trace(const struct tracedat *t, struct error *err)
{
	static const struct {
		const char *magic;
		size_t len;
		const char *hint;
	} others[] = {
		{ "PERFILE2", 8, "is a file of perf record: look at it with perf kvm stat report" },
		{ "\x1f\x8b", 2, "is compressed with gzip: gunzip it first" },
		{ "\xfd" "7zXZ", 5, "is compressed with xz: unxz it first" },
		{ "\x28\xb5\x2f\xfd", 4, "is compressed with zstd: unzstd it first" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (t->size >= others[i].len && !memcmp(t->base, others[i].magic, others[i].len))
			return error_set(err, "%s %s", t->name, others[i].hint);
	return error_set(err,
			 "%s is no trace.dat: it doesn't begin as trace-cmd record and hvscope "
			 "record write it",
			 t->name);
}

static int read_file(struct tracedat *t, bool *foreign, struct error *err)
{
	const int one = 1;
	struct slice s = { .p = t->base, .end = t->base + t->size };
	const unsigned char *flags;
	const char *version;

	if (!t->size)
		return error_set(err, "%s is empty: nothing was recorded into it", t->name);
	if (!slice_is(&s, "\x17\x08\x44tracing", 10))
		return not_a_trace(t, err);
	version = slice_string(&s);
	flags = slice_bytes(&s, 2);
	if (!flags)
		return tracedat_cut_short(t, err, "its first words");
	if (strcmp(version, "6") && strcmp(version, "7")) {
		*foreign = true;
		t->facts.version = (unsigned int)strtoul(version, NULL, 10);
		return error_set(err,
				 "%s is a trace.dat of version \"%.20s\", hvscope knows 6 and 7; "
				 "convert it: trace-cmd convert --file-version 7",
				 t->name, version);
	}
	t->facts.version = *version == '6' ? 6 : 7;
	t->facts.compression = "none";
	t->facts.big_endian = flags[0] == 1;
	t->facts.long_size = flags[1];
	if (flags[0] > 1 || (flags[1] != 4 && flags[1] != 8))
		return tracedat_damaged(t, err, "it claims longs of %u bytes", flags[1]);
	t->swap = t->facts.big_endian == *(const unsigned char *)&one;
	s.swap = t->swap;
	t->page_size = slice_u32(&s);
	if (tracedat_check_page_size(t, t->page_size, err))
		return -1;
	if (t->facts.version == 7 && set_compression(t, &s, foreign, err))
		return -1;
	if (t->facts.version == 7 ? tracedat_read_v7(t, &s, err) : tracedat_read_v6(t, &s, err))
		return -1;
	if (!t->n_buffers)
		return error_set(err, "%s holds no records: record some (trace-cmd record -e …)",
				 t->name);
	return tracedat_read_headers(t, err);
}

/* A pipe can't be mapped. */
static int read_all(struct tracedat *t, int fd, struct error *err)
{
	size_t room = 0;
	ssize_t got;

	do {
		if (t->size == room) {
			if (room >= PIPE_MAX)
				return error_set(err,
						 "%s is no file and holds more than %d MB: "
						 "write it to a file first",
						 t->name, PIPE_MAX >> 20);
			room = room ? room * 2 : 1 << 20;
			t->base = xreallocarray(t->base, room, 1);
		}
		got = read(fd, t->base + t->size, room - t->size);
		if (got > 0)
			t->size += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	return got < 0 ? error_errno(err, errno, "%s can't be read", t->name) : 0;
}

static int map_file(struct tracedat *t, int fd, struct error *err)
{
	struct stat st;
	void *map;

	if (fstat(fd, &st))
		return error_errno(err, errno, "%s can't be looked at", t->name);
	if (S_ISDIR(st.st_mode))
		return error_set(err, "%s is a directory: name the trace.dat in it", t->name);
	if (!S_ISREG(st.st_mode) || !st.st_size || (uintmax_t)st.st_size > SIZE_MAX)
		return read_all(t, fd, err);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return read_all(t, fd, err);
	t->base = map;
	t->size = (size_t)st.st_size;
	t->mapped = true;
	madvise(map, t->size, MADV_SEQUENTIAL);
	return 0;
}

/* Ours or, where ours says that it doesn't know it, libtracecmd's. */
static int read_any(struct tracedat *t, int fd, struct error *err)
{
	bool foreign = false;

	if (!read_file(t, &foreign, err))
		return 0;
	if (!foreign || tracedat_read_foreign(t, fd))
		return -1;
	if (err)
		*err = (struct error){ 0 };
	return 0;
}

struct tracedat *tracedat_open_fd(int fd, const char *name, struct error *err)
{
	struct tracedat *t = xcalloc(1, sizeof(*t));

	t->name = xstrdup(name);
	t->own_fd = -1;
	if (!map_file(t, fd, err) && !read_any(t, fd, err))
		return t;
	tracedat_free(t);
	return NULL;
}

struct tracedat *tracedat_open(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct tracedat *t;

	if (fd < 0) {
		error_errno(err, errno, "%s can't be opened", path);
		return NULL;
	}
	t = tracedat_open_fd(fd, path, err);
	if (t && t->fallback)
		t->own_fd = fd;
	else
		close(fd);
	return t;
}

static void buffer_free(struct tracedat_buffer *b)
{
	unsigned int cpu;

	for (cpu = 0; cpu < b->cpus; cpu++)
		free(b->extents[cpu].chunks.marks);
	free(b->extents);
	free(b->name);
	free(b->clock);
}

void tracedat_free(struct tracedat *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < t->n_buffers; i++)
		buffer_free(&t->buffers[i]);
	free(t->buffers);
	for (i = 0; i < ARRAY_SIZE(t->sections); i++)
		free(t->sections[i].inflated);
	for (i = 0; i < t->n_events; i++) {
		free(t->events[i].system);
		free(t->events[i].name);
		free(t->events[i].made);
	}
	free(t->events);
	for (i = 0; i < t->n_comms; i++)
		free(t->comms[i].comm);
	free(t->comms);
	for (i = 0; i < t->time_shift.cpus; i++)
		free(t->time_shift.cpu[i].samples);
	free(t->time_shift.cpu);
	free(t->uname);
	free(t->recorder);
	free(t->clock);
	free(t->name);
	fallback_free(t->fallback);
	if (t->own_fd >= 0)
		close(t->own_fd);
	if (t->mapped)
		munmap(t->base, t->size);
	else
		free(t->base);
	free(t);
}

const struct tracedat_facts *tracedat_facts(const struct tracedat *t)
{
	return &t->facts;
}

/* --- buffers --- */

const struct tracedat_buffer *tracedat_buffer_at(const struct tracedat *t, size_t n)
{
	return n < t->n_buffers ? &t->buffers[n] : NULL;
}

const struct tracedat_buffer *tracedat_buffer(const struct tracedat *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n_buffers; i++)
		if (!strcmp(t->buffers[i].name, name ? name : ""))
			return &t->buffers[i];
	return name && *name ? NULL : &t->buffers[0];
}

const char *tracedat_buffer_name(const struct tracedat_buffer *b)
{
	return b->name;
}

const char *tracedat_buffer_clock(const struct tracedat_buffer *b)
{
	return b->clock;
}

unsigned int tracedat_buffer_cpus(const struct tracedat_buffer *b)
{
	return b->cpus;
}

uint64_t tracedat_buffer_pages(const struct tracedat_buffer *b, unsigned int cpu)
{
	return cpu < b->cpus ? b->extents[cpu].pages : 0;
}

uint64_t tracedat_buffer_bytes(const struct tracedat_buffer *b)
{
	uint64_t bytes = 0;
	unsigned int cpu;

	for (cpu = 0; cpu < b->cpus; cpu++)
		bytes += b->packed ? b->extents[cpu].chunks.bytes :
				     slice_left(&b->extents[cpu].data);
	return bytes;
}

struct page_layout tracedat_layout(const struct tracedat *t, const struct tracedat_buffer *b)
{
	if (t->fallback)
		return t->foreign_layout;
	return (struct page_layout){
		.long_size = t->facts.long_size,
		.data = t->data_offset,
		.size = b->page_size,
		.swap = t->swap,
	};
}
