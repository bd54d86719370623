// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that are read in pieces: whatever the seams, what is reported is what one stream tells
 * (whose truth tests/unit/stream.c and exits.c have). Loads of few threads that migrate from record
 * to record, end and come again, with losses, with exits and entries that nothing answers, and many
 * equal times, on pages so small that nearly every record begins one; seams at every record.
 */
#include <string.h>

#include "base/util.h"
#include "cmd/pieces.h"
#include "hv/hypervisor.h"
#include "render/render.h"
#include "tests/gen.h"
#include "tests/leaks.h"
#include "tests/tap.h"
#include "trace/piece.h"

enum { CPUS = 3, RECORDS = 150, MAX_SEAMS = 8 };

static const struct hv_event rows[] = {
	{ .system = "kvm", .name = "kvm_exit", .kind = FACT_EXIT, .subject = SUBJECT_RECORDER,
	  .a = HV_FIELD("exit_reason"), .b = HV_FIELD("vcpu_id"), .aux_arg = HV_FIELD("isa") },
	{ .system = "kvm", .name = "kvm_entry", .kind = FACT_ENTRY, .subject = SUBJECT_RECORDER,
	  .b = HV_FIELD("vcpu_id") },
	{ .system = "sched", .name = "sched_process_exit", .kind = FACT_THREAD_END,
	  .subject = SUBJECT_FIELD, .who = HV_FIELD("pid") },
};

/* A kernel whose exits don't tell the vCPU. */
static const struct hv_event silent_exit = {
	.system = "kvm", .name = "kvm_exit", .kind = FACT_EXIT, .subject = SUBJECT_RECORDER,
	.a = HV_FIELD("exit_reason"), .b = HV_VALUE(FACT_NO_VCPU), .aux_arg = HV_FIELD("isa"),
};

/*
 * The same records as hypercalls of several interfaces, in batches and directly: which interface
 * comes first is another one in each piece.
 */
static const struct hv_event hypercall_rows[] = {
	{ .system = "kvm", .name = "kvm_exit", .kind = FACT_HYPERCALL, .subject = SUBJECT_RECORDER,
	  .a = HV_FIELD("exit_reason"), .b = HV_NAMED("xen"), .aux_arg = HV_FIELD("vcpu_id") },
	{ .system = "kvm", .name = "kvm_entry", .kind = FACT_HYPERCALL, .aux = HYPERCALL_OTHER,
	  .subject = SUBJECT_RECORDER, .a = HV_NAMED("flush"), .b = HV_NAMED("hyperv") },
	{ .system = "kvm", .name = "kvm_entry", .kind = FACT_HYPERCALL, .aux = HYPERCALL_FLUSH,
	  .subject = SUBJECT_THREAD, .a = HV_FIELD("vcpu_id") },
	{ .system = "kvm", .name = "kvm_entry", .kind = FACT_HYPERCALL, .aux = HYPERCALL_DIRECT,
	  .subject = SUBJECT_THREAD, .a = HV_FIELD("vcpu_id"), .b = HV_NAMED("kvm") },
	{ .system = "test", .name = "other", .kind = FACT_HYPERCALL, .aux = HYPERCALL_SECTION,
	  .subject = SUBJECT_RECORDER },
	{ .system = "test", .name = "other", .kind = FACT_HYPERCALL_CALLER,
	  .subject = SUBJECT_RECORDER, .a = HV_NAMED("xen_load_tls"), .b = HV_NAMED("any") },
	{ .system = "sched", .name = "sched_process_exit", .kind = FACT_THREAD_END,
	  .subject = SUBJECT_FIELD, .who = HV_FIELD("pid") },
};

/* What is asked. */
struct question {
	const char *analysis;
	unsigned int by;
	uint64_t vcpu;
	bool some_cpus, silent, stack;
};

struct bench {
	struct gen *gen;
	struct who *who;
	struct settings settings;
	struct binding *binding;
	struct subjects *subjects;
	struct env env;
	uint64_t times[RECORDS];
};

