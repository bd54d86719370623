/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One sub-buffer ("page") of the kernel's ring buffer, walked record by record.
 *
 * Layout (Documentation/trace/ring-buffer-design.rst and include/linux/ring_buffer.h of Linux):
 * u64 time stamp; a long `commit` whose low 30 bits are the length of the data, bit 31 = records
 * were lost before this page, bit 30 = their number stands behind the data in 8 bytes; the data.
 * libtraceevent's kbuffer is the oracle in tests and serves foreign layouts.
 */
#ifndef HVSCOPE_TRACE_PAGE_H
#define HVSCOPE_TRACE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_layout {
	unsigned int long_size; /* 4 or 8: size of `commit` */
	unsigned int data;	/* offset of the data: 8 + long_size, from header_page */
	unsigned int size;	/* of the whole sub-buffer, header included */
	bool swap;		/* other endianness than this machine's */
};

/* A place in a page. Plain data: copy it to remember the place. */
struct page_walk {
	const unsigned char *p, *end; /* next record; end of the committed data */
	uint64_t time;		/* of the record before p, the page's own at first */
	bool lost;		/* records are missing before this page … */
	uint64_t lost_count;	/* … so many, LOSS_UNKNOWN */
};

struct page_record {
	const unsigned char *data; /* common_type first */
	uint32_t size;
	uint64_t time;		/* raw, before the file's clock options */
};

/*
 * Starts on a page of `size` bytes (at most layout->size; a shorter one is a remainder and an
 * error). Returns -1 when the header is damaged: nothing of it can be walked.
 */
int page_begin(struct page_walk *w, const struct page_layout *layout, const void *page, size_t size);

/* The next record; 1 found, 0 no more, -1 damaged from here on. The complete generic path. */
int page_next(struct page_walk *w, const struct page_layout *layout, struct page_record *rec);

/* Time stamp in a page's header, without walking it. */
uint64_t page_time(const struct page_layout *layout, const void *page);

#endif
