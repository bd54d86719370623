// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A marker is the text of a record of ftrace:print, whose layout is the same in all kernels: the
 * common fields, the caller's address, the text. So no format has to be parsed, and pages without
 * the word are passed over at the speed of memory.
 *
 * They must be known before the first fact is counted, so the whole buffer is looked through first.
 * That would still be for nothing in most files; a recording of ours has a marker in some CPU's
 * first or last page, because they are written before anything else and again at the end.
 */
#include "cmd/markers.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "trace/clock.h"
#include "trace/page.h"

struct scan {
	struct who *who;
	struct markers *markers;
	const struct tracedat_buffer *buffer;
	struct tracedat_pages *pages;
	struct page_layout layout;
	bool found;
};

static const char word[] = "hvscope-", time_word[] = "hvscope-time 1 ";

enum { COMMON = 8 }; /* bytes of a record's common fields */

static void parse_time(struct markers *m, const char *text, size_t len)
{
	char line[MARKERS_TIME_SIZE];
	unsigned long long mono, utc;
	int n = 0;

	if (len >= sizeof(line) || len < strlen(time_word) ||
	    memcmp(text, time_word, strlen(time_word)))
		return;
	snprintf(line, sizeof(line), "%.*s", (int)len, text);
	if (sscanf(line + strlen(time_word), "%20llu %20llu%n", &mono, &utc, &n) != 2 ||
	    line[strlen(time_word) + (size_t)n] || mono > INT64_MAX || utc > INT64_MAX)
		return;
	m->has_time = true;
	m->time = (int64_t)utc - (int64_t)mono;
}

static void scan_record(struct scan *s, const struct page_record *rec)
{
	size_t at = COMMON + s->layout.long_size, len;
	const char *text = (const char *)rec->data + at, *end;
	struct who_marker marker;

	if (rec->size < at + sizeof(word) - 1 || memcmp(text, word, sizeof(word) - 1))
		return;
	/* The text ends with the line, or where its record is padded. */
	end = memchr(text, '\n', rec->size - at);
	len = end ? (size_t)(end - text) : rec->size - at;
	if (who_parse_marker(text, len, &marker)) {
		who_set(s->who, &marker.thread);
		s->found = true;
	} else {
		parse_time(s->markers, text, len);
	}
}

static int scan_page(struct scan *s, unsigned int cpu, uint64_t n, struct error *err)
{
	struct page_walk walk;
	struct page_record rec;
	const void *page;
	size_t size;
	int ret = tracedat_pages_get(s->pages, cpu, n, &page, &size, err);

	if (ret <= 0)
		return ret;
	/* A damaged page is told of when its records are read. */
	if (!memmem(page, size, word, sizeof(word) - 1) ||
	    page_begin(&walk, &s->layout, page, size))
		return 0;
	while (page_next(&walk, &s->layout, &rec) == 1)
		scan_record(s, &rec);
	return 0;
}

static int scan_ends(struct scan *s, struct error *err)
{
	for (unsigned int cpu = 0; cpu < tracedat_buffer_cpus(s->buffer); cpu++) {
		uint64_t n = tracedat_buffer_pages(s->buffer, cpu);

		if (n && (scan_page(s, cpu, 0, err) || scan_page(s, cpu, n - 1, err)))
			return -1;
	}
	return 0;
}

static int scan_all(struct scan *s, struct error *err)
{
	for (unsigned int cpu = 0; cpu < tracedat_buffer_cpus(s->buffer); cpu++) {
		for (uint64_t n = 0; n < tracedat_buffer_pages(s->buffer, cpu); n++) {
			if (scan_page(s, cpu, n, err))
				return -1;
			tracedat_pages_release(s->pages, cpu, n);
		}
	}
	return 0;
}

/* Pages that were released are read anew, so each pass has a reader of its own. */
static int with_reader(struct scan *s, const struct tracedat *dat,
		       int (*pass)(struct scan *s, struct error *err), struct error *err)
{
	int ret;

	s->pages = tracedat_pages_new(dat, s->buffer);
	ret = pass(s, err);
	tracedat_pages_free(s->pages);
	return ret;
}

int markers_read(struct who *who, const struct tracedat *dat, const struct tracedat_buffer *buffer,
		 struct markers *markers, struct error *err)
{
	struct scan s = {
		.who = who,
		.markers = markers,
		.buffer = buffer,
		.layout = tracedat_layout(dat, buffer),
	};

	*markers = (struct markers){ 0 };
	if (with_reader(&s, dat, scan_ends, err))
		return -1;
	return s.found ? with_reader(&s, dat, scan_all, err) : 0;
}

void markers_format_time(char text[MARKERS_TIME_SIZE])
{
	struct timespec ts;
	uint64_t mono = clock_now();

	clock_gettime(CLOCK_REALTIME, &ts);
	snprintf(text, MARKERS_TIME_SIZE, "%s%llu %lld", time_word, (unsigned long long)mono,
		 (long long)ts.tv_sec * 1000000000 + ts.tv_nsec);
}
