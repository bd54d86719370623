// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Damaged trace.dat files: whatever was changed, the reader says one sentence or reads what is
 * there; it never crashes, hangs or takes memory that the file merely claims. Built with
 * --enable-sanitizers, a single byte read out of bounds ends this test.
 *
 * HVSCOPE_DAMAGE=N asks for N damaged copies of each file (default 1000), HVSCOPE_SEED=N for other
 * ones; what failed is repeated by the seed that is printed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/damage.h"
#include "tests/leaks.h"
#include "tests/tap.h"
#include "tests/unit/tracedat-build.h"
#include "trace/tracedat.h"

/* --- everything that can be asked of a file --- */

struct outcome {
	unsigned int refused, read, half; /* half: opened, but some of it was refused later */
	uint64_t sum; /* of all bytes handed out, so that none is left unread */
	bool mute; /* a refusal without a sentence */
};

static void touch(struct outcome *o, const void *p, size_t len)
{
	const unsigned char *byte = p;
	size_t i;

	for (i = 0; i < len; i++)
		o->sum += byte[i];
}

static void touch_string(struct outcome *o, const char *s)
{
	if (s)
		touch(o, s, strlen(s));
}

static bool failed(struct outcome *o, int ret, const struct error *err)
{
	if (ret < 0 && (err->status != 1 || !*err->text))
		o->mute = true;
	return ret < 0;
}

static bool read_texts(struct tracedat *t, struct outcome *o)
{
	struct tracedat_text text = tracedat_header_page(t);
	struct tracedat_event event;
	struct error err = { 0 };
	bool bad = false;
	size_t n = 0;
	int ret;

	touch(o, text.text, text.len);
	text = tracedat_header_event(t);
	touch(o, text.text, text.len);
	while ((ret = tracedat_event_at(t, n++, &event, &err)) == 1) {
		touch_string(o, event.system);
		touch_string(o, event.name);
		touch(o, event.format.text, event.format.len);
	}
	bad |= failed(o, ret, &err);
	bad |= failed(o, tracedat_event(t, "kvm", "kvm_exit", &event, &err), &err);
	bad |= failed(o, tracedat_kallsyms(t, &text, &err), &err);
	touch(o, text.text, text.len);
	bad |= failed(o, tracedat_printk(t, &text, &err), &err);
	touch(o, text.text, text.len);
	bad |= failed(o, tracedat_cmdlines(t, &text, &err), &err);
	touch(o, text.text, text.len);
	touch_string(o, tracedat_comm(t, 1));
	return bad;
}

static bool read_records(struct tracedat *t, const struct tracedat_buffer *b, struct outcome *o)
{
	struct tracedat_pages *pages = tracedat_pages_new(t, b);
	struct page_layout layout = tracedat_layout(t, b);
	struct error err = { 0 };
	bool bad = false;
	unsigned int cpu;

	for (cpu = 0; cpu <= tracedat_buffer_cpus(b); cpu++) {
		struct tracedat_clock clock = tracedat_clock(t, b, cpu);
		const void *page;
		uint64_t n;
		size_t size;
		int ret;

		for (n = 0;; n++) {
			ret = tracedat_pages_get(pages, cpu, n, &page, &size, &err);
			if (ret != 1)
				break;
			if (!size || size > layout.size)
				o->mute = true;
			touch(o, page, size);
			o->sum += tracedat_time(&clock, o->sum);
			tracedat_pages_release(pages, cpu, n);
		}
		bad |= failed(o, ret, &err);
		o->sum += tracedat_time(&clock, 0) + tracedat_time(&clock, UINT64_MAX);
	}
	tracedat_pages_free(pages);
	return bad;
}

static void read_all(const struct blob *file, struct outcome *o)
{
	int fd = memfd_create("damaged", MFD_CLOEXEC);
	struct error err = { 0 };
	struct tracedat *t;
	size_t i;
	bool bad;

	if (fd < 0 || write(fd, file->p, file->len) != (ssize_t)file->len) {
		printf("Bail out! no memory file\n");
		exit(1);
	}
	t = tracedat_open_fd(fd, "FILE", &err);
	close(fd);
	if (!t) {
		failed(o, -1, &err);
		o->refused++;
		return;
	}
	touch_string(o, tracedat_facts(t)->kernel);
	touch_string(o, tracedat_facts(t)->host);
	touch_string(o, tracedat_facts(t)->machine);
	touch_string(o, tracedat_facts(t)->recorder);
	bad = read_texts(t, o);
	for (i = 0; tracedat_buffer_at(t, i); i++) {
		touch_string(o, tracedat_buffer_name(tracedat_buffer_at(t, i)));
		touch_string(o, tracedat_buffer_clock(tracedat_buffer_at(t, i)));
		o->sum += tracedat_clock_is_ns(t, tracedat_buffer_at(t, i));
		bad |= read_records(t, tracedat_buffer_at(t, i), o);
	}
	tracedat_free(t);
	if (bad)
		o->half++;
	else
		o->read++;
}

