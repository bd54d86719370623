// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The truth as a line of KEY=NUMBER, for those who run the guest in a process of its own.
 */
#include "guest/guest.h"

#include <errno.h>
#include <string.h>

const char *const guest_op_names[GUEST_OPS] = {
	[GUEST_CPUID] = "cpuid",
	[GUEST_PORT_OUT] = "port_out",
	[GUEST_PORT_IN] = "port_in",
	[GUEST_MMIO_WRITE] = "mmio_write",
	[GUEST_MMIO_READ] = "mmio_read",
	[GUEST_RDMSR] = "rdmsr",
	[GUEST_WRMSR] = "wrmsr",
	[GUEST_HYPERCALL] = "hypercall",
	[GUEST_HLT] = "hlt",
	[GUEST_SLEEP] = "sleep",
};

void guest_truth_print(const struct guest_truth *truth, FILE *out)
{
	fprintf(out, "tid=%d ok=%d", truth->tid, truth->ok);
	for (unsigned int op = 0; op < GUEST_OPS; op++)
		fprintf(out, " %s=%llu", guest_op_names[op], (unsigned long long)truth->done[op]);
	fprintf(out, " woken=%llu user_port=%llu user_mmio=%llu user_hlt=%llu migrations=%llu\n",
		(unsigned long long)truth->woken, (unsigned long long)truth->port,
		(unsigned long long)truth->mmio, (unsigned long long)truth->hlt,
		(unsigned long long)truth->migrations);
}

static void set_field(struct guest_truth *truth, const char *key, uint64_t value)
{
	for (unsigned int op = 0; op < GUEST_OPS; op++)
		if (!strcmp(key, guest_op_names[op]))
			truth->done[op] = value;
	if (!strcmp(key, "tid"))
		truth->tid = (pid_t)value;
	else if (!strcmp(key, "ok"))
		truth->ok = value == 1;
	else if (!strcmp(key, "woken"))
		truth->woken = value;
	else if (!strcmp(key, "user_port"))
		truth->port = value;
	else if (!strcmp(key, "user_mmio"))
		truth->mmio = value;
	else if (!strcmp(key, "user_hlt"))
		truth->hlt = value;
	else if (!strcmp(key, "migrations"))
		truth->migrations = value;
}

void guest_truth_parse(struct guest_truth *truth, char *line)
{
	char *key;

	*truth = (struct guest_truth){ 0 };
	while ((key = strsep(&line, " \n")) != NULL) {
		char *value = strchr(key, '=');

		if (!value)
			continue;
		*value++ = '\0';
		set_field(truth, key, strtoull(value, NULL, 10));
	}
}
