/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command behind "--": made ready before tracing begins, let go once it is on, with hvscope's
 * own user id. Its end ends the run, its status becomes ours.
 */
#ifndef HVSCOPE_CMD_WORKLOAD_H
#define HVSCOPE_CMD_WORKLOAD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "cmd/stop.h"

/* Statuses that are not the command's own, as env(1) has them. */
enum { WORKLOAD_FAILED = 125, WORKLOAD_NOT_RUN = 126, WORKLOAD_NOT_FOUND = 127 };

struct workload;

/* The process exists and waits. argv ends with NULL. */
struct workload *workload_new(char *const *argv, const struct stop *stop, struct error *err);

/* Becomes the command. -1 with *err, whose status is 126 or 127, when it can't be run. */
int workload_go(struct workload *w, struct error *err);

/* Whether it ended; doesn't wait. SIGCHLD tells when to ask (cmd/stop.h). */
bool workload_ended(struct workload *w);

/*
 * Waits for its end, when the report stands already: its status, 128 + n when signal n killed it.
 * A signal that ended us ends it too; a second one makes us leave it alone.
 */
int workload_wait(struct workload *w, struct stop *stop);

/* A command that was never let go is killed; one that runs goes on by itself. */
void workload_free(struct workload *w);

#endif
