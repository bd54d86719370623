// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of formats, and what is the same for all: finding one, checking --table, and
 * noticing that the stream failed (a full disk, a closed pipe).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "render/format.h"

#define RENDERER(name) extern const struct renderer render_##name;
#include "render/renderers.def"
#undef RENDERER

static const struct renderer *const renderers[] = {
#define RENDERER(name) &render_##name,
#include "render/renderers.def"
#undef RENDERER
	NULL,
};

const struct renderer *const *render_all(void)
{
	return renderers;
}

static const struct renderer *no_format(const char *name, const char *best, struct error *err)
{
	char all[256] = "";
	size_t used = 0;

	for (unsigned i = 0; renderers[i] && used < sizeof(all); i++)
		used += snprintf(all + used, sizeof(all) - used, "%s%s", i ? ", " : "",
				 renderers[i]->name);
	if (best)
		error_set_status(err, 2, "no format '%s'; did you mean '%s'?", name, best);
	else
		error_set_status(err, 2, "no format '%s'; there are %s", name, all);
	return NULL;
}

const struct renderer *render_find(const char *name, struct error *err)
{
	const char *best = NULL;

	for (unsigned i = 0; renderers[i]; i++) {
		if (!strcmp(renderers[i]->name, name))
			return renderers[i];
		best = text_nearer(name, renderers[i]->name, best);
	}
	return no_format(name, best, err);
}

bool render_color(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !(no && *no) && term && strcmp(term, "dumb") && isatty(fileno(out));
}

struct render *render_begin(const struct renderer *renderer, const struct render_options *options,
			    FILE *out)
{
	struct render *render = xcalloc(1, sizeof(*render));

	render->renderer = renderer;
	render->options = *options;
	render->out = out;
	return render;
}

/* Names of the tables that are printed, or are not, as "a, b and c"; the caller frees it. */
static char *table_names(const struct render *render, const struct report *report, bool printed)
{
	char *names = xstrdup("");
	unsigned left = 0;

	for (unsigned i = 0; i < report->nr_tables; i++)
		left += format_wants(render, report, report->tables[i]) == printed;
	for (unsigned i = 0; i < report->nr_tables; i++) {
		char *longer;

		if (format_wants(render, report, report->tables[i]) != printed)
			continue;
		left--;
		longer = xasprintf("%s%s%s", names, report->tables[i]->name,
				   left > 1 ? ", " :
				   left     ? " and " :
					      "");
		free(names);
		names = longer;
	}
	return names;
}

char *render_left_out(const struct render *render, const struct report *report)
{
	char *names = NULL, *sentence = NULL;

	if (render->renderer->one_table && !render->options.table && report->nr_tables > 1) {
		names = table_names(render, report, false);
		sentence = xasprintf("%s shows one table, here %s; --table shows %s",
				     render->renderer->name, report->tables[0]->name, names);
	}
	free(names);
	return sentence;
}

static int check_stream(const struct render *render, struct error *err)
{
	errno = 0;
	if (!fflush(render->out) && !ferror(render->out))
		return 0;
	return error_output(err, errno ? errno : EIO, "the output could not be written");
}

int render_report(struct render *render, const struct report *report, struct error *err)
{
	const char *table = render->options.table;

	if (table && !report_table(report, table)) {
		char *names = table_names(render, report, false);

		error_set_status(err, 2, "no table '%s' here; there is %s", table,
				 names[0] ? names : "none");
		free(names);
		return -1;
	}
	if (render->renderer->report(render, report, err))
		return -1;
	render->reports++;
	return check_stream(render, err);
}

int render_end(struct render *render, struct error *err)
{
	int ret = check_stream(render, err);

	free(render->widths);
	free(render);
	return ret;
}

int render_once(const struct renderer *renderer, const struct render_options *options, FILE *out,
		const struct report *report, struct error *err)
{
	struct render *render = render_begin(renderer, options, out);
	int ret = render_report(render, report, err);

	if (render_end(render, ret ? NULL : err))
		ret = -1;
	return ret;
}
