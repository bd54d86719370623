/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One sub-buffer ("page") of the kernel's ring buffer, walked record by record.
 *
 * Layout (Documentation/trace/ring-buffer-design.rst and include/linux/ring_buffer.h of Linux):
 * u64 time stamp; a long `commit` whose low 30 bits are the length of the data, bit 31 = records
 * were lost before this page, bit 30 = their number stands behind the data in a long; the data.
 * libtraceevent's kbuffer is the oracle in tests.
 */
#ifndef HVSCOPE_TRACE_PAGE_H
#define HVSCOPE_TRACE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/util.h"

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
	bool went_back;		/* an entry without a record set the time back */
};

struct page_record {
	const unsigned char *data; /* common_type first */
	uint32_t size;
	uint64_t time;		/* raw, before the file's clock options */
};

/*
 * Starts on a page of `size` bytes (layout->size; a shorter one is a remainder and an error).
 * Returns -1 when the header is damaged: nothing of it can be walked.
 */
int page_begin(struct page_walk *w, const struct page_layout *layout, const void *page,
	       size_t size);

/*
 * The next record; 1 found, 0 no more, -1 damaged from here on (then it stays there). The complete
 * path: every type, either endianness.
 */
int page_next(struct page_walk *w, const struct page_layout *layout, struct page_record *rec);

/* Time stamp in a page's header, without walking it. */
uint64_t page_time(const struct page_layout *layout, const void *page);

/* The kinds of entries by type_len; 1 … PAGE_TYPE_DATA_MAX are data of so many 4-byte words. */
enum {
	PAGE_TYPE_LONG = 0,	    /* data; its length stands in the word behind the header */
	PAGE_TYPE_DATA_MAX = 28,
	PAGE_TYPE_PADDING = 29,	    /* time_delta 0: to the page's end; else one discarded */
	PAGE_TYPE_TIME_EXTEND = 30, /* 59 bits more of time_delta */
	PAGE_TYPE_TIME_STAMP = 31   /* the time itself, but for its upper 5 bits */
};

enum { PAGE_TYPE_BITS = 5, PAGE_DELTA_BITS = 27 };

/* An entry's first word, as this machine's kernel writes it. */
static inline uint32_t page_entry(uint32_t type, uint32_t delta)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return delta << PAGE_TYPE_BITS | type;
#else
	return type << PAGE_DELTA_BITS | delta;
#endif
}

/* As page_next(), with the ordinary record of this machine's byte order in line. */
static inline int page_next_fast(struct page_walk *w, const struct page_layout *layout,
				 struct page_record *rec)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint32_t header, type, size;

	if (likely(!layout->swap && (size_t)(w->end - w->p) > sizeof(header))) {
		memcpy(&header, w->p, sizeof(header));
		type = header & ((1u << PAGE_TYPE_BITS) - 1);
		size = type * 4;
		if (likely(type - 1 < PAGE_TYPE_DATA_MAX &&
			   size <= (size_t)(w->end - w->p) - sizeof(header))) {
			rec->data = w->p + sizeof(header);
			rec->size = size;
			w->time += header >> PAGE_TYPE_BITS;
			rec->time = w->time;
			w->p = rec->data + size;
			return 1;
		}
	}
#endif
	return page_next(w, layout, rec);
}

#endif
