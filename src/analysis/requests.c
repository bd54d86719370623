// SPDX-License-Identifier: GPL-2.0-or-later
/* The pending requests of each device stand in a map of their own, by first sector. */
#include "analysis/requests.h"

#include "analysis/losses.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/util.h"

/* A time of issue from which the latency can only be discarded. */
#define DOOMED UINT64_MAX

/*
 * No device has more requests at a time. Those whose completion was lost, or was not recorded at
 * all, would be pending for ever.
 */
enum { PENDING_MAX = 65536 };

struct disk {
	uint32_t dev; /* as the kernel has it: major << 20 | minor */
	char name[32]; /* "" unknown: it may be gone when it is told of */
	uint64_t requests, empty, discarded, reissued, sectors;
	struct dist latency;
	struct hash pending; /* sector → time of issue */
	uint64_t overdue;    /* that were, and can't be complete any more */
};

struct requests {
	const struct analysis_env *env;
	struct hash disks; /* dev → struct disk */
	struct losses losses;
	uint64_t now;
};

struct requests *requests_new(const struct analysis_env *env)
{
	struct requests *r = xcalloc(1, sizeof(*r));

	r->env = env;
	return r;
}

void requests_free(struct requests *r)
{
	if (!r)
		return;
	hash_each(&r->disks, e)
	{
		struct disk *disk = e->value.p;

		hash_free(&disk->pending);
		dist_free(&disk->latency);
		free(disk);
	}
	hash_free(&r->disks);
	losses_free(&r->losses);
	free(r);
}

static struct disk *disk_of(struct requests *r, uint32_t dev)
{
	bool is_new;
	union hash_value *value = hash_insert(&r->disks, dev, &is_new);
	struct disk *disk;

	if (!is_new)
		return value->p;
	disk = xcalloc(1, sizeof(*disk));
	disk->dev = dev;
	value->p = disk;
	return disk;
}

static uint32_t major_of(const struct disk *disk)
{
	return disk->dev >> 20;
}

static uint32_t minor_of(const struct disk *disk)
{
	return disk->dev & 0xfffff;
}

/* Its name as of now, or as it was while it had one. */
static const char *name_disk(const struct requests *r, struct disk *disk)
{
	const struct analysis_env *env = r->env;

	if (env->block_device)
		env->block_device(env->ctx, major_of(disk), minor_of(disk), disk->name,
				  sizeof(disk->name));
	return disk->name[0] ? disk->name : NULL;
}

