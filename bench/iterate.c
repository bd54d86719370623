// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The least that a program on libtracecmd does with a file: look at every record once.
 *
 *	iterate FILE
 */
#include <inttypes.h>
#include <stdio.h>
#include <trace-cmd.h>

static int count(struct tracecmd_input *handle, struct tep_record *record, int cpu, void *data)
{
	(void)handle;
	(void)record;
	(void)cpu;
	++*(uint64_t *)data;
	return 0;
}

int main(int argc, char **argv)
{
	struct tracecmd_input *handle = argc == 2 ?
		tracecmd_open(argv[1], TRACECMD_FL_LOAD_NO_PLUGINS) : NULL;
	uint64_t records = 0;

	if (!handle || tracecmd_iterate_events(handle, NULL, 0, count, &records)) {
		fprintf(stderr, "usage: iterate FILE\n");
		return 2;
	}
	printf("%" PRIu64 " records\n", records);
	tracecmd_close(handle);
	return 0;
}
