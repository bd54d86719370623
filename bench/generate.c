// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes one load of exits and entries as two files, so that programs that read different formats
 * are measured on the same events: bench.dat for trace-cmd and hvscope, bench.perf for perf.
 *
 *	generate DIR [RECORDS [CPUS [THREADS [MIGRATIONS]]]]
 *
 * The perf.data is what `perf record -e kvm:kvm_exit -e kvm:kvm_entry -a` would have written:
 * samples with raw data in rounds, each CPU's of a span of time one after the other, and the few
 * headers without which `perf kvm stat report` doesn't start (perf.data-file-format.txt of Linux).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/util.h"
#include "tests/gen-dat.h"
#include "trace/page.h"

/* What is in the files. */
static const enum gen_event events[] = { GEN_EXIT, GEN_ENTRY };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* perf.data. */

enum { FEATURE_TRACING_DATA = 1, FEATURE_ARCH = 6, FEATURE_NRCPUS = 7, FEATURE_CPUID = 9 };
enum { RECORD_FINISHED_ROUND = 68 };
enum { FIRST_ID = 100 };

struct section {
	uint64_t offset, size;
};

struct file_header {
	char magic[8];
	uint64_t size, attr_size;
	struct section attrs, data, event_types;
	uint64_t features[4];
};

static void put(FILE *f, const void *data, size_t size)
{
	if (fwrite(data, 1, size, f) != size)
		die("write");
}

static void put32(FILE *f, uint32_t v)
{
	put(f, &v, sizeof(v));
}

static void put64(FILE *f, uint64_t v)
{
	put(f, &v, sizeof(v));
}

/* A string as perf's features have it: its padded length, and the padding. */
static void put_string(FILE *f, const char *text)
{
	char padded[64] = { 0 };

	memcpy(padded, text, strlen(text));
	put32(f, sizeof(padded));
	put(f, padded, sizeof(padded));
}

static void put_text(FILE *f, const char *text, size_t size)
{
	put64(f, size);
	put(f, text, size);
}

/* Formats, in the form that trace-cmd's files once had. */
static void put_tracing_data(FILE *f)
{
	static const char start[] = "\027\010\104tracing0.6";

	put(f, start, sizeof(start));
	fputc(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, f);
	fputc(8, f);
	put32(f, 4096);
	put(f, "header_page", 12);
	put_text(f, gen_header_page, strlen(gen_header_page));
	put(f, "header_event", 13);
	put_text(f, gen_header_event, strlen(gen_header_event));
	put32(f, 0); /* ftrace's own events */
	put32(f, 1); /* systems */
	put(f, "kvm", 4);
	put32(f, ARRAY_SIZE(events));
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		const char *text = gen_event_format(events[i])->text;

		put_text(f, text, strlen(text));
	}
	put32(f, 0); /* kallsyms */
	put32(f, 0); /* printk formats */
	put64(f, 0); /* saved command lines */
}

static void put_sample(FILE *f, const struct page_record *rec, uint32_t cpu)
{
	const uint32_t raw = ((rec->size + 4 + 7) & ~7u) - 4;
	struct perf_event_header header = {
		.type = PERF_RECORD_SAMPLE, .misc = PERF_RECORD_MISC_KERNEL,
		.size = (uint16_t)(sizeof(header) + 8 + 8 + 8 + 8 + 8 + 4 + raw),
	};
	static const char zero[8];
	uint16_t id;
	uint32_t tid;

	memcpy(&id, rec->data, sizeof(id));
	memcpy(&tid, rec->data + 4, sizeof(tid));
	put(f, &header, sizeof(header));
	put64(f, FIRST_ID + (id == gen_event_format(events[1])->id)); /* PERF_SAMPLE_IDENTIFIER */
	put32(f, tid);
	put32(f, tid);
	put64(f, rec->time);
	put32(f, cpu);
	put32(f, 0);
	put64(f, 1); /* period */
	put32(f, raw);
	put(f, rec->data, rec->size);
	put(f, zero, raw - rec->size);
}

/* Where each CPU is. */
struct reader {
	size_t page;
	struct page_walk walk;
	struct page_record rec;
	bool there;
};

static void next_record(const struct gen *g, struct reader *r, unsigned int cpu)
{
	r->there = false;
	while (r->page <= g->cpus[cpu].n) {
		if (r->page && page_next(&r->walk, &g->layout, &r->rec) == 1) {
			r->there = true;
			return;
		}
		if (r->page < g->cpus[cpu].n)
			page_begin(&r->walk, &g->layout, gen_page_at(g, cpu, r->page),
				   g->layout.size);
		r->page++;
	}
}

