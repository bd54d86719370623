// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stolen CPU time, as a guest sees it.
 *
 * From /proc/stat: differences of each CPU's counters. Guest time is already inside user and nice
 * (proc(5)), so it is taken out of user. A counter that runs backwards counts as standing still
 * and is reported; a CPU or a column that goes and comes again starts anew. Some kernels give
 * stolen time below zero after a migration, as an enormous number: differences are of signed ones.
 *
 * From the steal clock (--hist): the clock tells an asked-about CPU's cumulative stolen ns. Entry
 * and return of a reading pair innermost first on the CPU that reads; the difference of two
 * readings about the same CPU is stolen time, about a tick apart, in which several slices may have
 * merged. A difference across a loss is discarded: readings in it are missing.
 */
#include "analysis/analysis.h"

#include <string.h>

#include "analysis/losses.h"
#include "base/text.h"
#include "base/util.h"

enum { NESTING = 4 }; /* process, softirq, interrupt, NMI: a reading in each at most */

/* A reading takes no longer, even where it is interrupted: its return was missed. */
#define STALE_NS UINT64_C(1000000000)

/* Less than this of the time in a CPU's counters is told, once there is enough of it. */
enum { SHORT_PERCENT = 75 };
#define SHORT_NS UINT64_C(500000000)

struct cpu_time {
	uint64_t last[CPU_TIMES];  /* ns since boot at the last sample */
	uint64_t total[CPU_TIMES]; /* ns since the first one, never falling */
	unsigned int known;        /* bit per category: it was in the sample before the last … */
	unsigned int seen;         /* … and in the last one */
	uint64_t sample;           /* the last sample that it was in, 0 none */
	uint64_t time, covered;    /* of that sample; of the clock between those it was in */
	bool shown;                /* it has differences */
};

struct reading {
	uint64_t asked; /* about which CPU */
	uint64_t time;
};

struct steal_clock {
	struct reading begun[NESTING]; /* readings on this CPU, innermost last */
	unsigned int depth;
	uint64_t last_ns, last_time; /* of the last reading about this CPU, any reader's */
	bool known;
	bool doomed; /* a loss lies behind that reading already */
	uint64_t readings, backwards;
	uint64_t max_time; /* of slices.max */
	struct dist slices;
};

struct steal {
	const struct analysis_env *env;
	struct cpu_time *times;
	struct steal_clock *clocks;
	size_t n_times, n_clocks;
	uint64_t samples, backwards, went, came;
	bool no_steal; /* the kernel has no steal column */
	uint64_t discarded;
	struct losses losses;
	uint64_t now;
};

static void *steal_new(const struct analysis_env *env, struct error *err)
{
	struct steal *s = xcalloc(1, sizeof(*s));

	(void)err;
	s->env = env;
	return s;
}

static void steal_free(void *state)
{
	struct steal *s = state;

	if (!s)
		return;
	for (size_t i = 0; i < s->n_clocks; i++)
		dist_free(&s->clocks[i].slices);
	free(s->clocks);
	free(s->times);
	losses_free(&s->losses);
	free(s);
}

/* Makes room for element i of an array of zeroed elements. */
static void *grow(void *array, size_t *n, size_t i, size_t size)
{
	size_t room = i + 1;

	if (i < *n)
		return array;
	array = xreallocarray(array, room, size);
	memset((char *)array + *n * size, 0, (room - *n) * size);
	*n = room;
	return array;
}

static bool selected(const struct steal *s, uint16_t cpu)
{
	return !s->env->cpu_selected || s->env->cpu_selected(s->env->ctx, cpu);
}

/* CPUs that were in the sample before the last one and are not in the last. */
static unsigned int gone(const struct steal *s)
{
	unsigned int n = 0;

	for (size_t i = 0; i < s->n_times; i++)
		n += s->samples > 1 && s->times[i].sample == s->samples - 1;
	return n;
}

