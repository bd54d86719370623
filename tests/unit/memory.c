// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory is constant in the length of a trace: threads that come and go by the hundred thousand
 * without being told to end, calls and requests that never end, stacks and names that are all
 * different. And what is forgotten changes no result: the truth is reckoned from how the load is
 * made. Pages are made when they are read, so that the test has none of its own.
 */
#include <malloc.h>
#include <string.h>

#include "analysis/analysis.h"
#include "base/util.h"
#include "hv/hypervisor.h"
#include "tests/gen.h"
#include "tests/leaks.h"
#include "tests/tap.h"
#include "trace/binding.h"
#include "trace/stream.h"
#include "trace/subjects.h"

/* What the C library has in use. The allocator of a sanitizer says 0: then only results count. */
static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* --- Exits, from pages --- */

enum {
	CPUS = 2,
	VISITORS = 30,   /* threads that a page has an exit and an entry of */
	GUESTS = 500,    /* that are in one exit from the begin to the end */
	TIDS = 300000,   /* of visitors, used again and again */
	FIRST_TID = 1000,
	HELD_PAGES = 256,
	PAGE_NS = 100000,
	CPUID = 10,
	HLT = 12,
};

struct load {
	uint64_t pages;  /* of each CPU */
	bool unanswered; /* visitors' exits have no entry */
	struct gen *gen;
	struct held {
		uint64_t number; /* of the page, + 1 */
		unsigned char bytes[4096];
	} *held; /* by CPU and number */
};

static void write_one(struct load *l, unsigned int cpu, enum gen_event event, uint64_t time,
		      int32_t tid, uint32_t reason)
{
	bool exit = event == GEN_EXIT;

	gen_write(l->gen, &(struct gen_fact){
		.event = (uint8_t)event, .time = time, .cpu = (uint16_t)cpu, .tid = tid,
		.a = exit ? reason : 0, .c = exit ? 1 : 0,
	});
}

static uint64_t handling(unsigned int visitor)
{
	return 1000 + visitor % 7 * 100;
}

static void write_page(struct load *l, unsigned int cpu, uint64_t n)
{
	uint64_t begin = 1000000 + n * PAGE_NS;

	for (unsigned int i = 0; i < VISITORS; i++) {
		uint64_t index = (n * VISITORS + i) * CPUS + cpu, time = begin + i * 3000;
		int32_t tid = (int32_t)(FIRST_TID + index % TIDS);

		write_one(l, cpu, GEN_EXIT, time, tid, CPUID);
		if (!l->unanswered)
			write_one(l, cpu, GEN_ENTRY, time + handling(i), tid, 0);
	}
	if (!cpu && n < GUESTS)
		write_one(l, cpu, GEN_EXIT, begin + 90500, (int32_t)n + 1, HLT);
	if (!cpu && n >= l->pages - GUESTS)
		write_one(l, cpu, GEN_ENTRY, begin + 90500, (int32_t)(n + GUESTS - l->pages) + 1,
			  0);
}

static int get_page(void *ctx, unsigned int cpu, uint64_t n, const void **page, size_t *size,
		    struct error *err)
{
	struct load *l = ctx;
	struct held *held = &l->held[cpu * HELD_PAGES + n % HELD_PAGES];

	(void)err;
	if (n >= l->pages)
		return 0;
	if (held->number != n + 1) {
		l->gen->cpus[cpu].n = 0;
		write_page(l, cpu, n);
		gen_close(l->gen, cpu);
		memcpy(held->bytes, gen_page_at(l->gen, cpu, 0), sizeof(held->bytes));
		held->number = l->gen->cpus[cpu].n == 1 ? n + 1 : 0;
	}
	*page = held->bytes;
	*size = sizeof(held->bytes);
	return held->number ? 1 : 0;
}

