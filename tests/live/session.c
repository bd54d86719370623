// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions and live reading on the running kernel: what they leave behind (nothing), whether every
 * record of a known number of system calls and function calls arrives, and what is said of losses
 * and refusals. The truth is counted by the load itself and by the kernel's own counters.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "tests/live/live.h"
#include "trace/clock.h"

static void test_life(void)
{
	const struct session_event e = getppid_event();
	const struct session_request r = { .events = &e, .n_events = 1 };
	struct error err = { 0 };
	char name[64], path[TMP];
	struct session *s = session_new(&r, &err);

	if (!ok(s, "a session begins")) {
		diag("%s", err.text);
		return;
	}
	instance_name(s, name, sizeof(name));
	ok(instance_exists(name), "its instance is there");
	snprintf(path, sizeof(path), "instances/%s/tracing_on", name);
	is_int(lines_with(path, "0"), 1, "tracing is off before the start");
	snprintf(path, sizeof(path), "instances/%s/trace_clock", name);
	is_int(lines_with(path, "[mono]"), 1, "the clock is mono");
	snprintf(path, sizeof(path), "/sys/kernel/tracing/instances/%s", name);
	ok(rmdir(path) && errno == EBUSY, "nobody can remove it");
	ok(!session_start(s, &err), "it starts");
	ok(!session_stop(s, &err), "it stops");
	ok(session_info(s)->begin && session_info(s)->end >= session_info(s)->begin,
	   "it knows its span");
	session_free(s);
	ok(!instance_exists(name), "nothing is left");
}

/* Every call arrives once, with any size of sub-buffers, strict or not. */
static void test_counts(unsigned int subbuf_kb, bool strict, bool own)
{
	const struct session_event e = getppid_event();
	const struct session_request r = {
		.events = &e, .n_events = 1, .subbuf_kb = subbuf_kb, .own_events = own
	};
	const struct live_options options = { .strict = strict };
	struct load load = load_new(CALLS);
	struct tally t = { .pid = load.pid };
	struct live_result result;
	struct error err = { 0 };
	struct session *s = session_new(&r, &err);
	struct live *l = s ? live_new(s, &options, &err) : NULL;

	if (!ok(l, "reading begins, sub-buffers of %uK%s", subbuf_kb, strict ? ", strict" : "")) {
		diag("%s", err.text);
		session_free(s);
		return;
	}
	session_start(s, &err);
	for (int i = 0; i < 5; i++) {
		load_go(&load);
		load_wait(&load);
		live_round(l, UINT64_MAX, &result, &err);
		tally_all(&t, l);
		t.horizon = result.horizon;
	}
	tally_finish(&t, s, l);
	is_int(t.records, 5 * CALLS, "every call was recorded and read");
	is_int(t.late, 0, "no record came after its time was handed on");
	is_int(live_stats(l)->lost, 0, "the kernel says that nothing was lost");
	ok(live_stats(l)->barrier != BARRIER_NONE, "the barrier that was used is known");
	diag("barrier %d", live_stats(l)->barrier);
	unsigned int size = session_layout(s).size;

	ok(size == subbuf_kb * 1024 || size == 4096, "the layout is that of the sub-buffers");
	live_free(l);
	session_free(s);
	load_free(&load);
}

