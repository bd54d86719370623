// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a report says beyond the cells that an analysis set: figures of distributions,
 * totals, shares, rates, order, and the row "(n others)". A sum has a cell as soon as one
 * of its rows has; over no rows at all it is 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/report.h"

static bool is_integer(enum column_type type)
{
	return type == COLUMN_COUNT || type == COLUMN_NS || type == COLUMN_BYTES;
}

static bool is_number(enum column_type type)
{
	return is_integer(type) || type == COLUMN_RATIO || type == COLUMN_RATE;
}

static double number_of(const struct row *row, unsigned place)
{
	const struct cell *cell = &row->cells[place];

	return is_integer(row->table->columns[place].def->type) ? (double)cell->v.u : cell->v.d;
}

/* Fills a cell from the row's distribution. */
static void derive_from_dist(struct row *row, unsigned place)
{
	const struct table_column *column = &row->table->columns[place];
	const struct dist *dist = row->dist[column->def->dist];
	struct cell *cell = &row->cells[place];

	if (!dist)
		return;
	switch (column->def->derive) {
	case DERIVE_NUMBER:
		cell->v.u = dist->count;
		cell->set = true;
		break;
	case DERIVE_SUM:
		cell->set = dist_sum(dist, &cell->v.u);
		break;
	case DERIVE_MIN:
		cell->set = dist_min(dist, &cell->v.u);
		break;
	case DERIVE_MEAN:
		cell->set = dist_mean(dist, &cell->v.u);
		break;
	case DERIVE_STDDEV:
		cell->set = dist_stddev(dist, &cell->v.u);
		break;
	case DERIVE_PERCENTILE:
		cell->set = dist_percentile(dist, column->ppm, &cell->v.u);
		break;
	case DERIVE_MAX:
		cell->set = dist_max(dist, &cell->v.u);
		break;
	case DERIVE_HISTOGRAM:
		cell->v.histogram = &dist->histogram;
		cell->set = true;
		break;
	default:
		break;
	}
}

/* value / base; null where there is nothing to divide or to divide by. */
static void derive_quotient(struct row *row, unsigned place, bool known, double value, double base)
{
	struct cell *cell = &row->cells[place];

	cell->set = known && base > 0;
	if (cell->set)
		cell->v.d = value / base;
}

/* All derived cells but shares, which need the totals. */
static void derive_row(struct row *row)
{
	const struct table *table = row->table;
	const struct report *report = table->report;

	for (unsigned i = 0; i < table->nr_columns; i++)
		derive_from_dist(row, i);
	for (unsigned i = 0; i < table->nr_columns; i++) {
		const struct table_column *column = &table->columns[i];
		bool known = column->of >= 0 && row->cells[column->of].set;

		if (column->def->derive == DERIVE_RATE)
			derive_quotient(row, i, known && report->has_span,
					known ? number_of(row, column->of) : 0,
					report->span_ns / 1e9);
		if (column->def->derive == DERIVE_RATIO)
			derive_quotient(row, i, known && row->cells[column->per].set,
					known ? number_of(row, column->of) : 0,
					number_of(row, column->per));
	}
}

static bool counts_in(const struct row *row, const struct column *def)
{
	return !(row->flags & ROW_LAST && def->flags & COLUMN_NOT_LAST);
}

/*
 * The sum of a column over rows, as far as they take part in the column `def`. Integers are rounded
 * once, so that their sum doesn't depend on the order of the rows, which isn't sorted yet.
 */
static bool sum_of(struct row *const *rows, size_t nr, unsigned place, const struct column *def,
		   double *sum)
{
	unsigned __int128 whole = 0;
	bool any = false;

	*sum = 0;
	for (size_t i = 0; i < nr; i++) {
		if (!counts_in(rows[i], def) || !rows[i]->cells[place].set)
			continue;
		if (is_integer(rows[i]->table->columns[place].def->type))
			whole += rows[i]->cells[place].v.u;
		else
			*sum += rows[i]->cells[place].v.d;
		any = true;
	}
	*sum += (double)whole;
	return any;
}

/* Adds one row's cell to that of a sum. */
static void add_cell(struct row *to, const struct row *from, unsigned place)
{
	const struct column *def = to->table->columns[place].def;

	if (!from->cells[place].set || !counts_in(from, def))
		return;
	if (is_integer(def->type))
		to->cells[place].v.u += from->cells[place].v.u;
	else
		to->cells[place].v.d += from->cells[place].v.d;
	to->cells[place].set = true;
}

