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
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/damage.h"
#include "tests/leaks.h"
#include "tests/tap.h"
#include "tests/unit/tracedat-all.h"

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
	struct everything e = everything_new();
	struct blob b;
	size_t i;

	b = build_file(&e.build);
	test_cuts(&b, 1400, "version 6");
	test_damaged(&b, "built version 6");
	free(b.p);
	e.build.version = 7;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		e.build.compression = kinds[i];
		b = build_file(&e.build);
		test_cuts(&b, min(b.len, (size_t)2000), kinds[i]);
		test_damaged(&b, kinds[i]);
		free(b.p);
		if (!i)
			continue;
		test_claims(&e.build);
		test_crowds(&e.build);
	}
	everything_free(&e);
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
	size_t i;

	limit_memory();
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		struct blob b = load(tap_source(), files[i]);

		test_damaged(&b, files[i]);
		free(b.p);
	}
	test_built();
	return tap_done();
}