/* --- Loads --- */

static struct gen_fact random_fact(struct gen_random *r)
{
	static const enum gen_event events[] = { GEN_EXIT, GEN_ENTRY };
	struct gen_fact f = {
		.tid = (int32_t)gen_below(r, 6), .cpu = (uint16_t)gen_below(r, CPUS),
		.event = (uint8_t)events[gen_below(r, 2)],
	};

	if (!gen_below(r, 8))
		f.event = GEN_OTHER;
	if (!gen_below(r, 16))
		f.event = GEN_PROCESS_EXIT;
	if (f.event == GEN_OTHER)
		f.a = 24;
	if (f.event == GEN_PROCESS_EXIT)
		f.a = (uint32_t)gen_below(r, 6);
	if (f.event == GEN_EXIT) {
		f.a = 0x70 + (uint32_t)gen_below(r, 4) * 8;
		f.b = gen_below(r, 30) ? (uint32_t)f.tid % 3 : 3;
		f.c = 2;
	}
	if (f.event == GEN_ENTRY)
		f.a = gen_below(r, 30) ? (uint32_t)f.tid % 3 : 3;
	if (!gen_below(r, 20))
		f.flags = 0x08;
	return f;
}

static void make_load(struct bench *b, uint64_t seed, unsigned int page_size)
{
	struct gen_random r = { seed };
	uint64_t time = 1000;

	b->gen = gen_new(CPUS, page_size, 8, false);
	b->gen->unbounded = true;
	for (unsigned int i = 0; i < RECORDS; i++) {
		struct gen_fact f = random_fact(&r);

		/* long silences, so that exits are pending across several seams */
		time += gen_below(&r, 4) ? gen_below(&r, 2) : gen_below(&r, 200);
		if (!gen_below(&r, 25))
			gen_lose(b->gen, f.cpu, gen_below(&r, 2) ? 5 : LOSS_UNKNOWN);
		/* pages without a record, the first one perhaps with a mark */
		for (uint64_t n = gen_below(&r, 20) ? 0 : gen_below(&r, 4); n; n--, time++)
			gen_page(b->gen, f.cpu, ++time);
		f.time = b->times[i] = time;
		gen_write(b->gen, &f);
	}
	gen_finish(b->gen);
}

/* Of some CPUs what came after a record is missing: they have a mark behind it, and no more. */
static void cut_load(struct bench *b, uint64_t seed)
{
	struct gen_random r = { seed };

	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		struct gen_cpu *c = &b->gen->cpus[cpu];
		uint64_t time = 0;

		if (gen_below(&r, 2))
			continue;
		c->n = gen_below(&r, c->n + 1);
		for (unsigned int i = 0; i < RECORDS && c->n; i++)
			if (b->times[i] <= page_time(&b->gen->layout,
						     gen_page_at(b->gen, cpu, c->n - 1)))
				time = b->times[i];
		gen_lose(b->gen, cpu, LOSS_UNKNOWN);
		gen_page(b->gen, cpu, time);
	}
	gen_finish(b->gen);
}

/* --- The world --- */

static void know(struct who *who)
{
	for (int32_t tid = 1; tid < 5; tid++)
		who_set(who, &(struct who_thread){
			.tid = tid, .pid = 100 + tid % 2, .vcpu = tid / 2, .comm = "CPU 0/KVM",
			.vm = tid == 4 ? NULL : tid % 2 ? "red" : "blue",
		});
}

static const struct hypervisor *kvm_x86(void)
{
	for (const struct hypervisor *const *hv = hypervisors; *hv; hv++)
		if (!strcmp((*hv)->name, "kvm-x86"))
			return *hv;
	return NULL;
}

