// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every recorded trace among the tests: its pages against libtraceevent's kbuffer, record by
 * record, and what the stream hands on in each order against a plain sort of what kbuffer found.
 */
#include <ftw.h>
#include <kbuffer.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"
#include "fact.h"
#include "tests/leaks.h"
#include "tests/tap.h"
#include "trace/binding.h"
#include "trace/stream.h"
#include "trace/subjects.h"
#include "trace/tracedat.h"

/* A record as it is told apart from others: `position` counts those of its CPU. */
struct record {
	uint64_t time, position;
	uint64_t subject; /* tid, or in an interrupt the CPU; an idle thread is its CPU's */
	uint16_t cpu, id;
	uint32_t size;
};

struct list {
	struct record *records;
	size_t n, room;
};

static void add(struct list *l, const struct record *r)
{
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 4096;
		l->records = xreallocarray(l->records, l->room, sizeof(*l->records));
	}
	l->records[l->n++] = *r;
}

/* One trace and how it is read. */
struct capture {
	struct tracedat *dat;
	const struct tracedat_buffer *buffer;
	struct tracedat_pages *pages;
	struct page_layout layout;
	struct list truth;
};

static uint32_t word(const struct capture *c, const void *data)
{
	uint32_t v;

	memcpy(&v, data, sizeof(v));
	return c->layout.swap ? __builtin_bswap32(v) : v;
}

static uint64_t subject_of(const struct capture *c, const void *data, unsigned int cpu)
{
	enum { HARDIRQ = 0x08, SOFTIRQ = 0x10, NMI = 0x40 };
	uint32_t tid = word(c, (const char *)data + 4);

	if (((const uint8_t *)data)[2] & (HARDIRQ | SOFTIRQ | NMI))
		return UINT64_C(2) << 32 | cpu;
	return tid ? tid : UINT64_C(1) << 32 | cpu;
}

static struct record as_record(const struct capture *c, const void *data, uint32_t size,
			       uint64_t time, unsigned int cpu, uint64_t position)
{
	uint16_t id;

	memcpy(&id, data, sizeof(id));
	return (struct record){
		.time = time, .position = position, .cpu = (uint16_t)cpu, .size = size,
		.id = c->layout.swap ? __builtin_bswap16(id) : id,
		.subject = subject_of(c, data, cpu),
	};
}

/* One page by both; false where they differ. The oracle's records are the truth. */
static bool same_page(struct capture *c, struct kbuffer *oracle, const void *page, size_t size,
		      unsigned int cpu, uint64_t *position)
{
	unsigned long long time;
	struct page_record rec;
	struct page_walk w;
	void *data;

	kbuffer_load_subbuffer(oracle, (void *)(uintptr_t)page);
	if (page_begin(&w, &c->layout, page, size))
		return false;
	for (data = kbuffer_read_event(oracle, &time); data;
	     data = kbuffer_next_event(oracle, &time)) {
		struct record r = as_record(c, data, (uint32_t)kbuffer_event_size(oracle), time,
					    cpu, (*position)++);

		if (page_next(&w, &c->layout, &rec) != 1 || rec.data != data ||
		    rec.size != r.size || rec.time != time)
			return false;
		add(&c->truth, &r);
	}
	return page_next(&w, &c->layout, &rec) == 0;
}

static void walk(struct capture *c, const char *name)
{
	bool big = c->layout.swap != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__), same = true;
	struct kbuffer *oracle = kbuffer_alloc(c->layout.long_size == 8 ? KBUFFER_LSIZE_8 :
									  KBUFFER_LSIZE_4,
					       big ? KBUFFER_ENDIAN_BIG : KBUFFER_ENDIAN_LITTLE);
	const void *page;
	size_t size;

	for (unsigned int cpu = 0; cpu < tracedat_buffer_cpus(c->buffer); cpu++) {
		uint64_t n, position = 0;

		for (n = 0; same && tracedat_pages_get(c->pages, cpu, n, &page, &size, NULL) == 1;
		     n++) {
			same = same_page(c, oracle, page, size, cpu, &position);
			tracedat_pages_release(c->pages, cpu, n + 1);
		}
	}
	ok(same && c->truth.n, "%s: %zu records as kbuffer has them", name, c->truth.n);
	kbuffer_free(oracle);
}

/* What one consumer was told. */
struct witness {
	struct capture *capture;
	struct list seen;
};

static void feed(void *ctx, const struct fact *facts, size_t n)
{
	struct witness *w = ctx;

	for (size_t i = 0; i < n; i++) {
		const struct fact *f = &facts[i];
		struct record r = as_record(w->capture, fact_record(f), fact_length(f), f->time,
					    f->cpu, 0);

		add(&w->seen, &r);
	}
}

static int by_time(const void *va, const void *vb)
{
	const struct record *a = va, *b = vb;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	if (a->cpu != b->cpu)
		return a->cpu < b->cpu ? -1 : 1;
	return a->position < b->position ? -1 : a->position > b->position;
}

static bool same_record(const struct record *a, const struct record *b)
{
	return a->time == b->time && a->cpu == b->cpu && a->id == b->id &&
	       a->subject == b->subject && a->size == b->size;
}

