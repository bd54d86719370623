// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Quoting, units and parsers: what must come out, written out by hand.
 */
#include <errno.h>

#include "tests/tap.h"

#include "base/text.h"

static void test_quote(void)
{
	static const struct {
		const char *text, *quoted;
	} cases[] = {
		{ "web-1", "web-1" },
		{ "", "" },
		{ "Größe 大", "Größe 大" },
		{ "a\nb\tc", "a\\nb\\tc" },
		{ "\033[31mred", "\\x1b[31mred" },
		{ "back\\slash", "back\\\\slash" },
		{ "\x7f", "\\x7f" },
		{ "\xc2\x9b"
		  "31m",
		  "\\u009b31m" }, /* CSI as one character */
		{ "\xff\xfe", "\\xff\\xfe" },
		{ "\xc0\x80", "\\xc0\\x80" },                   /* overlong NUL */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* a surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* beyond U+10FFFF */
		{ "\xe2\x82", "\\xe2\\x82" },                   /* cut off */
		{ "\xe2\x80\xae"
		  "abc",
		  "\\u202eabc" }, /* right to left */
		{ "a\xe2\x80\x8b"
		  "b",
		  "a\\u200bb" },                    /* no width */
		{ "\xf3\xa0\x81\x81", "\\Ue0041" }, /* a tag */
	};
	char buf[64], name[64];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(name, sizeof(name), "quoting, case %u", i);
		is_str(text_quote(buf, sizeof(buf), cases[i].text), cases[i].quoted, name);
	}
	is_str(text_quote(buf, 8, "abcdefgh"), "abcd…", "too long is cut and says so");
	is_str(text_quote(buf, 8, "abcdefg"), "abcdefg", "what just fits isn't cut");
	is_str(text_quote(buf, 8, "abc\033\033"), "abc…", "an escape is never cut in two");
	is_str(text_quote(buf, 4, "abcdefg"), "…", "the smallest buffer");
}

static void test_width(void)
{
	char *fit;

	is_int(text_width("abc"), 3, "a column for each letter");
	is_int(text_width("大小"), 4, "two for each wide one");
	is_int(text_width("e\xcc\x81"), 1, "none for what combines");
	fit = text_fit("abcdef", 4);
	is_str(fit, "abc…", "fitted to four columns");
	free(fit);
	fit = text_fit("大小大", 4);
	is_str(fit, "大…", "a wide character isn't halved");
	free(fit);
	fit = text_fit("abc", 3);
	is_str(fit, "abc", "what fits is untouched");
	free(fit);
}

static void is_ns(uint64_t ns, const char *want)
{
	char buf[TEXT_UNIT_SIZE];

	is_str(text_ns(buf, sizeof(buf), ns), want, want);
}

static void test_units(void)
{
	char buf[TEXT_UNIT_SIZE];

	is_ns(0, "0ns");
	is_ns(999, "999ns");
	is_ns(1000, "1.00us");
	is_ns(9994, "9.99us");
	is_ns(9999, "10.0us");
	is_ns(99960, "100us");
	is_ns(999499, "999us");
	is_ns(999500, "1.00ms");
	is_ns(28300000, "28.3ms");
	is_ns(999999999, "1.00s");
	is_ns(86400000000000, "86400s");
	is_ns(UINT64_MAX, "18446744074s");
	is_str(text_bytes(buf, sizeof(buf), 512), "512B", "bytes");
	is_str(text_bytes(buf, sizeof(buf), 1536), "1.50K", "kilobytes");
	is_str(text_bytes(buf, sizeof(buf), 1048575), "1.00M", "no 1024K");
	is_str(text_bytes(buf, sizeof(buf), UINT64_MAX), "16.0E", "exabytes");
	is_str(text_percent(buf, sizeof(buf), 0.1234), "12.3%", "percent");
	is_str(text_percent(buf, sizeof(buf), 1), "100.0%", "all of it");
	is_str(text_rate(buf, sizeof(buf), 48210.4), "48210", "a high rate");
	is_str(text_rate(buf, sizeof(buf), 0.25), "0.25", "a low rate");
	is_str(text_plural(buf, sizeof(buf), 1, "VM", "VMs"), "1 VM", "one");
	is_str(text_plural(buf, sizeof(buf), 0, "VM", "VMs"), "0 VMs", "none");
}

static void is_duration(const char *text, uint64_t want)
{
	struct error err = { 0 };
	uint64_t ns = 0;
	int ret = parse_duration(text, &ns, &err);

	if (want) {
		ok(!ret && ns == want, "time '%s'", text);
	} else {
		ok(ret && err.status == 2 && strstr(err.text, text), "no time '%s'", text);
	}
}

static void test_durations(void)
{
	is_duration("500ms", 500000000);
	is_duration("10s", 10000000000);
	is_duration("5m", 300000000000);
	is_duration("1h", 3600000000000);
	is_duration("0.1", 100000000);
	is_duration("2", 2000000000);
	is_duration(".5", 500000000);
	is_duration("1.5ms", 1500000);
	is_duration("250us", 250000);
	is_duration("7ns", 7);
	is_duration("0.000000001", 1);
	is_duration("0.29", 290000000); /* not 289999999 */
	is_duration("18446744073.709551615", UINT64_MAX);
	is_duration("18446744073.709551616", 0);
	is_duration("0", 0);
	is_duration("0.0000000001", 0);
	is_duration("-1", 0);
	is_duration("1.2.3", 0);
	is_duration("5x", 0);
	is_duration("ms", 0);
	is_duration(".", 0);
	is_duration("1e3", 0);
	is_duration(" 1", 0);
	is_duration("99999999999999999999999h", 0);
}

