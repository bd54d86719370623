// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the records of a trace.dat lie: the extents of each CPU in each buffer. They must lie in
 * the file, on pages of it when they are plain, and together be no longer than it: a small file
 * whose records lie in one another could claim any amount of them.
 */
#include <stdio.h>
#include <string.h>

#include "trace/tracedat-internal.h"

struct tracedat_buffer *tracedat_buffer_add(struct tracedat *t, const char *name)
{
	struct tracedat_buffer *b;

	t->buffers = xreallocarray(t->buffers, t->n_buffers + 1, sizeof(*t->buffers));
	b = &t->buffers[t->n_buffers++];
	*b = (struct tracedat_buffer){ .name = xstrdup(name), .page_size = t->page_size };
	return b;
}

/* Room for `cpu` and all below it (those that the file doesn't name stay empty); NULL: no more. */
static struct extent *buffer_cpu(struct tracedat *t, struct tracedat_buffer *b, uint32_t cpu)
{
	uint32_t more = cpu < b->cpus ? 0 : cpu + 1 - b->cpus;

	if (t->n_extents + more > EXTENTS_MAX)
		return NULL;
	if (more) {
		b->extents = xreallocarray(b->extents, cpu + 1, sizeof(*b->extents));
		memset(b->extents + b->cpus, 0, more * sizeof(*b->extents));
		b->cpus = cpu + 1;
		t->n_extents += more;
	}
	return &b->extents[cpu];
}

static int extent_of(struct tracedat *t, const struct tracedat_buffer *b, struct extent *e,
		     uint64_t offset, uint64_t size)
{
	struct slice all = tracedat_at(t, offset);

	if (b->packed) {
		/* The size of compressed ones is never right: recorders count it in 32 bits. */
		e->data = all;
		chunks_scan(b, e);
		return e->data.cut ? -1 : 0;
	}
	e->data = slice_take(&all, size);
	e->pages = (size + b->page_size - 1) / b->page_size;
	return all.cut ? -1 : 0;
}

int tracedat_extent(struct tracedat *t, struct tracedat_buffer *b, uint32_t cpu, uint64_t offset,
		    uint64_t size, struct error *err)
{
	struct extent *e = cpu < CPUS_MAX ? buffer_cpu(t, b, cpu) : NULL;
	char what[64];

	if (!e)
		return tracedat_damaged(t, err, "it has records of a CPU %u", cpu);
	if (!size)
		return 0;
	if (e->data.p != e->data.end)
		return tracedat_damaged(t, err, "it has the records of CPU %u twice", cpu);
	if (extent_of(t, b, e, offset, size)) {
		snprintf(what, sizeof(what), "the records of CPU %u", cpu);
		return tracedat_cut_short(t, err, what);
	}
	if (!b->packed && offset % b->page_size)
		return tracedat_damaged(t, err, "the records of CPU %u don't begin on a page", cpu);
	t->claimed += slice_left(&e->data);
	if (t->claimed > t->size)
		return tracedat_damaged(t, err, "records of several CPUs lie in the same place");
	return 0;
}

int tracedat_check_page_size(const struct tracedat *t, uint32_t size, struct error *err)
{
	if (size < PAGE_MIN || size > PAGE_MAX || (size & (size - 1)))
		return tracedat_damaged(t, err, "it claims sub-buffers of %u bytes", size);
	return 0;
}