/* A small buffer and nobody reads: what is read and what is said to be lost is all there was. */
static void test_loss(void)
{
	const struct session_event e = getppid_event();
	struct load load = load_new(CALLS);
	/* What is lost has no pid: others' calls must not be among it. */
	const int32_t pid = load.pid;
	const struct session_request r = {
		.events = &e, .n_events = 1, .buffer_size = 64 << 10, .subbuf_kb = 4,
		.pids = &pid, .n_pids = 1
	};
	const struct live_options options = { 0 };
	struct tally t = { .pid = load.pid };
	struct error err = { 0 };
	struct session *s = session_new(&r, &err);
	struct live *l = s ? live_new(s, &options, &err) : NULL;

	if (!ok(l, "a session with a small buffer")) {
		session_free(s);
		return;
	}
	session_start(s, &err);
	load_go(&load);
	load_wait(&load);
	tally_finish(&t, s, l);

	const struct live_stats *stats = live_stats(l);

	ok(stats->lost > 0, "records were lost");
	is_int(t.records + stats->lost, CALLS, "read and lost together are all calls");
	ok(t.marks > 0, "pages say where");
	is_int(stats->marks, t.marks, "as the reader counts them");
	is_int(stats->lost_marked, t.lost, "and how many, where it fits");
	ok(t.lost <= stats->lost, "not more than the kernel counted");
	live_free(l);
	session_free(s);
	load_free(&load);
}

/* With hardly any pages a backlog comes in pieces, each of which may be handed on. */
static void test_small_pool(void)
{
	const struct session_event e = getppid_event();
	const struct session_request r = {
		.events = &e, .n_events = 1, .subbuf_kb = 4, .buffer_size = 4 << 20
	};
	const struct live_options options = { .pool = 1 };
	struct load load = load_new(CALLS);
	struct tally t = { .pid = load.pid };
	struct live_result result;
	struct error err = { 0 };
	struct session *s = session_new(&r, &err);
	struct live *l = s ? live_new(s, &options, &err) : NULL;
	int pieces = 0;

	if (!ok(l, "a session with a small pool")) {
		session_free(s);
		return;
	}
	session_start(s, &err);
	load_go(&load);
	load_wait(&load);
	/* What is just being written has to wait for the next round. */
	for (int i = 0; i < CALLS && t.records < CALLS; i++) {
		live_round(l, UINT64_MAX, &result, &err);
		tally_all(&t, l);
		t.horizon = result.horizon;
		pieces += result.more;
	}
	ok(pieces > 2, "the backlog comes in pieces");
	tally_finish(&t, s, l);
	is_int(t.records, CALLS, "all of it");
	is_int(t.late, 0, "and nothing late");
	live_free(l);
	session_free(s);
	load_free(&load);
}

static void test_two(void)
{
	const struct session_event e = getppid_event();
	const struct session_request r = { .events = &e, .n_events = 1 };
	const struct live_options options = { 0 };
	struct load load = load_new(CALLS);
	struct tally t[2] = { { .pid = load.pid }, { .pid = load.pid } };
	struct session *s[2];
	struct live *l[2];
	struct error err = { 0 };
	char names[2][64];

	for (int i = 0; i < 2; i++) {
		s[i] = session_new(&r, &err);
		l[i] = s[i] ? live_new(s[i], &options, &err) : NULL;
		if (!ok(l[i], "session %d of two", i))
			return;
		instance_name(s[i], names[i], sizeof(names[i]));
		session_start(s[i], &err);
	}
	ok(strcmp(names[0], names[1]), "they have instances of their own");
	ok(instance_exists(names[0]), "the second doesn't reap the first");
	load_go(&load);
	load_wait(&load);
	for (int i = 0; i < 2; i++) {
		tally_finish(&t[i], s[i], l[i]);
		is_int(t[i].records, CALLS, "each sees all calls");
		live_free(l[i]);
		session_free(s[i]);
	}
	load_free(&load);
}

/* A child that begins a session, tells its name, and dies in the given way. */
static void dying_child(bool by_fatal, char *name, size_t size)
{
	const struct session_event e = getppid_event();
	const struct session_request r = { .events = &e, .n_events = 1 };
	const struct live_options options = { 0 };
	int fds[2];

	if (pipe(fds))
		exit(1);
	fflush(stdout);
	pid_t pid = fork();

	if (!pid) {
		struct session *s = session_new(&r, NULL);

		if (!s || !live_new(s, &options, NULL) || session_start(s, NULL))
			_exit(1);
		instance_name(s, name, size);
		if (write(fds[1], name, strlen(name)) < 0)
			_exit(1);
		if (by_fatal) {
			close(2);
			fatal("the end");
		}
		kill(getpid(), SIGKILL);
	}
	close(fds[1]);
	ssize_t n = read(fds[0], name, size - 1);

	name[n > 0 ? n : 0] = '\0';
	waitpid(pid, NULL, 0);
	close(fds[0]);
}

