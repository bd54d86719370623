/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's trace clocks are good for, and the time of the one that live runs use.
 */
#ifndef HVSCOPE_TRACE_CLOCK_H
#define HVSCOPE_TRACE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Live runs always use it: it can be read in user space and is the same on all CPUs. */
#define CLOCK_LIVE "mono"

/* Whether differences of the clock are ns; x86-tsc: only once it was converted. */
bool clock_counts_ns(const char *name);

/* Whether two CPUs may disagree, so that times across CPUs are as they stand. */
bool clock_differs_by_cpu(const char *name);

/* The chosen one of a trace_clock file's text ("local [global] counter"): true and its name. */
bool clock_chosen(const char *text, char *name, size_t size);

/* ns of the clock mono now. */
uint64_t clock_now(void);

#endif
