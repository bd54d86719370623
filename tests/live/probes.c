// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Probes on the running kernel: roles whose candidates are missing, refused or ambiguous, counts of
 * a known number of system calls, and what is left afterwards. hits + misses = truth.
 */
#include "tests/live/live.h"

#define GETPPID "__x64_sys_getppid", "__arm64_sys_getppid", "__riscv_sys_getppid", "sys_getppid"

/* Functions that exist and can't be probed, because probing itself needs them. */
#define REFUSED "kprobe_exceptions_notify", "get_kprobe"

static const struct hv_probe getppid_role = {
	.role = "getppid",
	.title = "getppid",
	.functions = { "nosuch_function", GETPPID },
	.with_return = true,
	.ret = "pid=$retval:s64",
};

static const struct hv_probe missing_role = {
	.role = "missing",
	.title = "nothing",
	.functions = { "nosuch_function", "nor_this_one" },
};

/* A session with roles or one definition; reading begins. */
struct run {
	struct session_request request;
	struct session *session;
	struct live *live;
	struct error err;
};

static const struct live_options options;

static bool run_begin(struct run *run, const char *name)
{
	run->session = session_new(&run->request, &run->err);
	run->live = run->session ? live_new(run->session, &options, &run->err) : NULL;
	if (!ok(run->live, "%s", name))
		diag("%s", run->err.text);
	return run->live;
}

static void run_end(struct run *run)
{
	live_free(run->live);
	session_free(run->session);
}

/* Hits and misses of the events of a role (entry and return apart). */
static uint64_t profile(struct run *run, const char *role, bool is_return, uint64_t *missed)
{
	struct probes *p = session_probes(run->session);
	uint64_t hits = 0;

	*missed = 0;
	for (size_t i = 0; i < probes_count(p); i++) {
		const struct probe_event *e = probes_event(p, i);

		if (!strcmp(e->role, role) && e->is_return == is_return &&
		    probes_profile(p, i, &hits, missed, &run->err))
			diag("%s", run->err.text);
	}
	return hits;
}

static void test_role(void)
{
	const struct hv_probe *const roles[] = { &getppid_role, &missing_role };
	struct run run = { .request = { .roles = roles, .n_roles = 2 } };
	struct load load = load_new(CALLS);
	struct tally t = { .pid = load.pid };
	uint64_t missed;

	if (!run_begin(&run, "a session with roles"))
		return;
	struct probes *p = session_probes(run.session);

	ok(probes_has(p, "getppid", false) && probes_has(p, "getppid", true),
	   "the role has its entry and its return");
	is_str(probes_refused(p, "getppid"), "", "although its first candidate is missing");
	ok(!probes_has(p, "missing", false), "a role without candidates has none");
	ok(strstr(probes_refused(p, "missing"), "nosuch_function is not in this kernel") &&
		   strstr(probes_refused(p, "missing"), "nor_this_one"),
	   "each of them by name");
	is_int(lines_with("kprobe_events", session_info(run.session)->group), 2,
	       "two events in our group");
	session_start(run.session, NULL);
	load_go(&load);
	load_wait(&load);
	tally_finish(&t, run.session, run.live);
	uint64_t hits = profile(&run, "getppid", false, &missed);

	ok(hits + missed >= CALLS, "hits and misses of the entry are all calls");
	ok(t.records + 2 * missed >= 2 * CALLS, "with a record each for entry and return");
	diag("%llu records, %llu hits, %llu missed", (unsigned long long)t.records,
	     (unsigned long long)hits, (unsigned long long)missed);
	hits = profile(&run, "getppid", true, &missed);
	ok(hits + missed >= CALLS, "and of the return");
	char group[64];

	snprintf(group, sizeof(group), "%s", session_info(run.session)->group);
	run_end(&run);
	is_int(lines_with("kprobe_events", group), 0, "they are removed");
	load_free(&load);
}

