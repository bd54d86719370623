// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The short way of `exits` (an exit that its entry follows at once) against its plain one, which
 * tests/unit/exits.c compares with the rules: facts that are fed one by one can only go the plain
 * way. Whatever comes, both have to report the same, to the last figure. On every capture among the
 * tests, on generated loads, and on facts of all kinds in a mess that no recorder would make.
 */
#include <ftw.h>
#include <string.h>

#include "analysis/analysis.h"
#include "base/util.h"
#include "hv/hypervisor.h"
#include "render/render.h"
#include "report/report.h"
#include "tests/gen.h"
#include "tests/leaks.h"
#include "tests/tap.h"
#include "trace/binding.h"
#include "trace/stream.h"
#include "trace/subjects.h"
#include "trace/tracedat.h"

/* One way of feeding. */
struct way {
	size_t step; /* facts at a time, 0: all that there are */
	void *state;
};

struct both {
	struct analysis_env env;
	struct subject_who who;
	const struct analysis *exits;
	struct way ways[3];
	uint64_t facts;
};

static const struct subject_who *who(void *ctx, uint32_t subject)
{
	struct both *b = ctx;

	b->who = (struct subject_who){
		.tid = (int32_t)subject, .pid = (int32_t)subject % 3, .vcpu = -1,
		.vm = subject % 3 ? subject % 2 ? "red" : "blue" : NULL,
	};
	return &b->who;
}

static const char *reason_name(void *ctx, uint8_t space, uint64_t reason)
{
	(void)ctx;
	(void)space;
	(void)reason;
	return NULL;
}

static bool selected(void *ctx, uint32_t subject, uint64_t vcpu)
{
	(void)ctx;
	return subject % 2 || vcpu == 1;
}

static bool cpu_selected(void *ctx, uint16_t cpu)
{
	(void)ctx;
	return cpu % 2;
}

static void begin(struct both *b, const struct analysis_env *env)
{
	static const uint32_t percentiles[] = { 500000, 990000 };

	*b = (struct both){ .env = *env, .exits = analysis_find("exits") };
	b->env.ctx = b;
	b->env.who = who;
	b->env.reason_name = reason_name;
	b->env.times = b->env.hist = true;
	b->env.percentiles = percentiles;
	b->env.n_percentiles = ARRAY_SIZE(percentiles);
	b->ways[1].step = 1;
	b->ways[2].step = 7;
	for (size_t i = 0; i < ARRAY_SIZE(b->ways); i++)
		b->ways[i].state = b->exits->new(&b->env, NULL);
}

static void feed(void *ctx, const struct fact *facts, size_t n)
{
	struct both *b = ctx;

	b->facts += n;
	for (size_t i = 0; i < ARRAY_SIZE(b->ways); i++) {
		size_t step = b->ways[i].step ? b->ways[i].step : n;

		for (size_t done = 0; done < n; done += step)
			b->exits->feed(b->ways[i].state, facts + done, min(step, n - done));
	}
}

static void lost(void *ctx, const struct loss *losses, size_t n)
{
	struct both *b = ctx;

	for (size_t i = 0; i < ARRAY_SIZE(b->ways); i++)
		b->exits->lost(b->ways[i].state, losses, n);
}

/* The report in full. */
static char *tell(const struct both *b, const struct way *way)
{
	const struct render_options options = { .verbose = true, .version = "0" };
	struct report *report = report_new("exits", NULL);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct render *render = render_begin(render_find("json", NULL), &options, out);

	b->exits->report(way->state, report, 0, true);
	report->has_span = report->has_lost = true;
	report->span_ns = 1000000000;
	report_finish(report, NULL, NULL);
	render_report(render, report, NULL);
	render_end(render, NULL);
	fprintf(out, "%llu of %llu discarded, %llu vms, %llu vcpus\n",
		(unsigned long long)report->lost.intervals_discarded,
		(unsigned long long)report->lost.intervals, (unsigned long long)report->vms,
		(unsigned long long)report->vcpus);
	fclose(out);
	report_free(report);
	return text;
}

/* Whether all ways tell the same; nothing is left of them. */
static bool end(struct both *b)
{
	char *texts[ARRAY_SIZE(b->ways)];
	bool same = true;

	for (size_t i = 0; i < ARRAY_SIZE(b->ways); i++) {
		texts[i] = tell(b, &b->ways[i]);
		same &= !strcmp(texts[i], texts[0]);
		b->exits->free(b->ways[i].state);
	}
	if (!same)
		diag("all at once: %s\none by one:  %s", texts[0], texts[1]);
	for (size_t i = 0; i < ARRAY_SIZE(b->ways); i++)
		free(texts[i]);
	return same;
}

