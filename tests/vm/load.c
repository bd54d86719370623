// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The load of the KVM labs: virtual machines that do known numbers of things, and TRUTH lines that
 * say what they did.
 *
 *	load [KEY=NUMBER]... [-- ANYTHING]
 *
 * Keys: vms, vcpus, rounds, migrate, wait (1: for a line on stdin before the guest), hold (ms after
 * it), and each operation by its name (how often per round and vCPU). What follows `--` is ignored
 * here: it is for those who read command lines.
 *
 * Rule: a VM is a process. Status 0 when all guests came to their end, 75 when one did not: such a
 * run says nothing about who watched it.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/guest.h"

#define STATUS_VOID 75

struct load {
	unsigned int vms;
	unsigned int wait; /* for a line before a VM runs its guest */
	struct guest_plan plan;
};

static unsigned int *setting_find(struct load *load, const char *key, size_t length)
{
	struct {
		const char *key;
		unsigned int *value;
	} settings[] = {
		{ "vms", &load->vms },		     { "vcpus", &load->plan.vcpus },
		{ "rounds", &load->plan.rounds },    { "migrate", &load->plan.migrate },
		{ "wait", &load->wait },	     { "hold", &load->plan.hold },
	};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (strlen(settings[i].key) == length && !memcmp(settings[i].key, key, length))
			return settings[i].value;
	for (size_t i = 0; i < GUEST_OPS; i++)
		if (strlen(guest_op_names[i]) == length && !memcmp(guest_op_names[i], key, length))
			return &load->plan.ops[i];
	return NULL;
}

static int arguments_read(struct load *load, int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		size_t length = strcspn(argv[i], "=");
		unsigned int *setting = setting_find(load, argv[i], length);
		unsigned long value;
		char *end;

		if (!setting || argv[i][length] != '=') {
			fprintf(stderr, "load: what is '%s'?\n", argv[i]);
			return -1;
		}
		value = strtoul(argv[i] + length + 1, &end, 10);
		if (*end || value > INT_MAX) {
			fprintf(stderr, "load: no number: '%s'\n", argv[i]);
			return -1;
		}
		*setting = value;
	}
	return 0;
}

/* One VM; its lines go out in one piece, because the others print at the same time. */
static int vm_run(const struct load *load, unsigned int vm)
{
	static char buffer[GUEST_MAX_VCPUS * 512];
	struct guest_truth truth[GUEST_MAX_VCPUS];
	struct error err = { 0 };
	int status = 0;

	if (load->wait)
		getchar();
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	if (guest_run(&load->plan, truth, &err) < 0) {
		fprintf(stderr, "load: %s\n", err.text);
		return STATUS_VOID;
	}
	for (unsigned int vcpu = 0; vcpu < load->plan.vcpus; vcpu++) {
		printf("TRUTH vm=%u pid=%d vcpu=%u ", vm, getpid(), vcpu);
		guest_truth_print(&truth[vcpu], stdout);
		if (!truth[vcpu].ok) {
			fprintf(stderr, "load: vCPU %u of VM %u trapped (KVM exit reason %u)\n",
				vcpu, vm, truth[vcpu].trap);
			status = STATUS_VOID;
		}
	}
	fflush(stdout);
	return status;
}

int main(int argc, char **argv)
{
	struct load load = { .vms = 1, .plan = { .vcpus = 1, .rounds = 1 } };
	int status = 0, child;

	if (arguments_read(&load, argc, argv) < 0)
		return 2;
	/* One that hangs would hold up the whole lab. */
	if (load.vms == 1) {
		alarm(60);
		return vm_run(&load, 0);
	}
	for (unsigned int vm = 0; vm < load.vms; vm++) {
		pid_t pid = fork();

		if (pid < 0)
			return STATUS_VOID;
		if (!pid) {
			alarm(60);
			exit(vm_run(&load, vm));
		}
	}
	while (wait(&child) > 0)
		if (child)
			status = STATUS_VOID;
	return status;
}
