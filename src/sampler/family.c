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

/* 0 when there is none: the process is gone, or the first of all. */
static int32_t parent_of(const struct family *f, int32_t pid)
{
	char text[1024], *behind;
	int32_t parent;

	/* "PID (NAME) STATE PARENT": any sign may be in the name */
	if (path_read(f->root, text, sizeof(text), "/proc/%d/stat", pid) < 0)
		return 0;
	behind = strrchr(text, ')');
	return behind && sscanf(behind, ") %*c %d", &parent) == 1 && parent > 0 ? parent : 0;
}

static bool is_there(const struct family *f, int32_t pid)
{
	char text[16];

	return path_read(f->root, text, sizeof(text), "/proc/%d/stat", pid) >= 0;
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

static bool kernel_has(const struct family *f, int32_t tid)
{
	char *list = f->threads ? f->threads(f->ctx) : NULL;
	bool found = list && has_id(list, tid);

	free(list);
	return found;
}

bool family_has(struct family *f, int32_t pid, int32_t tid)
{
	const union hash_value *known = hash_find(&f->processes, (uint32_t)pid);
	uint64_t what = known ? known->u : by_parents(f, pid);

	if (known)
		return what == OF_IT;
	if (what != OF_IT && kernel_has(f, tid))
		what = OF_IT;
	/* the kernel's list forgets those that are gone */
	if (what != OF_IT && !is_there(f, pid))
		return true;
	hash_insert(&f->processes, (uint32_t)pid, NULL)->u = what;
	return what == OF_IT;
}

struct family *family_new(const struct root *root, int32_t pid)
{
	struct family *f = xcalloc(1, sizeof(*f));
	DIR *dir = path_opendir(root, "/proc");
	struct dirent *entry;
	uint64_t id;

	f->root = root;
	hash_insert(&f->processes, (uint32_t)pid, NULL)->u = OF_IT;
	while (dir && (entry = readdir(dir)) != NULL)
		if (!parse_u64(entry->d_name, INT32_MAX, &id, NULL) && id)
			family_has(f, (int32_t)id, (int32_t)id);
	if (dir)
		closedir(dir);
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
