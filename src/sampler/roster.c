// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process shows that it is a virtual machine only some time after it began, and names its threads
 * later still. So who it is is asked anew each time, as long as it is young or a virtual machine;
 * of all others nothing is read but that they are there.
 */
#include "sampler/roster.h"

#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/text.h"
#include "sampler/who.h"

enum { YOUNG_MS = 10000 };

struct process {
	uint64_t since; /* ms; 0: it was there before us */
	uint64_t look;  /* the last one that saw it */
	bool told;      /* its threads are told */
};

struct roster {
	const struct root *root;
	int32_t pid;
	void (*tell)(void *ctx, const char *marker);
	void *ctx;
	uint64_t looks;
	struct hash processes; /* pid → struct process */
	struct hash markers;   /* tid → text */
	struct hash comms;     /* tid → text */
};

struct roster *roster_new(const struct root *root, int32_t pid,
			  void (*tell)(void *ctx, const char *marker), void *ctx)
{
	struct roster *r = xcalloc(1, sizeof(*r));

	*r = (struct roster){ .root = root, .pid = pid, .tell = tell, .ctx = ctx };
	return r;
}

static void free_all(struct hash *hash)
{
	hash_each(hash, entry) free(entry->value.p);
	hash_free(hash);
}

void roster_free(struct roster *r)
{
	if (!r)
		return;
	free_all(&r->processes);
	free_all(&r->markers);
	free_all(&r->comms);
	free(r);
}

/* Whether the text of the key is another one now. */
static bool change(struct hash *hash, int32_t tid, const char *text)
{
	union hash_value *value = hash_insert(hash, (uint32_t)tid, NULL);

	if (value->p && !strcmp(value->p, text))
		return false;
	free(value->p);
	value->p = xstrdup(text);
	return true;
}

static void note_thread(struct roster *r, const struct who_thread *t)
{
	char marker[WHO_MARKER_SIZE];

	/* It ended while we looked. */
	if (t->pid < 0)
		return;
	who_format_marker(t, marker);
	if (change(&r->markers, t->tid, marker))
		r->tell(r->ctx, marker);
	if (t->comm)
		change(&r->comms, t->tid, t->comm);
}

static void note_comm(struct roster *r, int32_t pid, int32_t tid)
{
	char comm[64];

	if (path_read_line(r->root, comm, sizeof(comm), "/proc/%d/task/%d/comm", pid, tid) > 0)
		change(&r->comms, tid, comm);
}

static void examine(struct roster *r, struct who *who, int32_t pid, struct process *p)
{
	int32_t *tids;
	size_t n = who_tasks(who, pid, &tids);

	p->told = pid == r->pid || who_thread(who, pid)->vm;
	for (size_t i = 0; i < n; i++) {
		if (p->told)
			note_thread(r, who_thread(who, tids[i]));
		else
			note_comm(r, pid, tids[i]);
	}
	free(tids);
}

/* A process id that comes back later is another process. */
static void forget_ended(struct roster *r)
{
	for (uint32_t i = 0; i < r->processes.nr;) {
		struct process *p = r->processes.entries[i].value.p;

		if (p->look == r->looks) {
			i++;
			continue;
		}
		free(p);
		/* The last entry takes its place. */
		hash_remove(&r->processes, r->processes.entries[i].key);
	}
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void look_at(struct roster *r, struct who *who, int32_t pid, bool all, uint64_t now)
{
	bool is_new;
	union hash_value *value = hash_insert(&r->processes, (uint32_t)pid, &is_new);
	struct process *p;

	if (is_new) {
		value->p = p = xcalloc(1, sizeof(*p));
		p->since = r->looks > 1 ? now : 0;
	}
	p = value->p;
	p->look = r->looks;
	if (all || p->told || (p->since && now - p->since < YOUNG_MS))
		examine(r, who, pid, p);
}

static void look(struct roster *r, bool all)
{
	DIR *dir = path_opendir(r->root, "/proc");
	struct who *who = who_new_live(r->root);
	uint64_t pid, now = now_ms();
	struct dirent *entry;

	r->looks++;
	while (dir && (entry = readdir(dir)) != NULL) {
		if (!parse_u64(entry->d_name, INT32_MAX, &pid, NULL) && pid)
			look_at(r, who, (int32_t)pid, all, now);
	}
	if (dir) {
		closedir(dir);
		forget_ended(r);
	}
	who_free(who);
}

void roster_look(struct roster *r)
{
	look(r, true);
}

void roster_glance(struct roster *r)
{
	look(r, false);
}

void roster_repeat(struct roster *r)
{
	hash_each(&r->markers, entry) r->tell(r->ctx, entry->value.p);
}

char *roster_comms(const struct roster *r)
{
	size_t size = 1, len = 0;
	char *text;

	hash_each(&r->comms, entry) size += strlen(entry->value.p) + 16;
	text = xcalloc(size, 1);
	hash_each(&r->comms, entry)
	{
		char *name = text + len;

		len += (size_t)snprintf(text + len, size - len, "%u %s", (unsigned int)entry->key,
					(char *)entry->value.p);
		/* A name may hold anything. */
		for (; *name; name++)
			if (*name == '\n')
				*name = '?';
		text[len++] = '\n';
	}
	return text;
}
