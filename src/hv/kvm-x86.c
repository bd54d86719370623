// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM on x86: kvm_exit → kvm_entry. The reason's meaning depends on `isa` (1 VMX, 2 SVM), which
 * therefore is its reason space; the names stand in kvm_exit's print fmt, one symbol table for
 * each. Of a VMX reason only the low 16 bits name it, the rest are flags.
 *
 * A hypercall of a guest is seen in one of three events by the interface that the guest took:
 * KVM's own, Hyper-V's, or Xen's; their numbers have nothing to do with each other.
 */
#include "hv/kvm.h"

#include "base/util.h"

enum { ISA_VMX = 1, ISA_SVM = 2 };

static const char *const machines[] = { "x86_64", "i686", "i586", "i486", "i386", NULL };

static const struct hv_event events[] = {
	{
		/* vcpu_id came with 5.9: before, only kvm_entry tells it. */
		.system = "kvm", .name = "kvm_exit", .group = KVM_GROUP_EXITS,
		.kind = FACT_EXIT, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("exit_reason"), .b = HV_FIELD_OR(FACT_NO_VCPU, "vcpu_id"),
		.aux_arg = HV_FIELD("isa"),
	},
	{
		.system = "kvm", .name = "kvm_entry", .group = KVM_GROUP_EXITS,
		.kind = FACT_ENTRY, .subject = SUBJECT_THREAD,
		.b = HV_FIELD("vcpu_id"),
	},
	KVM_ROW_USEREXIT,
	KVM_ROW_WAKEUP,
	KVM_ROW_MMIO,
	{
		.system = "kvm", .name = "kvm_pio",
		.kind = FACT_PORTIO, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("port"), .b = HV_FIELD("size"), .aux_arg = HV_FIELD("rw"),
	},
	{
		.system = "kvm", .name = "kvm_msr",
		.kind = FACT_MSR, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("ecx"), .b = HV_FIELD("data"), .aux_arg = HV_FIELD("write"),
	},
	{
		.system = "kvm", .name = "kvm_hypercall",
		.kind = FACT_HYPERCALL, .aux = HYPERCALL_DIRECT, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("nr"), .b = HV_NAMED("kvm"),
	},
	{
		.system = "kvm", .name = "kvm_hv_hypercall",
		.kind = FACT_HYPERCALL, .aux = HYPERCALL_DIRECT, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("code"), .b = HV_NAMED("hyperv"),
	},
	{
		/* Since 5.12. */
		.system = "kvm", .name = "kvm_xen_hypercall", .optional = true,
		.kind = FACT_HYPERCALL, .aux = HYPERCALL_DIRECT, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("nr"), .b = HV_NAMED("xen"),
	},
};

static const struct hv_symbol vmx_flags[] = {
	{ 0x80000000, "FAILED_VMENTRY" },
	{ 0x20000000, "EXIT_FROM_ROOT" },
	{ 0x10000000, "PENDING_MTF" },
	{ 0x08000000, "ENCLAVE_MODE" },
	{ 0x04000000, "BUS_LOCK_DETECTED" },
	{ 0, NULL },
};

static const uint64_t vmx_idle[] = { 12 /* HLT */, 36 /* MWAIT */ };

/* HLT, MWAIT, conditional MWAIT, and HLT with no interrupt pending. */
static const uint64_t svm_idle[] = { 0x78, 0x8b, 0x8c, 0xa6 };

static const struct hv_names names[] = {
	{
		.space = ISA_VMX, .bytes = 4, .mask = 0xffff, .flags = vmx_flags,
		.system = "kvm", .event = "kvm_exit", .symbol_field = "exit_reason", .nth = 0,
		.idle = vmx_idle, .n_idle = ARRAY_SIZE(vmx_idle),
	},
	{
		.space = ISA_SVM, .bytes = 4,
		.system = "kvm", .event = "kvm_exit", .symbol_field = "exit_reason", .nth = 1,
		.idle = svm_idle, .n_idle = ARRAY_SIZE(svm_idle),
	},
};

const struct hypervisor hypervisor_kvm_x86 = {
	.name = "kvm-x86",
	.title = "KVM on x86",
	.machines = machines,
	.host_of_kvm = true,
	.events = events, .n_events = ARRAY_SIZE(events),
	.names = names, .n_names = ARRAY_SIZE(names),
};