/* Each subject's sequence as a number; equal for equal sequences. */
static void digest(const struct list *l, struct hash *to)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct record *r = &l->records[i];
		union hash_value *v = hash_insert(to, r->subject, NULL);

		v->u = (v->u ^ r->time ^ (uint64_t)r->cpu << 48 ^ (uint64_t)r->id << 32) *
		       UINT64_C(0x9e3779b97f4a7c15);
	}
}

static bool same_by_thread(const struct list *a, const struct list *b)
{
	struct hash of_a = { 0 }, of_b = { 0 };
	bool same = a->n == b->n;

	digest(a, &of_a);
	digest(b, &of_b);
	same = same && of_a.nr == of_b.nr;
	hash_each(&of_a, entry)
		same = same && hash_find(&of_b, entry->key) &&
		       hash_find(&of_b, entry->key)->u == entry->value.u;
	hash_free(&of_a);
	hash_free(&of_b);
	return same;
}

static char *format(void *ctx, const char *system, const char *name)
{
	struct tracedat_event event;

	if (tracedat_event(ctx, system, name, &event, NULL) != 1 || !event.format.text)
		return NULL;
	return xstrndup(event.format.text, event.format.len);
}

static int get(void *ctx, unsigned int cpu, uint64_t n, const void **page, size_t *size,
	       struct error *err)
{
	return tracedat_pages_get(ctx, cpu, n, page, size, err);
}

static int time_of(void *ctx, unsigned int cpu, uint64_t n, uint64_t *time, struct error *err)
{
	const void *page;
	size_t size;
	int got = get(ctx, cpu, n, &page, &size, err);

	if (got == 1)
		memcpy(time, page, sizeof(*time));
	return got;
}

static int swapped_time_of(void *ctx, unsigned int cpu, uint64_t n, uint64_t *time,
			   struct error *err)
{
	int got = time_of(ctx, cpu, n, time, err);

	*time = got == 1 ? __builtin_bswap64(*time) : 0;
	return got;
}

static void release(void *ctx, unsigned int cpu, uint64_t n)
{
	tracedat_pages_release(ctx, cpu, n);
}

/* Every event of the file as a record. */
static struct binding *bind_all(struct capture *c)
{
	struct binding *b = binding_new(&(struct format_source){
		.format = format, .ctx = c->dat, .long_size = c->layout.long_size,
		.big_endian = c->layout.swap != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__),
	});
	struct tracedat_event event;
	struct error err;

	for (size_t i = 0; tracedat_event_at(c->dat, i, &event, NULL) == 1; i++) {
		char *system = xstrdup(event.system), *name = xstrdup(event.name);

		if (binding_add_record(b, system, name, &err) < 0)
			diag("%s", err.text);
		free(system);
		free(name);
	}
	return b;
}

static void stream(struct capture *c, const char *name)
{
	const struct page_source source = {
		.get = get, .release = release,
		.time = c->layout.swap ? swapped_time_of : time_of, .ctx = c->pages,
		.n_cpus = tracedat_buffer_cpus(c->buffer), .layout = c->layout,
	};
	struct binding *b = bind_all(c);
	struct subjects *subjects = subjects_new(source.n_cpus);
	struct stream *s = stream_new(&source, b, subjects);
	struct witness witnesses[] = {
		[ORDER_CPU] = { .capture = c }, [ORDER_THREAD] = { .capture = c },
		[ORDER_GLOBAL] = { .capture = c },
	};
	bool same;

	for (int i = 0; i < 3; i++)
		stream_add(s, &(struct consumer){
			.order = (enum order)i, .feed = feed, .ctx = &witnesses[i],
		});
	ok(!stream_advance(s, UINT64_MAX, NULL), "%s: the stream walks it", name);
	qsort(c->truth.records, c->truth.n, sizeof(struct record), by_time);
	same = witnesses[ORDER_GLOBAL].seen.n == c->truth.n;
	for (size_t i = 0; same && i < c->truth.n; i++)
		same = same_record(&witnesses[ORDER_GLOBAL].seen.records[i], &c->truth.records[i]);
	ok(same, "%s: in global order as a plain sort has it", name);
	ok(same_by_thread(&c->truth, &witnesses[ORDER_THREAD].seen), "%s: by thread too", name);
	is_int(stream_stats(s)->records, c->truth.n, "all records are counted");
	for (int i = 0; i < 3; i++)
		free(witnesses[i].seen.records);
	stream_free(s);
	subjects_free(subjects);
	binding_free(b);
}

static void check(const char *path, const char *name)
{
	struct error err = { 0 };
	struct capture c = { .dat = tracedat_open(path, &err) };

	if (!c.dat) {
		skip(err.text, name);
		return;
	}
	c.buffer = tracedat_buffer(c.dat, NULL);
	c.layout = tracedat_layout(c.dat, c.buffer);
	c.pages = tracedat_pages_new(c.dat, c.buffer);
	walk(&c, name);
	tracedat_pages_free(c.pages);
	c.pages = tracedat_pages_new(c.dat, c.buffer);
	stream(&c, name);
	tracedat_pages_free(c.pages);
	tracedat_free(c.dat);
	free(c.truth.records);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *end = strrchr(path, '.');

	(void)st;
	if (type == FTW_F && end && !strcmp(end, ".dat"))
		check(path, path + ftw->base);
	return 0;
}

int main(void)
{
	char *dir = xasprintf("%s/tests/traces", tap_source());

	nftw(dir, visit, 16, 0);
	free(dir);
	return tap_done();
}
