/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An analysis of samples of /proc: nothing is traced, nobody needs to be root.
 */
#ifndef HVSCOPE_CMD_RUN_PROC_H
#define HVSCOPE_CMD_RUN_PROC_H

#include "cmd/run.h"

/* 0 when it came to its end, the workload's status when that isn't 0; -1 with *err. */
int run_proc(struct run *run, struct error *err);

#endif
