// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The writer's one rule: where each CPU's records will lie follows from sizes that are known before
 * the first byte is written, so the file is written once, from front to back.
 */
#include "trace/tracedat-write.h"

#include <errno.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Everything before the records, and the padding between them, in memory. */
struct bytes {
	unsigned char *p;
	size_t len, room;
	bool swap;
};

static void put(struct bytes *b, const void *p, size_t len)
{
	if (b->len + len > b->room) {
		b->room = max(b->len + len, 2 * b->room);
		b->p = xreallocarray(b->p, b->room, 1);
	}
	if (len)
		memcpy(b->p + b->len, p, len);
	b->len += len;
}

static void put_u16(struct bytes *b, uint16_t v)
{
	v = b->swap ? __builtin_bswap16(v) : v;
	put(b, &v, sizeof(v));
}

static void put_u32(struct bytes *b, uint32_t v)
{
	v = b->swap ? __builtin_bswap32(v) : v;
	put(b, &v, sizeof(v));
}

static void put_u64(struct bytes *b, uint64_t v)
{
	v = b->swap ? __builtin_bswap64(v) : v;
	put(b, &v, sizeof(v));
}

static void put_string(struct bytes *b, const char *s)
{
	put(b, s, strlen(s) + 1);
}

static void put_text64(struct bytes *b, struct tracedat_text text)
{
	put_u64(b, text.len);
	put(b, text.text, text.len);
}

/* A text whose length has 32 bits; a longer one is left out rather than cut in the middle. */
static void put_text32(struct bytes *b, struct tracedat_text text)
{
	size_t len = text.len > UINT32_MAX ? 0 : text.len;

	put_u32(b, (uint32_t)len);
	put(b, text.text, len);
}

/* --- Formats --- */

static bool is_ftrace(const struct tracedat_event *e)
{
	return !strcmp(e->system, "ftrace");
}

static void put_ftrace(struct bytes *b, const struct tracedat_contents *c)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < c->n_events; i++)
		n += is_ftrace(&c->events[i]);
	put_u32(b, n);
	for (i = 0; i < c->n_events; i++)
		if (is_ftrace(&c->events[i]))
			put_text64(b, c->events[i].format);
}

/* The end of the run of events that have the system of event i. */
static size_t system_end(const struct tracedat_contents *c, size_t i)
{
	size_t end = i;

	while (end < c->n_events && !strcmp(c->events[end].system, c->events[i].system))
		end++;
	return end;
}

static void put_systems(struct bytes *b, const struct tracedat_contents *c)
{
	size_t i, end;
	uint32_t n = 0;

	for (i = 0; i < c->n_events; i = system_end(c, i))
		n += !is_ftrace(&c->events[i]);
	put_u32(b, n);
	for (i = 0; i < c->n_events; i = end) {
		end = system_end(c, i);
		if (is_ftrace(&c->events[i]))
			continue;
		put_string(b, c->events[i].system);
		put_u32(b, (uint32_t)(end - i));
		for (; i < end; i++)
			put_text64(b, c->events[i].format);
	}
}

/* --- Options --- */

static void put_option(struct bytes *b, uint16_t id, const void *p, size_t len)
{
	put_u16(b, id);
	put_u32(b, (uint32_t)len);
	put(b, p, len);
}

static void put_text_option(struct bytes *b, uint16_t id, const char *text)
{
	put_option(b, id, text, strlen(text) + 1);
}

static const char *or_none(const char *text)
{
	return text ? text : "(none)";
}

static void put_options(struct bytes *b, const struct tracedat_contents *c, const char *clock)
{
	char *uname = xasprintf("Linux %s %s %s", or_none(c->host), or_none(c->kernel),
				or_none(c->machine));
	size_t i;

	put(b, "options  ", 10);
	put_text_option(b, 4, clock);
	if (c->kernel)
		put_text_option(b, 5, uname);
	if (c->recorder)
		put_text_option(b, 9, c->recorder);
	put_u16(b, 11);
	put_u32(b, 8);
	put_u64(b, c->trace_id);
	for (i = 0; i < c->n_stats; i++) {
		/* Readers take the last byte for the NUL that a string has. */
		put_u16(b, 2);
		put_u32(b, (uint32_t)c->stats[i].len + 1);
		put(b, c->stats[i].text, c->stats[i].len);
		put(b, "", 1);
	}
	put_u16(b, 8);
	put_u32(b, 4);
	put_u32(b, c->cpus);
	put_u16(b, 0);
	free(uname);
}

/* --- Places of the records --- */

static uint64_t aligned(uint64_t at, unsigned int page_size)
{
	return (at + page_size - 1) / page_size * page_size;
}

static uint64_t cpu_size(const struct tracedat_contents *c, unsigned int cpu)
{
	uint64_t size = 0;
	size_t i;

	for (i = 0; i < c->n_parts; i++)
		if (c->parts[i].cpu == cpu)
			size += c->parts[i].size;
	return size;
}

/* The table of CPUs, and the clock's text behind it; records begin on the page after both. */
static void put_table(struct bytes *b, const struct tracedat_contents *c, const char *clock)
{
	struct tracedat_text text = { clock, strlen(clock) };
	uint64_t at = b->len + 16 * (uint64_t)c->cpus + 8 + text.len;
	unsigned int cpu;

	for (cpu = 0; cpu < c->cpus; cpu++) {
		uint64_t size = cpu_size(c, cpu);

		at = aligned(at, c->page_size);
		put_u64(b, at);
		put_u64(b, size);
		at += size;
	}
	put_text64(b, text);
}

