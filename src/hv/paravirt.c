// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The steal clock of a paravirtualized Linux: a function that is asked about a CPU and returns its
 * stolen ns since boot. Which one a kernel has compiled in doesn't tell which one it uses, so all
 * that exist are probed under one name; the others never fire. paravirt_steal_clock() and
 * account_steal_time() are no use: the one is inlined, the other too on most kernels. The CPU is an
 * int: of the register that it comes in the upper half means nothing.
 */
#include "hv/hypervisor.h"

#include "base/util.h"

static const struct hv_probe probes[] = {
	{
		.role = "steal_clock", .title = "reading of the steal clock",
		.functions = { "kvm_steal_clock", "xen_steal_clock", "vmware_steal_clock",
			       "para_steal_clock", "pv_steal_clock", "pv_time_steal_clock",
			       "pseries_paravirt_steal_clock" },
		.with_return = true, .every_candidate = true,
		.args = "cpu=$arg1:u32", .ret = "ns=$retval",
	},
};

static const struct hv_event events[] = {
	{
		.name = "steal_clock",
		.kind = FACT_STEAL, .aux = FACT_BEGIN, .subject = SUBJECT_CPU, .a = HV_FIELD("cpu"),
	},
	{
		.name = "steal_clock_return",
		.kind = FACT_STEAL, .aux = FACT_END, .subject = SUBJECT_CPU, .b = HV_FIELD("ns"),
	},
};

const struct hypervisor hypervisor_paravirt = {
	.name = "paravirt",
	.title = "the steal clock",
	.events = events, .n_events = ARRAY_SIZE(events),
	.probes = probes, .n_probes = ARRAY_SIZE(probes),
};