static void feed_time(struct steal *s, const struct fact *f)
{
	struct cpu_time *t;

	if (f->aux == CPU_TIME_SAMPLE) {
		s->went += gone(s);
		s->samples++;
		return;
	}
	if (!selected(s, f->cpu))
		return;
	s->times = grow(s->times, &s->n_times, f->cpu, sizeof(*s->times));
	t = &s->times[f->cpu];
	if (f->aux == CPU_TIME_USER) {
		bool fresh = s->samples > 1 && t->sample != s->samples - 1;

		s->came += fresh;
		t->known = fresh || !t->sample ? 0 : t->seen;
		t->seen = 0;
		t->covered += t->known ? f->time - t->time : 0;
		t->sample = s->samples;
		t->time = f->time;
	}
	if (t->known & 1u << f->aux) {
		int64_t ns = (int64_t)(f->a - t->last[f->aux]);

		t->shown = true;
		t->total[f->aux] += ns > 0 ? (uint64_t)ns : 0;
		s->backwards += ns < 0;
	}
	t->seen |= 1u << f->aux;
	t->last[f->aux] = f->a;
}

static void feed_reading(struct steal *s, struct steal_clock *c, const struct fact *f)
{
	bool lost = c->known &&
		    (c->doomed || losses_meet(&s->losses, c->last_time, f->time));

	c->readings++;
	s->discarded += lost;
	if (c->known && !lost && f->b < c->last_ns) {
		c->backwards++;
	} else if (c->known && !lost && f->b > c->last_ns) {
		uint64_t ns = f->b - c->last_ns;

		if (ns > c->slices.max)
			c->max_time = f->time;
		dist_add(&c->slices, ns);
	}
	c->known = true;
	c->doomed = false;
	c->last_ns = f->b;
	c->last_time = f->time;
}

static void begin_reading(struct steal_clock *reader, const struct fact *f)
{
	bool stale = reader->depth && f->time - reader->begun[0].time > STALE_NS;

	/* Deeper than contexts nest: returns are missing, so none of these will pair. */
	if (reader->depth == NESTING || stale)
		reader->depth = 0;
	reader->begun[reader->depth++] = (struct reading){ .asked = f->a, .time = f->time };
}

static void feed_clock(struct steal *s, const struct fact *f)
{
	struct steal_clock *reader;
	uint64_t asked;

	s->now = max(s->now, f->time);
	s->clocks = grow(s->clocks, &s->n_clocks, f->cpu, sizeof(*s->clocks));
	reader = &s->clocks[f->cpu];
	if (f->aux == FACT_BEGIN) {
		begin_reading(reader, f);
		return;
	}
	if (!reader->depth)
		return;
	asked = reader->begun[--reader->depth].asked;
	if (asked > UINT16_MAX || !selected(s, (uint16_t)asked))
		return;
	s->clocks = grow(s->clocks, &s->n_clocks, asked, sizeof(*s->clocks));
	feed_reading(s, &s->clocks[asked], f);
}

static void steal_feed(void *state, const struct fact *facts, size_t n)
{
	struct steal *s = state;

	for (size_t i = 0; i < n; i++) {
		if (facts[i].kind == FACT_CPU_TIME)
			feed_time(s, &facts[i]);
		else if (facts[i].kind == FACT_STEAL)
			feed_clock(s, &facts[i]);
	}
}

/*
 * As with exits: what comes is no older than s->now, so losses that have ended by then have met
 * differences that are open, or nothing.
 */
static void steal_lost(void *state, const struct loss *losses, size_t n)
{
	struct steal *s = state;

	for (size_t i = 0; i < s->n_clocks; i++) {
		struct steal_clock *c = &s->clocks[i];

		c->doomed |= c->known && losses_meet(&s->losses, c->last_time, s->now);
	}
	losses_forget(&s->losses, s->now);
	losses_add(&s->losses, losses, n);
	for (size_t i = 0; i < n; i++)
		if (losses[i].cpu < s->n_clocks)
			s->clocks[losses[i].cpu].depth = 0;
}

enum {
	CPU,
	STEAL_NS,
	STEAL,
	USER,
	SYSTEM,
	IDLE,
	GUEST,
	USER_NS,
	SYSTEM_NS,
	IDLE_NS,
	GUEST_NS,
	TOTAL_NS
};

#define NS(k, t, m, f, h)                                                                   \
	{                                                                                   \
		.key = k, .title = t, .type = COLUMN_NS, .flags = f, .metric = m, .help = h \
	}
#define SHARE_OF(k, t, n, h)                                                                       \
	{                                                                                          \
		.key = k, .title = t, .type = COLUMN_RATIO, .derive = DERIVE_RATIO, .of = n "_ns", \
		.per = "total_ns", .help = h                                                       \
	}