static void add_dists(struct row *to, const struct row *from)
{
	for (unsigned slot = 0; slot < ROW_DISTS; slot++) {
		if (!from->dist[slot])
			continue;
		if (!to->dist[slot]) {
			to->dist[slot] = xcalloc(1, sizeof(*to->dist[slot]));
			to->owned[slot] = true;
		}
		dist_merge(to->dist[slot], from->dist[slot]);
	}
}

/* The sum of no distribution is 0, too, where the source's clock tells times at all. */
static void sum_nothing(struct row *sum)
{
	const struct table *table = sum->table;

	for (unsigned place = 0; place < table->nr_columns; place++) {
		enum column_derive derive = table->columns[place].def->derive;

		if (derive == DERIVE_NUMBER || (derive == DERIVE_SUM && table->report->has_span))
			sum->cells[place].set = true;
	}
}

/* A row that sums others: cells that the analysis set, and distributions; then the rest. */
static struct row *sum_rows(struct table *table, struct row *const *rows, size_t nr)
{
	struct row *sum = row_new(table);

	for (size_t i = 0; i < nr; i++)
		add_dists(sum, rows[i]);
	for (unsigned place = 0; place < table->nr_columns; place++) {
		const struct column *def = table->columns[place].def;

		if (!column_sums(def) || !is_number(def->type) || def->derive != DERIVE_NONE)
			continue;
		sum->cells[place].set = !nr;
		for (size_t i = 0; i < nr; i++)
			add_cell(sum, rows[i], place);
	}
	derive_row(sum);
	if (!nr)
		sum_nothing(sum);
	return sum;
}

static bool has_sums(const struct table *table)
{
	for (unsigned i = 0; i < table->nr_columns; i++)
		if (column_sums(table->columns[i].def))
			return true;
	return false;
}

/* Shares of all rows and of their totals; the others' follow when they are known. */
static void derive_shares(struct table *table)
{
	for (unsigned place = 0; place < table->nr_columns; place++) {
		const struct table_column *column = &table->columns[place];
		double sum;

		if (column->def->derive != DERIVE_SHARE)
			continue;
		sum_of(table->rows, table->nr_rows, column->of, column->def, &sum);
		for (size_t i = 0; i < table->nr_rows; i++) {
			struct row *row = table->rows[i];

			derive_quotient(row, place, row->cells[column->of].set,
					number_of(row, column->of), sum);
		}
		derive_quotient(table->totals, place, true, sum, sum);
	}
}

/* In rows that are listed last, columns that say so have nothing. */
static void hide_cells(struct table *table)
{
	for (size_t i = 0; i < table->nr_rows; i++)
		for (unsigned place = 0; place < table->nr_columns; place++)
			if (!counts_in(table->rows[i], table->columns[place].def))
				table->rows[i]->cells[place].set = false;
}

struct order {
	int place; /* of the column to sort by, or -1: as added */
	bool descending;
};

static int compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

/* "-12", "0x2000", or "[10, 20)": whether the text is a number, or a range of them. */
static bool read_number(const char *text, bool *negative, uint64_t *magnitude)
{
	bool range = *text == '[';
	char *end;

	text += range;
	*negative = *text == '-';
	text += *negative;
	if (*text < '0' || *text > '9')
		return false;
	*magnitude = strtoull(text, &end, strncmp(text, "0x", 2) ? 10 : 16);
	return *end == (range ? ',' : '\0');
}

/* Values are texts so that none is rounded; but 9 comes before 10. What is no number follows. */
static int compare_texts(const char *a, const char *b)
{
	bool a_negative, b_negative, a_number, b_number;
	uint64_t x, y;

	a_number = read_number(a, &a_negative, &x);
	b_number = read_number(b, &b_negative, &y);
	if (!a_number && !b_number)
		return strcmp(a, b);
	if (a_number != b_number)
		return b_number - a_number;
	if (a_negative != b_negative)
		return b_negative - a_negative;
	if (x == y)
		return strcmp(a, b);
	return (x > y) == a_negative ? -1 : 1;
}

static int compare_cells(const struct table *table, unsigned place, const struct cell *a,
			 const struct cell *b)
{
	switch (table->columns[place].def->type) {
	case COLUMN_COUNT:
	case COLUMN_NS:
	case COLUMN_BYTES:
		return (a->v.u > b->v.u) - (a->v.u < b->v.u);
	case COLUMN_RATIO:
	case COLUMN_RATE:
		return compare_numbers(a->v.d, b->v.d);
	case COLUMN_HEX:
		return strcmp(a->v.text, b->v.text);
	case COLUMN_TEXT:
		return compare_texts(a->v.text, b->v.text);
	case COLUMN_TIME:
		return (a->v.time > b->v.time) - (a->v.time < b->v.time);
	case COLUMN_PARTLY:
		return (int)a->v.partly - (int)b->v.partly;
	case COLUMN_BOOL:
		return a->v.b - b->v.b;
	case COLUMN_HISTOGRAM:
	case COLUMN_STACK:
		break;
	}
	return 0;
}

