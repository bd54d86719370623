// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * splice(2) hands on full sub-buffers only, so the last ones of each CPU are read at the end. A
 * round takes no more from a CPU than its buffer holds, which is all that was there when it began;
 * until it is dry could be for ever.
 *
 * In ring mode a part grows at its end, and what is too old at its begin is given back to the file
 * system as a hole: offsets stay, space is freed. Old is what was written before a mark (a time and
 * an offset) that is older than the limit, so no record has to be looked at.
 *
 * Records that are missing without a sign would make false intervals. So at the end all CPUs are
 * cut at one time, from which on nothing was dropped; and where that time isn't known any more,
 * after a crash, the first sub-buffer of a CPU is marked: records are missing before it.
 *
 * After a crash each CPU's records end at a time of their own, for what was still in the kernel's
 * buffer is gone. There is no record that could have the mark of that loss, so a sub-buffer without
 * one follows, with the mark and the time of the last record. A CPU that has written nothing says
 * so by its part: it is there, and empty.
 *
 * A CPU with few records could be left so for hours. So one that filled no sub-buffer for a second
 * is read, what comes is put into the last sub-buffer of its part as long as that has room, and
 * when nothing comes the part's end says until when there was none.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "trace/barrier.h"
#include "trace/clock.h"
#include "trace/parts.h"

#define NEVER     UINT64_MAX
#define ROUND_MIN UINT64_C(10000000)
#define MARGIN    UINT64_C(10000000)
#define PIPE_SIZE (256 << 10)
#define HOLE_MIN  (UINT64_C(1) << 20) /* smaller holes wait until they are worth it */
#define MARKS     32
#define QUIET     UINT64_C(1000000000) /* a CPU that filled no page for so long isn't waited for */
#define SETTLED   UINT64_C(100000000)  /* a record that was begun so long ago is there */

enum { EXTEND_SIZE = 8 }; /* of an entry that is only time */

/* All records before `end` were written before `time`. */
struct part_mark {
	uint64_t time, end;
};

struct part {
	unsigned int cpu;
	int fd; /* -1: no records yet */
	char *path;
	uint64_t begin, end;           /* the bytes that count */
	uint64_t hole;                 /* freed up to here */
	unsigned char *after;          /* recovered: sub-buffers that say what is missing */
	size_t n_after;                /* so many */
	uint64_t moved;                /* when all that it had, or a full page, was moved */
	bool open;                     /* the page before `end` may take more records */
	uint64_t until;                /* recovered: then there were no more; NEVER: it is whole */
	struct part_mark marks[MARKS]; /* a ring; the oldest at `first` */
	unsigned int first, n_marks;
};

struct parts {
	struct session *session;
	struct watch *watch;
	struct parts_options options;
	char *file;
	struct part *parts;
	unsigned int n_parts;
	struct page_layout layout;
	size_t chunk;       /* what goes through the pipe at once */
	uint64_t round_max; /* from one CPU in a round */
	uint64_t before;    /* when the last round was */
	bool busy;          /* it found much */
	uint64_t complete;  /* from this time on nothing was dropped */
	int pipe[2];
	unsigned char *page, *tail;
	struct tracedat_part *list;
};

static char *part_path(const char *file, unsigned int cpu)
{
	return xasprintf("%s.cpu%u", file, cpu);
}

/* Parts of an earlier recording are somebody's data. */
static int refuse_leftovers(const struct parts *p, struct error *err)
{
	for (unsigned int i = 0; i < p->n_parts; i++) {
		if (access(p->parts[i].path, F_OK) && errno != ENOENT)
			return error_errno(err, errno, "%s can't be made", p->parts[i].path);
		if (!access(p->parts[i].path, F_OK))
			return error_set(err,
					 "%s is there, of a recording that was interrupted: "
					 "'hvscope record --recover -o %s' joins it, or remove it",
					 p->parts[i].path, p->file);
	}
	return 0;
}