#define TIMES(f, m)                                                                                \
	[CPU] = { .key = "cpu",                                                                    \
		  .title = "CPU",                                                                  \
		  .type = COLUMN_COUNT,                                                            \
		  .flags = COLUMN_LABEL | COLUMN_GAUGE,                                            \
		  .help = "CPU number" },                                                          \
	[STEAL_NS] = NS("steal_ns", "STOLEN", m("steal"), f, "time stolen by the hypervisor"),     \
	[STEAL] = SHARE_OF("steal", "STEAL", "steal", "share of stolen time"),                     \
	[USER] = SHARE_OF("user", "USER", "user", "share of user time without guests"),            \
	[SYSTEM] = SHARE_OF("system", "SYSTEM", "system", "share of kernel and interrupt time"),   \
	[IDLE] = SHARE_OF("idle", "IDLE", "idle", "share of idle time, waiting for I/O included"), \
	[GUEST] = SHARE_OF("guest", "GUEST", "guest", "share of time in guests of this machine"),  \
	[USER_NS] = NS("user_ns", "USER", m("user"), f | COLUMN_WIDE, "user time without guests"), \
	[SYSTEM_NS] = NS("system_ns", "SYSTEM", m("system"), f | COLUMN_WIDE,                      \
			 "kernel and interrupt time"),                                             \
	[IDLE_NS] = NS("idle_ns", "IDLE", m("idle"), f | COLUMN_WIDE,                              \
		       "idle time, waiting for I/O included"),                                     \
	[GUEST_NS] = NS("guest_ns", "GUEST", m("guest"), f | COLUMN_WIDE,                          \
			"time in guests of this machine"),                                         \
	[TOTAL_NS] =                                                                               \
		NS("total_ns", "TOTAL", m("accounted"), f | COLUMN_WIDE, "all accounted time")

#define METRIC(name)    "cpu_" name
#define NO_METRIC(name) NULL

static const struct column time_columns[] = { TIMES(0, METRIC) };
static const struct column boot_columns[] = { TIMES(COLUMN_GAUGE | COLUMN_SUM, NO_METRIC) };

static void fill_times(struct row *row, size_t cpu, const uint64_t ns[CPU_TIMES],
		       unsigned int known)
{
	uint64_t guest = ns[CPU_TIME_GUEST] + ns[CPU_TIME_GUEST_NICE];
	uint64_t user = ns[CPU_TIME_USER] + ns[CPU_TIME_NICE];
	uint64_t system = ns[CPU_TIME_SYSTEM] + ns[CPU_TIME_IRQ] + ns[CPU_TIME_SOFTIRQ];
	uint64_t idle = ns[CPU_TIME_IDLE] + ns[CPU_TIME_IOWAIT];

	row_count(row, CPU, cpu);
	row_count(row, USER_NS, user > guest ? user - guest : 0);
	row_count(row, SYSTEM_NS, system);
	row_count(row, IDLE_NS, idle);
	row_count(row, TOTAL_NS, max(user, guest) + system + idle + ns[CPU_TIME_STEAL]);
	if (known & 1u << CPU_TIME_STEAL)
		row_count(row, STEAL_NS, ns[CPU_TIME_STEAL]);
	if (known & 1u << CPU_TIME_GUEST)
		row_count(row, GUEST_NS, guest);
}

static uint64_t all_of(const uint64_t ns[CPU_TIMES])
{
	uint64_t all = 0;

	for (unsigned int i = 0; i < CPU_TIME_GUEST; i++)
		all += ns[i];
	return all;
}

/*
 * Time that no counter has. Idle time is counted by the clock, but the rest tick by tick: a CPU
 * that was taken away without a steal clock that tells leaves a gap, and so does one that stands
 * still or runs without ticks.
 */
static void note_shortfall(const struct steal *s, struct report *report)
{
	unsigned int n = 0, least = 100;
	size_t which = 0;

	for (size_t i = 0; i < s->n_times; i++) {
		const struct cpu_time *t = &s->times[i];
		unsigned int percent;

		if (t->covered < SHORT_NS)
			continue;
		percent = (unsigned int)(100.0 * (double)all_of(t->total) / (double)t->covered);
		n += percent < SHORT_PERCENT;
		if (percent < least) {
			least = percent;
			which = i;
		}
	}
	if (n)
		report_note(report,
			    "The counters of %u CPU%s have less than %d %% of the time that went "
			    "by (CPU %zu: %u %%): stolen without being told as such, stopped, or "
			    "running without ticks.",
			    n, n > 1 ? "s" : "", SHORT_PERCENT, which, least);
}

