// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stream against a plain sort of everything: what it hands on in each order, for loads of
 * threads that migrate, wake each other from anywhere, and lose records; how losses are told; and
 * what comes late. The truth is what the generator wrote, put in order by qsort(). All of it with
 * windows that are decoded one by one and ahead, which must not make any difference.
 */
#include <string.h>

#include "fact.h"
#include "hv/hypervisor.h"
#include "tests/gen.h"
#include "tests/tap.h"
#include "trace/binding.h"
#include "trace/stream.h"
#include "trace/subjects.h"

/* Rows as tables have them, one of each kind of subject. */
enum { ROW_EXIT, ROW_ENTRY, ROW_OUT, ROW_IN, ROW_WAKE, ROW_GONE, ROWS };

static const struct hv_event rows[ROWS] = {
	[ROW_EXIT] = {
		.system = "kvm", .name = "kvm_exit", .kind = FACT_EXIT, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("exit_reason"), .b = HV_FIELD("vcpu_id"), .aux_arg = HV_FIELD("isa"),
	},
	[ROW_ENTRY] = {
		.system = "kvm", .name = "kvm_entry", .kind = FACT_ENTRY,
		.subject = SUBJECT_THREAD, .b = HV_FIELD("vcpu_id"),
	},
	[ROW_OUT] = {
		.system = "sched", .name = "sched_switch", .kind = FACT_SWITCH_OUT,
		.subject = SUBJECT_FIELD, .who = HV_FIELD("prev_pid"),
		.a = HV_FIELD("prev_state"), .b = HV_FIELD("next_pid"),
	},
	[ROW_IN] = {
		.system = "sched", .name = "sched_switch", .kind = FACT_SWITCH_IN,
		.subject = SUBJECT_FIELD, .who = HV_FIELD("next_pid"), .b = HV_FIELD("prev_pid"),
	},
	[ROW_WAKE] = {
		.system = "sched", .name = "sched_waking", .kind = FACT_WAKE,
		.subject = SUBJECT_FIELD, .who = HV_FIELD("pid"),
		.a = HV_FIELD("target_cpu"), .b = HV_FIELD("common_pid"),
	},
	[ROW_GONE] = {
		.system = "sched", .name = "sched_process_exit", .kind = FACT_THREAD_END,
		.subject = SUBJECT_FIELD, .who = HV_FIELD("pid"),
	},
};

/* A fact by who it is about, as truth and stream can be compared. */
struct seen {
	struct fact fact;
	uint64_t who; /* tid, or CPU of an idle thread */
};

struct seen_list {
	struct seen *list;
	size_t n, room;
};

static void add_seen(struct seen_list *l, const struct fact *f, uint64_t who)
{
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 1024;
		l->list = realloc(l->list, l->room * sizeof(*l->list));
	}
	l->list[l->n] = (struct seen){ .fact = *f, .who = who };
	l->list[l->n++].fact.subject = 0;
}

static uint64_t who_of(int32_t tid, uint32_t cpu)
{
	return tid ? (uint32_t)tid : UINT64_C(1) << 32 | cpu;
}

/* What one consumer was told. */
struct witness {
	enum order order;
	struct subjects *subjects;
	struct seen_list seen;
	struct loss *losses;
	size_t n_losses;
	uint64_t digest;	/* of all that it was told, thread numbers and statistics too */
	const struct stream *stream;
	uint64_t latest;	/* time of a fact */
	unsigned int too_late;	/* losses that began before a fact that was handed on earlier */
	unsigned int numbers;	/* that were given back */
	int32_t held;		/* of every so many threads it holds something; 0: of none */
	unsigned int held_ends; /* of such a thread the number was given back */
};

static void digest(struct witness *w, uint64_t number)
{
	w->digest = (w->digest ^ number) * UINT64_C(0x9e3779b97f4a7c15);
	w->digest ^= w->digest >> 29;
}

static void witness_lost(void *ctx, const struct loss *losses, size_t n)
{
	struct witness *w = ctx;

	w->losses = realloc(w->losses, (w->n_losses + n) * sizeof(*losses));
	memcpy(w->losses + w->n_losses, losses, n * sizeof(*losses));
	w->n_losses += n;
	digest(w, n);
	for (size_t i = 0; i < n; i++) {
		digest(w, losses[i].from);
		digest(w, losses[i].to);
		digest(w, losses[i].count);
		digest(w, losses[i].cpu);
	}
	for (size_t i = 0; i < n; i++)
		w->too_late += losses[i].from < w->latest;
}

static void witness_feed(void *ctx, const struct fact *facts, size_t n)
{
	const struct stream_stats *stats = stream_stats(((struct witness *)ctx)->stream);
	struct witness *w = ctx;

	digest(w, n);
	digest(w, stats->records);
	digest(w, stats->last);
	digest(w, stats->lost_records);
	for (size_t i = 0; i < n; i++) {
		int32_t tid = -1;
		uint32_t cpu;

		subjects_what(w->subjects, facts[i].subject, &tid, &cpu);
		digest(w, facts[i].time);
		digest(w, facts[i].subject);
		digest(w, (uint64_t)(uint32_t)tid << 32 | cpu);
		digest(w, (uint64_t)facts[i].kind << 16 | facts[i].cpu);
		if (facts[i].kind == FACT_THREAD_END && facts[i].aux == END_NUMBER) {
			w->numbers++;
			w->held_ends += w->held && tid % w->held == 0;
			continue;
		}
		add_seen(&w->seen, &facts[i], who_of(tid, cpu));
		w->latest = facts[i].time > w->latest ? facts[i].time : w->latest;
	}
}

