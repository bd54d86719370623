// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The trace.dat reader against libtracecmd: on every capture (tests/traces, and the directories
 * that HVSCOPE_CAPTURES names, separated by spaces) and on files built here for what no capture
 * has (several buffers, clock options, zlib), all records of all CPUs have the same bytes, times
 * and losses, and the file gives the same facts, formats and names.
 */
#include <fcntl.h>
#include <ftw.h>
#include <kbuffer.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <trace-cmd.h>
#include <unistd.h>

#include "tests/leaks.h"
#include "tests/tap.h"
#include "tests/unit/tracedat-build.h"
#include "trace/tracedat.h"

/* --- all records of one CPU, ours and theirs --- */

/* Our pages, walked by libtraceevent's own walker. */
struct reader {
	const struct tracedat *t;
	struct tracedat_pages *pages;
	struct tracedat_clock clock;
	struct kbuffer *kbuf;
	unsigned int cpu;
	uint64_t page;
	bool begun;
	bool failed;
};

static struct reader reader_new(struct tracedat *t, const struct tracedat_buffer *b,
				unsigned int cpu)
{
	struct page_layout layout = tracedat_layout(t, b);
	bool big = layout.swap != tep_is_bigendian();
	struct reader r = {
		.t = t,
		.pages = tracedat_pages_new(t, b),
		.clock = tracedat_clock(t, b, cpu),
		.kbuf = kbuffer_alloc(layout.long_size == 8 ? KBUFFER_LSIZE_8 : KBUFFER_LSIZE_4,
				      big ? KBUFFER_ENDIAN_BIG : KBUFFER_ENDIAN_LITTLE),
		.cpu = cpu,
	};
	return r;
}

static void reader_free(struct reader *r)
{
	tracedat_pages_free(r->pages);
	kbuffer_free(r->kbuf);
}

/* The next record, NULL at the end; *missed as libtracecmd says it: -1 is an unknown number. */
static const void *reader_next(struct reader *r, uint64_t *time, int *size, long long *missed)
{
	unsigned long long raw;
	struct error err = { 0 };
	void *data;

	for (;;) {
		const void *page;
		size_t len;
		int ret;

		if (r->begun)
			kbuffer_next_event(r->kbuf, NULL);
		data = r->page ? kbuffer_read_event(r->kbuf, &raw) : NULL;
		r->begun = data;
		if (data)
			break;
		tracedat_pages_release(r->pages, r->cpu, r->page);
		ret = tracedat_pages_get(r->pages, r->cpu, r->page, &page, &len, &err);
		if (ret <= 0) {
			r->failed = ret < 0;
			return NULL;
		}
		r->page++;
		kbuffer_load_subbuffer(r->kbuf, (void *)(uintptr_t)page);
	}
	*time = tracedat_time(&r->clock, raw);
	*size = kbuffer_event_size(r->kbuf);
	*missed = kbuffer_missed_events(r->kbuf);
	return data;
}

/* Whether all records of a CPU are the same; *n counts them. */
static bool same_cpu(struct tracedat *t, const struct tracedat_buffer *b,
		     struct tracecmd_input *oracle, unsigned int cpu, uint64_t *n)
{
	struct reader r = reader_new(t, b, cpu);
	struct tep_record *rec = tracecmd_read_cpu_first(oracle, (int)cpu);
	bool same = true;
	uint64_t time;
	const void *data;
	int size;
	long long missed;

	while (same && (data = reader_next(&r, &time, &size, &missed))) {
		if (!rec || rec->ts != time || rec->size != size || rec->missed_events != missed ||
		    memcmp(rec->data, data, (size_t)size)) {
			diag("cpu %u record %" PRIu64 ": time %" PRIu64 ", theirs %llu", cpu, *n,
			     time, rec ? rec->ts : 0);
			same = false;
		}
		++*n;
		tracecmd_free_record(rec);
		rec = tracecmd_read_data(oracle, (int)cpu);
	}
	if (rec || r.failed)
		same = false;
	tracecmd_free_record(rec);
	reader_free(&r);
	return same;
}

