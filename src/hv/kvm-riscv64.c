// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM on riscv64: kvm_exit → kvm_entry. The reason is scause as the hart gave it, bit 63 set for
 * interrupts. The kernel has no names for it, so these are the privileged specification's, the
 * hypervisor extension's among them. No event tells the vCPU's number, and kvm_mmio never fires.
 */
#include "hv/kvm.h"

#include "base/util.h"

#define INTERRUPT (UINT64_C(1) << 63)

/* What WFI and WRS raise in a guest: other privileged instructions do too, but rarely. */
enum { VIRTUAL_INSTRUCTION = 22 };

static const char *const machines[] = { "riscv64", NULL };

static const struct hv_event events[] = {
	{
		.system = "kvm", .name = "kvm_exit", .group = KVM_GROUP_EXITS,
		.kind = FACT_EXIT, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("scause"), .b = HV_VALUE(FACT_NO_VCPU),
	},
	{
		.system = "kvm", .name = "kvm_entry", .group = KVM_GROUP_EXITS,
		.kind = FACT_ENTRY, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("pc"), .b = HV_VALUE(FACT_NO_VCPU),
	},
	KVM_ROW_USEREXIT,
	KVM_ROW_WAKEUP,
};

static const struct hv_symbol causes[] = {
	{ 0, "Instruction address misaligned" },
	{ 1, "Instruction access fault" },
	{ 2, "Illegal instruction" },
	{ 3, "Breakpoint" },
	{ 4, "Load address misaligned" },
	{ 5, "Load access fault" },
	{ 6, "Store/AMO address misaligned" },
	{ 7, "Store/AMO access fault" },
	{ 8, "Environment call from VU-mode" },
	{ 9, "Environment call from HS-mode" },
	{ 10, "Environment call from VS-mode" },
	{ 11, "Environment call from M-mode" },
	{ 12, "Instruction page fault" },
	{ 13, "Load page fault" },
	{ 15, "Store/AMO page fault" },
	{ 16, "Double trap" },
	{ 18, "Software check" },
	{ 19, "Hardware error" },
	{ 20, "Instruction guest-page fault" },
	{ 21, "Load guest-page fault" },
	{ VIRTUAL_INSTRUCTION, "Virtual instruction" },
	{ 23, "Store/AMO guest-page fault" },
	{ INTERRUPT | 1, "Supervisor software interrupt" },
	{ INTERRUPT | 2, "Virtual supervisor software interrupt" },
	{ INTERRUPT | 3, "Machine software interrupt" },
	{ INTERRUPT | 5, "Supervisor timer interrupt" },
	{ INTERRUPT | 6, "Virtual supervisor timer interrupt" },
	{ INTERRUPT | 7, "Machine timer interrupt" },
	{ INTERRUPT | 9, "Supervisor external interrupt" },
	{ INTERRUPT | 10, "Virtual supervisor external interrupt" },
	{ INTERRUPT | 11, "Machine external interrupt" },
	{ INTERRUPT | 12, "Supervisor guest external interrupt" },
	{ INTERRUPT | 13, "Counter overflow interrupt" },
	{ 0, NULL },
};

static const uint64_t idle[] = { VIRTUAL_INSTRUCTION };

static const struct hv_names names[] = {
	{
		.field = "scause", .bytes = 8, .fixed = causes,
		.idle = idle, .n_idle = ARRAY_SIZE(idle),
	},
};

const struct hypervisor hypervisor_kvm_riscv64 = {
	.name = "kvm-riscv64",
	.title = "KVM on riscv64",
	.machines = machines,
	.host_of_kvm = true,
	.events = events, .n_events = ARRAY_SIZE(events),
	.names = names, .n_names = ARRAY_SIZE(names),
};
