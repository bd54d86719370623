/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages made for tests and benchmarks: what a kernel of any byte order and word size would write,
 * made from records, and whole loads of exits and entries of threads that migrate.
 *
 * It is written against the kernel's description of its ring buffer, not against the code that it
 * tests, and shares nothing with it but struct page_layout and struct page_source.
 */
#ifndef HVSCOPE_TESTS_GEN_H
#define HVSCOPE_TESTS_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/cursor.h"

/* A sequence of random numbers that is the same everywhere. */
struct gen_random {
	uint64_t state;
};

uint64_t gen_random(struct gen_random *r);

/* A number below n. */
static inline uint64_t gen_below(struct gen_random *r, uint64_t n)
{
	return (gen_random(r) >> 11) % n;
}

/* The page that is being written, and those that are done. */
struct gen_cpu {
	unsigned char *pages;
	size_t n, room;		/* pages */
	unsigned char *at;	/* in the open page, NULL: none is open */
	uint64_t time;
	bool lost;		/* the next page says that records before it were lost */
	uint64_t lost_count;
	size_t shown;		/* gen_source() gives this many of them */
	size_t released;	/* below it they must not be read any more */
};

struct gen {
	struct page_layout layout;
	struct gen_cpu *cpus;
	unsigned int n_cpus;
	bool unbounded; /* any number of pages may be held */
	struct page_source source;
};

/* n_cpus CPUs with sub-buffers of `size` bytes. */
struct gen *gen_new(unsigned int n_cpus, unsigned int size, unsigned int long_size, bool swap);
void gen_free(struct gen *g);

/* Whether the recorder's byte order is big endian. */
bool gen_big(const struct gen *g);

/* A number as the recorder would store it. */
void gen_put(const struct gen *g, void *to, uint64_t value, unsigned int size);

/*
 * The next record of a CPU, as the kernel would write it: with a time extend where the time needs
 * one, in the next page where this one is full.
 */
void gen_record(struct gen *g, unsigned int cpu, uint64_t time, const void *data, uint32_t size);

/* Records are lost before the next one: a count, or LOSS_UNKNOWN. */
void gen_lose(struct gen *g, unsigned int cpu, uint64_t count);

/* Single entries, for what gen_record() never writes. The page must have the room for them. */
void gen_page(struct gen *g, unsigned int cpu, uint64_t time);
size_t gen_room(const struct gen *g, unsigned int cpu);
void gen_entry(struct gen *g, unsigned int cpu, unsigned int type, uint32_t delta);
void gen_word(struct gen *g, unsigned int cpu, uint32_t word);
void gen_bytes(struct gen *g, unsigned int cpu, const void *data, size_t size);
void gen_close(struct gen *g, unsigned int cpu);

/* Ends all pages: they are shown from now on. */
void gen_finish(struct gen *g);

/* The pages as a source. Reading a page that was released, or is not shown, is noticed. */
const struct page_source *gen_source(struct gen *g);
unsigned int gen_misuses(void);

const unsigned char *gen_page_at(const struct gen *g, unsigned int cpu, size_t n);

/* What each format begins with, behind its name and number. */
#define GEN_COMMON                                                                     \
	"format:\n"                                                                    \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"         \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"         \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

/*
 * Formats of a made-up kernel, in Linux's words, for binding_new(): kvm_exit and kvm_entry as 6.18
 * has them on x86, sched_switch, sched_waking, sched_process_exit, and probe events without fields.
 */
char *gen_format(void *ctx, const char *system, const char *name);

enum gen_event { GEN_EXIT, GEN_ENTRY, GEN_SWITCH, GEN_WAKING, GEN_PROCESS_EXIT, GEN_OTHER };

struct gen_format {
	const char *system, *name, *text;
	uint16_t id, size; /* of the record, in bytes */
};

const struct gen_format *gen_event_format(enum gen_event event);

/* One event of a load. What a, b, c are: exit: reason, vCPU, isa; entry: vCPU; switch: prev, next;
 * waking: tid, target CPU; process exit: tid; other: the record's size. */
struct gen_fact {
	uint64_t time;
	uint32_t a, b, c;
	int32_t tid; /* of the recorder */
	uint16_t cpu;
	uint8_t flags; /* common_flags */
	uint8_t event;
};

/* Writes the event's record. */
void gen_write(struct gen *g, const struct gen_fact *f);

struct gen_load {
	unsigned int cpus, threads;
	uint64_t records;	 /* about as many */
	unsigned int migrations; /* of 1000 slots, after how many a thread moves to another CPU */
	unsigned int losses;	 /* of 1000 slots, before how many records are lost */
	unsigned int others;	 /* of 1000 records, how many are of sched or unbound events */
	uint64_t step;		 /* times are multiples of it */
	uint64_t seed;
};

/* A loss as it was made. */
struct gen_loss {
	uint64_t from, to, count;
	uint16_t cpu;
};

struct gen_truth {
	struct gen_fact *facts; /* those that were written, CPU by CPU */
	size_t n, room;
	struct gen_loss *losses;
	size_t n_losses, losses_room;
};

/*
 * Writes a load into g, which has load->cpus CPUs, and tells in *truth (may be NULL) what it wrote.
 * The caller frees its arrays.
 */
void gen_load(struct gen *g, const struct gen_load *load, struct gen_truth *truth);

#endif
