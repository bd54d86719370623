// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a recording that was killed leaves, and `record --recover`: each CPU's part ends at a time
 * of its own, and what came after that is missing. In the load each exit is handled in the same
 * time, so whoever pairs across what is missing is found out by a longer one; and how many can be
 * timed is known by when the first part ended.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "tests/gen-dat.h"
#include "tests/tap.h"

/* Nothing ever happens on the last CPU. */
enum { CPUS = 4, BUSY = 3, THREADS = 5, PAIRS = 6000 };
enum { HANDLING = 100, STEP = 1000, BEGIN = 1000000 };

struct pair {
	uint64_t time;		   /* of the exit; the entry comes HANDLING later */
	unsigned int exit, entry; /* CPUs */
};

/* What was recorded, and how much of it reached the disk. */
struct bench {
	const char *file;
	struct gen *gen;
	struct pair pairs[PAIRS];
	size_t pages[CPUS]; /* whole ones, of each part */
	bool torn[CPUS];    /* and half of the next one */
	uint64_t until[CPUS]; /* behind them it says that there were no others until then; 0: not */
};

/* Times of a CPU's last record that is there; 0: it has none. */
static uint64_t last_of(const struct bench *b, unsigned int cpu)
{
	struct page_record rec = { 0 };
	struct page_walk walk;

	if (!b->pages[cpu])
		return 0;
	page_begin(&walk, &b->gen->layout, gen_page_at(b->gen, cpu, b->pages[cpu] - 1),
		   b->gen->layout.size);
	while (page_next(&walk, &b->gen->layout, &rec) == 1)
		;
	return rec.time;
}

/* Up to when all that happened on a CPU is known. */
static uint64_t end_of(const struct bench *b, unsigned int cpu)
{
	return max(last_of(b, cpu), b->until[cpu]);
}

static void write_one(struct bench *b, enum gen_event event, uint64_t time, unsigned int cpu,
		      int32_t tid)
{
	struct gen_fact f = { .event = event, .time = time, .cpu = (uint16_t)cpu, .tid = tid };

	if (event == GEN_EXIT) {
		f.a = 10;
		f.c = 1;
	}
	gen_write(b->gen, &f);
}

static void make_load(struct bench *b)
{
	struct gen_random r = { 1 };

	b->gen = gen_new(CPUS, 4096, 8, false);
	for (unsigned int i = 0; i < PAIRS; i++) {
		struct pair *p = &b->pairs[i];
		int32_t tid = 100 + (int32_t)(i % THREADS);

		p->time = BEGIN + (uint64_t)i * STEP;
		p->exit = (unsigned int)gen_below(&r, BUSY);
		p->entry = gen_below(&r, 4) ? p->exit : (unsigned int)gen_below(&r, BUSY);
		write_one(b, GEN_EXIT, p->time, p->exit, tid);
		write_one(b, GEN_ENTRY, p->time + HANDLING, p->entry, tid);
	}
	gen_finish(b->gen);
}

/* --- The files that were left --- */

static FILE *beside(const struct bench *b, const char *what)
{
	char *path = xasprintf("%s%s", b->file, what);
	FILE *file = fopen(path, "w");

	free(path);
	if (file)
		return file;
	printf("Bail out! no file beside %s\n", b->file);
	exit(1);
}

static void write_parts(const struct bench *b)
{
	struct gen *empty = gen_new(CPUS, b->gen->layout.size, b->gen->layout.long_size, false);
	char *head = xasprintf("%s.head", b->file);
	size_t size = b->gen->layout.size;
	struct error err;
	FILE *file;

	ok(!gen_dat(empty, head, &err), "a head lies there");
	free(head);
	gen_free(empty);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		char name[16];

		snprintf(name, sizeof(name), ".cpu%u", cpu);
		file = beside(b, name);
		for (size_t i = 0; i < b->pages[cpu]; i++)
			fwrite(gen_page_at(b->gen, cpu, i), size, 1, file);
		if (b->until[cpu])
			fwrite((uint64_t[2]){ b->until[cpu] }, 16, 1, file);
		if (b->torn[cpu])
			fwrite(gen_page_at(b->gen, cpu, b->pages[cpu]), size / 2, 1, file);
		fclose(file);
	}
}

/* --- What comes out --- */

static char *read_output(char *command, int *status)
{
	FILE *p = popen(command, "r");
	char *text = xcalloc(1 << 16, 1);
	size_t n = p ? fread(text, 1, (1 << 16) - 1, p) : 0;

	text[n] = '\0';
	*status = p ? pclose(p) : -1;
	*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
	free(command);
	return text;
}

static char *exits(const char *file, const char *options, int *status)
{
	return read_output(xasprintf("\"$HVSCOPE\" exits -i '%s' --by reason %s 2>&1", file,
				     options), status);
}