static bool witness_holds(void *ctx, uint32_t subject)
{
	const struct witness *w = ctx;
	int32_t tid = 1;
	uint32_t cpu;

	return subjects_what(w->subjects, subject, &tid, &cpu) && w->held && tid % w->held == 0;
}

/* Truth. */

/* Appends what the rows make of a record. */
static void add_truth(struct seen_list *l, const struct gen_fact *f)
{
	struct fact fact = { .time = f->time, .cpu = f->cpu };

	switch (f->event) {
	case GEN_EXIT:
		fact.kind = FACT_EXIT;
		fact.a = f->a;
		fact.b = f->b;
		fact.aux = (uint8_t)f->c;
		add_seen(l, &fact, who_of(f->tid, f->cpu));
		break;
	case GEN_ENTRY:
		fact.kind = FACT_ENTRY;
		fact.b = f->a;
		add_seen(l, &fact, who_of(f->tid, f->cpu));
		break;
	case GEN_SWITCH:
		fact.kind = FACT_SWITCH_OUT;
		fact.a = 1;
		fact.b = f->b;
		add_seen(l, &fact, who_of((int32_t)f->a, f->cpu));
		fact.kind = FACT_SWITCH_IN;
		fact.a = 0;
		fact.b = f->a;
		add_seen(l, &fact, who_of((int32_t)f->b, f->cpu));
		break;
	case GEN_WAKING:
		fact.kind = FACT_WAKE;
		fact.a = f->b;
		fact.b = (uint32_t)f->tid;
		add_seen(l, &fact, who_of((int32_t)f->a, f->cpu));
		break;
	case GEN_PROCESS_EXIT:
		fact.kind = FACT_THREAD_END;
		add_seen(l, &fact, who_of((int32_t)f->a, f->cpu));
		break;
	}
}

/* Positions in the list of truth, to be sorted. */
struct place {
	const struct seen *seen;
	size_t position;
};

static int by_time(const void *va, const void *vb)
{
	const struct place *a = va, *b = vb;

	if (a->seen->fact.time != b->seen->fact.time)
		return a->seen->fact.time < b->seen->fact.time ? -1 : 1;
	if (a->seen->fact.cpu != b->seen->fact.cpu)
		return a->seen->fact.cpu < b->seen->fact.cpu ? -1 : 1;
	return a->position < b->position ? -1 : 1;
}

static int by_who(const void *va, const void *vb)
{
	const struct place *a = va, *b = vb;

	if (a->seen->who != b->seen->who)
		return a->seen->who < b->seen->who ? -1 : 1;
	return a->position < b->position ? -1 : 1;
}

static int by_cpu(const void *va, const void *vb)
{
	const struct place *a = va, *b = vb;

	if (a->seen->fact.cpu != b->seen->fact.cpu)
		return a->seen->fact.cpu < b->seen->fact.cpu ? -1 : 1;
	return a->position < b->position ? -1 : 1;
}

static struct seen_list sorted(const struct seen_list *l, int (*by)(const void *, const void *))
{
	struct place *places = calloc(l->n + 1, sizeof(*places));
	struct seen_list to = { 0 };

	for (size_t i = 0; i < l->n; i++)
		places[i] = (struct place){ .seen = &l->list[i], .position = i };
	qsort(places, l->n, sizeof(*places), by);
	for (size_t i = 0; i < l->n; i++)
		add_seen(&to, &places[i].seen->fact, places[i].seen->who);
	free(places);
	return to;
}

static bool equal(const struct seen_list *a, const struct seen_list *b)
{
	if (a->n != b->n) {
		diag("%zu facts, want %zu", a->n, b->n);
		return false;
	}
	for (size_t i = 0; i < a->n; i++)
		if (memcmp(&a->list[i], &b->list[i], sizeof(a->list[i]))) {
			diag("fact %zu: time %" PRIu64 " kind %d cpu %d who %" PRIu64
			     ", want time %" PRIu64 " kind %d cpu %d who %" PRIu64, i,
			     a->list[i].fact.time, a->list[i].fact.kind, a->list[i].fact.cpu,
			     a->list[i].who, b->list[i].fact.time, b->list[i].fact.kind,
			     b->list[i].fact.cpu, b->list[i].who);
			return false;
		}
	return true;
}

static int by_loss(const void *va, const void *vb)
{
	const struct gen_loss *a = va, *b = vb;

	if (a->cpu != b->cpu)
		return a->cpu < b->cpu ? -1 : 1;
	return a->from != b->from ? (a->from < b->from ? -1 : 1) :
	       a->to != b->to	  ? (a->to < b->to ? -1 : 1) : 0;
}

