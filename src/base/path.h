/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of /proc, /sys and tracefs, all below one root: the real one, or a
 * recorded tree (--root DIR). In a recorded tree no path and no symbolic link
 * leads out of the tree: links are resolved as if the tree were "/".
 */
#ifndef HVSCOPE_BASE_PATH_H
#define HVSCOPE_BASE_PATH_H

#include <dirent.h>
#include <sys/types.h>

#include "base/util.h"

struct root {
	const char *prefix; /* NULL or "" = the real root; not owned */
};

/*
 * Each takes an absolute path as printf does. A NULL root is the real root.
 * Errors are negative errno values: what they mean is the caller's sentence.
 * A path that doesn't fit PATH_MAX is -ENAMETOOLONG, never a shorter path.
 */

/* A descriptor (O_CLOEXEC is added), or -errno. */
int path_open(const struct root *root, int flags, const char *fmt, ...) __printf(3, 4);

/*
 * The file's beginning, NUL-terminated, at most size - 1 bytes; its length, or -errno.
 * A longer file is cut (a full buffer tells). Newlines are kept.
 */
ssize_t path_read(const struct root *root, char *buf, size_t size, const char *fmt, ...)
	__printf(4, 5);

/*
 * The whole file in memory that the caller frees, NUL-terminated; *len (may be NULL) is
 * its length. NULL with errno set on failure; EFBIG when it is longer than limit bytes.
 */
char *path_read_all(const struct root *root, size_t limit, size_t *len, const char *fmt, ...)
	__printf(4, 5);

/* The file's beginning as path_read(), without trailing newlines and blanks. */
ssize_t path_read_line(const struct root *root, char *buf, size_t size, const char *fmt, ...)
	__printf(4, 5);

/* Follows links. */
bool path_exists(const struct root *root, const char *fmt, ...) __printf(2, 3);

/* The link's target as it stands, NUL-terminated; its length, or -errno (-ENAMETOOLONG if cut). */
ssize_t path_readlink(const struct root *root, char *buf, size_t size, const char *fmt, ...)
	__printf(4, 5);

/* The caller closedir()s it. NULL with errno set on failure. */
DIR *path_opendir(const struct root *root, const char *fmt, ...) __printf(2, 3);

#endif
