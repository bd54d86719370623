// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The trace clocks of Documentation/trace/ftrace.rst. What is unknown is taken for a clock of
 * nanoseconds: new ones (tai, boot) always were.
 */
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "trace/clock.h"

static const struct {
	const char *name;
	bool no_ns;  /* a counter, jiffies, or cycles */
	bool by_cpu; /* may differ from CPU to CPU */
} clocks[] = {
	{ "local", .by_cpu = true },   { "global", .by_cpu = true }, { "counter", .no_ns = true },
	{ "uptime", .no_ns = true },   { "x86-tsc", .no_ns = true }, { "ppc-tb", .no_ns = true },
	{ "s390-tod", .no_ns = true },
};

bool clock_counts_ns(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		if (!strcmp(clocks[i].name, name))
			return !clocks[i].no_ns;
	return true;
}

bool clock_differs_by_cpu(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		if (!strcmp(clocks[i].name, name))
			return clocks[i].by_cpu;
	return false;
}

bool clock_chosen(const char *text, char *name, size_t size)
{
	const char *from = strchr(text, '[');
	const char *to = from ? strchr(from, ']') : NULL;

	if (!to || (size_t)(to - from) > size)
		return false;
	memcpy(name, from + 1, to - from - 1);
	name[to - from - 1] = '\0';
	return true;
}

uint64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