static void bind(struct bench *b, const struct question *q)
{
	struct format_source formats = { .format = gen_format, .long_size = 8 };

	b->binding = binding_new(&formats);
	if (!strcmp(q->analysis, "count")) {
		binding_add_record(b->binding, "kvm", "kvm_exit", NULL);
		binding_add_record(b->binding, "test", "other", NULL);
		binding_add(b->binding, NULL, &rows[2], NULL);
		return;
	}
	for (size_t i = 0; !strcmp(q->analysis, "hypercalls") && i < ARRAY_SIZE(hypercall_rows);
	     i++)
		binding_add(b->binding, NULL, &hypercall_rows[i], NULL);
	for (size_t i = 0; !strcmp(q->analysis, "exits") && i < ARRAY_SIZE(rows); i++)
		binding_add(b->binding, NULL, !i && q->silent ? &silent_exit : &rows[i], NULL);
}

static void ask(struct bench *b, const struct question *q)
{
	static const uint32_t percentiles[] = { 500000, 990000 };
	struct error err;

	b->settings = (struct settings){
		.input = "load", .by = q->by, .vcpu = q->vcpu, .has_cpus = q->some_cpus,
		.stack = q->stack,
		.command = { .name = q->analysis, .analysis = analysis_find(q->analysis) },
		.n_percentiles = ARRAY_SIZE(percentiles), .hist = true,
		.format = render_find("json", NULL),
	};
	memcpy(b->settings.percentiles, percentiles, sizeof(percentiles));
	cpuset_parse(&b->settings.cpus, "1-2", &err);
	b->who = who_new_recorded();
	know(b->who);
	bind(b, q);
	b->subjects = subjects_new(CPUS);
	env_begin(&b->env, &b->settings, b->who, &err);
	b->env.analysis.hv = kvm_x86();
	b->env.subjects = b->subjects;
	b->env.binding = b->binding;
}

static void ask_no_more(struct bench *b)
{
	env_end(&b->env);
	subjects_free(b->subjects);
	binding_free(b->binding);
	who_free(b->who);
	cpuset_free(&b->settings.cpus);
}

/* --- Both ways --- */

struct whole {
	const struct analysis *analysis;
	void *state;
};

static void feed(void *ctx, const struct fact *facts, size_t n)
{
	struct whole *w = ctx;

	w->analysis->feed(w->state, facts, n);
}

static void lost(void *ctx, const struct loss *losses, size_t n)
{
	struct whole *w = ctx;

	if (w->analysis->lost)
		w->analysis->lost(w->state, losses, n);
}

/* The report in full, and the stream's own figures. */
static char *tell(struct bench *b, void *state, const struct stream_stats *stats)
{
	const struct render_options options = { .verbose = true, .version = "0" };
	struct report *report = report_new(b->settings.command.name, NULL);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct render *render;

	b->settings.command.analysis->report(state, report, stats->last, true);
	report->has_span = report->has_records = report->has_lost = true;
	report->span_ns = stats->last - stats->first;
	report->records = stats->records;
	report->lost.records = stats->lost_records;
	report->lost.marks = stats->lost_marks;
	report->lost.unknown = stats->lost_unknown;
	report_finish(report, NULL, NULL);
	render = render_begin(b->settings.format, &options, out);
	render_report(render, report, NULL);
	render_end(render, NULL);
	fprintf(out, "%llu…%llu, %llu of %llu discarded, %llu vms, %llu vcpus\n",
		(unsigned long long)stats->first, (unsigned long long)stats->last,
		(unsigned long long)report->lost.intervals_discarded,
		(unsigned long long)report->lost.intervals, (unsigned long long)report->vms,
		(unsigned long long)report->vcpus);
	fclose(out);
	report_free(report);
	return text;
}

static char *as_one(struct bench *b)
{
	struct page_source source = *gen_source(b->gen);
	struct whole w = { .analysis = b->settings.command.analysis };
	struct consumer consumer = { .order = w.analysis->order, .lost = lost, .feed = feed,
				     .ctx = &w };
	struct stream *s;
	char *text;

	source.release = NULL;
	w.state = w.analysis->new(&b->env.analysis, NULL);
	s = stream_new(&source, b->binding, b->subjects);
	stream_add(s, &consumer);
	stream_advance(s, UINT64_MAX, NULL);
	text = tell(b, w.state, stream_stats(s));
	w.analysis->free(w.state);
	stream_free(s);
	return text;
}