static int count_record(struct tracecmd_input *handle, struct tep_record *rec, int cpu, void *ctx)
{
	uint64_t *n = ctx;

	(void)handle, (void)cpu, (void)rec;
	++*n;
	return 0;
}

/* One buffer of a file; `what` names it. */
static void compare_buffer(struct tracedat *t, const struct tracedat_buffer *b,
			   struct tracecmd_input *oracle, const char *what)
{
	unsigned int cpu;
	uint64_t n = 0, theirs = 0;
	bool same = true;

	tracecmd_iterate_events(oracle, NULL, 0, count_record, &theirs);
	for (cpu = 0; cpu < tracedat_buffer_cpus(b); cpu++)
		if (tracedat_buffer_pages(b, cpu))
			same &= same_cpu(t, b, oracle, cpu, &n);
	ok(same, "%s: all records of all CPUs are libtracecmd's", what);
	is_int(n, theirs, "and none is missing");
}

/* --- formats and names --- */

static void compare_formats(struct tracedat *t, struct tep_handle *tep)
{
	struct tep_event **list = tep_list_events(tep, TEP_EVENT_SORT_ID);
	int i, n = tep_get_events_count(tep), wrong = 0, invented = 0;
	struct tracedat_event event;
	struct error err = { 0 };
	size_t found = 0;

	for (i = 0; i < n; i++) {
		if (!strcmp(list[i]->name, "blktrace")) { /* its own invention */
			invented++;
			continue;
		}
		if (tracedat_event(t, list[i]->system, list[i]->name, &event, &err) != 1 ||
		    event.id != list[i]->id || !event.format.len)
			wrong++;
	}
	is_int(wrong, 0, "every event that libtracecmd parsed is found by name, with its id");
	while (tracedat_event_at(t, found, &event, &err) == 1)
		found++;
	ok(found >= (size_t)(n - invented), "and no fewer are listed");
	is_int(tracedat_event(t, "kvm", "no_such_event", &event, &err), 0, "another one isn't");
}

static void compare_comms(struct tracedat *t, struct tep_handle *tep)
{
	int tid, wrong = 0;

	for (tid = 1; tid < 1000; tid++) {
		const char *ours = tracedat_comm(t, tid);
		const char *theirs = tep_is_pid_registered(tep, tid) ?
					     tep_data_comm_from_pid(tep, tid) :
					     NULL;

		if (ours ? !theirs || strcmp(ours, theirs) : !!theirs)
			wrong++;
	}
	is_int(wrong, 0, "threads have the same names");
}

static void compare_facts(struct tracedat *t, struct tracecmd_input *oracle)
{
	const struct tracedat_facts *f = tracedat_facts(t);
	struct tep_handle *tep = tracecmd_get_tep(oracle);
	struct page_layout layout = tracedat_layout(t, tracedat_buffer(t, NULL));

	is_int(f->trace_id, tracecmd_get_traceid(oracle), "the recording's id");
	is_int(f->cpus, tep_get_cpus(tep), "CPUs of the machine");
	is_int(f->long_size, tep_get_header_page_size(tep), "size of a long");
	is_int(f->big_endian, tep_is_file_bigendian(tep), "byte order");
	is_int(layout.data, (int)(8 + f->long_size), "records begin behind time and length");
}

static void compare_file(const char *path)
{
	struct error err = { 0 };
	struct tracedat *t = tracedat_open(path, &err);
	struct tracecmd_input *oracle;
	size_t i;

	if (!ok(t, "%s: opens", path)) {
		diag("%s", err.text);
		return;
	}
	oracle = tracecmd_open(path, TRACECMD_FL_LOAD_NO_PLUGINS);
	if (!oracle) {
		skip("libtracecmd can't read it", "comparison with libtracecmd");
		tracedat_free(t);
		return;
	}
	compare_facts(t, oracle);
	compare_formats(t, tracecmd_get_tep(oracle));
	compare_comms(t, tracecmd_get_tep(oracle));
	compare_buffer(t, tracedat_buffer(t, NULL), oracle, "top buffer");
	for (i = 0; i < (size_t)tracecmd_buffer_instances(oracle); i++) {
		const char *name = tracecmd_buffer_instance_name(oracle, (int)i);
		struct tracecmd_input *other = tracecmd_buffer_instance_handle(oracle, (int)i);
		const struct tracedat_buffer *b = tracedat_buffer(t, name);

		if (!other) { /* empty ones it can't give */
			diag("libtracecmd has no records of buffer %s", name);
			continue;
		}
		if (ok(b, "it has buffer %s", name))
			compare_buffer(t, b, other, name);
		tracecmd_close(other);
	}
	tracecmd_close(oracle);
	tracedat_free(t);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	size_t len = strlen(path);

	(void)st, (void)ftw;
	if (type == FTW_F && len > 4 && !strcmp(path + len - 4, ".dat"))
		compare_file(path);
	return 0;
}

