/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ends a run from outside: SIGINT, SIGTERM, SIGHUP. They stay blocked but while the run waits
 * (ppoll), and their handler only notes them, so every end is an orderly one: tracing off, what was
 * seen is printed, everything restored. SIGCHLD wakes a wait too and ends nothing.
 */
#ifndef HVSCOPE_CMD_STOP_H
#define HVSCOPE_CMD_STOP_H

#include <signal.h>
#include <stdbool.h>

#include "base/error.h"

struct stop {
	sigset_t wait;	 /* the mask while waiting */
	sigset_t before; /* as it was */
	struct sigaction actions[4];
	int signal; /* the first that came; 0: none did */
};

/* One at a time in a process. */
void stop_begin(struct stop *stop);
void stop_end(struct stop *stop);

/* Whether a signal came; doesn't wait. */
bool stop_asked(struct stop *stop);

/*
 * For calls that may wait for others (opening a pipe): while it is on, a signal ends them (EINTR).
 * One that came before is only noted; the next ends the call.
 */
void stop_interrupts(const struct stop *stop, bool on);

/*
 * For reading what others have to write first, while nothing is begun that would have to be printed
 * or undone: while it is on, a signal ends the process at once, one that came before as well.
 */
void stop_kills(const struct stop *stop, bool on);

/* Forgets what came, so that stop_asked() tells of new ones. */
void stop_forget(struct stop *stop);

/* In a child before exec: signals as they were for us. */
void stop_child(const struct stop *stop);

#endif
