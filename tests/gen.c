// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See gen.h. The ring buffer's format is that of ring-buffer-design.rst: an entry is a word of
 * type_len (5 bits) and time_delta (27 bits), the type first in memory on little endian machines
 * and in the upper bits on big endian ones.
 */
#include "tests/gen.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "fact.h"

enum { TYPE_LONG = 0, TYPE_EXTEND = 30 };

/* Misuses of any source: a test asks at its end. */
static unsigned int *misuses(void)
{
	static unsigned int n;

	return &n;
}

unsigned int gen_misuses(void)
{
	return *misuses();
}

/* splitmix64, in the public domain */
uint64_t gen_random(struct gen_random *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

bool gen_big(const struct gen *g)
{
	return g->layout.swap != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
}

void gen_put(const struct gen *g, void *to, uint64_t value, unsigned int size)
{
	unsigned char *p = to;

	for (unsigned int i = 0; i < size; i++)
		p[gen_big(g) ? size - 1 - i : i] = (unsigned char)(value >> 8 * i);
}

static unsigned char *page_of(const struct gen *g, unsigned int cpu, size_t n)
{
	return g->cpus[cpu].pages + n * g->layout.size;
}

const unsigned char *gen_page_at(const struct gen *g, unsigned int cpu, size_t n)
{
	return page_of(g, cpu, n);
}

static int get(void *ctx, unsigned int cpu, uint64_t n, const void **page, size_t *size,
	       struct error *err)
{
	struct gen *g = ctx;
	struct gen_cpu *c = &g->cpus[cpu];

	(void)err;
	if (n < c->released)
		++*misuses();
	if (n >= c->shown)
		return 0;
	*page = page_of(g, cpu, n);
	*size = g->layout.size;
	return 1;
}

static void release(void *ctx, unsigned int cpu, uint64_t n)
{
	struct gen *g = ctx;
	struct gen_cpu *c = &g->cpus[cpu];

	if (n < c->released || n > c->shown)
		++*misuses();
	c->released = n;
}

static int time_of(void *ctx, unsigned int cpu, uint64_t n, uint64_t *time, struct error *err)
{
	struct gen *g = ctx;

	(void)err;
	if (!g->unbounded && n > g->cpus[cpu].released + PAGE_WINDOW)
		++*misuses();
	if (n >= g->cpus[cpu].shown)
		return 0;
	*time = page_time(&g->layout, page_of(g, cpu, n));
	return 1;
}

struct gen *gen_new(unsigned int n_cpus, unsigned int size, unsigned int long_size, bool swap)
{
	struct gen *g = xcalloc(1, sizeof(*g));

	g->layout = (struct page_layout){
		.long_size = long_size, .data = 8 + long_size, .size = size, .swap = swap,
	};
	g->n_cpus = n_cpus;
	g->cpus = xcalloc(n_cpus, sizeof(*g->cpus));
	g->source = (struct page_source){
		.get = get, .release = release, .time = time_of, .ctx = g, .n_cpus = n_cpus,
		.layout = g->layout,
	};
	return g;
}

void gen_free(struct gen *g)
{
	for (unsigned int cpu = 0; cpu < g->n_cpus; cpu++)
		free(g->cpus[cpu].pages);
	free(g->cpus);
	free(g);
}

const struct page_source *gen_source(struct gen *g)
{
	return &g->source;
}

void gen_page(struct gen *g, unsigned int cpu, uint64_t time)
{
	struct gen_cpu *c = &g->cpus[cpu];
	unsigned char *page;

	gen_close(g, cpu);
	if (c->n == c->room) {
		c->room = c->room ? c->room * 2 : 4;
		c->pages = xreallocarray(c->pages, c->room, g->layout.size);
	}
	page = page_of(g, cpu, c->n++);
	memset(page, 0, g->layout.size);
	gen_put(g, page, time, 8);
	c->at = page + g->layout.data;
	c->time = time;
}

size_t gen_room(const struct gen *g, unsigned int cpu)
{
	const struct gen_cpu *c = &g->cpus[cpu];

	return c->at ? (size_t)(page_of(g, cpu, c->n) - c->at) : 0;
}

/* The length, and the marks of a loss: bit 31, bit 30 when its number fits behind the data. */
void gen_close(struct gen *g, unsigned int cpu)
{
	struct gen_cpu *c = &g->cpus[cpu];
	unsigned char *page;
	uint64_t commit;

	if (!c->at)
		return;
	page = page_of(g, cpu, c->n - 1);
	commit = (uint64_t)(c->at - page) - g->layout.data;
	if (c->lost)
		commit |= UINT64_C(1) << 31;
	if (c->lost && c->lost_count != LOSS_UNKNOWN && gen_room(g, cpu) >= g->layout.long_size) {
		commit |= UINT64_C(1) << 30;
		gen_put(g, c->at, c->lost_count, g->layout.long_size);
	}
	/* a 64-bit kernel sets the bits in an int: the upper half is the sign's */
	if (c->lost && g->layout.long_size == 8)
		commit |= UINT64_C(0xffffffff) << 32;
	gen_put(g, page + 8, commit, g->layout.long_size);
	c->lost = false;
	c->at = NULL;
}

void gen_word(struct gen *g, unsigned int cpu, uint32_t word)
{
	gen_put(g, g->cpus[cpu].at, word, 4);
	g->cpus[cpu].at += 4;
}

void gen_entry(struct gen *g, unsigned int cpu, unsigned int type, uint32_t delta)
{
	gen_word(g, cpu, gen_big(g) ? type << 27 | delta : delta << 5 | type);
}

void gen_bytes(struct gen *g, unsigned int cpu, const void *data, size_t size)
{
	memcpy(g->cpus[cpu].at, data, size);
	g->cpus[cpu].at += size;
}

void gen_lose(struct gen *g, unsigned int cpu, uint64_t count)
{
	gen_close(g, cpu);
	g->cpus[cpu].lost = true;
	g->cpus[cpu].lost_count = count;
}

void gen_record(struct gen *g, unsigned int cpu, uint64_t time, const void *data, uint32_t size)
{
	struct gen_cpu *c = &g->cpus[cpu];
	uint32_t whole = (size + 3) & ~3u;
	uint64_t delta = time - c->time;
	size_t need = whole + 4 + (whole > 112 || !whole ? 4 : 0) + (delta >> 27 ? 8 : 0);

	if (gen_room(g, cpu) < need)
		gen_page(g, cpu, time);
	delta = time - c->time;
	if (delta >> 27) {
		gen_entry(g, cpu, TYPE_EXTEND, delta & ((1u << 27) - 1));
		gen_word(g, cpu, (uint32_t)(delta >> 27));
		delta = 0;
	}
	if (whole > 112 || !whole) {
		gen_entry(g, cpu, TYPE_LONG, (uint32_t)delta);
		gen_word(g, cpu, whole + 4);
	} else {
		gen_entry(g, cpu, whole / 4, (uint32_t)delta);
	}
	gen_bytes(g, cpu, data, size);
	c->at += whole - size;
	c->time = time;
}

void gen_finish(struct gen *g)
{
	for (unsigned int cpu = 0; cpu < g->n_cpus; cpu++) {
		gen_close(g, cpu);
		g->cpus[cpu].shown = g->cpus[cpu].n;
	}
}

/* Formats. */

static const struct gen_format formats[] = {
	[GEN_EXIT] = { "kvm", "kvm_exit",
		"name: kvm_exit\nID: 1661\n" GEN_COMMON
		"\tfield:unsigned int exit_reason;\toffset:8;\tsize:4;\tsigned:0;\n"
		"\tfield:unsigned long guest_rip;\toffset:16;\tsize:8;\tsigned:0;\n"
		"\tfield:u32 isa;\toffset:24;\tsize:4;\tsigned:0;\n"
		"\tfield:u64 info1;\toffset:32;\tsize:8;\tsigned:0;\n"
		"\tfield:u64 info2;\toffset:40;\tsize:8;\tsigned:0;\n"
		"\tfield:u32 intr_info;\toffset:48;\tsize:4;\tsigned:0;\n"
		"\tfield:u32 error_code;\toffset:52;\tsize:4;\tsigned:0;\n"
		"\tfield:unsigned int vcpu_id;\toffset:56;\tsize:4;\tsigned:0;\n"
		"\tfield:u64 requests;\toffset:64;\tsize:8;\tsigned:0;\n\n"
		"print fmt: \"vcpu %u reason %s\", REC->vcpu_id, (REC->isa == 1) ? "
		"__print_symbolic(REC->exit_reason & 0xffff, { 10, \"CPUID\" }, { 12, \"HLT\" }) : "
		"__print_symbolic(REC->exit_reason, { 0x072, \"cpuid\" }, { 0x078, \"hlt\" })\n",
		1661, 72 },
	[GEN_ENTRY] = { "kvm", "kvm_entry",
		"name: kvm_entry\nID: 1673\n" GEN_COMMON
		"\tfield:unsigned int vcpu_id;\toffset:8;\tsize:4;\tsigned:0;\n"
		"\tfield:unsigned long rip;\toffset:16;\tsize:8;\tsigned:0;\n"
		"\tfield:bool immediate_exit;\toffset:24;\tsize:1;\tsigned:0;\n"
		"\tfield:u32 intr_info;\toffset:28;\tsize:4;\tsigned:0;\n"
		"\tfield:u32 error_code;\toffset:32;\tsize:4;\tsigned:0;\n\n"
		"print fmt: \"vcpu %u\", REC->vcpu_id\n",
		1673, 40 },
	[GEN_SWITCH] = { "sched", "sched_switch",
		"name: sched_switch\nID: 308\n" GEN_COMMON
		"\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
		"\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
		"\tfield:int prev_prio;\toffset:28;\tsize:4;\tsigned:1;\n"
		"\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n"
		"\tfield:char next_comm[16];\toffset:40;\tsize:16;\tsigned:0;\n"
		"\tfield:pid_t next_pid;\toffset:56;\tsize:4;\tsigned:1;\n"
		"\tfield:int next_prio;\toffset:60;\tsize:4;\tsigned:1;\n\n"
		"print fmt: \"prev_comm=%s prev_pid=%d ==> next_pid=%d\", REC->prev_comm, "
		"REC->prev_pid, REC->next_pid\n",
		308, 64 },
	[GEN_WAKING] = { "sched", "sched_waking",
		"name: sched_waking\nID: 311\n" GEN_COMMON
		"\tfield:__data_loc char[] comm;\toffset:8;\tsize:4;\tsigned:0;\n"
		"\tfield:pid_t pid;\toffset:12;\tsize:4;\tsigned:1;\n"
		"\tfield:int prio;\toffset:16;\tsize:4;\tsigned:1;\n"
		"\tfield:int target_cpu;\toffset:20;\tsize:4;\tsigned:1;\n\n"
		"print fmt: \"comm=%s pid=%d\", __get_str(comm), REC->pid\n",
		311, 28 },
	[GEN_PROCESS_EXIT] = { "sched", "sched_process_exit",
		"name: sched_process_exit\nID: 305\n" GEN_COMMON
		"\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
		"\tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;\n"
		"\tfield:int prio;\toffset:28;\tsize:4;\tsigned:1;\n\n"
		"print fmt: \"comm=%s pid=%d\", REC->comm, REC->pid\n",
		305, 32 },
	[GEN_OTHER] = { "test", "other",
		"name: other\nID: 2000\n" GEN_COMMON
		"\tfield:u8 signed_byte;\toffset:8;\tsize:1;\tsigned:1;\n"
		"\tfield:u16 pair[2];\toffset:10;\tsize:4;\tsigned:0;\n"
		"\tfield:s16 half;\toffset:14;\tsize:2;\tsigned:1;\n\n"
		"print fmt: \"%d\", REC->half\n",
		2000, 16 },
};

char *gen_format(void *ctx, const char *system, const char *name)
{
	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (system && !strcmp(system, formats[i].system) && !strcmp(name, formats[i].name))
			return xstrdup(formats[i].text);
	return NULL;
}

const struct gen_format *gen_event_format(enum gen_event event)
{
	return &formats[event];
}

enum { MAX_OTHER = 2048 };

void gen_write(struct gen *g, const struct gen_fact *f)
{
	unsigned char data[MAX_OTHER] = { 0 };
	uint32_t size = formats[f->event].size;

	gen_put(g, data, formats[f->event].id, 2);
	data[2] = f->flags;
	gen_put(g, data + 4, (uint32_t)f->tid, 4);
	switch (f->event) {
	case GEN_EXIT:
		gen_put(g, data + 8, f->a, 4);
		gen_put(g, data + 16, 0xffffffff81000000 + f->a, 8);
		gen_put(g, data + 24, f->c, 4);
		gen_put(g, data + 56, f->b, 4);
		break;
	case GEN_ENTRY:
		gen_put(g, data + 8, f->a, 4);
		break;
	case GEN_SWITCH:
		gen_put(g, data + 24, f->a, 4);
		gen_put(g, data + 32, 1, 8);
		gen_put(g, data + 56, f->b, 4);
		break;
	case GEN_WAKING:
		gen_put(g, data + 8, 4 << 16 | 24, 4);
		gen_put(g, data + 12, f->a, 4);
		gen_put(g, data + 20, f->b, 4);
		memcpy(data + 24, "abc", 4);
		break;
	case GEN_PROCESS_EXIT:
		gen_put(g, data + 24, f->a, 4);
		break;
	default:
		size = max(size, min(f->a, (uint32_t)MAX_OTHER));
		break;
	}
	gen_record(g, f->cpu, f->time, data, size);
}

/* Loads. */

/* A thread that runs a vCPU: in the guest or handling an exit. */
struct vcpu {
	int32_t tid;
	uint32_t id;
	bool outside;
};

/* The threads that wait for a CPU's next slots, in a ring. */
struct queue {
	uint32_t *threads;
	uint32_t n, at;
};

struct load {
	struct gen *g;
	const struct gen_load *load;
	struct gen_truth *truth;
	struct gen_random random;
	struct vcpu *vcpus;
	struct queue *queues;
	uint64_t *last; /* by CPU: time of its last record, before which none may come */
	bool *any;
};

static void tell(struct load *l, const struct gen_fact *f)
{
	struct gen_truth *t = l->truth;

	gen_write(l->g, f);
	l->last[f->cpu] = f->time;
	l->any[f->cpu] = true;
	if (!t)
		return;
	if (t->n == t->room) {
		t->room = t->room ? t->room * 2 : 1024;
		t->facts = xreallocarray(t->facts, t->room, sizeof(*t->facts));
	}
	t->facts[t->n++] = *f;
	if (t->n_losses)
		for (size_t i = t->n_losses; i-- > 0 && t->losses[i].to == UINT64_MAX;)
			if (t->losses[i].cpu == f->cpu)
				t->losses[i].to = f->time;
}

static void tell_loss(struct load *l, uint16_t cpu)
{
	struct gen_truth *t = l->truth;
	uint64_t count = gen_below(&l->random, 2) ? 1 + gen_below(&l->random, 100) : LOSS_UNKNOWN;

	if (l->g->cpus[cpu].lost)
		return;
	gen_lose(l->g, cpu, count);
	if (!t)
		return;
	if (t->n_losses == t->losses_room) {
		t->losses_room = t->losses_room ? t->losses_room * 2 : 64;
		t->losses = xreallocarray(t->losses, t->losses_room, sizeof(*t->losses));
	}
	t->losses[t->n_losses++] = (struct gen_loss){
		.from = l->any[cpu] ? l->last[cpu] : 0,
		.to = UINT64_MAX, .count = count, .cpu = cpu,
	};
}

/* A record that is no exit and no entry, from whoever runs. */
static struct gen_fact other_fact(struct load *l, const struct vcpu *v)
{
	struct gen_fact f = { .tid = v->tid };

	switch (gen_below(&l->random, 4)) {
	case 0:
		f.event = GEN_SWITCH;
		f.a = (uint32_t)v->tid;
		f.b = gen_below(&l->random, 3) ? (uint32_t)v->tid : 0;
		break;
	case 1:
		f.event = GEN_WAKING;
		f.flags = gen_below(&l->random, 2) ? 0x08 : 0;
		f.a = (uint32_t)l->vcpus[gen_below(&l->random, l->load->threads)].tid;
		f.b = (uint32_t)gen_below(&l->random, l->load->cpus);
		break;
	default:
		f.event = GEN_OTHER;
		f.a = (uint32_t)(16 + gen_below(&l->random, 40) * 4);
		if (!gen_below(&l->random, 20))
			f.a = (uint32_t)gen_below(&l->random, MAX_OTHER / 2);
		break;
	}
	return f;
}

/* Of 24 reasons a few are frequent, as in real guests. */
static uint32_t random_reason(struct gen_random *r)
{
	uint64_t a = gen_below(r, 24), b = gen_below(r, 24), c = gen_below(r, 24);

	return 0x60 + (uint32_t)min(a, min(b, c));
}

static struct gen_fact vcpu_fact(struct load *l, struct vcpu *v)
{
	struct gen_fact f = { .tid = v->tid };

	if (v->outside) {
		f.event = GEN_ENTRY;
		f.a = v->id;
	} else {
		f.event = GEN_EXIT;
		f.a = random_reason(&l->random);
		f.b = v->id;
		f.c = 2;
	}
	v->outside = !v->outside;
	return f;
}

/* What one CPU does in a slot of time: its next thread runs for `records` records. */
static void run_slot(struct load *l, uint16_t cpu, uint64_t begin, uint64_t end, uint64_t records)
{
	struct queue *q = &l->queues[cpu];
	uint64_t step = l->load->step, gap = (end - begin) / (records + 1);
	struct vcpu *v;

	if (!q->n)
		return;
	v = &l->vcpus[q->threads[q->at++ % q->n]];
	if (gen_below(&l->random, 1000) < l->load->losses)
		tell_loss(l, cpu);
	for (uint64_t i = 0, time = begin; i < records; i++) {
		bool other = l->load->others && gen_below(&l->random, 1000) < l->load->others;
		struct gen_fact f = other ? other_fact(l, v) : vcpu_fact(l, v);

		time += gen_below(&l->random, 2 * gap / step + 1) * step;
		time = min(time, end);
		f.time = max(time, l->last[cpu]);
		f.cpu = cpu;
		tell(l, &f);
	}
}

/* A thread that waits on one CPU goes to another one. */
static void migrate(struct load *l, uint32_t from, uint32_t to)
{
	struct queue *q = &l->queues[from];
	uint32_t i;

	if (!q->n || from == to)
		return;
	i = (uint32_t)gen_below(&l->random, q->n);
	l->queues[to].threads[l->queues[to].n++] = q->threads[i];
	q->threads[i] = q->threads[--q->n];
}

static void begin_load(struct load *l)
{
	l->vcpus = xcalloc(l->load->threads, sizeof(*l->vcpus));
	l->queues = xcalloc(l->load->cpus, sizeof(*l->queues));
	l->last = xcalloc(l->load->cpus, sizeof(*l->last));
	l->any = xcalloc(l->load->cpus, sizeof(*l->any));
	for (uint32_t cpu = 0; cpu < l->load->cpus; cpu++)
		l->queues[cpu].threads = xcalloc(l->load->threads, sizeof(uint32_t));
	for (uint32_t i = 0; i < l->load->threads; i++) {
		struct queue *q = &l->queues[i % l->load->cpus];

		l->vcpus[i] = (struct vcpu){ .tid = (int32_t)(1000 + 3 * i), .id = i % 16 };
		q->threads[q->n++] = i;
	}
}

static void end_load(struct load *l)
{
	for (uint32_t cpu = 0; cpu < l->load->cpus; cpu++)
		free(l->queues[cpu].threads);
	free(l->queues);
	free(l->vcpus);
	free(l->last);
	free(l->any);
}

void gen_load(struct gen *g, const struct gen_load *load, struct gen_truth *truth)
{
	enum { SLOT_RECORDS = 32 };
	struct load l = { .g = g, .load = load, .truth = truth, .random = { load->seed } };
	const uint64_t slot = 1000000;
	uint64_t done = 0, begin = 5000000000;

	begin_load(&l);
	for (; done < load->records; begin += slot) {
		for (uint32_t cpu = 0; cpu < load->cpus; cpu++) {
			uint64_t records = 1 + gen_below(&l.random, 2 * SLOT_RECORDS);

			run_slot(&l, (uint16_t)cpu, begin, begin + slot, records);
			done += l.queues[cpu].n ? records : 0;
		}
		for (uint32_t cpu = 0; cpu < load->cpus; cpu++)
			if (gen_below(&l.random, 1000) < load->migrations)
				migrate(&l, cpu, (uint32_t)gen_below(&l.random, load->cpus));
	}
	end_load(&l);
	gen_finish(g);
}
