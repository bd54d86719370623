// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A load of processes and threads that come and go, each of which makes a known number of one
 * system call that nobody makes otherwise, under names of its own.
 *
 *	births number		prints the number of that call
 *	births FOLDER ROUNDS	makes its programs in the folder, then so many of each kind; prints
 *				"NAME PID CALLS" for all that was done
 *
 * Rule: the first process knows all and prints it, so nothing is said of what did not come to its
 * end: the status is 1 then. Names differ from round to round, because ids may come back.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Before a name of its own, and with it; unlike each other, so that none can stand for another. */
enum { CALLS_BEFORE = 3, CALLS = 5, CALLS_LATE = 7 };

enum { NAMES = 23, THREADS = 4 };

extern char **environ;

static const char *folder;

static void call(unsigned int n)
{
	while (n--)
		syscall(SYS_getpgid, 0);
}

static void die(const char *what)
{
	fprintf(stderr, "births: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void note(const char *kind, unsigned int round, pid_t pid, unsigned int calls)
{
	if (*kind)
		printf("b-%s%u %d %u\n", kind, round % NAMES, pid, calls);
	else
		printf("births %d %u\n", pid, calls);
}

static void name_program(char path[4096], const char *kind, unsigned int round)
{
	snprintf(path, 4096, "%s/b-%s%u", folder, kind, round % NAMES);
}

/* What all programs of the folder do: they are this one by another name. */
static void become(const char *kind, unsigned int round)
{
	char path[4096];

	name_program(path, kind, round);
	execl(path, "program", (char *)NULL);
	_exit(1);
}

static void await(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status) {
		errno = ECHILD;
		die("a child failed");
	}
}

/* --- Threads --- */

struct thread {
	pthread_t id;
	unsigned int round, number;
	struct thread *inner; /* made by this one, whose name it begins with */
};

static void rename_thread(const char *kind, unsigned int round)
{
	char name[16];

	snprintf(name, sizeof(name), "b-%s%u", kind, round % NAMES);
	prctl(PR_SET_NAME, name);
}

static void *inner_thread(void *arg)
{
	call(CALLS_BEFORE);
	rename_thread("inner", ((struct thread *)arg)->round);
	call(CALLS);
	return NULL;
}

static void *outer_thread(void *arg)
{
	struct thread *t = arg;

	call(CALLS_BEFORE);
	rename_thread("outer", t->round + t->number);
	call(CALLS);
	if (pthread_create(&t->inner->id, NULL, inner_thread, t->inner))
		die("a thread");
	pthread_join(t->inner->id, NULL);
	return NULL;
}

static void make_threads(unsigned int round)
{
	struct thread outer[THREADS], inner[THREADS];

	for (unsigned int i = 0; i < THREADS; i++) {
		inner[i] = (struct thread){ .round = round };
		outer[i] = (struct thread){ .round = round, .number = i, .inner = &inner[i] };
		if (pthread_create(&outer[i].id, NULL, outer_thread, &outer[i]))
			die("a thread");
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(outer[i].id, NULL);
}

static void note_threads(unsigned int round, pid_t pid)
{
	for (unsigned int i = 0; i < THREADS; i++) {
		note("", round, pid, CALLS_BEFORE);
		note("outer", round + i, pid, CALLS + CALLS_BEFORE);
		note("inner", round, pid, CALLS);
	}
}

static void *becoming_thread(void *arg)
{
	unsigned int round = *(unsigned int *)arg;

	rename_thread("thread", round);
	call(CALLS_BEFORE);
	become("exec", round);
	return NULL;
}

static void *late_thread(void *arg)
{
	struct thread *t = arg;

	pthread_join(t->id, NULL);
	rename_thread("late", t->round);
	call(CALLS_LATE);
	_exit(0);
}

/* --- Processes, each by its kind --- */

static void by_fork(unsigned int round)
{
	pid_t pid = fork();

	if (!pid) {
		call(CALLS_BEFORE);
		become("fork", round);
	}
	await(pid);
	note("", round, pid, CALLS_BEFORE);
	note("fork", round, pid, CALLS);
}

static void by_vfork(unsigned int round)
{
	char path[4096];
	pid_t pid;

	name_program(path, "vfork", round);
	pid = vfork();
	if (!pid) {
		call(CALLS_BEFORE);
		execl(path, "program", (char *)NULL);
		_exit(1);
	}
	await(pid);
	note("", round, pid, CALLS_BEFORE);
	note("vfork", round, pid, CALLS);
}

static void by_spawn(unsigned int round)
{
	char path[4096], name[] = "program", *argv[] = { name, NULL };
	pid_t pid;

	name_program(path, "spawn", round);
	if (posix_spawn(&pid, path, NULL, NULL, argv, environ))
		die("posix_spawn");
	await(pid);
	note("spawn", round, pid, CALLS);
}

/* A process that is gone when its threads are. */
static void with_threads(unsigned int round)
{
	pid_t pid = fork();

	if (!pid) {
		make_threads(round);
		_exit(0);
	}
	await(pid);
	note_threads(round, pid);
}

/* Its first thread waits while another becomes a program, with the first one's id. */
static void by_thread(unsigned int round)
{
	pid_t pid = fork();
	pthread_t id;

	if (!pid) {
		if (pthread_create(&id, NULL, becoming_thread, &round))
			die("a thread");
		for (;;)
			pause();
	}
	await(pid);
	note("thread", round, pid, CALLS_BEFORE);
	note("exec", round, pid, CALLS);
}

/* Its first thread ends before the other does anything. */
static void without_first(unsigned int round)
{
	struct thread first = { .round = round };
	pid_t pid = fork();
	pthread_t id;

	if (!pid) {
		first.id = pthread_self();
		call(CALLS_BEFORE);
		if (pthread_create(&id, NULL, late_thread, &first))
			die("a thread");
		/* alone: pthread_exit() wants a library that need not be there */
		syscall(SYS_exit, 0);
	}
	await(pid);
	note("", round, pid, CALLS_BEFORE);
	note("late", round, pid, CALLS_LATE);
}

static void make_programs(void)
{
	static const char *const kinds[] = { "fork", "vfork", "spawn", "exec" };
	char self[4096], path[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length < 0)
		die("/proc/self/exe");
	self[length] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		for (unsigned int round = 0; round < NAMES; round++) {
			name_program(path, kinds[i], round);
			if (symlink(self, path) && errno != EEXIST)
				die(path);
		}
	}
}

int main(int argc, char **argv)
{
	unsigned long rounds;

	if (argc == 1) {
		call(CALLS);
		return 0;
	}
	if (argc == 2) {
		printf("%d\n", SYS_getpgid);
		return 0;
	}
	folder = argv[1];
	rounds = strtoul(argv[2], NULL, 10);
	make_programs();
	for (unsigned int round = 0; round < rounds; round++) {
		by_fork(round);
		by_vfork(round);
		by_spawn(round);
		with_threads(round);
		by_thread(round);
		without_first(round);
		make_threads(round);
		note_threads(round, getpid());
		fflush(stdout);
	}
	return 0;
}
