// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the binding makes of formats: fields of every size and sign in both byte orders, texts,
 * alternatives and defaults, several rows of one event, and formats that can't be used. Facts come
 * through the stream, from records whose bytes are written here.
 */
#include <string.h>

#include "base/util.h"
#include "fact.h"
#include "hv/hypervisor.h"
#include "tests/gen.h"
#include "tests/tap.h"
#include "trace/binding.h"
#include "trace/stream.h"
#include "trace/subjects.h"

#define FIELDS                                                        \
	"\tfield:u8 u8;\toffset:8;\tsize:1;\tsigned:0;\n"             \
	"\tfield:s8 s8;\toffset:9;\tsize:1;\tsigned:1;\n"             \
	"\tfield:u16 u16;\toffset:10;\tsize:2;\tsigned:0;\n"          \
	"\tfield:s16 s16;\toffset:12;\tsize:2;\tsigned:1;\n"          \
	"\tfield:u32 u32;\toffset:16;\tsize:4;\tsigned:0;\n"          \
	"\tfield:s32 s32;\toffset:20;\tsize:4;\tsigned:1;\n"          \
	"\tfield:u64 u64;\toffset:24;\tsize:8;\tsigned:0;\n"          \
	"\tfield:s64 s64;\toffset:32;\tsize:8;\tsigned:1;\n"          \
	"\tfield:char name[8];\toffset:40;\tsize:8;\tsigned:0;\n"     \
	"\tfield:__data_loc char[] text;\toffset:48;\tsize:4;\tsigned:0;\n" \
	"\tfield:u32 pair[2];\toffset:52;\tsize:8;\tsigned:0;\n"      \
	"\tfield:pid_t pid;\toffset:60;\tsize:4;\tsigned:1;\n\n"      \
	"print fmt: \"%d\", REC->u8\n"

static const struct format {
	const char *system, *name, *text;
} formats[] = {
	{ "t", "all", "name: all\nID: 700\n" GEN_COMMON FIELDS },
	{ "t", "garbage", "nothing of a format" },
	{ "t", "big_id", "name: big_id\nID: 70000\n" GEN_COMMON FIELDS },
	{ "t", "strange", "name: strange\nID: 701\nformat:\n"
	  "\tfield:unsigned int common_type;\toffset:0;\tsize:4;\tsigned:0;\n"
	  "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
	  "\tfield:u8 u8;\toffset:8;\tsize:1;\tsigned:0;\n\nprint fmt: \"\"\n" },
	{ "t", "wide", "name: wide\nID: 702\n" GEN_COMMON
	  "\tfield:u8 far;\toffset:70000;\tsize:1;\tsigned:0;\n"
	  "\tfield:u8 farthest;\toffset:2147483647;\tsize:1;\tsigned:0;\n"
	  "\tfield:u8 odd;\toffset:8;\tsize:3;\tsigned:0;\n\nprint fmt: \"\"\n" },
	{ "probe", "upcall", "name: upcall\nID: 703\n" GEN_COMMON "print fmt: \"\"\n" },
};

static char *read_format(void *ctx, const char *system, const char *name)
{
	(void)ctx;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(system ? system : "probe", formats[i].system) &&
		    !strcmp(name, formats[i].name))
			return xstrdup(formats[i].text);
	return NULL;
}

static struct binding *new_binding(bool big)
{
	return binding_new(&(struct format_source){
		.format = read_format, .long_size = 8, .big_endian = big,
	});
}

/* The facts of one record. */
enum { MAX_FACTS = 16 };

struct facts {
	struct fact facts[MAX_FACTS];
	size_t n;
	struct subjects *subjects;
	unsigned char copy[128]; /* of a FACT_RECORD's record */
};

static void feed(void *ctx, const struct fact *facts, size_t n)
{
	struct facts *to = ctx;

	for (size_t i = 0; i < n && to->n < MAX_FACTS; i++) {
		to->facts[to->n++] = facts[i];
		if (facts[i].kind == FACT_RECORD)
			memcpy(to->copy, (const void *)(uintptr_t)facts[i].a,
			       min((size_t)(uint32_t)facts[i].b, sizeof(to->copy)));
	}
}

