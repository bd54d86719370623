// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables of all analyses, as the program builds them: keys are well formed, columns that are
 * metrics make a valid exposition, and hvscope-output(5) describes each of them in the words of
 * the column's own help. `columns mdoc` prints what the man page should say.
 */
#include "tests/tap.h"

#include "analysis/analysis.h"
#include "base/text.h"
#include "render/format.h"

static const uint32_t percentiles[] = { 990000 };

static const struct subject_who *nobody(void *ctx __attribute__((unused)),
					uint32_t subject __attribute__((unused)))
{
	static const struct subject_who who = { .pid = -1, .vcpu = -1 };

	return &who;
}

static const char *no_name(void *ctx __attribute__((unused)), uint8_t space __attribute__((unused)),
			   uint64_t reason __attribute__((unused)))
{
	return NULL;
}

static const char *no_string(void *ctx __attribute__((unused)),
			     uint64_t interned __attribute__((unused)))
{
	return NULL;
}

/* The finished report of nothing, with all that can be asked for. The caller frees it. */
static struct report *report_of(const struct analysis *analysis)
{
	struct analysis_env env = {
		.who = nobody,
		.reason_name = no_name,
		.string = no_string,
		.by = analysis->keys,
		.vm_known = true,
		.times = true,
		.hist = true,
		.percentiles = percentiles,
		.n_percentiles = 1,
	};
	struct report *report = report_new(analysis->name, NULL);
	struct error err = { 0 };
	void *state = analysis->new (&env, &err);

	if (state) {
		analysis->report(state, report, 0, true);
		report_finish(report, NULL, &err);
		analysis->free(state);
	}
	if (!state || err.status)
		fatal("%s reports nothing: %s", analysis->name, err.text);
	return report;
}

/* The item of a column in the man page; the caller frees it. */
static char *item_of(const struct table_column *column)
{
	const struct column *def = column->def;
	bool percentile = def->derive == DERIVE_PERCENTILE;
	char metric[FORMAT_SIZE] = "";
	const char *kind = def->flags & COLUMN_LABEL ? "label" :
			   !format_is_figure(def)    ? "attribute" :
			   column_monotonic(def)     ? "monotonic" :
						       "gauge";

	return xasprintf(".It Cm %s\n%s, %s%s%s:\n%s.\n", percentile ? def->key : column->key,
			 format_type(def->type), kind,
			 format_metric(metric, sizeof(metric), def) ? ", metric " : "", metric,
			 def->help ? def->help : "");
}

static char *heading_of(const struct report *report, const struct table *table)
{
	return xasprintf(".Ss Table %s of hvscope %s\n", table->name, report->command);
}

static void print_mdoc(const struct report *report)
{
	for (unsigned i = 0; i < report->nr_tables; i++) {
		const struct table *table = report->tables[i];
		char *heading = heading_of(report, table);

		printf("%s.Bl -tag -width Ds\n", heading);
		free(heading);
		for (unsigned n = 0; n < table->nr_columns; n++) {
			char *item = item_of(&table->columns[n]);

			fputs(item, stdout);
			free(item);
		}
		puts(".El");
	}
}

static bool is_key(const char *key)
{
	return key[0] >= 'a' && key[0] <= 'z' &&
	       !key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

/* The unit is the key's ending. */
static bool has_unit(const struct table_column *column)
{
	size_t len = strlen(column->key);

	switch (column->def->type) {
	case COLUMN_NS:
		return len > 3 && !strcmp(column->key + len - 3, "_ns");
	case COLUMN_BYTES:
		return len > 6 && !strcmp(column->key + len - 6, "_bytes");
	default:
		return true;
	}
}

static void test_keys(const struct report *report)
{
	bool labels = true;

	for (unsigned i = 0; i < report->nr_tables; i++) {
		const struct table *table = report->tables[i];

		for (unsigned n = 0; n < table->nr_columns; n++) {
			const struct table_column *column = &table->columns[n];

			if (!is_key(column->key) || !has_unit(column) || !column->def->help)
				ok(false, "%s, %s: the key %s, its unit and help", report->command,
				   table->name, column->key);
			labels &= !(column->def->flags & COLUMN_LABEL) ||
				  !column_monotonic(column->def);
		}
	}
	ok(labels, "%s: no label is a counter", report->command);
}

static void test_metrics(const struct report *report)
{
	struct render_options options = { .version = "1" };
	struct error err = { 0 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct render *render = render_begin(render_find("openmetrics", NULL), &options, out);

	if (!ok(!render_report(render, report, &err), "%s: metrics don't collide", report->command))
		diag("%s", err.text);
	render_end(render, NULL);
	fclose(out);
	free(text);
}

/* Looks for the items between a table's heading and the end of its list. */
static void test_manual(const struct report *report, const char *manual)
{
	for (unsigned i = 0; i < report->nr_tables; i++) {
		const struct table *table = report->tables[i];
		char *heading = heading_of(report, table);
		const char *begin = strstr(manual, heading);
		const char *end = begin ? strstr(begin, "\n.El\n") : NULL;
		char *section = end ? xstrndup(begin, end + 1 - begin) : xstrdup("");
		bool good = true;

		for (unsigned n = 0; n < table->nr_columns; n++) {
			char *item = item_of(&table->columns[n]);

			if (!strstr(section, item)) {
				good = false;
				diag("missing: %.*s", (int)strcspn(item + 7, "\n"), item + 7);
			}
			free(item);
		}
		if (!ok(good, "the man page describes %s of %s", table->name, report->command))
			diag("tests/unit/columns mdoc prints what it should say");
		free(section);
		free(heading);
	}
}

static char *read_manual(void)
{
	const char *top = getenv("top_srcdir");
	char path[4096], *text = xcalloc(1, 1 << 20);
	FILE *file;

	snprintf(path, sizeof(path), "%s/man/hvscope-output.5", top ? top : ".");
	file = fopen(path, "r");
	if (!file || !fread(text, 1, (1 << 20) - 1, file))
		diag("%s can't be read", path);
	if (file)
		fclose(file);
	return text;
}

int main(int argc, char **argv)
{
	bool mdoc = argc > 1 && !strcmp(argv[1], "mdoc");
	char *manual = read_manual();

	for (unsigned i = 0; analyses[i]; i++) {
		struct report *report = report_of(analyses[i]);

		if (mdoc) {
			print_mdoc(report);
		} else {
			test_keys(report);
			test_metrics(report);
			test_manual(report, manual);
		}
		report_free(report);
	}
	free(manual);
	return tap_done();
}
