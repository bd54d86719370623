// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a session is going to be, found out without touching anything: sizes for this machine, and
 * the lines of --dry-run.
 */
#include <stdarg.h>
#include <string.h>

#include "base/util.h"
#include "trace/clock.h"
#include "trace/session-internal.h"

static uint64_t meminfo(const struct root *root, const char *key)
{
	char text[4096];
	const char *line =
		path_read(root, text, sizeof(text), "/proc/meminfo") > 0 ? strstr(text, key) : NULL;

	return line ? strtoull(line + strlen(key), NULL, 10) * 1024 : 0;
}

uint64_t session_available(const struct root *root)
{
	return meminfo(root, "MemAvailable:");
}

uint64_t session_default_buffer(const struct root *root, unsigned int cpus)
{
	uint64_t available = session_available(root);
	uint64_t size = available ? available / 50 / cpus : SESSION_MB;

	return max(min(size, 16 * SESSION_MB), SESSION_MB / 4);
}

static unsigned int highest(const struct cpuset *set)
{
	for (unsigned int cpu = set->nr_words * 64; cpu--;)
		if (cpuset_has(set, cpu))
			return cpu + 1;
	return 1;
}

void session_count_cpus(const struct root *root, struct session_info *info)
{
	struct cpuset set;

	tfs_cpus(root, "possible", &set);
	info->n_cpus = highest(&set);
	cpuset_free(&set);
	tfs_cpus(root, "online", &set);
	info->online = max(cpuset_count(&set), 1u);
	cpuset_free(&set);
}

struct plan {
	char *text;
};

static void __printf(2, 3) say(struct plan *plan, const char *fmt, ...)
{
	char *one, *both;
	va_list args;

	va_start(args, fmt);
	one = xvasprintf(fmt, args);
	va_end(args);
	both = xasprintf("%s%s\n", plan->text, one);
	free(plan->text);
	free(one);
	plan->text = both;
}

static void plan_probes(struct plan *plan, const struct session_request *r)
{
	static const char group[] = "hvscope_PID_RANDOM";

	for (size_t i = 0; i < r->n_roles; i++) {
		const struct hv_probe *role = r->roles[i];

		say(plan, "probe for %s, %s of:", role->title,
		    role->every_candidate ? "on each that exists" : "on the first that works");
		for (size_t c = 0; c < HV_CANDIDATES && role->functions[c]; c++)
			for (int back = 0; back <= role->with_return; back++) {
				char *text =
					probes_line_role(group, role, role->functions[c], back);

				say(plan, "  %s", text);
				free(text);
			}
	}
	for (size_t i = 0; i < r->n_definitions; i++) {
		char *text = probes_line(group, &r->definitions[i]);

		say(plan, "probe %s", text);
		free(text);
	}
}

static void plan_events(struct plan *plan, const struct tfs *t, const struct session_request *r)
{
	for (size_t i = 0; i < r->n_events; i++) {
		const struct session_event *e = &r->events[i];
		bool missing = t->state == TFS_READY && e->system &&
			       !tfs_exists(t, "events/%s/%s/enable", e->system, e->name);

		say(plan, "event %s%s%s%s%s%s", e->system ? e->system : "", e->system ? ":" : "",
		    e->name, e->filter ? " if " : "", e->filter ? e->filter : "",
		    missing ? e->optional ? " (not in this kernel, left out)" :
					    " (not in this kernel)" :
			      "");
	}
}

char *session_plan(const struct session_request *r, struct error *err)
{
	struct plan plan = { xstrdup("") };
	struct session_info info;
	char size[TEXT_UNIT_SIZE];
	struct tfs t;

	if (tfs_find(&t, r->root, false, err)) {
		if (t.state != TFS_NOT_MOUNTED) {
			free(plan.text);
			return NULL;
		}
		say(&plan, "mount tracefs at %s (it stays mounted)", t.dir);
	}
	session_count_cpus(r->root, &info);
	uint64_t buffer =
		r->buffer_size ? r->buffer_size : session_default_buffer(&t.root, info.online);

	say(&plan, "instance %s/instances/" SESSION_PREFIX "PID.RANDOM, removed at the end", t.dir);
	say(&plan, "ring buffers of %s for each of %u CPUs, clock %s",
	    text_bytes(size, sizeof(size), buffer), info.online, r->clock ? r->clock : CLOCK_LIVE);
	if (r->n_pids)
		say(&plan, "only records of %zu threads and what they start", r->n_pids);
	if (r->stacktrace)
		say(&plan, "a stack after each record");
	plan_probes(&plan, r);
	plan_events(&plan, &t, r);
	return plan.text;
}
