// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables of all analyses, as the program builds them: keys are well formed, columns that are
 * metrics make a valid exposition, and hvscope-output(5) describes each of them in the words of
 * the column's own help. `columns mdoc` prints what the man page should say.
 */
#include "tests/tap.h"

#include "analysis/analysis.h"
#include "base/hash.h"
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

static const char *some_string(void *ctx __attribute__((unused)),
			       uint64_t interned __attribute__((unused)))
{
	return "x";
}

static const char *some_event(void *ctx __attribute__((unused)),
			      uint32_t slot __attribute__((unused)))
{
	return "x:y";
}

/* The event's field of any name, and its value. */
static int some_field(void *ctx __attribute__((unused)), uint32_t slot __attribute__((unused)),
		      const char *name __attribute__((unused)), struct field *field,
		      struct error *err __attribute__((unused)))
{
	*field = (struct field){ .size = 8 };
	return 0;
}

static bool some_number(void *ctx __attribute__((unused)),
			const struct field *field __attribute__((unused)),
			const struct fact *f __attribute__((unused)), uint64_t *value)
{
	*value = 5;
	return true;
}

static void some_print(void *ctx __attribute__((unused)),
		       const struct fact *f __attribute__((unused)), char *text, size_t room)
{
	snprintf(text, room, "x=5");
}

static unsigned int some_level(void *ctx __attribute__((unused)),
			       const struct fact *f __attribute__((unused)))
{
	return 0;
}

/* What the user may have asked for: it decides which tables there are. */
static const struct variant {
	bool hist, stacks;
	const char *expr;
} variants[] = {
	{ true, true, "x" },
	{ false, true, "x" },
	{ true, false, "$latency" },
};

/* Facts of the kind: some tables are only there when there is something in them. */
static void feed(const struct analysis *analysis, void *state, unsigned kind)
{
	bool sampled = kind == FACT_CPU_TIME;
	struct fact facts[] = {
		{ .time = 1, .kind = kind, .a = 1, .aux = sampled ? CPU_TIME_SAMPLE : FACT_BEGIN },
		{ .time = 2, .kind = kind, .a = 1, .aux = sampled ? CPU_TIME_USER : FACT_END },
	};

	if (kind)
		analysis->feed(state, facts, ARRAY_SIZE(facts));
}

/* An analysis that saw one kind of facts, or none, was asked for all, and reported. */
struct sample {
	const struct analysis *analysis;
	struct analysis_env env;
	void *state;
	struct report *report;
};

/* False for an analysis that can't begin without what the user names. */
static bool sample_new(struct sample *s, const struct analysis *analysis, unsigned kind,
		       const struct variant *variant)
{
	static const uint32_t slots[] = { 0 }, entries[] = { 1 };
	struct error err = { 0 };

	s->analysis = analysis;
	s->env = (struct analysis_env){
		.who = nobody,
		.reason_name = no_name,
		.event = some_event,
		.string = some_string,
		.by = analysis->keys,
		.vm_known = true,
		.times = true,
		.hist = variant->hist,
		.slots = slots,
		.entries = entries,
		.n_slots = ARRAY_SIZE(slots),
		.stack_slot = FACT_NO_SLOT,
		.field = some_field,
		.field_number = some_number,
		.print = some_print,
		.level = some_level,
		.expr = variant->expr,
		.stacks = variant->stacks,
		.verbose = 1,
		.percentiles = percentiles,
		.n_percentiles = ARRAY_SIZE(percentiles),
	};
	s->report = report_new(analysis->name, NULL);
	s->state = analysis->new (&s->env, &err);
	if (!s->state) {
		diag("%s: %s", analysis->name, err.text);
		report_free(s->report);
		return false;
	}
	feed(analysis, s->state, kind);
	analysis->report(s->state, s->report, 3, true);
	report_finish(s->report, NULL, &err);
	return true;
}

/* The report first: distributions are lent to it. */
static void sample_free(struct sample *s)
{
	report_free(s->report);
	s->analysis->free(s->state);
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

/* Tables that were there before are left out: `seen` knows them. */
static void print_mdoc(const struct report *report, struct strhash *seen)
{
	for (unsigned i = 0; i < report->nr_tables; i++) {
		const struct table *table = report->tables[i];
		char *heading = heading_of(report, table);
		bool is_new;

		strhash_insert(seen, heading, &is_new);
		if (is_new)
			printf("%s.Bl -tag -width Ds\n", heading);
		free(heading);
		if (!is_new)
			continue;
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

	if (!ok(!render_report(render, report, &err) || strstr(err.text, "has none that is"),
		"%s: metrics don't collide", report->command))
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
	char path[4096], *text = xcalloc(1, 1 << 20);
	FILE *file;

	snprintf(path, sizeof(path), "%s/man/hvscope-output.5", tap_source());
	file = fopen(path, "r");
	if (!file || !fread(text, 1, (1 << 20) - 1, file))
		diag("%s can't be read", path);
	if (file)
		fclose(file);
	return text;
}

static void test_analysis(const struct analysis *analysis, unsigned kind,
			  const struct variant *variant, const char *manual)
{
	struct sample s;

	if (!sample_new(&s, analysis, kind, variant)) {
		skip("it needs arguments", analysis->name);
		return;
	}
	test_keys(s.report);
	test_metrics(s.report);
	test_manual(s.report, manual);
	sample_free(&s);
}

static void print_analysis(const struct analysis *analysis, unsigned kind,
			   const struct variant *variant, struct strhash *seen)
{
	struct sample s;

	if (!sample_new(&s, analysis, kind, variant))
		return;
	print_mdoc(s.report, seen);
	sample_free(&s);
}

/* Prints what is not in `seen`, or tests. */
static void each_variant(const struct analysis *analysis, unsigned kind, struct strhash *seen,
			 const char *manual)
{
	unsigned n = analysis->specs ? ARRAY_SIZE(variants) : 1;

	for (unsigned i = 0; i < n; i++) {
		if (seen)
			print_analysis(analysis, kind, &variants[i], seen);
		else
			test_analysis(analysis, kind, &variants[i], manual);
	}
}

int main(int argc, char **argv)
{
	bool mdoc = argc > 1 && !strcmp(argv[1], "mdoc");
	struct strhash seen = { 0 };
	char *manual = read_manual();

	for (unsigned i = 0; analyses[i]; i++) {
		const struct analysis *analysis = analyses[i];
		uint64_t wanted = analysis->facts | analysis->facts_optional |
				  analysis->facts_sampled | FACT_BIT(FACT_NONE);

		for (unsigned kind = FACT_NONE; kind < FACT_KINDS; kind++) {
			if (wanted & FACT_BIT(kind))
				each_variant(analysis, kind, mdoc ? &seen : NULL, manual);
		}
	}
	strhash_free(&seen);
	free(manual);
	return mdoc ? 0 : tap_done();
}
