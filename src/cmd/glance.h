/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A glance: for a fifth of a second, do events come that tell these facts? For runs that see
 * nothing of what they were asked for, and could say why by what comes beside it. It is a session
 * of its own, which costs where there is nothing to be seen, and only there.
 */
#ifndef HVSCOPE_CMD_GLANCE_H
#define HVSCOPE_CMD_GLANCE_H

#include <stddef.h>
#include <stdint.h>

#include "cmd/wanted.h"
#include "settings.h"

/*
 * How many records came of the events that tell one of `facts` on this machine (uname -m), of the
 * threads that `whom` has (none: of all); 0 too when it can't be told. Writes the events' names.
 */
uint64_t glance(const struct settings *settings, const struct wanted *whom, const char *machine,
		uint64_t facts, char *names, size_t size);

#endif
