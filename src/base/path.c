// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opening below a root. In a recorded tree openat2(RESOLVE_IN_ROOT) resolves links and
 * ".." as chroot(2) would; where the kernel (before 5.6) or a sandbox refuses it, the
 * path is walked here component by component by the same rules. The walk isn't safe
 * against a tree that changes meanwhile; recorded trees don't.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/openat2.h>

#include "base/path.h"

enum { LINKS_MAX = 40 }; /* as the kernel */

static bool is_real(const struct root *root)
{
	return !root || !root->prefix || !root->prefix[0];
}

static int __printf(2, 0) format(char *path, const char *fmt, va_list args)
{
	int n = vsnprintf(path, PATH_MAX, fmt, args);

	return n < 0 ? -EINVAL : n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* How far a walk has come: `done` holds no links, `rest` is still to be resolved. */
struct walk {
	int dir;
	unsigned links;
	char done[PATH_MAX]; /* relative to the root; "" = the root itself */
	char rest[PATH_MAX];
};

/* Puts a link's target in front of the rest. */
static int walk_link(struct walk *walk, const char *link)
{
	char target[PATH_MAX], joined[PATH_MAX];
	ssize_t n = readlinkat(walk->dir, link, target, sizeof(target) - 1);
	int len;

	if (n < 0)
		return -errno;
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	target[n] = '\0';
	if (target[0] == '/')
		walk->done[0] = '\0';
	len = snprintf(joined, sizeof(joined), "%s/%s", target, walk->rest);
	if (len < 0 || len >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(walk->rest, joined, len + 1);
	return 0;
}

/* Takes one component from the rest. */
static int walk_step(struct walk *walk, int flags)
{
	char name[PATH_MAX], next[PATH_MAX];
	size_t skip = strspn(walk->rest, "/");
	size_t len = strcspn(walk->rest + skip, "/");
	struct stat st;
	int n;

	memcpy(name, walk->rest + skip, len);
	name[len] = '\0';
	memmove(walk->rest, walk->rest + skip + len, strlen(walk->rest + skip + len) + 1);
	if (!len || !strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		char *slash = strrchr(walk->done, '/');

		*(slash ? slash : walk->done) = '\0';
		return 0;
	}
	n = snprintf(next, sizeof(next), "%s%s%s", walk->done, walk->done[0] ? "/" : "", name);
	if (n < 0 || n >= PATH_MAX)
		return -ENAMETOOLONG;
	if (!fstatat(walk->dir, next, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode) &&
	    (walk->rest[0] || !(flags & O_NOFOLLOW)))
		return walk_link(walk, next);
	memcpy(walk->done, next, n + 1);
	return 0;
}

static int open_by_walk(int dir, const char *path, int flags, mode_t mode)
{
	struct walk walk = { .dir = dir };
	int ret, fd;

	snprintf(walk.rest, sizeof(walk.rest), "%s", path);
	while (walk.rest[0]) {
		ret = walk_step(&walk, flags);
		if (ret < 0)
			return ret;
	}
	fd = openat(dir, walk.done[0] ? walk.done : ".", flags | O_NOFOLLOW, mode);
	return fd < 0 ? -errno : fd;
}

static int open_by_kernel(int dir, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned int)flags,
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	do
		fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN); /* a rename or mount elsewhere; see openat2(2) */
	return fd < 0 ? -errno : fd;
}

