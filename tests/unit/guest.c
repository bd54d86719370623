// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest that the self test and the labs rest on: what it says that it did is what it was told
 * to do, which of it came out to us, and a line tells all of it.
 */
#include <string.h>
#include <unistd.h>

#include "guest/guest.h"
#include "tests/tap.h"

static void check_line(void)
{
	struct guest_truth truth = { .tid = 4711,
				     .ok = true,
				     .woken = 6,
				     .port = 7,
				     .mmio = 8,
				     .hlt = 9,
				     .migrations = UINT64_MAX };
	struct guest_truth read;
	char *line = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&line, &size);

	for (int op = 0; op < GUEST_OPS; op++)
		truth.done[op] = 100 + op;
	guest_truth_print(&truth, out);
	fclose(out);
	guest_truth_parse(&read, line);
	free(line);
	is_int(read.tid, truth.tid, "a line tells the thread");
	ok(read.ok, "whether it came to its end");
	ok(!memcmp(read.done, truth.done, sizeof(truth.done)), "what it did");
	is_int(read.woken, 6, "what woke it");
	ok(read.port == 7 && read.mmio == 8 && read.hlt == 9, "what came out of it");
	ok(read.migrations == UINT64_MAX, "and how often it moved");
}

static void check_garbage(void)
{
	char line[] = "= == tid= nonsense ok=2 cpuid=x =5 hlt";
	struct guest_truth truth;

	guest_truth_parse(&truth, line);
	ok(!truth.tid && !truth.ok && !truth.done[GUEST_CPUID], "what a line doesn't tell is 0");
}

static void check_plans(void)
{
	struct guest_truth truth[GUEST_MAX_VCPUS];
	struct guest_plan plan = { .vcpus = 0, .rounds = 1 };
	struct error err = { 0 };

	ok(guest_run(&plan, truth, &err) < 0 && err.text[0], "no vCPU is no guest");
	plan.vcpus = GUEST_MAX_VCPUS + 1;
	ok(guest_run(&plan, truth, &err) < 0, "too many vCPUs are refused");
	plan = (struct guest_plan){ .vcpus = 1 };
	ok(guest_run(&plan, truth, &err) < 0, "and so is a plan without a round");
	plan = (struct guest_plan){ .vcpus = 1,
				    .rounds = 1,
				    .ops = { [GUEST_HLT] = 1, [GUEST_SLEEP] = 1 } };
	ok(guest_run(&plan, truth, &err) < 0, "and one with both kinds of halts");
}

/* No hypercalls: KVM without hardware support may not come back from one. */
static void check_run(void)
{
	static const struct guest_plan plan = {
		.vcpus = 2,
		.rounds = 3,
		.migrate = 2,
		.ops = { [GUEST_CPUID] = 5,
			 [GUEST_PORT_OUT] = 4,
			 [GUEST_PORT_IN] = 3,
			 [GUEST_MMIO_WRITE] = 6,
			 [GUEST_MMIO_READ] = 2,
			 [GUEST_HLT] = 1 },
	};
	struct guest_truth truth[GUEST_MAX_VCPUS];
	struct error err = { 0 };

	if (guest_check(&err) < 0) {
		skip(err.text, "a guest does as it was told");
		return;
	}
	alarm(60);
	if (guest_run(&plan, truth, &err) < 0 || !truth[0].ok || !truth[1].ok) {
		skip("this KVM can't run the guest", "a guest does as it was told");
		return;
	}
	for (unsigned int vcpu = 0; vcpu < plan.vcpus; vcpu++) {
		const struct guest_truth *t = &truth[vcpu];
		bool same = true;

		for (int op = 0; op < GUEST_OPS; op++)
			same &= t->done[op] == (uint64_t)plan.ops[op] * plan.rounds;
		ok(same, "vCPU %u did as it was told", vcpu);
		is_int(t->port, 3 * (4 + 3) + 1, "port accesses came out to us, and the last word");
		is_int(t->mmio, 3 * (6 + 2), "accesses to device memory");
		is_int(t->hlt, 3, "and halts");
	}
	ok(truth[0].tid != truth[1].tid, "each vCPU has a thread");
}

/* Halts that end inside: none comes out, and each has its interrupt. */
static void check_sleep(void)
{
	static const struct guest_plan plan = {
		.vcpus = 2,
		.rounds = 2,
		.ops = { [GUEST_CPUID] = 1, [GUEST_SLEEP] = 4 },
	};
	struct guest_truth truth[GUEST_MAX_VCPUS];
	struct error err = { 0 };

	alarm(60);
	if (guest_check(&err) < 0 || guest_run(&plan, truth, &err) < 0 || !truth[0].ok ||
	    !truth[1].ok) {
		skip(*err.text ? err.text : "this KVM can't run the guest", "a guest sleeps");
		return;
	}
	for (unsigned int vcpu = 0; vcpu < plan.vcpus; vcpu++) {
		is_int(truth[vcpu].done[GUEST_SLEEP], 8, "a vCPU slept");
		is_int(truth[vcpu].woken, 8, "and was woken as often");
		is_int(truth[vcpu].hlt, 0, "no halt came out to us");
		is_int(truth[vcpu].done[GUEST_CPUID], 2, "it went on after it");
	}
}

int main(void)
{
	check_line();
	check_garbage();
	check_plans();
	check_run();
	check_sleep();
	return tap_done();
}
