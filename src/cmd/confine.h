/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work on a file that may be hostile, in a child process that gave up what it doesn't need. The
 * caller opens everything first (the file, the output): the child can open nothing. It is nobody
 * when we are root, has no capabilities, can't gain any, and may neither start programs nor
 * processes, nor reach a network, a file name or another process. What it prints goes where our
 * output goes; what it returns comes back; a crash of it is a sentence here.
 */
#ifndef HVSCOPE_CMD_CONFINE_H
#define HVSCOPE_CMD_CONFINE_H

#include <stddef.h>

#include "base/error.h"

struct confined {
	int (*job)(void *arg, struct error *err); /* at least 0, or -1 with *err */
	void *arg;
	const char *file;   /* its name, for sentences */
	void *result;	    /* what the job leaves here is copied back to us; may be NULL */
	size_t result_size;
};

/*
 * Runs the job and returns what it returned. SIGINT, SIGTERM and SIGHUP that reach us are passed
 * on, so that the job ends as it does for them; one that comes more than a second after the first
 * kills it. If we die, it dies. -1 with *err as well when it couldn't be started, or crashed.
 *
 * Nothing may be half-printed in a stdio buffer when this is called: buffers are flushed first.
 */
int confine_run(const struct confined *c, struct error *err);

#endif
