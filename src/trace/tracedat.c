// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trace.dat: the file, its header, its sections and the places of its records. Every offset and
 * length of the file goes through a slice, which cannot leave the file.
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

/* Something ends beyond the file: mostly it is the file that ends too early. */
static int cut_short(const struct tracedat *t, struct error *err, const char *what)
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

/* Takes `len` bytes that must be just these. */
static bool slice_is(struct slice *s, const char *want, size_t len)
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

/* --- sections ------------------------------------------------------------------------------- */

struct section *tracedat_section(struct tracedat *t, enum section_id id)
{
	return &t->sections[id - SECTION_HEADERS];
}

static int inflate_section(struct tracedat *t, struct section *s, struct error *err)
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
		return tracedat_damaged(t, err, "a section that is compressed with %s can't be inflated",
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
	if (s->packed && !s->inflated && inflate_section(t, s, err))
		return -1;
	*content = s->content;
	return 0;
}

/* --- places of the records -------------------------------------------------------------------- */

static struct tracedat_buffer *buffer_add(struct tracedat *t, const char *name)
{
	struct tracedat_buffer *b;

	t->buffers = xreallocarray(t->buffers, t->n_buffers + 1, sizeof(*t->buffers));
	b = &t->buffers[t->n_buffers++];
	*b = (struct tracedat_buffer){ .name = xstrdup(name), .page_size = t->page_size };
	return b;
}

/* Room for `cpu` and all below it; those that the file doesn't name stay empty. */
static struct extent *buffer_cpu(struct tracedat_buffer *b, uint32_t cpu)
{
	if (cpu >= b->cpus) {
		b->extents = xreallocarray(b->extents, cpu + 1, sizeof(*b->extents));
		memset(b->extents + b->cpus, 0, (cpu + 1 - b->cpus) * sizeof(*b->extents));
		b->cpus = cpu + 1;
	}
	return &b->extents[cpu];
}

static int buffer_extent(struct tracedat *t, struct tracedat_buffer *b, uint32_t cpu,
			 uint64_t offset, uint64_t size, struct error *err)
{
	struct slice all = tracedat_at(t, offset);
	struct extent *e;
	char what[64];

	if (cpu >= CPUS_MAX)
		return tracedat_damaged(t, err, "it has records of a CPU %u", cpu);
	e = buffer_cpu(b, cpu);
	if (!size)
		return 0;
	if (e->data.p != e->data.end)
		return tracedat_damaged(t, err, "it has the records of CPU %u twice", cpu);
	snprintf(what, sizeof(what), "the records of CPU %u", cpu);
	if (b->packed) {
		/* The size of compressed ones is never right: recorders count it in 32 bits. */
		e->data = all;
		chunks_scan(b, e);
		return e->data.cut ? cut_short(t, err, what) : 0;
	}
	e->data = slice_take(&all, size);
	if (all.cut)
		return cut_short(t, err, what);
	if (offset % b->page_size)
		return tracedat_damaged(t, err, "the records of CPU %u don't begin on a page", cpu);
	e->pages = (size + b->page_size - 1) / b->page_size;
	return 0;
}

static int check_page_size(const struct tracedat *t, uint32_t size, struct error *err)
{
	if (size < PAGE_MIN || size > PAGE_MAX || (size & (size - 1)))
		return tracedat_damaged(t, err, "it claims sub-buffers of %u bytes", size);
	return 0;
}

static int extent_order(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;

	return (x->p > y->p) - (x->p < y->p);
}

/* Records that lie in one another would let a small file claim any amount of them. */
static int check_overlaps(struct tracedat *t, struct error *err)
{
	struct slice *all = NULL;
	size_t i, cpu, n = 0, total = 0;
	int ret = 0;

	for (i = 0; i < t->n_buffers; i++)
		total += t->buffers[i].cpus;
	all = xcalloc(total + 1, sizeof(*all));
	for (i = 0; i < t->n_buffers; i++)
		for (cpu = 0; cpu < t->buffers[i].cpus; cpu++)
			if (t->buffers[i].extents[cpu].pages)
				all[n++] = t->buffers[i].extents[cpu].data;
	qsort(all, n, sizeof(*all), extent_order);
	for (i = 1; i < n && !ret; i++)
		if (all[i].p < all[i - 1].end)
			ret = tracedat_damaged(t, err, "records of two CPUs lie in the same place");
	free(all);
	return ret;
}

