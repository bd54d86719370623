// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Compression in a trace.dat. A chunk of records is u32 length, u32 inflated length, and the
 * compressed bytes; a CPU's records are u32 how many chunks, and the chunks. What is inflated must
 * have exactly the length that was declared, and that is never above a limit of ours.
 */
#include <string.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "trace/tracedat-internal.h"

struct inflater {
	enum compression compression;
#ifdef HAVE_ZLIB
	z_stream zlib;
#endif
#ifdef HAVE_ZSTD
	ZSTD_DCtx *zstd;
#endif
};

#ifdef HAVE_ZLIB
static bool zlib_new(struct inflater *i)
{
	return inflateInit(&i->zlib) == Z_OK;
}

static int zlib_run(struct inflater *i, const unsigned char *from, size_t from_size,
		    unsigned char *to, size_t size)
{
	if (inflateReset(&i->zlib) != Z_OK)
		return -1;
	/* Both sizes stem from u32 fields. The cast is zlib's: it doesn't write there. */
	i->zlib.next_in = (unsigned char *)(uintptr_t)from;
	i->zlib.avail_in = (uInt)from_size;
	i->zlib.next_out = to;
	i->zlib.avail_out = (uInt)size;
	return inflate(&i->zlib, Z_FINISH) == Z_STREAM_END && !i->zlib.avail_out ? 0 : -1;
}

static void zlib_free(struct inflater *i)
{
	inflateEnd(&i->zlib);
}
#else
static bool zlib_new(struct inflater *i)
{
	(void)i;
	return false;
}

static int zlib_run(struct inflater *i, const unsigned char *from, size_t from_size,
		    unsigned char *to, size_t size)
{
	(void)i, (void)from, (void)from_size, (void)to, (void)size;
	return -1;
}

static void zlib_free(struct inflater *i)
{
	(void)i;
}
#endif

#ifdef HAVE_ZSTD
static bool zstd_new(struct inflater *i)
{
	i->zstd = ZSTD_createDCtx();
	return i->zstd;
}

static int zstd_run(struct inflater *i, const unsigned char *from, size_t from_size,
		    unsigned char *to, size_t size)
{
	size_t got = ZSTD_decompressDCtx(i->zstd, to, size, from, from_size);

	return !ZSTD_isError(got) && got == size ? 0 : -1;
}

static void zstd_free(struct inflater *i)
{
	ZSTD_freeDCtx(i->zstd);
}
#else
static bool zstd_new(struct inflater *i)
{
	(void)i;
	return false;
}

static int zstd_run(struct inflater *i, const unsigned char *from, size_t from_size,
		    unsigned char *to, size_t size)
{
	(void)i, (void)from, (void)from_size, (void)to, (void)size;
	return -1;
}

static void zstd_free(struct inflater *i)
{
	(void)i;
}
#endif

static bool none_new(struct inflater *i)
{
	(void)i;
	return true;
}

static int none_run(struct inflater *i, const unsigned char *from, size_t from_size,
		    unsigned char *to, size_t size)
{
	(void)i, (void)from, (void)from_size, (void)to, (void)size;
	return -1; /* nothing is packed in a file without compression */
}

static void none_free(struct inflater *i)
{
	(void)i;
}

static const struct {
	bool (*new)(struct inflater *i);
	int (*run)(struct inflater *i, const unsigned char *from, size_t from_size,
		   unsigned char *to, size_t size);
	void (*free)(struct inflater *i);
} algorithms[] = {
	[COMPRESSION_NONE] = { none_new, none_run, none_free },
	[COMPRESSION_ZLIB] = { zlib_new, zlib_run, zlib_free },
	[COMPRESSION_ZSTD] = { zstd_new, zstd_run, zstd_free },
};

struct inflater *inflater_new(enum compression compression)
{
	struct inflater *i = xcalloc(1, sizeof(*i));

	i->compression = compression;
	if (algorithms[compression].new(i))
		return i;
	free(i);
	return NULL;
}

void inflater_free(struct inflater *i)
{
	if (!i)
		return;
	algorithms[i->compression].free(i);
	free(i);
}

int inflater_run(struct inflater *i, const unsigned char *from, size_t from_size,
		 unsigned char *to, size_t size)
{
	return algorithms[i->compression].run(i, from, from_size, to, size);
}

/* The table is full: remember every second one of those that it has. */
static void thin_marks(struct chunks *c)
{
	size_t i;

	for (i = 0; i < CHUNK_MARKS / 2; i++)
		c->marks[i] = c->marks[2 * i];
	c->n_marks = CHUNK_MARKS / 2;
	c->stride *= 2;
}

static void mark_chunk(struct chunks *c, const unsigned char *at)
{
	if (c->n_chunks % c->stride)
		return;
	if (c->n_marks == CHUNK_MARKS) {
		thin_marks(c);
		if (c->n_chunks % c->stride)
			return;
	}
	if (!(c->n_marks & (c->n_marks - 1))) /* 0, 1, 2, 4, 8, …: full */
		c->marks = xreallocarray(c->marks, c->n_marks ? c->n_marks * 2 : 1,
					 sizeof(*c->marks));
	c->marks[c->n_marks++] = (struct chunk_mark){ .at = at, .page = c->pages };
}

void chunks_scan(const struct tracedat_buffer *b, struct extent *e)
{
	struct chunks *c = &e->chunks;
	uint32_t limit = max((uint32_t)CHUNK_MAX, 16 * b->page_size);
	struct slice s = e->data;
	uint32_t i, n = slice_u32(&s);
	bool last = false;

	c->stride = 1;
	for (i = 0; i < n && !s.cut; i++) {
		const unsigned char *at = s.p;
		uint32_t packed = slice_u32(&s);
		uint32_t size = slice_u32(&s);

		slice_take(&s, packed);
		/* Only the last chunk may end within a page. */
		s.cut |= !size || size > limit || last;
		if (s.cut)
			break;
		mark_chunk(c, at);
		c->n_chunks++;
		c->pages += (size + b->page_size - 1) / b->page_size;
		c->bytes += size;
		last = size % b->page_size;
	}
	e->data.end = s.p;
	e->data.cut = s.cut;
	e->pages = c->pages;
}
