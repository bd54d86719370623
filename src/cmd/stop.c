// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The signals that end a run.
 */
#include "cmd/stop.h"

#include <time.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };

/* The one thing a handler may write to, and no other way leads to it than a variable. */
static volatile sig_atomic_t caught;

static void note(int signum)
{
	if (signum != SIGCHLD)
		caught = signum;
}

void stop_begin(struct stop *stop)
{
	sigset_t block;

	*stop = (struct stop){ 0 };
	caught = 0;
	sigemptyset(&block);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		struct sigaction action = { .sa_handler = note };

		/* Who started us with a signal ignored (nohup) wants it so. */
		sigaction(signals[i], NULL, &stop->actions[i]);
		if (stop->actions[i].sa_handler == SIG_IGN && signals[i] != SIGCHLD)
			continue;
		sigaction(signals[i], &action, NULL);
		sigaddset(&block, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &block, &stop->before);
	stop->wait = stop->before;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigdelset(&stop->wait, signals[i]);
}

bool stop_asked(struct stop *stop)
{
	static const struct timespec now;
	sigset_t set;
	int signum;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (signals[i] != SIGCHLD)
			sigaddset(&set, signals[i]);
	}
	while ((signum = sigtimedwait(&set, NULL, &now)) > 0)
		note(signum);
	if (!stop->signal)
		stop->signal = caught;
	return stop->signal != 0;
}

void stop_interrupts(const struct stop *stop, bool on)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		/* Those that were ignored or blocked before us stay so. */
		if (signals[i] != SIGCHLD && stop->actions[i].sa_handler != SIG_IGN &&
		    !sigismember(&stop->before, signals[i]))
			sigaddset(&set, signals[i]);
	}
	sigprocmask(on ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

void stop_kills(const struct stop *stop, bool on)
{
	const struct sigaction action = { .sa_handler = on ? SIG_DFL : note };

	if (!on)
		stop_interrupts(stop, false);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (signals[i] != SIGCHLD && stop->actions[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	}
	if (on)
		stop_interrupts(stop, true);
}

void stop_forget(struct stop *stop)
{
	stop_asked(stop);
	stop->signal = 0;
	caught = 0;
}

void stop_end(struct stop *stop)
{
	/* One that comes now would end us in the middle of nothing: it is taken as heard. */
	stop_asked(stop);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &stop->actions[i], NULL);
	sigprocmask(SIG_SETMASK, &stop->before, NULL);
}

void stop_child(const struct stop *stop)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &stop->actions[i], NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigprocmask(SIG_SETMASK, &stop->before, NULL);
}
