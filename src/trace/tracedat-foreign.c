// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file that only libtracecmd knows, dressed as one of ours: its records packed into pages anew,
 * its formats written back as text. What that library doesn't tell stays unknown.
 */
#include <event-parse.h>
#include <string.h>

#include "trace/cursor-fallback.h"
#include "trace/format-text.h"
#include "trace/repage.h"
#include "trace/tracedat-internal.h"

struct foreign_pages {
	struct fallback_records *records;
	struct repage *repage;
};

struct foreign_pages *foreign_pages_new(const struct tracedat *t, const struct tracedat_buffer *b,
					struct error *err)
{
	struct fallback_records *records =
		fallback_records_new(t->fallback, (size_t)(b - t->buffers), err);
	struct foreign_pages *p;

	if (!records)
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->records = records;
	p->repage = repage_new(fallback_source(records));
	return p;
}

void foreign_pages_free(struct foreign_pages *p)
{
	if (!p)
		return;
	repage_free(p->repage);
	fallback_records_free(p->records);
	free(p);
}

const struct page_source *foreign_pages_source(const struct foreign_pages *p)
{
	return repage_source(p->repage);
}

static void add_event(struct tracedat *t, const struct tep_event *event)
{
	char *text = format_text(event);

	t->events = xreallocarray(t->events, t->n_events + 1, sizeof(*t->events));
	t->events[t->n_events++] = (struct event_entry){
		.system = xstrdup(event->system),
		.name = xstrdup(event->name),
		.id = event->id,
		.format = { text, strlen(text) },
		.made = text,
	};
}

/* A buffer, its number of CPUs and the shape of its pages; -1 when it can't be read. */
static int add_buffer(struct tracedat *t, const char *name)
{
	struct tracedat_buffer *b = tracedat_buffer_add(t, name);
	struct foreign_pages *pages = foreign_pages_new(t, b, NULL);

	if (!pages)
		return -1;
	b->cpus = foreign_pages_source(pages)->n_cpus;
	b->extents = xcalloc(b->cpus + 1, sizeof(*b->extents));
	t->foreign_layout = foreign_pages_source(pages)->layout;
	foreign_pages_free(pages);
	return 0;
}

/* What was read of it so far is forgotten but for the version. */
int tracedat_read_foreign(struct tracedat *t, int fd)
{
	const struct tep_event *event;
	const char *name;
	size_t i;

	t->fallback = fallback_open(fd);
	if (!t->fallback)
		return -1;
	t->facts.foreign = true;
	t->facts.compression = NULL;
	t->facts.long_size = fallback_long_size(t->fallback);
	t->facts.big_endian = fallback_big_endian(t->fallback);
	t->facts.cpus = fallback_cpus(t->fallback);
	t->facts.trace_id = fallback_trace_id(t->fallback);
	for (i = 0; (event = fallback_event(t->fallback, i)); i++)
		add_event(t, event);
	t->indexed = true;
	for (i = 0; (name = fallback_buffer(t->fallback, i)); i++)
		if (add_buffer(t, name))
			return -1;
	return 0;
}
