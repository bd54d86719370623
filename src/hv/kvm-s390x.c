// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM on s390x: kvm_s390_sie_exit → kvm_s390_sie_enter, both in system `kvm`. The reason is the
 * interception code. It is 0 for interruptions of the host, which is its name, not "none".
 */
#include "hv/kvm.h"

#include "base/util.h"

enum { ICPT_WAIT = 0x1c };

static const char *const machines[] = { "s390x", NULL };

static const struct hv_event events[] = {
	{
		.system = "kvm", .name = "kvm_s390_sie_exit", .group = KVM_GROUP_EXITS,
		.kind = FACT_EXIT, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("icptcode"), .b = HV_FIELD("id"),
	},
	{
		.system = "kvm", .name = "kvm_s390_sie_enter", .group = KVM_GROUP_EXITS,
		.kind = FACT_ENTRY, .subject = SUBJECT_THREAD,
		.b = HV_FIELD("id"),
	},
	KVM_ROW_USEREXIT,
	KVM_ROW_WAKEUP,
	KVM_ROW_MMIO,
};

/* The guest loaded an enabled wait state: it gave up the CPU. */
static const uint64_t idle[] = { ICPT_WAIT };

static const struct hv_names names[] = {
	{
		.field = "icptcode", .bytes = 1,
		.system = "kvm", .event = "kvm_s390_sie_exit", .symbol_field = "icptcode",
		.idle = idle, .n_idle = ARRAY_SIZE(idle),
	},
};

const struct hypervisor hypervisor_kvm_s390x = {
	.name = "kvm-s390x",
	.title = "KVM on s390x",
	.machines = machines,
	.host_of_kvm = true,
	.events = events, .n_events = ARRAY_SIZE(events),
	.names = names, .n_names = ARRAY_SIZE(names),
};
