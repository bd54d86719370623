// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Of all CPUs that are possible most never come (a virtual machine may have 2 of 240), so only
 * those that were online once are looked at; one that went may have left records to read.
 */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "base/util.h"
#include "trace/clock.h"
#include "trace/watch.h"

#define MS        UINT64_C(1000000)
#define SECOND    (1000 * MS)
#define ROUND_MAX (100 * MS)

struct watch_cpu {
	bool seen;    /* was online once */
	bool closed;  /* never seen, or can't be opened */
	bool no_poll; /* poll says error: there is no buffer (yet) */
};

struct watch {
	struct session *session;
	const sigset_t *sigmask;
	uint64_t max_rate;
	struct watch_cpu *cpus;
	struct pollfd *fds;
	unsigned int n_cpus;
	uint64_t second; /* when the counts were read last */
	uint64_t records, lost;
	bool lost_before; /* in the second before */
	double rate;
};

struct watch *watch_new(struct session *s, uint64_t max_rate, const sigset_t *sigmask)
{
	struct watch *w = xcalloc(1, sizeof(*w));

	w->session = s;
	w->sigmask = sigmask;
	w->max_rate = max_rate;
	w->n_cpus = session_info(s)->n_cpus;
	w->cpus = xcalloc(w->n_cpus, sizeof(*w->cpus));
	w->fds = xcalloc(w->n_cpus, sizeof(*w->fds));
	w->second = clock_now();
	watch_see(w);
	return w;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	free(w->cpus);
	free(w->fds);
	free(w);
}

int watch_open(struct watch *w, struct error *err)
{
	struct session_stats stats;

	for (unsigned int cpu = 0; cpu < w->n_cpus; cpu++) {
		int fd = w->cpus[cpu].seen ? session_raw(w->session, cpu) : -1;

		if (fd == -EMFILE || fd == -ENFILE)
			return error_errno(err, fd,
					   "each CPU's buffer takes an open file, and only %u may"
					   " be opened; allow more (ulimit -n)",
					   cpu);
		if (fd >= 0)
			session_hold_stats(w->session, cpu);
	}
	/* They are counted once a second: one more file. */
	if (session_stats(w->session, 0, &stats))
		return error_set(err, "what the buffers lose can't be read (per_cpu/cpu0/stats);"
				      " may enough files be open (ulimit -n)?");
	return 0;
}

unsigned int watch_cpus(const struct watch *w)
{
	return w->n_cpus;
}

bool watch_has(const struct watch *w, unsigned int cpu)
{
	return !w->cpus[cpu].closed;
}

int watch_fd(struct watch *w, unsigned int cpu)
{
	struct watch_cpu *c = &w->cpus[cpu];
	int fd = c->closed ? -1 : session_raw(w->session, cpu);

	c->closed = fd < 0;
	return max(fd, -1);
}

static int wait_for(const struct watch *w, unsigned int n_fds, uint64_t ns)
{
	const struct timespec t = { .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };

	return ppoll(w->fds, n_fds, &t, w->sigmask);
}

bool watch_wait(struct watch *w, uint64_t boundary, uint64_t pause)
{
	uint64_t now = clock_now();
	bool passed = boundary <= now;
	int ready;

	for (unsigned int cpu = 0; cpu < w->n_cpus; cpu++)
		w->fds[cpu] = (struct pollfd){
			.fd = w->cpus[cpu].no_poll ? -1 : watch_fd(w, cpu),
			.events = POLLIN,
		};
	ready = wait_for(w, w->n_cpus, passed ? 0 : min(boundary - now, ROUND_MAX));
	if (ready < 0)
		return errno != EINTR;
	for (unsigned int cpu = 0; ready && cpu < w->n_cpus; cpu++)
		w->cpus[cpu].no_poll |= w->fds[cpu].revents & (POLLERR | POLLHUP | POLLNVAL);
	now = clock_now();
	if (!passed)
		pause = min(pause, boundary);
	return pause <= now || wait_for(w, 0, pause - now) >= 0 || errno != EINTR;
}

bool watch_ready(const struct watch *w, unsigned int cpu)
{
	return w->fds[cpu].revents & POLLIN;
}

bool watch_full(struct watch *w)
{
	return wait_for(w, w->n_cpus, 0) > 0;
}

void watch_sleep(const struct watch *w, uint64_t ns)
{
	wait_for(w, 0, ns);
}

void watch_see(struct watch *w)
{
	struct cpuset online;
	bool unknown = tfs_cpus(NULL, "online", &online);

	for (unsigned int cpu = 0; cpu < w->n_cpus; cpu++) {
		struct watch_cpu *c = &w->cpus[cpu];

		c->seen |= unknown || cpuset_has(&online, cpu);
		c->closed = !c->seen;
		c->no_poll = false;
	}
	cpuset_free(&online);
}

static void count(const struct watch *w, uint64_t *records, uint64_t *lost)
{
	struct session_stats stats;

	*records = *lost = 0;
	for (unsigned int cpu = 0; cpu < w->n_cpus; cpu++) {
		if (!w->cpus[cpu].seen || session_stats(w->session, cpu, &stats))
			continue;
		*records += stats.entries + stats.read + stats.overrun + stats.dropped;
		*lost += stats.overrun + stats.dropped;
	}
}

enum live_guard watch_look(struct watch *w, uint64_t now)
{
	enum live_guard guard = GUARD_NONE;
	uint64_t records, lost;

	if (now < w->second + SECOND)
		return GUARD_NONE;
	count(w, &records, &lost);
	bool lost_now = lost > w->lost;
	uint64_t came = records > w->records ? records - w->records : 0;

	w->rate = (double)came * (double)SECOND / (double)(now - w->second);
	if (lost_now && w->lost_before)
		guard = GUARD_BEHIND;
	else if (w->max_rate && w->rate > (double)w->max_rate)
		guard = GUARD_RATE;
	w->lost_before = lost_now;
	w->second = now;
	w->records = records;
	w->lost = lost;
	watch_see(w);
	return guard;
}

double watch_rate(const struct watch *w)
{
	return w->rate;
}

uint64_t watch_lost(const struct watch *w)
{
	uint64_t records, lost;

	count(w, &records, &lost);
	return lost;
}
