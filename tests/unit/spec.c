// SPDX-License-Identifier: GPL-2.0-or-later
/* Event specs: what each form means, what is refused, and what patterns match. */
#include "base/util.h"
#include "cmd/spec.h"

#include "tests/tap.h"

static const struct {
	const char *text;
	enum spec_kind kind;
	bool is_return, regex, glob;
	const char *pattern, *module, *path;
	uint64_t offset;
	const char *args;
} good[] = {
	{ "xen:*", SPEC_TRACEPOINT, 0, 0, 1, "xen:*", NULL, NULL, 0, NULL },
	{ "t:xen:xen_mc_flush", SPEC_TRACEPOINT, 0, 0, 0, "xen:xen_mc_flush", NULL, NULL, 0, NULL },
	{ "t:/^kvm:kvm_(exit|entry)$/", SPEC_TRACEPOINT, 0, 1, 0, "^kvm:kvm_(exit|entry)$", NULL,
	  NULL, 0, NULL },
	{ "/^kvm:/", SPEC_TRACEPOINT, 0, 1, 0, "^kvm:", NULL, NULL, 0, NULL },
	{ "/^vfs_/", SPEC_FUNCTION, 0, 1, 0, "^vfs_", NULL, NULL, 0, NULL },
	{ "vfs_read", SPEC_FUNCTION, 0, 0, 0, "vfs_read", NULL, NULL, 0, NULL },
	{ "vfs_*", SPEC_FUNCTION, 0, 0, 1, "vfs_*", NULL, NULL, 0, NULL },
	{ "p:kvm/kvm_arch_vcpu_load", SPEC_FUNCTION, 0, 0, 0, "kvm_arch_vcpu_load", "kvm", NULL, 0,
	  NULL },
	{ "p:do_sys_openat2+0x10", SPEC_FUNCTION, 0, 0, 0, "do_sys_openat2", NULL, NULL, 16, NULL },
	{ "p:do_sys_openat2 name=+0($arg2):ustring", SPEC_FUNCTION, 0, 0, 0, "do_sys_openat2", NULL,
	  NULL, 0, "name=+0($arg2):ustring" },
	{ "r:/^vfs_(read|write)$/ ret=$retval", SPEC_FUNCTION, 1, 1, 0, "^vfs_(read|write)$", NULL,
	  NULL, 0, "ret=$retval" },
	{ "u:/lib/libc.so.6:malloc", SPEC_USER, 0, 0, 0, "malloc", NULL, "/lib/libc.so.6", 0,
	  NULL },
	{ "u:/bin/a:b:ns::f", SPEC_USER, 0, 0, 0, "ns::f", NULL, "/bin/a:b", 0, NULL },
	{ "ur:/bin/x:0x1a40 ret=$retval", SPEC_USER, 1, 0, 0, NULL, NULL, "/bin/x", 0x1a40,
	  "ret=$retval" },
};

static const char *const refused[] = {
	"", "t:", "t:xen", "xen:", ":xen", "a:b:c", "t:/xen", "t://", "p:", "p:/x/y", "p:f+",
	"p:f+x", "r:f+8", "p:f*+8", "u:", "u:/bin/x", "u:/bin/x:", "u:/bin/x:0x", "u:/bin/x:0xg",
	"xen:a x=1", "t:/a/b", "p:kvm/", "p:f x=%di\n-:g/e", "u:/bin/x:f\nx", "xen:a\n",
};

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void test_good(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct error err = { 0 };
		struct spec s;

		if (!ok(!spec_parse(good[i].text, &s, &err), "'%s' is read", good[i].text)) {
			diag("%s", err.text);
			continue;
		}
		ok(s.kind == good[i].kind && s.is_return == good[i].is_return &&
			   s.regex == good[i].regex && s.glob == good[i].glob &&
			   same(s.pattern, good[i].pattern) && same(s.module, good[i].module) &&
			   same(s.path, good[i].path) && s.offset == good[i].offset &&
			   same(s.args, good[i].args),
		   "'%s' means what it should", good[i].text);
		spec_free(&s);
	}
}

static void test_refused(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct error err = { 0 };
		struct spec s;

		ok(spec_parse(refused[i], &s, &err) < 0 && err.status == 2 && err.text[0],
		   "'%s' is refused: %s", refused[i], err.text);
	}
}

/* Who prints the sentence quotes it: what is quoted here would be quoted twice. */
static void test_names(void)
{
	struct error err = { 0 };
	char text[1024];
	struct spec s;

	spec_parse("a\\b:\033[1m:c", &s, &err);
	is_str(err.text, "event 'a\\b:\033[1m:c': a tracepoint is SYSTEM:EVENT",
	       "a name in a sentence is as it was typed");
	memset(text, ':', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	spec_parse(text, &s, &err);
	ok(strstr(err.text, "…': a tracepoint is SYSTEM:EVENT"),
	   "a long one leaves room for the reason: %s", err.text);
}

static void test_blank(void)
{
	struct error err = { 0 };
	struct spec s;

	ok(spec_parse("u:/a b/c:main", &s, &err) && strstr(err.text, "no path with a blank"),
	   "a path with a blank: %s", err.text);
}

static bool matches(const char *text, const char *name)
{
	struct error err = { 0 };
	struct spec_matcher *m;
	struct spec s;
	bool ret;

	if (spec_parse(text, &s, &err))
		return false;
	m = spec_matcher_new(&s, &err);
	ret = m && spec_matches(m, name);
	spec_matcher_free(m);
	spec_free(&s);
	return ret;
}

static void test_matching(void)
{
	struct error err = { 0 };
	struct spec s;

	ok(matches("xen:*", "xen:xen_mc_flush"), "a glob matches");
	ok(!matches("xen:*", "kvm:kvm_exit"), "only what it should");
	ok(matches("t:/exit|entry/", "kvm:kvm_exit"), "a regular expression matches anywhere");
	ok(!matches("t:/^exit/", "kvm:kvm_exit"), "unless it is anchored");
	ok(matches("p:vfs_rea?", "vfs_read"), "a glob over functions");
	ok(!matches("vfs_read", "vfs_readv"), "a name is the whole name");
	ok(matches("u:/bin/x:0x1A40", "0x1a40"), "a place in a file goes by its number");
	ok(!matches("ur:/bin/x:0x1a40", "main"), "only by that");
	spec_parse("t:/(/", &s, &err);
	ok(!spec_matcher_new(&s, &err) && err.status == 2, "a broken one is refused: %s", err.text);
	spec_free(&s);
}

int main(void)
{
	test_good();
	test_refused();
	test_names();
	test_blank();
	test_matching();
	return tap_done();
}
