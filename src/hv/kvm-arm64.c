// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM on arm64: kvm_exit → kvm_entry. `ret` says why the guest was left; only when it says TRAP
 * does esr_ec (the exception class) hold the reason, otherwise esr_ec is 0 and would read as
 * "UNKNOWN". No event tells the vCPU's number: a thread's name may.
 */
#include "hv/kvm.h"

#include "base/util.h"

enum { SPACE_RET, SPACE_ESR_EC };

enum { RET_TRAP = 2, EC_WFX = 0x01 };

static const char *const machines[] = { "aarch64", NULL };

static bool exit_decode(const struct hv_record *r, struct fact *f)
{
	if (f->a == RET_TRAP) {
		f->a = r->extra[0];
		f->aux = SPACE_ESR_EC;
	}
	return true;
}

static const struct hv_event events[] = {
	{
		.system = "kvm", .name = "kvm_exit", .group = KVM_GROUP_EXITS,
		.kind = FACT_EXIT, .aux = SPACE_RET, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("ret"), .b = HV_VALUE(FACT_NO_VCPU),
		.extra = { HV_FIELD("esr_ec") }, .decode = exit_decode,
	},
	{
		.system = "kvm", .name = "kvm_entry", .group = KVM_GROUP_EXITS,
		.kind = FACT_ENTRY, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("vcpu_pc"), .b = HV_VALUE(FACT_NO_VCPU),
	},
	KVM_ROW_USEREXIT,
	KVM_ROW_WAKEUP,
	KVM_ROW_MMIO, /* for devices inside the kernel too */
};

static const uint64_t idle[] = { EC_WFX };

static const struct hv_names names[] = {
	{
		.space = SPACE_RET, .field = "ret", .bytes = 4,
		.system = "kvm", .event = "kvm_exit", .symbol_field = "ret",
	},
	{
		.space = SPACE_ESR_EC, .field = "esr_ec", .bytes = 4,
		.system = "kvm", .event = "kvm_exit", .symbol_field = "esr_ec",
		.idle = idle, .n_idle = ARRAY_SIZE(idle),
	},
};

const struct hypervisor hypervisor_kvm_arm64 = {
	.name = "kvm-arm64",
	.title = "KVM on arm64",
	.machines = machines,
	.host_of_kvm = true,
	.events = events, .n_events = ARRAY_SIZE(events),
	.names = names, .n_names = ARRAY_SIZE(names),
};
