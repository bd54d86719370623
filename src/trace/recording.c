// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Only what reading the records needs is collected: formats of the enabled events, not of the two
 * thousand others; the kernel's symbols only where a format prints addresses by name.
 */
#include "trace/recording.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/util.h"
#include "trace/ksyms.h"
#include "trace/saved-comms.h"
#include "trace/tracedat-write.h"
#include "trace/tracefs.h"

enum { TEXT_MAX = 16 << 20 };

struct recording {
	struct session *session;
	struct tracedat_contents contents;
	struct tracedat_event *events;
	struct tracedat_text *stats;
	struct saved_comms saved;
	char host[256];
	int head;     /* FILE.head, locked; -1: not made yet */
	char **texts; /* everything that the contents point to */
	size_t n_texts;
};

/* The text becomes the recording's; NULL is none. */
static struct tracedat_text keep(struct recording *r, char *text)
{
	if (!text)
		return (struct tracedat_text){ "", 0 };
	r->texts = xreallocarray(r->texts, r->n_texts + 1, sizeof(*r->texts));
	r->texts[r->n_texts++] = text;
	return (struct tracedat_text){ text, strlen(text) };
}

/* A file of the instance, whole; NULL when it can't be read. */
static char *read_all(int fd)
{
	size_t len = 0, room = 4096;
	char *text = xmalloc(room);
	ssize_t n;

	while ((n = read(fd, text + len, room - len - 1)) > 0 && len < TEXT_MAX) {
		len += (size_t)n;
		if (room - len < 2)
			text = xreallocarray(text, room *= 2, 1);
	}
	text[len] = '\0';
	if (n >= 0)
		return text;
	free(text);
	return NULL;
}

static char *read_file(const struct session *s, const char *name)
{
	int fd = session_open(s, O_RDONLY, "%s", name);
	char *text = fd < 0 ? NULL : read_all(fd);

	if (fd >= 0)
		close(fd);
	return text;
}

/* --- Events --- */

static void add_event(struct recording *r, const char *system, const char *name, char *format)
{
	struct tracedat_contents *c = &r->contents;

	if (!format)
		return;
	r->events = xreallocarray(r->events, c->n_events + 1, sizeof(*r->events));
	r->events[c->n_events++] = (struct tracedat_event){
		.system = keep(r, xstrdup(system)).text,
		.name = keep(r, xstrdup(name)).text,
		.format = keep(r, format),
	};
	c->events = r->events;
}

/* Those of the tracer itself: markers, stacks. */
static void add_ftrace(struct recording *r)
{
	int fd = session_open(r->session, O_RDONLY | O_DIRECTORY, "events/ftrace");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char path[300];

	for (struct dirent *e; dir && (e = readdir(dir));) {
		snprintf(path, sizeof(path), "events/ftrace/%s/format", e->d_name);
		if (e->d_name[0] != '.')
			add_event(r, "ftrace", e->d_name, read_file(r->session, path));
	}
	if (dir)
		closedir(dir);
}

static void add_enabled(struct recording *r, const struct session_event *events, size_t n)
{
	struct format_source formats = session_formats(r->session);
	struct probes *probes = session_probes(r->session);
	const char *group = session_info(r->session)->group;

	for (size_t i = 0; i < n; i++) {
		const struct session_event *e = &events[i];

		if (e->system && session_has(r->session, e->system, e->name))
			add_event(r, e->system, e->name,
				  formats.format(formats.ctx, e->system, e->name));
	}
	for (size_t i = 0; probes && i < probes_count(probes); i++) {
		const char *name = probes_event(probes, i)->name;

		add_event(r, group, name, formats.format(formats.ctx, NULL, name));
	}
}

static int by_name(const void *a, const void *b)
{
	const struct tracedat_event *one = a, *other = b;
	int order = strcmp(one->system, other->system);

	return order ? order : strcmp(one->name, other->name);
}

/* Systems in one run each, no event twice. */
static void sort_events(struct recording *r)
{
	size_t kept = 0, n = r->contents.n_events;

	if (n)
		qsort(r->events, n, sizeof(*r->events), by_name);
	for (size_t i = 0; i < n; i++)
		if (!kept || by_name(&r->events[kept - 1], &r->events[i]))
			r->events[kept++] = r->events[i];
	r->contents.n_events = kept;
}

/* %ps and the like: an address that is printed as a symbol. */
static bool prints_symbols(const struct recording *r)
{
	for (size_t i = 0; i < r->contents.n_events; i++) {
		const char *p = r->events[i].format.text;

		while (strcmp(r->events[i].system, "ftrace") && (p = strstr(p, "%p")) != NULL)
			if (strchr("sSfFB", *(p += 2)) && *p)
				return true;
	}
	return false;
}

/* --- The whole --- */

struct recording *recording_new(struct session *s, const struct session_event *events,
				size_t n_events, bool symbols, struct error *err)
{
	const struct session_info *info = session_info(s);
	const struct page_layout layout = session_layout(s);
	struct recording *r = xcalloc(1, sizeof(*r));
	struct tracedat_contents *c = &r->contents;
	struct tfs tfs;

	r->session = s;
	r->head = -1;
	*c = (struct tracedat_contents){
		.big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
		.long_size = layout.long_size,
		.page_size = layout.size,
		.header_page = keep(r, read_file(s, "events/header_page")),
		.header_event = keep(r, read_file(s, "events/header_event")),
		.clock = info->clock,
		.kernel = info->kernel,
		.machine = info->machine,
		.recorder = PACKAGE_STRING,
		.cpus = info->n_cpus,
	};
	if (!gethostname(r->host, sizeof(r->host) - 1) && *r->host)
		c->host = r->host;
	if (getrandom(&c->trace_id, sizeof(c->trace_id), GRND_NONBLOCK) < 0)
		c->trace_id = info->new_ns;
	add_ftrace(r);
	add_enabled(r, events, n_events);
	sort_events(r);
	if (!c->header_page.len || !c->n_events) {
		error_set(err, "the kernel doesn't tell the formats of its events");
		recording_free(r);
		return NULL;
	}
	if (!tfs_find(&tfs, NULL, false, NULL))
		c->printk = keep(r, tfs_read(&tfs, "printk_formats"));
	if (symbols || prints_symbols(r))
		c->kallsyms = keep(r, ksyms_text(NULL, NULL, NULL));
	return r;
}