static void run(struct binding *b, struct gen *g, struct facts *to)
{
	struct subjects *subjects = subjects_new(g->n_cpus);
	struct stream *s = stream_new(gen_source(g), b, subjects);

	gen_finish(g);
	to->n = 0;
	stream_add(s, &(struct consumer){ .order = ORDER_CPU, .feed = feed, .ctx = to });
	stream_advance(s, UINT64_MAX, NULL);
	stream_free(s);
	for (size_t i = 0; i < to->n; i++) {
		int32_t tid = -1;
		uint32_t cpu = 0;

		/* subjects go with their struct: keep who they were */
		to->facts[i].subject = subjects_what(subjects, to->facts[i].subject, &tid, &cpu) ?
			(uint32_t)tid : 1000000 + cpu;
	}
	subjects_free(subjects);
}

static void write_all(struct gen *g, uint8_t flags, unsigned int size)
{
	unsigned char data[80] = { 0 };

	gen_put(g, data, 700, 2);
	data[2] = flags;
	gen_put(g, data + 4, 4321, 4);
	data[8] = 0xfe;
	data[9] = 0xfe;
	gen_put(g, data + 10, 0xfedc, 2);
	gen_put(g, data + 12, 0xfedc, 2);
	gen_put(g, data + 16, 0xfedcba98, 4);
	gen_put(g, data + 20, 0xfedcba98, 4);
	gen_put(g, data + 24, 0xfedcba9876543210, 8);
	gen_put(g, data + 32, 0xfedcba9876543210, 8);
	memcpy(data + 40, "exactly8", 8);
	gen_put(g, data + 48, 6 << 16 | 64, 4);
	gen_put(g, data + 60, 99, 4);
	memcpy(data + 64, "hello", 6);
	gen_record(g, 0, 1000, data, size);
}

static const struct {
	const char *name;
	uint64_t value;
} numbers[] = {
	{ "u8", 0xfe }, { "s8", (uint64_t)-2 }, { "u16", 0xfedc },
	{ "s16", (uint64_t)(int16_t)0xfedc }, { "u32", 0xfedcba98 },
	{ "s32", (uint64_t)(int32_t)0xfedcba98 }, { "u64", 0xfedcba9876543210 },
	{ "s64", 0xfedcba9876543210 }, { "common_pid", 4321 },
};

/* Fields of all sizes; `kind` decides which path decodes them: the second record is predicted. */
static void sizes(enum fact_kind kind, bool swap)
{
	bool good = true;

	for (size_t i = 0; i < ARRAY_SIZE(numbers) - 1; i++) {
		struct gen *g = gen_new(1, 4096, 8, swap);
		struct binding *b = new_binding(gen_big(g));
		const struct hv_event row = {
			.system = "t", .name = "all", .kind = kind, .subject = SUBJECT_THREAD,
			.a = HV_FIELD(numbers[i].name), .b = HV_FIELD(numbers[i + 1].name),
			.aux_arg = HV_FIELD("u16"),
		};
		struct facts f;
		struct error err;

		good = good && binding_add(b, NULL, &row, &err) == 0;
		for (int j = 0; j < 4; j++)
			write_all(g, 0, 72);
		run(b, g, &f);
		good = good && f.n == 4;
		for (size_t j = 0; good && j < f.n; j++)
			good = f.facts[j].a == numbers[i].value &&
			       f.facts[j].b == numbers[i + 1].value && f.facts[j].aux == 0xdc &&
			       f.facts[j].subject == 4321 && f.facts[j].time == 1000 &&
			       f.facts[j].kind == kind && f.facts[j].cpu == 0;
		if (!good)
			diag("%s: a %llx b %llx", numbers[i].name, (unsigned long long)f.facts[0].a,
			     (unsigned long long)f.facts[0].b);
		binding_free(b);
		gen_free(g);
	}
	ok(good, "numbers of all sizes and signs, kind %d, %s", kind, swap ? "swapped" : "native");
}

