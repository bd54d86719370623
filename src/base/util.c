// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Allocation that ends the program instead of failing, and the exit path. The stack of
 * hooks is the one piece of mutable state in base: it has to be reachable from the depth
 * where memory runs out. It has a fixed size, as pushing must not allocate.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

enum { CLEANUP_MAX = 64 };

static struct cleanup {
	struct {
		void (*fn)(void *arg);
		void *arg;
	} hooks[CLEANUP_MAX];
	unsigned nr;
} cleanup;

void cleanup_push(void (*fn)(void *arg), void *arg)
{
	if (cleanup.nr == CLEANUP_MAX)
		fatal("more than %d steps to undo at exit", CLEANUP_MAX);
	cleanup.hooks[cleanup.nr].fn = fn;
	cleanup.hooks[cleanup.nr].arg = arg;
	cleanup.nr++;
}

void cleanup_pop(void)
{
	if (cleanup.nr)
		cleanup.nr--;
}

void cleanup_run(void)
{
	while (cleanup.nr) {
		cleanup.nr--;
		cleanup.hooks[cleanup.nr].fn(cleanup.hooks[cleanup.nr].arg);
	}
}

/* write(2) and a buffer on the stack: stdio may want the memory that there isn't. */
void fatal(const char *fmt, ...)
{
	char text[1024] = "hvscope: ";
	size_t len = strlen(text);
	va_list args;
	int n;

	cleanup_run();
	va_start(args, fmt);
	n = vsnprintf(text + len, sizeof(text) - len - 1, fmt, args);
	va_end(args);
	if (n > 0)
		len = min(len + n, sizeof(text) - 2);
	text[len++] = '\n';
	if (write(STDERR_FILENO, text, len) < 0)
		_exit(1);
	_exit(1);
}

static void *checked(void *p, size_t n, size_t size)
{
	if (unlikely(!p))
		fatal("out of memory (%zu times %zu bytes wanted)", n, size);
	return p;
}

/* A request for nothing gets a byte, so that NULL always means failure. */
void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1), 1, size);
}

void *xcalloc(size_t n, size_t size)
{
	return checked(n && size ? calloc(n, size) : calloc(1, 1), n, size);
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	return checked(n && size ? reallocarray(p, n, size) : realloc(p, 1), n, size);
}

void *xgrow_array(void *p, size_t *room, size_t size)
{
	*room = max(2 * *room, (size_t)16);
	return xreallocarray(p, *room, size);
}

char *xstrdup(const char *text)
{
	return checked(strdup(text), 1, strlen(text) + 1);
}

char *xstrndup(const char *text, size_t n)
{
	return checked(strndup(text, n), 1, n);
}

char *xvasprintf(const char *fmt, va_list args)
{
	char *text;
	int n = vasprintf(&text, fmt, args);

	return checked(n < 0 ? NULL : text, 1, 0);
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);
	return text;
}
