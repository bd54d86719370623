// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM on ppc64 (HV): kvm_hv:kvm_guest_exit → kvm_guest_enter. The reason is the trap's vector.
 * A guest that gave up its CPU by H_CEDE left without a trap: trap 0 with `ceded` set, which is a
 * reason space of its own, so that nothing else is taken for idle. kvm_mmio never fires.
 */
#include "hv/kvm.h"

#include <stdio.h>

#include "base/util.h"

enum { SPACE_TRAP, SPACE_CEDED };

static const char *const machines[] = { "ppc64le", "ppc64", NULL };

static bool exit_decode(const struct hv_record *r, struct fact *f)
{
	f->aux = f->a == 0 && r->extra[0] ? SPACE_CEDED : SPACE_TRAP;
	return true;
}

static const struct hv_event events[] = {
	{
		.system = "kvm_hv", .name = "kvm_guest_exit", .group = KVM_GROUP_EXITS,
		.kind = FACT_EXIT, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("trap"), .b = HV_FIELD("vcpu_id"),
		.extra = { HV_FIELD("ceded") }, .decode = exit_decode,
	},
	{
		.system = "kvm_hv", .name = "kvm_guest_enter", .group = KVM_GROUP_EXITS,
		.kind = FACT_ENTRY, .subject = SUBJECT_THREAD,
		.b = HV_FIELD("vcpu_id"),
	},
	KVM_ROW_USEREXIT,
	KVM_ROW_WAKEUP,
};

static void ceded_code(uint64_t value, char *buf, size_t size)
{
	(void)value;
	snprintf(buf, size, "trap=0x0,ceded=1");
}

/* Interrupts that the kernel's table leaves out. */
static const struct hv_symbol traps[] = {
	{ 0xe60, "HMI" },
	{ 0xe80, "H_DOORBELL" },
	{ 0xea0, "H_VIRT" },
	{ 0xf60, "FAC_UNAVAIL" },
	{ 0xf80, "H_FAC_UNAVAIL" },
	{ 0, NULL },
};

static const struct hv_symbol ceded[] = { { 0, "H_CEDE" }, { 0, NULL } };

static const uint64_t ceded_idle[] = { 0 };

static const struct hv_names names[] = {
	{
		.space = SPACE_TRAP, .field = "trap", .bytes = 4, .fixed = traps,
		.system = "kvm_hv", .event = "kvm_guest_exit", .symbol_field = "trap",
	},
	{
		.space = SPACE_CEDED, .code = ceded_code, .fixed = ceded,
		.idle = ceded_idle, .n_idle = ARRAY_SIZE(ceded_idle),
	},
};

const struct hypervisor hypervisor_kvm_ppc64 = {
	.name = "kvm-ppc64",
	.title = "KVM on ppc64",
	.machines = machines,
	.host_of_kvm = true,
	.events = events, .n_events = ARRAY_SIZE(events),
	.names = names, .n_names = ARRAY_SIZE(names),
};