static void test_captures(const char *top)
{
	char *path = NULL, *more = getenv("HVSCOPE_CAPTURES");
	char *list, *dir, *save;

	if (asprintf(&path, "%s/tests/traces", top) > 0)
		nftw(path, visit, 16, FTW_PHYS);
	free(path);
	list = strdup(more ? more : "");
	for (dir = strtok_r(list, " ", &save); dir; dir = strtok_r(NULL, " ", &save))
		nftw(dir, visit, 16, FTW_PHYS);
	free(list);
}

/* --- files built here --- */

static char *text_copy(struct tracedat_text text)
{
	return strndup(text.text, text.len);
}

/* What the built files consist of: one event's format and the pages of a capture. */
struct parts {
	char *header_page, *header_event, *format;
	struct blob cpu[2];
};

static struct parts parts_read(const char *top)
{
	struct parts parts = { 0 };
	struct tracedat_event event;
	struct error err = { 0 };
	struct tracedat_pages *pages;
	struct tracedat *t;
	const void *page;
	unsigned int cpu;
	char *path = NULL;
	uint64_t n;
	size_t len;

	if (asprintf(&path, "%s/tests/traces/xen/xen-small.v6.dat", top) < 0)
		abort();
	t = tracedat_open(path, &err);
	free(path);
	if (!t || tracedat_event(t, "xen", "xen_mc_entry", &event, &err) != 1) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	parts.header_page = text_copy(tracedat_header_page(t));
	parts.header_event = text_copy(tracedat_header_event(t));
	parts.format = text_copy(event.format);
	pages = tracedat_pages_new(t, tracedat_buffer(t, NULL));
	for (cpu = 0; cpu < 2; cpu++)
		for (n = 0; tracedat_pages_get(pages, cpu, n, &page, &len, &err) == 1; n++)
			put(&parts.cpu[cpu], page, len);
	tracedat_pages_free(pages);
	tracedat_free(t);
	return parts;
}

static void parts_free(struct parts *parts)
{
	free(parts->header_page);
	free(parts->header_event);
	free(parts->format);
	free(parts->cpu[0].p);
	free(parts->cpu[1].p);
}

static struct build plan(const struct parts *parts, int version, const char *compression)
{
	struct build f = {
		.version = version,
		.compression = compression,
		.header_page = parts->header_page,
		.header_event = parts->header_event,
		.system = "xen",
		.format = parts->format,
		.kallsyms = "ffffffff81000000 T _stext\nffffffff81000010 T startup_64\n",
		.printk = "0xffffffff82000000 : \"hello\"\n",
		.cmdlines = "1 init\n42 some name\n43 CPU 0/KVM\n",
		.buffers = 1,
		.buffer = { { .name = "", .clock = "mono", .cpus = 2,
			      .cpu = { parts->cpu[0], parts->cpu[1] } } },
	};
	return f;
}

/* Writes a built file where libtracecmd can open it; the caller frees the name and unlinks it. */
static char *store(const struct blob *b)
{
	const char *dir = getenv("TMPDIR");
	char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/hvscope-tracedat-XXXXXX", dir ? dir : "/tmp") < 0)
		abort();
	fd = mkstemp(path);
	if (fd < 0 || write(fd, b->p, b->len) != (ssize_t)b->len) {
		printf("Bail out! no room for %s\n", path);
		exit(1);
	}
	close(fd);
	return path;
}

