/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few things that every file needs: allocation that cannot fail, the exit
 * path that restores what was touched, and the macros of kernel style.
 *
 * This is the one place below the commands that prints and exits: when memory
 * runs out, or in fatal(), the registered hooks run in reverse order (so that
 * tracefs is restored), one sentence goes to stderr, and the process ends with
 * status 1.
 */
#ifndef HVSCOPE_BASE_UTIL_H
#define HVSCOPE_BASE_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/banned.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Checks the arguments as printf does: format is argument a, values from b. */
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define __must_check   __attribute__((warn_unused_result))

/* Each argument is evaluated once; names are made unique so that calls may nest. */
#define min(a, b)              util_pick(<, a, b, __COUNTER__)
#define max(a, b)              util_pick(>, a, b, __COUNTER__)
#define util_pick(op, a, b, n) util_pick_named(op, a, b, n)
#define util_pick_named(op, a, b, n)                                \
	({                                                          \
		__typeof__(a) pick_a_##n = (a);                     \
		__typeof__(b) pick_b_##n = (b);                     \
		pick_a_##n op pick_b_##n ? pick_a_##n : pick_b_##n; \
	})

/* These never return NULL; free() releases what they give. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t n);
char *xasprintf(const char *fmt, ...) __printf(1, 2);
char *xvasprintf(const char *fmt, va_list args) __printf(1, 0);

/*
 * An array of n elements with room for one more behind them: itself, or a longer one that took its
 * place. *room counts elements.
 */
void *xgrow_array(void *p, size_t *room, size_t size);

static inline void *xgrow(void *p, size_t n, size_t *room, size_t size)
{
	return likely(n < *room) ? p : xgrow_array(p, room, size);
}

/*
 * Hooks of the exit path, a stack: push what undoes a step right after the step,
 * pop it when it was undone in the ordinary way. A hook must not allocate.
 */
void cleanup_push(void (*fn)(void *arg), void *arg);
void cleanup_pop(void);

/* Runs and removes all hooks, the newest first. A hook that runs is no longer registered. */
void cleanup_run(void);

/* Runs the hooks, prints "hvscope: " and the sentence to stderr, and _exit(1)s. */
void fatal(const char *fmt, ...) __printf(1, 2) __attribute__((noreturn));

#endif