static int open_pipe(struct parts *p, struct error *err)
{
	int size;

	if (pipe2(p->pipe, O_CLOEXEC))
		return error_errno(err, errno, "no pipe");
	fcntl(p->pipe[1], F_SETPIPE_SZ, PIPE_SIZE);
	size = fcntl(p->pipe[1], F_GETPIPE_SZ);
	/* A sub-buffer takes one of the pipe's places, whatever its size. */
	p->chunk = max(size / (int)sysconf(_SC_PAGESIZE), 1) * p->layout.size;
	return 0;
}

static struct parts *new_parts(const char *file, unsigned int n, const struct page_layout *layout)
{
	struct parts *p = xcalloc(1, sizeof(*p));

	p->file = xstrdup(file);
	p->layout = *layout;
	p->page = xmalloc(layout->size);
	p->tail = xmalloc(layout->size);
	p->pipe[0] = p->pipe[1] = -1;
	p->n_parts = n;
	p->parts = xcalloc(n + 1, sizeof(*p->parts));
	for (unsigned int i = 0; i < n; i++)
		p->parts[i] = (struct part){ .fd = -1, .cpu = i, .path = part_path(file, i) };
	return p;
}

struct parts *parts_new(struct session *s, const struct parts_options *options, struct error *err)
{
	const struct session_info *info = session_info(s);
	const struct page_layout layout = session_layout(s);
	struct parts *p = new_parts(options->file, info->n_cpus, &layout);

	p->session = s;
	p->options = *options;
	p->round_max = max(info->buffer_size, (uint64_t)p->layout.size);
	p->watch = watch_new(s, options->max_rate, options->sigmask);
	if (refuse_leftovers(p, err) || open_pipe(p, err) || watch_open(p->watch, err)) {
		parts_free(p);
		return NULL;
	}
	return p;
}

