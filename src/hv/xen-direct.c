// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Functions of a Xen kernel that make hypercalls directly, which no tracepoint tells: those of them
 * that can be probed. One call of such a function is at least one hypercall in most cases, but some
 * return before it or make several (a batch of grants is one grant_table_op, an ioctl of privcmd
 * whatever a tool asks for), so the calls are counted, and are not called hypercalls.
 */
#include "hv/hypervisor.h"

#include "base/util.h"

static const char *const machines[] = { "x86_64", "i686", "i586", "i486", "i386", NULL };

#define CALLER(function, makes) \
	{ .role = function, .title = makes " by " function, .functions = { function } }

static const struct hv_probe probes[] = {
	CALLER("xen_send_IPI_one", "event_channel_op"),
	CALLER("notify_remote_via_irq", "event_channel_op"),
	CALLER("xen_load_tls", "set_segment_base"),
	CALLER("xen_write_cr3", "mmuext_op"),
	CALLER("gnttab_batch_map", "grant_table_op"),
	CALLER("gnttab_batch_copy", "grant_table_op"),
	CALLER("privcmd_ioctl", "any"),
};

#define CALL(function, makes)                                                  \
	{                                                                      \
		.name = function, .kind = FACT_HYPERCALL_CALLER,               \
		.subject = SUBJECT_RECORDER,                                   \
		.a = HV_NAMED(function), .b = HV_NAMED(makes),                 \
	}

static const struct hv_event events[] = {
	CALL("xen_send_IPI_one", "event_channel_op"),
	CALL("notify_remote_via_irq", "event_channel_op"),
	CALL("xen_load_tls", "set_segment_base"),
	CALL("xen_write_cr3", "mmuext_op"),
	CALL("gnttab_batch_map", "grant_table_op"),
	CALL("gnttab_batch_copy", "grant_table_op"),
	CALL("privcmd_ioctl", "any"),
};

const struct hypervisor hypervisor_xen_direct = {
	.name = "xen-direct",
	.title = "a Xen guest or dom0",
	.machines = machines,
	.guest_of = "Xen",
	.events = events, .n_events = ARRAY_SIZE(events),
	.probes = probes, .n_probes = ARRAY_SIZE(probes),
};
