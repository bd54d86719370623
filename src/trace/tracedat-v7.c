// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Version 7: sections with an id and a length, anywhere in the file; options say where they are,
 * and the last option of each list where the next list is.
 */
#include <string.h>

#include "trace/tracedat-internal.h"

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
	else if (s.cut)
		return tracedat_cut_short(t, err, "its sections");
	else
		return tracedat_damaged(t, err, "at byte %llu there is no section %d",
					(unsigned long long)offset, id);
	return s.cut ? tracedat_cut_short(t, err, "its sections") : 0;
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
	if (tracedat_check_page_size(t, page_size, err))
		return -1;
	b = tracedat_buffer_add(t, name);
	b->page_size = page_size;
	b->clock = *clock ? xstrdup(clock) : NULL;
	b->shifted = !*name;
	if (section_at(t, offset, SECTION_BUFFER, &b->packed, &content, err))
		return -1;
	for (i = 0; i < cpus; i++) {
		uint32_t cpu = slice_u32(option);
		uint64_t at = slice_u64(option);

		if (tracedat_extent(t, b, cpu, at, slice_u64(option), err))
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
		    (s.packed && tracedat_inflate(t, &s, err))) {
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

int tracedat_read_v7(struct tracedat *t, struct slice *s, struct error *err)
{
	uint64_t options = slice_u64(s);
	size_t i;

	if (s->cut)
		return tracedat_cut_short(t, err, "its first words");
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
