// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Part files of a recording: every record of a known number of system calls is in them, ring mode
 * keeps all of the newest and frees the rest, and what a crash or a full disk leaves is found
 * again.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/live/live.h"
#include "trace/clock.h"
#include "trace/parts.h"

struct recording {
	struct session_event event;
	char filter[64];
	struct session *session;
	struct parts *parts;
	struct load load;
	char file[TMP];
	struct error err;
};

static bool begin(struct recording *r, const struct parts_options *options, unsigned int subbuf_kb,
		  uint64_t buffer)
{
	struct parts_options o = *options;
	const struct session_request request = {
		.events = &r->event, .n_events = 1, .subbuf_kb = subbuf_kb, .buffer_size = buffer
	};

	o.file = r->file;
	r->load = load_new(CALLS);
	/* Whoever else makes such calls must not fill the files. */
	r->event = getppid_event();
	snprintf(r->filter, sizeof(r->filter), "%s && common_pid == %d", r->event.filter,
		 (int)r->load.pid);
	r->event.filter = r->filter;
	r->session = session_new(&request, &r->err);
	r->parts = r->session ? parts_new(r->session, &o, &r->err) : NULL;
	if (!ok(r->parts, "a recording begins"))
		diag("%s", r->err.text);
	else
		session_start(r->session, &r->err);
	return r->parts;
}

static void end(struct recording *r)
{
	session_stop(r->session, &r->err);
	ok(!parts_finish(r->parts, &r->err), "it ends");
}

static void leave(struct recording *r)
{
	parts_free(r->parts);
	session_free(r->session);
	load_free(&r->load);
}

static bool read_page(const struct tracedat_part *part, uint64_t at, void *page, size_t size)
{
	if (part->bytes)
		return memcpy(page, (const char *)part->bytes + at, size);
	return pread(part->fd, page, size, part->offset + at) == (ssize_t)size;
}

/* Records of the load in all parts, from a time on; the earliest time of any. */
static uint64_t count(struct parts *p, const struct page_layout *layout, int pid, uint64_t from,
		      uint64_t *earliest)
{
	struct tally t = { .pid = pid };
	void *page = xmalloc(layout->size);
	size_t n;
	const struct tracedat_part *list = parts_list(p, &n);
	uint64_t records = 0;

	*earliest = UINT64_MAX;
	for (size_t i = 0; i < n; i++) {
		for (uint64_t at = 0; at < list[i].size; at += layout->size) {
			struct page_walk walk;
			struct page_record rec;
			int who;

			if (!read_page(&list[i], at, page, layout->size) ||
			    page_begin(&walk, layout, page, layout->size)) {
				ok(false, "a page of a part can be read");
				break;
			}
			while (page_next(&walk, layout, &rec) == 1) {
				memcpy(&who, rec.data + 4, sizeof(who));
				records += who == t.pid && rec.time >= from;
				*earliest = min(*earliest, rec.time);
			}
		}
	}
	free(page);
	return records;
}

/* The last page that lies in memory. */
static const void *end_page(const struct tracedat_part *part, const struct page_layout *layout)
{
	return (const char *)part->bytes + part->size - layout->size;
}

/* Whether each CPU that is online has a part, and behind it says that records are missing. */
static bool ends_marked(struct parts *p, const struct page_layout *layout)
{
	size_t n, marked = 0;
	const struct tracedat_part *list = parts_list(p, &n);

	for (size_t i = 0; i < n; i++) {
		struct page_walk walk;

		if (!list[i].bytes)
			continue;
		if (page_begin(&walk, layout, end_page(&list[i], layout), layout->size) ||
		    !walk.lost || walk.lost_count != LOSS_UNKNOWN || walk.p != walk.end ||
		    (i && list[i - 1].cpu > list[i].cpu))
			return false;
		marked++;
	}
	return marked == (size_t)sysconf(_SC_NPROCESSORS_ONLN);
}

