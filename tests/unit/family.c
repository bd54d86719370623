// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Descendants in a /proc that is made up: by parents, by the kernel's list of threads where those
 * are gone, and processes that are gone themselves.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "sampler/family.h"
#include "tests/tap.h"

static char prefix[] = "/tmp/hvscope-family.XXXXXX";

static void put_flags(int pid, const char *name, int parent, unsigned int flags)
{
	char *dir = xasprintf("%s/proc/%d", prefix, pid), *path = xasprintf("%s/stat", dir);
	FILE *out;

	mkdir(dir, 0700);
	out = fopen(path, "w");
	if (out) {
		fprintf(out, "%d (%s) S %d 1 1 0 -1 %u 0 0\n", pid, name, parent, flags);
		fclose(out);
	}
	free(path);
	free(dir);
}

static void put(int pid, const char *name, int parent)
{
	put_flags(pid, name, parent, 4194304);
}

static void take(int pid)
{
	char *dir = xasprintf("%s/proc/%d", prefix, pid), *path = xasprintf("%s/stat", dir);

	unlink(path);
	rmdir(dir);
	free(path);
	free(dir);
}

static char *threads(void *ctx)
{
	return xstrdup(ctx);
}

int main(void)
{
	static char list[] = "10\n40 41\n";
	struct root root = { .prefix = prefix };
	struct family *f;
	int32_t *pids;
	char *proc;
	size_t n, sum = 0;

	if (!mkdtemp(prefix))
		skip_all("no folder can be made");
	proc = xasprintf("%s/proc", prefix);
	mkdir(proc, 0700);
	put(1, "init", 0);
	put(10, "shell", 1);
	put(11, "child", 10);
	put(12, "a) S 1 (b", 11);
	put(20, "stranger", 1);
	f = family_new(&root, 10);
	n = family_members(f, &pids);
	for (size_t i = 0; i < n; i++)
		sum += (size_t)pids[i];
	ok(n == 3 && sum == 10 + 11 + 12, "a process, its child and its grandchild");
	free(pids);
	ok(family_has(f, 10, 10) && family_has(f, 12, 12) && !family_has(f, 20, 20) &&
	   !family_has(f, 1, 1), "others are none of them");
	put(13, "late", 12);
	ok(family_has(f, 13, 13), "one that comes later");
	put(40, "orphan", 1);
	put(50, "other", 1);
	family_ask(f, threads, list);
	ok(family_has(f, 40, 41), "one without its parents, of which the kernel knows a thread");
	ok(!family_has(f, 50, 50), "one that it doesn't know");
	put(41, "orphan", 1);
	ok(family_has(f, 41, 45), "a thread that is on the list no more, of one that is");
	put_flags(51, "zombie", 1, 4194304 | 4);
	ok(family_has(f, 51, 51), "one that is about to end is on no list");
	ok(family_has(f, 60, 60), "of one that is gone nobody can say that it is none");
	put(60, "again", 1);
	ok(!family_has(f, 60, 60), "of another with its number one can");
	family_ended(f, 13);
	put(13, "again", 20);
	ok(!family_has(f, 13, 13), "after its end a number is another process's");
	put(21, "short", 1);
	family_born(f, 21, 12, 12);
	ok(family_has(f, 21, 21), "one that is said to be a child's, whatever its parent is now");
	family_born(f, 22, 20, 20);
	ok(!family_has(f, 22, 22), "and a stranger's, who is gone");
	family_born(f, 21, -1, 77);
	ok(!family_has(f, 21, 21), "of one whose maker nobody knows /proc is asked");
	put(14, "meanwhile", 12);
	family_look(f);
	n = family_members(f, &pids);
	sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += pids[i] == 14;
	ok(sum == 1, "a look finds those that came since");
	free(pids);
	family_free(f);
	family_free(NULL);
	for (int pid = 1; pid <= 60; pid++)
		take(pid);
	rmdir(proc);
	rmdir(prefix);
	free(proc);
	return tap_done();
}