static int page_begins(void *ctx, unsigned int cpu, uint64_t n, uint64_t *time, struct error *err)
{
	struct load *l = ctx;
	const void *page;
	size_t size;

	if (get_page(ctx, cpu, n, &page, &size, err) != 1)
		return 0;
	*time = page_time(&l->gen->layout, page);
	return 1;
}

struct bench {
	struct load load;
	struct binding *binding;
	struct subjects *subjects;
	struct stream *stream;
	struct analysis_env env;
	struct subject_who who;
	const struct analysis *analysis;
	void *state;
	size_t before, most; /* bytes in use */
};

static const struct subject_who *who_of(void *ctx, uint32_t subject)
{
	struct bench *b = ctx;
	uint32_t cpu = 0;

	b->who = (struct subject_who){ .pid = -1, .vcpu = -1 };
	if (!b->subjects) {
		b->who.tid = (int32_t)subject;
		return &b->who;
	}
	b->who.cpu = !subjects_what(b->subjects, subject, &b->who.tid, &cpu);
	b->who.cpu_id = cpu;
	return &b->who;
}

static const char *no_name(void *ctx, uint8_t space, uint64_t reason)
{
	(void)ctx;
	(void)space;
	(void)reason;
	return NULL;
}

static void feed(void *ctx, const struct fact *facts, size_t n)
{
	struct bench *b = ctx;

	b->analysis->feed(b->state, facts, n);
}

static bool holds(void *ctx, uint32_t subject)
{
	struct bench *b = ctx;

	return b->analysis->holds(b->state, subject);
}

static const struct hypervisor *kvm_x86(void)
{
	for (const struct hypervisor *const *hv = hypervisors; *hv; hv++)
		if (!strcmp((*hv)->name, "kvm-x86"))
			return *hv;
	return NULL;
}

static void begin(struct bench *b, const char *analysis)
{
	struct error err = { 0 };

	b->before = b->most = in_use();
	b->analysis = analysis_find(analysis);
	b->env.ctx = b;
	b->env.who = who_of;
	b->env.reason_name = no_name;
	b->env.hv = kvm_x86();
	b->env.times = true;
	b->state = b->analysis->new(&b->env, &err);
	if (!b->state)
		diag("%s", err.text);
}

static void begin_stream(struct bench *b)
{
	static const struct hv_event rows[] = {
		{ .system = "kvm", .name = "kvm_exit", .kind = FACT_EXIT,
		  .subject = SUBJECT_RECORDER, .a = HV_FIELD("exit_reason"),
		  .b = HV_FIELD("vcpu_id"), .aux_arg = HV_FIELD("isa") },
		{ .system = "kvm", .name = "kvm_entry", .kind = FACT_ENTRY,
		  .subject = SUBJECT_RECORDER, .b = HV_FIELD("vcpu_id") },
	};
	const struct format_source formats = { .format = gen_format, .long_size = 8 };
	struct page_source source = { .get = get_page, .time = page_begins, .ctx = &b->load,
				      .n_cpus = CPUS };

	b->load.gen = gen_new(CPUS, 4096, 8, false);
	b->load.held = xcalloc(CPUS * HELD_PAGES, sizeof(*b->load.held));
	source.layout = b->load.gen->layout;
	b->binding = binding_new(&formats);
	b->subjects = subjects_new(CPUS);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		binding_add(b->binding, NULL, &rows[i], NULL);
	b->stream = stream_new(&source, b->binding, b->subjects);
	stream_add(b->stream, &(struct consumer){ .order = b->analysis->order, .feed = feed,
						  .holds = holds, .ctx = b });
}

static void end(struct bench *b)
{
	b->analysis->free(b->state);
	stream_free(b->stream);
	subjects_free(b->subjects);
	binding_free(b->binding);
	if (b->load.gen)
		gen_free(b->load.gen);
	free(b->load.held);
}