/* A recorded tree may hold a FIFO or a terminal: neither may stop us. */
static int open_recorded(const struct root *root, const char *path, int flags, mode_t mode)
{
	int dir = open(root->prefix, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (dir < 0)
		return -errno;
	if (!(flags & O_PATH))
		flags |= O_NONBLOCK | O_NOCTTY;
	fd = open_by_kernel(dir, path, flags, mode);
	if (fd == -ENOSYS || fd == -EPERM)
		fd = open_by_walk(dir, path, flags, mode);
	close(dir);
	return fd;
}

static int open_path(const struct root *root, const char *path, int flags)
{
	mode_t mode = flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? 0600 : 0;
	int fd;

	flags |= O_CLOEXEC;
	if (!is_real(root))
		return open_recorded(root, path, flags, mode);
	fd = open(path, flags, mode);
	return fd < 0 ? -errno : fd;
}

static int __printf(3, 0)
	open_args(const struct root *root, int flags, const char *fmt, va_list args)
{
	char path[PATH_MAX];
	int ret = format(path, fmt, args);

	return ret < 0 ? ret : open_path(root, path, flags);
}

int path_open(const struct root *root, int flags, const char *fmt, ...)
{
	va_list args;
	int fd;

	va_start(args, fmt);
	fd = open_args(root, flags, fmt, args);
	va_end(args);
	return fd;
}

/* Reads until size - 1 bytes or the end, and closes. */
static ssize_t read_and_close(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return fd;
	while (len < size - 1) {
		n = read(fd, buf + len, size - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += n;
	}
	if (n < 0)
		n = -errno;
	close(fd);
	buf[len] = '\0';
	return n < 0 ? n : (ssize_t)len;
}

ssize_t path_read(const struct root *root, char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int fd;

	va_start(args, fmt);
	fd = open_args(root, O_RDONLY, fmt, args);
	va_end(args);
	return read_and_close(fd, buf, size);
}

ssize_t path_read_line(const struct root *root, char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	ssize_t len;
	int fd;

	va_start(args, fmt);
	fd = open_args(root, O_RDONLY, fmt, args);
	va_end(args);
	len = read_and_close(fd, buf, size);
	while (len > 0 && strchr(" \t\r\n", buf[len - 1]))
		buf[--len] = '\0';
	return len;
}

/* The size of a file in /proc isn't known beforehand, so the buffer doubles as it fills. */
static char *read_all(int fd, size_t limit, size_t *len)
{
	size_t room = 4096, used = 0;
	char *buf = xmalloc(room);
	ssize_t n;

	for (;;) {
		if (used == room - 1) {
			room *= 2;
			buf = xreallocarray(buf, room, 1);
		}
		/* EINTR is an error: a pipe that nobody writes to must not hold up an end. */
		n = read(fd, buf + used, room - 1 - used);
		if (n > 0)
			used += n;
		if (used > limit) {
			n = -1;
			errno = EFBIG;
		}
		if (n <= 0)
			break;
	}
	if (n < 0) {
		int saved = errno;

		free(buf);
		errno = saved;
		return NULL;
	}
	buf[used] = '\0';
	if (len)
		*len = used;
	return buf;
}

char *path_read_all(const struct root *root, size_t limit, size_t *len, const char *fmt, ...)
{
	va_list args;
	char *buf;
	int fd, saved;

	va_start(args, fmt);
	fd = open_args(root, O_RDONLY, fmt, args);
	va_end(args);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	buf = read_all(fd, limit, len);
	saved = errno;
	close(fd);
	errno = saved;
	return buf;
}

bool path_exists(const struct root *root, const char *fmt, ...)
{
	va_list args;
	int fd;

	va_start(args, fmt);
	fd = open_args(root, O_PATH, fmt, args);
	va_end(args);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

ssize_t path_readlink(const struct root *root, char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	ssize_t n;
	int fd;

	va_start(args, fmt);
	fd = open_args(root, O_PATH | O_NOFOLLOW, fmt, args);
	va_end(args);
	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", buf, size);
	if (n < 0)
		n = errno == ENOENT ? -EINVAL : -errno; /* ENOENT here: it is no link */
	else if ((size_t)n == size)
		n = -ENAMETOOLONG;
	else
		buf[n] = '\0';
	close(fd);
	return n;
}

DIR *path_opendir(const struct root *root, const char *fmt, ...)
{
	va_list args;
	DIR *dir;
	int fd;

	va_start(args, fmt);
	fd = open_args(root, O_RDONLY | O_DIRECTORY, fmt, args);
	va_end(args);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	dir = fdopendir(fd);
	if (!dir) {
		int saved = errno;

		close(fd);
		errno = saved;
	}
	return dir;
}