static void compare_built(const struct build *f, const char *what)
{
	struct blob b = build_file(f);
	char *path = store(&b);

	diag("%s, version %d, %s", what, f->version, f->version == 7 ? f->compression : "plain");
	compare_file(path);
	unlink(path);
	free(path);
	free(b.p);
}

static void test_buffers(const struct parts *parts)
{
	static const struct {
		int version;
		const char *compression;
	} kinds[] = { { 6, "none" }, { 7, "none" }, { 7, "zstd" }, { 7, "zlib" } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct build f = plan(parts, kinds[i].version, kinds[i].compression);

		if (!build_has(kinds[i].compression))
			continue;
		f.buffers = 3;
		f.buffer[1] = (struct build_buffer){
			"guests", "mono", 2, { parts->cpu[1] }, false
		};
		f.buffer[2] = (struct build_buffer){
			"one", "mono", 1, { parts->cpu[0] }, true
		};
		compare_built(&f, "several buffers");
	}
}

/* --- clock options --- */

static void put_option(struct blob *b, int id, const void *p, size_t len)
{
	put_u16(b, (uint16_t)id);
	put_u32(b, (uint32_t)len);
	put(b, p, len);
}

enum { SHIFT_INTERPOLATE = 1, SHIFT_FRACTION = 2 };

/* TIME_SHIFT for 2 CPUs with n samples each that start at time `from` and are `step` apart. */
static void put_shift(struct blob *b, int flags, uint32_t n, int64_t from, int64_t step)
{
	struct blob o = { 0 };
	uint32_t cpu, i;

	put_u64(&o, 0x1234);
	put_u32(&o, flags & SHIFT_INTERPOLATE);
	put_u32(&o, 2);
	for (cpu = 0; cpu < 2; cpu++) {
		put_u32(&o, n);
		for (i = 0; i < n; i++) /* descending: the reader sorts */
			put_u64(&o, (uint64_t)(from + step * (n - 1 - i)));
		for (i = 0; i < n; i++)
			put_u64(&o, (uint64_t)(-70000 * (int64_t)i * i + 12345 * cpu));
		for (i = 0; i < n; i++)
			put_u64(&o, flags & SHIFT_FRACTION ? (1 << 20) + i : 1);
	}
	for (cpu = 0; cpu < 2 && flags & SHIFT_FRACTION; cpu++)
		for (i = 0; i < n; i++)
			put_u64(&o, 20);
	put_option(b, 12, o.p, o.len);
	free(o.p);
}

static void put_tsc(struct blob *b, uint32_t mult, uint32_t shift)
{
	struct blob o = { 0 };

	put_u32(&o, mult);
	put_u32(&o, shift);
	put_u64(&o, 999);
	put_option(b, 14, o.p, o.len);
	free(o.p);
}

static void compare_clock(const struct parts *parts, const struct blob *options, const char *what)
{
	struct build f = plan(parts, 6, "none");

	f.options = *options;
	f.buffers = 2;
	f.buffer[1] = (struct build_buffer){ "other", "mono", 2, { parts->cpu[1] }, false };
	compare_built(&f, what);
	f.version = 7;
	compare_built(&f, what);
}

static void test_clocks(const struct parts *parts)
{
	uint64_t first;
	struct blob b = { 0 };
	uint32_t n;
	int flags;

	memcpy(&first, parts->cpu[0].p, sizeof(first));
	put_option(&b, 7, "-1000000000", 12);
	put_option(&b, 1, "0x12345", 8);
	compare_clock(parts, &b, "options OFFSET and DATE");
	free(b.p);
	b = (struct blob){ 0 };
	put_tsc(&b, 4000000001u, 31);
	compare_clock(parts, &b, "option TSC2NSEC");
	put_option(&b, 7, "77", 3);
	for (flags = 0; flags < 4; flags++) {
		for (n = 1; n < 9; n++) {
			struct blob s = { 0 };

			put(&s, b.p, flags & 1 ? b.len : 0);
			put_shift(&s, flags, n, (int64_t)first - 2000000, 3000000);
			compare_clock(parts, &s, "option TIME_SHIFT");
			free(s.p);
		}
	}
	free(b.p);
}

/* --- a file that only libtracecmd knows --- */

