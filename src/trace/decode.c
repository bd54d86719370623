// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Three paths, one result. The general one knows every entry of a page, every size and sign of a
 * field, both byte orders and any number of rows per event. The predicted one knows two events, an
 * exit and an entry, whose record had a certain length when the general path met it first:
 *
 * - One 64-bit load holds an entry's type_len and its record's id and context. Compared with what
 *   is expected, the address of the next entry is this one plus a constant, inside the branch: the
 *   processor predicts the branch and needs not wait for the length to be loaded, which otherwise
 *   is a chain from each record to the next.
 * - A field is 64 bits from an offset that lies within the record, shifted and masked: no branch
 *   on its size, its sign, or whether it is a constant. Where all fields are unsigned words, as on
 *   x86, they are just loaded.
 * - The thread's number stays at hand until another thread id comes.
 *
 * The plain one knows events whose record is itself the fact: nothing of it but the thread is read.
 *
 * Whatever is not as expected goes the general way, which is also the one that learns what to
 * expect.
 */
#include "trace/decode.h"

#include <string.h>

#include "base/util.h"
#include "trace/subjects.h"
#include "trace/window.h"

enum { IN_CONTEXT = IN_HARDIRQ | IN_SOFTIRQ | IN_NMI };

enum {
	MAX_TEXT = 256,
	MIN_ENTRY = 8, /* bytes of the smallest entry with a record */
};

#define NO_TID INT64_MIN

/* A predicted field: ((load64(data + offset) >> shift & mask) ^ sign) + add. */
struct predicted_arg {
	uint64_t mask, sign, add;
	uint32_t offset;
	uint32_t shift;
};

struct predicted {
	uint64_t key;  /* what head_key() must be; NO_KEY while nothing is predicted */
	uint32_t step; /* to the next entry */
	bool words;    /* every field is an unsigned 32-bit one */
	struct predicted_arg a, b, aux;
};

enum { PREDICT_EXIT, PREDICT_ENTRY, PREDICTIONS };

#define NO_KEY UINT64_MAX

/* An event whose record is the fact. */
struct plain {
	uint32_t slot;
	uint16_t id;
	uint16_t min_size; /* NO_SIZE: none was met */
};

enum { PLAIN = 64, NO_SIZE = UINT16_MAX };

struct decoder {
	const struct decode_plan *plan;
	const struct page_layout *layout;
	struct subjects *subjects;
	struct window *window;
	uint16_t cpu;
	int64_t tid;   /* the last one, and its number and CPU in their places in a fact */
	uint64_t meta;
	struct predicted predicted[PREDICTIONS];
	uint32_t n_rows;	   /* of the plan, when these were met: */
	bool predicts, has_plain;
	struct plain plain[PLAIN]; /* by id modulo PLAIN, the last one met */
};

/*
 * The first 8 bytes of an entry and its record: {type_len, time_delta}, common_type, common_flags,
 * common_preempt_count, as one number of this machine.
 */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { HEAD_TYPE = 0, HEAD_DELTA = 5, HEAD_ID = 32, HEAD_FLAGS = 48, LOW_BYTE = 0 };
#else
enum { HEAD_TYPE = 59, HEAD_DELTA = 32, HEAD_ID = 16, HEAD_FLAGS = 8, LOW_BYTE = 3 };
#endif

static uint64_t head_key(uint64_t head)
{
	return head & (UINT64_C(0x1f) << HEAD_TYPE | UINT64_C(0xffff) << HEAD_ID |
		       (uint64_t)IN_CONTEXT << HEAD_FLAGS);
}

static uint64_t head_delta(uint64_t head)
{
	return head >> HEAD_DELTA & ((1u << PAGE_DELTA_BITS) - 1);
}