/* --- damaged copies --- */

static void test_damaged(const struct blob *whole, const char *what)
{
	struct blob copy = { .p = malloc(whole->len + 1) };
	unsigned long n = from_env("HVSCOPE_DAMAGE", 1000);
	uint64_t seed = first_seed();
	struct outcome o = { 0 };
	unsigned long i;

	read_all(whole, &o);
	ok(o.read == 1, "%s: whole, it is read", what);
	for (i = 0; i < n; i++) {
		memcpy(copy.p, whole->p, whole->len);
		copy.len = whole->len;
		damage(&copy, &seed);
		read_all(&copy, &o);
	}
	ok(!o.mute, "%s: %lu damaged copies, each is read or refused with a sentence", what, n);
	diag("%u read, %u in part, %u refused (sum %" PRIx64 ")", o.read, o.half, o.refused, o.sum);
	free(copy.p);
}

/* Cut after each single byte of what precedes the records. */
static void test_cuts(const struct blob *whole, size_t upto, const char *what)
{
	struct outcome o = { 0 };
	struct blob cut = *whole;

	for (cut.len = 0; cut.len < upto; cut.len++)
		read_all(&cut, &o);
	ok(!o.mute && o.refused == upto, "%s: cut anywhere in its first %zu bytes, it is refused",
	   what, upto);
}

/* --- claims of memory --- */

static size_t find(const struct blob *b, const void *what, size_t len)
{
	const unsigned char *p = memmem(b->p, b->len, what, len);

	return p ? (size_t)(p - b->p) : 0;
}

/* The inflated size that a compressed section claims, behind its header and its packed size. */
static void claim(struct blob *b, uint16_t id, uint32_t size)
{
	const uint16_t header[2] = { id, 1 };
	size_t at = find(b, header, sizeof(header));

	memcpy(b->p + at + 16 + 4, &size, sizeof(size));
}

static void test_claims(struct build *f)
{
	static const uint32_t sizes[] = { 0x10000001, 0x7fffffff, 0xffffffff };
	struct outcome o = { 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct blob b = build_file(f);

		claim(&b, 18, sizes[i]);
		claim(&b, 19, sizes[i]);
		read_all(&b, &o);
		free(b.p);
	}
	ok(o.half == ARRAY_SIZE(sizes) && !o.mute,
	   "%s: sections that claim gigabytes are refused when they are asked for", f->compression);
	o = (struct outcome){ 0 };
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct blob b = build_file(f);
		const uint16_t header[2] = { 3, 1 };
		size_t at = find(&b, header, sizeof(header));

		memcpy(b.p + at + 16 + 4 + 4, &sizes[i], sizeof(sizes[i]));
		read_all(&b, &o);
		free(b.p);
	}
	ok(o.refused == ARRAY_SIZE(sizes) && !o.mute, "%s: so are chunks", f->compression);
}

/* Version 7 with `buffers` buffers of CPUs `first` to `last`, all at the place of the records. */
static struct blob crowded(const struct build *f, unsigned int buffers, uint32_t first,
			   uint32_t last)
{
	struct build more = *f;
	struct blob probe = build_file(f);
	const uint16_t header[2] = { 3, 1 };
	uint64_t section = find(&probe, header, sizeof(header));
	struct blob b;
	uint32_t cpu;

	more.options = (struct blob){ 0 };
	while (buffers--) {
		put_u16(&more.options, 3);
		put_u32(&more.options, 8 + 2 + 2 + 8 + 20 * (last - first + 1));
		put_u64(&more.options, section);
		put_string(&more.options, "x");
		put_string(&more.options, "y");
		put_u32(&more.options, BUILD_PAGE);
		put_u32(&more.options, last - first + 1);
		for (cpu = first; cpu <= last; cpu++) {
			put_u32(&more.options, cpu);
			put_u64(&more.options, section + 16);
			put_u64(&more.options, 1);
		}
	}
	b = build_file(&more);
	free(more.options.p);
	free(probe.p);
	return b;
}

static void test_crowds(const struct build *f)
{
	struct outcome o = { 0 };
	struct blob b = crowded(f, 1, 0, 60000);

	read_all(&b, &o);
	free(b.p);
	ok(o.refused == 1 && !o.mute, "%s: sixty thousand CPUs in one place are refused",
	   f->compression);
	o = (struct outcome){ 0 };
	b = crowded(f, 4000, 65535, 65535);
	read_all(&b, &o);
	free(b.p);
	ok(o.refused == 1 && !o.mute, "%s: so are thousands of buffers of thousands of CPUs",
	   f->compression);
}

/* --- the files --- */

