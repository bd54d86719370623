// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See gen-dat.h. The writer takes records from files, as they are when a recording ends: so all
 * pages go to a temporary one first.
 */
#include "tests/gen-dat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "trace/tracedat-write.h"

const char gen_header_page[] =
	"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
	"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
	"\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
	"\tfield: char data;\toffset:16;\tsize:4080;\tsigned:1;\n";

const char gen_header_event[] =
	"# compressed entry header\n\ttype_len    :    5 bits\n\ttime_delta  :   27 bits\n"
	"\tarray       :   32 bits\n\n\tpadding     : type == 29\n\ttime_extend : type == 30\n"
	"\ttime_stamp : type == 31\n\tdata max type_len  == 28\n";

/* Each CPU's pages, one after the other. */
static int put_pages(const struct gen *g, FILE *pages, struct tracedat_part *parts)
{
	uint64_t at = 0;

	for (unsigned int cpu = 0; cpu < g->n_cpus; cpu++) {
		uint64_t size = g->cpus[cpu].n * g->layout.size;

		if (fwrite(g->cpus[cpu].pages, 1, size, pages) != size)
			return -1;
		parts[cpu] = (struct tracedat_part){
			.cpu = cpu, .fd = fileno(pages), .offset = at, .size = size,
		};
		at += size;
	}
	return fflush(pages);
}

static int write_file(const struct gen *g, int fd, const struct tracedat_part *parts,
		      struct error *err)
{
	static const enum gen_event events[] = { GEN_EXIT, GEN_ENTRY };
	struct tracedat_event list[ARRAY_SIZE(events)];
	const struct tracedat_contents contents = {
		.big_endian = gen_big(g), .long_size = 8, .page_size = g->layout.size,
		.header_page = { gen_header_page, strlen(gen_header_page) },
		.header_event = { gen_header_event, strlen(gen_header_event) },
		.clock = "mono", .host = "gen", .kernel = "6.18.0", .machine = "x86_64",
		.recorder = "gen", .cpus = g->n_cpus,
		.events = list, .n_events = ARRAY_SIZE(list),
		.parts = parts, .n_parts = g->n_cpus,
	};

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		const struct gen_format *format = gen_event_format(events[i]);

		list[i] = (struct tracedat_event){
			.system = format->system, .name = format->name, .id = format->id,
			.format = { format->text, strlen(format->text) },
		};
	}
	return tracedat_write(fd, &contents, err);
}

int gen_dat(const struct gen *g, const char *path, struct error *err)
{
	struct tracedat_part *parts = xcalloc(g->n_cpus, sizeof(*parts));
	FILE *pages = tmpfile();
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), ret;

	if (!pages || fd < 0)
		ret = error_errno(err, errno, "%s", pages ? path : "temporary file");
	else if (put_pages(g, pages, parts))
		ret = error_errno(err, errno, "the pages of %s", path);
	else
		ret = write_file(g, fd, parts, err);
	if (pages)
		fclose(pages);
	if (fd >= 0)
		close(fd);
	free(parts);
	return ret;
}
