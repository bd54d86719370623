/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong, as one sentence for people and an exit status. Code that may
 * fail takes a struct error *err last, fills it, and returns -1 or NULL; only
 * commands print it. A NULL err is allowed where the caller doesn't care.
 *
 * The text may quote names from outside: whoever prints it quotes it for the
 * terminal (base/text.h).
 */
#ifndef HVSCOPE_BASE_ERROR_H
#define HVSCOPE_BASE_ERROR_H

#include "base/util.h"

struct error {
	int status;      /* exit status: 0 while nothing failed, 1 error, 2 usage, ... */
	char text[1024]; /* without "hvscope: " and newline; cut when longer */
};

/* All return -1, so that a failing function can `return error_set(err, ...)`. */
int error_set(struct error *err, const char *fmt, ...) __printf(2, 3);
int error_set_status(struct error *err, int status, const char *fmt, ...) __printf(3, 4);

/* Appends ": " and the words for errnum (an errno value, positive or negative). */
int error_errno(struct error *err, int errnum, const char *fmt, ...) __printf(3, 4);

/*
 * Likewise, for output that can't be written. Whoever read it may have left (EPIPE), as head(1)
 * does: that is no failure to be told of, so there is a status and an empty text.
 */
int error_output(struct error *err, int errnum, const char *fmt, ...) __printf(3, 4);

/* Puts "PREFIX: " before the text that is there; keeps the status. */
int error_prefix(struct error *err, const char *fmt, ...) __printf(2, 3);

#endif
