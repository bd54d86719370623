// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Options of a trace.dat: each is an id, a length and as many bytes. An unknown one is skipped by
 * its length, as the format means it; so is one that says nothing about records, times or places.
 */
#include <errno.h>
#include <string.h>

#include "trace/tracedat-internal.h"

enum option {
	OPTION_DONE = 0,
	OPTION_DATE = 1,
	OPTION_CPUSTAT = 2,
	OPTION_BUFFER = 3,
	OPTION_TRACECLOCK = 4,
	OPTION_UNAME = 5,
	OPTION_OFFSET = 7,
	OPTION_CPUCOUNT = 8,
	OPTION_VERSION = 9,
	OPTION_TRACEID = 11,
	OPTION_TIME_SHIFT = 12,
	OPTION_TSC2NSEC = 14,
	/* 16 to 21 are those sections' places, under the sections' own ids */
};

static char *option_text(const struct slice *s)
{
	return xstrndup((const char *)s->p, slice_left(s));
}

/* A number as strtoll(…, 0) reads it, of text that need not end with a NUL. */
static int64_t option_number(const struct slice *s)
{
	char *text = option_text(s);
	int64_t number = strtoll(text, NULL, 0);

	free(text);
	return number;
}

/*
 * "Linux NODE RELEASE MACHINE"; the node of a machine without a name is "(none)". The words are
 * cut apart in place.
 */
static void set_uname(struct tracedat *t, const struct slice *s)
{
	char *save, *word;

	free(t->uname);
	t->uname = option_text(s);
	word = strtok_r(t->uname, " ", &save);
	t->facts.host = word ? strtok_r(NULL, " ", &save) : NULL;
	t->facts.kernel = t->facts.host ? strtok_r(NULL, " ", &save) : NULL;
	t->facts.machine = t->facts.kernel ? strtok_r(NULL, " ", &save) : NULL;
	if (t->facts.host && !strcmp(t->facts.host, "(none)"))
		t->facts.host = NULL;
}

/* One CPU's per_cpu/cpuN/stats. What was overrun is marked in the records, this is not. */
static void add_dropped(struct tracedat *t, const struct slice *s)
{
	static const char key[] = "dropped events: ";
	char *text = option_text(s);
	const char *line = strstr(text, key);

	if (line)
		t->facts.dropped += strtoull(line + strlen(key), NULL, 10);
	free(text);
}

char *tracedat_clock_name(const char *text, size_t len)
{
	const char *open = len ? memchr(text, '[', len) : NULL;
	const char *close = open ? memchr(open, ']', len - (size_t)(open - text)) : NULL;

	return close ? xstrndup(open + 1, (size_t)(close - open) - 1) : NULL;
}

static int sample_order(const void *a, const void *b)
{
	const struct tracedat_sample *x = a, *y = b;

	return (x->time > y->time) - (x->time < y->time);
}

/* Ascending, the first of those with equal times. */
static void sort_samples(struct cpu_shift *cpu)
{
	size_t i, n = 0;

	qsort(cpu->samples, cpu->n, sizeof(*cpu->samples), sample_order);
	for (i = 0; i < cpu->n; i++)
		if (!n || cpu->samples[n - 1].time != cpu->samples[i].time)
			cpu->samples[n++] = cpu->samples[i];
	cpu->n = n;
}

static void read_samples(struct cpu_shift *cpu, struct slice *s)
{
	size_t i;

	cpu->n = slice_u32(s);
	if (slice_left(s) / 24 < cpu->n) {
		s->cut = true;
		cpu->n = 0;
		return;
	}
	cpu->samples = xcalloc(cpu->n ? cpu->n : 1, sizeof(*cpu->samples));
	for (i = 0; i < cpu->n; i++)
		cpu->samples[i].time = (int64_t)slice_u64(s);
	for (i = 0; i < cpu->n; i++)
		cpu->samples[i].offset = (int64_t)slice_u64(s);
	for (i = 0; i < cpu->n; i++)
		cpu->samples[i].scaling = (int64_t)slice_u64(s);
}