/* Two runs have probes of the same names: each must read its own counts. */
static void test_two(void)
{
	const struct hv_probe *const roles[] = { &getppid_role };
	struct run run[2] = { { .request = { .roles = roles, .n_roles = 1 } },
			      { .request = { .roles = roles, .n_roles = 1 } } };
	struct load load = load_new(CALLS);
	uint64_t missed;

	if (!run_begin(&run[0], "a first session") || !run_begin(&run[1], "a second one"))
		return;
	session_start(run[1].session, NULL);
	load_go(&load);
	load_wait(&load);
	session_stop(run[1].session, NULL);
	run_end(&run[0]);
	uint64_t before = profile(&run[1], "getppid", false, &missed) + missed;

	ok(before >= CALLS, "the second's counts stay when the first ends");
	run_end(&run[1]);
	load_free(&load);
}

/* The name of a function that kallsyms has at two places. */
static bool find_twice(char *name, size_t size)
{
	FILE *f = popen("awk '$2 ~ /^[tT]$/ && NF == 3 && $3 ~ /^[a-z_]+$/ && seen[$3]++ == 1"
			" { print $3; exit }' /proc/kallsyms",
			"r");
	bool found = f && fgets(name, size, f);

	if (f)
		pclose(f);
	name[found ? strcspn(name, "\n") : 0] = '\0';
	return found;
}

static void test_twice(void)
{
	char name[128];
	const struct probe_definition d = { .type = 'p', .name = "twice", .place = name };
	const struct hv_probe role = { .role = "twice", .title = "twice", .functions = { name } };
	const struct hv_probe *const roles[] = { &role };
	struct run run = { .request = { .definitions = &d, .n_definitions = 1 } };

	if (!find_twice(name, sizeof(name))) {
		skip("no function exists twice", "ambiguous functions");
		return;
	}
	ok(!session_new(&run.request, &run.err), "a function that exists twice is refused");
	ok(strstr(run.err.text, "times (at 0x"), "with its addresses");
	diag("%s", run.err.text);
	run.request = (struct session_request){ .roles = roles, .n_roles = 1 };
	if (!run_begin(&run, "as candidate of a role it is only left out"))
		return;
	ok(strstr(probes_refused(session_probes(run.session), "twice"), "times (at 0x"),
	   "and the role says why");
	run_end(&run);
}

/* The batch fails at the refused candidate: all others are made nevertheless. */
static void test_refused(void)
{
	const struct hv_probe first = { .role = "first",
					.title = "first",
					.functions = { GETPPID } };
	const struct hv_probe bad = { .role = "bad", .title = "bad", .functions = { REFUSED } };
	const struct hv_probe second = { .role = "second",
					 .title = "second",
					 .functions = { REFUSED, GETPPID },
					 .every_candidate = false };
	const struct hv_probe *const roles[] = { &first, &bad, &second };
	const struct probe_definition d = { .type = 'p', .name = "d", .place = "get_kprobe" };
	const struct probe_definition args = {
		.type = 'p', .name = "d", .place = "do_nanosleep", .args = "x=$nosuch"
	};
	struct run run = { .request = { .roles = roles, .n_roles = 2 } };
	struct probes *p;

	if (!run_begin(&run, "a session with a candidate that the kernel refuses"))
		return;
	p = session_probes(run.session);
	ok(probes_has(p, "first", false), "the others have their events");
	ok(!probes_has(p, "bad", false) && *probes_refused(p, "bad"), "the refused one says why");
	diag("%s", probes_refused(p, "bad"));
	run_end(&run);
	run.request.roles = &roles[2];
	run.request.n_roles = 1;
	if (run_begin(&run, "a role whose first candidates are refused"))
		ok(probes_has(session_probes(run.session), "second", false), "takes the next");
	run_end(&run);
	run.request = (struct session_request){ .definitions = &d, .n_definitions = 1 };
	ok(!session_new(&run.request, &run.err) && strstr(run.err.text, "get_kprobe"),
	   "a definition that is refused is an error");
	diag("%.*s", (int)strcspn(run.err.text, "\n"), run.err.text);
	run.request.definitions = &args;
	ok(!session_new(&run.request, &run.err) && strstr(run.err.text, "^"),
	   "a bad argument is shown with a caret");
	diag("%.*s", (int)strcspn(run.err.text, "\n"), run.err.text);
}

