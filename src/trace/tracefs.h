/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where tracefs is, and why it can't be used when it can't: each reason is one sentence that says
 * what is missing, what still works, and what to do.
 *
 * All paths go below a root prefix. Only in the real root something may be mounted.
 */
#ifndef HVSCOPE_TRACE_TRACEFS_H
#define HVSCOPE_TRACE_TRACEFS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/path.h"
#include "base/text.h"

enum tfs_state {
	TFS_READY,
	TFS_NO_KERNEL,	 /* the kernel has no tracefs */
	TFS_NOT_MOUNTED, /* root could mount it (or mounting failed) */
	TFS_NOT_ROOT,	 /* mounted or not: this user may not */
	TFS_LOCKED_BOOT, /* lockdown=confidentiality since boot: mounted, but empty */
	TFS_LOCKED_RUN	 /* confidentiality set at run time: nothing can be opened any more */
};

/* Plain data. */
struct tfs {
	struct root root;
	char dir[256];	/* "/sys/kernel/tracing", below the root */
	bool mounted;	/* we mounted it: it stays, -v says so */
	enum tfs_state state;
};

/*
 * Finds tracefs in /proc/mounts (tracefs first, then debugfs/tracing), mounts it at its usual place
 * when may_mount and allowed, and looks whether it can be used. Returns 0 when it is TFS_READY, -1
 * with t->state and the sentence otherwise. A recorded tree is TFS_READY when it has an events
 * folder. `root` may be NULL (the real one).
 */
int tfs_find(struct tfs *t, const struct root *root, bool may_mount, struct error *err);

/* The sentence for a state, as `why` and `do` apart (static text). */
const char *tfs_why(enum tfs_state state);
const char *tfs_do(enum tfs_state state);

/* "none", "integrity" or "confidentiality" of /sys/kernel/security/lockdown; "" when unknown. */
void tfs_lockdown(const struct root *root, char *buf, size_t size);

/*
 * Writes text to DIR/path in one write(2) after opening it with O_TRUNC or, `append`, O_APPEND.
 * Returns 0 or -errno.
 */
int tfs_write(const struct tfs *t, bool append, const char *text, const char *path, ...)
	__printf(4, 5);

/* A whole file in memory that the caller frees; NULL with errno. */
char *tfs_read(const struct tfs *t, const char *path, ...) __printf(2, 3);

bool tfs_exists(const struct tfs *t, const char *path, ...) __printf(2, 3);

/*
 * The kernel's own words about the last command that it refused: looks into error_log (of the
 * instance at `where`, "" = the top's, where probes are logged) for the newest entry whose command
 * is `command`. Fills message ("Field not found") and caret (offset into the command, -1 unknown).
 */
bool tfs_error_log(const struct tfs *t, const char *where, const char *command, char *message,
		   size_t size, int *caret);

/*
 * Appends a refusal to the sentence in err: ": MESSAGE", and on lines of their own the command and
 * a caret under the place. Without an entry of the log the words for errnum.
 */
int tfs_refusal(struct error *err, const struct tfs *t, const char *where, const char *command,
		int errnum);

/*
 * The CPUs of /sys/devices/system/cpu/NAME: "possible", "online", "isolated", "nohz_full". -1 when
 * it can't be read.
 */
int tfs_cpus(const struct root *root, const char *name, struct cpuset *set);

#endif