static void read_all(struct bench *b)
{
	struct error err;

	for (uint64_t n = 0; n <= b->load.pages; n += 50) {
		stream_advance(b->stream, 1000000 + n * PAGE_NS, &err);
		b->most = max(b->most, in_use());
	}
	stream_advance(b->stream, UINT64_MAX, &err);
}

/* A figure of the row that has so many exits. */
static uint64_t figure(const struct report *report, uint64_t exits, const char *key)
{
	const struct table *table = report_table(report, "exits");
	int exits_at = table_find(table, "exits"), at = table_find(table, key);

	for (size_t i = 0; i < table->nr_rows; i++)
		if (table->rows[i]->cells[exits_at].v.u == exits)
			return table->rows[i]->cells[at].v.u;
	return UINT64_MAX;
}

static struct report *report_of(struct bench *b)
{
	struct report *report = report_new(b->analysis->name, NULL);
	struct report_order order = { 0 };
	struct error err;

	b->analysis->report(b->state, report, 1, true);
	report_finish(report, &order, &err);
	return report;
}

static void check_visitors(struct bench *b)
{
	uint64_t visits = b->load.pages * VISITORS * CPUS, time = 0;
	struct report *report = report_of(b);

	for (unsigned int i = 0; i < VISITORS; i++)
		time += handling(i) * b->load.pages * CPUS;
	ok(figure(report, visits, "timed") == visits &&
	   figure(report, visits, "total_ns") == time,
	   "%llu exits of %llu threads: all of them are timed", (unsigned long long)visits,
	   (unsigned long long)min(visits, (uint64_t)TIDS));
	ok(figure(report, GUESTS, "timed") == GUESTS &&
	   figure(report, GUESTS, "total_ns") == GUESTS * (b->load.pages - GUESTS) * PAGE_NS,
	   "and those of guests that slept all the while");
	is_int(report->vcpus, min(visits, (uint64_t)TIDS) + GUESTS, "no thread is counted twice");
	report_free(report);
}

/* How much memory a load of so many pages took. */
static size_t visitors(uint64_t pages)
{
	struct bench b = { .load = { .pages = pages }, .env = { .by = KEY_BIT(KEY_REASON) } };
	const struct stream_stats *stats;
	size_t most;

	begin(&b, "exits");
	begin_stream(&b);
	read_all(&b);
	stats = stream_stats(b.stream);
	check_visitors(&b);
	ok(stats->retired && !stats->cut_short,
	   "%llu threads were forgotten, none of them in an exit",
	   (unsigned long long)stats->retired);
	ok(subjects_limit(b.subjects) < 2 * THREADS_KEPT, "%u are known at once",
	   subjects_limit(b.subjects));
	most = b.most - b.before;
	end(&b);
	return most;
}

static void test_threads(void)
{
	size_t once = visitors(3000), longer = visitors(12000);

	ok(longer <= once + once / 16, "memory is the same for four times the length: %zu, %zu KB",
	   once >> 10, longer >> 10);
	ok(longer < 48 << 20, "and not much");
}

/* More exits are pending than can be: the oldest count as open, and no exit is lost. */
static void test_pending(void)
{
	struct bench b = { .load = { .pages = 4000, .unanswered = true },
			   .env = { .by = KEY_BIT(KEY_REASON) } };
	uint64_t visits = b.load.pages * VISITORS * CPUS;
	const struct stream_stats *stats;
	struct report *report;

	begin(&b, "exits");
	begin_stream(&b);
	read_all(&b);
	stats = stream_stats(b.stream);
	report = report_of(&b);
	ok(figure(report, visits, "open") == visits && !figure(report, visits, "timed"),
	   "%llu exits without an entry are open", (unsigned long long)visits);
	ok(stats->cut_short >= visits - 2 * THREADS_KEPT &&
		   stats->cut_short <= visits - THREADS_KEPT,
	   "that %llu threads were forgotten in one is counted",
	   (unsigned long long)stats->cut_short);
	ok(figure(report, GUESTS, "open") + figure(report, GUESTS, "timed") == GUESTS &&
	   figure(report, GUESTS, "open"),
	   "guests that had slept for longer are among them: %llu of %d",
	   (unsigned long long)figure(report, GUESTS, "open"), GUESTS);
	report_free(report);
	end(&b);
}

