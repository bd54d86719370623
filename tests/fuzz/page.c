// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages that may hold anything, through the walker and through the whole stream. Promises: no byte
 * outside of a page is read, a record lies within its page, both forms of the walker agree, and
 * the stream ends.
 *
 * Input: a byte of flags (other endianness, 4-byte longs, 1 to 4 pages, CPUs), then the pages.
 */
#include <stdlib.h>
#include <string.h>

#include "fact.h"
#include "hv/hypervisor.h"
#include "tests/fuzz/fuzz.h"
#include "tests/gen.h"
#include "trace/binding.h"
#include "trace/stream.h"
#include "trace/subjects.h"

enum { SWAP = 1, SHORT_LONG = 2, PAGES = 3 << 2, TWO_CPUS = 16 };

struct pages {
	struct page_layout layout;
	const uint8_t *data;
	unsigned int n, n_cpus; /* pages of each CPU */
};

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static void walk(const struct page_layout *layout, const uint8_t *page)
{
	struct page_walk a, b;
	struct page_record ra = { 0 }, rb = { 0 };
	int got;

	if (page_begin(&a, layout, page, layout->size))
		return;
	b = a;
	do {
		got = page_next(&a, layout, &ra);
		promise(page_next_fast(&b, layout, &rb) == got);
		if (got == 1) {
			promise(ra.data == rb.data && ra.size == rb.size && ra.time == rb.time);
			promise(ra.data >= page && ra.size <= layout->size &&
				ra.data + ra.size <= page + layout->size);
		}
	} while (got == 1);
}

static int get(void *ctx, unsigned int cpu, uint64_t n, const void **page, size_t *size,
	       struct error *err)
{
	const struct pages *p = ctx;

	(void)err;
	if (n >= p->n)
		return 0;
	*page = p->data + (cpu * p->n + n) * p->layout.size;
	*size = p->layout.size;
	return 1;
}

static int time_of(void *ctx, unsigned int cpu, uint64_t n, uint64_t *time, struct error *err)
{
	const void *page;
	size_t size;
	const struct pages *p = ctx;
	int got = get(ctx, cpu, n, &page, &size, err);

	if (got == 1)
		*time = page_time(&p->layout, page);
	return got;
}

/* One binding for each byte order, made once. */
static struct binding *binding_of(bool big)
{
	static const struct hv_event rows[] = {
		{ .system = "kvm", .name = "kvm_exit", .kind = FACT_EXIT,
		  .subject = SUBJECT_THREAD, .a = HV_FIELD("exit_reason"),
		  .b = HV_FIELD("vcpu_id"), .aux_arg = HV_FIELD("isa") },
		{ .system = "kvm", .name = "kvm_entry", .kind = FACT_ENTRY,
		  .subject = SUBJECT_THREAD, .b = HV_FIELD("vcpu_id") },
		{ .system = "sched", .name = "sched_switch", .kind = FACT_SWITCH_OUT,
		  .subject = SUBJECT_FIELD, .who = HV_FIELD("prev_pid"),
		  .a = HV_FIELD("prev_state") },
		{ .system = "sched", .name = "sched_switch", .kind = FACT_SWITCH_IN,
		  .subject = SUBJECT_FIELD, .who = HV_FIELD("next_pid") },
		{ .system = "sched", .name = "sched_waking", .kind = FACT_WAKE,
		  .subject = SUBJECT_FIELD, .who = HV_FIELD("pid"), .a = HV_TEXT("comm") },
		{ .system = "sched", .name = "sched_process_exit", .kind = FACT_THREAD_END,
		  .subject = SUBJECT_FIELD, .who = HV_FIELD("pid") },
	};
	static struct binding *bindings[2];
	struct binding **b = &bindings[big];

	if (!*b) {
		*b = binding_new(&(struct format_source){
			.format = gen_format, .long_size = 8, .big_endian = big,
		});
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			promise(binding_add(*b, NULL, &rows[i], NULL) >= 0);
		promise(binding_add_record(*b, "test", "other", NULL) >= 0);
	}
	return *b;
}

/* Reads what it is given. */
static void feed(void *ctx, const struct fact *facts, size_t n)
{
	uint64_t *sum = ctx;

	for (size_t i = 0; i < n; i++) {
		const uint8_t *record = (const void *)(uintptr_t)facts[i].a;

		*sum += facts[i].time + facts[i].subject;
		if (facts[i].kind == FACT_RECORD)
			*sum += record[0] + record[(uint32_t)facts[i].b - 1];
	}
}

static void lost(void *ctx, const struct loss *losses, size_t n)
{
	uint64_t *sum = ctx;

	for (size_t i = 0; i < n; i++)
		*sum += losses[i].to - losses[i].from;
}

static void run(struct pages *p)
{
	const struct page_source source = {
		.get = get, .time = time_of, .ctx = p, .n_cpus = p->n_cpus, .layout = p->layout,
	};
	bool big = p->layout.swap != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	struct subjects *subjects = subjects_new(p->n_cpus);
	struct stream *s = stream_new(&source, binding_of(big), subjects);
	uint64_t sum = 0, half;

	for (int order = ORDER_CPU; order <= ORDER_GLOBAL; order++)
		stream_add(s, &(struct consumer){
			.order = (enum order)order, .lost = lost, .feed = feed, .ctx = &sum,
		});
	half = stream_peek(s, NULL);
	promise(!stream_advance(s, half + 5000, NULL));
	promise(!stream_advance(s, UINT64_MAX, NULL));
	promise(stream_stats(s)->records <= p->n_cpus * p->n * (p->layout.size / 4));
	stream_free(s);
	subjects_free(subjects);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pages p = { 0 };
	unsigned int all;

	if (size < 1)
		return 0;
	p.n = ((data[0] & PAGES) >> 2) + 1;
	p.n_cpus = data[0] & TWO_CPUS ? 2 : 1;
	all = p.n * p.n_cpus;
	p.layout = (struct page_layout){
		.long_size = data[0] & SHORT_LONG ? 4 : 8,
		.data = data[0] & SHORT_LONG ? 12 : 16,
		.size = (unsigned int)((size - 1) / all),
		.swap = data[0] & SWAP,
	};
	p.data = data + size - (size_t)all * p.layout.size;
	if (p.layout.size < p.layout.data)
		return 0;
	for (unsigned int i = 0; i < all; i++)
		walk(&p.layout, p.data + (size_t)i * p.layout.size);
	run(&p);
	return 0;
}

size_t fuzz_seed(uint64_t number, uint8_t *data, size_t room)
{
	static const unsigned int sizes[] = { 4096, 4096, 8192, 512, 160 };
	const unsigned int size = sizes[number >> 8 & 3], n = ((number & PAGES) >> 2) + 1;
	const unsigned int cpus = number & TWO_CPUS ? 2 : 1;
	struct gen *g = gen_new(cpus, size, number & SHORT_LONG ? 4 : 8, number & SWAP);
	const struct gen_load load = {
		.cpus = cpus, .threads = 3, .records = 600, .migrations = 500, .losses = 300,
		.others = size < 4096 ? 0 : 300, .step = 10, .seed = number,
	};
	size_t at = 1;

	gen_load(g, &load, NULL);
	data[0] = (uint8_t)number;
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		for (unsigned int i = 0; i < n && at + size <= room; i++, at += size) {
			if (i < g->cpus[cpu].n)
				memcpy(data + at, gen_page_at(g, cpu, i), size);
			else
				memset(data + at, 0, size);
		}
	gen_free(g);
	return at;
}
