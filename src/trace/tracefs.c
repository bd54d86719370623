// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding tracefs, and the few ways in which its files are read and written. A file of it is always
 * opened, written and closed: nothing is held open but what session.c says.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/text.h"
#include "trace/tracefs.h"

#define USUAL_PLACE "/sys/kernel/tracing"
#define TEXT_LIMIT  (16u << 20)

static const struct {
	const char *why, *todo;
} states[] = {
	[TFS_READY] = { "", "" },
	[TFS_NO_KERNEL] = { "this kernel has no tracefs",
			    "boot a kernel with CONFIG_FTRACE, as distributions ship it" },
	[TFS_NOT_MOUNTED] = { "tracefs is not mounted", "mount -t tracefs nodev " USUAL_PLACE },
	[TFS_NOT_ROOT] = { "tracing is not permitted to this user", "run it as root" },
	[TFS_LOCKED_BOOT] = { "tracefs is empty, because of lockdown=confidentiality at boot",
			      "boot with lockdown=integrity or without lockdown" },
	[TFS_LOCKED_RUN] = { "tracefs is closed, because lockdown was raised to confidentiality",
			     "reboot with lockdown=integrity or without lockdown" },
};

const char *tfs_why(enum tfs_state state)
{
	return states[state].why;
}

const char *tfs_do(enum tfs_state state)
{
	return states[state].todo;
}

static bool recorded(const struct root *root)
{
	return root->prefix && *root->prefix;
}

void tfs_lockdown(const struct root *root, char *buf, size_t size)
{
	char text[128];

	if (path_read_line(root, text, sizeof(text), "/sys/kernel/security/lockdown") < 0) {
		buf[0] = '\0';
		return;
	}
	char *from = strchr(text, '['), *to = from ? strchr(from, ']') : NULL;

	if (to)
		*to = '\0';
	snprintf(buf, size, "%s", to ? from + 1 : "");
}

