// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel of a Xen PV guest or dom0: hypercalls that it batches (xen:xen_mc_*). They fire in PV
 * guests only, though every Xen-capable kernel has them, and they don't tell hypercalls that are
 * made directly. Numbers are used, not the texts of the print fmt: those of its enums are wrong.
 *
 * xen_mc_flush fires whether or not the batch holds anything; mcidx tells what the hypervisor
 * sees: 0 nothing, 1 that hypercall itself, more a multicall of them. The sum of mcidx is the
 * number of xen_mc_entry.
 */
#include "hv/hypervisor.h"

#include "base/util.h"

static const char *const machines[] = { "x86_64", "i686", "i586", "i486", "i386", NULL };

/* Of an update that found no room, or no entry to join, nothing comes but an entry of its own. */
static bool extend_decode(const struct hv_record *r, struct fact *f)
{
	enum { XEN_MC_XE_OK };

	(void)f;
	return r->extra[0] == XEN_MC_XE_OK;
}

static const struct hv_event events[] = {
	{
		.system = "xen", .name = "xen_mc_entry",
		.kind = FACT_HYPERCALL, .aux = HYPERCALL_BATCHED, .subject = SUBJECT_RECORDER,
		.a = HV_FIELD("op"), .b = HV_NAMED("xen"),
	},
	{
		.system = "xen", .name = "xen_mc_extend_args",
		.kind = FACT_HYPERCALL, .aux = HYPERCALL_EXTENDED, .subject = SUBJECT_RECORDER,
		.a = HV_FIELD("op"), .b = HV_NAMED("xen"),
		.extra = { HV_FIELD("res") }, .decode = extend_decode,
	},
	{
		.system = "xen", .name = "xen_mc_flush",
		.kind = FACT_HYPERCALL, .aux = HYPERCALL_FLUSH, .subject = SUBJECT_RECORDER,
		.a = HV_FIELD("mcidx"), .b = HV_NAMED("xen"),
	},
	{
		.system = "xen", .name = "xen_mc_issue",
		.kind = FACT_HYPERCALL, .aux = HYPERCALL_SECTION, .subject = SUBJECT_RECORDER,
		.b = HV_NAMED("xen"),
	},
};

const struct hypervisor hypervisor_xen = {
	.name = "xen",
	.title = "a Xen PV guest or dom0",
	.machines = machines,
	.guest_of = "Xen", .guest_mode = "PV",
	.events = events, .n_events = ARRAY_SIZE(events),
};
