// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The roster of a recording, on trees of /proc that change between two looks: which threads are
 * told, when again, and which names are known in the end.
 */
#include "sampler/roster.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/tap.h"

static char tree[64];
static char *told; /* markers, a line each, since the last look at it */

static void tell(void *ctx, const char *marker)
{
	char *more = xasprintf("%s%s\n", told, marker);

	(void)ctx;
	free(told);
	told = more;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines in order: a folder has none. In memory that the caller frees. */
static char *sorted(const char *text)
{
	char *copy = xstrdup(text), *rest = copy, *result = xstrdup(""), *lines[16], *line;
	size_t n = 0;

	while (n < ARRAY_SIZE(lines) && (line = strsep(&rest, "\n")) != NULL)
		if (*line)
			lines[n++] = line;
	qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; i < n; i++) {
		char *more = xasprintf("%s%s\n", result, lines[i]);

		free(result);
		result = more;
	}
	free(copy);
	return result;
}

static void is_lines(const char *got, const char *want, const char *name)
{
	char *lines = sorted(got);

	is_str(lines, want, name);
	free(lines);
}

static void is_told(const char *want, const char *name)
{
	is_lines(told, want, name);
	free(told);
	told = xstrdup("");
}

static void put(const char *file, const char *text, size_t len)
{
	char *path = xasprintf("%s/proc/%s", tree, file);
	FILE *f = fopen(path, "w");

	if (!f || fwrite(text, 1, len, f) != len || fclose(f))
		diag("%s can't be written", path);
	free(path);
}

static void folder(const char *name)
{
	char *path = xasprintf("%s/proc/%s", tree, name);

	mkdir(path, 0755);
	free(path);
}

/* A thread has a folder in its process, and one by its own id that no listing shows. */
static void thread(int pid, int tid, const char *comm)
{
	char dirs[2][64], name[256], text[128];

	snprintf(dirs[0], sizeof(dirs[0]), "%d", tid);
	snprintf(dirs[1], sizeof(dirs[1]), "%d/task/%d", pid, tid);
	for (int i = 0; i < 2; i++) {
		folder(dirs[i]);
		snprintf(name, sizeof(name), "%s/comm", dirs[i]);
		snprintf(text, sizeof(text), "%s\n", comm);
		put(name, text, strlen(text));
	}
	snprintf(name, sizeof(name), "%d/status", tid);
	snprintf(text, sizeof(text), "Name:\t%s\nTgid:\t%d\n", comm, pid);
	put(name, text, strlen(text));
}

static void process(int pid, const char *comm, const char *args, size_t len)
{
	char name[64];

	snprintf(name, sizeof(name), "%d", pid);
	folder(name);
	snprintf(name, sizeof(name), "%d/task", pid);
	folder(name);
	thread(pid, pid, comm);
	snprintf(name, sizeof(name), "%d/cmdline", pid);
	put(name, args, len);
}

#define ARGS(text) text, sizeof(text)

static void leave(int pid)
{
	char *from = xasprintf("%s/proc/%d", tree, pid), *to = xasprintf("%s/gone%d", tree, pid);

	if (rename(from, to))
		diag("%s can't be moved", from);
	free(from);
	free(to);
}

static void test_looks(const struct root *root)
{
	struct roster *r = roster_new(root, 30, tell, NULL);
	char *comms;

	process(10, "init", ARGS("/sbin/init"));
	process(20, "qemu", ARGS("qemu-system-x86_64\0-name\0guest=web,debug-threads=on"));
	thread(20, 21, "CPU 0/KVM");
	process(30, "mine", ARGS("./mine"));
	roster_look(r);
	is_told("hvscope-who 1 20 20 - web qemu\n"
		"hvscope-who 1 21 20 0 web CPU%200/KVM\n"
		"hvscope-who 1 30 30 - - mine\n",
		"threads of machines, and of the process that was asked for");
	roster_glance(r);
	is_told("", "what did not change is not told again");

	/* A second vCPU, a machine that begins, and a program that becomes one. */
	thread(20, 22, "CPU 1/KVM");
	process(40, "qemu", ARGS("qemu-system-x86_64\0-name\0db"));
	process(50, "sh", ARGS("sh\0start"));
	roster_glance(r);
	is_told("hvscope-who 1 22 20 1 web CPU%201/KVM\n"
		"hvscope-who 1 40 40 - db qemu\n",
		"what came is told");
	process(50, "fire", ARGS("firecracker\0--id\0tiny"));
	thread(20, 22, "renamed");
	roster_glance(r);
	is_told("hvscope-who 1 22 20 - web renamed\n"
		"hvscope-who 1 50 50 - tiny fire\n",
		"and what became another");

	/* An old process that changes is seen only by the next whole look. */
	process(10, "qemu", ARGS("qemu-system-x86_64\0-name\0late"));
	roster_glance(r);
	is_told("", "who was there before us and is no machine is not asked again");
	roster_look(r);
	is_told("hvscope-who 1 10 10 - late qemu\n", "but in the end");

	/* An id that comes back is another process. */
	leave(40);
	roster_glance(r);
	is_told("", "an end is not told");
	process(40, "qemu", ARGS("qemu-system-x86_64\0-name\0new"));
	roster_glance(r);
	is_told("hvscope-who 1 40 40 - new qemu\n", "who has an id now is told");
	process(60, "two\nlines", ARGS("x"));
	roster_glance(r);

	roster_repeat(r);
	is_told("hvscope-who 1 10 10 - late qemu\n"
		"hvscope-who 1 20 20 - web qemu\n"
		"hvscope-who 1 21 20 0 web CPU%200/KVM\n"
		"hvscope-who 1 22 20 - web renamed\n"
		"hvscope-who 1 30 30 - - mine\n"
		"hvscope-who 1 40 40 - new qemu\n"
		"hvscope-who 1 50 50 - tiny fire\n",
		"all is told once more");
	comms = roster_comms(r);
	is_lines(comms,
		 "10 qemu\n20 qemu\n21 CPU 0/KVM\n22 renamed\n30 mine\n40 qemu\n50 fire\n"
		 "60 two?lines\n",
		 "names of all threads, one a line whatever they are");
	free(comms);
	roster_free(r);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	struct root root = { .prefix = tree };
	char *remove;

	snprintf(tree, sizeof(tree), "%.30s/hvscope-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(tree))
		return 1;
	told = xstrdup("");
	remove = xasprintf("%s/proc", tree);
	mkdir(remove, 0755);
	free(remove);
	test_looks(&root);
	free(told);
	remove = xasprintf("rm -r '%s'", tree);
	ok(!system(remove), "the tree is removed");
	free(remove);
	return tap_done();
}