static uint64_t number(const char *text, const char *key)
{
	char *want = xasprintf("\"%s\": ", key);
	const char *at = strstr(text, want);
	uint64_t found = at ? strtoull(at + strlen(want), NULL, 10) : UINT64_MAX;

	free(want);
	return found;
}

/* Exits that are there, exits that can be timed, and records. */
struct truth {
	uint64_t exits, timed, records;
};

static struct truth find_truth(const struct bench *b)
{
	uint64_t last[BUSY], first_end = UINT64_MAX;
	struct truth truth = { 0 };

	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		if (cpu < BUSY)
			last[cpu] = last_of(b, cpu);
		first_end = min(first_end, end_of(b, cpu));
	}
	for (unsigned int i = 0; i < PAIRS; i++) {
		const struct pair *p = &b->pairs[i];

		truth.exits += p->time <= last[p->exit];
		truth.timed += p->time + HANDLING <= first_end;
		truth.records += p->time <= last[p->exit];
		truth.records += p->time + HANDLING <= last[p->entry];
	}
	return truth;
}

static void check_whole(const struct bench *b, const struct truth *truth)
{
	int status;
	char *text = exits(b->file, "-f json", &status);

	is_int(status, 0, "it is read");
	is_int((int64_t)number(text, "records"), (int64_t)truth->records, "with all records");
	is_int((int64_t)number(text, "exits"), (int64_t)truth->exits, "all exits");
	is_int((int64_t)number(text, "timed"), (int64_t)truth->timed,
	       "those are timed that ended before the first part did");
	if (truth->timed)
		is_int((int64_t)number(text, "max_ns"), HANDLING, "none is too long");
	is_int((int64_t)number(text, "exits"),
	       (int64_t)(number(text, "timed") + number(text, "discarded") +
			 number(text, "unpaired") + number(text, "open")),
	       "each ends in one way");
	is_int((int64_t)number(text, "marks"), CPUS, "each CPU has a mark");
	is_int((int64_t)number(text, "unknown"), CPUS, "and nobody knows how many are missing");
	ok(strstr(text, "\"complete\": false"), "it isn't complete");
	for (int jobs = 2; jobs <= 5; jobs++) {
		char *options = xasprintf("-f json -j %d", jobs);
		char *more = exits(b->file, options, &status);

		ok(!strcmp(text, more), "-j %d changes nothing", jobs);
		free(more);
		free(options);
	}
	free(text);
	free(exits(b->file, "--strict -q", &status));
	is_int(status, 3, "--strict says so");
}

/* Up to some time before any part's end nothing is missing, and behind it something is. */
static void check_limits(const struct bench *b, uint64_t first_end)
{
	uint64_t before = first_end - BEGIN - 10 * STEP, behind = first_end - BEGIN + 10 * STEP;
	char *options = xasprintf("-d %lluns --strict -f json", (unsigned long long)before), *text;
	int status;

	text = exits(b->file, options, &status);
	ok(!status && strstr(text, "\"complete\": true"), "-d before the first end: complete");
	is_int((int64_t)number(text, "discarded"), 0, "and nothing is discarded");
	free(text);
	free(options);
	options = xasprintf("-d %lluns --strict -f json", (unsigned long long)behind);
	text = exits(b->file, options, &status);
	ok(status == 3 && number(text, "marks") == 1, "-d behind it: one CPU's mark");
	ok(number(text, "max_ns") == HANDLING, "and nothing too long");
	free(text);
	free(options);
}

/* With an interval: the sum of all is the whole. */
static void check_intervals(const struct bench *b, const struct truth *truth)
{
	uint64_t sums[5] = { 0 };
	static const char *const keys[] = { "exits", "timed", "marks", "unknown", "records" };
	int status;
	char *text = exits(b->file, "-f json --strict 1ms", &status);

	for (char *line = text, *next; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
			sums[i] += strstr(line, "\"exits\"") ? number(line, keys[i]) : 0;
		ok(number(line, "max_ns") == HANDLING || strstr(line, "\"max_ns\": null"),
		   "an interval");
	}
	is_int(status, 3, "--strict with an interval");
	ok(sums[0] == truth->exits && sums[1] == truth->timed, "together they are the whole");
	ok(sums[2] == CPUS && sums[3] == CPUS, "and its marks");
	free(text);
}

static uint64_t lines_with(const char *command, const char *file, const char *what)
{
	char *line = xasprintf("%s '%s' 2>&1 | grep -c '%s'", command, file, what);
	int status;
	char *text = read_output(line, &status);
	uint64_t n = strtoull(text, NULL, 10);

	free(text);
	return n;
}