static void put_head(struct bytes *b, const struct tracedat_contents *c)
{
	unsigned char flags[2] = { c->big_endian, (unsigned char)c->long_size };
	char *clock = xasprintf("[%s]", c->clock ? c->clock : "local");

	put(b, "\x17\x08\x44tracing6", 12);
	put(b, flags, sizeof(flags));
	put_u32(b, c->page_size);
	put_string(b, "header_page");
	put_text64(b, c->header_page);
	put_string(b, "header_event");
	put_text64(b, c->header_event);
	put_ftrace(b, c);
	put_systems(b, c);
	put_text32(b, c->kallsyms);
	put_text32(b, c->printk);
	put_text64(b, c->cmdlines);
	put_u32(b, c->cpus);
	put_options(b, c, clock);
	put(b, "flyrecord", 10);
	put_table(b, c, clock);
	free(clock);
}

/* --- Out --- */

static int write_all(int fd, const void *p, size_t len)
{
	const unsigned char *from = p;
	ssize_t n;

	for (; len; len -= (size_t)n, from += n) {
		n = write(fd, from, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return -1;
	}
	return 0;
}

static int write_zeros(int fd, uint64_t len)
{
	static const unsigned char zeros[4096];
	int ret = 0;

	for (; len && !ret; len -= min(len, (uint64_t)sizeof(zeros)))
		ret = write_all(fd, zeros, (size_t)min(len, (uint64_t)sizeof(zeros)));
	return ret;
}

/* The file system may let both files have the same blocks: then nothing is copied. */
static bool share_part(int fd, const struct tracedat_part *part)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct file_clone_range range = {
		.src_fd = part->fd, .src_offset = part->offset, .src_length = part->size,
		.dest_offset = (uint64_t)at,
	};

	return at >= 0 && part->size && !ioctl(fd, FICLONERANGE, &range) &&
	       lseek(fd, (off_t)part->size, SEEK_CUR) >= 0;
}

/*
 * In large pieces: as they are written, so the kernel keeps them in its memory, and who maps the
 * file soon pays for each. copy_file_range() makes them of 64 KB at most.
 */
static int copy_part(int fd, const struct tracedat_part *part)
{
	enum { ROOM = 1 << 20 };
	unsigned char *buf = xmalloc(ROOM);
	uint64_t done = 0;
	int ret = 0;

	while (done < part->size && !ret) {
		ssize_t n = pread(part->fd, buf, (size_t)min(part->size - done, (uint64_t)ROOM),
				  (off_t)(part->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (!n)
			errno = ENODATA; /* the part is shorter than was said */
		ret = n <= 0 ? -1 : write_all(fd, buf, (size_t)n);
		done += n > 0 ? (uint64_t)n : 0;
	}
	free(buf);
	return ret;
}

static int write_part(int fd, const struct tracedat_part *part)
{
	if (part->bytes)
		return write_all(fd, part->bytes, (size_t)part->size);
	return share_part(fd, part) ? 0 : copy_part(fd, part);
}

static int write_records(int fd, const struct tracedat_contents *c, uint64_t at)
{
	unsigned int cpu;
	size_t i;

	for (cpu = 0; cpu < c->cpus; cpu++) {
		uint64_t start = aligned(at, c->page_size);

		if (write_zeros(fd, start - at))
			return -1;
		for (i = 0; i < c->n_parts; i++)
			if (c->parts[i].cpu == cpu && write_part(fd, &c->parts[i]))
				return -1;
		at = start + cpu_size(c, cpu);
	}
	return 0;
}

int tracedat_write(int fd, const struct tracedat_contents *contents, struct error *err)
{
	const uint16_t one = 1;
	struct bytes head = { .swap = contents->big_endian == *(const unsigned char *)&one };
	int ret;

	put_head(&head, contents);
	ret = write_all(fd, head.p, head.len);
	if (!ret)
		ret = write_records(fd, contents, head.len);
	free(head.p);
	return ret ? error_errno(err, errno, "the trace can't be written") : 0;
}

int tracedat_contents(struct tracedat *t, struct tracedat_contents *contents,
		      struct tracedat_event **events, struct error *err)
{
	const struct tracedat_facts *facts = tracedat_facts(t);
	const struct tracedat_buffer *b = tracedat_buffer(t, NULL);
	struct tracedat_event event;
	size_t n = 0;
	int ret;

	*contents = (struct tracedat_contents){
		.big_endian = facts->big_endian,
		.long_size = facts->long_size,
		.page_size = tracedat_layout(t, b).size,
		.header_page = tracedat_header_page(t),
		.header_event = tracedat_header_event(t),
		.clock = tracedat_buffer_clock(b),
		.host = facts->host,
		.kernel = facts->kernel,
		.machine = facts->machine,
		.recorder = facts->recorder,
		.trace_id = facts->trace_id,
		.cpus = max(facts->cpus, tracedat_buffer_cpus(b)),
	};
	*events = NULL;
	if (tracedat_kallsyms(t, &contents->kallsyms, err) ||
	    tracedat_printk(t, &contents->printk, err) ||
	    tracedat_cmdlines(t, &contents->cmdlines, err))
		return -1;
	while ((ret = tracedat_event_at(t, n, &event, err)) == 1) {
		*events = xreallocarray(*events, n + 1, sizeof(event));
		(*events)[n++] = event;
	}
	contents->events = *events;
	contents->n_events = n;
	return ret;
}
