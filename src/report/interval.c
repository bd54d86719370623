// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Totals minus the totals of the last boundary. What is remembered of a row is keyed by
 * the table's name and the row's labels, each with its length, so that no label can
 * imitate another; equal rows of one report are told apart by their number.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "report/interval.h"

/* A row as it was at the last boundary. */
struct past {
	uint64_t seen; /* number of the cut that it was last seen in */
	unsigned nr_cells;
	uint64_t *cells;
	struct dist *dist[ROW_DISTS]; /* NULL = there was none */
};

struct interval {
	struct strhash rows; /* struct past */
	uint64_t cuts;
	struct report_lost lost;
};

struct interval *interval_new(void)
{
	return xcalloc(1, sizeof(struct interval));
}

static void past_free(struct past *past)
{
	for (unsigned i = 0; i < ROW_DISTS; i++) {
		if (past->dist[i])
			dist_free(past->dist[i]);
		free(past->dist[i]);
	}
	free(past->cells);
	free(past);
}

void interval_free(struct interval *interval)
{
	if (!interval)
		return;
	strhash_each(&interval->rows, entry) past_free(entry->value);
	strhash_free(&interval->rows);
	free(interval);
}

/* The cell as text; the caller frees it. */
static char *label_text(const struct row *row, unsigned place)
{
	const struct cell *cell = &row->cells[place];

	if (!cell->set)
		return xstrdup("");
	switch (row->table->columns[place].def->type) {
	case COLUMN_TEXT:
	case COLUMN_HEX:
		return xasprintf("=%s", cell->v.text);
	case COLUMN_BOOL:
		return xstrdup(cell->v.b ? "1" : "0");
	case COLUMN_PARTLY:
		return xasprintf("%d", cell->v.partly);
	case COLUMN_STACK: {
		char *text = xstrdup("");

		for (unsigned i = 0; i < cell->v.stack->nr; i++) {
			char *longer = xasprintf("%s%zu:%s", text, strlen(cell->v.stack->frames[i]),
						 cell->v.stack->frames[i]);

			free(text);
			text = longer;
		}
		return text;
	}
	default:
		return xasprintf("%llu", (unsigned long long)cell->v.u);
	}
}

/* Identity of a row; the caller frees it. `twin` tells rows with equal labels apart. */
static char *row_key(const struct row *row, unsigned twin)
{
	char *key = xasprintf("%s#%u", row->table->name, twin);

	for (unsigned i = 0; i < row->table->nr_columns; i++) {
		char *text, *longer;

		if (!(row->table->columns[i].def->flags & COLUMN_LABEL))
			continue;
		text = label_text(row, i);
		longer = xasprintf("%s,%zu:%s", key, strlen(text), text);
		free(text);
		free(key);
		key = longer;
	}
	return key;
}

/* What is remembered of the row; zeros at first. */
static struct past *past_of(struct interval *interval, const struct row *row)
{
	struct past *past;
	unsigned twin = 0;

	do {
		char *key = row_key(row, twin++);
		bool is_new;
		void **value = strhash_insert(&interval->rows, key, &is_new);

		free(key);
		if (is_new)
			*value = xcalloc(1, sizeof(*past));
		past = *value;
	} while (past->seen == interval->cuts);
	past->seen = interval->cuts;
	if (past->nr_cells < row->table->nr_columns) {
		unsigned nr = row->table->nr_columns;

		past->cells = xreallocarray(past->cells, nr, sizeof(*past->cells));
		memset(past->cells + past->nr_cells, 0,
		       (nr - past->nr_cells) * sizeof(*past->cells));
		past->nr_cells = nr;
	}
	return past;
}

/* A total that fell began anew (its thread id was reused): all of it is new. */
static uint64_t take(uint64_t now, uint64_t *before)
{
	uint64_t difference = now >= *before ? now - *before : now;

	*before = now;
	return difference;
}

static bool is_counter(const struct column *def)
{
	return def->derive == DERIVE_NONE && column_monotonic(def);
}

static void cut_cells(struct row *row, struct past *past)
{
	for (unsigned i = 0; i < row->table->nr_columns; i++)
		if (is_counter(row->table->columns[i].def) && row->cells[i].set)
			row->cells[i].v.u = take(row->cells[i].v.u, &past->cells[i]);
}

static void cut_dists(struct row *row, struct past *past)
{
	for (unsigned i = 0; i < ROW_DISTS; i++) {
		struct dist *now = row->dist[i], *before = past->dist[i], difference = { 0 };

		if (!now)
			continue;
		if (!before)
			before = past->dist[i] = xcalloc(1, sizeof(*before));
		/* As in take(): one that shrank began anew. */
		dist_interval(&difference, now, now->count >= before->count ? before : NULL);
		dist_copy(before, now);
		dist_cut(now);
		row_give(row, i, &difference);
	}
}

/* Whether the row says anything about the interval. Rows that can't say "0" always do. */
static bool says_something(const struct row *row)
{
	bool counts = false;

	for (unsigned i = 0; i < ROW_DISTS; i++) {
		if (row->dist[i] && row->dist[i]->count)
			return true;
		counts |= !!row->dist[i];
	}
	for (unsigned i = 0; i < row->table->nr_columns; i++) {
		const struct column *def = row->table->columns[i].def;

		if (def->flags & COLUMN_LABEL || def->derive != DERIVE_NONE ||
		    (def->type != COLUMN_COUNT && def->type != COLUMN_NS &&
		     def->type != COLUMN_BYTES))
			continue;
		if (row->cells[i].set && row->cells[i].v.u)
			return true;
		counts = true;
	}
	return !counts;
}

static void cut_table(struct interval *interval, struct table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < table->nr_rows; i++) {
		struct row *row = table->rows[i];
		struct past *past = past_of(interval, row);

		cut_cells(row, past);
		cut_dists(row, past);
		if (says_something(row))
			table->rows[kept++] = row;
		else
			row_free(row);
	}
	table->nr_rows = kept;
}

/* A row that is no longer reported was forgotten by its analysis: it would begin at 0 again. */
static void forget_unseen(struct interval *interval)
{
	for (uint32_t i = 0; i < interval->rows.nr;) {
		struct strhash_entry *entry = &interval->rows.entries[i];
		struct past *past = entry->value;

		if (past->seen == interval->cuts) {
			i++;
			continue;
		}
		past_free(past);
		strhash_remove(&interval->rows, entry->key); /* another takes its place */
	}
}

void interval_cut(struct interval *interval, struct report *report)
{
	interval->cuts++;
	for (unsigned i = 0; i < report->nr_tables; i++)
		cut_table(interval, report->tables[i]);
	forget_unseen(interval);
	report->lost.intervals = take(report->lost.intervals, &interval->lost.intervals);
	report->lost.intervals_discarded =
		take(report->lost.intervals_discarded, &interval->lost.intervals_discarded);
}
