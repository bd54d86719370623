/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One analysis, live or from a file: the life cycle that all analyses share.
 */
#ifndef HVSCOPE_CMD_RUN_H
#define HVSCOPE_CMD_RUN_H

#include "base/error.h"

struct settings;

/* The `run` of a command that is an analysis. */
int run_analysis(const struct settings *settings, struct error *err);

#endif
