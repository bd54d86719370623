/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An analysis of what happens now: a session of tracing, read in rounds.
 */
#ifndef HVSCOPE_CMD_RUN_LIVE_H
#define HVSCOPE_CMD_RUN_LIVE_H

#include "cmd/run.h"

/* 0 when it came to its end, the workload's status when that isn't 0; -1 with *err. */
int run_live(struct run *run, struct error *err);

#endif
