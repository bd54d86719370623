// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Texts of a trace.dat: formats of pages and events, names of threads, symbols. Nothing of them is
 * understood here but what is needed to find one: libtraceevent parses the formats that are wanted.
 */
#include <ctype.h>
#include <string.h>

#include "trace/cursor-fallback.h"
#include "trace/tracedat-internal.h"

static struct tracedat_text text_of(const struct slice *s)
{
	return (struct tracedat_text){ .text = (const char *)s->p, .len = slice_left(s) };
}

/* --- pages --- */

/* "header_page", its length and text; likewise "header_event". */
static void read_header_texts(struct slice *s, struct slice *page, struct slice *event)
{
	struct slice tag = slice_take(s, sizeof("header_page"));

	if (slice_left(&tag) && memcmp(tag.p, "header_page", sizeof("header_page")))
		s->cut = true;
	*page = slice_take(s, slice_u64(s));
	tag = slice_take(s, sizeof("header_event"));
	if (slice_left(&tag) && memcmp(tag.p, "header_event", sizeof("header_event")))
		s->cut = true;
	*event = slice_take(s, slice_u64(s));
}

void tracedat_skip_headers(struct slice *s)
{
	struct slice page, event;

	read_header_texts(s, &page, &event);
}

/*
 * The number behind `key` ("offset:" or "size:") in the line of header_page whose field is called
 * `field`; 0 when there is none.
 */
static unsigned int header_number(struct tracedat_text text, const char *field, const char *key)
{
	char *copy = xstrndup(text.text, text.len);
	char *line = strstr(copy, field);
	char *end = line ? strchr(line, '\n') : NULL;
	const char *number;
	unsigned long value = 0;

	if (end)
		*end = '\0';
	number = line ? strstr(line, key) : NULL;
	if (number)
		value = strtoul(number + strlen(key), NULL, 10);
	free(copy);
	return value > PAGE_MAX ? 0 : (unsigned int)value;
}

int tracedat_read_headers(struct tracedat *t, struct error *err)
{
	struct slice s, page, event;
	unsigned int commit;

	if (!tracedat_section(t, SECTION_HEADERS)->there)
		return tracedat_damaged(t, err, "it has no format of its pages");
	if (tracedat_content(t, SECTION_HEADERS, &s, err))
		return -1;
	read_header_texts(&s, &page, &event);
	if (s.cut)
		return tracedat_damaged(t, err, "the format of its pages is not whole");
	t->header_page = text_of(&page);
	t->header_event = text_of(&event);
	/* The kernel's long is what `commit` is; the file's header speaks of the recorder's. */
	commit = header_number(t->header_page, " commit;", "size:");
	if (commit == 4 || commit == 8)
		t->facts.long_size = commit;
	t->data_offset = header_number(t->header_page, " data;", "offset:");
	if (!t->data_offset)
		t->data_offset = 8 + t->facts.long_size;
	if (t->data_offset < 8 + t->facts.long_size || t->data_offset >= PAGE_MIN)
		return tracedat_damaged(t, err, "records of a page would begin at byte %u of it",
					t->data_offset);
	return 0;
}

struct tracedat_text tracedat_header_page(const struct tracedat *t)
{
	return t->header_page;
}

struct tracedat_text tracedat_header_event(const struct tracedat *t)
{
	return t->header_event;
}

/* --- events --- */

/* One run of formats: u32 how many, each a u64 length and its text. `found` may be NULL. */
static void walk_formats(struct tracedat *t, struct slice *s, const char *system,
			 void (*found)(struct tracedat *t, const char *system, struct slice format))
{
	uint32_t i, n = slice_u32(s);

	for (i = 0; i < n && !s->cut; i++) {
		struct slice format = slice_take(s, slice_u64(s));

		if (found && !s->cut)
			found(t, system, format);
	}
}

/* u32 how many systems, each a name and its run of formats. */
static void walk_systems(struct tracedat *t, struct slice *s,
			 void (*found)(struct tracedat *t, const char *system, struct slice format))
{
	uint32_t i, n = slice_u32(s);

	for (i = 0; i < n && !s->cut; i++) {
		const char *system = slice_string(s);

		walk_formats(t, s, system, found);
	}
}

void tracedat_skip_formats(struct slice *s, bool systems)
{
	if (systems)
		walk_systems(NULL, s, NULL);
	else
		walk_formats(NULL, s, "ftrace", NULL);
}

/* What stands behind `key` at the beginning of a line, up to the line's end; len 0 when missing. */
static struct tracedat_text line_value(struct slice s, const char *key)
{
	size_t len = strlen(key);

	while (slice_left(&s)) {
		const unsigned char *newline = memchr(s.p, '\n', slice_left(&s));
		struct slice line = s;

		line.end = newline ? newline : s.end;
		s.p = newline ? newline + 1 : s.end;
		if (slice_left(&line) >= len && !memcmp(line.p, key, len)) {
			line.p += len;
			return text_of(&line);
		}
	}
	return (struct tracedat_text){ 0 };
}