static struct blob load(const char *top, const char *name)
{
	struct blob b = { 0 };
	unsigned char part[4096];
	char *path = NULL;
	size_t n;
	FILE *file;

	if (asprintf(&path, "%s/tests/traces/%s", top, name) < 0)
		abort();
	file = fopen(path, "re");
	if (!file) {
		printf("Bail out! %s is missing\n", path);
		exit(1);
	}
	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		put(&b, part, n);
	fclose(file);
	free(path);
	return b;
}

static void put_option(struct blob *b, int id, const void *p, size_t len)
{
	put_u16(b, (uint16_t)id);
	put_u32(b, (uint32_t)len);
	put(b, p, len);
}

/* One of each option, TIME_SHIFT with samples for two CPUs among them. */
static struct blob all_options(void)
{
	struct blob b = { 0 }, shift_option = { 0 };
	uint64_t i;

	put_option(&b, 1, "0x12345", 8);
	put_option(&b, 2, "CPU: 0\ndropped events: 7\n", 26);
	put_option(&b, 5, "Linux host 6.1.0 x86_64", 24);
	put_option(&b, 6, "hook", 5);
	put_option(&b, 7, "-5", 3);
	put_option(&b, 9, "3.1.6", 6);
	put_option(&b, 10, "1 0 /bin/sh\n", 13);
	put_option(&b, 11, "\1\2\3\4\5\6\7\10", 8);
	put_u64(&shift_option, 1);
	put_u32(&shift_option, 1);
	put_u32(&shift_option, 2);
	put_u32(&shift_option, 3);
	for (i = 0; i < 9; i++)
		put_u64(&shift_option, i * 1000);
	put_u32(&shift_option, 1);
	for (i = 0; i < 3 + 4; i++)
		put_u64(&shift_option, i);
	put_option(&b, 12, shift_option.p, shift_option.len);
	free(shift_option.p);
	put_option(&b, 14, "\0\0\0\1\37\0\0\0\0\0\0\0\0\0\0\0", 16);
	return b;
}

static const char header_page[] =
	"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
	"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

static void test_built(void)
{
	static const char *const kinds[] = {
		"none",
#ifdef HAVE_ZLIB
		"zlib",
#endif
#ifdef HAVE_ZSTD
		"zstd",
#endif
	};
	struct blob options = all_options(), pages = { 0 };
	struct build f = {
		.version = 6,
		.compression = "none",
		.header_page = header_page,
		.header_event = "type_len : 5 bits\n",
		.system = "kvm",
		.format = "name: kvm_exit\nID: 77\nformat:\n",
		.kallsyms = "ffffffff81000000 T _stext\n",
		.printk = "0xffffffff82000000 : \"hello\"\n",
		.cmdlines = "1 init\n42 some name\n",
		.options = options,
		.buffers = 3,
	};
	uint64_t seed = 7;
	struct blob b;
	size_t i;

	for (i = 0; i < 3 * BUILD_PAGE / 8; i++)
		put_u64(&pages, i % 5 ? 0 : rnd(&seed));
	f.buffer[0] = (struct build_buffer){ "", "mono", 2, { pages, pages }, false };
	f.buffer[1] = (struct build_buffer){ "guests", "mono", 2, { { 0 }, pages }, false };
	f.buffer[2] = (struct build_buffer){ "one", "mono", 1, { pages }, true };
	b = build_file(&f);
	test_cuts(&b, 1400, "version 6");
	test_damaged(&b, "built version 6");
	free(b.p);
	f.version = 7;
	f.chunk = BUILD_PAGE;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		f.compression = kinds[i];
		b = build_file(&f);
		test_cuts(&b, min(b.len, (size_t)2000), kinds[i]);
		test_damaged(&b, kinds[i]);
		free(b.p);
		if (!i)
			continue;
		test_claims(&f);
		test_crowds(&f);
	}
	free(options.p);
	free(pages.p);
}

/* An allocation that a file's claim decides would fail. Sanitizers need the room themselves. */
static void limit_memory(void)
{
#if !SANITIZED
	struct rlimit limit = { 512 << 20, 512 << 20 };

	setrlimit(RLIMIT_AS, &limit);
#endif
}

int main(void)
{
	static const char *const files[] = {
		"xen/xen-small.v6.dat",
		"xen/xen-small.none.dat",
#ifdef HAVE_ZLIB
		"xen/xen-small.zlib.dat",
#endif
#ifdef HAVE_ZSTD
		"xen/xen-small.dat",
		"kvm/6.1-small.dat",
		"arch/s390x-6.12-sched-bigendian.dat",
#endif
	};
	const char *top = getenv("top_srcdir");
	size_t i;

	limit_memory();
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		struct blob b = load(top ? top : ".", files[i]);

		test_damaged(&b, files[i]);
		free(b.p);
	}
	test_built();
	return tap_done();
}
