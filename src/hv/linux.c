// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the Linux kernel itself tells, whatever it runs on: threads that begin, get a name, end,
 * leave and take a CPU and are woken, block requests, interrupt handlers, packets. A switch is one
 * record and two facts, about two threads, hence two rows.
 */
#include "hv/hypervisor.h"

#include "base/util.h"

/* A request is known by its device and first sector; its length tells empty ones (flushes). */
static bool request_decode(const struct hv_record *r, struct fact *f)
{
	f->b = r->extra[0] << 32 | (uint32_t)r->extra[1];
	return true;
}

/* CLONE_THREAD: include/uapi/linux/sched.h */
static bool birth_decode(const struct hv_record *r, struct fact *f)
{
	f->aux = r->extra[0] & 0x10000 ? BORN_THREAD : BORN_PROCESS;
	return true;
}

static const struct hv_event events[] = {
	{
		.system = "task", .name = "task_newtask", .optional = true,
		.kind = FACT_THREAD_BORN, .subject = SUBJECT_FIELD, .who = HV_FIELD("pid"),
		.a = HV_FIELD("common_pid"), .extra = { HV_FIELD("clone_flags") },
		.decode = birth_decode,
	},
	{
		.system = "task", .name = "task_newtask", .optional = true,
		.kind = FACT_THREAD_NAME, .subject = SUBJECT_FIELD, .who = HV_FIELD("pid"),
		.a = HV_TEXT_BYTES(0, "comm"), .b = HV_TEXT_BYTES(8, "comm"),
	},
	{
		.system = "task", .name = "task_rename", .optional = true,
		.kind = FACT_THREAD_NAME, .subject = SUBJECT_FIELD, .who = HV_FIELD("pid"),
		.a = HV_TEXT_BYTES(0, "newcomm"), .b = HV_TEXT_BYTES(8, "newcomm"),
	},
	{
		.system = "sched", .name = "sched_process_exit",
		.kind = FACT_THREAD_END, .subject = SUBJECT_FIELD, .who = HV_FIELD("pid"),
	},
	{
		.system = "sched", .name = "sched_switch",
		.kind = FACT_SWITCH_OUT, .subject = SUBJECT_FIELD, .who = HV_FIELD("prev_pid"),
		.a = HV_FIELD("prev_state"), .b = HV_FIELD("next_pid"),
	},
	{
		.system = "sched", .name = "sched_switch",
		.kind = FACT_SWITCH_IN, .subject = SUBJECT_FIELD, .who = HV_FIELD("next_pid"),
		.b = HV_FIELD("prev_pid"),
	},
	{
		/* Told by the waker; sched_wakeup would follow, perhaps on another CPU, later. */
		.system = "sched", .name = "sched_waking",
		.kind = FACT_WAKE, .subject = SUBJECT_FIELD, .who = HV_FIELD("pid"),
		.a = HV_FIELD("target_cpu"), .b = HV_FIELD("common_pid"),
	},
	{
		/* The first waking of a new thread has this event instead. */
		.system = "sched", .name = "sched_wakeup_new", .optional = true,
		.kind = FACT_WAKE, .subject = SUBJECT_FIELD, .who = HV_FIELD("pid"),
		.a = HV_FIELD("target_cpu"), .b = HV_FIELD("common_pid"),
	},
	{
		.system = "block", .name = "block_rq_issue",
		.kind = FACT_REQUEST, .aux = FACT_BEGIN, .subject = SUBJECT_CPU,
		.a = HV_FIELD("sector"), .decode = request_decode,
		.extra = { HV_FIELD("dev"), HV_FIELD("nr_sector") },
	},
	{
		.system = "block", .name = "block_rq_complete",
		.kind = FACT_REQUEST, .aux = FACT_END, .subject = SUBJECT_CPU,
		.a = HV_FIELD("sector"), .decode = request_decode,
		.extra = { HV_FIELD("dev"), HV_FIELD("nr_sector") },
	},
	{
		.system = "irq", .name = "irq_handler_entry",
		.kind = FACT_IRQ, .aux = FACT_BEGIN, .subject = SUBJECT_CPU,
		.a = HV_FIELD("irq"), .b = HV_TEXT("name"),
	},
	{
		.system = "irq", .name = "irq_handler_exit",
		.kind = FACT_IRQ, .aux = FACT_END, .subject = SUBJECT_CPU,
		.a = HV_FIELD("irq"),
	},
	{
		/* `work` came with 4.8: the packets of this poll. */
		.system = "napi", .name = "napi_poll", .optional = true,
		.kind = FACT_PACKETS, .aux = FACT_READ, .subject = SUBJECT_CPU,
		.a = HV_TEXT("dev_name"), .b = HV_FIELD("work"),
	},
	{
		.system = "net", .name = "net_dev_start_xmit", .optional = true,
		.kind = FACT_PACKETS, .aux = FACT_WRITE, .subject = SUBJECT_CPU,
		.a = HV_TEXT("name"), .b = HV_FIELD("len"),
	},
};

const struct hypervisor hypervisor_linux = {
	.name = "linux",
	.title = "Linux",
	.events = events, .n_events = ARRAY_SIZE(events),
};
