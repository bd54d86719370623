// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads and processes as far as they were asked about. What is known of a thread is forgotten
 * with its end, and of a process with that of its last thread, so that they are never more than
 * there are at once; only the names of machines are kept.
 */
#include "sampler/who.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "sampler/vm-name.h"
#include "sampler/who-text.h"

/* /proc/PID/cmdline and cgroup may be long; what counts stands within these. */
enum { CMDLINE_LIMIT = 1 << 20, CGROUP_LIMIT = 1 << 16, MAP_LIMIT = 16 << 20 };

/* A thread as far as it is known. */
struct known {
	struct who_thread thread;
	bool looked; /* where else something may be known of it; live that is /proc */
	bool set;    /* by who_set(): so it stays */
	bool named;  /* by who_named(): nobody knows better */
};

struct process {
	const char *vm;   /* interned, "" when it is none, NULL not looked up yet */
	uint32_t threads; /* that are known */
};

struct who {
	const struct root *root;
	bool live;
	bool knows_vms;
	const char *(*comm)(void *ctx, int tid); /* where /proc doesn't tell; may be NULL */
	void *comm_ctx;
	struct hash threads;   /* tid → struct known */
	struct hash processes; /* pid → struct process */
	struct strhash names;  /* of machines */
	struct who_thread stranger; /* in a file, of whom nothing was told: the last asked for */
};

static struct who *who_new(const struct root *root, bool live)
{
	struct who *w = xcalloc(1, sizeof(*w));

	w->root = root;
	w->live = w->knows_vms = live;
	return w;
}

struct who *who_new_live(const struct root *root)
{
	return who_new(root, true);
}

struct who *who_new_recorded(void)
{
	return who_new(NULL, false);
}

void who_set_comms(struct who *w, const char *(*comm)(void *ctx, int tid), void *ctx)
{
	w->comm = comm;
	w->comm_ctx = ctx;
}

static void thread_free(struct known *k)
{
	free((char *)k->thread.comm);
	free(k);
}

void who_free(struct who *w)
{
	if (!w)
		return;
	hash_each(&w->threads, thread) thread_free(thread->value.p);
	hash_each(&w->processes, process) free(process->value.p);
	hash_free(&w->threads);
	hash_free(&w->processes);
	strhash_each(&w->names, name) free(name->value);
	strhash_free(&w->names);
	free(w);
}

/* One copy of each text, which stays where it is. */
static const char *intern(struct who *w, const char *text)
{
	void **copy;

	if (!text)
		return NULL;
	copy = strhash_insert(&w->names, text, NULL);
	if (!*copy)
		*copy = xstrdup(text);
	return *copy;
}

static struct known *find_thread(const struct who *w, int32_t tid)
{
	return hash_pointer(&w->threads, (uint32_t)tid);
}

static struct known *new_thread(struct who *w, int32_t tid)
{
	struct known *k = xcalloc(1, sizeof(*k));

	k->thread = (struct who_thread){ .tid = tid, .pid = -1, .vcpu = -1 };
	hash_insert(&w->threads, (uint32_t)tid, NULL)->p = k;
	return k;
}

static void set_comm(struct who_thread *t, const char *comm)
{
	free((char *)t->comm);
	t->comm = xstrdup(comm);
}

/* --- Live --- */

/* A process that holds a VM of KVM has it as a descriptor, whatever the program is called. */
static bool holds_vm(struct who *w, int32_t pid)
{
	DIR *dir = path_opendir(w->root, "/proc/%d/fd", pid);
	struct dirent *entry;
	bool found = false;
	char link[64];

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		if (path_readlink(w->root, link, sizeof(link), "/proc/%d/fd/%s", pid,
				  entry->d_name) > 0)
			found = !strcmp(link, "anon_inode:kvm-vm");
	}
	closedir(dir);
	return found;
}

/* The name by arguments, then by cgroup; NULL: none. */
static char *vm_name(struct who *w, int32_t pid)
{
	char *text, *name = NULL;
	size_t len;

	text = path_read_all(w->root, CMDLINE_LIMIT, &len, "/proc/%d/cmdline", pid);
	if (text)
		name = vm_name_by_arguments(text, len);
	free(text);
	if (name)
		return name;
	text = path_read_all(w->root, CGROUP_LIMIT, NULL, "/proc/%d/cgroup", pid);
	if (text)
		name = vm_name_by_cgroup(text);
	free(text);
	return name;
}

