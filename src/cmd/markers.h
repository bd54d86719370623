/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is who by the markers that a recording carries (sampler/who.h).
 */
#ifndef HVSCOPE_CMD_MARKERS_H
#define HVSCOPE_CMD_MARKERS_H

#include "base/error.h"
#include "sampler/who.h"
#include "trace/tracedat.h"

/* Tells `who` what the markers in this buffer say. -1 with *err when its pages can't be read. */
int markers_read(struct who *who, const struct tracedat *dat, const struct tracedat_buffer *buffer,
		 struct error *err);

#endif
