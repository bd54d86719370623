// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Output that is complete or not there.
 */
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct output {
	FILE *stream;
	enum output_kind kind;
	char *target;    /* what is replaced; NULL: written directly */
	char *temporary; /* beside it; NULL: none exists now */
};

/* Follows symbolic links by hand, since the last one may name a file that isn't there yet. */
static char *resolve(const char *path, struct error *err)
{
	char *at = xstrdup(path), link[PATH_MAX];

	for (unsigned int links = 0; links < 40; links++) {
		ssize_t n = readlink(at, link, sizeof(link) - 1);
		const char *slash = strrchr(at, '/');
		char *next;

		if (n < 0)
			return at;
		link[n] = '\0';
		if (link[0] == '/' || !slash)
			next = xstrdup(link);
		else
			next = xasprintf("%.*s/%s", (int)(slash - at), at, link);
		free(at);
		at = next;
	}
	free(at);
	error_errno(err, ELOOP, "%s can't be written", path);
	return NULL;
}

/* A cleanup hook: nothing is left behind even when the program ends in the middle. */
static void remove_temporary(void *arg)
{
	struct output *o = arg;

	if (o->temporary)
		unlink(o->temporary);
}

/* The new file belongs to whom the old one did, where that is allowed. */
static void take_over(int fd, const char *target)
{
	mode_t mask = umask(0);
	struct stat st;

	umask(mask);
	if (stat(target, &st)) {
		fchmod(fd, 0666 & ~mask);
		return;
	}
	if (fchown(fd, st.st_uid, st.st_gid))
		fchmod(fd, st.st_mode & 0777 & ~mask);
	else
		fchmod(fd, st.st_mode & 0777);
}

static int open_temporary(struct output *o, struct error *err)
{
	const char *slash = strrchr(o->target, '/');
	int dir = slash ? (int)(slash - o->target) + 1 : 0;
	int fd;

	/* a name may be as long as names can be, NAME_MAX: then this one has its beginning */
	o->temporary = xasprintf("%.*s.%.200s.XXXXXX", dir, o->target, o->target + dir);
	fd = mkostemp(o->temporary, O_CLOEXEC);
	if (fd < 0) {
		error_errno(err, errno, "%s can't be written: no file can be made beside it",
			    o->target);
		free(o->temporary);
		o->temporary = NULL;
		return -1;
	}
	take_over(fd, o->target);
	if (o->stream)
		fclose(o->stream);
	o->stream = fdopen(fd, "w");
	return 0;
}

static int rename_temporary(struct output *o, struct error *err)
{
	if (rename(o->temporary, o->target))
		return error_errno(err, errno, "%s can't be replaced", o->target);
	free(o->temporary);
	o->temporary = NULL;
	return 0;
}

/* A device, a pipe, …, or a file that grows under the reader's eyes. */
static int open_directly(struct output *o, const char *path, struct error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);

	if (fd < 0)
		return error_errno(err, errno, "%s can't be written", path);
	o->stream = fdopen(fd, "w");
	return 0;
}

static int open_target(struct output *o, const char *path, struct error *err)
{
	struct stat st;

	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return open_directly(o, path, err);
	o->target = resolve(path, err);
	if (!o->target || open_temporary(o, err))
		return -1;
	return o->kind == OUTPUT_GROWS ? rename_temporary(o, err) : 0;
}

struct output *output_open(const char *path, enum output_kind kind, struct error *err)
{
	struct output *o = xcalloc(1, sizeof(*o));

	o->kind = kind;
	if (!path) {
		o->stream = stdout;
		return o;
	}
	cleanup_push(remove_temporary, o);
	if (open_target(o, path, err)) {
		output_free(o);
		return NULL;
	}
	return o;
}

FILE *output_stream(struct output *o)
{
	return o->stream;
}

static const char *name(const struct output *o)
{
	return o->stream == stdout ? "the output" : o->target ? o->target : "the output file";
}

static int flush(struct output *o, struct error *err)
{
	if (fflush(o->stream) || ferror(o->stream))
		return error_output(err, errno ? errno : EIO, "%s can't be written", name(o));
	return 0;
}

int output_report(struct output *o, struct error *err)
{
	if (o->kind == OUTPUT_ONCE)
		return 0;
	if (flush(o, err))
		return -1;
	if (o->kind == OUTPUT_GROWS || !o->target)
		return 0;
	if (rename_temporary(o, err))
		return -1;
	return open_temporary(o, err);
}

int output_done(struct output *o, struct error *err)
{
	if (flush(o, err))
		return -1;
	return o->kind == OUTPUT_ONCE && o->temporary ? rename_temporary(o, err) : 0;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	if (o->stream != stdout) {
		if (o->stream)
			fclose(o->stream);
		remove_temporary(o);
		cleanup_pop();
	}
	free(o->temporary);
	free(o->target);
	free(o);
}