static uint64_t load64(const unsigned char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t load32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint16_t load16(const unsigned char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* What was learnt holds as long as events have the rows that they had then. */
static void forget(struct decoder *d)
{
	d->n_rows = d->plan->n_rows;
	d->predicts = d->has_plain = false;
	for (int i = 0; i < PREDICTIONS; i++)
		d->predicted[i] = (struct predicted){ .key = NO_KEY, .words = true };
	for (int i = 0; i < PLAIN; i++)
		d->plain[i].min_size = NO_SIZE;
}

struct decoder *decoder_new(const struct decode_plan *plan, const struct page_layout *layout,
			    struct subjects *subjects, struct window *window)
{
	struct decoder *d = xcalloc(1, sizeof(*d));

	d->plan = plan;
	d->layout = layout;
	d->subjects = subjects;
	d->window = window;
	d->tid = NO_TID;
	forget(d);
	return d;
}

void decoder_free(struct decoder *d)
{
	free(d);
}

void decoder_window(struct decoder *d, struct window *window)
{
	d->window = window;
	if (d->plan->n_rows != d->n_rows)
		forget(d);
}

void decoder_cpu(struct decoder *d, uint16_t cpu)
{
	d->cpu = cpu;
	d->tid = NO_TID;
}

/* The number and CPU of a thread in their places in a fact; it becomes the last one. */
static __attribute__((noinline)) uint64_t change_thread(struct decoder *d, int32_t tid)
{
	uint32_t subject = subjects_thread(d->subjects, tid, d->cpu);

	window_see(d->window, subject, d->cpu);
	d->tid = tid;
	d->meta = (uint64_t)subject << META_SUBJECT | (uint64_t)d->cpu << META_CPU;
	return d->meta;
}

/* The general path. */

uint64_t decode_number(const struct decode_plan *plan, const struct decode_arg *arg,
		       const void *record)
{
	const unsigned char *p = (const unsigned char *)record + arg->offset;
	uint64_t v;
	uint32_t v32;
	uint16_t v16;

	switch (arg->size) {
	case 1:
		return arg->is_signed ? (uint64_t)(int8_t)*p : *p;
	case 2:
		v16 = plan->swap ? __builtin_bswap16(load16(p)) : load16(p);
		return arg->is_signed ? (uint64_t)(int16_t)v16 : v16;
	case 4:
		v32 = plan->swap ? __builtin_bswap32(load32(p)) : load32(p);
		return arg->is_signed ? (uint64_t)(int32_t)v32 : v32;
	default:
		v = load64(p);
		return plan->swap ? __builtin_bswap64(v) : v;
	}
}

/* Up to eight of a text's bytes, as they stand in memory. */
static uint64_t some_bytes(const char *text, uint32_t length, uint64_t from)
{
	uint64_t bytes = 0;

	if (from < length)
		memcpy(&bytes, text + from, min(length - (uint32_t)from, (uint32_t)sizeof(bytes)));
	return bytes;
}

/* A text's number or bytes; what lies outside of the record is no text. */
static uint64_t read_text(const struct decode_plan *plan, const struct decode_arg *arg,
			  const struct page_record *rec)
{
	uint32_t offset = arg->offset, length = arg->size, where;
	char text[MAX_TEXT];

	if (arg->read != DECODE_TEXT) {
		where = load32(rec->data + arg->offset);
		if (plan->swap)
			where = __builtin_bswap32(where);
		offset = where & 0xffff;
		length = where >> 16;
		if (arg->read == DECODE_TEXT_RELATIVE)
			offset += arg->offset + sizeof(where);
	}
	if (offset > rec->size || length > rec->size - offset)
		return 0;
	length = min(length, (uint32_t)sizeof(text) - 1);
	memcpy(text, rec->data + offset, length);
	text[length] = '\0';
	if (arg->bytes)
		return some_bytes(text, (uint32_t)strlen(text), arg->value);
	return plan->intern(plan->ctx, text);
}

static uint64_t read_arg(const struct decode_plan *plan, const struct decode_arg *arg,
			 const struct page_record *rec)
{
	switch (arg->read) {
	case DECODE_CONST:
		return arg->value;
	case DECODE_NUMBER:
		return decode_number(plan, arg, rec->data);
	default:
		return read_text(plan, arg, rec);
	}
}

/*
 * Whether an interrupt or the like recorded it. Preemptible kernels take 1 off the preemption count
 * of each record, for the one that a tracepoint adds. User probes add none: 0 becomes 0xff, and the
 * flags before it are one too low.
 */
static bool in_context(const struct decode_plan *plan, const struct page_record *rec)
{
	uint8_t flags = rec->data[plan->flags_offset];

	if (likely(!(flags & IN_CONTEXT)))
		return false;
	if (rec->data[plan->flags_offset + 1] == 0xff)
		flags++;
	return flags & IN_CONTEXT;
}

/* Whom the fact is about: its last 8 bytes but kind and aux. */
static uint64_t find_subject(struct decoder *d, const struct decode_row *row,
			     const struct page_record *rec)
{
	const struct decode_plan *plan = d->plan;
	uint64_t cpu = (uint64_t)d->cpu << META_CPU;
	uint32_t subject;
	int32_t tid;

	if (row->subject == SUBJECT_CPU ||
	    (row->subject == SUBJECT_RECORDER && in_context(plan, rec)))
		return (uint64_t)subjects_cpu(d->cpu) << META_SUBJECT | cpu;
	if (row->subject == SUBJECT_FIELD) {
		tid = (int32_t)read_arg(plan, &row->who, rec);
		subject = subjects_thread(d->subjects, tid, d->cpu);
		window_see(d->window, subject, d->cpu);
		return (uint64_t)subject << META_SUBJECT | cpu;
	}
	tid = (int32_t)load32(rec->data + plan->pid_offset);
	if (plan->swap)
		tid = (int32_t)__builtin_bswap32((uint32_t)tid);
	return tid == d->tid ? d->meta : change_thread(d, tid);
}

/* The row's own function: false drops the fact. */
static bool refine(const struct decode_plan *plan, const struct decode_row *row,
		   const struct page_record *rec, struct fact *f)
{
	struct hv_record r = { .present = row->present };

	for (int i = 0; i < HV_EXTRA; i++)
		r.extra[i] = read_arg(plan, &row->extra[i], rec);
	return row->decode(&r, f);
}

static void decode_row(struct decoder *d, const struct decode_row *row,
		       const struct page_record *rec)
{
	struct window *window = d->window;
	struct fact *f = &window->facts[window->n];

	f->time = rec->time;
	fact_set_meta(f, find_subject(d, row, rec));
	f->kind = row->kind;
	if (row->kind == FACT_RECORD) {
		f->a = (uintptr_t)rec->data;
		f->b = (uint64_t)row->slot << 32 | rec->size;
		f->aux = 0;
	} else {
		f->a = read_arg(d->plan, &row->a, rec);
		f->b = read_arg(d->plan, &row->b, rec);
		f->aux = (uint8_t)read_arg(d->plan, &row->aux, rec);
	}
	if (row->decode && !refine(d->plan, row, rec, f))
		return;
	window->n++;
	if (f->kind == FACT_THREAD_END)
		window->ends++;
	else if (f->kind == FACT_THREAD_BORN)
		window_born(window, f->subject);
}

/* The predicted path. */

static struct predicted_arg predict_arg(const struct decode_arg *arg, uint32_t record_size)
{
	struct predicted_arg to = { .add = arg->value };
	uint32_t within;

	if (arg->read == DECODE_CONST)
		return to;
	to.offset = min((uint32_t)arg->offset, record_size - 8);
	within = arg->offset - to.offset;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	to.shift = 8 * within;
#else
	to.shift = 8 * (8 - arg->size - within);
#endif
	to.mask = arg->size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * arg->size) - 1;
	to.sign = arg->is_signed ? UINT64_C(1) << (8 * arg->size - 1) : 0;
	to.add = -to.sign;
	return to;
}

static bool is_word(const struct decode_arg *arg)
{
	return arg->read == DECODE_NUMBER && arg->size == 4 && !arg->is_signed;
}

static bool is_zero(const struct decode_arg *arg)
{
	return arg->read == DECODE_CONST && !arg->value;
}

/* Whether emit() may load its fields as words: an exit has three of them, an entry one. */
static bool has_words(const struct decode_row *row)
{
	if (row->kind == FACT_EXIT)
		return is_word(&row->a) && is_word(&row->b) && is_word(&row->aux);
	return is_zero(&row->a) && is_word(&row->b) && is_zero(&row->aux);
}

static bool can_predict(const struct decoder *d, const struct decode_row *row,
			const struct page_record *rec)
{
	return (row->kind == FACT_EXIT || row->kind == FACT_ENTRY) && !row->decode &&
	       (row->subject == SUBJECT_THREAD || row->subject == SUBJECT_RECORDER) &&
	       row->a.read <= DECODE_NUMBER && row->b.read <= DECODE_NUMBER &&
	       row->aux.read <= DECODE_NUMBER && !d->plan->swap && !d->layout->swap &&
	       d->plan->pid_offset == 4 && d->plan->flags_offset == 2 && rec->size >= 8 &&
	       rec->size <= PAGE_TYPE_DATA_MAX * 4;
}

/* What came now is expected to come again, with the same length. */
static void predict(struct decoder *d, const struct decode_row *row, const struct page_record *rec)
{
	struct predicted *to = &d->predicted[row->kind == FACT_EXIT ? PREDICT_EXIT : PREDICT_ENTRY];

	to->key = (uint64_t)(rec->size / 4) << HEAD_TYPE | (uint64_t)load16(rec->data) << HEAD_ID;
	to->step = 4 + rec->size;
	to->a = predict_arg(&row->a, rec->size);
	to->b = predict_arg(&row->b, rec->size);
	to->aux = predict_arg(&row->aux, rec->size);
	to->words = has_words(row);
	if (to->words) {
		to->a.offset = row->a.offset;
		to->b.offset = row->b.offset;
		to->aux.offset = row->aux.offset;
	}
}

static bool is_plain(const struct decoder *d, const struct decode_row *row)
{
	return row->kind == FACT_RECORD && !row->decode && row->subject == SUBJECT_RECORDER &&
	       !d->plan->swap && !d->layout->swap && d->plan->pid_offset == 4 &&
	       d->plan->flags_offset == 2;
}

/* What the only row of an event makes of its record. */
static void learn(struct decoder *d, const struct decode_row *row, const struct page_record *rec)
{
	uint16_t id = load16(rec->data);

	if (can_predict(d, row, rec)) {
		predict(d, row, rec);
		d->predicts = true;
	} else if (is_plain(d, row)) {
		d->plain[id % PLAIN] = (struct plain){
			.slot = row->slot, .id = id, .min_size = max(row->min_size, (uint16_t)8),
		};
		d->has_plain = true;
	}
}

/* All facts of a record; false when it is shorter than its event's format. */
static bool decode_record(struct decoder *d, const struct page_record *rec)
{
	const struct decode_plan *plan = d->plan;
	uint32_t id, next;

	if (rec->size < 2)
		return true;
	id = load16(rec->data);
	if (plan->swap)
		id = __builtin_bswap16((uint16_t)id);
	if (id >= plan->n_ids || !plan->first[id])
		return true;
	for (next = plan->first[id]; next; next = plan->rows[next - 1].next) {
		const struct decode_row *row = &plan->rows[next - 1];

		if (rec->size < row->min_size)
			return false;
		decode_row(d, row, rec);
		if (next == plan->first[id] && !row->next)
			learn(d, row, rec);
	}
	return true;
}

#define ALWAYS_INLINE inline __attribute__((always_inline))

static ALWAYS_INLINE uint64_t load_arg(const unsigned char *data, const struct predicted_arg *arg)
{
	return ((load64(data + arg->offset) >> arg->shift & arg->mask) ^ arg->sign) + arg->add;
}

/* The fact of a predicted record. What is constant here the compiler leaves out of the loop. */
static ALWAYS_INLINE void emit(struct fact *f, const unsigned char *data,
			       const struct predicted *as, uint64_t thread, bool words, bool exit)
{
	if (words) {
		f->a = exit ? load32(data + as->a.offset) : 0;
		f->b = load32(data + as->b.offset);
		thread |= exit ? (uint64_t)data[as->aux.offset + LOW_BYTE] << META_AUX : 0;
	} else {
		f->a = load_arg(data, &as->a);
		f->b = load_arg(data, &as->b);
		thread |= (uint64_t)(uint8_t)load_arg(data, &as->aux) << META_AUX;
	}
	fact_set_meta(f, thread | (uint64_t)(exit ? FACT_EXIT : FACT_ENTRY) << META_KIND);
}

/* n records were decoded, a fact each, the last one at this time; the next entry is at p. */
static ALWAYS_INLINE void took(struct decoder *d, struct page_walk *w, const unsigned char *p,
			       uint64_t time, size_t n, struct decode_result *result)
{
	if (!n)
		return;
	w->p = p;
	w->time = time;
	d->window->n += n;
	result->records += n;
	result->last = time;
}

static ALWAYS_INLINE void decode_loop(struct decoder *d, struct page_walk *w, uint64_t limit,
				      struct decode_result *result, bool words)
{
	const struct predicted leave = d->predicted[PREDICT_EXIT];
	const struct predicted enter = d->predicted[PREDICT_ENTRY];
	const uint32_t longest = max(max(leave.step, enter.step), (uint32_t)MIN_ENTRY + 4);
	struct fact *first = &d->window->facts[d->window->n], *f = first;
	const unsigned char *p = w->p, *safe;
	uint64_t time = w->time, thread = d->meta, head, then;
	int64_t tid = d->tid;

	if (w->end - p < (ptrdiff_t)longest)
		return;
	safe = w->end - longest;
	while (p <= safe) {
		head = load64(p);
		then = time + head_delta(head);
		if (head_key(head) != leave.key && head_key(head) != enter.key)
			break;
		if (unlikely(then >= limit))
			break;
		if (unlikely((int32_t)load32(p + 8) != tid)) {
			tid = (int32_t)load32(p + 8);
			thread = change_thread(d, (int32_t)tid);
		}
		f->time = then;
		if (head_key(head) == leave.key) {
			emit(f, p + 4, &leave, thread, words, true);
			p += leave.step;
		} else {
			emit(f, p + 4, &enter, thread, words, false);
			p += enter.step;
		}
		time = then;
		f++;
	}
	took(d, w, p, time, (size_t)(f - first), result);
}

/* As many records as are just as predicted. */
static void decode_predicted(struct decoder *d, struct page_walk *w, uint64_t limit,
			     struct decode_result *result)
{
	if (d->predicted[PREDICT_EXIT].words && d->predicted[PREDICT_ENTRY].words)
		decode_loop(d, w, limit, result, true);
	else
		decode_loop(d, w, limit, result, false);
}

/* As many records as are plain. */
static void decode_plain(struct decoder *d, struct page_walk *w, uint64_t limit,
			 struct decode_result *result)
{
	struct fact *first = &d->window->facts[d->window->n], *f = first;
	uint64_t time = w->time, thread = d->meta;
	const unsigned char *p = w->p;
	int64_t tid = d->tid;

	while (w->end - p >= MIN_ENTRY + 4) {
		uint64_t head = load64(p), then = time + head_delta(head);
		uint32_t words = head >> HEAD_TYPE & 0x1f, size = words * 4;
		uint16_t id = (uint16_t)(head >> HEAD_ID);
		const struct plain *as = &d->plain[id % PLAIN];

		if (words > PAGE_TYPE_DATA_MAX || size < as->min_size || id != as->id ||
		    head & (uint64_t)IN_CONTEXT << HEAD_FLAGS)
			break;
		if (unlikely(size + 4 > (size_t)(w->end - p) || then >= limit))
			break;
		if (unlikely((int32_t)load32(p + 8) != tid)) {
			tid = (int32_t)load32(p + 8);
			thread = change_thread(d, (int32_t)tid);
		}
		f->time = time = then;
		f->a = (uintptr_t)p + 4;
		f->b = (uint64_t)as->slot << 32 | size;
		fact_set_meta(f, thread | (uint64_t)FACT_RECORD << META_KIND);
		p += 4 + size;
		f++;
	}
	took(d, w, p, time, (size_t)(f - first), result);
}

enum decode_stop decode_page(struct decoder *d, struct page_walk *w, uint64_t limit,
			     struct decode_result *result)
{
	struct page_record rec;
	const unsigned char *p;
	uint64_t time;
	int got;

	result->records = 0;
	window_reserve(d->window, ((size_t)(w->end - w->p) / MIN_ENTRY + 1) * d->plan->chain);
	for (;;) {
		if (d->predicts)
			decode_predicted(d, w, limit, result);
		if (d->has_plain)
			decode_plain(d, w, limit, result);
		p = w->p;
		time = w->time;
		got = page_next_fast(w, d->layout, &rec);
		if (got <= 0)
			return got ? DECODE_DAMAGED : DECODE_PAGE;
		if (rec.time >= limit) {
			w->p = p;
			w->time = time;
			result->next = rec.time;
			return DECODE_LIMIT;
		}
		result->records++;
		result->last = rec.time;
		if (!decode_record(d, &rec))
			return DECODE_DAMAGED;
	}
}
