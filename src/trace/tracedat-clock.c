// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Times of a trace.dat, converted in libtracecmd's order and with its arithmetic, wrapping where
 * it wraps: files of hosts and guests are laid beside each other, so a nanosecond apart is wrong.
 */
#include "trace/clock.h"
#include "trace/tracedat-internal.h"

struct tracedat_clock tracedat_clock(const struct tracedat *t, const struct tracedat_buffer *b,
				     unsigned int cpu)
{
	struct tracedat_clock clock = { .mult = t->mult, .shift = t->shift, .offset = t->offset };

	if (b->shifted && cpu < t->time_shift.cpus) {
		clock.samples = t->time_shift.cpu[cpu].samples;
		clock.n_samples = t->time_shift.cpu[cpu].n;
		clock.interpolate = t->time_shift.interpolate;
	}
	return clock;
}

/* The shift at `time`, on the line from one sample to the next, rounded to the nearest. */
static int64_t interpolate(const struct tracedat_sample *a, uint64_t time)
{
	const struct tracedat_sample *b = a + 1;
	int64_t span = (int64_t)((uint64_t)b->time - (uint64_t)a->time);
	uint64_t rise = (time - (uint64_t)a->time) * ((uint64_t)b->offset - (uint64_t)a->offset);

	if (span <= 0) /* times so far apart that their difference wraps */
		return a->offset;
	return (int64_t)((uint64_t)a->offset +
			 (uint64_t)((int64_t)(rise + (uint64_t)(span / 2)) / span));
}

/* The sample that `time` follows; at either end the outermost pair goes on. */
static const struct tracedat_sample *sample_before(const struct tracedat_clock *c, uint64_t time)
{
	size_t low = 0, high = c->n_samples - 1;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if ((uint64_t)c->samples[mid].time <= time)
			low = mid;
		else
			high = mid;
	}
	return &c->samples[low];
}

uint64_t tracedat_shifted(const struct tracedat_clock *c, uint64_t raw)
{
	const struct tracedat_sample *s;
	int64_t shift;

	if (c->n_samples == 1)
		return raw + (uint64_t)c->samples[0].offset;
	s = sample_before(c, raw);
	shift = c->interpolate ? interpolate(s, raw) : s->offset;
	return (raw * (uint64_t)s->scaling >> (s->fraction & 63)) + (uint64_t)shift;
}

bool tracedat_clock_is_ns(const struct tracedat *t, const struct tracedat_buffer *b)
{
	return t->mult || !b->clock || clock_counts_ns(b->clock);
}
