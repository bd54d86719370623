/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes plain trace.dat files of version 6, which trace-cmd, KernelShark and tracedat_open() read.
 *
 * A file without parts is whole too: it can stand beside the part files while records come in;
 * after a crash it is read back (tracedat_contents) and written again with the parts there are.
 */
#ifndef HVSCOPE_TRACE_TRACEDAT_WRITE_H
#define HVSCOPE_TRACE_TRACEDAT_WRITE_H

#include "base/error.h"
#include "trace/tracedat.h"

/* A run of whole sub-buffers of one CPU, in a file that can be read from `offset` on. */
struct tracedat_part {
	unsigned int cpu;
	int fd;
	uint64_t offset, size;
	const void *bytes; /* in memory instead, when not NULL */
};

/* Everything that a file consists of. Texts may be empty, strings NULL. */
struct tracedat_contents {
	bool big_endian;	/* byte order of the records, and so of the file */
	unsigned int long_size; /* 4 or 8 */
	unsigned int page_size; /* of a sub-buffer */
	struct tracedat_text header_page, header_event;
	const struct tracedat_event *events; /* those of one system in one run; "ftrace" anywhere */
	size_t n_events;
	struct tracedat_text kallsyms, printk, cmdlines;
	const char *clock;			/* "mono" */
	const char *host, *kernel, *machine;	/* uname: node name, release, machine */
	const char *recorder;			/* version of who recorded */
	uint64_t trace_id;
	const struct tracedat_text *stats;	/* per_cpu/cpuN/stats of each CPU */
	size_t n_stats;
	unsigned int cpus;			/* of the machine; parts have lower CPU numbers */
	const struct tracedat_part *parts;	/* by CPU, each CPU's in time order */
	size_t n_parts;
};

/* From a file's place on (0 of a new one), front to back, so a pipe will do. 0, or -1 with *err. */
int tracedat_write(int fd, const struct tracedat_contents *contents, struct error *err);

/*
 * What an open file consists of, but for its records and stats; everything points into it. Events
 * are an array that the caller frees. 0, or -1 with *err.
 */
int tracedat_contents(struct tracedat *t, struct tracedat_contents *contents,
		      struct tracedat_event **events, struct error *err);

#endif