/* Undoes the octal escapes of /proc/mounts in place. */
static void unescape(char *text)
{
	char *to = text;

	for (char *p = text; *p; to++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*to = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
}

/* The first mount of a file system type: true and where. */
static bool mounted(const struct root *root, const char *type, char *dir, size_t size)
{
	char *text = path_read_all(root, TEXT_LIMIT, NULL, "/proc/mounts");
	bool found = false;

	for (char *rest = text, *line; !found && (line = strsep(&rest, "\n"));) {
		char *words = line;
		char *device = strsep(&words, " "), *place = strsep(&words, " ");
		char *fs = strsep(&words, " ");

		if (!device || !place || !fs || strcmp(fs, type))
			continue;
		unescape(place);
		found = strlen(place) < size;
		if (found)
			snprintf(dir, size, "%s", place);
	}
	free(text);
	return found;
}

static bool find_mount(struct tfs *t)
{
	char debugfs[sizeof(t->dir) - sizeof("/tracing")];

	if (mounted(&t->root, "tracefs", t->dir, sizeof(t->dir)))
		return true;
	/* Old kernels have it below debugfs; newer ones mount it there when the path is walked. */
	if (mounted(&t->root, "debugfs", debugfs, sizeof(debugfs)) &&
	    path_exists(&t->root, "%s/tracing/events", debugfs)) {
		snprintf(t->dir, sizeof(t->dir), "%s/tracing", debugfs);
		return true;
	}
	snprintf(t->dir, sizeof(t->dir), USUAL_PLACE);
	return false;
}

static bool kernel_has_it(const struct root *root)
{
	char *text = path_read_all(root, TEXT_LIMIT, NULL, "/proc/filesystems");
	bool has = !text || strstr(text, "\ttracefs\n");

	free(text);
	return has;
}

static enum tfs_state mount_it(struct tfs *t, bool may_mount)
{
	if (!kernel_has_it(&t->root))
		return TFS_NO_KERNEL;
	if (recorded(&t->root))
		return TFS_NOT_MOUNTED;
	if (geteuid())
		return TFS_NOT_ROOT;
	if (!may_mount)
		return TFS_NOT_MOUNTED;
	if (mount("tracefs", t->dir, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return errno == EPERM || errno == EACCES ? TFS_NOT_ROOT : TFS_NOT_MOUNTED;
	t->mounted = true;
	return TFS_READY;
}

/* Mounted, but can it be opened? Under lockdown the errno of an open is the only sign. */
static enum tfs_state look_inside(const struct tfs *t)
{
	int fd = path_open(&t->root, O_RDONLY, "%s/%s", t->dir,
			   recorded(&t->root) ? "events" : "trace_clock");
	char lockdown[32];

	if (fd >= 0) {
		close(fd);
		return TFS_READY;
	}
	tfs_lockdown(&t->root, lockdown, sizeof(lockdown));
	bool confidential = !strcmp(lockdown, "confidentiality");

	if (fd == -ENOENT)
		return confidential ? TFS_LOCKED_BOOT : TFS_NOT_MOUNTED;
	return confidential && fd == -EPERM ? TFS_LOCKED_RUN : TFS_NOT_ROOT;
}

int tfs_find(struct tfs *t, const struct root *root, bool may_mount, struct error *err)
{
	*t = (struct tfs){ .root = root ? *root : (struct root){ 0 } };
	/* A recorded tree has no mounts of its own: its folder counts. */
	if (!find_mount(t) && !(recorded(&t->root) && path_exists(&t->root, "%s/events", t->dir)))
		t->state = mount_it(t, may_mount);
	if (t->state == TFS_READY)
		t->state = look_inside(t);
	if (t->state == TFS_READY)
		return 0;
	return error_set(err, "%s; hvscope steal works without it; to trace: %s", tfs_why(t->state),
			 tfs_do(t->state));
}

/* DIR/path; false when it doesn't fit. */
__attribute__((format(printf, 3, 0)))
static bool full_path(char *full, const struct tfs *t, const char *path, va_list args)
{
	int n = snprintf(full, PATH_MAX, "%s/", t->dir);
	int m = vsnprintf(full + n, PATH_MAX - n, path, args);

	return m >= 0 && n + m < PATH_MAX;
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		left -= n;
	}
	return 0;
}

int tfs_write(const struct tfs *t, bool append, const char *text, const char *path, ...)
{
	char full[PATH_MAX];
	va_list args;

	va_start(args, path);
	bool fits = full_path(full, t, path, args);
	va_end(args);
	if (!fits)
		return -ENAMETOOLONG;
	int fd = path_open(&t->root, O_WRONLY | (append ? O_APPEND : O_TRUNC), "%s", full);

	if (fd < 0)
		return fd;
	int ret = write_all(fd, text);

	close(fd);
	return ret;
}

char *tfs_read(const struct tfs *t, const char *path, ...)
{
	char full[PATH_MAX];
	va_list args;

	va_start(args, path);
	bool fits = full_path(full, t, path, args);
	va_end(args);
	if (!fits) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return path_read_all(&t->root, TEXT_LIMIT, NULL, "%s", full);
}

bool tfs_exists(const struct tfs *t, const char *path, ...)
{
	char full[PATH_MAX];
	va_list args;

	va_start(args, path);
	bool fits = full_path(full, t, path, args);
	va_end(args);
	return fits && path_exists(&t->root, "%s", full);
}

/*
 * An entry of error_log is
 *   [  651.903345] event filter parse error: error: Illegal integer value
 *     Command: id == 3x
 *                     ^
 */
bool tfs_error_log(const struct tfs *t, const char *where, const char *command, char *message,
		   size_t size, int *caret)
{
	static const char mark[] = "\n  Command: ", error[] = ": error: ";
	char *log = tfs_read(t, "%s%serror_log", where, *where ? "/" : "");
	char *newest = NULL;
	size_t len = strlen(command);

	for (char *p = log; p && (p = strstr(p, mark)); p++) {
		const char *end = p + sizeof(mark) - 1;

		if (!strncmp(end, command, len) && end[len] == '\n')
			newest = p;
	}
	if (newest) {
		const char *line = newest + sizeof(mark) - 1 + len + 1;
		size_t blanks = strspn(line, " ");

		*caret = line[blanks] == '^' && blanks >= sizeof(mark) - 2 ?
				 (int)(blanks - (sizeof(mark) - 2)) :
				 -1;
		*newest = '\0';
		char *begin = strrchr(log, '\n');

		begin = begin ? begin + 1 : log;
		char *words = strstr(begin, error);

		snprintf(message, size, "%s", words ? words + sizeof(error) - 1 : begin);
	}
	free(log);
	return newest;
}

/* Columns that so many bytes take as they are shown: quoted, and of characters of any width. */
static unsigned int columns_before(const char *command, int bytes)
{
	size_t len = min((size_t)bytes, strlen(command));
	char *before = xstrndup(command, len);
	char *quoted = text_quote_dup(before, 4 * len + 1);
	unsigned int columns = text_width(quoted) + (unsigned int)((size_t)bytes - len);

	free(quoted);
	free(before);
	return columns;
}

int tfs_refusal(struct error *err, const struct tfs *t, const char *where, const char *command,
		int errnum)
{
	char message[256];
	int caret;

	if (!err)
		return -1;
	const struct error was = *err;

	if (!tfs_error_log(t, where, command, message, sizeof(message), &caret))
		return error_errno(err, errnum, "%s", was.text);
	if (caret < 0 || strlen(command) > 200)
		return error_set(err, "%s: %s", was.text, message);
	char *line = xstrdup(command);

	for (char *p = line; (p = strchr(p, '\n'));)
		*p = ' ';
	error_set(err, "%s: %s\n  %s\n  %*s^", was.text, message, line,
		  (int)columns_before(line, caret), "");
	free(line);
	return -1;
}

int tfs_cpus(const struct root *root, const char *name, struct cpuset *set)
{
	char *text = path_read_all(root, TEXT_LIMIT, NULL, "/sys/devices/system/cpu/%s", name);
	int ret = -1;

	*set = (struct cpuset){ 0 };
	/* "isolated" is an empty line where none is, "nohz_full" may say "(null)". */
	if (text)
		ret = text[0] >= '0' && text[0] <= '9' ? cpuset_parse(set, text, NULL) : 0;
	free(text);
	return ret;
}