/* What is asked: each may make the short way impossible, or wrong. */
static const struct analysis_env questions[] = {
	{ .by = KEY_BIT(KEY_REASON) },
	{ .by = KEY_BIT(KEY_TID) | KEY_BIT(KEY_REASON) },
	{ .by = KEY_BIT(KEY_VM) | KEY_BIT(KEY_VCPU) },
	{ .by = KEY_BIT(KEY_CPU) | KEY_BIT(KEY_REASON) },
	{ .by = KEY_BIT(KEY_CPU) },
	{ .by = KEY_BIT(KEY_REASON), .selected = selected },
	{ .by = KEY_BIT(KEY_PID) | KEY_BIT(KEY_REASON), .cpu_selected = cpu_selected },
	{ .by = KEY_BIT(KEY_VCPU), .selected = selected, .cpu_selected = cpu_selected },
};

/* --- A mess --- */

enum { FACTS = 600, WINDOWS = 8 };

/* Mostly pairs; seldom anything. `mess` is of how many facts one is out of the way. */
static void make_facts(struct gen_random *r, struct fact *facts, uint64_t *time, uint64_t mess)
{
	static const enum fact_kind kinds[] = { FACT_EXIT, FACT_ENTRY, FACT_THREAD_END,
						FACT_RECORD };
	uint64_t silent = gen_below(r, 4); /* kernels whose exits, or whose entries tell no vCPU */
	struct fact f = { .kind = FACT_ENTRY, .subject = 4 };

	for (size_t i = 0; i < FACTS; i++) {
		f.kind = f.kind == FACT_EXIT ? FACT_ENTRY : FACT_EXIT;
		if (!gen_below(r, mess))
			f.kind = kinds[gen_below(r, ARRAY_SIZE(kinds))];
		if (!gen_below(r, mess))
			f.subject = 4 + (uint32_t)gen_below(r, 5);
		if (!gen_below(r, mess))
			f.cpu = (uint16_t)gen_below(r, 4);
		f.a = f.kind == FACT_EXIT ? gen_below(r, 40) + (gen_below(r, 4) << 30) : 0;
		f.b = gen_below(r, 4 * mess) ? f.subject % 2 : gen_below(r, 3);
		if (f.kind == FACT_EXIT ? silent == 1 : silent == 2)
			f.b = FACT_NO_VCPU;
		f.aux = f.kind == FACT_EXIT ? (uint8_t)(1 + gen_below(r, 2)) : 0;
		if (!gen_below(r, 4 * mess))
			f.aux ^= 1;
		*time += gen_below(r, 1u << gen_below(r, 20));
		f.time = *time;
		if (!gen_below(r, 8 * mess))
			f.time -= 50;
		facts[i] = f;
	}
}

static void make_losses(struct gen_random *r, struct loss *losses, size_t n, uint64_t from,
			uint64_t to)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t begin = from + gen_below(r, to - from + 1000);

		losses[i] = (struct loss){ .from = begin, .to = begin + gen_below(r, 5000) };
	}
}

static void test_mess(void)
{
	static const uint64_t messes[] = { 2, 10, 100, 1000 };
	struct gen_random r = { 20 };

	for (size_t q = 0; q < ARRAY_SIZE(questions); q++) {
		size_t same = 0, rounds = 0;

		for (size_t m = 0; m < ARRAY_SIZE(messes); m++)
			for (int round = 0; round < 12; round++, rounds++) {
				uint64_t time = 1000000;
				struct both b;

				begin(&b, &questions[q]);
				for (int i = 0; i < WINDOWS; i++) {
					struct fact facts[FACTS];
					struct loss losses[3];
					uint64_t before = time;

					make_facts(&r, facts, &time, messes[m]);
					make_losses(&r, losses, ARRAY_SIZE(losses), before, time);
					if (i % 2)
						lost(&b, losses, 1 + gen_below(&r, 3));
					feed(&b, facts, FACTS);
				}
				same += end(&b);
			}
		ok(same == rounds, "facts in a mess, question %zu", q + 1);
	}
}

/* --- Loads --- */

static const struct hv_event rows[] = {
	{ .system = "kvm", .name = "kvm_exit", .kind = FACT_EXIT, .subject = SUBJECT_THREAD,
	  .a = HV_FIELD("exit_reason"), .b = HV_FIELD("vcpu_id"), .aux_arg = HV_FIELD("isa") },
	{ .system = "kvm", .name = "kvm_entry", .kind = FACT_ENTRY, .subject = SUBJECT_THREAD,
	  .b = HV_FIELD("vcpu_id") },
	{ .system = "sched", .name = "sched_process_exit", .kind = FACT_THREAD_END,
	  .subject = SUBJECT_FIELD, .who = HV_FIELD("pid") },
};

static bool run(struct both *b, const struct page_source *source, struct binding *binding)
{
	const struct consumer consumer = {
		.order = b->exits->order, .lost = lost, .feed = feed, .ctx = b,
	};
	struct subjects *subjects = subjects_new(source->n_cpus);
	struct stream *s = stream_new(source, binding, subjects);
	bool went;

	stream_add(s, &consumer);
	went = !stream_advance(s, UINT64_MAX, NULL);
	stream_free(s);
	subjects_free(subjects);
	return end(b) && went;
}