static void index_event(struct tracedat *t, const char *system, struct slice format)
{
	struct tracedat_text name = line_value(format, "name: ");
	struct tracedat_text id = line_value(format, "ID: ");
	char digits[12] = "";

	if (!name.len || t->n_events == EVENTS_MAX)
		return;
	if (!(t->n_events & (t->n_events - 1))) /* 0, 1, 2, 4, 8, …: full */
		t->events = xreallocarray(t->events, t->n_events ? t->n_events * 2 : 1,
					  sizeof(*t->events));
	memcpy(digits, id.len ? id.text : "", min(id.len, sizeof(digits) - 1));
	t->events[t->n_events++] = (struct event_entry){
		.system = xstrdup(system),
		.name = xstrndup(name.text, name.len),
		.id = isdigit((unsigned char)*digits) ? (int)strtoul(digits, NULL, 10) : -1,
		.format = text_of(&format),
	};
}

static int index_events(struct tracedat *t, struct error *err)
{
	struct slice ftrace, events, f, e;

	if (t->indexed)
		return 0;
	if (tracedat_content(t, SECTION_FTRACE, &ftrace, err) ||
	    tracedat_content(t, SECTION_EVENTS, &events, err))
		return -1;
	f = ftrace;
	e = events;
	if (slice_left(&f))
		walk_formats(t, &f, "ftrace", NULL);
	if (slice_left(&e))
		walk_systems(t, &e, NULL);
	if (f.cut || e.cut)
		return tracedat_damaged(t, err, "the formats of its events are not whole");
	if (slice_left(&ftrace))
		walk_formats(t, &ftrace, "ftrace", index_event);
	if (slice_left(&events))
		walk_systems(t, &events, index_event);
	t->indexed = true;
	return 0;
}

static void event_out(const struct event_entry *e, struct tracedat_event *event)
{
	event->system = e->system;
	event->name = e->name;
	event->id = e->id;
	event->format = e->format;
}

int tracedat_event_at(struct tracedat *t, size_t n, struct tracedat_event *event,
		      struct error *err)
{
	if (index_events(t, err))
		return -1;
	if (n >= t->n_events)
		return 0;
	event_out(&t->events[n], event);
	return 1;
}

int tracedat_event(struct tracedat *t, const char *system, const char *name,
		   struct tracedat_event *event, struct error *err)
{
	size_t i;

	if (index_events(t, err))
		return -1;
	for (i = 0; i < t->n_events; i++) {
		if (strcmp(t->events[i].name, name) || strcmp(t->events[i].system, system))
			continue;
		event_out(&t->events[i], event);
		return 1;
	}
	return 0;
}

/* --- other texts --- */

/* A length of 4 or 8 bytes and as much text. */
static int counted_text(struct tracedat *t, enum section_id id, unsigned int width,
			struct tracedat_text *text, struct error *err)
{
	struct slice s, content;

	*text = (struct tracedat_text){ 0 };
	if (tracedat_content(t, id, &s, err))
		return -1;
	if (!slice_left(&s))
		return 0;
	content = slice_take(&s, width == 4 ? slice_u32(&s) : slice_u64(&s));
	if (s.cut)
		return tracedat_damaged(t, err, "a text of section %d is not whole", id);
	*text = text_of(&content);
	return 0;
}

int tracedat_kallsyms(struct tracedat *t, struct tracedat_text *text, struct error *err)
{
	return counted_text(t, SECTION_KALLSYMS, 4, text, err);
}

int tracedat_printk(struct tracedat *t, struct tracedat_text *text, struct error *err)
{
	return counted_text(t, SECTION_PRINTK, 4, text, err);
}

int tracedat_cmdlines(struct tracedat *t, struct tracedat_text *text, struct error *err)
{
	return counted_text(t, SECTION_CMDLINES, 8, text, err);
}

static int comm_order(const void *a, const void *b)
{
	const struct comm_entry *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

/* Lines "TID COMM". A text that can't be read names nobody: names are a help, not a figure. */
static void read_comms(struct tracedat *t)
{
	struct tracedat_text text;
	struct error unused;
	char *copy, *line, *save, *name;

	t->comms_read = true;
	if (tracedat_cmdlines(t, &text, &unused) || !text.len)
		return;
	copy = xstrndup(text.text, text.len);
	for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		long tid = strtol(line, &name, 10);

		if (name == line || *name != ' ' || tid < 0 || tid > INT32_MAX)
			continue;
		if (!(t->n_comms & (t->n_comms - 1)))
			t->comms = xreallocarray(t->comms, t->n_comms ? t->n_comms * 2 : 1,
						 sizeof(*t->comms));
		t->comms[t->n_comms].tid = (int)tid;
		t->comms[t->n_comms++].comm = xstrdup(name + 1);
	}
	free(copy);
	if (t->n_comms)
		qsort(t->comms, t->n_comms, sizeof(*t->comms), comm_order);
}

const char *tracedat_comm(struct tracedat *t, int tid)
{
	struct comm_entry key = { .tid = tid };
	const struct comm_entry *found = NULL;

	if (t->fallback)
		return fallback_comm(t->fallback, tid);
	if (!t->comms_read)
		read_comms(t);
	if (t->n_comms)
		found = bsearch(&key, t->comms, t->n_comms, sizeof(key), comm_order);
	return found ? found->comm : NULL;
}
