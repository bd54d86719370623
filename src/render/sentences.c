// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sentences are made first and wrapped then, at blanks.
 */
#include "render/sentences.h"

#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "render/format.h"

enum {
	SENTENCE_MAX = 4096, /* bytes of a note, a path, a name in the first line */
	BIASED_FROM = 100,   /* 1 of this many discarded: say that times are biased */
};

/* The length of the part of text that fits a line, up to a blank; all of it when it has none. */
static size_t fitting(const char *text, unsigned width)
{
	size_t fit = 0;

	for (size_t end = strcspn(text, " ");; end += 1 + strcspn(text + end + 1, " ")) {
		char *part = xstrndup(text, end);
		bool fits = text_width(part) <= width;

		free(part);
		if (fits || !fit)
			fit = end;
		if (!fits || !text[end])
			return fit;
	}
}

void sentences_wrap(FILE *out, const char *text)
{
	size_t len = fitting(text, LINE_WIDTH);

	fprintf(out, "%.*s\n", (int)len, text);
	while (text[len]) {
		text += len + 1;
		len = fitting(text, LINE_WIDTH - 2);
		fprintf(out, "  %.*s\n", (int)len, text);
	}
}

static void put_quoted(FILE *out, const char *before, const char *text)
{
	char *quoted = text_quote_dup(text, SENTENCE_MAX);

	fprintf(out, "%s%s", before, quoted);
	free(quoted);
}

static void put_number(FILE *out, uint64_t n, const char *singular, const char *plural)
{
	char buf[FORMAT_SIZE];

	if (n)
		fprintf(out, ", %s", text_plural(buf, sizeof(buf), n, singular, plural));
}

/* "exits: 10.0s, 2 VMs, 4 vCPUs, 8 CPUs, live on host" */
static void put_subject(FILE *out, const struct report *report)
{
	const struct report_source *source = &report->source;
	char buf[FORMAT_SIZE];

	put_quoted(out, "", report->title ? report->title : report->command);
	/* What is no trace has no time. */
	if (report->has_span || report->has_records || source->kind == SOURCE_LIVE)
		fprintf(out, ": %s",
			report->has_span ? text_ns(buf, sizeof(buf), report->span_ns) :
					   "unknown time");
	put_number(out, report->vms, "VM", "VMs");
	put_number(out, report->vcpus, "vCPU", "vCPUs");
	put_number(out, source->cpus, "CPU", "CPUs");
	if (source->path)
		put_quoted(out, ", ", source->path);
	else
		fputs(source->kind == SOURCE_LIVE ? ", live" : "", out);
	if (report->host)
		put_quoted(out, " on ", report->host);
	if (source->kernel)
		put_quoted(out, ", Linux ", source->kernel);
	if (source->machine)
		put_quoted(out, " ", source->machine);
}

static void put_sentence(FILE *out, void (*make)(FILE *out, const struct report *report),
			 const struct report *report)
{
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		fatal("out of memory for a line");
	make(memory, report);
	if (fclose(memory))
		fatal("out of memory for a line");
	if (*text)
		sentences_wrap(out, text);
	free(text);
}

static void put_lost(FILE *out, const struct report *report)
{
	const struct report_lost *lost = &report->lost;
	char buf[FORMAT_SIZE];

	if (!report->has_lost)
		return;
	if (report_complete(report)) {
		fputs("Nothing was lost.", out);
		return;
	}
	fprintf(out, "Lost: %s", text_plural(buf, sizeof(buf), lost->records, "record", "records"));
	put_number(out, lost->marks, "place of loss", "places of loss");
	if (lost->unknown)
		fprintf(out, " (%llu without a number)", (unsigned long long)lost->unknown);
	put_number(out, lost->intervals_discarded, "interval discarded", "intervals discarded");
	put_number(out, lost->late, "late record", "late records");
	fputs(lost->stopped ? "; stopped early." : ".", out);
}

/* What losses do to the times: a long interval meets one more easily. */
static void put_bias(FILE *out, const struct report *report)
{
	const struct report_lost *lost = &report->lost;
	double discarded = lost->intervals_discarded;
	char buf[FORMAT_SIZE];

	if (!report->has_lost || discarded * BIASED_FROM <= lost->intervals)
		return;
	text_percent(buf, sizeof(buf), lost->intervals ? discarded / lost->intervals : 1);
	fprintf(out, "%s of the intervals were discarded, long ones more often: ", buf);
	fputs("times and percentiles are biased low.", out);
}

/* Local time of the interval's end, as vmstat and sar have it. */
static void put_timestamp(FILE *out, const struct report *report)
{
	char buf[FORMAT_SIZE];

	if (report->has_begin)
		fprintf(out, "%s\n",
			format_clock(buf, sizeof(buf), report->begin + (int64_t)report->span_ns,
				     false));
	else if (report->has_begin_ns)
		fprintf(out, "%s s\n",
			format_seconds(buf, sizeof(buf), report->begin_ns + report->span_ns));
}

void sentences_begin(const struct render *render, const struct report *report)
{
	if (render->reports)
		putc('\n', render->out);
	if (render->options.timestamps)
		put_timestamp(render->out, report);
	if (!render->options.quiet)
		put_sentence(render->out, put_subject, report);
}

void sentences_end(const struct render *render, const struct report *report)
{
	FILE *out = render->out;

	if (render->options.quiet)
		return;
	put_sentence(out, put_lost, report);
	put_sentence(out, put_bias, report);
	for (unsigned i = 0; i < report->nr_notes; i++) {
		char *note = text_quote_dup(report->notes[i], SENTENCE_MAX);

		sentences_wrap(out, note);
		free(note);
	}
}