static bool same_losses(const struct witness *w, const struct gen_truth *truth)
{
	struct gen_loss *told = calloc(w->n_losses + 1, sizeof(*told)), *made;
	size_t n = 0;
	bool same;

	/* a loss that no record follows has no page to stand on */
	made = calloc(truth->n_losses + 1, sizeof(*made));
	for (size_t i = 0; i < truth->n_losses; i++)
		if (truth->losses[i].to != UINT64_MAX)
			made[n++] = truth->losses[i];
	for (size_t i = 0; i < w->n_losses; i++)
		told[i] = (struct gen_loss){ .from = w->losses[i].from, .to = w->losses[i].to,
					     .cpu = w->losses[i].cpu, .count = w->losses[i].count };
	qsort(told, w->n_losses, sizeof(*told), by_loss);
	qsort(made, n, sizeof(*made), by_loss);
	same = n == w->n_losses;
	for (size_t i = 0; i < n && same; i++)
		same = told[i].from == made[i].from && told[i].to == made[i].to &&
		       told[i].cpu == made[i].cpu &&
		       /* a page may have had no room for the number */
		       (told[i].count == made[i].count || told[i].count == LOSS_UNKNOWN);
	if (!same)
		diag("%zu losses told, %zu made", w->n_losses, n);
	free(told);
	free(made);
	return same;
}

/* A stream over a generator's pages, with a witness of each order. */
/* How windows are made, and a digest of all that was told. */
struct way {
	bool ahead;
	uint64_t digest;
};

struct bench {
	struct gen *g;
	struct binding *binding;
	struct subjects *subjects;
	struct stream *stream;
	struct witness witnesses[3];
	struct way *way;
};

static void bench_begin(struct bench *b, struct gen *g, const struct page_source *source,
			struct way *way)
{
	const struct format_source formats = {
		.format = gen_format, .long_size = 8, .big_endian = gen_big(g),
	};
	struct error err;

	b->g = g;
	b->binding = binding_new(&formats);
	b->subjects = subjects_new(g->n_cpus);
	for (int i = 0; i < ROWS; i++)
		if (binding_add(b->binding, NULL, &rows[i], &err) < 0)
			diag("%s", err.text);
	b->stream = stream_new(source, b->binding, b->subjects);
	b->way = way;
	g->unbounded = way->ahead;
	if (way->ahead)
		stream_decode_ahead(b->stream);
	for (int i = 0; i < 3; i++) {
		b->witnesses[i] = (struct witness){
			.order = i, .subjects = b->subjects, .stream = b->stream,
		};
		stream_add(b->stream, &(struct consumer){
			.order = i, .lost = witness_lost, .feed = witness_feed,
			.holds = witness_holds, .ctx = &b->witnesses[i],
		});
	}
}

static void bench_end(struct bench *b)
{
	for (int i = 0; i < 3; i++) {
		b->way->digest = b->way->digest * 31 + b->witnesses[i].digest;
		free(b->witnesses[i].seen.list);
		free(b->witnesses[i].losses);
	}
	stream_free(b->stream);
	subjects_free(b->subjects);
	binding_free(b->binding);
	gen_free(b->g);
}

/* Whether all witnesses saw the truth, each in its order. */
static bool all_true(struct bench *b, const struct gen_truth *truth)
{
	struct seen_list raw = { 0 }, global, want, got;
	bool same;

	for (size_t i = 0; i < truth->n; i++)
		add_truth(&raw, &truth->facts[i]);
	global = sorted(&raw, by_time);
	same = equal(&b->witnesses[ORDER_GLOBAL].seen, &global);
	want = sorted(&global, by_who);
	got = sorted(&b->witnesses[ORDER_THREAD].seen, by_who);
	same = same && equal(&got, &want);
	free(want.list);
	free(got.list);
	want = sorted(&raw, by_cpu);
	got = sorted(&b->witnesses[ORDER_CPU].seen, by_cpu);
	same = same && equal(&got, &want);
	free(want.list);
	free(got.list);
	free(raw.list);
	free(global.list);
	return same;
}

/* The stream is advanced in so many steps; 1: all at once. */
static void check_load(const struct gen_load *load, unsigned int page, unsigned int steps,
		       bool swap, const char *name, struct way *way)
{
	struct gen *g = gen_new(load->cpus, page, 8, swap);
	struct gen_truth truth = { 0 };
	struct bench b;
	const struct stream_stats *stats;
	struct error err = { 0 };
	uint64_t begin, end = 0, lost = 0, marks = 0;

	gen_load(g, load, &truth);
	bench_begin(&b, g, gen_source(g), way);
	begin = stream_peek(b.stream, &err);
	for (size_t i = 0; i < truth.n; i++)
		end = truth.facts[i].time > end ? truth.facts[i].time : end;
	for (unsigned int i = 1; i < steps; i++)
		stream_advance(b.stream, begin + (end - begin) / steps * i, &err);
	ok(!stream_advance(b.stream, UINT64_MAX, &err), "%s: walked", name);
	ok(all_true(&b, &truth), "%s: all orders as a plain sort has them", name);
	ok(same_losses(&b.witnesses[ORDER_THREAD], &truth), "%s: %zu losses as made", name,
	   truth.n_losses);
	ok(!b.witnesses[ORDER_THREAD].too_late, "%s: each is told before what it overlaps", name);
	stats = stream_stats(b.stream);
	for (size_t i = 0; i < truth.n_losses; i++) {
		if (truth.losses[i].to == UINT64_MAX)
			continue;
		marks++;
		lost += truth.losses[i].count == LOSS_UNKNOWN ? 0 : truth.losses[i].count;
	}
	ok(stats->records == truth.n && stats->first == begin && stats->last == end &&
	   stats->lost_marks == marks && stats->lost_records <= lost && !stats->late &&
	   !stats->damaged,
	   "%s: statistics", name);
	bench_end(&b);
	free(truth.facts);
	free(truth.losses);
}

