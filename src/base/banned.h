/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that can't be used safely don't compile. The makefile includes this before each file,
 * so the headers that declare them have to come first.
 */
#ifndef HVSCOPE_BASE_BANNED_H
#define HVSCOPE_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef atoi
#undef atol
#undef gets
#undef sprintf
#undef strcat
#undef strcpy
#undef strncat
#undef strncpy
#undef strtok
#undef vsprintf

/* An undeclared name: the compiler's message says which function, and what to take instead. */
#define atoi(s) use_a_checked_parser_instead_of_atoi
#define atol(s) use_a_checked_parser_instead_of_atol
#define gets(s) use_getline_instead_of_gets
#define sprintf(...) use_snprintf_or_asprintf_instead_of_sprintf
#define strcat(to, from) use_snprintf_or_asprintf_instead_of_strcat
#define strcpy(to, from) use_snprintf_or_asprintf_instead_of_strcpy
#define strncat(to, from, n) use_snprintf_or_asprintf_instead_of_strncat
#define strncpy(to, from, n) use_snprintf_or_asprintf_instead_of_strncpy
#define strtok(s, delimiters) use_strsep_or_strtok_r_instead_of_strtok
#define vsprintf(to, format, args) use_vsnprintf_or_vasprintf_instead_of_vsprintf

#endif
