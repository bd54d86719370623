// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Version 6: everything follows on what is before it, so nothing but reading a section tells where
 * the next one begins. Buffers other than the top one are described where an option points to.
 */
#include <string.h>

#include "trace/tracedat-internal.h"

/* A section of version 6 is what lies between here and where reading it ends. */
static void section_v6(struct tracedat *t, enum section_id id, const unsigned char *start,
		       const struct slice *s)
{
	struct section *section = tracedat_section(t, id);

	section->there = true;
	section->content = (struct slice){ .p = start, .end = s->p, .swap = t->swap };
}

static int sections_v6(struct tracedat *t, struct slice *s, struct error *err)
{
	const unsigned char *start = s->p;

	tracedat_skip_headers(s);
	section_v6(t, SECTION_HEADERS, start, s);
	if (s->cut)
		return tracedat_cut_short(t, err, "the formats of pages and records");
	start = s->p;
	tracedat_skip_formats(s, false);
	section_v6(t, SECTION_FTRACE, start, s);
	start = s->p;
	tracedat_skip_formats(s, true);
	section_v6(t, SECTION_EVENTS, start, s);
	if (s->cut)
		return tracedat_cut_short(t, err, "the formats of events");
	start = s->p;
	slice_take(s, slice_u32(s));
	section_v6(t, SECTION_KALLSYMS, start, s);
	start = s->p;
	slice_take(s, slice_u32(s));
	section_v6(t, SECTION_PRINTK, start, s);
	start = s->p;
	slice_take(s, slice_u64(s));
	section_v6(t, SECTION_CMDLINES, start, s);
	return s->cut ? tracedat_cut_short(t, err, "the symbols and names of threads") : 0;
}

/* Names and offsets of the other buffers, noted while the options are read. */
struct pending {
	struct tracedat *t;
	struct {
		char *name;
		uint64_t offset;
	} *found;
	size_t n;
};

static int note_buffer(void *ctx, struct slice *option, struct error *err)
{
	struct pending *p = ctx;
	uint64_t offset = slice_u64(option);
	const char *name = slice_string(option);

	if (option->cut || p->n == BUFFERS_MAX)
		return tracedat_damaged(p->t, err, "the description of a buffer is not whole");
	p->found = xreallocarray(p->found, p->n + 1, sizeof(*p->found));
	p->found[p->n].name = xstrdup(name);
	p->found[p->n++].offset = offset;
	return 0;
}

/* From "options" (if any) to the table of CPUs; *cpus is what the number of CPUs is so far. */
static int records_v6(struct options_reader *o, struct slice *s, const char *name, uint32_t *cpus,
		      struct error *err)
{
	struct tracedat *t = o->t;
	struct slice tag = *s;
	struct tracedat_buffer *b;
	uint32_t cpu;

	if (slice_is(&tag, "options  ", 10)) {
		*s = tag;
		if (tracedat_options(o, s, err))
			return -1;
		tag = *s;
	}
	if (slice_is(&tag, "latency  ", 10))
		return error_set(err,
				 "%s holds the text of a latency tracer, no records: record events "
				 "(trace-cmd record -e …)",
				 t->name);
	if (!slice_is(s, "flyrecord", 10))
		return tracedat_damaged(t, err, "no records follow its options");
	if (o->cpu_count)
		*cpus = (uint32_t)min(o->cpu_count, (uint64_t)UINT32_MAX);
	if (*cpus > CPUS_MAX || slice_left(s) / 16 < *cpus)
		return tracedat_damaged(t, err, "it claims %u CPUs", *cpus);
	b = tracedat_buffer_add(t, name);
	for (cpu = 0; cpu < *cpus; cpu++) {
		uint64_t offset = slice_u64(s);

		if (tracedat_extent(t, b, cpu, offset, slice_u64(s), err))
			return -1;
	}
	return 0;
}

/* Old recorders left the clock's text broken: then, as everywhere, it is the clock "local". */
static void clock_v6(struct tracedat *t, struct slice *s)
{
	uint64_t len = slice_u64(s);
	struct slice text = slice_take(s, len);
	size_t i;

	free(t->clock);
	t->clock = tracedat_clock_name((const char *)text.p, slice_left(&text));
	for (i = 0; i < t->n_buffers; i++)
		t->buffers[i].clock = xstrdup(t->clock ? t->clock : "local");
}

int tracedat_read_v6(struct tracedat *t, struct slice *s, struct error *err)
{
	struct pending pending = { .t = t };
	struct options_reader o = { .t = t, .buffer = note_buffer, .ctx = &pending };
	struct slice clock;
	uint32_t cpus;
	size_t i;
	int ret;

	if (sections_v6(t, s, err))
		return -1;
	cpus = slice_u32(s);
	ret = records_v6(&o, s, "", &cpus, err);
	clock = *s;
	t->facts.cpus = cpus;
	if (!ret)
		t->buffers[0].shifted = true;
	for (i = 0; i < pending.n && !ret; i++) {
		struct options_reader other = { .t = t, .buffer = note_buffer, .ctx = &pending };
		uint32_t own = cpus;
		struct slice at = tracedat_at(t, pending.found[i].offset);

		ret = records_v6(&other, &at, pending.found[i].name, &own, err);
	}
	for (i = 0; i < pending.n; i++)
		free(pending.found[i].name);
	free(pending.found);
	if (!ret && o.clock_follows)
		clock_v6(t, &clock);
	return ret;
}