/* Nulls come after everything, in either direction. */
static int compare_at(const struct row *a, const struct row *b, unsigned place, bool descending)
{
	const struct cell *x = &a->cells[place], *y = &b->cells[place];
	int order;

	if (!x->set || !y->set)
		return y->set - x->set;
	order = compare_cells(a->table, place, x, y);
	return descending ? -order : order;
}

/* Rows that are equal so far stand in the order of their labels, so a run can be repeated. */
static int compare_rows(const void *left, const void *right, void *arg)
{
	const struct row *a = *(struct row *const *)left, *b = *(struct row *const *)right;
	const struct order *order = arg;
	int result = (int)(a->flags & ROW_LAST) - (int)(b->flags & ROW_LAST);

	if (!result && order->place >= 0)
		result = compare_at(a, b, order->place, order->descending);
	for (unsigned i = 0; !result && order->place >= 0 && i < a->table->nr_columns; i++)
		if (a->table->columns[i].def->flags & COLUMN_LABEL)
			result = compare_at(a, b, i, false);
	return result ? result : (a->number > b->number) - (a->number < b->number);
}

/* Without a sign numbers are descending (the greatest matters), text ascending. */
static struct order order_of(const struct table *table, const char *sort)
{
	const char *key = sort && (*sort == '+' || *sort == '-') ? sort + 1 : sort;
	struct order order = { .place = key ? table_find(table, key) : -1 };

	if (order.place >= 0)
		order.descending = key > sort ? *sort == '-' :
						is_number(table->columns[order.place].def->type);
	return order;
}

static void sort_rows(struct table *table, const char *sort)
{
	struct order order = order_of(table, sort);

	if (order.place < 0)
		order = order_of(table, table->sort);
	if (table->nr_rows)
		qsort_r(table->rows, table->nr_rows, sizeof(*table->rows), compare_rows, &order);
}

/* Rows beyond the limit become one. Its shares are sums of theirs, over the same denominators. */
static void cut_rows(struct table *table, size_t limit)
{
	struct row **cut;
	size_t nr;

	if (!limit || table->nr_rows <= limit)
		return;
	cut = table->rows + limit;
	nr = table->nr_rows - limit;
	table->others = sum_rows(table, cut, nr);
	table->nr_others = nr;
	for (unsigned place = 0; place < table->nr_columns; place++) {
		struct cell *cell = &table->others->cells[place];

		if (table->columns[place].def->derive == DERIVE_SHARE)
			cell->set = sum_of(cut, nr, place, table->columns[place].def, &cell->v.d);
	}
	for (size_t i = 0; i < nr; i++)
		row_free(cut[i]);
	table->nr_rows = limit;
}

static void finish_table(struct table *table, const struct report_order *order)
{
	for (size_t i = 0; i < table->nr_rows; i++)
		derive_row(table->rows[i]);
	table->totals = sum_rows(table, table->rows, table->nr_rows);
	derive_shares(table);
	hide_cells(table);
	sort_rows(table, order->sort);
	cut_rows(table, order->limit);
	if (!has_sums(table)) {
		row_free(table->totals);
		table->totals = NULL;
	}
}

static int check_sort(const struct report *report, const char *sort, struct error *err)
{
	const char *key = *sort == '+' || *sort == '-' ? sort + 1 : sort, *best = NULL;

	for (unsigned i = 0; i < report->nr_tables; i++) {
		const struct table *table = report->tables[i];

		if (table_find(table, key) >= 0)
			return 0;
		for (unsigned place = 0; place < table->nr_columns; place++)
			best = text_nearer(key, table->columns[place].key, best);
	}
	if (best)
		return error_set_status(err, 2, "no column '%s' to sort by; did you mean '%s'?",
					key, best);
	return error_set_status(err, 2, "no column '%s' to sort by", key);
}

int report_finish(struct report *report, const struct report_order *order, struct error *err)
{
	static const struct report_order defaults;

	if (!order)
		order = &defaults;
	if (order->sort && report->nr_tables && check_sort(report, order->sort, err))
		return -1;
	for (unsigned i = 0; i < report->nr_tables; i++)
		finish_table(report->tables[i], order);
	return 0;
}
