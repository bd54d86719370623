// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The line of progress.
 */
#include "cmd/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

enum { BAR = 30, BETWEEN_MS = 200 };

struct progress {
	bool shown, quiet;
	bool drawn;
	uint64_t at;      /* ms: when it was drawn last */
	uint64_t records; /* then */
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

struct progress *progress_new(bool shown, bool quiet)
{
	struct progress *p = xcalloc(1, sizeof(*p));

	p->shown = shown && !quiet && isatty(STDERR_FILENO);
	p->quiet = quiet;
	p->at = now_ms();
	return p;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	progress_wipe(p);
	free(p);
}

static void draw_bar(double part)
{
	unsigned int full = (unsigned int)(min(part, 1.0) * BAR);

	fputc('[', stderr);
	for (unsigned int i = 0; i < BAR; i++)
		fputc(i < full ? '#' : '.', stderr);
	fprintf(stderr, "] %3.0f%% ", 100 * min(part, 1.0));
}

void progress_show(struct progress *p, uint64_t records, uint64_t lost, double part)
{
	char rate[TEXT_UNIT_SIZE];
	uint64_t now;

	if (!p->shown)
		return;
	now = now_ms();
	if (now - p->at < BETWEEN_MS)
		return;
	fputc('\r', stderr);
	if (part >= 0)
		draw_bar(part);
	text_rate(rate, sizeof(rate),
		  1000.0 * (double)(records - p->records) / (double)(now - p->at));
	fprintf(stderr, "%llu records, %s/s", (unsigned long long)records, rate);
	if (lost)
		fprintf(stderr, ", %llu lost", (unsigned long long)lost);
	fputs("\033[K", stderr);
	fflush(stderr);
	p->drawn = true;
	p->at = now;
	p->records = records;
}

void progress_wipe(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

void progress_say(struct progress *p, const char *fmt, ...)
{
	char text[1024], quoted[4096];
	va_list args;

	if (p->quiet)
		return;
	progress_wipe(p);
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "hvscope: %s\n", text_quote(quoted, sizeof(quoted), text));
}
