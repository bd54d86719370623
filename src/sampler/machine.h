/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this machine is: bare metal, a guest and of what, a host. Told by what the kernel and the
 * firmware say in /sys and /proc, on the real machine also by the CPU's own signature.
 */
#ifndef HVSCOPE_SAMPLER_MACHINE_H
#define HVSCOPE_SAMPLER_MACHINE_H

#include <stdbool.h>

#include "base/path.h"

enum machine_kind {
	MACHINE_UNKNOWN, /* nothing tells; likely bare metal */
	MACHINE_BARE,
	MACHINE_GUEST,
	MACHINE_DOM0
};

struct machine {
	enum machine_kind kind;
	char hypervisor[48]; /* "KVM", "Xen", "Hyper-V", … "" none or unknown */
	char mode[16];       /* of Xen: "PV", "PVH", "PVHVM"; "" elsewhere or unknown */
	bool nitro;          /* AWS Nitro: KVM underneath, and its own devices */
	char arch[16];       /* as uname -m has it, "" unknown */
	bool kvm_host;       /* this kernel has KVM ready for guests of its own */
	bool no_kvm;         /* it surely hasn't: what nobody recorded tells nothing */
	/* It has, but the x86 processor neither vmx nor svm: a flavour that emulates guests. */
	bool kvm_without_hardware;
	const char *told_by; /* the file or instruction that told; NULL nothing did */
	char product[128];   /* vendor and product by DMI, "" unknown */
};

/* Never fails: what can't be read is unknown. */
void machine_look(const struct root *root, struct machine *m);

/* "Xen PV guest", "Xen dom0 (PV)", "AWS Nitro (KVM) guest", "bare metal", … Returns buf. */
char *machine_describe(const struct machine *m, char *buf, size_t size);

/* "bare metal" and the like when nothing above this machine can steal from it, else NULL. */
const char *machine_native(const struct machine *m);

#endif