static int open_part(struct parts *p, struct part *part, struct error *err)
{
	if (part->fd >= 0)
		return 0;
	part->fd = open(part->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (part->fd >= 0)
		return 0;
	return error_errno(err, errno, "%s can't be made (parts of %s)", part->path, p->file);
}

/* From the first round on: after a crash a part without records isn't the same as none. */
static int open_parts(struct parts *p, struct error *err)
{
	for (unsigned int i = 0; i < p->n_parts; i++)
		if (watch_fd(p->watch, i) >= 0 && open_part(p, &p->parts[i], err))
			return -1;
	return 0;
}

/* A sub-buffer that was written by half doesn't count: part->end stays before it. */
static int write_failed(const struct parts *p, const struct part *part, ssize_t n,
			struct error *err)
{
	return error_errno(err, n < 0 ? errno : ENOSPC,
			   "%s can't be written; what was recorded so far stays, "
			   "'hvscope record --recover -o %s' joins it",
			   part->path, p->file);
}

/* What is in the pipe goes to the end of the part. */
static int drain_pipe(struct parts *p, struct part *part, size_t size, struct error *err)
{
	loff_t at = part->end;

	while (size) {
		ssize_t n = splice(p->pipe[0], NULL, part->fd, &at, size, SPLICE_F_MOVE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return write_failed(p, part, n, err);
		size -= n;
	}
	part->end = at;
	return 0;
}

/* Full sub-buffers of one CPU, at most as many as its buffer holds. */
static int move_full(struct parts *p, struct part *part, struct error *err)
{
	int fd = watch_fd(p->watch, part->cpu);
	uint64_t moved = 0;

	while (fd >= 0 && moved < p->round_max) {
		ssize_t n = splice(fd, NULL, p->pipe[1], NULL, p->chunk,
				   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

		if (n < 0 && errno == EINTR)
			continue;
		/* EAGAIN: no full one; whatever else a CPU that goes offline says: the same. */
		if (n <= 0)
			break;
		if (open_part(p, part, err) || drain_pipe(p, part, n, err))
			return -1;
		moved += n;
	}
	p->busy |= moved > p->round_max / 4;
	if (moved) {
		part->moved = p->before;
		part->open = false;
	}
	return 0;
}

/* The low half of `commit`, in which all its bits are. Recovered, it may be another machine's. */
static size_t commit_at(const struct page_layout *layout)
{
	bool big = layout->swap != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);

	return 8 + (big ? layout->long_size - 4 : 0);
}

static int write_at(const struct parts *p, const struct part *part, const void *from, size_t size,
		    uint64_t at, struct error *err)
{
	ssize_t written = pwrite(part->fd, from, size, (off_t)at);

	return written == (ssize_t)size ? 0 : write_failed(p, part, written, err);
}

/*
 * Whether the page that the part ends with, which is read, can take the records of p->page; *at:
 * where its own end, and the time of the last one. There may be an entry behind it which says that
 * nothing follows, and behind the data a number of lost records.
 */
static bool takes_more(struct parts *p, const struct part *part, const struct page_walk *more,
		       size_t *at, uint64_t *time)
{
	const struct page_layout *layout = &p->layout;
	const unsigned char *last;
	struct page_record rec;
	struct page_walk walk;

	if (pread(part->fd, p->tail, layout->size, (off_t)(part->end - layout->size)) !=
		    (ssize_t)layout->size ||
	    page_begin(&walk, layout, p->tail, layout->size) || walk.lost)
		return false;
	for (last = walk.p; page_next(&walk, layout, &rec) == 1;)
		last = walk.p;
	*at = (size_t)(last - p->tail);
	*time = walk.time;
	return last == walk.end && more->time >= *time &&
	       (more->time - *time) >> PAGE_DELTA_BITS <= UINT32_MAX &&
	       EXTEND_SIZE + (size_t)(more->end - more->p) <= layout->size - *at;
}

/* Puts the records of p->page into the page that the part ends with: 1, 0 it can't take them. */
static int join_pages(struct parts *p, struct part *part, struct error *err)
{
	const uint64_t page = part->end - p->layout.size;
	struct page_walk more;
	uint32_t extend[2], commit;
	uint64_t time;
	size_t at, len;

	if (!part->open || page_begin(&more, &p->layout, p->page, p->layout.size) || more.lost ||
	    !takes_more(p, part, &more, &at, &time))
		return 0;
	time = more.time - time;
	len = (size_t)(more.end - more.p);
	extend[0] = page_entry(PAGE_TYPE_TIME_EXTEND, time & ((1u << PAGE_DELTA_BITS) - 1));
	extend[1] = (uint32_t)(time >> PAGE_DELTA_BITS);
	commit = (uint32_t)(at + EXTEND_SIZE + len - p->layout.data);
	/* The length comes last: before that they aren't there. */
	if (write_at(p, part, extend, EXTEND_SIZE, page + at, err) ||
	    write_at(p, part, more.p, len, page + at + EXTEND_SIZE, err) ||
	    write_at(p, part, &commit, sizeof(commit), page + commit_at(&p->layout), err))
		return -1;
	return 1;
}

/* What is in p->page goes to the end of the part. */
static int keep_page(struct parts *p, struct part *part, struct error *err)
{
	int joined;

	if (open_part(p, part, err))
		return -1;
	joined = join_pages(p, part, err);
	if (joined)
		return min(joined, 0);
	if (write_at(p, part, p->page, p->layout.size, part->end, err))
		return -1;
	part->end += p->layout.size;
	part->open = true;
	return 0;
}

/* What a CPU has, in pages that are not full. 1: it has nothing. */
static int read_rest(struct parts *p, struct part *part, struct error *err)
{
	int fd = watch_fd(p->watch, part->cpu);
	uint64_t moved = 0;

	while (fd >= 0 && moved < p->round_max) {
		ssize_t n = read(fd, p->page, p->layout.size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)p->layout.size)
			return !moved && (n >= 0 || errno == EAGAIN);
		if (keep_page(p, part, err))
			return -1;
		moved += (uint64_t)n;
	}
	return 0;
}

/* Quiet CPUs. */

/*
 * Behind its pages a part says until when there were no more: `time`, by whose size it is told from
 * a page that was written by half. It isn't one of them: what comes is written over it. Where it
 * can't be written, after a crash less is known.
 */
static bool say_until(const struct part *part, uint64_t time)
{
	const uint64_t until[2] = { time };

	return pwrite(part->fd, until, sizeof(until), (off_t)part->end) == sizeof(until);
}

/* 0: it doesn't say. */
static uint64_t said_until(const struct parts *p, const struct part *part, uint64_t size)
{
	uint64_t until[2];

	if (size - part->end != sizeof(until) ||
	    pread(part->fd, until, sizeof(until), (off_t)part->end) != sizeof(until))
		return 0;
	if (until[1])
		return 0;
	return p->layout.swap ? __builtin_bswap64(until[0]) : until[0];
}

/*
 * Kernels before 6.1 splice no page that was read in part, and so none behind it ("ring-buffer:
 * Allow splice to read previous partially read pages"): there a buffer gets full unless it is read.
 */
static bool is_stuck(const struct parts *p, const struct part *part)
{
	return part->open && watch_ready(p->watch, part->cpu);
}

/* Those that filled no page for long: what they have is moved too, or said that it is nothing. */
static int settle(struct parts *p, uint64_t now, struct error *err)
{
	for (unsigned int i = 0; i < p->n_parts; i++) {
		struct part *part = &p->parts[i];
		int ret;

		part->moved = part->moved ? part->moved : now;
		if (part->fd < 0 || (now < part->moved + QUIET && !is_stuck(p, part)))
			continue;
		ret = read_rest(p, part, err);
		if (ret < 0)
			return -1;
		if (ret)
			say_until(part, now - SETTLED);
		part->moved = now;
	}
	return 0;
}

/* Ring mode. */

static void set_mark(const struct parts *p, struct part *part, uint64_t now)
{
	const struct part_mark *newest = &part->marks[(part->first + part->n_marks - 1) % MARKS];

	/* So many that the ring is never full, and none that says nothing. */
	if (part->n_marks &&
	    (now < newest->time + p->options.last_ns / (MARKS - 2) || part->end == newest->end))
		return;
	if (part->n_marks == MARKS) {
		part->first = (part->first + 1) % MARKS;
		part->n_marks--;
	}
	part->marks[(part->first + part->n_marks++) % MARKS] = (struct part_mark){ now, part->end };
	part->open = false; /* what comes isn't before the mark */
}

/* Up to its oldest mark a part doesn't count any more. */
static void drop_oldest(struct parts *p, struct part *part)
{
	p->complete = max(p->complete, part->marks[part->first].time);
	part->begin = part->marks[part->first].end;
	part->first = (part->first + 1) % MARKS;
	part->n_marks--;
}

/* Where the file system can't make holes the file only grows; that harms nobody but the disk. */
static void free_dropped(struct part *part)
{
	if (part->begin - part->hole < HOLE_MIN)
		return;
	fallocate(part->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, part->hole,
		  part->begin - part->hole);
	part->hole = part->begin;
}

static uint64_t held(const struct parts *p)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < p->n_parts; i++)
		bytes += p->parts[i].end - p->parts[i].begin;
	return bytes;
}

