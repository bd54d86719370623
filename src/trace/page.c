// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The page walker's complete path. Its rule: nothing that a page says is believed before it was
 * compared with the page's end, and a walk that met damage stays where it met it.
 *
 * Entries are a 32-bit word {type_len:5, time_delta:27} and what follows it. Bit fields of a big
 * endian machine begin at the top, so where the two stand depends on the recording machine, while
 * whether bytes are swapped depends on both.
 */
#include "trace/page.h"

#include <string.h>

#include "fact.h"

#define COMMIT_LOST (1u << 31)
#define COMMIT_COUNTED (1u << 30)
#define COMMIT_LENGTH (COMMIT_COUNTED - 1)

/* The bits of an absolute time stamp that its entry has no room for. */
#define TIME_UPPER (UINT64_C(0x1f) << 59)

struct entry {
	unsigned int type;
	uint64_t delta;
};

static uint32_t read32(const struct page_layout *layout, const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return layout->swap ? __builtin_bswap32(v) : v;
}

static uint64_t read64(const struct page_layout *layout, const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return layout->swap ? __builtin_bswap64(v) : v;
}

static uint64_t read_long(const struct page_layout *layout, const unsigned char *p)
{
	return layout->long_size == 8 ? read64(layout, p) : read32(layout, p);
}

static bool big_endian(const struct page_layout *layout)
{
	return layout->swap != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

static struct entry read_entry(const struct page_layout *layout, const unsigned char *p)
{
	uint32_t v = read32(layout, p);
	struct entry e;

	if (big_endian(layout)) {
		e.type = v >> PAGE_DELTA_BITS;
		e.delta = v & ((1u << PAGE_DELTA_BITS) - 1);
	} else {
		e.type = v & ((1u << PAGE_TYPE_BITS) - 1);
		e.delta = v >> PAGE_TYPE_BITS;
	}
	return e;
}

int page_begin(struct page_walk *w, const struct page_layout *layout, const void *page, size_t size)
{
	const unsigned char *p = page;
	uint32_t commit, length;

	if (size != layout->size || size < layout->data || layout->data < 8 + layout->long_size)
		return -1;
	/* bit 31 of a 32-bit long would be the sign of a 64-bit one: only the low half counts */
	commit = (uint32_t)read_long(layout, p + 8);
	length = commit & COMMIT_LENGTH;
	if (length > size - layout->data)
		return -1;
	w->p = p + layout->data;
	w->end = w->p + length;
	w->time = read64(layout, p);
	w->went_back = false;
	w->lost = commit & COMMIT_LOST;
	w->lost_count = w->lost ? LOSS_UNKNOWN : 0;
	if (w->lost && (commit & COMMIT_COUNTED) &&
	    size - layout->data - length >= layout->long_size)
		w->lost_count = read_long(layout, w->end);
	return 0;
}

/* The kernel keeps the upper bits of the running time and lets them overflow (rb_fix_abs_ts()). */
static uint64_t absolute_time(uint64_t stamp, uint64_t running)
{
	uint64_t upper = running & TIME_UPPER;

	stamp &= ~TIME_UPPER;
	if (!upper)
		return stamp;
	stamp |= upper;
	return stamp < running ? stamp + (UINT64_C(1) << 59) : stamp;
}

static void set_time(struct page_walk *w, uint64_t time)
{
	w->went_back |= time < w->time;
	w->time = time;
}

/* A data record whose `size` bytes begin at p. */
static int found(struct page_walk *w, struct page_record *rec, const unsigned char *p,
		 uint32_t size, uint64_t delta)
{
	if (size > (size_t)(w->end - p))
		return -1;
	w->time += delta;
	w->p = p + size;
	rec->data = p;
	rec->size = size;
	rec->time = w->time;
	return 1;
}

int page_next(struct page_walk *w, const struct page_layout *layout, struct page_record *rec)
{
	while (w->p < w->end) {
		const unsigned char *p = w->p;
		struct entry e;
		uint32_t word;

		if (w->end - p < 4)
			return -1;
		e = read_entry(layout, p);
		p += 4;
		if (e.type != PAGE_TYPE_LONG && e.type <= PAGE_TYPE_DATA_MAX)
			return found(w, rec, p, e.type * 4, e.delta);
		if (e.type == PAGE_TYPE_PADDING && !e.delta) {
			w->p = w->end;
			return 0;
		}
		/* all others have a word behind the header */
		if (w->end - p < 4)
			return -1;
		word = read32(layout, p);
		switch (e.type) {
		case PAGE_TYPE_LONG:
			/* the word counts itself; lengths are kept in whole words */
			if (word < 4 || word > COMMIT_LENGTH)
				return -1;
			return found(w, rec, p + 4, (word - 4 + 3) & ~3u, e.delta);
		case PAGE_TYPE_PADDING:
			if (word > (size_t)(w->end - p))
				return -1;
			w->time += e.delta;
			w->p = p + word;
			break;
		case PAGE_TYPE_TIME_EXTEND:
			set_time(w, w->time + e.delta + ((uint64_t)word << PAGE_DELTA_BITS));
			w->p = p + 4;
			break;
		default:
			set_time(w, absolute_time(e.delta + ((uint64_t)word << PAGE_DELTA_BITS),
						  w->time));
			w->p = p + 4;
			break;
		}
	}
	return 0;
}

uint64_t page_time(const struct page_layout *layout, const void *page)
{
	return read64(layout, page);
}
