/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tiny guest that does known numbers of things that a hypervisor must see. It runs a page of code
 * straight on /dev/kvm, without firmware or devices, and counts each operation itself, in its own
 * memory, after it was done. So what a tracer counted can be compared with what did happen.
 *
 * The self test and the test load of the labs are made of it.
 */
#ifndef HVSCOPE_GUEST_GUEST_H
#define HVSCOPE_GUEST_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/error.h"

/* What a guest can be told to do. The order is that of the code in guest.c. */
enum guest_op {
	GUEST_CPUID,
	GUEST_PORT_OUT,
	GUEST_PORT_IN,
	GUEST_MMIO_WRITE,
	GUEST_MMIO_READ,
	GUEST_RDMSR,
	GUEST_WRMSR,
	GUEST_HYPERCALL,
	GUEST_HLT, /* there is no interrupt controller: each one goes out to us */
	/*
	 * A halt that the vCPU's own timer ends, an exit to KVM alone. Two writes of MSRs go with
	 * it: one sets the timer, one ends its interrupt. Not together with GUEST_HLT.
	 */
	GUEST_SLEEP,
	GUEST_OPS
};

/* Names as "cpuid", "port_out", indexed by enum guest_op. */
extern const char *const guest_op_names[GUEST_OPS];

struct guest_plan {
	uint32_t ops[GUEST_OPS]; /* how often each, in each round and on each vCPU */
	uint32_t rounds;
	unsigned int vcpus;   /* 1 to GUEST_MAX_VCPUS: a thread each, all in one VM */
	unsigned int migrate; /* a thread goes to its next CPU at every n-th way out; 0: never */
	unsigned int hold;    /* ms that the threads live on when the guest is at its end */
};

#define GUEST_MAX_VCPUS 8

/* What did happen on one vCPU. */
struct guest_truth {
	pid_t tid;
	bool ok;		  /* false: the guest did not come to its end; see `trap` */
	uint32_t trap;		  /* KVM's exit reason that ended it */
	uint64_t done[GUEST_OPS]; /* counted by the guest */
	uint64_t woken;		  /* interrupts of its timer, counted by it too */
	/* Ways out to us, counted by us: each is an exit and a kvm_userspace_exit. */
	uint64_t port; /* the last one says that the guest is at its end: port_out + port_in + 1 */
	uint64_t mmio;
	uint64_t hlt;
	uint64_t migrations;
};

/* Whether a guest can be made here: -1 with the reason. */
int guest_check(struct error *err);

/*
 * Runs the plan to its end and fills truth[0 ... vcpus - 1]. -1 when no guest can be run here (no
 * /dev/kvm, no permission, no x86); a guest that trapped is an ordinary result with ok false.
 */
int guest_run(const struct guest_plan *plan, struct guest_truth *truth, struct error *err);

/* Writes and reads a line of KEY=NUMBER; what a line doesn't tell is 0. */
void guest_truth_print(const struct guest_truth *truth, FILE *out);
void guest_truth_parse(struct guest_truth *truth, char *line);

#endif
