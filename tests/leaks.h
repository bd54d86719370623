/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the trace libraries leak by themselves, so that the leak sanitizer speaks of ours only.
 * Included by tests that call them.
 */
#ifndef HVSCOPE_TESTS_LEAKS_H
#define HVSCOPE_TESTS_LEAKS_H

const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	/* The last is libtracecmd's sscanf("%ms"), behind which no frame of its is seen. */
	return "leak:libtracecmd\nleak:libtraceevent\nleak:libtracefs\nleak:__vfscanf_internal\n";
}

#endif