static struct part *oldest(const struct parts *p)
{
	struct part *best = NULL;

	for (unsigned int i = 0; i < p->n_parts; i++) {
		struct part *part = &p->parts[i];

		if (part->n_marks &&
		    (!best || part->marks[part->first].time < best->marks[best->first].time))
			best = part;
	}
	return best;
}

static void drop_old(struct parts *p, uint64_t now)
{
	uint64_t max_bytes = p->options.max_bytes;
	struct part *part;

	for (unsigned int i = 0; i < p->n_parts; i++)
		set_mark(p, &p->parts[i], now);
	while ((part = oldest(p)) && (part->marks[part->first].time + p->options.last_ns < now ||
				      (max_bytes && held(p) > max_bytes)))
		drop_oldest(p, part);
	for (unsigned int i = 0; i < p->n_parts; i++)
		free_dropped(&p->parts[i]);
}

int parts_round(struct parts *p, uint64_t until, struct parts_result *result, struct error *err)
{
	uint64_t now;

	*result = (struct parts_result){ .rate = watch_rate(p->watch) };
	result->interrupted = !watch_wait(p->watch, until, p->busy ? 0 : p->before + ROUND_MIN);
	p->before = now = clock_now();
	p->busy = false;
	if (open_parts(p, err))
		return -1;
	for (unsigned int i = 0; i < p->n_parts; i++)
		if (move_full(p, &p->parts[i], err))
			return -1;
	if (settle(p, now, err))
		return -1;
	/* What was moved was written before now, whenever the round began. */
	if (p->options.last_ns)
		drop_old(p, clock_now());
	result->bytes = held(p);
	result->full = !p->options.last_ns && p->options.max_bytes &&
		       result->bytes >= p->options.max_bytes;
	result->guard = watch_look(p->watch, now);
	result->rate = watch_rate(p->watch);
	return 0;
}

