// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each process is looked up once, by way of its parents to one that is known.
 */
#include "sampler/family.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "base/util.h"

enum { NOT_OF_IT = 1, OF_IT = 2 }; /* 0: not looked up */

/* So many generations, lest a /proc that changes meanwhile leads round and round. */
enum { GENERATIONS_MAX = 1000 };

struct family {
	const struct root *root;
	struct hash processes; /* pid → one of the above */
	char *(*threads)(void *ctx);
	void *ctx;
};

/* Of the flags in /proc/PID/stat: include/linux/sched.h. Zombies have it, too. */
enum { PF_EXITING = 0x4 };

/* False: the process is gone. The parent of the first of all is 0. */
static bool look_up(const struct family *f, int32_t pid, int32_t *parent, unsigned int *flags)
{
	char text[1024], *behind;

	/* "PID (NAME) STATE PARENT GROUP SESSION TTY GROUP FLAGS": any sign may be in NAME */
	if (path_read(f->root, text, sizeof(text), "/proc/%d/stat", pid) < 0)
		return false;
	behind = strrchr(text, ')');
	return behind && sscanf(behind, ") %*c %d %*d %*d %*d %*d %u", parent, flags) == 2;
}

static int32_t parent_of(const struct family *f, int32_t pid)
{
	unsigned int flags;
	int32_t parent;

	return look_up(f, pid, &parent, &flags) && parent > 0 ? parent : 0;
}

/* One that is about to end is on no list of the kernel's any more. */
static bool is_alive(const struct family *f, int32_t pid)
{
	unsigned int flags;
	int32_t parent;

	return look_up(f, pid, &parent, &flags) && !(flags & PF_EXITING);
}

static uint64_t by_parents(struct family *f, int32_t pid)
{
	for (unsigned int i = 0; i < GENERATIONS_MAX && pid; i++) {
		const union hash_value *known = hash_find(&f->processes, (uint32_t)pid);

		if (known)
			return known->u;
		pid = parent_of(f, pid);
	}
	return NOT_OF_IT;
}

/* Whether "12 345 " or lines of them have the id. */
static bool has_id(const char *list, int32_t tid)
{
	for (const char *p = list; *p; p += strspn(p, " \n")) {
		char *end;

		if (strtol(p, &end, 10) == tid)
			return true;
		if (end == p)
			return false;
		p = end;
	}
	return false;
}

/* The thread may be about to end while its process goes on. */
static bool kernel_has(const struct family *f, int32_t pid, int32_t tid)
{
	char *list = f->threads ? f->threads(f->ctx) : NULL;
	bool found = list && (has_id(list, tid) || has_id(list, pid));

	free(list);
	return found;
}

bool family_has(struct family *f, int32_t pid, int32_t tid)
{
	const union hash_value *known = hash_find(&f->processes, (uint32_t)pid);
	uint64_t what = known ? known->u : by_parents(f, pid);

	if (known)
		return what == OF_IT;
	if (what != OF_IT && kernel_has(f, pid, tid))
		what = OF_IT;
	/* the kernel's list forgets those that are gone */
	if (what != OF_IT && !is_alive(f, pid))
		return true;
	hash_insert(&f->processes, (uint32_t)pid, NULL)->u = what;
	return what == OF_IT;
}

void family_look(struct family *f)
{
	DIR *dir = path_opendir(f->root, "/proc");
	struct dirent *entry;
	uint64_t id;

	while (dir && (entry = readdir(dir)) != NULL)
		if (!parse_u64(entry->d_name, INT32_MAX, &id, NULL) && id)
			family_has(f, (int32_t)id, (int32_t)id);
	if (dir)
		closedir(dir);
}

struct family *family_new(const struct root *root, int32_t pid)
{
	struct family *f = xcalloc(1, sizeof(*f));

	f->root = root;
	hash_insert(&f->processes, (uint32_t)pid, NULL)->u = OF_IT;
	family_look(f);
	return f;
}

void family_free(struct family *f)
{
	if (!f)
		return;
	hash_free(&f->processes);
	free(f);
}

size_t family_members(const struct family *f, int32_t **pids)
{
	size_t n = 0;

	*pids = xcalloc(f->processes.nr + 1, sizeof(**pids));
	hash_each(&f->processes, entry)
	{
		if (entry->value.u == OF_IT)
			(*pids)[n++] = (int32_t)entry->key;
	}
	return n;
}

void family_ask(struct family *f, char *(*threads)(void *ctx), void *ctx)
{
	f->threads = threads;
	f->ctx = ctx;
}

void family_ended(struct family *f, int32_t pid)
{
	hash_remove(&f->processes, (uint32_t)pid);
}

void family_born(struct family *f, int32_t pid, int32_t maker, int32_t maker_tid)
{
	bool of_it = maker > 0 && family_has(f, maker, maker_tid);

	family_ended(f, pid);
	if (maker > 0)
		hash_insert(&f->processes, (uint32_t)pid, NULL)->u = of_it ? OF_IT : NOT_OF_IT;
}