/* Whether a CPU's records are the same in two files, each by its own reader; *n counts them. */
static bool same_in_both(struct tracedat *a, const struct tracedat_buffer *x, struct tracedat *b,
			 const struct tracedat_buffer *y, unsigned int cpu, uint64_t *n)
{
	struct reader r = reader_new(a, x, cpu), q = reader_new(b, y, cpu);
	uint64_t time, other_time;
	const void *data, *other;
	int size, other_size;
	long long missed, other_missed;
	bool same = true;

	while (same && (data = reader_next(&r, &time, &size, &missed))) {
		other = reader_next(&q, &other_time, &other_size, &other_missed);
		same = other && time == other_time && size == other_size &&
		       missed == other_missed && !memcmp(data, other, (size_t)size);
		++*n;
	}
	same &= !reader_next(&q, &other_time, &other_size, &other_missed) && !q.failed;
	reader_free(&r);
	reader_free(&q);
	return same;
}

static void compare_foreign(struct tracedat *ours, struct tracedat *foreign)
{
	const struct tracedat_buffer *x, *y;
	struct tracedat_event e, f;
	struct error err = { 0 };
	bool same = true;
	uint64_t n = 0;
	size_t i;
	unsigned int cpu;

	ok(tracedat_facts(foreign)->foreign && !tracedat_facts(ours)->foreign, "it is foreign");
	is_int(tracedat_facts(foreign)->trace_id, tracedat_facts(ours)->trace_id, "its id");
	is_str(tracedat_comm(foreign, 43), tracedat_comm(ours, 43), "a thread's name");
	ok(tracedat_event(ours, "xen", "xen_mc_entry", &e, &err) == 1 &&
		   tracedat_event(foreign, "xen", "xen_mc_entry", &f, &err) == 1 && e.id == f.id,
	   "an event");
	for (i = 0; (x = tracedat_buffer_at(ours, i)); i++) {
		y = tracedat_buffer(foreign, tracedat_buffer_name(x));
		same &= !!y;
		for (cpu = 0; cpu < tracedat_buffer_cpus(x) && same; cpu++)
			same = same_in_both(ours, x, foreign, y, cpu, &n);
	}
	ok(same && n, "all records of all buffers");
}

static void test_foreign(const struct parts *parts, int version, const char *compression)
{
	struct build f = plan(parts, version, compression);
	struct tracedat *ours, *foreign;
	struct error err = { 0 };
	char *path, *odd_path;
	struct blob b;

	f.buffers = 2;
	f.buffer[1] = (struct build_buffer){ "guests", "mono", 2, { parts->cpu[1] }, false };
	put_tsc(&f.options, 4000000001u, 31);
	put_option(&f.options, 7, "77", 3);
	put_option(&f.options, 11, "\1\2\3\4\5\6\7\10", 8);
	b = build_file(&f);
	path = store(&b);
	free(b.p);
	f.odd = true;
	b = build_file(&f);
	odd_path = store(&b);
	free(b.p);
	ours = tracedat_open(path, &err);
	foreign = tracedat_open(odd_path, &err);
	if (ok(ours && foreign, "version 0%d, %s, opens", version, compression))
		compare_foreign(ours, foreign);
	else
		diag("%s", err.text);
	tracedat_free(ours);
	tracedat_free(foreign);
	unlink(path);
	unlink(odd_path);
	free(path);
	free(odd_path);
	free(f.options.p);
}

/* --- facts and texts --- */

static void is_text(struct tracedat_text text, const char *want, const char *name)
{
	char *copy = strndup(text.text ? text.text : "", text.len);

	is_str(copy, want, name);
	free(copy);
}

