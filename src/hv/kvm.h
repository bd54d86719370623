/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows that the KVM tables of several architectures share, because virt/kvm emits these events:
 * each table lists those that its architecture really fires. What kvm_exit and kvm_entry mean is
 * never shared.
 */
#ifndef HVSCOPE_HV_KVM_H
#define HVSCOPE_HV_KVM_H

#include "hv/hypervisor.h"

/* EXIT and ENTRY only serve together: pairing needs both. */
enum { KVM_GROUP_EXITS = 1 };

/* On to the I/O proxy; errno is negative when the run was interrupted and `reason` is void. */
#define KVM_ROW_USEREXIT                                                 \
	{                                                                \
		.system = "kvm", .name = "kvm_userspace_exit",           \
		.kind = FACT_USEREXIT, .subject = SUBJECT_THREAD,        \
		.a = HV_FIELD("reason"), .b = HV_FIELD("errno"),         \
	}

/* waited: 1 the thread slept, 0 it polled until the guest went on. */
#define KVM_ROW_WAKEUP                                                   \
	{                                                                \
		.system = "kvm", .name = "kvm_vcpu_wakeup",              \
		.kind = FACT_WAKEUP, .subject = SUBJECT_THREAD,          \
		.a = HV_FIELD("ns"), .aux_arg = HV_FIELD("waited"),      \
	}

/* Device memory: the type that the kernel gives becomes a direction, see kvm_mmio_decode(). */
#define KVM_ROW_MMIO                                                     \
	{                                                                \
		.system = "kvm", .name = "kvm_mmio",                     \
		.kind = FACT_MMIO, .subject = SUBJECT_THREAD,            \
		.a = HV_FIELD("gpa"), .b = HV_FIELD("len"),              \
		.extra = { HV_FIELD("type") }, .decode = kvm_mmio_decode, \
	}

/*
 * A read that user space has to satisfy is told twice: unsatisfied on its way out, then as a read
 * when the data is there. Only the latter is the access, so that reads and writes count alike.
 */
static inline bool kvm_mmio_decode(const struct hv_record *r, struct fact *f)
{
	enum { UNSATISFIED, READ, WRITE };

	f->aux = r->extra[0] == WRITE ? FACT_WRITE : FACT_READ;
	return r->extra[0] != UNSATISFIED;
}

#endif
