// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * membarrier(2) waits until every CPU has been through the scheduler or was idle, and costs some
 * milliseconds of waiting but no CPU. Where it isn't (nohz_full CPUs, a sandbox), being on a CPU
 * means that the interrupts which had reserved a record there are over.
 */
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "base/util.h"
#include "trace/barrier.h"
#include "trace/tracefs.h"

struct barrier {
	unsigned int n_cpus;
	bool membarrier; /* the kernel has it */
	cpu_set_t *old_mask, *one_mask;
	size_t mask_size;
	struct cpuset avoid; /* isolated and nohz_full CPUs */
};

static void avoid(struct barrier *b, const char *which)
{
	struct cpuset set;

	tfs_cpus(NULL, which, &set);
	for (unsigned int cpu = 0; cpu < b->n_cpus; cpu++)
		if (cpuset_has(&set, cpu))
			cpuset_add(&b->avoid, cpu);
	cpuset_free(&set);
}

struct barrier *barrier_new(unsigned int n_cpus)
{
	struct barrier *b = xcalloc(1, sizeof(*b));
	long has = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	b->n_cpus = n_cpus;
	b->membarrier = has >= 0 && has & MEMBARRIER_CMD_GLOBAL;
	b->mask_size = CPU_ALLOC_SIZE(max(n_cpus, 1024u));
	b->old_mask = xmalloc(b->mask_size);
	b->one_mask = xmalloc(b->mask_size);
	avoid(b, "isolated");
	avoid(b, "nohz_full");
	return b;
}

void barrier_free(struct barrier *b)
{
	if (!b)
		return;
	cpuset_free(&b->avoid);
	free(b->old_mask);
	free(b->one_mask);
	free(b);
}

/* False when a CPU must be left alone, or can't be gone to. */
static bool visit_cpus(struct barrier *b)
{
	struct cpuset online;
	bool all = true;

	if (sched_getaffinity(0, b->mask_size, b->old_mask) || tfs_cpus(NULL, "online", &online))
		return false;
	for (unsigned int cpu = 0; cpu < b->n_cpus && all; cpu++) {
		if (!cpuset_has(&online, cpu))
			continue;
		CPU_ZERO_S(b->mask_size, b->one_mask);
		CPU_SET_S(cpu, b->mask_size, b->one_mask);
		all = !cpuset_has(&b->avoid, cpu) &&
		      !sched_setaffinity(0, b->mask_size, b->one_mask);
	}
	sched_setaffinity(0, b->mask_size, b->old_mask);
	cpuset_free(&online);
	return all;
}

enum live_barrier barrier_pass(struct barrier *b)
{
	/* EINVAL where CPUs are nohz_full: then never again. */
	if (b->membarrier && syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
		b->membarrier = false;
	if (b->membarrier)
		return BARRIER_MEMBARRIER;
	return visit_cpus(b) ? BARRIER_AFFINITY : BARRIER_MARGIN;
}
