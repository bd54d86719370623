// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The program on more threads than it keeps, none of which is told to end: all exits are in the
 * result; where exits are pending of too many threads a note says so; and -j changes nothing.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "tests/gen.h"
#include "tests/tap.h"
#include "trace/tracedat-write.h"

enum { THREADS = 100000, STEP = 1000 };

static const char header_page[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				  "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
				  "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
				  "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

static const char header_event[] =
	"# compressed entry header\n\ttype_len    :    5 bits\n\ttime_delta  :   27 bits\n"
	"\tarray       :   32 bits\n\n\tpadding     : type == 29\n\ttime_extend : type == 30\n"
	"\ttime_stamp : type == 31\n\tdata max type_len  == 28\n";

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
	static const struct {
		const char *name;
		int id;
	} events[] = { { "kvm_exit", 1661 }, { "kvm_entry", 1673 } };
	struct tracedat_event list[ARRAY_SIZE(events)];
	struct gen *g = make_load(answered);
	FILE *pages = tmpfile(), *file = fopen(path, "w");
	struct tracedat_part part = { .size = g->cpus[0].n * g->layout.size };
	struct tracedat_contents contents = {
		.long_size = 8,
		.page_size = 4096,
		.big_endian = gen_big(g),
		.header_page = { header_page, sizeof(header_page) - 1 },
		.header_event = { header_event, sizeof(header_event) - 1 },
		.clock = "mono",
		.kernel = "6.18.0",
		.machine = "x86_64",
		.cpus = 1,
		.events = list,
		.n_events = ARRAY_SIZE(list),
		.parts = &part,
		.n_parts = 1,
	};
	struct error err = { 0 };
	int ret = -1;

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		char *text = gen_format(NULL, "kvm", events[i].name);

		list[i] = (struct tracedat_event){ .system = "kvm",
						   .name = events[i].name,
						   .id = events[i].id,
						   .format = { text, strlen(text) } };
	}
	if (pages && file && fwrite(g->cpus[0].pages, 1, part.size, pages) == part.size &&
	    !fflush(pages)) {
		part.fd = fileno(pages);
		ret = tracedat_write(fileno(file), &contents, &err);
	}
	if (ret)
		diag("%s", err.text);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		free((char *)list[i].format.text);
	if (pages)
		fclose(pages);
	if (file)
		fclose(file);
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
