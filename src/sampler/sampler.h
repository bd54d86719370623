/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sampler reads procfs or sysfs at intervals and speaks facts: the same ones, in the same
 * arrays, that the stream makes of trace records, so that an analysis doesn't see a difference.
 */
#ifndef HVSCOPE_SAMPLER_SAMPLER_H
#define HVSCOPE_SAMPLER_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/path.h"
#include "fact.h"

/* The facts of one sample; a zeroed struct is an empty one, and is filled again and again. */
struct sample {
	struct fact *facts;
	size_t n, room;
};

void sample_add(struct sample *sample, const struct fact *fact);
void sample_free(struct sample *sample);

struct sampler {
	const char *name; /* of the file it reads, for people */
	uint64_t facts;   /* FACT_BIT()s that it speaks */
	/* Replaces the sample's facts by those of now; `time` (CLOCK_MONOTONIC) is in each. */
	int (*take)(const struct root *root, uint64_t time, struct sample *sample,
		    struct error *err);
};

/* The sampler that speaks all of these facts, or NULL. */
const struct sampler *sampler_find(uint64_t facts);

extern const struct sampler sampler_proc_stat;

#endif