/*
 * A page without the records before a place in it: what is behind moves to its begin, and the
 * page's time is that of the record before, as the kernel does with a page that was read in part.
 */
static int cut_page(struct parts *p, struct part *part, const struct page_walk *at)
{
	const struct page_layout *layout = &p->layout;
	unsigned char *page = p->page;
	uint32_t left = at->end - at->p;

	memcpy(page, &at->time, sizeof(at->time));
	memcpy(page + commit_at(layout), &left, sizeof(left));
	memmove(page + layout->data, at->p, left);
	memset(page + layout->data + left, 0, layout->size - layout->data - left);
	return pwrite(part->fd, page, layout->size, part->begin) == (ssize_t)layout->size ? 0 : -1;
}

/* Whether the page at the part's begin has records from `time` on; cuts those before it. -1 I/O. */
static int cut_first(struct parts *p, struct part *part, uint64_t time)
{
	const struct page_layout *layout = &p->layout;
	struct page_walk walk, at;
	struct page_record rec;
	bool first = true;

	if (pread(part->fd, p->page, layout->size, part->begin) != (ssize_t)layout->size)
		return -1;
	if (page_begin(&walk, layout, p->page, layout->size))
		return 0;
	for (at = walk; page_next(&walk, layout, &rec) == 1; at = walk, first = false)
		if (rec.time >= time)
			return first || !cut_page(p, part, &at) ? 1 : -1;
	return 0;
}

/* Nothing older than `time` stays. */
static int cut_all(struct parts *p, uint64_t time, struct error *err)
{
	for (unsigned int i = 0; i < p->n_parts; i++) {
		struct part *part = &p->parts[i];
		int found = 0;

		while (part->begin < part->end && !(found = cut_first(p, part, time)))
			part->begin += p->layout.size;
		if (found < 0)
			return write_failed(p, part, -1, err);
	}
	return 0;
}

int parts_finish(struct parts *p, struct error *err)
{
	struct barrier *barrier = barrier_new(p->n_parts);

	/* Records that interrupts are still writing: wait for them. */
	if (barrier_pass(barrier) == BARRIER_MARGIN)
		watch_sleep(p->watch, MARGIN);
	barrier_free(barrier);
	watch_see(p->watch);
	p->round_max = NEVER;
	for (unsigned int i = 0; i < p->n_parts; i++)
		if (move_full(p, &p->parts[i], err) || read_rest(p, &p->parts[i], err) < 0)
			return -1;
	for (unsigned int i = 0; i < p->n_parts; i++)
		if (p->parts[i].fd >= 0)
			say_until(&p->parts[i], NEVER);
	if (!p->options.last_ns)
		return 0;
	uint64_t end = session_info(p->session)->end;

	return cut_all(p, max(p->complete, end - min(end, p->options.last_ns)), err);
}

/* Recovery. */