/* Many at once, one of them refused; all functions of a role under one event. */
static void test_batches(void)
{
	static const char *const places[] = { "do_nanosleep",    "get_kprobe", "do_exit",
					      "nosuch_function", "vfs_read",   "get_kprobe",
					      "vfs_write" };
	const struct hv_probe every = { .role = "every",
					.title = "every",
					.every_candidate = true,
					.functions = { "vfs_read", "nosuch_function", "vfs_write" },
					.with_return = true,
					.ret = "n=$retval",
					.maxactive = 64 };
	const struct hv_probe *const roles[] = { &every };
	struct probe_definition d[ARRAY_SIZE(places)];
	char names[ARRAY_SIZE(places)][8];
	struct run run = { .request = { .definitions = d,
					.n_definitions = ARRAY_SIZE(d),
					.roles = roles,
					.n_roles = 1 } };

	for (size_t i = 0; i < ARRAY_SIZE(d); i++) {
		snprintf(names[i], sizeof(names[i]), "e%zu", i);
		d[i] = (struct probe_definition){
			.type = 'p', .name = names[i], .place = places[i], .optional = true
		};
	}
	if (!run_begin(&run, "a session with definitions of which some are refused"))
		return;
	struct probes *p = session_probes(run.session);

	ok(probes_has(p, "e0", false) && probes_has(p, "e2", false) && probes_has(p, "e4", false) &&
		   probes_has(p, "e6", false),
	   "what can be probed is");
	ok(!probes_has(p, "e1", false) && !probes_has(p, "e3", false) &&
		   !probes_has(p, "e5", false),
	   "what can't is left out");
	ok(probes_has(p, "every", false) && probes_has(p, "every", true),
	   "a role on each function");
	for (size_t i = 0; i < probes_count(p); i++)
		if (!strcmp(probes_event(p, i)->name, "every"))
			is_str(probes_event(p, i)->places, "vfs_read vfs_write", "has both");
	is_int(lines_with("kprobe_events", session_info(run.session)->group), 8,
	       "eight places in all");
	run_end(&run);
}

/* On kernels from 6.12 a void function has no $retval; older ones give what is in the register. */
static void test_void(void)
{
	const struct probe_definition d = {
		.type = 'r', .name = "v", .place = "schedule", .args = "x=$retval"
	};
	struct run run = { .request = { .definitions = &d, .n_definitions = 1 } };
	struct session *s = session_new(&run.request, &run.err);

	ok(s || strstr(run.err.text, "schedule"), "$retval of a void function: taken, or refused");
	if (!s)
		diag("%.*s", (int)strcspn(run.err.text, "\n"), run.err.text);
	session_free(s);
}

static void test_reaping(void)
{
	const struct hv_probe *const roles[] = { &getppid_role };
	struct run run = { .request = { .roles = roles, .n_roles = 1 } };
	char group[64] = "";
	int fds[2];

	if (pipe(fds))
		exit(1);
	fflush(stdout);
	pid_t pid = fork();

	if (!pid) {
		struct session *s = session_new(&run.request, NULL);

		if (!s || session_start(s, NULL) ||
		    write(fds[1], session_info(s)->group, sizeof(group)) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	close(fds[1]);
	ok(read(fds[0], group, sizeof(group)) > 0, "a run is killed");
	close(fds[0]);
	waitpid(pid, NULL, 0);
	is_int(lines_with("kprobe_events", group), 2, "its probes are left");
	run_begin(&run, "the next run");
	is_int(lines_with("kprobe_events", group), 0, "reaps them");
	run_end(&run);
}

int main(void)
{
	need_tracefs("kprobe_events", "this kernel has no kprobes");
	test_role();
	test_two();
	test_twice();
	test_refused();
	test_batches();
	test_void();
	test_reaping();
	return tap_done();
}
