// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Formats written back as text: of every event of every capture, what libtraceevent parses from the
 * text has the same fields and prints the capture's records as the original does.
 */
#include <event-parse.h>
#include <ftw.h>
#include <stdio.h>
#include <trace-cmd.h>
#include <trace-seq.h>

#include "tests/leaks.h"
#include "tests/tap.h"
#include "trace/format-text.h"

enum { ENOUGH = 20000 }; /* records of a capture */

struct both {
	struct tep_handle *texts; /* parsed from our texts */
	uint64_t records, differ;
};

static bool same_fields(const struct tep_format_field *a, const struct tep_format_field *b)
{
	/* What a print fmt says of a field (an enumeration, flags) isn't the field's. */
	const unsigned long said = TEP_FIELD_IS_FLAG | TEP_FIELD_IS_SYMBOLIC;

	for (; a && b; a = a->next, b = b->next)
		if (strcmp(a->type, b->type) || strcmp(a->name, b->name) ||
		    a->offset != b->offset || a->size != b->size || a->arraylen != b->arraylen ||
		    a->elementsize != b->elementsize || ((a->flags ^ b->flags) & ~said))
			return false;
	return !a && !b;
}

static bool same_event(struct both *both, const struct tep_event *event)
{
	char *text = format_text(event);
	const struct tep_event *again;
	bool same;

	tep_parse_event(both->texts, text, strlen(text), event->system);
	again = tep_find_event(both->texts, event->id);
	same = again && !strcmp(again->name, event->name) &&
	       !strcmp(again->system, event->system) &&
	       same_fields(event->format.common_fields, again->format.common_fields) &&
	       same_fields(event->format.fields, again->format.fields);
	if (!same)
		diag("%s:%s", event->system, event->name);
	free(text);
	return same;
}

static int print_record(struct tracecmd_input *input, struct tep_record *rec, int cpu, void *ctx)
{
	struct both *both = ctx;
	struct trace_seq a, b;
	struct tep_event *event = tep_find_event_by_record(tracecmd_get_tep(input), rec);

	(void)cpu;
	/* a stack is printed by the file's symbols, which aren't part of a format */
	if (both->records == ENOUGH || (event && !strcmp(event->name, "kernel_stack")))
		return 0;
	trace_seq_init(&a);
	trace_seq_init(&b);
	tep_print_event(tracecmd_get_tep(input), &a, rec, "%s %s", TEP_PRINT_NAME, TEP_PRINT_INFO);
	tep_print_event(both->texts, &b, rec, "%s %s", TEP_PRINT_NAME, TEP_PRINT_INFO);
	trace_seq_terminate(&a);
	trace_seq_terminate(&b);
	both->records++;
	if (strcmp(a.buffer, b.buffer) && !both->differ++) {
		diag("want %s", a.buffer);
		diag("got  %s", b.buffer);
	}
	trace_seq_destroy(&a);
	trace_seq_destroy(&b);
	return 0;
}

static void compare(const char *path)
{
	struct tracecmd_input *input = tracecmd_open(path, TRACECMD_FL_LOAD_NO_PLUGINS);
	struct both both = { .texts = tep_alloc() };
	struct tep_handle *tep;
	struct tep_event **list;
	bool same = true;
	int i;

	if (!input) {
		skip("libtracecmd can't read it", path);
		tep_free(both.texts);
		return;
	}
	tep = tracecmd_get_tep(input);
	tep_set_long_size(both.texts, tep_get_long_size(tep));
	tep_set_file_bigendian(both.texts, tep_is_file_bigendian(tep));
	tep_set_local_bigendian(both.texts, tep_is_local_bigendian(tep));
	list = tep_list_events(tep, TEP_EVENT_SORT_ID);
	for (i = 0; list && list[i]; i++)
		same &= same_event(&both, list[i]);
	ok(same && i, "%s: %d events have the same fields", path, i);
	tracecmd_iterate_events(input, NULL, 0, print_record, &both);
	ok(both.records && !both.differ, "and print %" PRIu64 " records alike", both.records);
	tracecmd_close(input);
	tep_free(both.texts);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t len = strlen(path);

	(void)st, (void)ftw;
	if (type == FTW_F && len > 4 && !strcmp(path + len - 4, ".dat"))
		compare(path);
	return 0;
}

int main(void)
{
	char *path = NULL;

	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	if (asprintf(&path, "%s/tests/traces", tap_source()) < 0)
		abort();
	nftw(path, visit, 16, FTW_PHYS);
	free(path);
	return tap_done();
}
