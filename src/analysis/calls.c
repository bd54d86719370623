// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls are rare beside exits (a probe alone costs a microsecond), so a pending one is looked up
 * in a map by subject and a, and no more is made of it.
 */
#include "analysis/calls.h"

#include "analysis/losses.h"
#include "base/hash.h"
#include "base/util.h"

struct call_bin {
	struct bin bin;
	uint64_t calls, discarded, unpaired, ended, open;
	struct dist duration;
};

/* A call without its return. Since DOOMED, its duration can only be discarded. */
#define DOOMED UINT64_MAX

struct pending {
	uint64_t since;
	struct call_bin *bin; /* NULL: one that doesn't count */
};

struct calls {
	const struct analysis_env *env;
	enum fact_kind kind;
	struct bins *bins;
	struct hash pending; /* subject << 32 | a → struct pending */
	struct hash inside;  /* subject → how many of them */
	struct losses losses;
	uint64_t now;
};

struct calls *calls_new(const struct analysis_env *env, enum fact_kind kind)
{
	struct calls *c = xcalloc(1, sizeof(*c));

	c->env = env;
	c->kind = kind;
	c->bins = bins_new(env, sizeof(struct call_bin), KEY_OP);
	return c;
}

static void release_bin(struct bin *bin)
{
	dist_free(&((struct call_bin *)bin)->duration);
}

void calls_free(struct calls *c)
{
	if (!c)
		return;
	hash_each(&c->pending, e) free(e->value.p);
	hash_free(&c->pending);
	hash_free(&c->inside);
	bins_free(c->bins, release_bin);
	losses_free(&c->losses);
	free(c);
}

static uint64_t key_of(const struct fact *f)
{
	return (uint64_t)f->subject << 32 | (uint32_t)f->a;
}

static struct call_bin *find_bin(struct calls *c, const struct fact *f)
{
	const struct analysis_env *env = c->env;

	if ((env->selected && !env->selected(env->ctx, f->subject, FACT_NO_VCPU)) ||
	    (env->cpu_selected && !env->cpu_selected(env->ctx, f->cpu)))
		return NULL;
	return (struct call_bin *)bins_get(c->bins, bins_member(c->bins, f->subject), f->cpu, 0,
					   f->a);
}

static void begin(struct calls *c, const struct fact *f)
{
	bool is_new;
	union hash_value *value = hash_insert(&c->pending, key_of(f), &is_new);
	struct pending *p;

	if (is_new) {
		value->p = xcalloc(1, sizeof(*p));
		hash_insert(&c->inside, f->subject, NULL)->u++;
	}
	p = value->p;
	if (!is_new && p->bin)
		p->bin->unpaired++;
	p->since = f->time;
	p->bin = find_bin(c, f);
	if (p->bin)
		p->bin->calls++;
}

static void drop(struct calls *c, uint64_t key)
{
	union hash_value *inside = hash_find(&c->inside, key >> 32);

	if (!--inside->u)
		hash_remove(&c->inside, key >> 32);
	free(hash_pointer(&c->pending, key));
	hash_remove(&c->pending, key);
}

static void end(struct calls *c, const struct fact *f)
{
	const struct pending *p = hash_pointer(&c->pending, key_of(f));

	if (!p)
		return;
	if (p->bin && (f->time < p->since || losses_meet(&c->losses, p->since, f->time)))
		p->bin->discarded++;
	else if (p->bin)
		dist_add(&p->bin->duration, f->time - p->since);
	drop(c, key_of(f));
}

static void end_thread(struct calls *c, uint32_t subject)
{
	for (uint32_t i = c->pending.nr; i-- > 0 && calls_inside(c, subject);) {
		struct hash_entry *e = &c->pending.entries[i];
		struct pending *p = e->value.p;

		if (e->key >> 32 != subject)
			continue;
		if (p->bin)
			p->bin->ended++;
		drop(c, e->key);
	}
}

