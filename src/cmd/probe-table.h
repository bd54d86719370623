/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table "probes" of a live report: which roles found a function here, how often it was hit,
 * and how often the kernel missed it. A miss is a call that no figure knows of.
 */
#ifndef HVSCOPE_CMD_PROBE_TABLE_H
#define HVSCOPE_CMD_PROBE_TABLE_H

#include <stddef.h>

#include "base/path.h"
#include "hv/hypervisor.h"
#include "report/report.h"
#include "trace/probe.h"

/*
 * Adds the table for these roles, and a note when hits were missed. Where some of them are of
 * drivers, paravirtual devices of this machine whose driver has none are in it too.
 */
void probe_table_add(struct report *report, const struct root *root, struct probes *probes,
		     const struct hv_probe *const *roles, size_t n);

#endif
