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

#include <string.h>

#include "trace/page.h"

struct scan {
	struct who *who;
	const struct tracedat_buffer *buffer;
	struct tracedat_pages *pages;
	struct page_layout layout;
	bool found;
};

static const char word[] = "hvscope-who ";

enum { COMMON = 8 }; /* bytes of a record's common fields */

static void scan_record(struct scan *s, const struct page_record *rec)
{
	size_t at = COMMON + s->layout.long_size;
	const char *text = (const char *)rec->data + at, *end;
	struct who_marker marker;

	if (rec->size < at + sizeof(word) - 1 || memcmp(text, word, sizeof(word) - 1))
		return;
	/* The text ends with the line, or where its record is padded. */
	end = memchr(text, '\n', rec->size - at);
	if (who_parse_marker(text, end ? (size_t)(end - text) : rec->size - at, &marker)) {
		who_set(s->who, &marker.thread);
		s->found = true;
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