/* Unsigned words alone, which have a loop of their own. */
static void words(void)
{
	static const struct hv_event exit_row = {
		.system = "t", .name = "all", .kind = FACT_EXIT, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("u32"), .b = HV_FIELD("u32"), .aux_arg = HV_FIELD("u32"),
	};
	struct gen *g = gen_new(1, 4096, 8, false);
	struct binding *b = new_binding(gen_big(g));
	struct facts f;
	bool good;

	binding_add(b, NULL, &exit_row, NULL);
	for (int j = 0; j < 4; j++)
		write_all(g, 0, 72);
	write_all(g, 0x10, 72); /* in a softirq: the thread all the same */
	write_all(g, 0, 76);	/* longer than before */
	write_all(g, 0, 72);
	run(b, g, &f);
	good = f.n == 7;
	for (size_t i = 0; i < f.n; i++)
		good = good && f.facts[i].a == 0xfedcba98 && f.facts[i].b == 0xfedcba98 &&
		       f.facts[i].aux == 0x98 && f.facts[i].subject == 4321;
	ok(good, "words, as predicted and not");
	binding_free(b);
	gen_free(g);
}

static bool change(const struct hv_record *r, struct fact *f)
{
	if (r->extra[0] != 0xfe || r->present != 5 || r->extra[1] != 77 || r->extra[2] != 0xfedc)
		return false;
	f->kind = FACT_MMIO;
	f->b = r->extra[2];
	return true;
}

static bool drop(const struct hv_record *r, struct fact *f)
{
	(void)r;
	(void)f;
	return false;
}

/* Everything that a row can say, in one binding: one record, many facts. */
static void rows(bool swap)
{
	static const struct hv_event rows[] = {
		{ .system = "t", .name = "all", .kind = FACT_EXIT, .aux = 7,
		  .subject = SUBJECT_RECORDER, .a = HV_FIELD("gone", "older", "u8"),
		  .b = HV_FIELD_OR(FACT_NO_VCPU, "vcpu_id") },
		{ .system = "t", .name = "all", .kind = FACT_WAKE, .subject = SUBJECT_FIELD,
		  .who = HV_FIELD("pid"), .a = HV_VALUE(42), .aux_arg = HV_FIELD_OR(9, "isa") },
		{ .system = "t", .name = "all", .kind = FACT_IRQ, .subject = SUBJECT_CPU,
		  .a = HV_TEXT("name"), .b = HV_TEXT("text") },
		{ .system = "t", .name = "all", .kind = FACT_MSR, .subject = SUBJECT_THREAD,
		  .decode = change,
		  .extra = { HV_FIELD("u8"), HV_FIELD_OR(77, "none"), HV_FIELD("u16") } },
		{ .system = "t", .name = "all", .kind = FACT_MSR, .decode = drop },
		{ .system = "t", .name = "all", .kind = FACT_THREAD_NAME, .subject = SUBJECT_CPU,
		  .a = HV_TEXT_BYTES(0, "text"), .b = HV_TEXT_BYTES(3, "name") },
	};
	struct gen *g = gen_new(1, 4096, 8, swap);
	struct binding *b = new_binding(gen_big(g));
	char name[FACT_NAME_SIZE];
	struct error err = { 0 };
	struct facts f;
	bool good = true;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		good = good && binding_add(b, NULL, &rows[i], &err) == (int)i;
	ok(good, "rows bind");
	is_int(binding_add(b, NULL, &rows[2], &err), 2, "the same row again is the same slot");
	is_int(binding_add_record(b, "t", "all", &err), 6, "as a record too");
	is_int(binding_add_record(b, "t", "all", &err), 6, "once");
	ok(binding_slots(b) == 7 && binding_row(b, 1) == &rows[1] && !binding_row(b, 6) &&
	   binding_event_id(b, 6) == 700, "slots tell what they are");
	is_str(binding_event_name(b, 6), "t:all", "by name");
	write_all(g, 0x08, 72);
	run(b, g, &f);
	is_int(f.n, 6, "one fact of each, but for the dropped one");
	ok(f.facts[0].a == 0xfe && f.facts[0].b == FACT_NO_VCPU && f.facts[0].aux == 7 &&
	   f.facts[0].subject == 1000000,
	   "another name, a default, a constant; the CPU in an interrupt");
	ok(f.facts[1].subject == 99 && f.facts[1].a == 42 && f.facts[1].aux == 9,
	   "a thread that a field names, a value, a default");
	is_str(binding_string(b, f.facts[2].a), "exactly8", "a text that fills its field");
	is_str(binding_string(b, f.facts[2].b), "hello", "a text behind the fields");
	ok(f.facts[2].subject == 1000000, "the CPU");
	ok(f.facts[3].kind == FACT_MMIO && f.facts[3].b == 0xfedc && f.facts[3].subject == 4321,
	   "a decode function sees its fields and changes the fact");
	fact_name(&f.facts[4], name);
	ok(!memcmp(name, "hello\0\0\0ctly8\0\0\0", sizeof(name)),
	   "bytes of two texts, as they stand in memory");
	ok(f.facts[5].kind == FACT_RECORD && f.facts[5].b == (UINT64_C(6) << 32 | 72) &&
	   !memcmp(f.copy + 64, "hello", 6), "the record itself");
	is_str(binding_string(b, 0), "", "number 0 is no text");
	is_str(binding_string(b, 12345), "", "and so is an unknown one");
	binding_free(b);
	gen_free(g);
}

