// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Metrics, in two dialects of one format: Prometheus text 0.0.4 (as node_exporter's textfile
 * collector takes it: no time stamps) and OpenMetrics 1.0. A column that names a metric is a
 * family; labels are the label columns. Units are base units; histograms have borders at
 * (2^k - 1) ns, which no bucket straddles, so they are exact.
 *
 * A family name appears once, and no two samples of it have the same labels: rows whose labels
 * look alike here get the label "duplicate".
 */
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "render/format.h"

enum { FIRST_POWER = 10, LAST_POWER = 34 };

enum kind { KIND_COUNTER, KIND_GAUGE, KIND_HISTOGRAM };

struct exposition {
	FILE *out;
	bool openmetrics;
	const struct report *report;
	struct strhash families; /* names used so far */
};

struct family {
	const char *name; /* without _total */
	const char *unit; /* "seconds", "bytes", "ratio" or "" */
	const char *help;
	enum kind kind;
};

/* Escapes \, " and newline; the caller frees it. */
static char *escape(const char *text, bool quote)
{
	char *clean = format_utf8(text, "\n"), *out = xmalloc(2 * strlen(clean) + 1), *p = out;

	for (const char *c = clean; *c; c++) {
		if (*c == '\\' || *c == '\n' || (*c == '"' && quote))
			*p++ = '\\';
		*p++ = *c == '\n' ? 'n' : *c;
	}
	*p = '\0';
	free(clean);
	return out;
}

/* Appends to an allocated text. */
static char *append(char *text, const char *name, const char *value)
{
	char *escaped = escape(value, true);
	char *longer = xasprintf("%s%s%s=\"%s\"", text, *text ? "," : "", name, escaped);

	free(escaped);
	free(text);
	return longer;
}

static int begin_family(struct exposition *x, const struct family *family, char *full, size_t size,
			struct error *err)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	const char *total = family->kind == KIND_COUNTER ? "_total" : "";
	char *help = escape(family->help ? family->help : family->name, x->openmetrics);
	char base[128];
	bool is_new;

	snprintf(base, sizeof(base), "hvscope_%s%s%s", family->name, family->unit[0] ? "_" : "",
		 family->unit);
	snprintf(full, size, "%s%s", base, total);
	strhash_insert(&x->families, base, &is_new);
	if (!is_new) {
		free(help);
		return error_set(err, "two columns want the metric %s", base);
	}
	if (x->openmetrics)
		total = "";
	fprintf(x->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", base, total, help, base, total,
		types[family->kind]);
	if (x->openmetrics && family->unit[0])
		fprintf(x->out, "# UNIT %s %s\n", base, family->unit);
	free(help);
	return 0;
}

static void sample(struct exposition *x, const char *name, const char *labels, const char *value)
{
	if (*labels)
		fprintf(x->out, "%s{%s} %s\n", name, labels, value);
	else
		fprintf(x->out, "%s %s\n", name, value);
}

/* A figure of the run, told apart by the command, as several may write into one directory. */
static int run_figure(struct exposition *x, const struct family *family, bool known,
		      const char *value, struct error *err)
{
	char full[FORMAT_SIZE], *labels;

	if (!known)
		return 0;
	if (begin_family(x, family, full, sizeof(full), err))
		return -1;
	labels = append(xstrdup(""), "command", x->report->command);
	sample(x, full, labels, value);
	free(labels);
	return 0;
}

static int run_count(struct exposition *x, const char *name, const char *help, bool known,
		     uint64_t n, struct error *err)
{
	const struct family family = { name, "", help, KIND_COUNTER };
	char value[FORMAT_SIZE];

	snprintf(value, sizeof(value), "%llu", (unsigned long long)n);
	return run_figure(x, &family, known, value, err);
}

static int put_version(struct exposition *x, const char *version, struct error *err)
{
	const struct family family = { "build_info", "", "Version of hvscope", KIND_GAUGE };
	char full[FORMAT_SIZE], *labels;

	if (begin_family(x, &family, full, sizeof(full), err))
		return -1;
	labels = append(xstrdup(""), "command", x->report->command);
	labels = append(labels, "version", version ? version : "");
	sample(x, full, labels, "1");
	free(labels);
	return 0;
}