static bool no_marks(struct parts *p)
{
	size_t n;
	const struct tracedat_part *list = parts_list(p, &n);

	for (size_t i = 0; i < n; i++)
		if (list[i].bytes)
			return false;
	return n;
}

static void test_all(const char *folder, unsigned int subbuf_kb)
{
	struct recording r = { 0 };
	struct parts_result result;
	struct parts_options o = { 0 };
	uint64_t earliest;

	snprintf(r.file, sizeof(r.file), "%s/all.dat", folder);
	if (!begin(&r, &o, subbuf_kb, 0))
		return;
	struct page_layout layout = session_layout(r.session);

	for (int i = 0; i < 10; i++) {
		load_go(&r.load);
		load_wait(&r.load);
		ok(!parts_round(r.parts, UINT64_MAX, &result, &r.err), "a round");
	}
	end(&r);
	is_int(count(r.parts, &layout, r.load.pid, 0, &earliest), 10 * CALLS,
	       "every call is there");
	is_int(parts_lost(r.parts), 0, "nothing was lost");
	ok(no_marks(r.parts), "and no mark says so");
	ok(result.bytes > 10 * CALLS * 32 / 2, "the size is known");

	/* What lies there is not overwritten; nobody but the user may say that it is not needed. */
	o.file = r.file;
	ok(!parts_new(r.session, &o, &r.err) && strstr(r.err.text, "--recover"),
	   "parts that are there are not overwritten");
	struct parts *again = parts_recover(r.file, &layout, &r.err);

	ok(again && no_marks(again), "they are found again, and known to be whole");
	is_int(count(again, &layout, r.load.pid, 0, &earliest), 10 * CALLS, "with all calls");
	parts_free(again);
	parts_remove(r.parts);
	leave(&r);
	ok(!parts_recover(r.file, &layout, &r.err), "after removal none is left");
}

static void test_limit(const char *folder)
{
	struct recording r = { 0 };
	struct parts_result result = { 0 };
	int rounds = 0;

	snprintf(r.file, sizeof(r.file), "%s/limit.dat", folder);
	if (!begin(&r, &(struct parts_options){ .max_bytes = 1 << 20 }, 4, 0))
		return;
	while (!result.full && rounds++ < 100) {
		load_go(&r.load);
		load_wait(&r.load);
		parts_round(r.parts, UINT64_MAX, &result, &r.err);
	}
	ok(result.full, "the limit of size is reached");
	ok(result.bytes < 4 << 20, "and not by far exceeded");
	parts_remove(r.parts);
	leave(&r);
}

/* Disk space of a part, and its length. */
static void space(const char *file, uint64_t *used, uint64_t *length)
{
	*used = *length = 0;
	for (int cpu = 0; cpu < 64; cpu++) {
		char path[TMP + 16];
		struct stat st;

		snprintf(path, sizeof(path), "%s.cpu%d", file, cpu);
		if (stat(path, &st))
			continue;
		*used += (uint64_t)st.st_blocks * 512;
		*length += st.st_size;
	}
}

/* Whether the first page of each part whose begin was dropped has the mark of a loss. */
static bool marked(struct parts *p, const struct page_layout *layout)
{
	size_t n, dropped = 0;
	const struct tracedat_part *list = parts_list(p, &n);
	void *page = xmalloc(layout->size);
	bool all = true;

	for (size_t i = 0; i < n; i++) {
		struct page_walk walk;

		if (!list[i].offset)
			continue;
		dropped++;
		all &= pread(list[i].fd, page, layout->size, list[i].offset) ==
			       (ssize_t)layout->size &&
		       !page_begin(&walk, layout, page, layout->size) && walk.lost;
	}
	free(page);
	return all && dropped;
}

