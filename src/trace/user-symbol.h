/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions of programs and libraries: where in the file a symbol's code stands, as uprobes want
 * it. Needs libelf; without it a sentence says that the offset itself can be given.
 */
#ifndef HVSCOPE_TRACE_USER_SYMBOL_H
#define HVSCOPE_TRACE_USER_SYMBOL_H

#include <stdint.h>

#include "base/error.h"

/*
 * *offset: in bytes, from the file's begin. -1 with *err when the file can't be read, is no ELF, or
 * has no such function.
 */
int user_symbol_offset(const char *path, const char *symbol, uint64_t *offset, struct error *err);

#endif
