// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The page walker against libtraceevent's kbuffer, record by record, on generated pages of every
 * kind and on pages that a kernel wrote; and alone on what kbuffer doesn't check.
 */
#include <fcntl.h>
#include <kbuffer.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fact.h"
#include "tests/gen.h"
#include "tests/tap.h"
#include "trace/page.h"

enum { SIZES = 5, ROUNDS = 40 };

static struct kbuffer *oracle_new(const struct page_layout *layout)
{
	bool big = layout->swap != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);

	return kbuffer_alloc(layout->long_size == 8 ? KBUFFER_LSIZE_8 : KBUFFER_LSIZE_4,
			     big ? KBUFFER_ENDIAN_BIG : KBUFFER_ENDIAN_LITTLE);
}

/* Whether both walk the page alike; says where not. *records grows. */
static bool same_walk(const struct page_layout *layout, const unsigned char *page, bool fast,
		      uint64_t *records)
{
	struct kbuffer *oracle = oracle_new(layout);
	unsigned long long time;
	struct page_record rec;
	struct page_walk w;
	bool same = true;
	void *data;
	int lost, got;

	kbuffer_load_subbuffer(oracle, (void *)page);
	if (page_begin(&w, layout, page, layout->size)) {
		diag("header refused");
		kbuffer_free(oracle);
		return false;
	}
	lost = kbuffer_missed_events(oracle);
	if (w.lost != (lost != 0) ||
	    (w.lost && w.lost_count != (lost < 0 ? LOSS_UNKNOWN : (uint64_t)lost))) {
		diag("lost %d %llu, oracle %d", w.lost, (unsigned long long)w.lost_count, lost);
		same = false;
	}
	for (data = kbuffer_read_event(oracle, &time); same;
	     data = kbuffer_next_event(oracle, &time)) {
		got = fast ? page_next_fast(&w, layout, &rec) : page_next(&w, layout, &rec);
		if (!data || got != 1) {
			same = !data && !got;
			if (!same)
				diag("at %td: got %d, oracle %s", w.p - page, got,
				     data ? "goes on" : "ends");
			break;
		}
		if (rec.data != data || rec.time != time ||
		    rec.size != (uint32_t)kbuffer_event_size(oracle)) {
			diag("at %td: size %u time %llu, oracle at %td: size %d time %llu",
			     rec.data - page, rec.size, (unsigned long long)rec.time,
			     (unsigned char *)data - page, kbuffer_event_size(oracle), time);
			same = false;
		}
		++*records;
	}
	kbuffer_free(oracle);
	return same;
}

/* 32 bits above the 27 of an entry's word. */
static void two_words(struct gen *g, unsigned int type, uint64_t value)
{
	gen_entry(g, 0, type, value & ((1u << 27) - 1));
	gen_word(g, 0, (uint32_t)(value >> 27));
}

/* One entry of any kind that fits. *time is the running one. */
static void random_entry(struct gen *g, struct gen_random *r, uint64_t *time)
{
	static const unsigned char bytes[4096];
	const uint64_t low = (UINT64_C(1) << 59) - 1;
	uint32_t delta = (uint32_t)gen_random(r) & ((1u << 27) - 1);
	size_t room = gen_room(g, 0);
	uint64_t more;
	uint32_t size;

	switch (gen_below(r, 8)) {
	case 0: /* longer than a type_len can say */
		size = (uint32_t)gen_below(r, min(room - 8, sizeof(bytes)));
		gen_entry(g, 0, 0, delta);
		gen_word(g, 0, size + 4);
		gen_bytes(g, 0, bytes, (size + 3) & ~3u);
		break;
	case 1:
		more = gen_random(r) >> (5 + gen_below(r, 59));
		two_words(g, PAGE_TYPE_TIME_EXTEND, more);
		*time += more;
		return;
	case 2: /* absolute; its overflow is tested by itself: kbuffer doesn't know it */
		more = gen_random(r) >> (10 + gen_below(r, 54));
		if ((*time & low) + more > low)
			return;
		*time += more;
		two_words(g, PAGE_TYPE_TIME_STAMP, *time & low);
		return;
	case 3: /* a discarded record */
		size = 4 + 4 * (uint32_t)gen_below(r, 30);
		if (room < size + 4)
			return;
		delta |= 1;
		gen_entry(g, 0, PAGE_TYPE_PADDING, delta);
		gen_word(g, 0, size);
		gen_bytes(g, 0, bytes, size - 4);
		break;
	default:
		size = 1 + (uint32_t)gen_below(r, PAGE_TYPE_DATA_MAX);
		if (room < 4 * size + 4)
			return;
		gen_entry(g, 0, size, delta);
		gen_bytes(g, 0, bytes, 4 * size);
		break;
	}
	*time += delta;
}

