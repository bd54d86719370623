/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The markers that a recording carries: who is who (sampler/who.h), and the time of day, on a line
 *
 *	hvscope-time 1 MONO UTC		both in ns: one moment by two clocks
 */
#ifndef HVSCOPE_CMD_MARKERS_H
#define HVSCOPE_CMD_MARKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "sampler/who.h"
#include "trace/tracedat.h"

/* What a buffer's markers say beside who is who. */
struct markers {
	bool has_time;
	int64_t time; /* UTC − the records' clock, ns */
};

/*
 * Tells `who` what the markers in this buffer say, and *markers the rest. -1 with *err when its
 * pages can't be read.
 */
int markers_read(struct who *who, const struct tracedat *dat, const struct tracedat_buffer *buffer,
		 struct markers *markers, struct error *err);

/* The line that tells the time of day now, where records have the live clock. */
enum { MARKERS_TIME_SIZE = 80 };

void markers_format_time(char text[MARKERS_TIME_SIZE]);

#endif
