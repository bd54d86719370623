// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The order of start and end is the header's; each step here undoes itself in session_end(), which
 * is also what a fatal exit runs. So it must not allocate, and it may come after any step.
 *
 * An instance starts with the top buffer's options: those that matter are set, the two that record
 * names and process ids are not, because they reach into all instances.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/util.h"
#include "trace/clock.h"
#include "trace/session-internal.h"

#define TRIES  10
#define CLOSED (-1)

#define SPARE_FILES 64 /* that are left for everything else */

/* For "%s%s%s": "SYSTEM:NAME", or of our probes just "NAME". */
#define EVENT_NAME(system, name) (system) ? (system) : "", (system) ? ":" : "", name

struct session {
	struct tfs tfs;
	struct session_request request;
	struct session_info info;
	struct utsname uname;
	struct probes *probes;
	struct page_layout layout;
	bool *enabled; /* of request.events */
	int *raw;      /* trace_pipe_raw of each CPU, CLOSED, or -errno */
	int *stats;    /* stats of each CPU, CLOSED or -errno: opened anew when needed */
	int on;        /* tracing_on, held open */
	bool exists, running;
	char name[64];       /* hvscope.<pid>.<random> */
	char group[64];      /* hvscope_<pid>_<random> */
	char path[PATH_MAX]; /* instances/NAME, below tracefs */
};

/* Path of an instance's file in the real root: the C library's calls don't know prefixes. */
static bool instance_path(const struct tfs *t, const char *name, char *path)
{
	return snprintf(path, PATH_MAX, "%s/instances/%s", t->dir, name) < PATH_MAX;
}

static void group_of(const char *name, char *group, size_t size)
{
	snprintf(group, size, "%s", name);
	for (char *p = group; *p; p++)
		if (*p == '.')
			*p = '_';
}

/*
 * Whoever removes an instance knows that its run is dead: a living one holds a file of it open.
 * Only then its probes are nobody's.
 */
static unsigned int reap(const struct tfs *t)
{
	DIR *dir = path_opendir(&t->root, "%s/instances", t->dir);
	char path[PATH_MAX], group[64];
	unsigned int n = 0;

	if (!dir)
		return 0;
	for (struct dirent *e; (e = readdir(dir));) {
		if (strncmp(e->d_name, SESSION_PREFIX, sizeof(SESSION_PREFIX) - 1) ||
		    strlen(e->d_name) >= sizeof(group) || !instance_path(t, e->d_name, path) ||
		    rmdir(path))
			continue;
		group_of(e->d_name, group, sizeof(group));
		probes_remove_group(t, group);
		n++;
	}
	closedir(dir);
	return n;
}

static void new_name(struct session *s)
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = (uint32_t)clock_now();
	snprintf(s->name, sizeof(s->name), SESSION_PREFIX "%d.%08x", (int)getpid(), random);
	group_of(s->name, s->group, sizeof(s->group));
	snprintf(s->path, sizeof(s->path), "instances/%s", s->name);
}

/*
 * Opens tracing_on of an instance that was just made. One that was reaped at once can still be
 * opened, and be another run's: kernels take the new instance that has the old one's memory for
 * it. Returns 0 or -errno.
 */
static int hold_instance(struct session *s, const char *path)
{
	int fd = path_open(&s->tfs.root, O_RDWR, "%s/tracing_on", path), again;

	if (fd < 0)
		return fd;
	again = path_open(&s->tfs.root, O_PATH, "%s/tracing_on", path);
	if (again < 0) {
		close(fd);
		return again;
	}
	close(again);
	s->on = fd;
	return 0;
}

/*
 * Makes the instance, turns it off and holds tracing_on. Between the two it looks dead, so another
 * run that starts may reap it: then it is made again.
 */