void calls_feed(struct calls *c, const struct fact *f)
{
	c->now = max(c->now, f->time);
	if (bins_outdated(f))
		bins_forget(c->bins, f->subject);
	if (f->kind == FACT_THREAD_END)
		end_thread(c, f->subject);
	else if (f->kind == c->kind && f->aux == FACT_BEGIN)
		begin(c, f);
	else if (f->kind == c->kind)
		end(c, f);
}

/*
 * As with exits: what comes is no older than c->now, so losses that have ended by then have met
 * pending calls or nothing.
 */
void calls_lost(struct calls *c, const struct loss *losses, size_t n)
{
	hash_each(&c->pending, e)
	{
		struct pending *p = e->value.p;

		if (p->since != DOOMED && losses_meet(&c->losses, p->since, c->now))
			p->since = DOOMED;
	}
	losses_forget(&c->losses, c->now);
	losses_add(&c->losses, losses, n);
}

bool calls_inside(const struct calls *c, uint32_t subject)
{
	return hash_find(&c->inside, subject);
}

uint64_t calls_total(const struct calls *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < bins_count(c->bins); i++)
		n += ((const struct call_bin *)bins_at(c->bins, i))->calls;
	return n;
}

const char *calls_interned(const void *ctx, uint64_t a, char *buf, size_t size)
{
	const struct analysis_env *env = ctx;

	(void)buf;
	(void)size;
	return env->string(env->ctx, a);
}

static void count_open(struct calls *c)
{
	for (size_t i = 0; i < bins_count(c->bins); i++) {
		struct call_bin *bin = (struct call_bin *)bins_at(c->bins, i);

		bin->open = bin->ended;
		bin->ended = 0;
	}
	hash_each(&c->pending,
		  e) if (((struct pending *)e->value.p)->bin)((struct pending *)e->value.p)
		->bin->open++;
}

static void add_row(struct calls *c, struct table *table, struct call_bin *bin, const char *name)
{
	struct row *row = table_row(table);

	bins_label(c->bins, &bin->bin, row);
	row_text(row, CALLS_NAME, name);
	row_count(row, CALLS_CALLS, bin->calls);
	row_count(row, CALLS_TIMED, bin->duration.count);
	row_count(row, CALLS_DISCARDED, bin->discarded);
	row_count(row, CALLS_UNPAIRED, bin->unpaired);
	row_count(row, CALLS_OPEN, bin->open);
	if (c->env->times)
		row_lend(row, 0, &bin->duration);
}

void calls_report(struct calls *c, struct report *report, const char *name, const char *title,
		  const struct column columns[CALLS_COLUMNS], calls_namer *namer, const void *ctx)
{
	unsigned int show[CALLS_COLUMNS], n = bins_show(c->bins, show);
	bool names = c->env->by & KEY_BIT(KEY_OP);
	struct table *table;
	char buf[128];

	for (unsigned int i = names ? CALLS_NAME : CALLS_CALLS; i < CALLS_COLUMNS; i++)
		show[n++] = i;
	table = table_new(report, &(struct table_layout){
					  .name = name,
					  .title = title,
					  .columns = columns,
					  .nr_columns = CALLS_COLUMNS,
					  .show = show,
					  .nr_show = n,
					  .percentiles = c->env->percentiles,
					  .nr_percentiles = (unsigned int)c->env->n_percentiles,
					  .histograms = c->env->hist,
					  .sort = "calls" });
	count_open(c);
	for (size_t i = 0; i < bins_count(c->bins); i++) {
		struct call_bin *bin = (struct call_bin *)bins_at(c->bins, i);

		add_row(c, table, bin, names ? namer(ctx, bin->bin.value, buf, sizeof(buf)) : NULL);
		report->lost.intervals += bin->duration.count + bin->discarded;
		report->lost.intervals_discarded += bin->discarded;
	}
}
