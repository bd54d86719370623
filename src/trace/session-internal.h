/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What session.c and session-plan.c share.
 */
#ifndef HVSCOPE_TRACE_SESSION_INTERNAL_H
#define HVSCOPE_TRACE_SESSION_INTERNAL_H

#include "trace/session.h"

#define SESSION_PREFIX "hvscope."
#define SESSION_MB (UINT64_C(1) << 20)

/* Bytes of memory that may be taken without hurting others; 0: not known. */
uint64_t session_available(const struct root *root);

/* Bytes per CPU where the user doesn't say: min(16 MB, 2 % of MemAvailable ÷ CPUs). */
uint64_t session_default_buffer(const struct root *root, unsigned int cpus);

/* Fills n_cpus and online. */
void session_count_cpus(const struct root *root, struct session_info *info);

#endif
