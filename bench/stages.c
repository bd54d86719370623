// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where the time of an offline `exits` goes: each stage adds one part of the pipeline to the one
 * before, on the same pages in memory, and prints its ns per record.
 *
 *	stages [RECORDS [CPUS [THREADS [MIGRATIONS]]]]
 *
 * MIGRATIONS: of 1000 slots of 1 ms per CPU, after how many a thread moves to another CPU.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "analysis/analysis.h"
#include "hv/hypervisor.h"
#include "tests/gen.h"
#include "trace/binding.h"
#include "trace/decode.h"
#include "trace/stream.h"
#include "trace/subjects.h"
#include "trace/window.h"

enum { ROUNDS = 7 };

static const struct hv_event rows[] = {
	{
		.system = "kvm", .name = "kvm_exit", .kind = FACT_EXIT, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("exit_reason"), .b = HV_FIELD("vcpu_id"), .aux_arg = HV_FIELD("isa"),
	},
	{
		.system = "kvm", .name = "kvm_entry", .kind = FACT_ENTRY,
		.subject = SUBJECT_THREAD, .b = HV_FIELD("vcpu_id"),
	},
};

/* What one run of a stage works on and yields, so that no compiler leaves the work out. */
struct work {
	struct gen *g;
	struct binding *binding;
	uint64_t result;
};

/* CPU time: what else runs on the machine counts less than on the clock. */
static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void stage_touch(struct work *w)
{
	uint64_t sums[4] = { 0 };

	for (unsigned int cpu = 0; cpu < w->g->n_cpus; cpu++) {
		const struct gen_cpu *c = &w->g->cpus[cpu];
		const uint64_t *p = (const void *)c->pages, *end;

		/* a line at a time, in four sums: memory is the limit, not the adding */
		for (end = p + c->n * w->g->layout.size / 8; p < end; p += 8) {
			sums[0] += p[0] + p[1];
			sums[1] += p[2] + p[3];
			sums[2] += p[4] + p[5];
			sums[3] += p[6] + p[7];
		}
	}
	w->result = sums[0] + sums[1] + sums[2] + sums[3];
}

static void stage_walk(struct work *w)
{
	struct page_record rec;
	struct page_walk walk;

	for (unsigned int cpu = 0; cpu < w->g->n_cpus; cpu++)
		for (size_t i = 0; i < w->g->cpus[cpu].n; i++) {
			page_begin(&walk, &w->g->layout, gen_page_at(w->g, cpu, i),
				   w->g->layout.size);
			while (page_next_fast(&walk, &w->g->layout, &rec) == 1)
				w->result += rec.time + rec.size;
		}
}

static void stage_decode(struct work *w)
{
	struct subjects *subjects = subjects_new(w->g->n_cpus);
	struct window *window = window_new();
	struct decoder *decoder = decoder_new(binding_plan(w->binding), &w->g->layout, subjects,
					      window);
	struct decode_result result;
	struct page_walk walk;

	window_begin(window, 1);
	for (unsigned int cpu = 0; cpu < w->g->n_cpus; cpu++) {
		window_cpu(window, (uint16_t)cpu);
		decoder_cpu(decoder, (uint16_t)cpu);
		for (size_t i = 0; i < w->g->cpus[cpu].n; i++) {
			if (i % 32 == 0)
				window->n = 0;
			page_begin(&walk, &w->g->layout, gen_page_at(w->g, cpu, i),
				   w->g->layout.size);
			decode_page(decoder, &walk, UINT64_MAX, &result);
			w->result += result.records;
		}
	}
	decoder_free(decoder);
	window_free(window);
	subjects_free(subjects);
}

static void run_stream(struct work *w, const struct consumer *consumer, struct subjects *subjects)
{
	struct stream *s = stream_new(gen_source(w->g), w->binding, subjects);

	for (unsigned int cpu = 0; cpu < w->g->n_cpus; cpu++)
		w->g->cpus[cpu].released = 0;
	stream_add(s, consumer);
	stream_advance(s, UINT64_MAX, NULL);
	w->result += stream_stats(s)->records;
	stream_free(s);
}

static void count_facts(void *ctx, const struct fact *facts, size_t n)
{
	struct work *w = ctx;

	for (size_t i = 0; i < n; i++)
		w->result += facts[i].a;
}

