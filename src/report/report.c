// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building and freeing of reports. What is computed from the cells is in finish.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"

struct report *report_new(const char *command, const char *title)
{
	struct report *report = xcalloc(1, sizeof(*report));

	report_set(&report->command, command);
	report_set(&report->title, title);
	return report;
}

void report_set(char **field, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL; /* first: text may be the field itself */

	free(*field);
	*field = copy;
}

void report_note(struct report *report, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	report->notes = xreallocarray(report->notes, report->nr_notes + 1, sizeof(text));
	report->notes[report->nr_notes++] = text;
}

bool report_complete(const struct report *report)
{
	const struct report_lost *lost = &report->lost;

	return !lost->records && !lost->marks && !lost->unknown && !lost->intervals_discarded &&
	       !lost->late && !lost->stopped;
}

bool column_monotonic(const struct column *column)
{
	switch (column->type) {
	case COLUMN_COUNT:
	case COLUMN_NS:
	case COLUMN_BYTES:
		return !(column->flags & (COLUMN_GAUGE | COLUMN_LABEL)) &&
		       (column->derive == DERIVE_NONE || column->derive == DERIVE_NUMBER ||
			column->derive == DERIVE_SUM);
	case COLUMN_HISTOGRAM:
		return true;
	default:
		return false;
	}
}

bool column_sums(const struct column *column)
{
	return column_monotonic(column) || column->flags & COLUMN_SUM;
}

int table_find(const struct table *table, const char *key)
{
	for (unsigned i = 0; i < table->nr_columns; i++)
		if (!strcmp(table->columns[i].key, key))
			return i;
	return -1;
}

/* 999000 → "99.9", or "99_9" with '_' for the point: no trailing zeros. */
static void percentile_name(char *buf, size_t size, uint32_t ppm, char point)
{
	unsigned fraction = ppm % 10000, places = 4;

	for (; fraction && fraction % 10 == 0; places--)
		fraction /= 10;
	if (fraction)
		snprintf(buf, size, "%u%c%0*u", ppm / 10000, point, (int)places, fraction);
	else
		snprintf(buf, size, "%u", ppm / 10000);
}

/* The template with the percentile in the place of '%'. */
static char *with_percentile(const char *text, uint32_t ppm, char point)
{
	size_t before = strcspn(text, "%");
	char name[16];

	if (!text[before])
		return xstrdup(text);
	percentile_name(name, sizeof(name), ppm, point);
	return xasprintf("%.*s%s%s", (int)before, text, name, text + before + 1);
}

static void add_column(struct table *table, const struct column *def, uint32_t ppm, bool wide)
{
	char *key = with_percentile(def->key, ppm, '_');

	if (table_find(table, key) >= 0)
		fatal("the table %s has two columns %s", table->name, key);
	table->columns =
		xreallocarray(table->columns, table->nr_columns + 1, sizeof(*table->columns));
	table->columns[table->nr_columns++] = (struct table_column){
		.def = def,
		.key = key,
		.title = with_percentile(def->title ? def->title : def->key, ppm, '.'),
		.ppm = ppm,
		.wide = wide || def->flags & COLUMN_WIDE,
		.of = -1,
		.per = -1,
	};
}

static void add_columns(struct table *table, const struct table_layout *layout, unsigned place)
{
	const struct column *def = &layout->columns[place];

	if (place >= layout->nr_columns || table->places[place] >= 0)
		fatal("the table %s shows its column %u twice or hasn't it", table->name, place);
	if (def->derive == DERIVE_HISTOGRAM && !layout->histograms)
		return;
	if (def->derive == DERIVE_PERCENTILE) {
		for (unsigned i = 0; i < layout->nr_percentiles; i++)
			add_column(table, def, layout->percentiles[i],
				   layout->percentiles[i] == layout->wide_ppm);
		return;
	}
	table->places[place] = table->nr_columns;
	add_column(table, def, 0, false);
}

/* Columns that a figure is computed from have to be shown with it. */
static int resolve(const struct table *table, const struct table_column *column, const char *key)
{
	int place = key ? table_find(table, key) : -1;

	if (key && place < 0)
		fatal("the column %s of the table %s needs %s", column->key, table->name, key);
	return place;
}

struct table *table_new(struct report *report, const struct table_layout *layout)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->report = report;
	report_set(&table->name, layout->name);
	report_set(&table->title, layout->title);
	report_set(&table->sort, layout->sort);
	table->nr_places = layout->nr_columns;
	table->places = xcalloc(layout->nr_columns, sizeof(*table->places));
	for (unsigned i = 0; i < layout->nr_columns; i++)
		table->places[i] = -1;
	for (unsigned i = 0; i < (layout->show ? layout->nr_show : layout->nr_columns); i++)
		add_columns(table, layout, layout->show ? layout->show[i] : i);
	for (unsigned i = 0; i < table->nr_columns; i++) {
		struct table_column *column = &table->columns[i];

		column->of = resolve(table, column, column->def->of);
		column->per = resolve(table, column, column->def->per);
	}
	report->tables = xreallocarray(report->tables, report->nr_tables + 1, sizeof(table));
	report->tables[report->nr_tables++] = table;
	return table;
}

struct table *report_table(const struct report *report, const char *name)
{
	for (unsigned i = 0; i < report->nr_tables; i++)
		if (!strcmp(report->tables[i]->name, name))
			return report->tables[i];
	return NULL;
}

struct row *row_new(struct table *table)
{
	struct row *row = xcalloc(1, sizeof(*row) + table->nr_columns * sizeof(*row->cells));

	row->table = table;
	row->cells = (struct cell *)(row + 1);
	return row;
}