/* "NAME.cpu12" is of NAME: 12, else -1. */
static int cpu_of(const char *entry, const char *name)
{
	static const char between[] = ".cpu";
	size_t len = strlen(name);
	char *end;

	if (strncmp(entry, name, len) || strncmp(entry + len, between, sizeof(between) - 1))
		return -1;
	entry += len + sizeof(between) - 1;
	if (*entry < '0' || *entry > '9')
		return -1;
	long cpu = strtol(entry, &end, 10);

	return *end || cpu >= CPUSET_MAX ? -1 : (int)cpu;
}

/* How many CPUs there may be parts of. */
static unsigned int count_leftovers(const char *file)
{
	char *one = xstrdup(file), *other = xstrdup(file);
	const char *folder = dirname(one), *name = basename(other);
	DIR *dir = opendir(folder);
	unsigned int n = 0;

	for (struct dirent *e; dir && (e = readdir(dir));)
		n = max(n, (unsigned int)(cpu_of(e->d_name, name) + 1));
	if (dir)
		closedir(dir);
	free(one);
	free(other);
	return n;
}

/* Ring mode left a hole, or zeros where a file system has none: no sub-buffer begins so. */
static bool is_empty(const struct part *part)
{
	uint64_t header[2];

	return part->begin < part->end &&
	       pread(part->fd, header, sizeof(header), part->begin) == sizeof(header) &&
	       !header[0] && !header[1];
}

/* Bit 31 of `commit`: records were lost before this page. Bit 30, it is known how many: not so. */
static uint32_t commit_lost(const struct page_layout *layout, uint32_t commit)
{
	commit = layout->swap ? __builtin_bswap32(commit) : commit;
	commit = (commit | 1u << 31) & ~(1u << 30);
	return layout->swap ? __builtin_bswap32(commit) : commit;
}

static int mark_loss(const struct parts *p, const struct part *part, struct error *err)
{
	off_t at = part->begin + commit_at(&p->layout);
	uint32_t commit;

	if (pread(part->fd, &commit, sizeof(commit), at) != sizeof(commit))
		return error_errno(err, errno, "%s can't be read", part->path);
	commit = commit_lost(&p->layout, commit);
	if (pwrite(part->fd, &commit, sizeof(commit), at) != sizeof(commit))
		return error_errno(err, errno, "%s can't be written", part->path);
	return 0;
}