static int make_instance(struct session *s, struct error *err)
{
	char path[PATH_MAX];
	int ret = 0;

	for (int i = 0; i < TRIES; i++) {
		new_name(s);
		if (!instance_path(&s->tfs, s->name, path))
			return error_errno(err, ENAMETOOLONG, "%s", s->tfs.dir);
		if (mkdir(path, 0700)) {
			ret = -errno;
			if (ret == -EEXIST)
				continue;
			break;
		}
		s->exists = true;
		ret = hold_instance(s, path);
		if (!ret)
			return 0;
		/* ENODEV: it is still in the folder, but no longer in the kernel. */
		if (ret != -ENOENT && ret != -ENODEV)
			break;
		s->exists = false;
	}
	if (ret == -EROFS)
		return error_set(err,
				 "%s is mounted read-only, so no tracing instance can be made; "
				 "hvscope steal works without; mount -o remount,rw %s",
				 s->tfs.dir, s->tfs.dir);
	if (ret == -EINVAL || ret == -EPERM || ret == -EACCES)
		return error_set(err,
				 "the kernel refuses a tracing instance (%s): it is locked down, or"
				 " this user may not trace; hvscope steal works without; run it as"
				 " root, without lockdown=confidentiality",
				 strerror(-ret));
	return error_errno(err, ret, "no tracing instance could be made in %s/instances",
			   s->tfs.dir);
}

static int set(const struct session *s, const char *text, const char *file)
{
	return tfs_write(&s->tfs, false, text, "%s/%s", s->path, file);
}

static int set_number(const struct session *s, uint64_t n, const char *file)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return set(s, text, file);
}

static uint64_t get_number(const struct session *s, const char *file)
{
	char *text = tfs_read(&s->tfs, "%s/%s", s->path, file);
	uint64_t n = text ? strtoull(text, NULL, 10) : 0;

	free(text);
	return n;
}

static int set_clock(struct session *s, struct error *err)
{
	int ret = set(s, s->info.clock, "trace_clock");

	if (ret)
		return error_errno(err, ret, "the kernel refuses the trace clock %s",
				   s->info.clock);
	return 0;
}

/* Big sub-buffers read fastest; many CPUs, or a small buffer, want smaller ones. */
static unsigned int default_subbuf(unsigned int cpus, uint64_t buffer)
{
	unsigned int kb = cpus < 64 ? 64 : cpus < 512 ? 16 : 4;

	while (kb > 4 && buffer < (uint64_t)kb * 1024 * 8)
		kb /= 4;
	return kb;
}

/* A size that the kernel has no contiguous memory for is tried smaller. Without the file: 4K. */
static void set_subbuf(struct session *s, uint64_t buffer)
{
	unsigned int kb = s->request.subbuf_kb;

	for (kb = kb ? kb : default_subbuf(s->info.online, buffer); kb > 4; kb /= 4)
		if (set_number(s, kb, "buffer_subbuf_size_kb") != -ENOMEM)
			return;
}

/* Asked for too much, the kernel may take all that there is before it gives up. */
static int check_size(const struct session *s, uint64_t asked, struct error *err)
{
	uint64_t available = session_available(&s->tfs.root);
	char size[TEXT_UNIT_SIZE], there[TEXT_UNIT_SIZE];

	if (!available || asked <= available / s->info.online)
		return 0;
	return error_set(err,
			 "ring buffers of %s for each of %u CPUs are more than the memory that is "
			 "available, %s: a smaller -b may do",
			 text_bytes(size, sizeof(size), asked), s->info.online,
			 text_bytes(there, sizeof(there), available));
}

static int set_buffers(struct session *s, struct error *err)
{
	uint64_t asked = s->request.buffer_size;
	uint64_t size = asked ? asked : session_default_buffer(&s->tfs.root, s->info.online);
	char text[TEXT_UNIT_SIZE];
	int ret;

	if (check_size(s, asked, err))
		return -1;
	set_subbuf(s, size);
	while ((ret = set_number(s, (size + 1023) / 1024, "buffer_size_kb")) == -ENOMEM && !asked &&
	       size > SESSION_MB)
		size /= 2;
	if (ret)
		return error_errno(err, ret, "no ring buffers of %s per CPU; a smaller -b may do",
				   text_bytes(text, sizeof(text), size));
	s->info.buffer_size = get_number(s, "buffer_size_kb") * 1024;
	return 0;
}

static int set_options(struct session *s, struct error *err)
{
	int ret;

	set(s, "1", "options/overwrite");
	set(s, "0", "options/userstacktrace");
	/* Wakes the reader when half is full, where the kernel can. */
	set(s, "50", "buffer_percent");
	ret = set(s, s->request.stacktrace ? "1" : "0", "options/stacktrace");
	if (ret && s->request.stacktrace)
		return error_errno(err, ret, "this kernel records no stacks (options/stacktrace)");
	return 0;
}

