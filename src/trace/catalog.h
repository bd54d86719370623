/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Catalogs: the names of all tracepoints, and of all functions, of the running kernel. Read only
 * when a pattern (or a misspelt name) asks for it: there are thousands.
 */
#ifndef HVSCOPE_TRACE_CATALOG_H
#define HVSCOPE_TRACE_CATALOG_H

#include <stddef.h>

#include "base/error.h"
#include "trace/tracefs.h"

/* Names, sorted, each once; they point into `text`. */
struct catalog {
	char *text;
	char **names;
	size_t n, room;
};

/* "system:event" of each. */
int catalog_tracepoints(struct catalog *c, const struct tfs *t, struct error *err);

/*
 * Functions that a probe may be put on by name, of one module, or of all and the kernel (module
 * NULL): not those that the compiler split off or that exist twice there. That the kernel then
 * refuses some is to be expected.
 */
int catalog_functions(struct catalog *c, const struct root *root, const char *module,
		      struct error *err);

void catalog_free(struct catalog *c);

/* The name in it that a misspelt one may have meant, or NULL. */
const char *catalog_nearest(const struct catalog *c, const char *name);

#endif