/* "comm[pid]": a VM whose program gives it no name. NULL when the process is gone. */
static char *name_of_nameless(struct who *w, int32_t pid)
{
	char comm[64];

	if (path_read_line(w->root, comm, sizeof(comm), "/proc/%d/comm", pid) < 0)
		return NULL;
	return xasprintf("%s[%d]", comm, pid);
}

static struct process *process_of(struct who *w, int32_t pid)
{
	union hash_value *value = hash_insert(&w->processes, (uint32_t)pid, NULL);

	if (!value->p)
		value->p = xcalloc(1, sizeof(struct process));
	return value->p;
}

static void forget_process(struct who *w, int32_t pid)
{
	free(hash_pointer(&w->processes, (uint32_t)pid));
	hash_remove(&w->processes, (uint32_t)pid);
}

static const char *process_vm(struct who *w, struct process *p, int32_t pid, bool vcpu)
{
	char *name;

	/* A process that was taken for none may get its first vCPU later. */
	if (!p->vm || (!*p->vm && vcpu)) {
		name = vm_name(w, pid);
		if (!name && (vcpu || holds_vm(w, pid)))
			name = name_of_nameless(w, pid);
		p->vm = intern(w, name ? name : "");
		free(name);
	}
	return *p->vm ? p->vm : NULL;
}

/* Thread group of a thread, -1 when it is gone. */
static int32_t thread_group(struct who *w, int32_t tid)
{
	char text[1024], *line;
	int32_t pid;

	if (path_read(w->root, text, sizeof(text), "/proc/%d/status", tid) < 0)
		return -1;
	line = strstr(text, "\nTgid:");
	if (!line || sscanf(line, "\nTgid: %d", &pid) != 1 || pid <= 0)
		return -1;
	return pid;
}

/* All that a file may have of a thread is its name, and the file keeps that. */
static const struct who_thread *stranger(struct who *w, int32_t tid)
{
	const char *comm = w->comm ? w->comm(w->comm_ctx, tid) : NULL;

	w->stranger = (struct who_thread){
		.tid = tid, .pid = -1, .vcpu = comm ? vcpu_by_comm(comm) : -1, .comm = comm,
	};
	return &w->stranger;
}

static void look_up_name(struct who *w, struct who_thread *t)
{
	const char *comm = NULL;
	char text[64];

	if (w->live && path_read_line(w->root, text, sizeof(text), "/proc/%d/comm", t->tid) >= 0)
		comm = text;
	else if (w->comm)
		comm = w->comm(w->comm_ctx, t->tid);
	if (!comm)
		return;
	set_comm(t, comm);
	if (t->vcpu < 0)
		t->vcpu = vcpu_by_comm(comm);
}

static void look_up_process(struct who *w, struct who_thread *t)
{
	struct process *p;

	if (t->pid <= 0)
		t->pid = thread_group(w, t->tid);
	if (t->pid <= 0)
		return;
	p = process_of(w, t->pid);
	p->threads++;
	t->vm = process_vm(w, p, t->pid, t->vcpu >= 0);
}

/* What nobody told so far. */
static void look_up(struct who *w, struct known *k)
{
	k->looked = true;
	if (k->thread.tid <= 0)
		return;
	if (!k->named)
		look_up_name(w, &k->thread);
	if (w->live)
		look_up_process(w, &k->thread);
}

const struct who_thread *who_thread(struct who *w, int32_t tid)
{
	struct known *k = find_thread(w, tid);

	if (!k && !w->live)
		return stranger(w, tid);
	if (!k)
		k = new_thread(w, tid);
	if (!k->looked)
		look_up(w, k);
	return &k->thread;
}

static void forget_thread(struct who *w, struct known *k)
{
	const struct who_thread *t = &k->thread;
	struct process *p = k->looked ? hash_pointer(&w->processes, (uint32_t)t->pid) : NULL;

	if (p && p->threads && !--p->threads)
		forget_process(w, t->pid);
	hash_remove(&w->threads, (uint32_t)t->tid);
	thread_free(k);
}

void who_ended(struct who *w, int32_t tid)
{
	struct known *k = find_thread(w, tid);

	/* In a file, what was said of a thread id holds for the whole of it. */
	if (k && !k->set)
		forget_thread(w, k);
	if (w->live)
		forget_process(w, tid);
}

void who_born(struct who *w, int32_t tid, int32_t pid)
{
	struct known *k;

	if (tid <= 0)
		return;
	who_ended(w, tid);
	k = find_thread(w, tid);
	if (!k)
		k = new_thread(w, tid);
	if (k->thread.pid < 0)
		k->thread.pid = pid;
}