static void report_times(const struct steal *s, struct report *report)
{
	struct table *table = table_new(
		report, &(struct table_layout){ .name = "steal",
						.title = "CPU time and what was stolen of it",
						.columns = time_columns,
						.nr_columns = ARRAY_SIZE(time_columns) });
	char times[32], back[32];
	uint64_t stolen = 0, went;
	bool no_steal = false;

	for (size_t i = 0; i < s->n_times; i++) {
		const struct cpu_time *t = &s->times[i];

		if (!t->shown)
			continue;
		fill_times(table_row(table), i, t->total, t->known & t->seen);
		stolen += t->total[CPU_TIME_STEAL];
		no_steal |= !(t->seen & 1u << CPU_TIME_STEAL);
	}
	if (s->samples > 1 && !table->nr_rows)
		report_note(report, "No CPU that was asked for was in two samples of /proc/stat.");
	if (no_steal)
		report_note(report, "This kernel's /proc/stat has no steal column, so stolen time "
				    "is unknown here, not zero.");
	else if (!stolen && s->env->native)
		report_note(report, "Nothing can be stolen: this machine is no guest (%s).",
			    s->env->native);
	note_shortfall(s, report);
	if (s->backwards)
		report_note(report,
			    "Counters of /proc/stat ran backwards %s; they count as standing "
			    "still.",
			    text_plural(times, sizeof(times), s->backwards, "time", "times"));
	went = s->went + gone(s);
	if (went || s->came)
		report_note(report,
			    "CPUs went offline %s and came back %s: their time is counted only "
			    "between samples that have them.",
			    text_plural(times, sizeof(times), went, "time", "times"),
			    text_plural(back, sizeof(back), s->came, "time", "times"));
}

static void report_boot(const struct steal *s, struct report *report)
{
	struct table *table =
		table_new(report, &(struct table_layout){ .name = "boot",
							  .title = "since boot",
							  .columns = boot_columns,
							  .nr_columns = ARRAY_SIZE(boot_columns) });

	for (size_t i = 0; i < s->n_times; i++) {
		const struct cpu_time *t = &s->times[i];
		uint64_t ns[CPU_TIMES];

		if (!t->sample)
			continue;
		for (unsigned int k = 0; k < CPU_TIMES; k++)
			ns[k] = (int64_t)t->last[k] > 0 ? t->last[k] : 0;
		fill_times(table_row(table), i, ns, t->seen);
	}
}

enum {
	S_CPU,
	S_READINGS,
	S_SLICES,
	S_BACKWARDS,
	S_TOTAL,
	S_MIN,
	S_MEAN,
	S_STDDEV,
	S_PERCENTILES,
	S_MAX,
	S_MAX_AT,
	S_HIST
};