/* A page of entries of every kind, with or without marks of a loss. */
static void random_page(struct gen *g, struct gen_random *r)
{
	/* times with and without the upper 5 bits that a time stamp has no room for */
	uint64_t time = gen_random(r) >> (gen_below(r, 2) ? 1 : 16);
	bool lost = !gen_below(r, 3);

	if (lost)
		gen_lose(g, 0, gen_below(r, 2) ? LOSS_UNKNOWN : 1 + gen_below(r, 1000));
	gen_page(g, 0, time);
	if (lost) /* kbuffer tells a loss only when the first entry is a record */
		gen_entry(g, 0, 1, 0), gen_word(g, 0, 7);
	while (gen_room(g, 0) > 200 && gen_below(r, 300))
		random_entry(g, r, &time);
	if (gen_below(r, 3) && gen_room(g, 0) >= 8)
		gen_entry(g, 0, 1, 5), gen_word(g, 0, 7);
	/* the page is full to its last bytes in some, so that a count has no room */
	while (gen_below(r, 3) && gen_room(g, 0) >= 8)
		gen_entry(g, 0, 1, 1), gen_word(g, 0, 7);
	gen_close(g, 0);
}

static void generated(unsigned int size, unsigned int long_size, bool swap)
{
	struct gen *g = gen_new(1, size, long_size, swap);
	struct gen_random r = { size + long_size + swap };
	uint64_t records = 0;
	bool same = true;

	for (int i = 0; i < ROUNDS && same; i++) {
		random_page(g, &r);
		same = same_walk(&g->layout, gen_page_at(g, 0, (size_t)i), false, &records) &&
		       same_walk(&g->layout, gen_page_at(g, 0, (size_t)i), true, &records);
	}
	ok(same && records > ROUNDS,
	   "%uK pages, %u-byte long, %s endian: %llu records as kbuffer has them", size / 1024,
	   long_size, gen_big(g) ? "big" : "little", (unsigned long long)records);
	gen_free(g);
}

/* Pages that gen_record() writes, as a kernel would. */
static void ordinary(void)
{
	struct gen *g = gen_new(2, 4096, 8, false);
	const struct gen_load load = {
		.cpus = 2, .threads = 5, .records = 20000, .losses = 100, .others = 200,
		.step = 1, .seed = 1,
	};
	uint64_t records = 0;
	bool same = true;

	gen_load(g, &load, NULL);
	for (unsigned int cpu = 0; cpu < 2; cpu++)
		for (size_t i = 0; i < g->cpus[cpu].n && same; i++)
			same = same_walk(&g->layout, gen_page_at(g, cpu, i), i % 2, &records);
	ok(same && records > 19000, "a load of exits and entries");
	gen_free(g);
}

/* A file of raw pages, as trace_pipe_raw gives them. */
static void raw_file(const char *name, unsigned int size)
{
	struct page_layout layout = { .long_size = 8, .data = 16, .size = size };
	unsigned char *pages;
	uint64_t records = 0;
	bool same = true;
	char path[4096];
	struct stat st;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/tests/traces/%s", tap_source(), name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		skip("the file is not there", name);
		return;
	}
	pages = malloc((size_t)st.st_size);
	got = read(fd, pages, (size_t)st.st_size);
	close(fd);
	for (ssize_t at = 0; same && at + (ssize_t)size <= got; at += size)
		same = same_walk(&layout, pages + at, false, &records);
	ok(same && records, "%s: %llu records", name, (unsigned long long)records);
	free(pages);
}