/* --- Records, as facts --- */

enum { EVENT, ENTRY, STACK };

struct record {
	uint64_t value;
};

static int find_field(void *ctx, uint32_t slot, const char *name, struct field *field,
		      struct error *err)
{
	(void)ctx;
	(void)slot;
	(void)name;
	(void)err;
	*field = (struct field){ .size = 8 };
	return 0;
}

static bool number_of(void *ctx, const struct field *field, const struct fact *f, uint64_t *value)
{
	(void)ctx;
	(void)field;
	*value = ((const struct record *)fact_record(f))->value;
	return true;
}

static const char *event_name(void *ctx, uint32_t slot)
{
	(void)ctx;
	(void)slot;
	return "event";
}

static unsigned int no_level(void *ctx, const struct fact *f)
{
	(void)ctx;
	(void)f;
	return 0;
}

/* Four frames of which one is of this stack alone. */
static size_t stack_of(void *ctx, const struct fact *f, uint64_t *addresses, size_t room)
{
	(void)ctx;
	if (room < 4)
		return 0;
	for (unsigned int i = 0; i < 3; i++)
		addresses[i] = 0x1000 + i;
	addresses[3] = 0x100000 + ((const struct record *)fact_record(f))->value;
	return 4;
}

static const char *no_symbol(void *ctx, uint64_t address, const char **module, uint64_t *offset)
{
	(void)ctx;
	(void)address;
	(void)module;
	(void)offset;
	return NULL;
}

static void give(struct bench *b, uint32_t subject, uint32_t slot, uint64_t time, uint64_t value)
{
	struct record r = { value };
	struct fact f = { .kind = FACT_RECORD, .time = time, .subject = subject,
			  .a = (uintptr_t)&r, .b = (uint64_t)slot << 32 | sizeof(r) };

	b->analysis->feed(b->state, &f, 1);
}

static void give_end(struct bench *b, uint32_t subject, uint64_t time)
{
	struct fact f = { .kind = FACT_THREAD_END, .time = time, .subject = subject,
			  .aux = END_NUMBER };

	b->analysis->feed(b->state, &f, 1);
}

static void begin_records(struct bench *b, const char *analysis)
{
	static const uint32_t slots[] = { EVENT }, entries[] = { ENTRY };

	b->env.slots = slots;
	b->env.entries = entries;
	b->env.n_slots = 1;
	b->env.stack_slot = STACK;
	b->env.field = find_field;
	b->env.field_number = number_of;
	b->env.event = event_name;
	b->env.level = no_level;
	b->env.stack = stack_of;
	b->env.symbol = no_symbol;
	begin(b, analysis);
}

static bool noted(const struct report *report, const char *text)
{
	for (unsigned int i = 0; i < report->nr_notes; i++)
		if (strstr(report->notes[i], text))
			return true;
	return false;
}

/* All different; beyond a limit they take no memory, and are told to be without. */
static void test_stacks(void)
{
	struct bench b = { .env = { .by = KEY_BIT(KEY_EVENT), .stacks = true } };
	struct report *report;
	size_t full = 0;

	begin_records(&b, "stackcount");
	for (uint64_t i = 0; i < 400000; i++) {
		give(&b, 7, EVENT, 10 * i, 0);
		give(&b, 7, STACK, 10 * i + 1, i);
		if (i == 110000)
			full = in_use();
	}
	ok(in_use() <= full + 4096, "stacks: %zu KB, then %zu KB", full >> 10, in_use() >> 10);
	report = report_of(&b);
	is_int(report_table(report, "stacks")->nr_rows, 100001, "as many rows as there may be");
	ok(noted(report, "300000 records were counted without theirs"),
	   "and a note about the rest");
	report_free(report);
	end(&b);
}