/*
 * To those that the kernel follows already. It makes a new list of them, and a fork of that moment
 * may be missing there.
 */
int session_follow(struct session *s, const int32_t *tids, size_t n)
{
	char *text = xstrdup("");
	int ret;

	for (size_t i = 0; i < n; i++) {
		char *more = xasprintf("%s%d ", text, (int)tids[i]);

		free(text);
		text = more;
	}
	ret = tfs_write(&s->tfs, true, text, "%s/set_event_pid", s->path);
	free(text);
	return ret;
}

char *session_threads(const struct session *s)
{
	return tfs_read(&s->tfs, "%s/set_event_pid", s->path);
}

/*
 * Whether process ids as /proc shows them (to 1), or as we have them (self), are those that the
 * kernel traces by. In a container they are others, which mean other threads there. The number is
 * that of the first namespace, on every kernel; what can't be read is taken for it.
 */
static bool in_first_namespace(const struct session *s, const char *process)
{
	char link[64];

	return path_readlink(&s->tfs.root, link, sizeof(link), "/proc/%s/ns/pid", process) < 0 ||
	       !strcmp(link, "pid:[4026531836]");
}

static int set_pids(struct session *s, struct error *err)
{
	int ret;

	if (!s->request.n_pids)
		return 0;
	if (!in_first_namespace(s, "1"))
		return error_set(err,
				 "process ids here are a container's, and the kernel traces by the "
				 "host's: to select a process run hvscope there (--pid=host)");
	ret = set(s, "1", "options/event-fork");
	if (!ret)
		ret = session_follow(s, s->request.pids, s->request.n_pids);
	if (ret)
		return error_errno(err, ret,
				   "this kernel can't trace single processes (set_event_pid)");
	return 0;
}

/* Our own system calls would feed the events that we read. Kernels before 5.7 can't keep us out. */
static void keep_out(struct session *s)
{
	char text[32];

	if (!s->request.own_events || !in_first_namespace(s, "self"))
		return;
	snprintf(text, sizeof(text), "%d", (int)gettid());
	s->info.kept_out = !set(s, text, "set_event_notrace_pid");
}

static int make_probes(struct session *s, struct error *err)
{
	const struct session_request *r = &s->request;
	uint64_t before = clock_now();

	if (!r->n_roles && !r->n_definitions)
		return 0;
	s->probes = probes_new(&s->tfs, s->group);
	for (size_t i = 0; i < r->n_roles; i++)
		probes_add_role(s->probes, r->roles[i]);
	for (size_t i = 0; i < r->n_definitions; i++)
		probes_add(s->probes, &r->definitions[i]);
	int ret = probes_create(s->probes, err);

	s->info.probes_ns = clock_now() - before;
	return ret;
}

/* events/SYSTEM/NAME of an event, in the instance; the caller frees it. */
static char *event_path(const struct session *s, const char *system, const char *name)
{
	char *ours = system ? NULL : probe_event_name(name, false);
	char *path = xasprintf("%s/events/%s/%s", s->path, system ? system : s->group,
			       ours ? ours : name);

	free(ours);
	return path;
}

static bool event_exists(const struct session *s, const struct session_event *e)
{
	char *path = event_path(s, e->system, e->name);
	bool exists = tfs_exists(&s->tfs, "%s/enable", path);

	free(path);
	return exists;
}

/* All that are missing in one sentence, so that nobody learns of them one by one. */
static int find_events(struct session *s, struct error *err)
{
	char missing[512] = "";
	size_t used = 0, n = 0;

	for (size_t i = 0; i < s->request.n_events; i++) {
		const struct session_event *e = &s->request.events[i];

		s->enabled[i] = event_exists(s, e);
		if (s->enabled[i] || e->optional)
			continue;
		if (used < sizeof(missing))
			used += snprintf(missing + used, sizeof(missing) - used, "%s%s%s%s",
					 n ? ", " : "", EVENT_NAME(e->system, e->name));
		n++;
	}
	if (!n)
		return 0;
	return error_set(err,
			 "this kernel has no event%s %s; the module that has %s may not be loaded"
			 " (hvscope info tells what works here)",
			 n > 1 ? "s" : "", missing, n > 1 ? "them" : "it");
}