static int find_part(struct parts *p, struct part *part, struct error *err)
{
	struct stat st;

	part->fd = open(part->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (part->fd < 0 && errno == ENOENT)
		return 0;
	if (part->fd < 0 || fstat(part->fd, &st))
		return error_errno(err, errno, "%s can't be read", part->path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, "%s is no file", part->path);
	off_t data = lseek(part->fd, 0, SEEK_DATA);

	part->end = (uint64_t)st.st_size / p->layout.size * p->layout.size;
	part->begin = data > 0 ? (uint64_t)data / p->layout.size * p->layout.size : 0;
	part->begin = min(part->begin, part->end);
	part->until = said_until(p, part, (uint64_t)st.st_size);
	while (is_empty(part))
		part->begin += p->layout.size;
	return part->begin && part->begin < part->end ? mark_loss(p, part, err) : 0;
}

/* The sub-buffer at `at` into p->page; false: it can't be read. */
static bool read_page(struct parts *p, const struct part *part, uint64_t at)
{
	return pread(part->fd, p->page, p->layout.size, at) == (ssize_t)p->layout.size;
}

/* When the first record of any CPU was written; 0: there is none. */
static uint64_t first_time(struct parts *p)
{
	uint64_t first = UINT64_MAX;

	for (unsigned int i = 0; i < p->n_parts; i++) {
		const struct part *part = &p->parts[i];

		if (part->begin < part->end && read_page(p, part, part->begin))
			first = min(first, page_time(&p->layout, p->page));
	}
	return first == UINT64_MAX ? 0 : first;
}

/* When the part's last record was written; `first` when it has none. */
static uint64_t last_time(struct parts *p, const struct part *part, uint64_t first)
{
	const struct page_layout *layout = &p->layout;
	struct page_record rec;
	struct page_walk walk;

	if (part->begin == part->end || !read_page(p, part, part->end - layout->size))
		return first;
	if (page_begin(&walk, layout, p->page, layout->size))
		return page_time(layout, p->page);
	while (page_next(&walk, layout, &rec) == 1)
		;
	return walk.time;
}

static void put_time(const struct page_layout *layout, unsigned char *page, uint64_t time)
{
	time = layout->swap ? __builtin_bswap64(time) : time;
	memcpy(page, &time, sizeof(time));
}

/*
 * A sub-buffer without records, before which records were lost, nobody knows how many. When there
 * were none until a time that is known, one that begins then stands before it.
 */
static void mark_end(const struct parts *p, struct part *part, uint64_t last)
{
	const struct page_layout *layout = &p->layout;
	uint32_t commit = commit_lost(layout, 0);
	unsigned char *page;

	part->n_after = part->until > last ? 2 : 1;
	page = part->after = xcalloc(part->n_after, layout->size);
	if (part->n_after > 1) {
		put_time(layout, page, part->until);
		page += layout->size;
	}
	put_time(layout, page, max(part->until, last));
	memcpy(page + commit_at(layout), &commit, sizeof(commit));
}

static void mark_ends(struct parts *p)
{
	uint64_t first = first_time(p);

	for (unsigned int i = 0; i < p->n_parts; i++) {
		struct part *part = &p->parts[i];

		if (part->fd >= 0 && part->until != NEVER)
			mark_end(p, part, last_time(p, part, first));
	}
}

struct parts *parts_recover(const char *file, const struct page_layout *layout, struct error *err)
{
	unsigned int n = count_leftovers(file);

	if (!n) {
		error_set(err, "there are no parts of an interrupted recording (%s.cpu0 …)",
			  file);
		return NULL;
	}
	struct parts *p = new_parts(file, n, layout);

	for (unsigned int i = 0; i < n; i++) {
		if (find_part(p, &p->parts[i], err)) {
			parts_free(p);
			return NULL;
		}
	}
	mark_ends(p);
	return p;
}

const struct tracedat_part *parts_list(struct parts *p, size_t *n)
{
	free(p->list);
	p->list = xcalloc(2 * (size_t)p->n_parts + 1, sizeof(*p->list));
	*n = 0;
	for (unsigned int i = 0; i < p->n_parts; i++) {
		const struct part *part = &p->parts[i];

		if (part->fd >= 0 && part->begin < part->end)
			p->list[(*n)++] = (struct tracedat_part){
				.cpu = part->cpu,
				.fd = part->fd,
				.offset = part->begin,
				.size = part->end - part->begin,
			};
		if (part->after)
			p->list[(*n)++] = (struct tracedat_part){
				.cpu = part->cpu,
				.fd = -1,
				.size = part->n_after * p->layout.size,
				.bytes = part->after,
			};
	}
	return p->list;
}

bool parts_whole(const struct parts *p)
{
	for (unsigned int i = 0; i < p->n_parts; i++)
		if (p->parts[i].fd >= 0 && p->parts[i].until != NEVER)
			return false;
	return true;
}

uint64_t parts_lost(const struct parts *p)
{
	return p->watch ? watch_lost(p->watch) : 0;
}

void parts_remove(struct parts *p)
{
	for (unsigned int i = 0; i < p->n_parts; i++)
		if (p->parts[i].fd >= 0)
			unlink(p->parts[i].path);
}

void parts_free(struct parts *p)
{
	if (!p)
		return;
	for (unsigned int i = 0; i < p->n_parts; i++) {
		if (p->parts[i].fd >= 0)
			close(p->parts[i].fd);
		free(p->parts[i].path);
		free(p->parts[i].after);
	}
	for (int i = 0; i < 2; i++)
		if (p->pipe[i] >= 0)
			close(p->pipe[i]);
	watch_free(p->watch);
	free(p->parts);
	free(p->page);
	free(p->tail);
	free(p->file);
	free(p->list);
	free(p);
}