/* A text that points outside of its record. */
static void bad_text(void)
{
	static const struct hv_event row = {
		.system = "t", .name = "all", .kind = FACT_IRQ, .subject = SUBJECT_CPU,
		.a = HV_TEXT("text"),
	};
	struct gen *g = gen_new(1, 4096, 8, false);
	struct binding *b = new_binding(gen_big(g));
	struct facts f;

	binding_add(b, NULL, &row, NULL);
	write_all(g, 0, 68); /* the text's last bytes are cut */
	run(b, g, &f);
	ok(f.n == 1 && f.facts[0].a == 0, "a text that ends behind its record is none");
	binding_free(b);
	gen_free(g);
}

/* A record that is shorter than its format is no record of this event. */
static void short_record(void)
{
	static const struct hv_event row = {
		.system = "t", .name = "all", .kind = FACT_EXIT, .subject = SUBJECT_THREAD,
		.a = HV_FIELD("s64"),
	};
	struct gen *g = gen_new(1, 4096, 8, false);
	struct binding *b = new_binding(gen_big(g));
	struct facts f;

	binding_add(b, NULL, &row, NULL);
	write_all(g, 0, 40);
	write_all(g, 0, 36);
	run(b, g, &f);
	is_int(f.n, 1, "a record that lacks a field gives no fact");
	binding_free(b);
	gen_free(g);
}

static void refused(const struct hv_event *row, int status, const char *want)
{
	struct binding *b = new_binding(false);
	struct error err = { .status = 99 };

	ok(binding_add(b, NULL, row, &err) == -1 && err.status == status, "%s: refused with %d",
	   row->name, status);
	is_str(err.text, want, "in these words");
	binding_free(b);
}

static void refusals(void)
{
#define ROW(event, field) \
	&(struct hv_event){ .system = "t", .name = event, .kind = FACT_EXIT, .a = HV_FIELD(field) }
	refused(ROW("none", "u8"), 0, "this kernel has no event t:none");
	refused(ROW("all", "gone"), 1,
		"t:all has no field gone (this kernel's fields: u8, s8, u16, s16, u32, s32, u64, "
		"s64, name, text, pair, pid)");
	refused(ROW("all", "pair"), 1, "field pair of t:all is an array, not a number");
	refused(ROW("all", "name"), 1, "field name of t:all is an array, not a number");
	refused(ROW("garbage", "u8"), 1, "the format of t:garbage can't be parsed");
	refused(ROW("big_id", "u8"), 1,
		"event t:big_id has the id 70000, which no record can hold");
	refused(ROW("strange", "u8"), 1,
		"the common fields of t:strange aren't what they are in Linux");
	refused(ROW("wide", "far"), 1, "field far of t:wide lies outside of any record");
	refused(ROW("wide", "farthest"), 1, "field farthest of t:wide lies outside of any record");
	refused(ROW("wide", "odd"), 1, "field odd of t:wide has 3 bytes, no number has");
	refused(&(struct hv_event){ .system = "t", .name = "all", .a = HV_TEXT("u32") }, 1,
		"field u32 of t:all is no text");
#undef ROW
}

