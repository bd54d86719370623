/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Print fmts, before libtraceevent parses them: it takes numbers of one or two bytes for unsigned
 * ones where the kernel prints them by %d, which C lets be signed.
 */
#ifndef HVSCOPE_TRACE_PRINT_FMT_H
#define HVSCOPE_TRACE_PRINT_FMT_H

/*
 * The text of an event's format in which such fields are printed by %hd and %hhd, which says the
 * same and is understood; NULL where there is nothing to do. The caller frees it.
 */
char *print_fmt_mend(const char *format);

#endif