/* What the page says against what can be: no record may reach beyond the page. */
static void damaged(void)
{
	struct gen *g = gen_new(1, 4096, 8, false);
	const struct page_layout *layout = &g->layout;
	struct page_record rec;
	struct page_walk w;
	unsigned char page[4096], *at;
	uint32_t word;

	gen_page(g, 0, 1000);
	gen_entry(g, 0, 2, 10), gen_word(g, 0, 1), gen_word(g, 0, 2);
	gen_close(g, 0);
	memcpy(page, gen_page_at(g, 0, 0), sizeof(page));
	at = page + layout->data;

	ok(page_begin(&w, layout, page, 4095) == -1, "a remainder is refused");
	ok(page_begin(&w, layout, page, 8) == -1, "less than a header is refused");
	page[9] = 0x20;
	ok(page_begin(&w, layout, page, 4096) == -1, "more data than the page has are refused");
	page[9] = 0;

	word = 28;
	memcpy(at, &word, 4);
	page_begin(&w, layout, page, 4096);
	is_int(page_next(&w, layout, &rec), -1, "data behind the end are refused");
	is_int(page_next(&w, layout, &rec), -1, "and once more");
	is_int(page_next_fast(&w, layout, &rec), -1, "on the fast path too");

	word = 0; /* its length is the word behind it */
	memcpy(at, &word, 4);
	page_begin(&w, layout, page, 4096);
	is_int(page_next(&w, layout, &rec), -1, "a length that doesn't count itself is refused");
	word = 0xffffffff;
	memcpy(at + 4, &word, 4);
	page_begin(&w, layout, page, 4096);
	is_int(page_next(&w, layout, &rec), -1, "a length of 4 GB is refused");
	word = PAGE_TYPE_PADDING | 1 << 5;
	memcpy(at, &word, 4);
	page_begin(&w, layout, page, 4096);
	is_int(page_next(&w, layout, &rec), -1, "a discarded record of 4 GB is refused");

	page[8] = 2; /* less than a header's word */
	page_begin(&w, layout, page, 4096);
	is_int(page_next(&w, layout, &rec), -1, "half a word is refused");
	page[8] = 4;
	word = PAGE_TYPE_TIME_EXTEND;
	memcpy(at, &word, 4);
	page_begin(&w, layout, page, 4096);
	is_int(page_next(&w, layout, &rec), -1, "half a time extend is refused");
	page[8] = 0;
	page_begin(&w, layout, page, 4096);
	is_int(page_next(&w, layout, &rec), 0, "an empty page has no record");
	word = PAGE_TYPE_PADDING;
	page[8] = 12;
	memcpy(at, &word, 4);
	page_begin(&w, layout, page, 4096);
	is_int(page_next(&w, layout, &rec), 0, "padding without time fills the page");
	gen_free(g);
}

/* The kernel's rb_fix_abs_ts(): the running time's upper 5 bits are kept, and may overflow. */
static void time_stamps(void)
{
	static const struct {
		const char *name;
		uint64_t page, stamp, time;
	} cases[] = {
		{ "a small time is taken as it is", 1000, 5000, 5000 },
		{ "even when it runs backwards", 5000, 1000, 1000 },
		{ "the upper bits are kept", UINT64_C(3) << 59 | 1000, 5000,
		  UINT64_C(3) << 59 | 5000 },
		{ "and grow when the lower ones overflowed", UINT64_C(3) << 59 | 5000, 1000,
		  UINT64_C(4) << 59 | 1000 },
	};
	struct gen *g = gen_new(1, 4096, 8, false);
	struct page_record rec = { 0 };
	struct page_walk w;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		gen_page(g, 0, cases[i].page);
		two_words(g, PAGE_TYPE_TIME_STAMP, cases[i].stamp);
		gen_entry(g, 0, 1, 0), gen_word(g, 0, 7);
		gen_close(g, 0);
		page_begin(&w, &g->layout, gen_page_at(g, 0, i), 4096);
		ok(page_next(&w, &g->layout, &rec) == 1 && rec.time == cases[i].time,
		   "time stamp: %s", cases[i].name);
	}
	gen_free(g);
}

int main(void)
{
	static const unsigned int sizes[SIZES] = { 4096, 8192, 16384, 32768, 65536 };

	for (int i = 0; i < SIZES; i++)
		for (int swap = 0; swap < 2; swap++) {
			generated(sizes[i], 8, swap);
			generated(sizes[i], 4, swap);
		}
	ordinary();
	raw_file("arch/raw-16k/native.cpu0.raw", 16384);
	raw_file("arch/raw-16k/native.cpu1.raw", 16384);
	time_stamps();
	damaged();
	return tap_done();
}
