/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a report goes: stdout or -o FILE. Nobody who reads FILE sees half a result: a regular or
 * absent target is written as a temporary file in the same folder and renamed (symbolic links are
 * followed to what they name). Any other type of file is opened and written as it is.
 */
#ifndef HVSCOPE_CMD_OUTPUT_H
#define HVSCOPE_CMD_OUTPUT_H

#include <stdio.h>

#include "base/error.h"

enum output_kind {
	OUTPUT_ONCE,   /* appears when it is complete */
	OUTPUT_GROWS,  /* made at the start, grows report by report */
	OUTPUT_REPLACED /* each report replaces the one before */
};

struct output;

/* NULL path: stdout. */
struct output *output_open(const char *path, enum output_kind kind, struct error *err);

FILE *output_stream(struct output *o);

/* A report is complete: it goes out; of an OUTPUT_REPLACED it takes the place of the last. */
int output_report(struct output *o, struct error *err);

/* All is complete: an OUTPUT_ONCE appears now. */
int output_done(struct output *o, struct error *err);

/* What wasn't done leaves no trace, except what an OUTPUT_GROWS already showed. */
void output_free(struct output *o);

#endif
