/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block requests of any driver, from issue to completion, per device. A request is known by its
 * device and first sector; when one is issued twice (requeued, or split) the last issue counts.
 * Requests without sectors (flushes) have no such name and are only counted.
 */
#ifndef HVSCOPE_ANALYSIS_REQUESTS_H
#define HVSCOPE_ANALYSIS_REQUESTS_H

#include "analysis/analysis.h"

struct requests;

struct requests *requests_new(const struct analysis_env *env);
void requests_free(struct requests *r);

/* FACT_REQUEST, in order of time over all CPUs. */
void requests_feed(struct requests *r, const struct fact *f);
void requests_lost(struct requests *r, const struct loss *losses, size_t n);

/* Adds the table "requests". The rows lend distributions of r. */
void requests_report(struct requests *r, struct report *report);

#endif