static int set_filter(struct session *s, const struct session_event *e, struct error *err)
{
	char *path = event_path(s, e->system, e->name);
	int ret = e->filter ? tfs_write(&s->tfs, false, e->filter, "%s/filter", path) : 0;
	long page = sysconf(_SC_PAGESIZE);

	free(path);
	if (!ret)
		return 0;
	if (page > 0 && strlen(e->filter) >= (size_t)page)
		return error_set(err,
				 "the filter of %s%s%s has %zu bytes, and the kernel takes %ld",
				 EVENT_NAME(e->system, e->name), strlen(e->filter), page - 1);
	error_set(err, "the kernel refuses the filter of %s%s%s", EVENT_NAME(e->system, e->name));
	return tfs_refusal(err, &s->tfs, s->path, e->filter, -ret);
}

static int enable(struct session *s, const char *system, const char *name, struct error *err)
{
	char *path = event_path(s, system, name);
	int ret = tfs_write(&s->tfs, false, "1", "%s/enable", path);

	free(path);
	if (!ret)
		return 0;
	return error_errno(err, ret, "the event %s%s%s can't be enabled", EVENT_NAME(system, name));
}

static int enable_all(struct session *s, struct error *err)
{
	const struct session_request *r = &s->request;
	uint64_t before = clock_now();

	for (size_t i = 0; i < r->n_events; i++)
		if (s->enabled[i] && set_filter(s, &r->events[i], err))
			return -1;
	for (size_t i = 0; i < r->n_events; i++)
		if (s->enabled[i] && enable(s, r->events[i].system, r->events[i].name, err))
			return -1;
	for (size_t i = 0; s->probes && i < probes_count(s->probes); i++)
		if (enable(s, NULL, probes_event(s->probes, i)->name, err))
			return -1;
	s->info.enable_ns = clock_now() - before;
	return 0;
}

static bool header_field(const char *text, const char *name, unsigned int *offset,
			 unsigned int *size)
{
	char key[32];
	const char *p;

	snprintf(key, sizeof(key), " %s;\toffset:", name);
	p = strstr(text, key);
	return p && sscanf(p + strlen(key), "%u;\tsize:%u", offset, size) == 2;
}

/* events/header_page of the instance: it knows the sub-buffers' size. */
static int read_layout(struct session *s, struct error *err)
{
	char *text = tfs_read(&s->tfs, "%s/events/header_page", s->path);
	unsigned int offset, long_size, data, size;
	bool known = text && header_field(text, "commit", &offset, &long_size) &&
		     header_field(text, "data", &data, &size);

	free(text);
	if (!known)
		return error_set(err, "the kernel doesn't tell the layout of its ring buffer"
				      " (events/header_page)");
	s->layout =
		(struct page_layout){ .long_size = long_size, .data = data, .size = data + size };
	return 0;
}

/* What undoes all, from wherever it stands. Called on fatal exits too: no allocation. */
static void session_end(void *arg)
{
	struct session *s = arg;
	char path[PATH_MAX];

	session_stop(s, NULL);
	for (unsigned int cpu = 0; cpu < s->info.n_cpus; cpu++) {
		if (s->raw[cpu] >= 0)
			close(s->raw[cpu]);
		if (s->stats[cpu] >= 0)
			close(s->stats[cpu]);
		s->raw[cpu] = s->stats[cpu] = CLOSED;
	}
	if (s->exists)
		set(s, "0", "events/enable");
	if (s->probes)
		probes_remove(s->probes);
	if (s->on >= 0)
		close(s->on);
	s->on = CLOSED;
	/* EBUSY: somebody looks into it just now. What stays is reaped by the next run. */
	for (int i = 0; s->exists && i < TRIES; i++) {
		if (instance_path(&s->tfs, s->name, path) && (!rmdir(path) || errno != EBUSY))
			break;
		usleep(5000);
	}
	s->exists = false;
}

