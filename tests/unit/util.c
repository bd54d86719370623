// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The exit path: when memory runs out, hooks run newest first, one sentence goes to stderr, and
 * the status is 1. Each case is a child whose stderr is read here.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "tests/tap.h"

#include "base/util.h"

/* Under the address sanitizer too a huge request shall fail, not end the program. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void say(void *arg)
{
	const char *text = arg;

	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		_exit(99);
}

static char one[] = "one ", two[] = "two ", three[] = "three ";

static void no_memory(void)
{
	xcalloc(SIZE_MAX / 2, 4);
}

static void no_growth(void)
{
	free(xreallocarray(NULL, SIZE_MAX / 2, 4));
}

static void stop(void)
{
	fatal("%s failed", "this");
}

static void endless(void)
{
	for (;;)
		cleanup_push(say, one);
}

static void long_text(void)
{
	char text[3000];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	fatal("%s", text);
}

/* What the function does in a child with hooks one and three (two was popped): output, status. */
static int run(void (*fn)(void), char *out, size_t size)
{
	int pipes[2], status = -1;
	size_t used = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(pipes) || (pid = fork()) < 0)
		skip_all("no child can be made here");
	if (!pid) {
		dup2(pipes[1], STDERR_FILENO);
		cleanup_push(say, one);
		cleanup_push(say, two);
		cleanup_pop();
		cleanup_push(say, three);
		fn();
		_exit(77);
	}
	close(pipes[1]);
	while (used < size - 1 && (n = read(pipes[0], out + used, size - 1 - used)) > 0)
		used += n;
	out[used] = '\0';
	close(pipes[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_exits(void)
{
	char out[8192];

	is_int(run(no_memory, out, sizeof(out)), 1, "without memory the status is 1");
	/* The sanitizer may say its own first. */
	ok(strstr(out, "three one hvscope: out of memory"),
	   "hooks run newest first, then a sentence");
	ok(!strstr(out, "two"), "a popped hook doesn't run");
	is_int(run(no_growth, out, sizeof(out)), 1, "nor is there memory to grow");
	ok(strstr(out, "hvscope: out of memory"), "with the same sentence");
	is_int(run(stop, out, sizeof(out)), 1, "a fatal error is 1");
	is_str(out, "three one hvscope: this failed\n", "and says why");
	is_int(run(endless, out, sizeof(out)), 1, "too many hooks end, too");
	is_int(run(long_text, out, sizeof(out)), 1, "a long sentence");
	ok(strlen(out) < 1100 && out[strlen(out) - 1] == '\n', "is cut, and is still a line");
}

static void test_run(void)
{
	cleanup_push(say, one);
	cleanup_pop();
	cleanup_pop();
	cleanup_run();
	ok(true, "nothing to undo");
}

static void test_allocation(void)
{
	unsigned char *zero = xcalloc(100, 3);
	char *text = xasprintf("%d-%s", 5, "a"), *part = xstrndup("abcdef", 3), *copy = xstrdup("");
	bool good = true;
	void *nothing = xmalloc(0), *none = xcalloc(0, 8), *empty = xreallocarray(NULL, 0, 8);

	for (unsigned i = 0; i < 300; i++)
		good &= !zero[i];
	ok(good, "cleared memory is clear");
	is_str(text, "5-a", "a formatted text");
	is_str(part, "abc", "a part of a text");
	is_str(copy, "", "an empty one");
	ok(nothing && none && empty, "nothing is never NULL");
	free(zero);
	free(text);
	free(part);
	free(copy);
	free(nothing);
	free(none);
	free(empty);
}

static void test_growth(void)
{
	enum { N = 5000 };
	size_t room = 0, n = 0;
	unsigned moves = 0, wrong = 0;
	uint32_t *list = NULL;

	for (uint32_t i = 0; i < N; i++) {
		size_t before = room;

		list = xgrow(list, n, &room, sizeof(*list));
		moves += room != before;
		wrong += room <= n;
		list[n++] = i;
	}
	for (uint32_t i = 0; i < N; i++)
		wrong += list[i] != i;
	is_int(wrong, 0, "an array that grows has room, and keeps what it had");
	ok(moves < 20, "and grows by more than it is asked for");
	free(list);
}

static int evaluations(int *counter)
{
	return ++*counter;
}

static void test_macros(void)
{
	int counter = 0;

	is_int(min(evaluations(&counter), 5), 1, "the lesser one");
	is_int(counter, 1, "is evaluated once");
	is_int(max(min(3, 4), max(1, 2)), 3, "calls may nest");
}

int main(void)
{
	test_exits();
	test_run();
	test_allocation();
	test_growth();
	test_macros();
	return tap_done();
}
