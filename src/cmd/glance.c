// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Small buffers that nobody reads: they are overwritten, and the kernel counts that, too.
 */
#include "cmd/glance.h"

#include "base/util.h"
#include "cmd/rows.h"
#include "trace/clock.h"
#include "trace/session.h"

enum { BUFFER_BYTES = 256 << 10, ENOUGH = 100 };

struct glance {
	struct wanted wanted;
	struct session *session;
	char names[256];
};

struct glance *glance_new(const struct settings *settings, const struct wanted *whom,
			  const char *machine, uint64_t facts)
{
	const struct analysis asks = { .facts = facts };
	struct glance *g = xcalloc(1, sizeof(*g));
	struct rows rows;

	rows_collect(&rows, &asks, machine, 0);
	rows_names(&rows, g->names, sizeof(g->names));
	wanted_rows(&g->wanted, &rows);
	rows_free(&rows);
	g->session = session_new(&(struct session_request){
		.root = &settings->root,
		.clock = CLOCK_LIVE,
		.buffer_size = BUFFER_BYTES,
		.pids = whom->pids,
		.n_pids = whom->n_pids,
		.events = g->wanted.events,
		.n_events = g->wanted.n_events,
	}, NULL);
	if (g->session && !session_start(g->session, NULL))
		return g;
	glance_free(g);
	return NULL;
}

void glance_free(struct glance *g)
{
	if (!g)
		return;
	glance_close(g);
	wanted_free(&g->wanted);
	free(g);
}

void glance_stop(struct glance *g)
{
	session_stop(g->session, NULL);
}

bool glance_saw(const struct glance *g)
{
	unsigned int cpus = session_info(g->session)->n_cpus;
	struct session_stats stats;
	uint64_t n = 0;

	for (unsigned int cpu = 0; cpu < cpus && n < ENOUGH; cpu++)
		if (!session_stats(g->session, cpu, &stats))
			n += stats.entries + stats.overrun + stats.dropped;
	return n >= ENOUGH;
}

void glance_close(struct glance *g)
{
	session_free(g->session);
	g->session = NULL;
}

const char *glance_names(const struct glance *g)
{
	return g->names;
}