static void test_ring(const char *folder, uint64_t max_bytes)
{
	static const uint64_t last = 400000000;
	struct recording r = { 0 };
	struct parts_result result;
	uint64_t earliest, used, length, begins[1000];
	unsigned int n = 0, whole = 0;

	snprintf(r.file, sizeof(r.file), "%s/ring.dat", folder);
	if (!begin(&r, &(struct parts_options){ .last_ns = last, .max_bytes = max_bytes }, 4, 0))
		return;
	struct page_layout layout = session_layout(r.session);
	uint64_t until = clock_now() + 4 * last;

	while (clock_now() < until && n < ARRAY_SIZE(begins)) {
		begins[n++] = clock_now();
		load_go(&r.load);
		load_wait(&r.load);
		if (parts_round(r.parts, UINT64_MAX, &result, &r.err))
			diag("%s", r.err.text);
	}
	end(&r);
	uint64_t ended = session_info(r.session)->end;
	space(r.file, &used, &length);
	diag("%u times %d calls; %llu of %llu bytes on disk", n, CALLS, (unsigned long long)used,
	     (unsigned long long)length);
	if (max_bytes) {
		/* The pages that the last round found, and the holes that wait. */
		ok(result.bytes <= max_bytes + (2 << 20), "no more than the limit is held");
	} else {
		while (whole < n && begins[whole] < ended - last)
			whole++;
		is_int(count(r.parts, &layout, r.load.pid, whole < n ? begins[whole] : ended,
			     &earliest),
		       (n - whole) * CALLS, "all of the newest is there");
		ok(earliest >= ended - last, "and nothing older");
	}
	ok(used < length / 4 * 3, "the rest was given back to the disk");
	struct parts *again = parts_recover(r.file, &layout, &r.err);
	uint64_t here = count(r.parts, &layout, r.load.pid, 0, &earliest);

	ok(marked(again, &layout), "each part that isn't whole says so");
	ok(again && count(again, &layout, r.load.pid, 0, &earliest) >= here,
	   "after a crash as much is found");
	parts_free(again);
	parts_remove(r.parts);
	leave(&r);
}

static void test_full_disk(const char *folder)
{
	const struct rlimit small = { 1 << 20, RLIM_INFINITY },
			    any = { RLIM_INFINITY, RLIM_INFINITY };
	struct recording r = { 0 };
	struct parts_result result;
	uint64_t earliest;
	int ret = 0;

	snprintf(r.file, sizeof(r.file), "%s/full.dat", folder);
	if (!begin(&r, &(struct parts_options){ 0 }, 4, 0))
		return;
	struct page_layout layout = session_layout(r.session);

	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &small);
	for (int i = 0; i < 40 && !ret; i++) {
		load_go(&r.load);
		load_wait(&r.load);
		ret = parts_round(r.parts, UINT64_MAX, &result, &r.err);
	}
	setrlimit(RLIMIT_FSIZE, &any);
	ok(ret && strstr(r.err.text, "full.dat.cpu") && strstr(r.err.text, "--recover"),
	   "a disk that is full is told, and what to do");
	diag("%s", r.err.text);
	parts_free(r.parts);
	r.parts = parts_recover(r.file, &layout, &r.err);
	uint64_t n = count(r.parts, &layout, r.load.pid, 0, &earliest);

	diag("%llu records", (unsigned long long)n);
	ok(n > CALLS / 10, "what was written stays readable");
	parts_remove(r.parts);
	leave(&r);
}