static void test_facts(const struct parts *parts, int version, const char *compression)
{
	struct build f = plan(parts, version, compression);
	struct error err = { 0 };
	struct tracedat_text text;
	const struct tracedat_facts *facts;
	struct tracedat *t;
	struct blob b;
	char *path;

	put_option(&f.options, 5, "Linux (none) 6.1.0-56-amd64 x86_64", 35);
	put_option(&f.options, 9, "3.1.6", 6);
	put_option(&f.options, 2, "CPU: 0\nentries: 1\ndropped events: 7\n", 37);
	put_option(&f.options, 2, "CPU: 1\nentries: 1\ndropped events: 5\n", 37);
	put_option(&f.options, 999, "what nobody knows", 17);
	b = build_file(&f);
	path = store(&b);
	t = tracedat_open(path, &err);
	unlink(path);
	if (!ok(t, "version %d with facts opens", version))
		return;
	facts = tracedat_facts(t);
	is_int(facts->version, version, "version");
	is_str(facts->compression, version == 6 ? "none" : compression, "compression");
	is_str(facts->kernel, "6.1.0-56-amd64", "kernel");
	is_str(facts->machine, "x86_64", "machine");
	is_str(facts->host, NULL, "a host without a name has none");
	is_str(facts->recorder, "3.1.6", "recorder");
	is_int(facts->dropped, 12, "records that the kernel had no room for");
	is_str(tracedat_buffer_clock(tracedat_buffer(t, "")), "mono", "clock");
	ok(tracedat_clock_is_ns(t, tracedat_buffer(t, NULL)), "its times are ns");
	ok(!tracedat_buffer(t, "nobody"), "no other buffer");
	is_int(tracedat_buffer_bytes(tracedat_buffer(t, NULL)),
	       parts->cpu[0].len + parts->cpu[1].len, "bytes of records");
	is_int(tracedat_kallsyms(t, &text, &err), 0, "symbols");
	is_text(text, f.kallsyms, "are the text");
	is_int(tracedat_printk(t, &text, &err), 0, "formats of trace_printk");
	is_text(text, f.printk, "are the text");
	is_text(tracedat_header_event(t), f.header_event, "header_event");
	is_str(tracedat_comm(t, 43), "CPU 0/KVM", "name of a thread, with its blank");
	is_str(tracedat_comm(t, 44), NULL, "none of an unknown one");
	tracedat_free(t);
	free(f.options.p);
	free(b.p);
	free(path);
}

/* --- many chunks, in bounded memory --- */

/* A capture's pages, over and over, each with its number where its time stamp is. */
static struct blob many_pages(const struct parts *parts, uint64_t n)
{
	struct blob b = { .p = malloc(n * BUILD_PAGE + 1), .len = n * BUILD_PAGE };
	uint64_t i;

	for (i = 0; i < n; i++) {
		memcpy(b.p + i * BUILD_PAGE, parts->cpu[0].p, BUILD_PAGE);
		memcpy(b.p + i * BUILD_PAGE, &i, sizeof(i));
	}
	return b;
}

static void test_chunks(const struct parts *parts, const char *compression, unsigned int chunk,
			uint64_t n)
{
	struct build f = plan(parts, 7, compression);
	struct blob pages = many_pages(parts, n);
	struct error err = { 0 };
	struct tracedat_pages *reader;
	size_t before, grown = 0, size = 0;
	const void *page;
	struct tracedat *t;
	uint64_t i, stamp, wrong = 0;
	struct blob b;
	char *path;

	f.chunk = chunk;
	f.buffer[0].cpu[0] = pages;
	b = build_file(&f);
	path = store(&b);
	t = tracedat_open(path, &err);
	unlink(path);
	if (!ok(t, "%s: %" PRIu64 " pages in chunks of %u bytes", compression, n, chunk))
		return;
	reader = tracedat_pages_new(t, tracedat_buffer(t, NULL));
	before = mallinfo2().uordblks;
	for (i = 0; i < n; i++) {
		if (tracedat_pages_get(reader, 0, i, &page, &size, &err) != 1 ||
		    size != BUILD_PAGE ||
		    memcmp(page, pages.p + i * BUILD_PAGE, BUILD_PAGE))
			wrong++;
		tracedat_pages_release(reader, 0, i);
		grown = max(grown, (size_t)mallinfo2().uordblks - before);
	}
	is_int(wrong, 0, "one after the other, each is right");
	ok(grown < 3 * (chunk + 256), "and no more than two chunks are held (%zu bytes)", grown);
	for (i = 0, wrong = 0; i < 2000; i++) {
		uint64_t k = i * 7919 % n;

		if (tracedat_pages_get(reader, 0, k, &page, &size, &err) != 1)
			wrong++;
		memcpy(&stamp, page, sizeof(stamp));
		wrong += stamp != k;
		tracedat_pages_release(reader, 0, n);
	}
	is_int(wrong, 0, "in any order, each is right");
	is_int(tracedat_pages_get(reader, 0, n, &page, &size, &err), 0, "behind the last is none");
	is_int(tracedat_pages_get(reader, 9, 0, &page, &size, &err), 0, "nor on another CPU");
	tracedat_pages_free(reader);
	tracedat_free(t);
	free(pages.p);
	free(b.p);
	free(path);
}

