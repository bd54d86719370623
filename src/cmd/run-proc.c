// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Samples of /proc: one at the start, one at each boundary, one at the end. What happened between
 * two of them is what an interval tells.
 */
#include "cmd/run-proc.h"

#include <poll.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cmd/workload.h"
#include "sampler/machine.h"
#include "sampler/sampler.h"
#include "trace/clock.h"

/* Without any other end, a look is as long as that. */
#define LOOK UINT64_C(1000000000)

struct sampling {
	struct run *run;
	const struct sampler *sampler;
	struct workload *workload;
	struct utsname uts; /* what the source's texts point to */
	char host[256], kernel[128];
};

static bool ended_from_outside(struct sampling *p)
{
	return stop_asked(p->run->stop) || (p->workload && workload_ended(p->workload));
}

/* Until `time`, or until something ends the run earlier. */
static void wait_until(struct sampling *p, uint64_t time)
{
	uint64_t now;

	while (!ended_from_outside(p) && (now = clock_now()) < time) {
		uint64_t left = min(time - now, (uint64_t)3600 * 1000000000);
		struct timespec ts = { .tv_sec = (time_t)(left / 1000000000),
				       .tv_nsec = (long)(left % 1000000000) };

		ppoll(NULL, 0, &ts, &p->run->stop->wait);
	}
}

static uint64_t next_boundary(const struct sampling *p)
{
	uint64_t boundary = run_boundary(p->run);

	if (boundary == UINT64_MAX && !p->workload)
		return p->run->start + LOOK;
	return boundary;
}

static int64_t realtime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int sample(struct sampling *p, struct error *err)
{
	struct run *run = p->run;
	const struct settings *s = run->settings;
	uint64_t now;
	bool last = false;

	if (run_sample(run, &now, err))
		return -1;
	run->start = run->reported = now;
	run->source.has_begin = true;
	run->source.begin = realtime();
	if (p->workload && workload_go(p->workload, err))
		return -1;
	while (!last) {
		wait_until(p, next_boundary(p));
		if (run_sample(run, &now, err))
			return -1;
		last = !s->interval || run_is_over(run, now) || ended_from_outside(p);
		if (run_report(run, now, last, err))
			return -1;
	}
	return 0;
}

static int set_up(struct sampling *p, struct error *err)
{
	struct run *run = p->run;

	if (run->settings->dry_run) {
		fprintf(output_stream(run->output), "read %s, nothing is touched\n",
			p->sampler->name);
		return 0;
	}
	if (run_prepare(run, err))
		return -1;
	if (run->settings->workload) {
		p->workload = workload_new(run->settings->workload, run->stop, err);
		if (!p->workload)
			return -1;
	}
	return sample(p, err);
}

/* Of a recorded tree only what it says itself. */
static void look_at_source(struct sampling *p)
{
	const struct root *root = &p->run->settings->root;
	struct run_source *source = &p->run->source;

	*source = (struct run_source){ .kind = SOURCE_PROC, .path = p->sampler->name };
	if (root->prefix) {
		if (path_read_line(root, p->kernel, sizeof(p->kernel),
				   "/proc/sys/kernel/osrelease") > 0)
			source->kernel = p->kernel;
		return;
	}
	uname(&p->uts);
	source->kernel = p->uts.release;
	source->machine = p->uts.machine;
	if (!gethostname(p->host, sizeof(p->host) - 1) && *p->host)
		source->host = p->host;
	source->cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
}

int run_proc(struct run *run, struct error *err)
{
	struct sampling p = {
		.run = run,
		.sampler = sampler_find(run->analysis->facts_sampled),
	};
	struct machine machine;
	int status;

	look_at_source(&p);
	machine_look(&run->settings->root, &machine);
	status = env_begin(&run->env, run->settings, run->env.who, err);
	if (!status) {
		run->env.analysis.native = machine_native(&machine);
		status = set_up(&p, err);
	}
	if (!status && p.workload)
		status = workload_wait(p.workload, run->stop);
	run_end(run);
	workload_free(p.workload);
	return status;
}
