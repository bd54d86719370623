// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Print fmts whose small signed numbers get a length, written out by hand; those that stay as they
 * are; and what is no print fmt.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tests/tap.h"
#include "trace/print-fmt.h"

#define FIELDS                                                       \
	"name: x\nID: 1\nformat:\n"                                  \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n" \
	"\tfield:s16 half;\toffset:8;\tsize:2;\tsigned:1;\n"         \
	"\tfield:short other_half;\toffset:10;\tsize:2;\tsigned:1;\n" \
	"\tfield:__s8 tiny;\toffset:12;\tsize:1;\tsigned:1;\n"       \
	"\tfield:u16 positive;\toffset:14;\tsize:2;\tsigned:0;\n"    \
	"\tfield:int whole;\toffset:16;\tsize:4;\tsigned:1;\n"       \
	"\tfield:s16 many[];\toffset:20;\tsize:8;\tsigned:1;\n"      \
	"\tfield:char comm[16];\toffset:28;\tsize:16;\tsigned:1;\n"

static void is_mended(const char *fmt, const char *want)
{
	char *format = xasprintf(FIELDS "\nprint fmt: %s\n", fmt);
	char *expect = want ? xasprintf(FIELDS "\nprint fmt: %s\n", want) : NULL;
	char *got = print_fmt_mend(format);

	is_str(got ? got : "as it was", expect ? expect : "as it was", fmt);
	free(got);
	free(expect);
	free(format);
}

int main(void)
{
	is_mended("\"%d %d\", REC->half, REC->tiny", "\"%hd %hhd\", REC->half, REC->tiny");
	is_mended("\"a=%d b=%d c=%d\", REC->whole, REC->other_half, REC->positive",
		  "\"a=%d b=%hd c=%d\", REC->whole, REC->other_half, REC->positive");
	is_mended("\"100%% %5d{%-i}\", REC->half, REC->many[3]",
		  "\"100%% %5hd{%-hi}\", REC->half, REC->many[3]");
	is_mended("\"%*d %d\", REC->whole, REC->half, REC->half",
		  "\"%*hd %hd\", REC->whole, REC->half, REC->half");
	is_mended("\"%s \\\"%d\\\" %pS %d\", __print_symbolic(REC->half, { 1, \"a,(b\" }), "
		  "REC->whole, REC->x, REC->half",
		  "\"%s \\\"%d\\\" %pS %hd\", __print_symbolic(REC->half, { 1, \"a,(b\" }), "
		  "REC->whole, REC->x, REC->half");
	is_mended("\"%d\", (int)REC->half", NULL);
	is_mended("\"%d\", REC->half + 1", NULL);
	is_mended("\"%u %x %hd %ld\", REC->half, REC->half, REC->half, REC->half", NULL);
	is_mended("\"%s\", REC->comm", NULL);
	is_mended("\"%d %d\", REC->positive, REC->whole", NULL);
	is_mended("\"%d\", REC->hal", NULL);
	is_mended("\"%d\", REC->half[", NULL);
	is_mended("\"%d\"", NULL);
	is_mended("\"%d", NULL);
	is_mended("\"%", NULL);
	is_mended("\"\\", NULL);
	is_mended("\"%d\" \"%d\", REC->half, REC->half", NULL);
	is_mended("\"%d %d %d\", REC->half", "\"%hd %d %d\", REC->half");
	ok(!print_fmt_mend(""), "nothing");
	ok(!print_fmt_mend("signed:1;\nprint fmt: \"%d\", REC->x"), "no fields");
	return tap_done();
}
