// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The confined child: what comes back from it, what it may no longer do, and how it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/confine.h"
#include "tests/tap.h"

static int run(int (*job)(void *arg, struct error *err), void *arg, struct error *err)
{
	struct confined c = { .job = job, .arg = arg, .file = "FILE" };

	*err = (struct error){ 0 };
	return confine_run(&c, err);
}

/* --- What comes back --- */

static int job_status(void *arg, struct error *err)
{
	(void)err;
	return *(int *)arg;
}

static int job_fails(void *arg, struct error *err)
{
	(void)arg;
	return error_set_status(err, 3, "a sentence");
}

static int job_result(void *arg, struct error *err)
{
	(void)err;
	*(uint64_t *)arg = 0x123456789abcdefULL;
	return 0;
}

static int job_prints(void *arg, struct error *err)
{
	(void)err;
	fputs("from the child\n", arg);
	return 0;
}

static int job_fills_disk(void *arg, struct error *err)
{
	(void)err;
	fputs("no room\n", arg);
	return 0;
}

static void test_results(void)
{
	uint64_t result = 0;
	struct confined c = { job_result, &result, "FILE", &result, sizeof(result) };
	char line[64] = "";
	struct error err;
	FILE *file = tmpfile(), *full = fopen("/dev/full", "we");
	int status = 3;

	is_int(run(job_status, &status, &err), 3, "the job's status comes back");
	is_int(run(job_fails, NULL, &err), -1, "a failure too");
	is_str(err.text, "a sentence", "with its sentence");
	is_int(err.status, 3, "and its status");
	is_int(confine_run(&c, &err), 0, "a job with a result");
	is_int(result, 0x123456789abcdefULL, "which comes back");
	fputs("before\n", file);
	is_int(run(job_prints, file, &err), 0, "a job that prints");
	rewind(file);
	is_str(fgets(line, sizeof(line), file), "before\n", "what was printed before it");
	is_str(fgets(line, sizeof(line), file), "from the child\n", "then its line");
	ok(!fgets(line, sizeof(line), file), "and nothing twice");
	fclose(file);
	if (!full)
		return;
	is_int(run(job_fills_disk, full, &err), -1, "a full disk is a failure");
	ok(strstr(err.text, "No space left"), "that says why");
	fclose(full);
}

/* --- What it may not --- */

static void *nothing(void *arg)
{
	return arg;
}

enum {
	MAY_OPEN = 1 << 0,
	MAY_FORK = 1 << 1,
	MAY_EXEC = 1 << 2,
	MAY_SOCKET = 1 << 3,
	MAY_KILL = 1 << 4,
	MAY_UNLINK = 1 << 5,
	IS_ROOT = 1 << 6,
	NO_THREADS = 1 << 7,
};

static int job_tries(void *arg, struct error *err)
{
	char *no_args[] = { (char *)"true", NULL };
	pthread_t thread;
	int may = 0;
	pid_t pid;

	(void)err;
	if (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		may |= MAY_OPEN;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0)
		may |= MAY_SOCKET;
	if (!kill(getppid(), 0))
		may |= MAY_KILL;
	if (!unlink(arg))
		may |= MAY_UNLINK;
	if (!getuid() || !geteuid() || !getgid())
		may |= IS_ROOT;
	if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL))
		may |= NO_THREADS;
	pid = fork();
	if (!pid)
		_exit(0);
	if (pid > 0) {
		may |= MAY_FORK;
		waitpid(pid, NULL, 0);
	}
	execv("/bin/true", no_args);
	return may; /* not there if it may */
}

static void test_rights(void)
{
	char path[] = "/tmp/hvscope-confine-XXXXXX";
	int fd = mkstemp(path), may;
	struct error err;

	if (fd >= 0)
		close(fd);
#if SANITIZED
	skip("sanitizers need the rights that it would lose", "the child can't open, fork, …");
	(void)may;
	(void)err;
	(void)job_tries;
#else
	may = run(job_tries, path, &err);
	is_int(may & MAY_OPEN, 0, "it opens nothing");
	is_int(may & MAY_UNLINK, 0, "it removes nothing");
	is_int(may & (MAY_FORK | MAY_EXEC), 0, "it starts no process");
	is_int(may & MAY_SOCKET, 0, "it has no network");
	is_int(may & MAY_KILL, 0, "it signals no other process");
	is_int(may & IS_ROOT, 0, "it isn't root");
	is_int(may & NO_THREADS, 0, "but threads of its own it has");
	ok(may >= 0, "and no other program took its place");
#endif
	unlink(path);
}