struct row *table_row(struct table *table)
{
	table->rows = xgrow(table->rows, table->nr_rows, &table->room, sizeof(*table->rows));
	table->rows[table->nr_rows] = row_new(table);
	table->rows[table->nr_rows]->number = table->nr_rows;
	return table->rows[table->nr_rows++];
}

static void stack_free(struct stack *stack)
{
	for (unsigned i = 0; stack && i < stack->nr; i++)
		free(stack->frames[i]);
	free(stack);
}

static void cell_clear(struct row *row, unsigned place)
{
	struct cell *cell = &row->cells[place];
	enum column_type type = row->table->columns[place].def->type;

	if (cell->set && (type == COLUMN_TEXT || type == COLUMN_HEX))
		free(cell->v.text);
	else if (cell->set && type == COLUMN_STACK)
		stack_free(cell->v.stack);
	memset(cell, 0, sizeof(*cell));
}

static void drop_dist(struct row *row, unsigned slot)
{
	if (row->owned[slot]) {
		dist_free(row->dist[slot]);
		free(row->dist[slot]);
	}
	row->dist[slot] = NULL;
	row->owned[slot] = false;
}

void row_free(struct row *row)
{
	if (!row)
		return;
	for (unsigned i = 0; i < row->table->nr_columns; i++)
		cell_clear(row, i);
	for (unsigned i = 0; i < ROW_DISTS; i++)
		drop_dist(row, i);
	free(row);
}

static void table_free(struct table *table)
{
	for (size_t i = 0; i < table->nr_rows; i++)
		row_free(table->rows[i]);
	row_free(table->totals);
	row_free(table->others);
	for (unsigned i = 0; i < table->nr_columns; i++) {
		free(table->columns[i].key);
		free(table->columns[i].title);
	}
	free(table->columns);
	free(table->places);
	free(table->rows);
	free(table->name);
	free(table->title);
	free(table->sort);
	free(table);
}

void report_free(struct report *report)
{
	if (!report)
		return;
	for (unsigned i = 0; i < report->nr_tables; i++)
		table_free(report->tables[i]);
	for (unsigned i = 0; i < report->nr_notes; i++)
		free(report->notes[i]);
	free(report->tables);
	free(report->notes);
	free(report->title);
	free(report->command);
	free(report->host);
	free(report->source.path);
	free(report->source.kernel);
	free(report->source.machine);
	free(report->source.clock);
	free(report);
}

/*
 * The empty cell of the analysis's column, or NULL when it isn't shown. The type is checked:
 * types is a set of bits.
 */
static struct cell *cell_of(struct row *row, unsigned column, unsigned types)
{
	const struct table *table = row->table;
	int place = column < table->nr_places ? table->places[column] : -1;

	if (column >= table->nr_places)
		fatal("the table %s has no column %u", table->name, column);
	if (place < 0)
		return NULL;
	if (!(types >> table->columns[place].def->type & 1))
		fatal("the column %s of the table %s has another type", table->columns[place].key,
		      table->name);
	cell_clear(row, place);
	row->cells[place].set = true;
	return &row->cells[place];
}

#define TYPE(name) (1u << COLUMN_##name)

void row_count(struct row *row, unsigned column, uint64_t n)
{
	struct cell *cell = cell_of(row, column, TYPE(COUNT) | TYPE(NS) | TYPE(BYTES));

	if (cell)
		cell->v.u = n;
}

void row_number(struct row *row, unsigned column, double value)
{
	struct cell *cell = cell_of(row, column, TYPE(RATIO) | TYPE(RATE));

	if (cell)
		cell->v.d = value;
}

void row_bool(struct row *row, unsigned column, bool value)
{
	struct cell *cell = cell_of(row, column, TYPE(BOOL));

	if (cell)
		cell->v.b = value;
}

void row_partly(struct row *row, unsigned column, enum partly value)
{
	struct cell *cell = cell_of(row, column, TYPE(PARTLY));

	if (cell)
		cell->v.partly = value;
}

void row_time(struct row *row, unsigned column, int64_t ns)
{
	struct cell *cell = cell_of(row, column, TYPE(TIME));

	if (cell)
		cell->v.time = ns;
}

void row_text(struct row *row, unsigned column, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;
	struct cell *cell = cell_of(row, column, TYPE(TEXT) | TYPE(HEX));

	if (cell && copy) {
		cell->v.text = copy;
		return;
	}
	if (cell)
		cell->set = false;
	free(copy);
}

void row_printf(struct row *row, unsigned column, const char *fmt, ...)
{
	struct cell *cell = cell_of(row, column, TYPE(TEXT) | TYPE(HEX));
	va_list args;

	if (!cell)
		return;
	va_start(args, fmt);
	cell->v.text = xvasprintf(fmt, args);
	va_end(args);
}

void row_stack(struct row *row, unsigned column, const char *const *frames, unsigned nr)
{
	struct cell *cell = cell_of(row, column, TYPE(STACK));

	if (!cell)
		return;
	cell->v.stack = xmalloc(sizeof(*cell->v.stack) + nr * sizeof(cell->v.stack->frames[0]));
	cell->v.stack->nr = nr;
	for (unsigned i = 0; i < nr; i++)
		cell->v.stack->frames[i] = xstrdup(frames[i]);
}

void row_lend(struct row *row, unsigned slot, struct dist *dist)
{
	drop_dist(row, slot);
	row->dist[slot] = dist;
}

void row_give(struct row *row, unsigned slot, struct dist *dist)
{
	struct dist *own = xcalloc(1, sizeof(*own));

	dist_move(own, dist);
	drop_dist(row, slot);
	row->dist[slot] = own;
	row->owned[slot] = true;
}