static void test_load(const char *what, const struct gen_load *load, const struct analysis_env *env)
{
	const struct format_source formats = { .format = gen_format, .long_size = 8 };
	struct gen *g = gen_new(load->cpus, 4096, 8, false);
	struct binding *binding = binding_new(&formats);
	struct both b;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		binding_add(binding, NULL, &rows[i], NULL);
	gen_load(g, load, NULL);
	begin(&b, env);
	ok(run(&b, gen_source(g), binding), "%s", what);
	binding_free(binding);
	gen_free(g);
}

static void test_loads(void)
{
	struct gen_load load = { .cpus = 2, .threads = 2, .records = 30000, .step = 1, .seed = 3 };

	test_load("two threads", &load, &questions[0]);
	load.losses = 50;
	test_load("with losses", &load, &questions[0]);
	load.threads = 8;
	load.migrations = 1000;
	test_load("with threads that move all the time", &load, &questions[1]);
	load.step = 1000;
	test_load("with equal times", &load, &questions[1]);
	load.others = 100;
	load.cpus = 16;
	load.threads = 50;
	test_load("among other events, on 16 CPUs", &load, &questions[3]);
	load.threads = 3000;
	load.records = 200000;
	test_load("more bins than caches hold", &load, &questions[1]);
}

/* --- Captures --- */

static char *format(void *ctx, const char *system, const char *name)
{
	struct tracedat_event event;

	if (tracedat_event(ctx, system, name, &event, NULL) != 1 || !event.format.text)
		return NULL;
	return xstrndup(event.format.text, event.format.len);
}

/* A hypervisor's exits and entries, if the file has both. */
static bool bind(struct binding *binding, const struct hypervisor *hv)
{
	uint64_t bound = 0;

	for (size_t i = 0; i < hv->n_events; i++) {
		const struct hv_event *row = &hv->events[i];

		if (row->system && (row->kind == FACT_EXIT || row->kind == FACT_ENTRY) &&
		    binding_add(binding, hv, row, NULL) >= 0)
			bound |= FACT_BIT(row->kind);
	}
	binding_add(binding, NULL, &rows[2], NULL);
	return bound == (FACT_BIT(FACT_EXIT) | FACT_BIT(FACT_ENTRY));
}

struct capture {
	struct tracedat_pages *pages;
	struct page_layout layout;
};

static int get(void *ctx, unsigned int cpu, uint64_t n, const void **page, size_t *size,
	       struct error *err)
{
	return tracedat_pages_get(((struct capture *)ctx)->pages, cpu, n, page, size, err);
}

static int time_of(void *ctx, unsigned int cpu, uint64_t n, uint64_t *time, struct error *err)
{
	const void *page;
	size_t size;
	int got = get(ctx, cpu, n, &page, &size, err);

	if (got == 1)
		*time = page_time(&((struct capture *)ctx)->layout, page);
	return got;
}

static void release(void *ctx, unsigned int cpu, uint64_t n)
{
	tracedat_pages_release(((struct capture *)ctx)->pages, cpu, n);
}

/* False: the hypervisor's events aren't in it. */
static bool check_as(struct tracedat *dat, const char *name, const struct hypervisor *hv)
{
	const struct tracedat_buffer *buffer = tracedat_buffer(dat, NULL);
	struct capture c = {
		.pages = tracedat_pages_new(dat, buffer), .layout = tracedat_layout(dat, buffer),
	};
	const struct page_source source = {
		.get = get, .time = time_of, .release = release, .ctx = &c,
		.n_cpus = tracedat_buffer_cpus(buffer), .layout = c.layout,
	};
	struct binding *binding = binding_new(&(struct format_source){
		.format = format, .ctx = dat, .long_size = c.layout.long_size,
		.big_endian = c.layout.swap != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__),
	});
	bool fits = bind(binding, hv), same;
	struct both b;

	if (fits) {
		begin(&b, &questions[1]);
		b.env.hv = hv;
		same = run(&b, &source, binding);
		ok(same, "%s: %llu facts", name, (unsigned long long)b.facts);
	}
	binding_free(binding);
	tracedat_pages_free(c.pages);
	return fits;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *suffix = strrchr(path, '.');
	struct tracedat *dat;

	(void)st;
	if (type != FTW_F || !suffix || strcmp(suffix, ".dat") != 0)
		return 0;
	dat = tracedat_open(path, NULL);
	for (const struct hypervisor *const *hv = hypervisors; dat && *hv; hv++)
		if (check_as(dat, path + ftw->base, *hv))
			break;
	tracedat_free(dat);
	return 0;
}

int main(void)
{
	char *dir = xasprintf("%s/tests/traces", tap_source());

	test_mess();
	test_loads();
	nftw(dir, visit, 16, 0);
	free(dir);
	return tap_done();
}
