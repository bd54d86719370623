// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel counts what is in the buffers: nothing is read.
 */
#include "cmd/glance.h"

#include <time.h>

#include "cmd/rows.h"
#include "trace/clock.h"
#include "trace/session.h"

enum { BUFFER_BYTES = 256 << 10, GLANCE_NS = 200000000 };

static uint64_t count_records(const struct session *session)
{
	unsigned int cpus = session_info(session)->n_cpus;
	uint64_t n = 0;

	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		struct session_stats stats;

		if (!session_stats(session, cpu, &stats))
			n += stats.entries + stats.overrun + stats.dropped;
	}
	return n;
}

static uint64_t look(const struct session_request *request)
{
	const struct timespec while_ns = { .tv_nsec = GLANCE_NS };
	struct session *session = session_new(request, NULL);
	uint64_t n = 0;

	if (session && !session_start(session, NULL)) {
		nanosleep(&while_ns, NULL);
		if (!session_stop(session, NULL))
			n = count_records(session);
	}
	session_free(session);
	return n;
}

uint64_t glance(const struct settings *settings, const struct wanted *whom, const char *machine,
		uint64_t facts, char *names, size_t size)
{
	const struct analysis asks = { .facts = facts };
	struct wanted wanted = { 0 };
	struct rows rows;
	uint64_t n;

	rows_collect(&rows, &asks, machine, false);
	rows_names(&rows, names, size);
	wanted_rows(&wanted, &rows);
	n = look(&(struct session_request){
		.root = &settings->root,
		.clock = CLOCK_LIVE,
		.buffer_size = BUFFER_BYTES,
		.pids = whom->pids,
		.n_pids = whom->n_pids,
		.events = wanted.events,
		.n_events = wanted.n_events,
	});
	wanted_free(&wanted);
	rows_free(&rows);
	return n;
}
