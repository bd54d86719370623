/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a stream of a file is advanced at once: short enough for Ctrl-C and the line of progress,
 * and of as much trace time as so many records take. Where a step ends may show in what is printed
 * meanwhile, so it must not depend on how fast they are read.
 */
#ifndef HVSCOPE_CMD_PACE_H
#define HVSCOPE_CMD_PACE_H

#include <stdint.h>

#include "base/util.h"

/* Counting a record takes ns, printing it µs. */
enum { PACE_COUNT = 500000, PACE_PRINT = 20000 };

/* The first step in ns; from then on by how many records the last one had. */
#define PACE_FIRST UINT64_C(100000000)

static inline uint64_t pace_next(uint64_t step, uint64_t records, uint64_t few)
{
	if (records < few && step < UINT64_MAX / 4)
		return step * 2;
	return records > 4 * few && step > 1 ? step / 2 : step;
}

/* Where a step ends that begins at `time`. */
static inline uint64_t pace_end(uint64_t time, uint64_t step)
{
	return time > UINT64_MAX - step ? UINT64_MAX : time + step;
}

#endif
