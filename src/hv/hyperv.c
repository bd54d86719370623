// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel of a Hyper-V guest (or of one whose hypervisor offers Hyper-V's interface): the
 * hypercalls that have a tracepoint, by its name. Each is one hypercall, but a flush or a message
 * to many CPUs may take several; the number isn't told.
 */
#include "hv/hypervisor.h"

#include "base/util.h"

static const char *const machines[] = { "x86_64", "i686", "i586", "i486", "i386", NULL };

#define OWN_CALL(event)                                                            \
	{                                                                          \
		.system = "hyperv", .name = event, .optional = true,               \
		.kind = FACT_HYPERCALL, .aux = HYPERCALL_OTHER,                    \
		.subject = SUBJECT_RECORDER,                                       \
		.a = HV_NAMED(event), .b = HV_NAMED("hyperv"),                     \
	}

static const struct hv_event events[] = {
	OWN_CALL("hyperv_mmu_flush_tlb_multi"),
	OWN_CALL("hyperv_nested_flush_guest_mapping"),
	OWN_CALL("hyperv_nested_flush_guest_mapping_range"),
	OWN_CALL("hyperv_send_ipi_mask"),
	OWN_CALL("hyperv_send_ipi_one"),
};

const struct hypervisor hypervisor_hyperv = {
	.name = "hyperv",
	.title = "a Hyper-V guest",
	.machines = machines,
	.guest_of = "Hyper-V",
	.events = events, .n_events = ARRAY_SIZE(events),
};