static void is_size(const char *text, uint64_t want)
{
	uint64_t bytes = 0;

	if (want)
		ok(!parse_size(text, &bytes, NULL) && bytes == want, "size '%s'", text);
	else
		ok(parse_size(text, &bytes, NULL), "no size '%s'", text);
}

static void test_sizes(void)
{
	uint64_t n = 0;

	is_size("4096", 4096);
	is_size("4K", 4096);
	is_size("16M", 16777216);
	is_size("16MiB", 16777216);
	is_size("1g", 1073741824);
	is_size("1.5K", 1536);
	is_size("16777216T", 0);
	is_size("4Q", 0);
	is_size("K", 0);
	ok(!parse_u64("18446744073709551615", UINT64_MAX, &n, NULL) && n == UINT64_MAX,
	   "the greatest number");
	ok(parse_u64("18446744073709551616", UINT64_MAX, &n, NULL), "one more is refused");
	ok(!parse_u64("65535", 65535, &n, NULL), "a number at its limit");
	ok(parse_u64("65536", 65535, &n, NULL), "and above it");
	ok(parse_u64("", 9, &n, NULL) && parse_u64("1 ", 9, &n, NULL) &&
		   parse_u64("+1", 9, &n, NULL) && parse_u64("0x1", 9, &n, NULL),
	   "only digits");
}

static void test_percentiles(void)
{
	uint32_t ppm[4];
	unsigned nr = 0;

	ok(!parse_percentiles("99,50,99.9,50.0", ppm, 4, &nr, NULL) && nr == 3 &&
		   ppm[0] == 500000 && ppm[1] == 990000 && ppm[2] == 999000,
	   "percentiles are sorted and each is there once");
	ok(!parse_percentiles("99.9999,100", ppm, 4, &nr, NULL) && ppm[0] == 999999 &&
		   ppm[1] == 1000000,
	   "up to 100, with four places");
	ok(parse_percentiles("0", ppm, 4, &nr, NULL), "0 is none");
	ok(parse_percentiles("100.1", ppm, 4, &nr, NULL), "more than 100 is none");
	ok(parse_percentiles("99.99999", ppm, 4, &nr, NULL), "five places are too many");
	ok(parse_percentiles("50,,90", ppm, 4, &nr, NULL), "an empty element is none");
	ok(parse_percentiles("1,2,3,4,5", ppm, 4, &nr, NULL), "more than there is room for");
}

static void is_cpus(const char *text, int want, unsigned has)
{
	struct cpuset set = { 0 };
	struct error err = { 0 };
	int ret = cpuset_parse(&set, text, &err);

	if (want < 0)
		ok(ret && err.status == 2 && !set.words, "no CPUs '%s'", text);
	else
		ok(!ret && cpuset_count(&set) == (unsigned)want && cpuset_has(&set, has),
		   "CPUs '%.*s'", (int)strcspn(text, "\n"), text);
	cpuset_free(&set);
}

static void test_cpus(void)
{
	struct cpuset none = { 0 };

	is_cpus("0-3,8", 5, 8);
	is_cpus("0-3,8\n", 5, 0);
	is_cpus("65535", 1, 65535);
	is_cpus("0-65535", 65536, 4711);
	is_cpus("0-31:4", 8, 28);
	is_cpus("5,5,5", 1, 5);
	is_cpus("65536", -1, 0);
	is_cpus("3-1", -1, 0);
	is_cpus("", -1, 0);
	is_cpus("1,", -1, 0);
	is_cpus("1-", -1, 0);
	is_cpus("a", -1, 0);
	is_cpus("1 2", -1, 0);
	is_cpus("0-3:0", -1, 0);
	ok(!cpuset_has(&none, 0) && !cpuset_has(&none, 70000), "the empty set has none");
}

static void test_nearest(void)
{
	is_int(text_distance("exits", "exits"), 0, "equal words");
	is_int(text_distance("exits", "exist"), 1, "neighbours swapped");
	is_int(text_distance("steal", "stele"), 2, "two changes");
	is_int(text_distance("", "abc"), 3, "all inserted");
	is_str(text_nearer("exist", "exits", NULL), "exits", "a slip is understood");
	is_str(text_nearer("hyper", "hypercalls", NULL), "hypercalls", "a beginning too");
	is_str(text_nearer("xyzzy", "exits", NULL), NULL, "something else isn't");
	is_str(text_nearer("exitz", "exits", "edits"), "exits", "the nearer one wins");
	is_str(text_nearer("a", "b", NULL), NULL, "one letter isn't another");
}

static void test_errors(void)
{
	struct error err = { 0 };
	char big[3000];

	is_int(error_set(&err, "no %s", "luck"), -1, "an error is -1");
	is_str(err.text, "no luck", "and says what");
	error_errno(&err, -ENOENT, "%s", "x.dat");
	is_str(err.text, "x.dat: No such file or directory", "with the system's reason");
	error_prefix(&err, "reading %d", 3);
	is_str(err.text, "reading 3: x.dat: No such file or directory", "and where it happened");
	error_set_status(&err, 2, "again: %s", err.text);
	is_str(err.text, "again: reading 3: x.dat: No such file or directory",
	       "an error may be made of itself");
	is_int(err.status, 2, "the status is kept");
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	error_errno(&err, ENOSPC, "%s", big);
	is_int(strlen(err.text), sizeof(err.text) - 1, "a long text is cut");
	ok(strstr(err.text, ": No space left on device"), "but not the reason");
	is_int(error_set(NULL, "nobody listens"), -1, "nobody needs to listen");
}

int main(void)
{
	test_quote();
	test_width();
	test_units();
	test_durations();
	test_sizes();
	test_percentiles();
	test_cpus();
	test_nearest();
	test_errors();
	return tap_done();
}