static void test_deaths(void)
{
	const struct session_event e = getppid_event();
	const struct session_request r = { .events = &e, .n_events = 1 };
	struct error err = { 0 };
	char name[64];

	dying_child(true, name, sizeof(name));
	ok(*name && !instance_exists(name), "a fatal end leaves nothing");
	dying_child(false, name, sizeof(name));
	bool left = instance_exists(name);
	struct session *s = session_new(&r, &err);

	ok(*name && s && !instance_exists(name), "the next run reaps what kill -9 left");
	/* Any other run that begins on this machine just now does that as well. */
	if (left && session_info(s)->reaped)
		ok(session_info(s)->reaped >= 1, "and says so");
	else
		skip("another run was faster", "and says so");
	session_free(s);
}

static void test_refusals(void)
{
	const struct session_event bad = { "raw_syscalls", "sys_enter", "id == 3x", false };
	const struct session_event missing[] = {
		{ "raw_syscalls", "sys_enter", NULL, false },
		{ "nosuch", "event", NULL, false },
		{ "raw_syscalls", "nosuch", NULL, false },
		{ "nosuch", "optional", NULL, true },
	};
	struct session_request r = { .events = &bad, .n_events = 1 };
	struct error err = { 0 };

	ok(!session_new(&r, &err), "a bad filter is refused");
	ok(strstr(err.text, "raw_syscalls:sys_enter") && strstr(err.text, "id == 3x"),
	   "the sentence names event and filter");
	ok(strstr(err.text, "^"), "and shows the kernel's caret");
	diag("%.*s", (int)strcspn(err.text, "\n"), err.text);
	r = (struct session_request){ .events = missing, .n_events = ARRAY_SIZE(missing) };
	ok(!session_new(&r, &err), "missing events are refused");
	ok(strstr(err.text, "nosuch:event") && strstr(err.text, "raw_syscalls:nosuch") &&
		   !strstr(err.text, "optional"),
	   "all by name, not the optional ones");
	r = (struct session_request){ .clock = "nosuch" };
	ok(!session_new(&r, &err) && strstr(err.text, "nosuch"), "an unknown clock is refused");
	r = (struct session_request){ .buffer_size = UINT64_C(1) << 50 };
	ok(!session_new(&r, &err), "more memory than there is is refused");
	diag("%s", err.text);
	is_int(lines_with("uprobe_events", "hvscope_"), 0, "no probe is left");
}

/* Where the code of a function is in this program's file. */
static bool file_offset(const void *code, char *place, size_t size)
{
	unsigned long long from, to, offset;
	char line[1024], path[TMP];
	FILE *f = fopen("/proc/self/maps", "r");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx-%llx %*s %llx %*s %*s %511s", &from, &to, &offset, path) !=
		    4)
			continue;
		found = (uintptr_t)code >= from && (uintptr_t)code < to;
	}
	if (f)
		fclose(f);
	if (found)
		snprintf(place, size, "%s:0x%llx", path, (uintptr_t)code - from + offset);
	return found;
}