/* --- version 6 -------------------------------------------------------------------------------- */

/* A section of version 6 is what lies between here and where reading it ends. */
static void section_v6(struct tracedat *t, enum section_id id, const unsigned char *start,
		       const struct slice *s)
{
	struct section *section = tracedat_section(t, id);

	section->there = true;
	section->content = (struct slice){ .p = start, .end = s->p, .swap = t->swap };
}

static int sections_v6(struct tracedat *t, struct slice *s, struct error *err)
{
	const unsigned char *start = s->p;

	tracedat_skip_headers(s);
	section_v6(t, SECTION_HEADERS, start, s);
	if (s->cut)
		return cut_short(t, err, "the formats of pages and records");
	start = s->p;
	tracedat_skip_formats(s, false);
	section_v6(t, SECTION_FTRACE, start, s);
	start = s->p;
	tracedat_skip_formats(s, true);
	section_v6(t, SECTION_EVENTS, start, s);
	if (s->cut)
		return cut_short(t, err, "the formats of events");
	start = s->p;
	slice_take(s, slice_u32(s));
	section_v6(t, SECTION_KALLSYMS, start, s);
	start = s->p;
	slice_take(s, slice_u32(s));
	section_v6(t, SECTION_PRINTK, start, s);
	start = s->p;
	slice_take(s, slice_u64(s));
	section_v6(t, SECTION_CMDLINES, start, s);
	return s->cut ? cut_short(t, err, "the symbols and names of threads") : 0;
}

/* Names and offsets of the other buffers, noted while the options are read. */
struct pending {
	struct tracedat *t;
	struct {
		char *name;
		uint64_t offset;
	} *found;
	size_t n;
};

static int note_buffer(void *ctx, struct slice *option, struct error *err)
{
	struct pending *p = ctx;
	uint64_t offset = slice_u64(option);
	const char *name = slice_string(option);

	if (option->cut || p->n == BUFFERS_MAX)
		return tracedat_damaged(p->t, err, "the description of a buffer is not whole");
	p->found = xreallocarray(p->found, p->n + 1, sizeof(*p->found));
	p->found[p->n].name = xstrdup(name);
	p->found[p->n++].offset = offset;
	return 0;
}

/* From "options" (if any) to the table of CPUs; *cpus is what the number of CPUs is so far. */
static int records_v6(struct options_reader *o, struct slice *s, const char *name, uint32_t *cpus,
		      struct error *err)
{
	struct tracedat *t = o->t;
	struct slice tag = *s;
	struct tracedat_buffer *b;
	uint32_t cpu;

	if (slice_is(&tag, "options  ", 10)) {
		*s = tag;
		if (tracedat_options(o, s, err))
			return -1;
		tag = *s;
	}
	if (slice_is(&tag, "latency  ", 10))
		return error_set(err,
				 "%s holds the text of a latency tracer, no records: record events "
				 "(trace-cmd record -e …)",
				 t->name);
	if (!slice_is(s, "flyrecord", 10))
		return tracedat_damaged(t, err, "no records follow its options");
	if (o->cpu_count)
		*cpus = (uint32_t)min(o->cpu_count, (uint64_t)UINT32_MAX);
	if (*cpus > CPUS_MAX || slice_left(s) / 16 < *cpus)
		return tracedat_damaged(t, err, "it claims %u CPUs", *cpus);
	b = buffer_add(t, name);
	for (cpu = 0; cpu < *cpus; cpu++) {
		uint64_t offset = slice_u64(s);

		if (buffer_extent(t, b, cpu, offset, slice_u64(s), err))
			return -1;
	}
	return 0;
}