void recording_free(struct recording *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_texts; i++)
		free(r->texts[i]);
	free(r->texts);
	free(r->events);
	free(r->stats);
	saved_comms_free(&r->saved);
	if (r->head >= 0)
		close(r->head);
	free(r);
}

/* What the kernel remembers of threads that came and went unseen. */
static char *other_comms(struct recording *r, const char *known)
{
	struct hash tids = { 0 };
	char *text = xstrdup("");

	for (const char *p = known; *p; p += strcspn(p, "\n"), p += *p == '\n')
		hash_insert(&tids, strtoul(p, NULL, 10), NULL);
	saved_comms_read(&r->saved);
	hash_each(&r->saved.names, entry)
	{
		char *more;

		if (hash_find(&tids, entry->key))
			continue;
		more = xasprintf("%s%u %s\n", text, (unsigned int)entry->key,
				 (char *)entry->value.p);
		free(text);
		text = more;
	}
	hash_free(&tids);
	return text;
}

void recording_see_comms(struct recording *r)
{
	saved_comms_read(&r->saved);
}

void recording_set_comms(struct recording *r, const char *comms)
{
	char *others = other_comms(r, comms);

	r->contents.cmdlines = keep(r, xasprintf("%s%s", comms, others));
	free(others);
}

static char *head_path(const char *file)
{
	return xasprintf("%s.head", file);
}

/* Held as long as the recording lasts, so that nobody joins or replaces what is being written. */
static int lock_head(const char *path, const char *file, int flags, struct error *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

	if (fd < 0)
		return error_errno(err, errno, "%s can't be opened (what %s will begin with)", path,
				   file);
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	error_set(err, "%s is being recorded by another run just now", file);
	close(fd);
	return -1;
}

int recording_may_begin(const char *file, struct error *err)
{
	char *path = head_path(file);
	int fd, ret = 0;

	if (!access(path, F_OK)) {
		fd = lock_head(path, file, 0, err);
		ret = fd < 0 ? -1 : close(fd);
	}
	free(path);
	return ret;
}

int recording_head(struct recording *r, const char *file, struct error *err)
{
	char *path = head_path(file);
	int ret = -1;

	r->head = lock_head(path, file, O_CREAT, err);
	/* One that is there is of a recording without parts: worth nothing. */
	if (r->head >= 0 && ftruncate(r->head, 0))
		error_errno(err, errno, "%s can't be written", path);
	else if (r->head >= 0)
		ret = tracedat_write(r->head, &r->contents, err);
	if (r->head >= 0 && ret)
		unlink(path);
	free(path);
	return ret;
}

void recording_remove(const char *file)
{
	char *path = head_path(file);

	unlink(path);
	free(path);
}

static void read_stats(struct recording *r)
{
	struct tracedat_contents *c = &r->contents;
	char path[64];

	r->stats = xcalloc(c->cpus, sizeof(*r->stats));
	for (unsigned int cpu = 0; cpu < c->cpus; cpu++) {
		char *text;

		snprintf(path, sizeof(path), "per_cpu/cpu%u/stats", cpu);
		text = read_file(r->session, path);
		if (!text)
			continue;
		r->stats[c->n_stats++] = keep(r, xasprintf("CPU: %u\n%s", cpu, text));
		free(text);
	}
	c->stats = r->stats;
}

int recording_write(struct recording *r, int fd, struct parts *parts, struct error *err)
{
	read_stats(r);
	r->contents.parts = parts_list(parts, &r->contents.n_parts);
	return tracedat_write(fd, &r->contents, err);
}

/* The parts that are there, with the head of the same recording. */
static int join(struct tracedat *head, const char *file, int fd, struct parts **parts,
		struct error *err)
{
	struct page_layout layout = tracedat_layout(head, tracedat_buffer(head, NULL));
	struct tracedat_contents contents;
	struct tracedat_event *events;
	int ret = -1;

	*parts = parts_recover(file, &layout, err);
	if (!*parts)
		return -1;
	if (!tracedat_contents(head, &contents, &events, err)) {
		contents.parts = parts_list(*parts, &contents.n_parts);
		ret = tracedat_write(fd, &contents, err);
	}
	free(events);
	return ret;
}

int recording_recover(const char *file, int fd, struct parts **parts, struct error *err)
{
	char *path = head_path(file);
	struct tracedat *head = NULL;
	int ret = -1, head_fd = -1;

	*parts = NULL;
	if (access(path, F_OK))
		error_set(err, "%s isn't there: nothing of an interrupted recording lies beside %s",
			  path, file);
	else
		head_fd = lock_head(path, file, 0, err);
	if (head_fd >= 0)
		head = tracedat_open_fd(head_fd, path, err);
	if (head)
		ret = join(head, file, fd, parts, err);
	tracedat_free(head);
	if (head_fd >= 0)
		close(head_fd);
	free(path);
	return ret;
}
