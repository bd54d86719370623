/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small TAP producer for the unit tests: checks print a line each and go on; the plan comes at
 * the end, so a test that dies early is seen as one without a plan.
 *
 *	ok(cond, "name %d", n);			is_int(got, want, "name");
 *	is_str(got, want, "name");		skip("why", "name");
 *	return tap_done();
 *
 * The state is this program's own: a test is one .c file.
 */
#ifndef HVSCOPE_TESTS_TAP_H
#define HVSCOPE_TESTS_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tap {
	int run;
	int failed;
};

/* The one state of this program. */
static inline struct tap *tap_state(void)
{
	static struct tap state;

	return &state;
}

/* Each line is flushed: what a crash leaves in the log must end where the crash was. */
__attribute__((format(printf, 2, 0)))
static inline bool tap_line(bool good, const char *format, va_list args)
{
	struct tap *tap = tap_state();

	tap->run++;
	if (!good)
		tap->failed++;
	printf("%s %d - ", good ? "ok" : "not ok", tap->run);
	vprintf(format, args);
	putchar('\n');
	fflush(stdout);
	return good;
}

__attribute__((format(printf, 1, 2)))
static inline void diag(const char *format, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

__attribute__((format(printf, 4, 5)))
static inline bool tap_ok(bool good, const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_line(good, format, args);
	va_end(args);
	if (!good)
		diag("failed at %s:%d", file, line);
	return good;
}

#define ok(cond, ...) tap_ok(cond, __FILE__, __LINE__, __VA_ARGS__)

static inline bool tap_is_int(int64_t got, int64_t want, const char *file, int line,
			      const char *name)
{
	if (tap_ok(got == want, file, line, "%s", name))
		return true;
	diag("got %" PRId64 ", want %" PRId64, got, want);
	return false;
}

/* Any integer; an unsigned 64-bit value above INT64_MAX compares by its bits. */
#define is_int(got, want, name) \
	tap_is_int((int64_t)(got), (int64_t)(want), __FILE__, __LINE__, name)

static inline bool tap_is_str(const char *got, const char *want, const char *file, int line,
			      const char *name)
{
	bool same = got && want ? !strcmp(got, want) : got == want;

	if (tap_ok(same, file, line, "%s", name))
		return true;
	diag("got  %s", got ? got : "(null)");
	diag("want %s", want ? want : "(null)");
	return false;
}

#define is_str(got, want, name) tap_is_str(got, want, __FILE__, __LINE__, name)

/* One check that can't be made here, and why. */
static inline void skip(const char *why, const char *name)
{
	printf("ok %d - %s # SKIP %s\n", ++tap_state()->run, name, why);
	fflush(stdout);
}

/* The whole test can't run here. Call it before any check; it ends the program. */
_Noreturn static inline void skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	exit(0);
}

/* The folder of the sources, below which the tests' files are. */
static inline const char *tap_source(void)
{
	const char *top = getenv("top_srcdir");

	return top ? top : ".";
}

/* Prints the plan and returns main's exit status. */
static inline int tap_done(void)
{
	printf("1..%d\n", tap_state()->run);
	return tap_state()->failed ? 1 : 0;
}

#endif