static void stage_deliver(struct work *w)
{
	const struct consumer consumer = {
		.order = ORDER_THREAD, .feed = count_facts, .ctx = w,
	};
	struct subjects *subjects = subjects_new(w->g->n_cpus);

	run_stream(w, &consumer, subjects);
	subjects_free(subjects);
}

static void stage_global(struct work *w)
{
	const struct consumer consumer = {
		.order = ORDER_GLOBAL, .feed = count_facts, .ctx = w,
	};
	struct subjects *subjects = subjects_new(w->g->n_cpus);

	run_stream(w, &consumer, subjects);
	subjects_free(subjects);
}

/* The answers of a run without knowledge of VMs: a thread is its own row. */
static const struct subject_who *who(void *ctx, uint32_t subject)
{
	static struct subject_who unknown = { .pid = -1, .vcpu = -1 };

	(void)ctx;
	unknown.tid = (int32_t)subject;
	return &unknown;
}

static const char *reason_name(void *ctx, uint8_t space, uint64_t reason)
{
	(void)ctx;
	(void)space;
	(void)reason;
	return NULL;
}

static void run_exits(struct work *w, unsigned int by)
{
	const struct analysis *exits = analysis_find("exits");
	const struct analysis_env env = {
		.who = who, .reason_name = reason_name, .times = true,
		.by = by,
	};
	struct subjects *subjects = subjects_new(w->g->n_cpus);
	struct error err;
	void *state = exits->new(&env, &err);
	const struct consumer consumer = {
		.order = exits->order, .lost = exits->lost, .feed = exits->feed, .ctx = state,
	};

	run_stream(w, &consumer, subjects);
	exits->free(state);
	subjects_free(subjects);
}

static void stage_exits(struct work *w)
{
	run_exits(w, KEY_BIT(KEY_REASON));
}

static void stage_threads(struct work *w)
{
	run_exits(w, KEY_BIT(KEY_TID) | KEY_BIT(KEY_REASON));
}

static const struct stage {
	const char *name;
	void (*run)(struct work *w);
} stages[] = {
	{ "touching the bytes", stage_touch },
	{ "walk", stage_walk },
	{ "walk + decode", stage_decode },
	{ "walk + decode + deliver by thread", stage_deliver },
	{ "… deliver in global order", stage_global },
	{ "walk + decode + deliver + exits", stage_exits },
	{ "… exits by thread and reason", stage_threads },
};

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint64_t argument(int argc, char **argv, int i, uint64_t otherwise)
{
	return argc > i ? strtoull(argv[i], NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	const struct gen_load load = {
		.records = argument(argc, argv, 1, 6000000),
		.cpus = (unsigned int)argument(argc, argv, 2, 2),
		.threads = (unsigned int)argument(argc, argv, 3, 2),
		.migrations = (unsigned int)argument(argc, argv, 4, 0),
		.step = 1, .seed = 1,
	};
	struct work w = { .g = gen_new(load.cpus, 4096, 8, false) };
	const struct format_source formats = { .format = gen_format, .long_size = 8 };
	double ns[ARRAY_SIZE(stages)][ROUNDS];
	uint64_t records;
	struct error err;

	w.binding = binding_new(&formats);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (binding_add(w.binding, NULL, &rows[i], &err) < 0)
			return 1;
	gen_load(w.g, &load, NULL);
	for (int round = -1; round < ROUNDS; round++)
		for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
			uint64_t begin = now();

			w.result = 0;
			stages[i].run(&w);
			if (i == 2)
				records = w.result;
			if (round >= 0)
				ns[i][round] = (double)(now() - begin);
		}
	printf("%" PRIu64 " records, %u CPUs, %u threads, %u migrations per CPU and second\n",
	       records, load.cpus, load.threads, load.migrations);
	printf("%-36s %8s %8s %8s   ns per record\n", "", "min", "median", "max");
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		qsort(ns[i], ROUNDS, sizeof(double), by_value);
		printf("%-36s %8.2f %8.2f %8.2f\n", stages[i].name, ns[i][0] / (double)records,
		       ns[i][ROUNDS / 2] / (double)records, ns[i][ROUNDS - 1] / (double)records);
	}
	binding_free(w.binding);
	gen_free(w.g);
	return 0;
}