static int put_run(struct exposition *x, const struct render *render, struct error *err)
{
	static const struct family span = { "span", "seconds", "Time that the figures cover",
					    KIND_GAUGE };
	static const struct family complete = {
		"complete", "", "1 when no record was lost and no interval was discarded",
		KIND_GAUGE
	};
	const struct report *report = x->report;
	const struct report_lost *lost = &report->lost;
	bool has = report->has_lost;
	char seconds[FORMAT_SIZE];

	format_seconds(seconds, sizeof(seconds), report->span_ns);
	if (put_version(x, render->options.version, err) ||
	    run_figure(x, &span, report->has_span, seconds, err) ||
	    run_count(x, "records", "Trace records walked", report->has_records, report->records,
		      err) ||
	    run_count(x, "lost_records", "Trace records lost, as far as their number is known", has,
		      lost->records, err) ||
	    run_count(x, "lost_marks", "Places where trace records were lost", has, lost->marks,
		      err) ||
	    run_count(x, "lost_marks_unknown", "Places of loss without a number of records", has,
		      lost->unknown, err) ||
	    run_count(x, "intervals_discarded", "Intervals not timed because of a loss", has,
		      lost->intervals_discarded, err) ||
	    run_count(x, "late_records", "Trace records that came too late to be put in order", has,
		      lost->late, err))
		return -1;
	return run_figure(x, &complete, has, report_complete(report) ? "1" : "0", err);
}

/* A label's value as text; the caller frees it. Null and "" are the same label in metrics. */
static char *label_value(const struct row *row, unsigned place)
{
	const struct cell *cell = &row->cells[place];
	char buf[FORMAT_SIZE];

	if (row == row->table->others)
		return xstrdup((int)place == format_others_place(row->table) ? "(others)" : "");
	if (!cell->set)
		return xstrdup("");
	switch (row->table->columns[place].def->type) {
	case COLUMN_TEXT:
	case COLUMN_HEX:
		return xstrdup(cell->v.text);
	case COLUMN_BOOL:
		return xstrdup(cell->v.b ? "true" : "false");
	case COLUMN_PARTLY:
		return xstrdup(format_partly(cell->v.partly));
	case COLUMN_TIME:
		return xstrdup(format_rfc3339(buf, sizeof(buf), cell->v.time));
	case COLUMN_COUNT:
	case COLUMN_NS:
	case COLUMN_BYTES:
		return xasprintf("%llu", (unsigned long long)cell->v.u);
	default:
		return xstrdup("");
	}
}

static char *labels_of(const struct row *row, struct strhash *seen)
{
	char *labels = xstrdup(""), number[FORMAT_SIZE];
	void **count;

	for (unsigned i = 0; i < row->table->nr_columns; i++) {
		char *value;

		if (!(row->table->columns[i].def->flags & COLUMN_LABEL))
			continue;
		value = label_value(row, i);
		labels = append(labels, row->table->columns[i].key, value);
		free(value);
	}
	count = strhash_insert(seen, labels, NULL);
	if (*count) {
		snprintf(number, sizeof(number), "%zu", (size_t)*count);
		labels = append(labels, "duplicate", number);
	}
	*count = (void *)((size_t)*count + 1);
	return labels;
}

/* Labels of all rows, the others' last; the caller frees them. */
static char **table_labels(const struct table *table, size_t *nr)
{
	char **labels = xcalloc(table->nr_rows + 1, sizeof(*labels));
	struct strhash seen = { 0 };

	for (*nr = 0; *nr < table->nr_rows; ++*nr)
		labels[*nr] = labels_of(table->rows[*nr], &seen);
	if (table->others)
		labels[(*nr)++] = labels_of(table->others, &seen);
	strhash_free(&seen);
	return labels;
}

/* Cumulative buckets in one walk; `labels` come before "le". */
static void put_histogram(struct exposition *x, const char *name, const char *labels,
			  const struct dist *dist)
{
	const char *comma = *labels ? "," : "";
	struct histogram_bucket bucket;
	char seconds[FORMAT_SIZE];
	uint64_t below = 0;
	unsigned pos = 0;
	bool more = histogram_next(&dist->histogram, &pos, &bucket);

	for (unsigned power = FIRST_POWER; power <= LAST_POWER; power++) {
		for (; more && !(bucket.high >> power);
		     more = histogram_next(&dist->histogram, &pos, &bucket))
			below += bucket.count;
		fprintf(x->out, "%s_bucket{%s%sle=\"%.12g\"} %llu\n", name, labels, comma,
			(double)(((uint64_t)1 << power) - 1) / 1e9, (unsigned long long)below);
	}
	fprintf(x->out, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma,
		(unsigned long long)dist->count);
	fprintf(x->out, "%s_sum%s%s%s %s\n", name, *labels ? "{" : "", labels, *labels ? "}" : "",
		format_seconds(seconds, sizeof(seconds), dist->sum));
	fprintf(x->out, "%s_count%s%s%s %llu\n", name, *labels ? "{" : "", labels,
		*labels ? "}" : "", (unsigned long long)dist->count);
}