static void test_values(void)
{
	struct bench b = { .env = { .by = KEY_BIT(KEY_EVENT), .expr = "x" } };
	struct report *report;
	size_t full = 0;

	begin_records(&b, "argdist");
	for (uint64_t i = 0; i < 400000; i++) {
		give(&b, 7, EVENT, 10 * i, i);
		if (i == 110000)
			full = in_use();
	}
	ok(in_use() <= full + 4096, "values: %zu KB, then %zu KB", full >> 10, in_use() >> 10);
	report = report_of(&b);
	ok(noted(report, "more than 100000 distinct values"), "and a note about the rest");
	report_free(report);
	end(&b);
}

/* Threads that end in a call. Who has such a thread's number next isn't in it. */
static void test_calls(void)
{
	struct bench b = { .env = { .by = KEY_BIT(KEY_EVENT), .expr = "$latency", .hist = true } };
	struct report *report;
	size_t some = 0;

	begin_records(&b, "argdist");
	for (uint64_t i = 0; i < 100000; i++) {
		uint32_t subject = 10 + (uint32_t)(i % 50);

		give(&b, subject, ENTRY, 1000 * i, 0);
		if (b.analysis->holds(b.state, subject) && i % 2) {
			give_end(&b, subject, 1000 * i + 10);
			give(&b, subject, EVENT, 1000 * i + 500, 0);
		} else {
			give(&b, subject, EVENT, 1000 * i + 30, 0);
		}
		if (i == 1000)
			some = in_use();
	}
	ok(in_use() <= some + 4096, "calls: %zu KB, then %zu KB", some >> 10, in_use() >> 10);
	report = report_of(&b);
	is_int(report->lost.intervals, 50000, "those that returned are timed, and no others");
	ok(noted(report, "50000 calls had not returned"), "and a note about the rest");
	report_free(report);
	end(&b);
}

/* Requests whose completion nobody told. */
static void test_requests(void)
{
	enum { SECTORS = 8, REQUESTS = 500000 };
	struct bench b = { .env = { .by = KEY_BIT(KEY_OP) } };
	const struct table *table;
	struct report *report;
	size_t full = 0;

	begin(&b, "drivers");
	for (uint64_t i = 0; i < REQUESTS; i++) {
		struct fact f = { .kind = FACT_REQUEST, .time = 1000 + i, .a = i * SECTORS,
				  .b = UINT64_C(8) << 52 | SECTORS, .aux = FACT_BEGIN };

		b.analysis->feed(b.state, &f, 1);
		/* one is complete at once, one much later, but in time */
		f.aux = FACT_END;
		if (i % 5 == 0)
			b.analysis->feed(b.state, &f, 1);
		f.a = i >= 30000 ? (i - 30000) * SECTORS : UINT64_MAX;
		if (i % 5 == 1)
			b.analysis->feed(b.state, &f, 1);
		if (i == 110000)
			full = in_use();
	}
	ok(in_use() <= full + 4096, "requests: %zu KB, then %zu KB", full >> 10, in_use() >> 10);
	report = report_of(&b);
	table = report_table(report, "requests");
	is_int(table->rows[0]->cells[table_find(table, "timed")].v.u,
	       REQUESTS / 5 + (REQUESTS - 30000) / 5, "what was complete in time is timed");
	is_int(table->rows[0]->cells[table_find(table, "open")].v.u,
	       REQUESTS - REQUESTS / 5 - (REQUESTS - 30000) / 5, "the rest is open");
	ok(noted(report, "had no completion"), "and a note says so");
	report_free(report);
	end(&b);
}

int main(void)
{
	test_threads();
	test_pending();
	test_stacks();
	test_values();
	test_calls();
	test_requests();
	return tap_done();
}
