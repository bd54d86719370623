// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A child that waits on a pipe for the word to go and then becomes the command. A second pipe,
 * closed by exec, brings back why it could not.
 */
#include "cmd/workload.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct workload {
	const char *name;
	pid_t pid;
	int go;     /* a byte lets the child go, its closing ends it */
	int failed; /* brings the errno of exec */
	bool running, ended;
	int status;
};

/* The child: never returns. */
static void __attribute__((noreturn))
child(char *const *argv, const struct stop *stop, int go, int failed)
{
	char byte;
	int errnum;

	if (read(go, &byte, 1) != 1)
		_exit(WORKLOAD_FAILED);
	stop_child(stop);
	execvp(argv[0], argv);
	errnum = errno;
	if (write(failed, &errnum, sizeof(errnum)) < 0)
		_exit(WORKLOAD_FAILED);
	_exit(WORKLOAD_NOT_RUN);
}

static void close_pair(const int *fds)
{
	close(fds[0]);
	close(fds[1]);
}

struct workload *workload_new(char *const *argv, const struct stop *stop, struct error *err)
{
	struct workload *w;
	int go[2], failed[2];
	pid_t pid;

	if (pipe2(go, O_CLOEXEC)) {
		error_errno(err, errno, "no pipe to '%s'", argv[0]);
		return NULL;
	}
	if (pipe2(failed, O_CLOEXEC)) {
		error_errno(err, errno, "no pipe to '%s'", argv[0]);
		close_pair(go);
		return NULL;
	}
	pid = fork();
	if (pid < 0) {
		error_errno(err, errno, "no process for '%s'", argv[0]);
		close_pair(go);
		close_pair(failed);
		return NULL;
	}
	if (!pid) {
		close(go[1]);
		close(failed[0]);
		child(argv, stop, go[0], failed[1]);
	}
	close(go[0]);
	close(failed[1]);
	w = xcalloc(1, sizeof(*w));
	*w = (struct workload){ .name = argv[0], .pid = pid, .go = go[1], .failed = failed[0] };
	return w;
}

int workload_go(struct workload *w, struct error *err)
{
	int errnum = 0;
	ssize_t n;

	if (write(w->go, "", 1) != 1)
		return error_errno(err, errno, "'%s' can't be started", w->name);
	w->running = true;
	do {
		n = read(w->failed, &errnum, sizeof(errnum));
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(errnum))
		return 0;
	error_errno(err, errnum, "'%s' can't be run", w->name);
	err->status = errnum == ENOENT ? WORKLOAD_NOT_FOUND : WORKLOAD_NOT_RUN;
	return -1;
}

bool workload_ended(struct workload *w)
{
	int status;

	if (w->ended || waitpid(w->pid, &status, WNOHANG) != w->pid)
		return w->ended;
	w->ended = true;
	w->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

/* Whether Ctrl-C at our terminal goes to the command as well, because it is in our job. */
static bool shares_terminal(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (tcgetpgrp(fd) == getpgrp())
			return true;
	}
	return false;
}

int workload_wait(struct workload *w, struct stop *stop)
{
	static const struct timespec second = { .tv_sec = 1 };

	if (!workload_ended(w) && stop->signal && !(stop->signal == SIGINT && shares_terminal()))
		kill(w->pid, stop->signal);
	stop_forget(stop);
	while (!workload_ended(w)) {
		ppoll(NULL, 0, &second, &stop->wait);
		if (stop_asked(stop))
			return 128 + stop->signal;
	}
	return w->status;
}

void workload_free(struct workload *w)
{
	if (!w)
		return;
	close(w->go);
	if (!w->running)
		waitpid(w->pid, NULL, 0);
	close(w->failed);
	free(w);
}