static void put_cell(struct exposition *x, const char *name, const char *labels,
		     const struct row *row, unsigned place)
{
	const struct column *def = row->table->columns[place].def;
	const struct cell *cell = &row->cells[place];
	char value[FORMAT_SIZE];

	if (!cell->set)
		return;
	switch (def->type) {
	case COLUMN_HISTOGRAM:
		put_histogram(x, name, labels, row->dist[def->dist]);
		return;
	case COLUMN_NS:
		format_seconds(value, sizeof(value), cell->v.u);
		break;
	case COLUMN_RATIO:
	case COLUMN_RATE:
		format_double(value, sizeof(value), def->type, cell->v.d);
		break;
	case COLUMN_BOOL:
		snprintf(value, sizeof(value), "%d", cell->v.b);
		break;
	case COLUMN_TIME:
		snprintf(value, sizeof(value), "%.9f", (double)cell->v.time / 1e9);
		break;
	default:
		snprintf(value, sizeof(value), "%llu", (unsigned long long)cell->v.u);
	}
	sample(x, name, labels, value);
}

static int put_column(struct exposition *x, const struct table *table, unsigned place,
		      char *const *labels, struct error *err)
{
	const struct column *def = table->columns[place].def;
	const struct family family = {
		.name = def->metric,
		.unit = format_unit(def),
		.help = def->help,
		.kind = def->type == COLUMN_HISTOGRAM ? KIND_HISTOGRAM :
			column_monotonic(def)         ? KIND_COUNTER :
							KIND_GAUGE,
	};
	char full[FORMAT_SIZE];

	if (begin_family(x, &family, full, sizeof(full), err))
		return -1;
	for (size_t i = 0; i < table->nr_rows; i++)
		put_cell(x, full, labels[i], table->rows[i], place);
	if (table->others)
		put_cell(x, full, labels[table->nr_rows], table->others, place);
	return 0;
}

static int put_table(struct exposition *x, const struct table *table, struct error *err)
{
	size_t nr;
	char **labels = table_labels(table, &nr);
	char name[FORMAT_SIZE];
	int ret = 0;

	for (unsigned i = 0; i < table->nr_columns && !ret; i++)
		if (format_metric(name, sizeof(name), table->columns[i].def))
			ret = put_column(x, table, i, labels, err);
	while (nr)
		free(labels[--nr]);
	free(labels);
	return ret;
}

/* Where there are none nobody shall scrape what tells nothing. */
static bool has_metrics(const struct report *report)
{
	char name[FORMAT_SIZE];

	for (unsigned i = 0; i < report->nr_tables; i++)
		for (unsigned k = 0; k < report->tables[i]->nr_columns; k++)
			if (format_metric(name, sizeof(name), report->tables[i]->columns[k].def))
				return true;
	return !report->nr_tables;
}

static int put_exposition(struct render *render, const struct report *report, bool openmetrics,
			  struct error *err)
{
	struct exposition x = { .out = render->out, .openmetrics = openmetrics, .report = report };
	int ret;

	if (report->lines)
		return error_set_status(err, 2, "the formats of metrics are for figures; %s prints "
					"events one by one", report->command);
	if (!has_metrics(report))
		return error_set_status(err, 2,
					"the formats of metrics are for figures; %s has none that "
					"is a metric",
					report->command);
	ret = put_run(&x, render, err);
	for (unsigned i = 0; i < report->nr_tables && !ret; i++)
		if (format_wants(render, report, report->tables[i]))
			ret = put_table(&x, report->tables[i], err);
	if (openmetrics && !ret)
		fputs("# EOF\n", render->out);
	strhash_free(&x.families);
	return ret;
}

static int prometheus_report(struct render *render, const struct report *report, struct error *err)
{
	return put_exposition(render, report, false, err);
}

static int openmetrics_report(struct render *render, const struct report *report, struct error *err)
{
	return put_exposition(render, report, true, err);
}

const struct renderer render_prometheus = {
	.name = "prometheus",
	.summary = "metrics in Prometheus's text format 0.0.4",
	.rewrites = true,
	.report = prometheus_report,
};

const struct renderer render_openmetrics = {
	.name = "openmetrics",
	.summary = "metrics in OpenMetrics 1.0",
	.rewrites = true,
	.report = openmetrics_report,
};