/* Events of probes have the name of their role. */
static void probes(void)
{
	static const struct hv_event row = { .name = "upcall", .kind = FACT_CALLBACK };
	static const struct hv_event none = { .name = "downcall", .kind = FACT_CALLBACK };
	struct binding *b = new_binding(false);
	struct error err = { .status = 99 };

	ok(binding_add(b, NULL, &row, &err) == 0, "a probe's event binds");
	is_str(binding_event_name(b, 0), "upcall", "by its role");
	ok(binding_add(b, NULL, &none, &err) == -1 && !err.status,
	   "one that isn't there is absent");
	binding_free(b);
}

/* Names of reasons: the print fmt's table, flags, a fixed table, a function. */
static bool name_of_five(uint64_t value, char *buf, size_t size)
{
	snprintf(buf, size, "five");
	return value == 5;
}

static void reasons(void)
{
	static const struct hv_symbol flags[] = { { 0x80000000, "FLAG" }, { 0, NULL } };
	static const struct hv_symbol fixed[] = {
		{ 200, "two hundred" }, { 12, "not this" }, { 0, NULL },
	};
	static const struct hv_names names[] = {
		{ .space = 1, .system = "kvm", .event = "kvm_exit", .symbol_field = "exit_reason",
		  .bytes = 4, .mask = 0xffff, .flags = flags, .fixed = fixed },
		{ .space = 2, .system = "kvm", .event = "kvm_exit", .symbol_field = "exit_reason",
		  .nth = 1, .bytes = 4, .name = name_of_five },
		{ .space = 3, .fixed = fixed },
	};
	static const struct hypervisor hv = { .names = names, .n_names = ARRAY_SIZE(names) };
	struct binding *b = binding_new(&(struct format_source){
		.format = gen_format, .long_size = 8,
	});
	const char *first = binding_reason_name(b, &hv, 1, 12);

	is_str(first, "HLT", "of the print fmt");
	ok(binding_reason_name(b, &hv, 1, 12) == first, "found once");
	is_str(binding_reason_name(b, &hv, 1, 0x8000000c), "HLT FLAG", "with a flag");
	is_str(binding_reason_name(b, &hv, 1, 0x4000000c), "HLT 0x40000000", "with an unknown one");
	is_str(binding_reason_name(b, &hv, 1, 0xffffffff8000000c), "HLT FLAG",
	       "a value is cut to its field");
	is_str(binding_reason_name(b, &hv, 1, 200), "two hundred", "of the fixed table");
	is_str(binding_reason_name(b, &hv, 1, 201), NULL, "none");
	is_str(binding_reason_name(b, &hv, 2, 0x72), "cpuid", "of the second table");
	is_str(binding_reason_name(b, &hv, 2, 5), "five", "by a function");
	is_str(binding_reason_name(b, &hv, 3, 200), "two hundred", "without an event");
	is_str(binding_reason_name(b, &hv, 4, 200), NULL, "no such space");
	binding_free(b);
}

int main(void)
{
	static const enum fact_kind kinds[] = { FACT_EXIT, FACT_ENTRY, FACT_MSR };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		sizes(kinds[i], false);
		sizes(kinds[i], true);
	}
	words();
	rows(false);
	rows(true);
	bad_text();
	short_record();
	refusals();
	probes();
	reasons();
	binding_free(NULL);
	return tap_done();
}