static int set_up(struct session *s, struct error *err)
{
	if (make_instance(s, err) || session_stop(s, err) || set_clock(s, err) ||
	    set_buffers(s, err) || set_options(s, err) || set_pids(s, err))
		return -1;
	keep_out(s);
	return make_probes(s, err) || read_layout(s, err) || find_events(s, err) ||
			       enable_all(s, err) ?
		       -1 :
		       0;
}

static bool is_recorded(const struct root *root)
{
	return root && root->prefix && *root->prefix;
}

struct session *session_new(const struct session_request *request, struct error *err)
{
	uint64_t before = clock_now();

	if (is_recorded(request->root)) {
		error_set_status(err, 2, "a recorded tree can't be traced: leave out --root");
		return NULL;
	}
	struct session *s = xcalloc(1, sizeof(*s));

	s->request = *request;
	s->on = CLOSED;
	s->info.clock = request->clock ? request->clock : CLOCK_LIVE;
	s->enabled = xcalloc(request->n_events + 1, sizeof(*s->enabled));
	uname(&s->uname);
	session_count_cpus(request->root, &s->info);
	s->raw = xcalloc(s->info.n_cpus, sizeof(*s->raw));
	s->stats = xcalloc(s->info.n_cpus, sizeof(*s->stats));
	for (unsigned int cpu = 0; cpu < s->info.n_cpus; cpu++)
		s->raw[cpu] = s->stats[cpu] = CLOSED;
	cleanup_push(session_end, s);
	if (tfs_find(&s->tfs, request->root, true, err))
		goto fail;
	s->info.reaped = reap(&s->tfs);
	if (set_up(s, err))
		goto fail;
	s->info.instance = s->path;
	s->info.group = s->group;
	s->info.kernel = s->uname.release;
	s->info.machine = s->uname.machine;
	s->info.mounted = s->tfs.mounted;
	s->info.new_ns = clock_now() - before;
	return s;
fail:
	session_free(s);
	return NULL;
}

int session_start(struct session *s, struct error *err)
{
	s->info.begin = clock_now();
	if (write(s->on, "1", 1) != 1)
		return error_errno(err, errno, "tracing can't be turned on");
	s->running = true;
	return 0;
}

/* An "enable", which is closed. "0": all below it are off; one that can't be read tells nothing. */
static bool is_off(int fd)
{
	char text = '1';

	if (fd < 0)
		return false;
	if (read(fd, &text, 1) != 1)
		text = '1';
	close(fd);
	return text == '0';
}

/* Some tools take everybody's away: of an event that is gone, nothing can be read. */
static bool probes_are_gone(const struct session *s)
{
	return s->probes && probes_count(s->probes) &&
	       !tfs_exists(&s->tfs, "%s/events/%s", s->path, s->group);
}

/* All that were enabled, a single one, or all of our probes. Without memory: it may be short. */
static bool events_are_off(const struct session *s)
{
	const struct session_event *e = s->request.events;
	bool off = is_off(session_open(s, O_RDONLY, "events/enable")) ||
		   is_off(session_open(s, O_RDONLY, "events/%s/enable", s->group)) ||
		   probes_are_gone(s);

	for (size_t i = 0; i < s->request.n_events && !off; i++)
		off = s->enabled[i] && e[i].system &&
		      is_off(session_open(s, O_RDONLY, "events/%s/%s/enable", e[i].system,
					  e[i].name));
	return off;
}

int session_stop(struct session *s, struct error *err)
{
	char was_on = '1';

	/* Files that have to be opened may let us wait: only when no more records come. */
	if (s->running && pread(s->on, &was_on, 1, 0) < 0)
		was_on = '1';
	if (s->on >= 0 && write(s->on, "0", 1) != 1)
		return error_errno(err, errno, "tracing can't be turned off");
	if (s->running) {
		s->info.end = clock_now();
		s->info.meddled = was_on == '0' || events_are_off(s);
	}
	s->running = false;
	return 0;
}

void session_free(struct session *s)
{
	if (!s)
		return;
	session_end(s);
	cleanup_pop();
	probes_free(s->probes);
	free(s->enabled);
	free(s->raw);
	free(s->stats);
	free(s);
}

