// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Xen: functions of a guest's kernel that have no tracepoint. Upcalls: PV guests are entered
 * through __xen_pv_evtchn_do_upcall, PVH and PVHVM guests through __sysvec_xen_hvm_callback, those
 * on Arm through xen_arm_callback. x86 kernels have two and use one, so all are probed under one
 * name. What they call in their turn (xen_hvm_evtchn_do_upcall in kernels from 5.8 to 6.5,
 * xen_evtchn_do_upcall) would count twice.
 *
 * Block and network frontends in guests, backends in dom0. A network device has an interrupt for
 * each direction, or where its other end can't do that one for both: three functions, of which
 * none calls another.
 */
#include "hv/hypervisor.h"

#include "base/util.h"

/*
 * One role: its probe, and below its two events. The drivers are "vbd" and "vif", both ends. The
 * first function that works is probed, or each.
 */
#define ROLE_BY(each, r, d, words, ...)                                     \
	{                                                                   \
		.role = r, .title = words, .driver = d, .with_return = true, \
		.functions = { __VA_ARGS__ }, .every_candidate = each,      \
	}
#define ROLE(...) ROLE_BY(false, __VA_ARGS__)
#define ROLE_OF_EACH(...) ROLE_BY(true, __VA_ARGS__)

static const struct hv_probe probes[] = {
	{
		.role = "upcall", .title = "upcall of the hypervisor",
		.functions = { "__xen_pv_evtchn_do_upcall", "__sysvec_xen_hvm_callback",
			       "xen_arm_callback" },
		.with_return = true, .every_candidate = true,
	},
	ROLE("blkfront_queue", "vbd", "xen-blkfront: request queued", "blkif_queue_rq"),
	ROLE("blkfront_interrupt", "vbd", "xen-blkfront: interrupt", "blkif_interrupt"),
	ROLE("netfront_xmit", "vif", "xen-netfront: packet sent", "xennet_start_xmit"),
	ROLE("netfront_poll", "vif", "xen-netfront: poll", "xennet_poll"),
	ROLE_OF_EACH("netfront_interrupt", "vif", "xen-netfront: interrupt", "xennet_interrupt",
		     "xennet_tx_interrupt", "xennet_rx_interrupt"),
	ROLE("blkback_interrupt", "vbd", "xen-blkback: interrupt", "xen_blkif_be_int"),
	ROLE_OF_EACH("netback_interrupt", "vif", "xen-netback: interrupt", "xenvif_interrupt",
		     "xenvif_tx_interrupt", "xenvif_rx_interrupt"),
	ROLE("netback_tx", "vif", "xen-netback: packets from a guest", "xenvif_tx_action"),
	ROLE("netback_rx", "vif", "xen-netback: packet to a guest", "xenvif_rx_skb",
	     "xenvif_rx_action"),
};

#define EVENT(k, when, n, r) \
	{ .name = n, .kind = k, .aux = when, .subject = SUBJECT_RECORDER, .a = HV_NAMED(r) }
#define EVENTS(k, r) EVENT(k, FACT_BEGIN, r, r), EVENT(k, FACT_END, r "_return", r)

static const struct hv_event events[] = {
	{
		.name = "upcall", .kind = FACT_CALLBACK, .aux = FACT_BEGIN,
		.subject = SUBJECT_CPU, .a = HV_NAMED("upcall"),
	},
	{
		.name = "upcall_return", .kind = FACT_CALLBACK, .aux = FACT_END,
		.subject = SUBJECT_CPU, .a = HV_NAMED("upcall"),
	},
	EVENTS(FACT_DRIVER_CALL, "blkfront_queue"),
	EVENTS(FACT_DRIVER_CALL, "blkfront_interrupt"),
	EVENTS(FACT_DRIVER_CALL, "netfront_xmit"),
	EVENTS(FACT_DRIVER_CALL, "netfront_poll"),
	EVENTS(FACT_DRIVER_CALL, "netfront_interrupt"),
	EVENTS(FACT_DRIVER_CALL, "blkback_interrupt"),
	EVENTS(FACT_DRIVER_CALL, "netback_interrupt"),
	EVENTS(FACT_DRIVER_CALL, "netback_tx"),
	EVENTS(FACT_DRIVER_CALL, "netback_rx"),
};

const struct hypervisor hypervisor_xen_calls = {
	.name = "xen-calls",
	.title = "a Xen guest or dom0",
	.guest_of = "Xen",
	.events = events, .n_events = ARRAY_SIZE(events),
	.probes = probes, .n_probes = ARRAY_SIZE(probes),
};
