// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Markers are looked for as text, in the committed part of each page: their form is so strict that
 * nothing else looks like one, and no format, byte order or event id has to be known.
 *
 * They must be known before the first fact is counted, so the whole buffer is looked through first.
 * That would double the work for all the files that have none; a recording of ours has one in some
 * CPU's first or last page, because they are written before anything else and again at the end.
 */
#include "cmd/markers.h"

#include <string.h>

#include "trace/page.h"

struct scan {
	struct who *who;
	const struct tracedat_buffer *buffer;
	struct tracedat_pages *pages;
	struct page_layout layout;
	bool found;
};

/* The text ends with the line, or where its record is padded. */
static size_t line_length(const char *text, const char *end)
{
	const char *p = text;

	while (p < end && *p != '\n' && *p != '\0')
		p++;
	return (size_t)(p - text);
}

static void scan_text(struct scan *s, const char *text, const char *end)
{
	static const char word[] = "hvscope-who ";

	while ((text = memmem(text, (size_t)(end - text), word, sizeof(word) - 1)) != NULL) {
		size_t len = line_length(text, end);
		struct who_marker marker;

		if (who_parse_marker(text, len, &marker)) {
			who_set(s->who, &marker.thread);
			s->found = true;
		}
		text += sizeof(word) - 1;
	}
}

static int scan_page(struct scan *s, unsigned int cpu, uint64_t n, struct error *err)
{
	struct page_walk walk;
	const void *page;
	size_t size;
	int ret = tracedat_pages_get(s->pages, cpu, n, &page, &size, err);

	if (ret <= 0)
		return ret;
	/* A damaged page is told of when its records are read. */
	if (!page_begin(&walk, &s->layout, page, size))
		scan_text(s, (const char *)walk.p, (const char *)walk.end);
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
		 struct error *err)
{
	struct scan s = {
		.who = who,
		.buffer = buffer,
		.layout = tracedat_layout(dat, buffer),
	};

	if (with_reader(&s, dat, scan_ends, err))
		return -1;
	return s.found ? with_reader(&s, dat, scan_all, err) : 0;
}