static void loads(struct way *way)
{
	static const struct {
		const char *name;
		struct gen_load load;
		unsigned int page, steps;
		bool swap;
	} cases[] = {
		{ "one CPU", { 1, 3, 20000, 0, 50, 0, 10, 1 }, 4096, 1, false },
		{ "two CPUs, nobody moves", { 2, 2, 40000, 0, 0, 0, 10, 2 }, 4096, 1, false },
		{ "two CPUs, all move", { 2, 5, 40000, 900, 0, 0, 10, 3 }, 4096, 1, false },
		{ "with losses", { 4, 9, 60000, 300, 50, 0, 10, 4 }, 4096, 1, false },
		{ "with wake-ups, switches", { 4, 9, 60000, 300, 20, 300, 10, 5 }, 4096, 1, false },
		{ "many equal times", { 8, 20, 60000, 500, 20, 300, 100000, 6 }, 4096, 1, false },
		{ "in 50 steps", { 4, 9, 60000, 300, 30, 300, 10, 7 }, 4096, 50, false },
		{ "64K sub-buffers", { 4, 9, 200000, 300, 30, 100, 10, 8 }, 65536, 7, false },
		{ "the other endianness", { 4, 9, 60000, 300, 30, 300, 10, 9 }, 4096, 3, true },
		{ "64 CPUs, 1k tids", { 64, 1000, 300000, 500, 10, 50, 10, 10 }, 4096, 1, false },
		{ "256 CPUs, 10k", { 256, 10000, 900000, 1000, 5, 0, 10, 11 }, 4096, 1, false },
		{ "and wake-ups", { 256, 10000, 500000, 1000, 5, 50, 10, 12 }, 4096, 3, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_load(&cases[i].load, cases[i].page, cases[i].steps, cases[i].swap,
			   cases[i].name, way);
}

static void write_exit(struct gen *g, uint16_t cpu, int32_t tid, uint64_t time)
{
	gen_write(g, &(struct gen_fact){ .event = GEN_EXIT, .time = time, .tid = tid, .cpu = cpu });
}

/* Live: pages come later than others', and once later than the horizon said. */
static void late(struct way *way)
{
	struct gen *g = gen_new(2, 4096, 8, false);
	struct error err = { 0 };
	struct bench b;

	write_exit(g, 0, 10, 100);
	write_exit(g, 1, 10, 200);
	gen_close(g, 1);
	write_exit(g, 1, 10, 300);
	gen_close(g, 1);
	write_exit(g, 1, 10, 1500);
	write_exit(g, 0, 10, 400);
	write_exit(g, 0, 10, 2000);
	gen_finish(g);
	g->source.grows = true;
	bench_begin(&b, g, gen_source(g), way);
	g->cpus[1].shown = 0;
	ok(stream_peek(b.stream, &err) == 100, "the earliest record is seen");
	g->cpus[1].shown = 1;
	ok(stream_peek(b.stream, &err) == 100, "when others came too");
	stream_advance(b.stream, 250, &err);
	is_int(b.witnesses[ORDER_GLOBAL].seen.n, 2, "only what is before the horizon");
	ok(stream_peek(b.stream, &err) == 400, "the next one is another CPU's");
	stream_advance(b.stream, 1000, &err);
	is_int(b.witnesses[ORDER_GLOBAL].seen.n, 3, "a page that isn't there is not waited for");
	g->cpus[1].shown = 3;
	stream_advance(b.stream, 1600, &err);
	is_int(b.witnesses[ORDER_GLOBAL].seen.n, 5, "what was late is handed on all the same");
	is_int(stream_stats(b.stream)->late, 1, "and counted");
	ok(b.witnesses[ORDER_GLOBAL].seen.list[3].fact.time == 300 &&
	   b.witnesses[ORDER_GLOBAL].seen.list[4].fact.time == 1500, "in the order of its window");
	stream_advance(b.stream, UINT64_MAX, &err);
	is_int(b.witnesses[ORDER_THREAD].seen.n, 6, "all came");
	is_int(stream_stats(b.stream)->late, 1, "nothing else was late");
	ok(stream_peek(b.stream, &err) == UINT64_MAX, "nothing is left");
	bench_end(&b);
}

static bool loss_is(const struct witness *w, size_t i, uint64_t from, uint64_t to, uint64_t count)
{
	if (i < w->n_losses && w->losses[i].from == from && w->losses[i].to == to &&
	    w->losses[i].count == count)
		return true;
	if (i < w->n_losses)
		diag("from %" PRIu64 " to %" PRIu64 " count %" PRId64, w->losses[i].from,
		     w->losses[i].to, w->losses[i].count);
	return false;
}

/* Where a loss begins and ends, and with which facts it is told and counted. */
static void losses(struct way *way)
{
	struct gen *g = gen_new(2, 4096, 8, false);
	struct error err = { 0 };
	const struct stream_stats *stats;
	const struct witness *w;
	struct bench b;

	gen_lose(g, 0, 7);
	write_exit(g, 0, 10, 100);
	write_exit(g, 0, 10, 200);
	gen_lose(g, 0, LOSS_UNKNOWN);
	write_exit(g, 0, 10, 900);
	gen_close(g, 0);
	gen_page(g, 0, 950); /* without a record, or a mark */
	gen_close(g, 0);
	gen_lose(g, 0, 3);
	gen_page(g, 0, 960); /* marked, without a record: goes on */
	gen_close(g, 0);
	gen_lose(g, 0, 4);
	write_exit(g, 0, 10, 990);
	gen_lose(g, 0, 5);
	gen_page(g, 0, 1100); /* and nothing behind it */
	write_exit(g, 1, 11, 150);
	write_exit(g, 1, 11, 1000);
	gen_finish(g);
	bench_begin(&b, g, gen_source(g), way);
	w = &b.witnesses[ORDER_THREAD];
	stats = stream_stats(b.stream);

	stream_advance(b.stream, 100, &err);
	ok(w->n_losses == 1 && loss_is(w, 0, 0, 100, 7), "before all records: from the begin");
	is_int(stats->lost_marks, 0, "but not counted before its first record");
	stream_advance(b.stream, 160, &err);
	is_int(stats->lost_records, 7, "then it is");
	is_int(w->n_losses, 1, "told once");
	stream_advance(b.stream, 300, &err);
	ok(w->n_losses == 2 && loss_is(w, 1, 200, 900, LOSS_UNKNOWN),
	   "it is told with the window in which it begins, though its mark lies behind that");
	is_int(stats->lost_unknown, 0, "and counted");
	stream_advance(b.stream, 901, &err);
	is_int(stats->lost_unknown, 1, "with the record that follows it");
	ok(w->n_losses == 3 && loss_is(w, 2, 950, 990, 7),
	   "pages without records join; it begins no earlier than one without a mark");
	stream_advance(b.stream, UINT64_MAX, &err);
	ok(w->n_losses == 4 && loss_is(w, 3, 990, UINT64_MAX, 5), "nothing behind: to the end");
	ok(stats->lost_marks == 5 && stats->lost_records == 19 && stats->lost_unknown == 1,
	   "all are counted");
	bench_end(&b);
}

/* More pages without a record than the stream may hold: it goes on nevertheless. */
static void empty_pages(struct way *way)
{
	enum { EMPTY = 500 };
	struct gen *g = gen_new(2, 4096, 8, false);
	struct error err = { 0 };
	const struct witness *w;
	struct bench b;

	for (int i = 0; i < EMPTY; i++)
		gen_page(g, 0, 50);
	write_exit(g, 0, 10, 100);
	gen_lose(g, 0, 2);
	for (int i = 0; i < EMPTY; i++)
		gen_page(g, 0, 150);
	write_exit(g, 0, 10, 200);
	write_exit(g, 1, 11, 100);
	write_exit(g, 1, 11, 1000);
	gen_finish(g);
	bench_begin(&b, g, gen_source(g), way);
	w = &b.witnesses[ORDER_THREAD];
	ok(stream_peek(b.stream, &err) == 100, "behind pages without records is the first one");
	ok(!stream_advance(b.stream, UINT64_MAX, &err), "they are passed");
	ok(w->seen.n == 4 && stream_stats(b.stream)->first == 100, "and nothing is missed");
	ok(w->n_losses && w->losses[0].from == 100 && w->losses[w->n_losses - 1].to == 200 &&
	   !w->too_late, "nor a loss, told in time");
	ok(stream_stats(b.stream)->lost_marks == 1 && stream_stats(b.stream)->lost_records == 2,
	   "and counted once");
	bench_end(&b);
}

/* Live, a loss begins no earlier than the CPU was known to be empty before its mark was read. */
static void drained(struct way *way)
{
	struct gen *g = gen_new(1, 4096, 8, false);
	struct error err = { 0 };
	struct bench b;

	write_exit(g, 0, 10, 100);
	gen_lose(g, 0, 1);
	write_exit(g, 0, 10, 900);
	gen_lose(g, 0, 2);
	write_exit(g, 0, 10, 1900);
	gen_finish(g);
	g->source.grows = true;
	bench_begin(&b, g, gen_source(g), way);
	g->cpus[0].shown = 1;
	stream_drained(b.stream, 0, 500, 1);
	stream_advance(b.stream, 500, &err);
	is_int(b.witnesses[ORDER_THREAD].n_losses, 0, "no loss where no page tells one");
	g->cpus[0].shown = 3;
	stream_drained(b.stream, 0, 2000, 3);
	stream_advance(b.stream, 2000, &err);
	ok(loss_is(&b.witnesses[ORDER_THREAD], 0, 500, 900, 1),
	   "it begins where the CPU was drained");
	ok(loss_is(&b.witnesses[ORDER_THREAD], 1, 900, 1900, 2),
	   "though not where it was drained after the mark had come");
	bench_end(&b);
}

/* Live, a marked page may have no record, and the one that ends the loss isn't there yet. */
static void unended(struct way *way)
{
	struct gen *g = gen_new(2, 4096, 8, false);
	struct error err = { 0 };
	const struct stream_stats *stats;
	const struct witness *w;
	struct bench b;

	write_exit(g, 0, 10, 100);
	gen_lose(g, 0, 3);
	gen_page(g, 0, 150); /* without a record */
	gen_close(g, 0);
	write_exit(g, 0, 10, 900);
	write_exit(g, 1, 11, 200);
	write_exit(g, 1, 11, 400);
	write_exit(g, 1, 11, 1200);
	gen_finish(g);
	g->source.grows = true;
	bench_begin(&b, g, gen_source(g), way);
	w = &b.witnesses[ORDER_THREAD];
	stats = stream_stats(b.stream);
	g->cpus[0].shown = 2;
	stream_drained(b.stream, 0, 300, 2);
	stream_advance(b.stream, 300, &err);
	ok(w->n_losses == 1 && loss_is(w, 0, 100, 300, 0), "it lasts at least as long as is known");
	is_int(stats->lost_marks, 0, "and isn't counted yet");
	stream_drained(b.stream, 0, 500, 2);
	stream_advance(b.stream, 500, &err);
	ok(w->n_losses == 2 && loss_is(w, 1, 300, 500, 0), "and on, for what comes meanwhile");
	g->cpus[0].shown = 3;
	stream_drained(b.stream, 0, 1000, 3);
	stream_advance(b.stream, 1000, &err);
	ok(w->n_losses == 3 && loss_is(w, 2, 500, 900, 3), "until a record ends it");
	ok(stats->lost_marks == 1 && stats->lost_records == 3, "then it is counted");
	stream_advance(b.stream, UINT64_MAX, &err);
	is_int(w->n_losses, 3, "and told no more");
	bench_end(&b);
}

/*
 * A CPU's part of a file that ends with a mark, before others do: what came on it from its last
 * record on is missing, for good. One that has only the mark may have had anything.
 */
static void cut_off(struct way *way)
{
	struct gen *g = gen_new(3, 4096, 8, false);
	struct error err = { 0 };
	const struct stream_stats *stats;
	const struct witness *w;
	struct bench b;

	write_exit(g, 0, 10, 100);
	write_exit(g, 0, 10, 300);
	gen_lose(g, 0, LOSS_UNKNOWN);
	gen_page(g, 0, 300);
	write_exit(g, 1, 11, 200);
	write_exit(g, 1, 11, 1200);
	gen_lose(g, 2, LOSS_UNKNOWN);
	gen_page(g, 2, 100);
	gen_finish(g);
	bench_begin(&b, g, gen_source(g), way);
	w = &b.witnesses[ORDER_THREAD];
	stats = stream_stats(b.stream);
	stream_advance(b.stream, 300, &err);
	ok(w->n_losses == 1 && loss_is(w, 0, 0, UINT64_MAX, LOSS_UNKNOWN) &&
	   stats->lost_unknown == 1, "without a record: from the begin, for good");
	stream_advance(b.stream, 301, &err);
	ok(w->n_losses == 2 && loss_is(w, 1, 300, UINT64_MAX, LOSS_UNKNOWN),
	   "from the last record on, for good");
	ok(stats->lost_marks == 2 && stats->lost_unknown == 2, "counted where it begins");
	stream_advance(b.stream, UINT64_MAX, &err);
	ok(w->n_losses == 2 && stats->lost_marks == 2 && w->seen.n == 4, "once");
	ok(!stats->irregular && !w->too_late, "wherever windows end");
	bench_end(&b);
}

/* A damaged page is a loss of unknown size, and the rest is walked. */
static void damage(struct way *way)
{
	struct gen *g = gen_new(1, 4096, 8, false);
	struct error err = { 0 };
	const uint32_t word = 28;
	struct bench b;

	write_exit(g, 0, 10, 100);
	write_exit(g, 0, 10, 200);
	gen_close(g, 0);
	write_exit(g, 0, 10, 900);
	gen_close(g, 0);
	write_exit(g, 0, 10, 950);
	gen_finish(g);
	memcpy(g->cpus[0].pages + 16 + 76, &word, sizeof(word));
	memset(g->cpus[0].pages + 4096 + 8, 0x7f, 4);
	bench_begin(&b, g, gen_source(g), way);
	stream_advance(b.stream, UINT64_MAX, &err);
	is_int(b.witnesses[ORDER_THREAD].seen.n, 2, "what can be walked is");
	is_int(stream_stats(b.stream)->damaged, 2, "two pages are damaged");
	is_int(stream_stats(b.stream)->lost_marks, 0, "which is no mark of the kernel");
	ok(loss_is(&b.witnesses[ORDER_THREAD], 0, 100, 950, LOSS_UNKNOWN), "but a loss");
	bench_end(&b);
}

/* A clock that doesn't count ns. */
static uint64_t slow_clock(const void *ctx, unsigned int cpu, uint64_t raw)
{
	(void)ctx;
	return raw / 3 + 1000 * cpu;
}

static void clocks(struct way *way)
{
	struct gen *g = gen_new(2, 4096, 8, false);
	struct page_source source;
	struct error err = { 0 };
	struct bench b;
	bool all = true;

	for (uint64_t i = 0; i < 3000; i++)
		write_exit(g, (uint16_t)(i % 2), 10 + (int32_t)(i % 2), 10000 + 10 * i);
	gen_finish(g);
	source = *gen_source(g);
	source.clock = slow_clock;
	bench_begin(&b, g, &source, way);
	for (uint64_t until = 3000; until < 16000; until += 77) {
		const struct witness *w = &b.witnesses[ORDER_GLOBAL];
		size_t want = 0;

		stream_advance(b.stream, until, &err);
		for (uint64_t i = 0; i < 3000; i++)
			want += slow_clock(NULL, i % 2, 10000 + 10 * i) < until;
		all = all && w->seen.n == want;
		for (size_t i = 1; i < w->seen.n; i++)
			all = all && w->seen.list[i].fact.time >= w->seen.list[i - 1].fact.time;
	}
	ok(all, "times are converted before they are compared, to the ns");
	bench_end(&b);
}

/* The last time there could be: whatever the clock makes of it, nothing comes before its end. */
static void endless(struct way *way, bool converted)
{
	struct gen *g = gen_new(1, 4096, 8, false);
	const uint64_t never = UINT64_MAX;
	struct page_source source;
	struct error err = { 0 };
	struct bench b;

	for (uint64_t i = 0; i < 3; i++) {
		write_exit(g, 0, 10, 900 + 30 * i);
		gen_close(g, 0);
	}
	gen_finish(g);
	memcpy(g->cpus[0].pages + 4096, &never, sizeof(never));
	source = *gen_source(g);
	source.clock = converted ? slow_clock : NULL;
	bench_begin(&b, g, &source, way);
	stream_advance(b.stream, UINT64_MAX, &err);
	is_int(b.witnesses[ORDER_THREAD].seen.n, 2, "a record at the end of times is passed over");
	is_int(stream_stats(b.stream)->damaged, 1, "as damage");
	bench_end(&b);
}

/* Records instead of pages: the same load, record by record, out of the pages that it has. */
struct reader {
	struct gen *g;
	size_t *page;
	struct page_walk *walk;
	bool *open;
};

static int read_record(void *ctx, unsigned int cpu, struct page_record *rec, uint64_t *lost,
		       struct error *err)
{
	struct reader *r = ctx;

	(void)err;
	*lost = 0;
	for (;;) {
		if (!r->open[cpu]) {
			if (r->page[cpu] == r->g->cpus[cpu].n)
				return 0;
			page_begin(&r->walk[cpu], &r->g->layout,
				   gen_page_at(r->g, cpu, r->page[cpu]++), r->g->layout.size);
			r->open[cpu] = true;
			if (r->walk[cpu].lost)
				*lost = r->walk[cpu].lost_count;
		}
		if (page_next(&r->walk[cpu], &r->g->layout, rec) == 1)
			return 1;
		r->open[cpu] = false;
	}
}

static void records(void)
{
	const struct gen_load load = { 3, 7, 60000, 300, 50, 300, 10, 20 };
	struct gen *g = gen_new(load.cpus, 4096, 8, false);
	struct page_source source = { 0 };
	struct gen_truth truth = { 0 };
	struct error err = { 0 };
	struct reader r = { .g = g };
	struct way way = { .ahead = false };
	struct bench b;

	gen_load(g, &load, &truth);
	r.page = calloc(load.cpus, sizeof(*r.page));
	r.walk = calloc(load.cpus, sizeof(*r.walk));
	r.open = calloc(load.cpus, sizeof(*r.open));
	source = (struct page_source){
		.record = read_record, .ctx = &r, .n_cpus = load.cpus, .layout = g->layout,
	};
	bench_begin(&b, g, &source, &way);
	ok(!stream_advance(b.stream, UINT64_MAX, &err), "a source of records is walked");
	ok(all_true(&b, &truth), "all orders as a plain sort has them");
	ok(same_losses(&b.witnesses[ORDER_THREAD], &truth), "and the losses");
	bench_end(&b);
	free(truth.facts);
	free(truth.losses);
	free(r.page);
	free(r.walk);
	free(r.open);
}

/* 60,000 threads that live one after the other need the memory of a few. */
static void short_lives(struct way *way)
{
	enum { THREADS = 60000 };
	struct gen *g = gen_new(4, 4096, 8, false);
	struct error err = { 0 };
	struct bench b;
	uint32_t limit;

	for (uint64_t i = 0; i < THREADS; i++) {
		struct gen_fact f = {
			.event = GEN_EXIT, .tid = (int32_t)(300 + i % 30000), .cpu = i % 4,
			.time = 1000 + i * 1000,
		};

		gen_write(g, &f);
		f.event = GEN_PROCESS_EXIT;
		f.a = (uint32_t)f.tid;
		f.time += 10;
		gen_write(g, &f);
		f.event = GEN_SWITCH; /* it is still seen leaving its CPU */
		f.time += 10;
		gen_write(g, &f);
	}
	gen_finish(g);
	bench_begin(&b, g, gen_source(g), way);
	ok(!stream_advance(b.stream, UINT64_MAX, &err), "60,000 short-lived threads are walked");
	is_int(b.witnesses[ORDER_THREAD].seen.n, 4 * THREADS, "all of their facts");
	limit = subjects_limit(b.subjects);
	ok(limit < 10000, "their numbers are used again: %u in all", limit);
	ok(b.witnesses[ORDER_CPU].numbers > THREADS - limit,
	   "and it is told that each means another thread: %u times",
	   b.witnesses[ORDER_CPU].numbers);
	bench_end(&b);
}

/*
 * Threads that come without ever being told to end, each for two records. A few are at it all the
 * time, and something of others is pending for ever.
 */
static void write_visitors(struct gen *g, struct gen_truth *truth, unsigned int threads,
			   unsigned int regulars)
{
	uint64_t time = 1000;

	truth->facts = calloc(3 * threads, sizeof(*truth->facts));
	for (unsigned int i = 0; i < 3 * threads; i++) {
		struct gen_fact f = {
			.event = i % 3 == 1 ? GEN_ENTRY : GEN_EXIT, .cpu = (uint16_t)(i / 3 % 4),
			.time = time += 10, .tid = (int32_t)(regulars + i / 3 + 1),
		};

		if (i % 3 == 2)
			f.tid = (int32_t)(i % regulars + 1);
		gen_write(g, &f);
		truth->facts[truth->n++] = f;
	}
	gen_finish(g);
}

static void visitors(struct way *way, int32_t held, uint32_t keep, const char *name)
{
	enum { THREADS = 40000, REGULARS = 100 };
	struct gen *g = gen_new(4, 4096, 8, false);
	struct gen_truth truth = { 0 };
	const struct stream_stats *stats;
	struct error err = { 0 };
	uint32_t limit, pending, numbers[REGULARS];
	const struct witness *w;
	struct bench b;
	bool steady = true;

	write_visitors(g, &truth, THREADS, REGULARS);
	bench_begin(&b, g, gen_source(g), way);
	w = &b.witnesses[ORDER_THREAD];
	b.witnesses[ORDER_THREAD].held = held;
	stream_keep_threads(b.stream, keep);
	stats = stream_stats(b.stream);
	for (uint64_t time = 10000; time < 3 * THREADS * 10; time += 10000) {
		stream_advance(b.stream, time, &err);
		for (int32_t i = 0; i < REGULARS; i++) {
			uint32_t number = subjects_thread(b.subjects, i + 1, 0);

			steady &= time == 10000 || number == numbers[i];
			numbers[i] = number;
		}
	}
	stream_advance(b.stream, UINT64_MAX, &err);
	limit = subjects_limit(b.subjects);
	ok(all_true(&b, &truth), "%s: all orders as a plain sort has them", name);
	ok(limit > keep && limit < keep + keep / 2, "%s: %u numbers, %u threads may be known", name,
	   limit, keep);
	ok(steady, "%s: who is there all the time keeps its number", name);
	ok(stats->retired == w->numbers && stats->cut_short == w->held_ends,
	   "%s: %u ends are told and counted, %u of them early", name, w->numbers, w->held_ends);
	pending = held ? THREADS / (uint32_t)held : 0;
	ok(pending <= keep ? !stats->cut_short :
			     stats->cut_short >= pending - limit &&
				     stats->cut_short <= pending - keep / 2,
	   "%s: %llu of %u that something is pending of", name,
	   (unsigned long long)stats->cut_short, pending);
	bench_end(&b);
	free(truth.facts);
}

static void too_many(struct way *way)
{
	visitors(way, 0, 2000, "nothing is pending");
	visitors(way, 100, 2000, "little is pending");
	visitors(way, 3, 2000, "more is pending than can be known");
}

/* A thread id that is used again within a window keeps its number, and then gives it back. */
static void reborn(struct way *way)
{
	struct gen *g = gen_new(2, 4096, 8, false);
	struct error err = { 0 };
	struct bench b;
	uint32_t first, again;

	write_exit(g, 0, 10, 100);
	gen_write(g, &(struct gen_fact){ .event = GEN_PROCESS_EXIT, .time = 200, .tid = 10,
					 .a = 10 });
	write_exit(g, 1, 10, 300);
	write_exit(g, 1, 20, 1500);
	write_exit(g, 1, 30, 3000);
	write_exit(g, 1, 10, 5000);
	write_exit(g, 1, 20, 9000);
	gen_write(g, &(struct gen_fact){ .event = GEN_PROCESS_EXIT, .time = 9100, .tid = 10,
					 .a = 10, .cpu = 1 });
	write_exit(g, 1, 20, 9200);
	write_exit(g, 1, 20, 9300);
	gen_finish(g);
	bench_begin(&b, g, gen_source(g), way);
	stream_advance(b.stream, 1000, &err);
	first = subjects_thread(b.subjects, 10, 0);
	stream_advance(b.stream, 2000, &err);
	stream_advance(b.stream, 4000, &err);
	stream_advance(b.stream, 6000, &err);
	again = subjects_thread(b.subjects, 10, 0);
	is_int(again, first, "who was born again in its own window of death lives on");
	stream_advance(b.stream, 9150, &err);
	stream_advance(b.stream, 9250, &err);
	is_int(subjects_thread(b.subjects, 77, 0), first, "and when it ends, its number is free");
	bench_end(&b);
}

static void all_ways(struct way *way)
{
	loads(way);
	late(way);
	losses(way);
	empty_pages(way);
	drained(way);
	unended(way);
	cut_off(way);
	damage(way);
	clocks(way);
	endless(way, false);
	endless(way, true);
	short_lives(way);
	too_many(way);
	reborn(way);
}

int main(void)
{
	struct way one = { .ahead = false }, ahead = { .ahead = true };

	all_ways(&one);
	all_ways(&ahead);
	ok(one.digest == ahead.digest,
	   "windows that are decoded ahead tell the same, to the numbers of threads");
	records();
	is_int(gen_misuses(), 0, "no page was read after its release or beyond the window");
	return tap_done();
}
