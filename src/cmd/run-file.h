/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An analysis of a trace file, in a child process that gave up its privileges first.
 */
#ifndef HVSCOPE_CMD_RUN_FILE_H
#define HVSCOPE_CMD_RUN_FILE_H

#include "cmd/run.h"

/* 0 when it came to its end, 3 when it is incomplete and --strict asked; -1 with *err. */
int run_file(struct run *run, struct error *err);

#endif