void who_named(struct who *w, int32_t tid, const char *comm)
{
	struct known *k = find_thread(w, tid);
	int32_t vcpu = vcpu_by_comm(comm);

	if (tid <= 0)
		return;
	if (!k)
		k = new_thread(w, tid);
	k->named = true;
	set_comm(&k->thread, comm);
	if (!k->set || vcpu >= 0)
		k->thread.vcpu = vcpu;
}

bool who_knows_vms(const struct who *w)
{
	return w->knows_vms;
}

/* Whether a directory entry is a process or thread id. */
static bool is_id(const char *name, int32_t *id)
{
	uint64_t value;

	if (parse_u64(name, INT32_MAX, &value, NULL) || !value)
		return false;
	*id = (int32_t)value;
	return true;
}

static void add_id(int32_t **ids, size_t *n, int32_t id)
{
	if (!(*n & (*n + 1)) || !*ids)
		*ids = xreallocarray(*ids, 2 * (*n + 1), sizeof(**ids));
	(*ids)[(*n)++] = id;
}

size_t who_tasks(struct who *w, int32_t pid, int32_t **tids)
{
	DIR *dir = path_opendir(w->root, "/proc/%d/task", pid);
	struct dirent *entry;
	size_t n = 0;
	int32_t tid;

	*tids = NULL;
	while (dir && (entry = readdir(dir)) != NULL) {
		if (is_id(entry->d_name, &tid))
			add_id(tids, &n, tid);
	}
	if (dir)
		closedir(dir);
	return n;
}

/* ", 'a'" more in a list, as long as there is room. */
static void add_other(const char *name, char *others, size_t size)
{
	size_t len = strlen(others);
	char quoted[128];

	text_quote(quoted, sizeof(quoted), name);
	if (len + strlen(quoted) + 8 < size)
		snprintf(others + len, size - len, "%s'%s'", len ? ", " : "", quoted);
}

size_t who_find_vm(struct who *w, const char *name, int32_t **pids, char *others, size_t size)
{
	DIR *dir = path_opendir(w->root, "/proc");
	struct dirent *entry;
	size_t n = 0;
	int32_t pid;

	*pids = NULL;
	others[0] = '\0';
	while (dir && (entry = readdir(dir)) != NULL) {
		const char *vm;

		if (!is_id(entry->d_name, &pid))
			continue;
		vm = process_vm(w, process_of(w, pid), pid, false);
		if (vm && !strcmp(vm, name))
			add_id(pids, &n, pid);
		else if (vm)
			add_other(vm, others, size);
	}
	if (dir)
		closedir(dir);
	return n;
}

/* --- Recorded --- */

void who_set(struct who *w, const struct who_thread *thread)
{
	struct known *k = find_thread(w, thread->tid);
	struct who_thread *t;

	if (!k)
		k = new_thread(w, thread->tid);
	if (!k->looked)
		look_up(w, k);
	k->set = true;
	t = &k->thread;
	if (thread->pid >= 0)
		t->pid = thread->pid;
	if (thread->vcpu >= 0)
		t->vcpu = thread->vcpu;
	if (thread->comm)
		set_comm(t, thread->comm);
	if (thread->vm)
		t->vm = intern(w, thread->vm);
	if (t->vm || t->pid >= 0)
		w->knows_vms = true;
}

bool who_has_vm(const struct who *w, const char *name, char *others, size_t size)
{
	bool found = false;

	others[0] = '\0';
	strhash_each(&w->names, entry) {
		found |= !strcmp(entry->key, name);
		add_other(entry->key, others, size);
	}
	return found;
}

int who_read_map(struct who *w, const char *path, struct error *err)
{
	size_t len;
	char *text = path_read_all(NULL, MAP_LIMIT, &len, "%s", path), *rest = text, *line;
	unsigned long number = 0;
	int ret = 0;

	if (!text)
		return error_errno(err, errno, "%s can't be read", path);
	if (strlen(text) != len)
		ret = error_set(err, "%s is no list of threads: it has zero bytes", path);
	while (!ret && (line = strsep(&rest, "\n")) != NULL) {
		struct who_thread thread;
		int got;

		number++;
		got = who_parse_map_line(line, &thread);
		if (got > 0)
			who_set(w, &thread);
		else if (got < 0)
			ret = error_set(err,
					"%s:%lu: a line must be: tid pid name vcpu (- where it "
					"is unknown)",
					path, number);
	}
	free(text);
	return ret;
}