static void test_crash(const char *folder)
{
	struct recording r = { 0 };
	struct parts_result result;
	uint64_t earliest;
	int fds[2], load_pid = 0;

	snprintf(r.file, sizeof(r.file), "%s/crash.dat", folder);
	if (pipe(fds))
		exit(1);
	fflush(stdout);
	pid_t pid = fork();

	if (!pid) {
		freopen("/dev/null", "w", stdout);
		if (!begin(&r, &(struct parts_options){ 0 }, 4, 0))
			_exit(1);
		for (int i = 0; i < 5; i++) {
			load_go(&r.load);
			load_wait(&r.load);
			parts_round(r.parts, UINT64_MAX, &result, &r.err);
		}
		kill(r.load.pid, SIGKILL);
		if (write(fds[1], &r.load.pid, sizeof(r.load.pid)) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	close(fds[1]);
	ok(read(fds[0], &load_pid, sizeof(load_pid)) == sizeof(load_pid), "a recording is killed");
	waitpid(pid, NULL, 0);
	close(fds[0]);
	struct session *s = session_new(&(struct session_request){ .subbuf_kb = 4 }, &r.err);
	struct page_layout layout = session_layout(s);

	session_free(s);
	r.parts = parts_recover(r.file, &layout, &r.err);
	ok(r.parts, "its parts are found");
	uint64_t n = count(r.parts, &layout, load_pid, 0, &earliest);

	ok(ends_marked(r.parts, &layout), "each CPU says that it isn't whole");
	ok(n > 4 * CALLS && n <= 5 * CALLS, "with all but the last pages");
	diag("%llu of %d", (unsigned long long)n, 5 * CALLS);
	parts_remove(r.parts);
	parts_free(r.parts);
}

/* Whether no CPU has more than a page of records, and none is missing before `time`. */
static bool few_pages(struct parts *p, const struct page_layout *layout, uint64_t time)
{
	size_t n;
	const struct tracedat_part *list = parts_list(p, &n);
	bool few = n;

	for (size_t i = 0; i < n; i++) {
		few &= list[i].bytes || list[i].size <= layout->size;
		few &= !list[i].bytes || page_time(layout, end_page(&list[i], layout)) >= time;
	}
	return few;
}

/*
 * CPUs that have too few records to fill a page: they are on disk all the same, now and then, in a
 * page for all of them; and up to when that is all.
 */
static void test_quiet(const char *folder)
{
	enum { BURSTS = 3, BURST = 5 };
	struct recording r = { 0 };
	struct session_event none = { "raw_syscalls", "sys_enter", "id == 999999", false };
	const struct session_request request = { .events = &none, .n_events = 1, .subbuf_kb = 64 };
	struct parts_options o = { .file = r.file };
	struct parts_result result;
	uint64_t earliest, last = 0;

	snprintf(r.file, sizeof(r.file), "%s/quiet.dat", folder);
	r.session = session_new(&request, &r.err);
	r.parts = r.session ? parts_new(r.session, &o, &r.err) : NULL;
	if (!ok(r.parts && !session_start(r.session, &r.err), "a recording of little begins"))
		return;
	struct page_layout layout = session_layout(r.session);

	parts_round(r.parts, UINT64_MAX, &result, &r.err);
	/* In the last round there is nothing. */
	for (int i = 0; i <= BURSTS; i++) {
		for (int k = 0; k < BURST && i < BURSTS; k++)
			session_mark(r.session, "a record");
		last = i < BURSTS ? clock_now() : last;
		usleep(1100000);
		parts_round(r.parts, 0, &result, &r.err);
	}
	/* As if it had been killed. */
	parts_free(r.parts);
	r.parts = parts_recover(r.file, &layout, &r.err);
	ok(ends_marked(r.parts, &layout), "killed, it says so");
	is_int((int64_t)count(r.parts, &layout, getpid(), 0, &earliest), BURSTS * BURST,
	       "all records are there");
	ok(few_pages(r.parts, &layout, last), "in few pages, and nothing is missing before that");
	parts_remove(r.parts);
	parts_free(r.parts);
	session_free(r.session);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	char folder[TMP / 2];

	need_tracefs("events/raw_syscalls/sys_enter/enable",
		     "this kernel has no raw_syscalls events");
	snprintf(folder, sizeof(folder), "%s/hvscope-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return 1;
	test_all(folder, 4);
	test_all(folder, 64);
	test_limit(folder);
	test_ring(folder, 0);
	test_ring(folder, 3 << 20);
	test_full_disk(folder);
	test_crash(folder);
	test_quiet(folder);
	ok(!rmdir(folder), "no file is left");
	return tap_done();
}