/* --- what can't be mapped, what is no trace --- */

static void test_pipe(const struct parts *parts)
{
	struct build f = plan(parts, 6, "none");
	struct blob b = build_file(&f);
	struct error err = { 0 };
	struct tracedat *t;
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		abort();
	pid = fork();
	if (!pid) {
		size_t at = 0;
		ssize_t n = 1;

		for (; at < b.len && n > 0; at += (size_t)n)
			n = write(fds[1], b.p + at, b.len - at);
		_exit(0);
	}
	close(fds[1]);
	t = tracedat_open_fd(fds[0], "a pipe", &err);
	close(fds[0]);
	waitpid(pid, NULL, 0);
	if (ok(t, "a pipe is read"))
		is_int(tracedat_buffer_bytes(tracedat_buffer(t, NULL)),
		       parts->cpu[0].len + parts->cpu[1].len, "wholly");
	tracedat_free(t);
	free(b.p);
}

static void refused(const void *p, size_t len, const char *words)
{
	struct blob b = { .p = (unsigned char *)(uintptr_t)p, .len = len };
	char *path = store(&b);
	struct error err = { 0 };
	struct tracedat *t = tracedat_open(path, &err);

	if (!ok(!t && err.status == 1 && strstr(err.text, words) && strstr(err.text, path),
		"refused: %s", words))
		diag("%s", err.text);
	tracedat_free(t);
	unlink(path);
	free(path);
}

static void test_refusals(const struct parts *parts)
{
	struct build f = plan(parts, 6, "none");
	struct blob b = build_file(&f);
	struct error err = { 0 };

	ok(!tracedat_open("/nonexistent/trace.dat", &err) && strstr(err.text, "No such file"),
	   "a file that isn't there");
	ok(!tracedat_open("/", &err) && strstr(err.text, "is a directory"), "a directory");
	refused("", 0, "is empty");
	refused("hello\n", 6, "is no trace.dat");
	refused("PERFILE2........", 16, "perf kvm stat report");
	refused(b.p, 11, "is cut short");
	refused(b.p, 300, "is cut short");
	refused(b.p, b.len - 1, "the records of CPU 1 aren't whole");
	refused("\x17\x08\x44tracing8\0\0\x08", 14, "of version \"8\"");
	refused("\x17\x08\x44tracing7\0\0\x08\0\x10\0\0lz4\0001\0", 24,
		"compressed with \"lz4\"");
	refused("\x17\x08\x44tracing7\0\0\x08\0\x10\0\0none\0001\0\0\0\0\0\0\0\0", 33,
		"was never finished");
	free(b.p);
}

int main(void)
{
	static const char *const compressions[] = { "none", "zlib", "zstd" };
	const char *top = tap_source();
	struct parts parts;
	size_t i;

	tracecmd_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	test_captures(top);
	parts = parts_read(top);
	test_buffers(&parts);
	test_clocks(&parts);
	test_facts(&parts, 6, "none");
	test_foreign(&parts, 6, "none");
	for (i = 0; i < ARRAY_SIZE(compressions); i++) {
		if (!build_has(compressions[i])) {
			skip("this build lacks it", compressions[i]);
			continue;
		}
		test_facts(&parts, 7, compressions[i]);
		if (strcmp(compressions[i], "zlib")) /* libtracecmd may lack it */
			test_foreign(&parts, 7, compressions[i]);
		if (i) {
			test_chunks(&parts, compressions[i], BUILD_PAGE, 5000);
			test_chunks(&parts, compressions[i], BUILD_CHUNK, 1237);
		}
	}
	test_pipe(&parts);
	test_refusals(&parts);
	parts_free(&parts);
	return tap_done();
}