bool session_has(const struct session *s, const char *system, const char *name)
{
	for (size_t i = 0; i < s->request.n_events; i++) {
		const struct session_event *e = &s->request.events[i];

		if (!e->system != !system || (system && strcmp(e->system, system)) ||
		    strcmp(e->name, name))
			continue;
		return s->enabled[i];
	}
	return s->probes && !system && probes_has(s->probes, name, false);
}

struct probes *session_probes(const struct session *s)
{
	return s->probes;
}

static char *read_format(void *ctx, const char *system, const char *name)
{
	const struct session *s = ctx;
	char *path = event_path(s, system, name);
	char *text = tfs_read(&s->tfs, "%s/format", path);

	free(path);
	return text;
}

struct format_source session_formats(const struct session *s)
{
	return (struct format_source){
		.format = read_format,
		.ctx = (void *)(uintptr_t)s,
		.long_size = s->layout.long_size,
		.big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
	};
}

struct page_layout session_layout(const struct session *s)
{
	return s->layout;
}

const struct session_info *session_info(const struct session *s)
{
	return &s->info;
}

static uint64_t stat_value(const char *text, const char *key)
{
	const char *p = strstr(text, key);

	return p ? strtoull(p + strlen(key), NULL, 10) : 0;
}

/* The text of a CPU's stats; its length, or -1. */
static ssize_t read_stats(const struct session *s, unsigned int cpu, char *text, size_t size)
{
	ssize_t n;

	if (s->stats[cpu] < 0)
		return path_read(&s->tfs.root, text, size, "%s/%s/per_cpu/cpu%u/stats", s->tfs.dir,
				 s->path, cpu);
	n = pread(s->stats[cpu], text, size - 1, 0);
	if (n >= 0)
		text[n] = '\0';
	return n;
}

int session_stats(const struct session *s, unsigned int cpu, struct session_stats *stats)
{
	char text[1024];

	if (read_stats(s, cpu, text, sizeof(text)) < 0)
		return -1;
	/* "commit overrun: " also ends in "overrun: ". */
	*stats = (struct session_stats){
		.entries = stat_value(text, "entries: "),
		.overrun = stat_value(text, "\noverrun: "),
		.dropped = stat_value(text, "\ndropped events: "),
		.read = stat_value(text, "\nread events: "),
	};
	return 0;
}

int session_open(const struct session *s, int flags, const char *fmt, ...)
{
	char file[PATH_MAX];
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(file, sizeof(file), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(file))
		return -ENAMETOOLONG;
	return path_open(&s->tfs.root, flags, "%s/%s/%s", s->tfs.dir, s->path, file);
}

/* More CPUs than files that a process may have open by default: the hard limit is far above it. */
static bool more_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return false;
	limit.rlim_cur = limit.rlim_max;
	return !setrlimit(RLIMIT_NOFILE, &limit);
}

/* Of those that may be open, so few are left that what is opened for a short while may fail. */
static bool few_left(int fd)
{
	enum { FEW = 16 };
	struct rlimit limit;

	return !getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur <= (rlim_t)fd + FEW;
}

int session_raw(struct session *s, unsigned int cpu)
{
	static const char file[] = "per_cpu/cpu%u/trace_pipe_raw";

	if (s->raw[cpu] >= 0)
		return s->raw[cpu];
	s->raw[cpu] = session_open(s, O_RDONLY | O_NONBLOCK, file, cpu);
	if (s->raw[cpu] == -EMFILE && more_files())
		s->raw[cpu] = session_open(s, O_RDONLY | O_NONBLOCK, file, cpu);
	else if (s->raw[cpu] >= 0 && few_left(s->raw[cpu]))
		more_files();
	return s->raw[cpu];
}

void session_hold_stats(struct session *s, unsigned int cpu)
{
	struct rlimit limit;

	if (s->stats[cpu] >= 0 || getrlimit(RLIMIT_NOFILE, &limit) ||
	    limit.rlim_cur < (rlim_t)3 * s->info.online + SPARE_FILES)
		return;
	s->stats[cpu] = session_open(s, O_RDONLY, "per_cpu/cpu%u/stats", cpu);
}

int session_mark(const struct session *s, const char *text)
{
	return tfs_write(&s->tfs, false, text, "%s/trace_marker", s->path);
}