static void test_user_probe(void)
{
	char place[TMP * 2];
	struct probe_definition d = { .type = 'p', .user = true, .name = "called", .place = place };
	const struct session_request r = { .definitions = &d, .n_definitions = 1 };
	const struct live_options options = { 0 };
	struct error err = { 0 };
	uint64_t hits, missed;

	if (access("/sys/kernel/tracing/uprobe_events", F_OK) ||
	    !file_offset((void *)(uintptr_t)called, place, sizeof(place))) {
		skip("this kernel has no uprobes", "user probes");
		return;
	}
	struct load load = load_new(CALLS);
	struct tally t = { .pid = load.pid };
	struct session *s = session_new(&r, &err);
	struct live *l = s ? live_new(s, &options, &err) : NULL;

	if (!ok(l, "a session with a user probe")) {
		diag("%s", err.text);
		session_free(s);
		load_free(&load);
		return;
	}
	is_int(lines_with("uprobe_events", session_info(s)->group), 1, "its probe is there");
	ok(session_has(s, NULL, "called"), "and has its event");
	struct format_source formats = session_formats(s);
	char *format = formats.format(formats.ctx, NULL, "called");

	ok(format && strstr(format, "name: called"), "the format of which can be read");
	free(format);
	session_start(s, &err);
	load_go(&load);
	load_wait(&load);
	tally_finish(&t, s, l);
	is_int(t.records, CALLS, "every call of the function was recorded");
	ok(!probes_profile(session_probes(s), 0, &hits, &missed, &err), "its hits can be read");
	is_int(hits, CALLS, "and are as many");
	char group[64];

	snprintf(group, sizeof(group), "%s", session_info(s)->group);
	live_free(l);
	session_free(s);
	is_int(lines_with("uprobe_events", group), 0, "the probe is removed");
	load_free(&load);

	d.place = "/nosuch:0x10";
	ok(!session_new(&r, &err) && strstr(err.text, "/nosuch"),
	   "a probe that can't be is refused");
	diag("%.*s", (int)strcspn(err.text, "\n"), err.text);
}

static void test_pids(void)
{
	const struct session_event e = getppid_event();
	struct load load = load_new(CALLS), other = load_new(CALLS);
	const int32_t pids[] = { load.pid };
	const struct session_request r = { .events = &e, .n_events = 1, .pids = pids, .n_pids = 1 };
	const struct live_options options = { 0 };
	struct tally t = { .pid = load.pid }, u = { .pid = other.pid };
	struct error err = { 0 };
	struct session *s = session_new(&r, &err);
	struct live *l = s ? live_new(s, &options, &err) : NULL;

	if (!ok(l, "a session for one process")) {
		session_free(s);
		return;
	}
	session_start(s, &err);
	load_go(&load);
	load_go(&other);
	load_wait(&load);
	load_wait(&other);
	session_stop(s, &err);
	struct live_result result;

	live_finish(l, &result, &err);
	u.horizon = t.horizon;
	tally_all(&u, l);
	is_int(u.records, 0, "the other one's calls are not recorded");
	live_free(l);
	session_free(s);
	load_free(&load);
	load_free(&other);
}

static bool online(unsigned int cpu, const char *text)
{
	char path[TMP];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
	FILE *f = fopen(path, "w");

	return f && fputs(text, f) >= 0 && !fclose(f);
}

/*
 * CPUs go and come back while they are read. Only where a machine is there for nothing else.
 */
static void test_hotplug(void)
{
	const struct session_event e = getppid_event();
	const struct session_request r = { .events = &e, .n_events = 1 };
	const struct live_options options = { .strict = true };
	struct load load = load_new(CALLS);
	struct tally t = { .pid = load.pid };
	struct live_result result;
	struct error err = { 0 };

	if (!getenv("HVSCOPE_TEST_HOTPLUG") || !online(1, "1")) {
		skip("CPUs are taken off only in a machine made for it", "CPUs that go and come");
		load_free(&load);
		return;
	}
	struct session *s = session_new(&r, &err);
	struct live *l = s ? live_new(s, &options, &err) : NULL;

	session_start(s, &err);
	for (int i = 0; i < 6; i++) {
		ok(online(1, i % 2 ? "1" : "0"), "CPU 1 goes %s", i % 2 ? "on" : "off");
		load_go(&load);
		load_wait(&load);
		usleep(400000);
		ok(!live_round(l, UINT64_MAX, &result, &err), "reading goes on");
		tally_all(&t, l);
		t.horizon = result.horizon;
	}
	tally_finish(&t, s, l);
	is_int(t.records, 6 * CALLS, "every call was read, wherever it was recorded");
	is_int(t.late, 0, "and none late");
	live_free(l);
	session_free(s);
	load_free(&load);
}