/* u64 id of the peer's recording, u32 flags, u32 CPUs, their samples, maybe their fractions. */
static int set_time_shift(struct tracedat *t, struct slice *s, struct error *err)
{
	struct time_shift *shift = &t->time_shift;
	unsigned int cpu;
	size_t i;

	if (slice_left(s) < 16)
		return 0; /* as the library does */
	if (shift->cpu)
		return tracedat_damaged(t, err, "it has the option TIME_SHIFT twice");
	slice_u64(s);
	shift->interpolate = slice_u32(s) & 1;
	shift->cpus = slice_u32(s);
	if (shift->cpus > CPUS_MAX || slice_left(s) / 4 < shift->cpus) {
		shift->cpus = 0;
		return tracedat_damaged(t, err, "its option TIME_SHIFT is not whole");
	}
	shift->cpu = xcalloc(shift->cpus + 1, sizeof(*shift->cpu));
	for (cpu = 0; cpu < shift->cpus; cpu++)
		read_samples(&shift->cpu[cpu], s);
	if (slice_left(s))
		for (cpu = 0; cpu < shift->cpus; cpu++)
			for (i = 0; i < shift->cpu[cpu].n; i++)
				shift->cpu[cpu].samples[i].fraction = (int64_t)slice_u64(s);
	if (s->cut)
		return tracedat_damaged(t, err, "its option TIME_SHIFT is not whole");
	for (cpu = 0; cpu < shift->cpus; cpu++)
		sort_samples(&shift->cpu[cpu]);
	return 0;
}

static int set_tsc2nsec(struct tracedat *t, struct slice *s, struct error *err)
{
	if (slice_left(s) < 16)
		return 0; /* as the library does */
	t->mult = slice_u32(s);
	t->shift = slice_u32(s);
	if (t->shift > 32)
		return tracedat_damaged(t, err, "its option TSC2NSEC shifts by %u bits", t->shift);
	return 0;
}

static int apply(struct options_reader *o, unsigned int id, struct slice *s, struct error *err)
{
	struct tracedat *t = o->t;

	switch (id) {
	case OPTION_DATE: /* µs */
		t->offset = (int64_t)((uint64_t)t->offset + (uint64_t)option_number(s) * 1000);
		return 0;
	case OPTION_OFFSET:
		t->offset = (int64_t)((uint64_t)t->offset + (uint64_t)option_number(s));
		return 0;
	case OPTION_CPUSTAT:
		add_dropped(t, s);
		return 0;
	case OPTION_BUFFER:
		return o->buffer(o->ctx, s, err);
	case OPTION_TRACECLOCK:
		free(t->clock);
		t->clock = tracedat_clock_name((const char *)s->p, slice_left(s));
		o->clock_follows = true;
		return 0;
	case OPTION_UNAME:
		set_uname(t, s);
		return 0;
	case OPTION_CPUCOUNT:
		o->cpu_count = slice_u32(s);
		return s->cut ? tracedat_damaged(t, err, "its number of CPUs is not whole") : 0;
	case OPTION_VERSION:
		free(t->recorder);
		t->recorder = option_text(s);
		t->facts.recorder = t->recorder;
		return 0;
	case OPTION_TRACEID:
		t->facts.trace_id = slice_u64(s);
		return 0;
	case OPTION_TIME_SHIFT:
		return set_time_shift(t, s, err);
	case OPTION_TSC2NSEC:
		return set_tsc2nsec(t, s, err);
	case SECTION_HEADERS:
	case SECTION_FTRACE:
	case SECTION_EVENTS:
	case SECTION_KALLSYMS:
	case SECTION_PRINTK:
	case SECTION_CMDLINES:
		if (t->facts.version < 7 || slice_left(s) < 8)
			return 0;
		return tracedat_option_section(t, (enum section_id)id, slice_u64(s), err);
	default:
		return 0;
	}
}

int tracedat_options(struct options_reader *o, struct slice *s, struct error *err)
{
	unsigned int n;

	for (n = 0; n < OPTIONS_MAX; n++) {
		unsigned int id = slice_u16(s);
		struct slice content;

		if (!s->cut && id == OPTION_DONE && o->t->facts.version < 7)
			return 0;
		content = slice_take(s, slice_u32(s));
		if (s->cut)
			return tracedat_damaged(o->t, err, "its options go beyond their end");
		if (id == OPTION_DONE) {
			o->next = slice_u64(&content);
			return 0;
		}
		if (apply(o, id, &content, err))
			return -1;
	}
	return tracedat_damaged(o->t, err, "its options never end");
}