/* NULL: it didn't go. */
static char *in_pieces(struct bench *b, const uint64_t *seams, unsigned int n_seams)
{
	struct page_source sources[MAX_SEAMS + 1];
	struct pieces p = {
		.analysis = b->settings.command.analysis, .env = &b->env,
		.sources = sources, .seams = seams, .n_seams = n_seams,
	};
	char *text;

	for (unsigned int i = 0; i <= n_seams; i++) {
		sources[i] = *gen_source(b->gen);
		sources[i].release = NULL;
	}
	if (!pieces_run(&p))
		return NULL;
	text = tell(b, p.state, &p.stats);
	p.analysis->free(p.state);
	return text;
}

/* Whether it went, and what came out is the same. */
static bool is_same(struct bench *b, const char *one, const uint64_t *seams, unsigned int n_seams)
{
	char *text = in_pieces(b, seams, n_seams);
	bool same = text && !strcmp(one, text);

	if (!same) {
		for (unsigned int i = 0; i < n_seams; i++)
			diag("seam at %llu", (unsigned long long)seams[i]);
		diag("as one: %s", one);
		diag("in pieces: %s", text ? text : "not at all");
	}
	free(text);
	return same;
}

/* Before each record, or behind it. */
static bool same_at_each(struct bench *b, const char *one, uint64_t seed)
{
	for (unsigned int i = 0; i < RECORDS; i++) {
		const uint64_t seam = b->times[i] + (i + seed / 2) % 2;

		if (!is_same(b, one, &seam, 1))
			return false;
	}
	return true;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Several seams: pieces in which nothing of a thread comes, or nothing at all. */
static bool same_at_many(struct bench *b, const char *one, uint64_t seed)
{
	struct gen_random r = { seed };
	uint64_t seams[MAX_SEAMS];

	for (int round = 0; round < 60; round++) {
		unsigned int n = 2 + (unsigned int)gen_below(&r, MAX_SEAMS - 1);

		for (unsigned int i = 0; i < n; i++)
			seams[i] = b->times[gen_below(&r, RECORDS)] + gen_below(&r, 3);
		qsort(seams, n, sizeof(*seams), by_value);
		if (!is_same(b, one, seams, n))
			return false;
	}
	return true;
}

static const unsigned int page_sizes[] = { 104, 256, 4096 };

static void test_question(const struct question *q)
{
	/* what depends on nothing before it needs fewer; on emulated machines each costs seconds */
	const uint64_t seeds = strcmp(q->analysis, "exits") ? 2 : 4;
	bool each = true, many = true;

	for (uint64_t seed = 1; seed <= seeds; seed++) {
		struct bench b;
		char *one;

		make_load(&b, seed, page_sizes[seed % ARRAY_SIZE(page_sizes)]);
		if (seed % 2)
			cut_load(&b, seed);
		ask(&b, q);
		one = as_one(&b);
		each = each && same_at_each(&b, one, seed);
		many = many && same_at_many(&b, one, seed);
		free(one);
		ask_no_more(&b);
		gen_free(b.gen);
	}
	ok(each, "%s, keys %#x: a seam at every record", q->analysis, q->by);
	ok(many, "%s, keys %#x: many seams", q->analysis, q->by);
}

static void test_questions(void)
{
	static const struct question questions[] = {
		{ "exits", KEY_BIT(KEY_REASON), UINT64_MAX, false, false, false },
		{ "exits", KEY_BIT(KEY_VM) | KEY_BIT(KEY_REASON), UINT64_MAX, false, false, false },
		{ "exits", KEY_BIT(KEY_TID) | KEY_BIT(KEY_VCPU) | KEY_BIT(KEY_CPU), UINT64_MAX,
		  false, false, false },
		{ "exits", KEY_BIT(KEY_COMM), 1, false, false, false },
		{ "exits", KEY_BIT(KEY_TID) | KEY_BIT(KEY_REASON), UINT64_MAX, true, false, false },
		{ "exits", KEY_BIT(KEY_TID), UINT64_MAX, false, true, false },
		{ "count", KEY_BIT(KEY_EVENT), UINT64_MAX, false, false, false },
		{ "count", KEY_BIT(KEY_TID) | KEY_BIT(KEY_CPU), 1, true, false, false },
		{ "hypercalls", KEY_BIT(KEY_OP), UINT64_MAX, false, false, false },
		{ "hypercalls", KEY_BIT(KEY_VM) | KEY_BIT(KEY_OP) | KEY_BIT(KEY_CPU), UINT64_MAX,
		  false, false, false },
		{ "hypercalls", KEY_BIT(KEY_TID), UINT64_MAX, true, false, false },
		{ "hypercalls", KEY_BIT(KEY_COMM) | KEY_BIT(KEY_OP), 1, false, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		test_question(&questions[i]);
}

/* --- What can't be cut --- */

static const struct question plain = { "exits", KEY_BIT(KEY_TID) | KEY_BIT(KEY_REASON), UINT64_MAX,
				       false, false, false };

static bool fits(const struct question *q)
{
	struct bench b;
	bool fit;

	make_load(&b, 1, 256);
	ask(&b, q);
	fit = pieces_fit(b.settings.command.analysis, &b.env, gen_source(b.gen));
	ask_no_more(&b);
	gen_free(b.gen);
	return fit;
}

/* What is known before anything is read. */
static void test_fit(void)
{
	struct question q = { "hypercalls", KEY_BIT(KEY_OP), UINT64_MAX, false, false, false };

	ok(fits(&plain) && fits(&q), "exits and hypercalls fit");
	q.stack = true;
	ok(!fits(&q), "hypercalls with stacks don't");
	q = (struct question){ "callbacks", KEY_BIT(KEY_OP), UINT64_MAX, false, false, false };
	ok(!fits(&q), "nor does what has no join");
}

/* Every seam: not at all, or the same; and somewhere not at all. */
static void test_refused(const char *name, struct bench *b, const struct question *q)
{
	unsigned int refused = 0, wrong = 0;
	char *one;

	ask(b, q);
	one = as_one(b);
	for (unsigned int i = 0; i < RECORDS; i++) {
		char *text = in_pieces(b, &b->times[i], 1);

		refused += !text;
		wrong += text && strcmp(one, text);
		free(text);
	}
	ok(refused && !wrong, "%s: %u of %u seams refused, the others right", name, refused,
	   (unsigned int)RECORDS);
	free(one);
	ask_no_more(b);
	gen_free(b->gen);
}

static void test_silent(void)
{
	struct question q = { "exits", KEY_BIT(KEY_VCPU), UINT64_MAX, false, true,
			      false };
	struct bench b;

	make_load(&b, 7, 256);
	test_refused("vCPUs that only entries tell", &b, &q);
}

/* The clock of a CPU runs backwards, a page or more: nothing may be missing or counted twice. */
static void test_backwards(void)
{
	struct gen_fact f = { .event = GEN_EXIT, .a = 0x70, .c = 2, .tid = 1 };
	struct bench b;

	b.gen = gen_new(CPUS, 256, 8, false);
	b.gen->unbounded = true;
	for (unsigned int i = 0; i < RECORDS; i++) {
		f.cpu = (uint16_t)(i % CPUS);
		f.event = i % 2 ? GEN_ENTRY : GEN_EXIT;
		f.time = b.times[i] = 1000 + 10 * (i < 100 ? i : i - 40);
		if (i == 100)
			for (unsigned int cpu = 0; cpu < CPUS; cpu++)
				gen_page(b.gen, cpu, f.time);
		gen_write(b.gen, &f);
	}
	gen_finish(b.gen);
	test_refused("clocks that run backwards", &b, &plain);
}

/* A loss that nothing comes after on its CPU, long before the end: what was before it is timed. */
static void test_endless_loss(void)
{
	struct gen_fact f = { .event = GEN_EXIT, .c = 2, .tid = 1 };
	struct bench b;
	char *one;

	b.gen = gen_new(CPUS, 256, 8, false);
	b.gen->unbounded = true;
	for (unsigned int i = 0; i < RECORDS; i++) {
		f.event = i % 2 ? GEN_ENTRY : GEN_EXIT;
		f.time = b.times[i] = 1000 + 10 * i;
		f.cpu = i < 50;
		gen_write(b.gen, &f);
		if (i != 50)
			continue;
		gen_lose(b.gen, 1, 3);
		gen_page(b.gen, 1, f.time);
		gen_close(b.gen, 1);
	}
	gen_finish(b.gen);
	ask(&b, &plain);
	one = as_one(&b);
	ok(strstr(one, "\"timed\": 25") && same_at_each(&b, one, 0) &&
		   same_at_each(&b, one, 2),
	   "a loss without an end");
	free(one);
	ask_no_more(&b);
	gen_free(b.gen);
}

/* --- Where seams are --- */

static void test_seams(void)
{
	struct gen_load load = { .cpus = CPUS, .threads = 5, .records = 20000, .step = 1,
				 .seed = 3 };
	uint64_t seams[7], counts[CPUS] = { 0 };
	struct gen *g = gen_new(CPUS, 4096, 8, false);
	unsigned int n, fair = 0, pages = 0;

	g->unbounded = true;
	gen_load(g, &load, NULL);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		counts[cpu] = g->cpus[cpu].n;
		pages += (unsigned int)counts[cpu];
	}
	n = piece_seams(gen_source(g), counts, 8, seams);
	ok(n == 7, "eight pieces have seven seams");
	for (unsigned int i = 0; i < n; i++) {
		unsigned int before = 0;

		for (unsigned int cpu = 0; cpu < CPUS; cpu++)
			for (size_t p = 0; p < g->cpus[cpu].n; p++)
				before += page_time(&g->layout, gen_page_at(g, cpu, p)) < seams[i];
		fair += before * 8 + 8 * CPUS >= (i + 1) * pages &&
			before * 8 <= (i + 1) * pages + 8 * CPUS;
	}
	ok(fair == n, "with as many pages each");
	gen_free(g);
	g = gen_new(CPUS, 4096, 8, false);
	g->unbounded = true;
	gen_finish(g);
	memset(counts, 0, sizeof(counts));
	ok(piece_seams(gen_source(g), counts, 8, seams) == 0, "nothing has no seams");
	gen_free(g);
}

/* A caller that stops gets what is whole from the beginning on. */
static bool stop_at_once(void *ctx, const struct pieces_progress *progress)
{
	(void)progress;
	++*(unsigned int *)ctx;
	return false;
}

static void test_stop(void)
{
	struct bench b;
	unsigned int asked = 0;
	struct pieces p = { .n_seams = 1, .meanwhile = stop_at_once, .ctx = &asked };
	struct page_source sources[2];

	make_load(&b, 1, 256);
	ask(&b, &plain);
	p.analysis = b.settings.command.analysis;
	p.env = &b.env;
	sources[0] = *gen_source(b.gen);
	sources[0].release = NULL;
	sources[1] = sources[0];
	p.sources = sources;
	p.seams = &b.times[RECORDS / 2];
	if (ok(pieces_run(&p), "a stop is no failure"))
		p.analysis->free(p.state);
	ok(p.stats.records <= RECORDS, "and gives no more than there is");
	ask_no_more(&b);
	gen_free(b.gen);
}

int main(void)
{
	test_questions();
	test_fit();
	test_silent();
	test_backwards();
	test_endless_loss();
	test_seams();
	test_stop();
	ok(!gen_misuses(), "no page was read out of turn");
	return tap_done();
}