/* Other programs read it, and what they make of it we read. */
static void check_others(const struct bench *b, const struct truth *truth)
{
	static const char *const ways[] = { "none", "zlib", "zstd" };
	char *other = xasprintf("%s.other", b->file), *text, *again;
	int status;

	if (system("trace-cmd report -h >/dev/null 2>&1") >> 8 == 127) {
		skip("trace-cmd is not installed", "trace-cmd reads it");
		free(other);
		return;
	}
	is_int((int64_t)lines_with("trace-cmd report -N -i", b->file, ": kvm_e"),
	       (int64_t)truth->records, "trace-cmd report prints every record");
	is_int((int64_t)lines_with("trace-cmd report -N -i", b->file, "DROPPED\\|rror"), 0,
	       "and says nothing else");
	text = exits(b->file, "-f csv", &status);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		free(read_output(xasprintf("trace-cmd convert -i '%s' -o '%s' --compression %s "
					   "--file-version 7 2>&1", b->file, other, ways[i]),
				 &status));
		if (status) {
			skip("trace-cmd can't convert it", ways[i]);
			continue;
		}
		again = exits(other, "-f csv --strict", &status);
		ok(status == 3 && !strcmp(text, again), "as version 7, %s, it says the same",
		   ways[i]);
		free(again);
	}
	free(text);
	unlink(other);
	free(other);
}

static void recover(const struct bench *b, const char *words)
{
	int status;
	char *text;

	write_parts(b);
	text = read_output(xasprintf("\"$HVSCOPE\" record --recover -o '%s' 2>&1", b->file),
			   &status);
	if (!ok(!status && strstr(text, words), "the parts are joined: %s", words))
		diag("%s", text);
	free(text);
}

static void test_killed(struct bench *b)
{
	struct truth truth;
	uint64_t first_end = UINT64_MAX;

	/* The first CPU's data end in the middle, the others' later. */
	for (unsigned int cpu = 0; cpu < BUSY; cpu++) {
		b->pages[cpu] = b->gen->cpus[cpu].n * (cpu + 2) / (BUSY + 2);
		b->torn[cpu] = cpu;
		first_end = min(first_end, last_of(b, cpu));
	}
	b->until[BUSY] = BEGIN + (uint64_t)PAIRS * STEP;
	truth = find_truth(b);
	ok(truth.timed > PAIRS / 3 && truth.timed < truth.exits / 10 * 9, "a load that shows it");
	recover(b, "records are missing");
	check_whole(b, &truth);
	check_limits(b, first_end);
	check_intervals(b, &truth);
	check_others(b, &truth);
	diag("one that was quiet, longer than is known");
	b->until[BUSY] = first_end - 100 * STEP;
	truth = find_truth(b);
	recover(b, "records are missing");
	check_whole(b, &truth);
	check_limits(b, b->until[BUSY]);
	check_intervals(b, &truth);
	check_others(b, &truth);
}

/* Stopped, but not joined: nothing is missing. */
static void test_stopped(struct bench *b)
{
	int status;
	char *text;

	diag("stopped");
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		b->pages[cpu] = b->gen->cpus[cpu].n;
		b->torn[cpu] = false;
		b->until[cpu] = UINT64_MAX;
	}
	recover(b, "nothing is missing at its end");
	text = exits(b->file, "-f json --strict", &status);
	ok(!status && strstr(text, "\"complete\": true"), "it is complete");
	ok(number(text, "exits") == PAIRS && number(text, "timed") == PAIRS &&
		   number(text, "marks") == 0, "and all is timed");
	free(text);
}

/* A CPU of which nothing reached the disk may have had anything. */
static void test_silent(struct bench *b)
{
	struct truth truth;

	diag("a CPU without records");
	b->pages[1] = 0;
	b->torn[1] = false;
	truth = find_truth(b);
	recover(b, "records are missing");
	check_whole(b, &truth);
	check_others(b, &truth);
	b->torn[1] = true;
	diag("and one with half a page");
	recover(b, "records are missing");
	check_whole(b, &truth);
}

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	char folder[64], file[96];
	struct bench *b = xcalloc(1, sizeof(*b));

	if (!getenv("HVSCOPE"))
		skip_all("HVSCOPE doesn't name the program");
	snprintf(folder, sizeof(folder), "%.40s/hvscope-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder)) {
		printf("Bail out! no folder %s\n", folder);
		return 1;
	}
	snprintf(file, sizeof(file), "%s/killed.dat", folder);
	b->file = file;
	make_load(b);
	test_killed(b);
	test_silent(b);
	test_stopped(b);
	unlink(file);
	ok(!rmdir(folder), "nothing is left beside it");
	gen_free(b->gen);
	free(b);
	return tap_done();
}