static const struct column slice_columns[] = {
	[S_CPU] = { .key = "cpu",
		    .title = "CPU",
		    .type = COLUMN_COUNT,
		    .flags = COLUMN_LABEL | COLUMN_GAUGE,
		    .help = "CPU number" },
	[S_READINGS] = { .key = "readings",
			 .title = "READINGS",
			 .type = COLUMN_COUNT,
			 .metric = "steal_clock_readings",
			 .help = "readings of the steal clock" },
	[S_SLICES] = { .key = "slices",
		       .title = "STEALS",
		       .type = COLUMN_COUNT,
		       .derive = DERIVE_NUMBER,
		       .metric = "steal_clock_steals",
		       .help = "readings with stolen time since the one before" },
	[S_BACKWARDS] = { .key = "backwards",
			  .title = "BACKWARDS",
			  .type = COLUMN_COUNT,
			  .flags = COLUMN_WHEN_ANY,
			  .metric = "steal_clock_backwards",
			  .help = "readings below the one before" },
	[S_TOTAL] = { .key = "total_ns",
		      .title = "STOLEN",
		      .type = COLUMN_NS,
		      .derive = DERIVE_SUM,
		      .metric = "steal_clock",
		      .help = "stolen time by the steal clock" },
	[S_MIN] = { .key = "min_ns",
		    .title = "MIN",
		    .type = COLUMN_NS,
		    .flags = COLUMN_GAUGE | COLUMN_WIDE,
		    .derive = DERIVE_MIN,
		    .help = "least stolen time between two readings" },
	[S_MEAN] = { .key = "mean_ns",
		     .title = "MEAN",
		     .type = COLUMN_NS,
		     .flags = COLUMN_GAUGE,
		     .derive = DERIVE_MEAN,
		     .help = "mean stolen time between two readings" },
	[S_STDDEV] = { .key = "stddev_ns",
		       .title = "STDDEV",
		       .type = COLUMN_NS,
		       .flags = COLUMN_GAUGE | COLUMN_WIDE,
		       .derive = DERIVE_STDDEV,
		       .help = "its standard deviation" },
	[S_PERCENTILES] = { .key = "p%_ns",
			    .title = "P%",
			    .type = COLUMN_NS,
			    .flags = COLUMN_GAUGE,
			    .derive = DERIVE_PERCENTILE,
			    .help = "percentile of it" },
	[S_MAX] = { .key = "max_ns",
		    .title = "MAX",
		    .type = COLUMN_NS,
		    .flags = COLUMN_GAUGE,
		    .derive = DERIVE_MAX,
		    .help = "greatest stolen time between two readings" },
	[S_MAX_AT] = { .key = "max_at_ns",
		       .title = "MAX AT",
		       .type = COLUMN_NS,
		       .flags = COLUMN_GAUGE,
		       .help = "when that was, since the begin of the trace" },
	[S_HIST] = { .key = "hist",
		     .title = "HISTOGRAM",
		     .type = COLUMN_HISTOGRAM,
		     .derive = DERIVE_HISTOGRAM,
		     .metric = "steal_clock_stolen",
		     .help = "stolen time between two readings of the steal clock" },
};

static void note_readings(const struct steal *s, struct report *report)
{
	for (size_t i = 0; i < s->n_clocks; i++) {
		if (!s->clocks[i].readings)
			continue;
		report_note(report,
			    "The steal clock is read about once a tick: several slices of stolen "
			    "time may have merged into one.");
		return;
	}
	report_note(report, "The steal clock was not read: this machine is no guest, or its "
			    "hypervisor offers none.");
}

static void report_slices(struct steal *s, struct report *report)
{
	struct table *table = table_new(
		report, &(struct table_layout){
				.name = "slices",
				.title = "stolen time between two readings of the steal clock",
				.columns = slice_columns,
				.nr_columns = ARRAY_SIZE(slice_columns),
				.percentiles = s->env->percentiles,
				.nr_percentiles = (unsigned int)s->env->n_percentiles,
				.histograms = s->env->hist });

	for (size_t i = 0; i < s->n_clocks; i++) {
		struct steal_clock *c = &s->clocks[i];
		struct row *row;

		if (!c->readings)
			continue;
		row = table_row(table);
		row_count(row, S_CPU, i);
		row_count(row, S_READINGS, c->readings);
		row_count(row, S_BACKWARDS, c->backwards);
		if (c->slices.max)
			row_count(row, S_MAX_AT,
				  c->max_time > s->env->begin ? c->max_time - s->env->begin : 0);
		row_lend(row, 0, &c->slices);
		report->lost.intervals += c->slices.count;
	}
	report->lost.intervals += s->discarded;
	report->lost.intervals_discarded += s->discarded;
	note_readings(s, report);
}

static void steal_report(void *state, struct report *report, uint64_t now, bool last)
{
	struct steal *s = state;
	bool sampled = s->env->sampled || s->samples;

	(void)now;
	(void)last;
	if (sampled) {
		report_times(s, report);
		if (s->env->verbose)
			report_boot(s, report);
	}
	if (s->env->hist || !sampled)
		report_slices(s, report);
}

const struct analysis analysis_steal = {
	.name = "steal",
	.summary = "CPU time that the hypervisor took from this machine",
	.facts = FACT_BIT(FACT_STEAL),
	.facts_sampled = FACT_BIT(FACT_CPU_TIME),
	.order = ORDER_GLOBAL,
	.keys = KEY_BIT(KEY_CPU),
	.by_live = KEY_BIT(KEY_CPU),
	.by_file = KEY_BIT(KEY_CPU),
	.new = steal_new,
	.lost = steal_lost,
	.feed = steal_feed,
	.report = steal_report,
	.free = steal_free,
};