/* Rounds of 100 ms, as perf record drains its buffers. */
static void put_samples(FILE *f, const struct gen *g)
{
	const struct perf_event_header round = {
		.type = RECORD_FINISHED_ROUND, .size = sizeof(round),
	};
	struct reader *readers = xcalloc(g->n_cpus, sizeof(*readers));
	bool more = true;

	for (unsigned int cpu = 0; cpu < g->n_cpus; cpu++)
		next_record(g, &readers[cpu], cpu);
	for (uint64_t end = 5000000000; more; end += 100000000) {
		more = false;
		for (unsigned int cpu = 0; cpu < g->n_cpus; cpu++) {
			struct reader *r = &readers[cpu];

			for (; r->there && r->rec.time < end; next_record(g, r, cpu))
				put_sample(f, &r->rec, cpu);
			more = more || r->there;
		}
		put(f, &round, sizeof(round));
	}
	free(readers);
}

static void put_attrs(FILE *f, struct file_header *header)
{
	const uint64_t ids = (uint64_t)ftell(f);

	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		put64(f, FIRST_ID + i);
	header->attrs.offset = (uint64_t)ftell(f);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		const struct perf_event_attr attr = {
			.type = PERF_TYPE_TRACEPOINT, .size = PERF_ATTR_SIZE_VER5,
			.config = gen_event_format(events[i])->id, .sample_period = 1,
			.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
				       PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | PERF_SAMPLE_RAW,
			.sample_id_all = 1,
		};

		put(f, &attr, PERF_ATTR_SIZE_VER5);
		put64(f, ids + 8 * i);
		put64(f, 8);
	}
	header->attrs.size = (uint64_t)ftell(f) - header->attrs.offset;
}

static void put_features(FILE *f, struct file_header *header, unsigned int cpus)
{
	enum { N = 4 };
	struct section sections[N] = { 0 };
	const long table = ftell(f);

	put(f, sections, sizeof(sections));
	for (int i = 0; i < N; i++) {
		sections[i].offset = (uint64_t)ftell(f);
		if (i == 0) {
			put_tracing_data(f);
		} else if (i == 1) {
			put_string(f, "x86_64");
		} else if (i == 2) {
			put32(f, cpus);
			put32(f, cpus);
		} else {
			put_string(f, "AuthenticAMD,25,17,1");
		}
		sections[i].size = (uint64_t)ftell(f) - sections[i].offset;
	}
	header->features[0] = 1u << FEATURE_TRACING_DATA | 1u << FEATURE_ARCH |
			      1u << FEATURE_NRCPUS | 1u << FEATURE_CPUID;
	fseek(f, table, SEEK_SET);
	put(f, sections, sizeof(sections));
}

static void write_perf(const struct gen *g, const char *path)
{
	struct file_header header = {
		.magic = "PERFILE2", .size = sizeof(header), .attr_size = PERF_ATTR_SIZE_VER5 + 16,
	};
	FILE *f = fopen(path, "w");

	if (!f)
		die(path);
	put(f, &header, sizeof(header));
	put_attrs(f, &header);
	header.data.offset = (uint64_t)ftell(f);
	put_samples(f, g);
	header.data.size = (uint64_t)ftell(f) - header.data.offset;
	put_features(f, &header, g->n_cpus);
	rewind(f);
	put(f, &header, sizeof(header));
	if (fclose(f))
		die(path);
}

/*
 * From memory to disk and back, as a file of yesterday comes: the kernel then keeps it in large
 * pieces, while what was written in small ones costs each reader that maps it twice as much.
 */
static void read_again(const char *path)
{
	char *buf = xmalloc(1 << 20);
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fsync(fd))
		die(path);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	while (read(fd, buf, 1 << 20) > 0)
		;
	close(fd);
	free(buf);
}

static uint64_t argument(int argc, char **argv, int i, uint64_t otherwise)
{
	return argc > i ? strtoull(argv[i], NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	const struct gen_load load = {
		.records = argument(argc, argv, 2, 2000000),
		.cpus = (unsigned int)argument(argc, argv, 3, 2),
		.threads = (unsigned int)argument(argc, argv, 4, 2),
		.migrations = (unsigned int)argument(argc, argv, 5, 0),
		.step = 1, .seed = 1,
	};
	char *dat, *perf;
	struct error err;
	struct gen *g;

	if (argc < 2) {
		fprintf(stderr, "usage: generate DIR [RECORDS [CPUS [THREADS [MIGRATIONS]]]]\n");
		return 2;
	}
	g = gen_new(load.cpus, 4096, 8, false);
	gen_load(g, &load, NULL);
	dat = xasprintf("%s/bench.dat", argv[1]);
	perf = xasprintf("%s/bench.perf", argv[1]);
	if (gen_dat(g, dat, &err)) {
		fprintf(stderr, "generate: %s\n", err.text);
		return 1;
	}
	write_perf(g, perf);
	read_again(dat);
	read_again(perf);
	free(dat);
	free(perf);
	gen_free(g);
	return 0;
}