/* Old recorders left the clock's text broken: then, as everywhere, it is the clock "local". */
static void clock_v6(struct tracedat *t, struct slice *s)
{
	uint64_t len = slice_u64(s);
	struct slice text = slice_take(s, len);
	size_t i;

	free(t->clock);
	t->clock = tracedat_clock_name((const char *)text.p, slice_left(&text));
	for (i = 0; i < t->n_buffers; i++)
		t->buffers[i].clock = xstrdup(t->clock ? t->clock : "local");
}

static int read_v6(struct tracedat *t, struct slice *s, struct error *err)
{
	struct pending pending = { .t = t };
	struct options_reader o = { .t = t, .buffer = note_buffer, .ctx = &pending };
	struct slice clock;
	uint32_t cpus;
	size_t i;
	int ret;

	if (sections_v6(t, s, err))
		return -1;
	cpus = slice_u32(s);
	ret = records_v6(&o, s, "", &cpus, err);
	clock = *s;
	t->facts.cpus = cpus;
	if (!ret)
		t->buffers[0].shifted = true;
	for (i = 0; i < pending.n && !ret; i++) {
		struct options_reader other = { .t = t, .buffer = note_buffer, .ctx = &pending };
		uint32_t own = cpus;
		struct slice at = tracedat_at(t, pending.found[i].offset);

		ret = records_v6(&other, &at, pending.found[i].name, &own, err);
	}
	for (i = 0; i < pending.n; i++)
		free(pending.found[i].name);
	free(pending.found);
	if (!ret && o.clock_follows)
		clock_v6(t, &clock);
	return ret;
}

/* --- version 7 -------------------------------------------------------------------------------- */

/* The section at an offset, which must be of that kind. */
static int section_at(struct tracedat *t, uint64_t offset, enum section_id id, bool *packed,
		      struct slice *content, struct error *err)
{
	struct slice s = tracedat_at(t, offset);
	unsigned int found = slice_u16(&s);
	unsigned int flags = slice_u16(&s);
	uint64_t size;

	slice_u32(&s); /* its description: a string for people */
	size = slice_u64(&s);
	*packed = flags & 1;
	if (!s.cut && found == id && (!*packed || t->compression != COMPRESSION_NONE))
		*content = slice_take(&s, size);
	else
		return tracedat_damaged(t, err, "at byte %llu there is no section %d",
					(unsigned long long)offset, id);
	return s.cut ? cut_short(t, err, "its sections") : 0;
}

int tracedat_option_section(struct tracedat *t, enum section_id id, uint64_t offset,
			    struct error *err)
{
	struct section *s = tracedat_section(t, id);

	if (s->there)
		return tracedat_damaged(t, err, "it has section %d twice", id);
	s->there = true;
	return section_at(t, offset, id, &s->packed, &s->content, err);
}

static int buffer_v7(void *ctx, struct slice *option, struct error *err)
{
	struct tracedat *t = ctx;
	uint64_t offset = slice_u64(option);
	const char *name = slice_string(option);
	const char *clock = slice_string(option);
	uint32_t page_size = slice_u32(option);
	uint32_t i, cpus = slice_u32(option);
	struct tracedat_buffer *b;
	struct slice content;

	if (option->cut || t->n_buffers == BUFFERS_MAX || slice_left(option) / 20 < cpus)
		return tracedat_damaged(t, err, "the description of a buffer is not whole");
	if (check_page_size(t, page_size, err))
		return -1;
	b = buffer_add(t, name);
	b->page_size = page_size;
	b->clock = *clock ? xstrdup(clock) : NULL;
	b->shifted = !*name;
	if (section_at(t, offset, SECTION_BUFFER, &b->packed, &content, err))
		return -1;
	for (i = 0; i < cpus; i++) {
		uint32_t cpu = slice_u32(option);
		uint64_t at = slice_u64(option);

		if (buffer_extent(t, b, cpu, at, slice_u64(option), err))
			return -1;
	}
	return 0;
}