/* From here on membarrier(2) doesn't exist for this process. */
static bool forbid_membarrier(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };

	return !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void test_without_membarrier(void)
{
	if (forbid_membarrier())
		test_counts(16, true, false);
	else
		skip("no seccomp", "barriers without membarrier");
}

/* Who reads too slowly loses records each second, and is told to stop. */
static void test_guards(void)
{
	const struct session_event e = { "raw_syscalls", "sys_enter", NULL, false };
	const struct session_request r = { .events = &e,
					   .n_events = 1,
					   .buffer_size = 64 << 10,
					   .subbuf_kb = 4,
					   .own_events = true };
	struct live_options options = { .max_rate = 100 };
	struct error err = { 0 };

	for (int behind = 0; behind < 2; behind++) {
		struct load load = load_new(UINT32_MAX);
		struct session *s = session_new(&r, &err);
		struct live *l = s ? live_new(s, &options, &err) : NULL;
		struct tally t = { 0 };
		struct live_result result = { 0 };
		uint64_t until = clock_now() + 8 * UINT64_C(1000000000);

		load_go(&load);
		session_start(s, &err);
		while (result.guard == GUARD_NONE && clock_now() < until) {
			usleep(200000);
			live_round(l, UINT64_MAX, &result, &err);
			tally_all(&t, l);
		}
		if (behind)
			is_int(result.guard, GUARD_BEHIND, "a reader that falls behind is stopped");
		else
			is_int(result.guard, GUARD_RATE, "more records than allowed: stopped");
		diag("%.0f records/s", result.rate);
		live_free(l);
		session_free(s);
		load_free(&load);
		options.max_rate = 0;
	}
}

/* The wait ends at the boundary, and what is older is all there. */
static void test_boundary(void)
{
	const struct session_event e = getppid_event();
	const struct session_request r = { .events = &e, .n_events = 1 };
	const struct live_options options = { 0 };
	struct error err = { 0 };
	struct session *s = session_new(&r, &err);
	struct live *l = s ? live_new(s, &options, &err) : NULL;
	struct live_result result;

	if (!ok(l, "a session with a boundary")) {
		session_free(s);
		return;
	}
	session_start(s, &err);
	uint64_t late = UINT64_MAX;
	bool up_to_it = true;

	/* On a busy machine a round, or its barrier, may take long; a wait would each time. */
	for (int i = 0; i < 10 && late > 90000000; i++) {
		uint64_t boundary = clock_now() + 5000000, begun;

		/* The first one that begins behind it, to its end. */
		do {
			begun = clock_now();
			live_round(l, boundary, &result, &err);
		} while (result.more || (result.horizon < boundary && begun < boundary));
		late = clock_now() - boundary;
		up_to_it &= result.horizon >= boundary;
	}
	ok(up_to_it || live_stats(l)->barrier == BARRIER_MARGIN,
	   "the round at the boundary hands on up to it");
	ok(late <= 90000000, "and doesn't sleep over it");
	live_free(l);
	session_free(s);
}

int main(void)
{
	need_tracefs("events/raw_syscalls/sys_enter/enable",
		     "this kernel has no raw_syscalls events");
	test_life();
	test_counts(4, false, false);
	test_counts(16, true, true);
	test_counts(64, false, true);
	test_loss();
	test_small_pool();
	test_two();
	test_deaths();
	test_refusals();
	test_user_probe();
	test_pids();
	test_boundary();
	test_hotplug();
	test_guards();
	test_without_membarrier();
	return tap_done();
}
