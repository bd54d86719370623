// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sentences about failures. Arguments may point into err->text itself (an error that is
 * rewritten): so each text is made in a buffer of its own and copied last.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static void store(struct error *err, int status, const char *text)
{
	size_t len = min(strlen(text), sizeof(err->text) - 1);

	err->status = status;
	memmove(err->text, text, len);
	err->text[len] = '\0';
}

static void __printf(3, 0) format(char *text, size_t size, const char *fmt, va_list args)
{
	if (vsnprintf(text, size, fmt, args) < 0)
		snprintf(text, size, "an error whose text could not be formatted");
}

int error_set(struct error *err, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	format(text, sizeof(text), fmt, args);
	va_end(args);
	store(err, 1, text);
	return -1;
}

int error_set_status(struct error *err, int status, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	if (!err)
		return -1;
	va_start(args, fmt);
	format(text, sizeof(text), fmt, args);
	va_end(args);
	store(err, status, text);
	return -1;
}

/* The reason matters more than the end of a long path: it is never cut off. */
int error_errno(struct error *err, int errnum, const char *fmt, ...)
{
	char text[sizeof(err->text)], words[128];
	const char *reason = strerrordesc_np(errnum < 0 ? -errnum : errnum);
	va_list args;
	size_t len;

	if (!err)
		return -1;
	if (reason)
		snprintf(words, sizeof(words), ": %s", reason);
	else
		snprintf(words, sizeof(words), ": error %d", errnum < 0 ? -errnum : errnum);
	va_start(args, fmt);
	format(text, sizeof(text) - strlen(words), fmt, args);
	va_end(args);
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, "%s", words);
	store(err, 1, text);
	return -1;
}

int error_output(struct error *err, int errnum, const char *fmt, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	if (errnum == EPIPE || errnum == -EPIPE) {
		if (err)
			store(err, 1, "");
		return -1;
	}
	va_start(args, fmt);
	format(text, sizeof(text), fmt, args);
	va_end(args);
	return error_errno(err, errnum, "%s", text);
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	char text[2 * sizeof(err->text) + sizeof(": ")];
	va_list args;
	size_t len;

	if (!err)
		return -1;
	va_start(args, fmt);
	format(text, sizeof(err->text), fmt, args);
	va_end(args);
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len, ": %s", err->text);
	store(err, err->status ? err->status : 1, text);
	return -1;
}