static int options_v7(struct tracedat *t, uint64_t offset, struct error *err)
{
	struct options_reader o = { .t = t, .buffer = buffer_v7, .ctx = t };
	unsigned int n = 0;

	for (o.next = offset; o.next; n++) {
		struct section s = { 0 };
		int ret;

		if (n == OPTION_SECTIONS_MAX)
			return tracedat_damaged(t, err, "its options never end");
		if (section_at(t, o.next, SECTION_OPTIONS, &s.packed, &s.content, err) ||
		    (s.packed && inflate_section(t, &s, err))) {
			free(s.inflated);
			return -1;
		}
		o.next = 0;
		ret = tracedat_options(&o, &s.content, err);
		free(s.inflated);
		if (ret)
			return -1;
	}
	t->facts.cpus = (unsigned int)min(o.cpu_count, (uint64_t)UINT32_MAX);
	return 0;
}

static int read_v7(struct tracedat *t, struct slice *s, struct error *err)
{
	uint64_t options = slice_u64(s);
	size_t i;

	if (s->cut)
		return cut_short(t, err, "its first words");
	if (!options)
		return error_set(err,
				 "%s was never finished: where its sections lie is not written (is "
				 "its recorder still running, or was it killed?); record anew",
				 t->name);
	if (options_v7(t, options, err))
		return -1;
	for (i = 0; i < t->n_buffers; i++) {
		struct tracedat_buffer b = t->buffers[i];

		if (!b.clock && t->clock)
			t->buffers[i].clock = xstrdup(t->clock);
		if (!*b.name && i) {
			t->buffers[i] = t->buffers[0];
			t->buffers[0] = b;
		}
	}
	return 0;
}

/* --- the file ---------------------------------------------------------------------------------- */

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
		return cut_short(t, err, "its first words");
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
			 "%s is no trace.dat: it doesn't begin as trace-cmd record and hvscope record "
			 "write it",
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
		return cut_short(t, err, "its first words");
	if (strcmp(version, "6") && strcmp(version, "7")) {
		*foreign = true;
		return error_set(err,
				 "%s is a trace.dat of version \"%.20s\", hvscope knows 6 and 7; convert it: "
				 "trace-cmd convert --file-version 7",
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
	if (check_page_size(t, t->page_size, err))
		return -1;
	if (t->facts.version == 7 && set_compression(t, &s, foreign, err))
		return -1;
	if (t->facts.version == 7 ? read_v7(t, &s, err) : read_v6(t, &s, err))
		return -1;
	if (!t->n_buffers)
		return error_set(err, "%s holds no records of events: record some (trace-cmd record -e …)",
				 t->name);
	return tracedat_read_headers(t, err) || check_overlaps(t, err) ? -1 : 0;
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
						 "%s is no file and holds more than %d MB: write it to a "
						 "file first",
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

struct tracedat *tracedat_open_fd(int fd, const char *name, bool *foreign, struct error *err)
{
	struct tracedat *t = xcalloc(1, sizeof(*t));
	bool unused;

	if (!foreign)
		foreign = &unused;
	*foreign = false;
	t->name = xstrdup(name);
	if (!map_file(t, fd, err) && !read_file(t, foreign, err))
		return t;
	tracedat_free(t);
	return NULL;
}

struct tracedat *tracedat_open(const char *path, bool *foreign, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct tracedat *t;

	if (foreign)
		*foreign = false;
	if (fd < 0) {
		error_errno(err, errno, "%s can't be opened", path);
		return NULL;
	}
	t = tracedat_open_fd(fd, path, foreign, err);
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

/* --- buffers ----------------------------------------------------------------------------------- */

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
		bytes += b->packed ? b->extents[cpu].chunks.bytes : slice_left(&b->extents[cpu].data);
	return bytes;
}

struct page_layout tracedat_layout(const struct tracedat *t, const struct tracedat_buffer *b)
{
	return (struct page_layout){
		.long_size = t->facts.long_size,
		.data = t->data_offset,
		.size = b->page_size,
		.swap = t->swap,
	};
}
