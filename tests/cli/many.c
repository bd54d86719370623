// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The program on more threads than it keeps, none of which is told to end: all exits are in the
 * result; where exits are pending of too many threads a note says so; and -j changes nothing.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "tests/gen-dat.h"
#include "tests/tap.h"

enum { THREADS = 100000, STEP = 1000 };

/* Each thread exits; its entry comes at once, or of the first one only, at the end. */
static struct gen *make_load(bool answered)
{
	struct gen *g = gen_new(1, 4096, 8, false);
	struct gen_fact f = { .c = 1, .time = STEP };

	for (int32_t i = 0; i < THREADS; i++) {
		f.time += STEP;
		f.tid = 1000 + i;
		f.event = GEN_EXIT;
		f.a = 10;
		gen_write(g, &f);
		f.event = GEN_ENTRY;
		f.a = 0;
		f.time += STEP;
		if (answered)
			gen_write(g, &f);
	}
	if (!answered) {
		f.tid = 1000;
		gen_write(g, &f);
	}
	gen_finish(g);
	return g;
}

static int write_file(const char *path, bool answered)
{
	struct gen *g = make_load(answered);
	struct error err;
	int ret = gen_dat(g, path, &err);

	if (ret)
		diag("%s", err.text);
	gen_free(g);
	return ret;
}

/* What comes out of it; the caller frees it. */
static char *output_of(const char *file, const char *options)
{
	char *command = xasprintf("\"$HVSCOPE\" exits -i '%s' --by reason %s", file, options);
	FILE *p = popen(command, "r");
	char *text = xcalloc(1 << 16, 1);
	size_t n = p ? fread(text, 1, (1 << 16) - 1, p) : 0;

	text[n] = '\0';
	if (!p || pclose(p))
		diag("%s: failed", command);
	free(command);
	return text;
}

static bool has(const char *text, const char *key, unsigned int number)
{
	char want[64];

	snprintf(want, sizeof(want), "\"%s\": %u,", key, number);
	return strstr(text, want);
}

static void check(const char *file, bool answered)
{
	const char *what = answered ? "with entries" : "without";
	char *one, *more;
	bool noted;

	if (write_file(file, answered)) {
		ok(false, "%s: the file is written", what);
		return;
	}
	one = output_of(file, "-f json");
	noted = strstr(one, "threads of which nothing was seen for long count as ended");
	ok(has(one, "exits", THREADS) && has(one, "timed", answered ? THREADS : 0) &&
		   has(one, "open", answered ? 0 : THREADS),
	   "%s: each exit is counted, and timed or open", what);
	ok(noted == !answered, "%s: %s note about those that are taken for ended", what,
	   answered ? "no" : "a");
	for (int jobs = 2; jobs <= 4; jobs += 2) {
		more = output_of(file, jobs == 2 ? "-f json -j 2" : "-f json -j 4");
		ok(!strcmp(one, more), "%s: the same with -j %d", what, jobs);
		free(more);
	}
	free(one);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	char file[96];
	int fd;

	if (!getenv("HVSCOPE"))
		skip_all("HVSCOPE doesn't name the program");
	snprintf(file, sizeof(file), "%.60s/hvscope-many-XXXXXX", tmp ? tmp : "/tmp");
	fd = mkstemp(file);
	if (fd < 0) {
		printf("Bail out! no file %s\n", file);
		return 1;
	}
	close(fd);
	check(file, true);
	check(file, false);
	unlink(file);
	return tap_done();
}