static uint64_t issued(const struct hash_entry *e)
{
	return e->value.u == DOOMED ? 0 : e->value.u;
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The older half of the pending requests, first of all those whose latency can't be told. */
static void give_up(struct disk *disk)
{
	uint32_t n = disk->pending.nr;
	uint64_t *times = xcalloc(n, sizeof(*times)), middle;

	for (uint32_t i = 0; i < n; i++)
		times[i] = issued(&disk->pending.entries[i]);
	qsort(times, n, sizeof(*times), by_time);
	middle = times[n / 2];
	free(times);
	/* from behind, as the last one takes the place of one that goes */
	for (uint32_t i = n; i-- > 0;)
		if (issued(&disk->pending.entries[i]) <= middle)
			hash_remove(&disk->pending, disk->pending.entries[i].key);
	disk->overdue += n - disk->pending.nr;
}

/* The CPU that issues a request is the one that -C asks about. */
static void issue(const struct requests *r, struct disk *disk, const struct fact *f)
{
	uint32_t sectors = (uint32_t)f->b;
	bool is_new;

	if (r->env->cpu_selected && !r->env->cpu_selected(r->env->ctx, f->cpu)) {
		disk->reissued += hash_remove(&disk->pending, f->a);
		return;
	}
	disk->requests++;
	disk->sectors += sectors;
	if (!sectors) {
		disk->empty++;
		return;
	}
	if (disk->pending.nr >= PENDING_MAX)
		give_up(disk);
	hash_insert(&disk->pending, f->a, &is_new)->u = f->time;
	disk->reissued += !is_new;
}

static void complete(struct requests *r, struct disk *disk, const struct fact *f)
{
	const union hash_value *since = hash_find(&disk->pending, f->a);

	if (!since || !(uint32_t)f->b)
		return;
	if (f->time < since->u || losses_meet(&r->losses, since->u, f->time))
		disk->discarded++;
	else
		dist_add(&disk->latency, f->time - since->u);
	hash_remove(&disk->pending, f->a);
}

void requests_feed(struct requests *r, const struct fact *f)
{
	struct disk *disk = disk_of(r, (uint32_t)(f->b >> 32));

	r->now = max(r->now, f->time);
	if (f->aux == FACT_BEGIN)
		issue(r, disk, f);
	else
		complete(r, disk, f);
}

static void doom(struct requests *r, struct disk *disk)
{
	hash_each(&disk->pending, e)
		if (e->value.u != DOOMED && losses_meet(&r->losses, e->value.u, r->now))
			e->value.u = DOOMED;
}

/*
 * As with exits: what comes is no older than r->now, so losses that have ended by then have met
 * pending requests or nothing.
 */
void requests_lost(struct requests *r, const struct loss *losses, size_t n)
{
	hash_each(&r->disks, e) doom(r, e->value.p);
	losses_forget(&r->losses, r->now);
	losses_add(&r->losses, losses, n);
}

enum {
	DEVICE,
	NAME,
	REQUESTS,
	RATE,
	TIMED,
	DISCARDED,
	REISSUED,
	EMPTY,
	OPEN,
	SECTORS,
	TOTAL,
	MIN,
	MEAN,
	STDDEV,
	PERCENTILE,
	MAX,
	HIST
};

#define COUNT(k, t, more, m, words)                                                     \
	{                                                                               \
		.key = k, .title = t, .type = COLUMN_COUNT, .flags = more, .metric = m, \
		.help = words                                                           \
	}
#define TIME(k, t, more, how, m, words)                                                \
	{                                                                              \
		.key = k, .title = t, .type = COLUMN_NS, .flags = more, .derive = how, \
		.metric = m, .help = words                                             \
	}

static const struct column columns[] = {
	[DEVICE] = { .key = "device",
		     .title = "DEVICE",
		     .type = COLUMN_TEXT,
		     .flags = COLUMN_LABEL,
		     .help = "Block device, major:minor" },
	[NAME] = { .key = "name",
		   .title = "NAME",
		   .type = COLUMN_TEXT,
		   .flags = COLUMN_WHEN_ANY,
		   .help = "Its name in /dev, where /sys tells" },
	[REQUESTS] = COUNT("requests", "REQUESTS", 0, "block_requests", "Requests issued"),
	[RATE] = { .key = "rate",
		   .title = "RATE",
		   .type = COLUMN_RATE,
		   .derive = DERIVE_RATE,
		   .of = "requests",
		   .help = "Requests per second" },
	[TIMED] = COUNT("timed", "TIMED", COLUMN_WIDE, "block_requests_timed",
			"Requests whose completion was seen"),
	[DISCARDED] = COUNT("discarded", "DISC", COLUMN_WHEN_ANY, "block_requests_discarded",
			    "Requests whose latency may have met a loss of records"),
	[REISSUED] = COUNT("reissued", "REISSUED", COLUMN_WIDE, "block_requests_reissued",
			   "Requests issued again before they were complete"),
	[EMPTY] = COUNT("empty", "EMPTY", COLUMN_WIDE, "block_requests_empty",
			"Requests without sectors, such as flushes: not timed"),
	[OPEN] = COUNT("open", "OPEN", COLUMN_WIDE | COLUMN_GAUGE | COLUMN_SUM,
		       "block_requests_open", "Requests not complete at the end"),
	[SECTORS] = COUNT("sectors", "SECTORS", COLUMN_WIDE, "block_sectors",
			  "Sectors of 512 bytes in them"),
	[TOTAL] = TIME("total_ns", "TOTAL", COLUMN_WIDE, DERIVE_SUM, "block_request_time",
		       "Sum of latencies"),
	[MIN] = TIME("min_ns", "MIN", COLUMN_WIDE | COLUMN_GAUGE, DERIVE_MIN, NULL,
		     "Least latency"),
	[MEAN] = TIME("mean_ns", "MEAN", COLUMN_GAUGE, DERIVE_MEAN, NULL, "Mean latency"),
	[STDDEV] = TIME("stddev_ns", "STDDEV", COLUMN_WIDE | COLUMN_GAUGE, DERIVE_STDDEV, NULL,
			"Standard deviation of the latency"),
	[PERCENTILE] = TIME("p%_ns", "P%", COLUMN_GAUGE, DERIVE_PERCENTILE, NULL,
			    "Percentile of the latency"),
	[MAX] = TIME("max_ns", "MAX", COLUMN_GAUGE, DERIVE_MAX, NULL, "Greatest latency"),
	[HIST] = { .key = "hist",
		   .title = "HISTOGRAM",
		   .type = COLUMN_HISTOGRAM,
		   .derive = DERIVE_HISTOGRAM,
		   .metric = "block_request_duration",
		   .help = "From issue to completion" },
};

void requests_report(struct requests *r, struct report *report)
{
	uint64_t overdue = 0;
	struct table *table;
	char number[64];

	table = table_new(report, &(struct table_layout){
					  .name = "requests",
					  .title = "block requests, from issue to completion",
					  .columns = columns,
					  .nr_columns = ARRAY_SIZE(columns),
					  .percentiles = r->env->percentiles,
					  .nr_percentiles = (unsigned int)r->env->n_percentiles,
					  .histograms = r->env->hist,
					  .sort = "requests" });
	hash_each(&r->disks, e)
	{
		struct disk *disk = e->value.p;
		struct row *row;

		if (!disk->requests)
			continue;
		row = table_row(table);
		row_printf(row, DEVICE, "%u:%u", major_of(disk), minor_of(disk));
		row_text(row, NAME, name_disk(r, disk));
		row_count(row, REQUESTS, disk->requests);
		row_count(row, TIMED, disk->latency.count);
		row_count(row, DISCARDED, disk->discarded);
		row_count(row, REISSUED, disk->reissued);
		row_count(row, EMPTY, disk->empty);
		row_count(row, OPEN, disk->pending.nr + disk->overdue);
		row_count(row, SECTORS, disk->sectors);
		if (r->env->times)
			row_lend(row, 0, &disk->latency);
		report->lost.intervals += disk->latency.count + disk->discarded;
		report->lost.intervals_discarded += disk->discarded;
		overdue += disk->overdue;
	}
	if (overdue)
		report_note(report,
			    "%s had no completion while %d others were pending on the device, and "
			    "count as open.",
			    text_plural(number, sizeof(number), overdue, "request", "requests"),
			    PENDING_MAX / 2);
}