static int job_capabilities(void *arg, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct has[2];

	(void)arg, (void)err;
	if (syscall(SYS_capget, &header, has))
		return 2;
	return has[0].effective || has[1].effective || has[0].permitted || has[1].permitted;
}

static void test_capabilities(void)
{
	struct error err;

	is_int(run(job_capabilities, NULL, &err), 0, "no capability is left");
}

/* --- How it ends --- */

static int job_crashes(void *arg, struct error *err)
{
	(void)err;
	signal(*(int *)arg, SIG_DFL);
	raise(*(int *)arg);
	return 0;
}

static int job_aborts(void *arg, struct error *err)
{
	(void)arg, (void)err;
	abort();
}

static int job_exits(void *arg, struct error *err)
{
	(void)err;
	_exit(*(int *)arg);
}

static void test_crashes(void)
{
	int signum = SIGSEGV, status = 7;
	struct error err;

	is_int(run(job_crashes, &signum, &err), -1, "a crash is a failure");
	is_int(err.status, 1, "with status 1");
	ok(strstr(err.text, "FILE is damaged: analysing it crashed (signal SEGV 11)"),
	   "and a sentence: %s", err.text);
	is_int(run(job_aborts, NULL, &err), -1, "abort() is one");
	ok(strstr(err.text, "signal ABRT"), "of its own name");
	signum = SIGBUS;
	run(job_crashes, &signum, &err);
	ok(strstr(err.text, "FILE was cut short while"), "a file that shrinks is another");
	signum = SIGKILL;
	run(job_crashes, &signum, &err);
	ok(strstr(err.text, "was killed"), "being killed a third");
	is_int(run(job_exits, &status, &err), -1, "an early end is a failure");
	ok(strstr(err.text, "status 7"), "that says its status");
}

/* --- Signals --- */

static volatile sig_atomic_t heard;

static void hear(int signum)
{
	heard = signum;
}

static int job_waits(void *arg, struct error *err)
{
	const struct timespec tick = { 0, 10000000 };
	int i;

	(void)err;
	signal(SIGTERM, arg ? SIG_IGN : hear);
	for (i = 0; i < 1000 && !heard; i++)
		nanosleep(&tick, NULL);
	return heard == SIGTERM ? 5 : 6;
}

/* Sends us SIGTERM, `times` times, a bit more than a second apart. */
static pid_t start_sender(int times)
{
	const struct timespec pause = { 0, 200000000 }, second = { 1, 100000000 };
	pid_t us = getpid(), pid = fork();

	if (pid)
		return pid;
	nanosleep(&pause, NULL);
	while (times--) {
		kill(us, SIGTERM);
		if (times)
			nanosleep(&second, NULL);
	}
	_exit(0);
}

static void test_signals(void)
{
	struct error err;
	pid_t sender = start_sender(1);
	int deaf = 1;

	is_int(run(job_waits, NULL, &err), 5, "a signal to us is passed on; its status is ours");
	waitpid(sender, NULL, 0);
	sender = start_sender(2);
	is_int(run(job_waits, &deaf, &err), -1, "one that doesn't hear is killed by the second");
	waitpid(sender, NULL, 0);
}

/* Kills a process that runs a confined job: what is left of them would hold the pipe open. */
static void test_orphan(void)
{
	const struct timespec pause = { 0, 200000000 };
	int fds[2];
	char byte;
	pid_t pid;

	if (pipe(fds))
		abort();
	pid = fork();
	if (!pid) {
		struct error err;
		int deaf = 1;

		close(fds[0]);
		run(job_waits, &deaf, &err);
		_exit(0);
	}
	close(fds[1]);
	nanosleep(&pause, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	alarm(5);
	is_int(read(fds[0], &byte, 1), 0, "when we are killed, the child dies");
	alarm(0);
	close(fds[0]);
}

int main(void)
{
	test_results();
	test_rights();
	test_capabilities();
	test_crashes();
	test_signals();
	test_orphan();
	return tap_done();
}
