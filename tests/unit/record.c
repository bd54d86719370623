// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fields of records by name, in both byte orders, and whole records as text; records that are
 * shorter than their format, or lie about where their texts are.
 */
#include <string.h>

#include "base/util.h"
#include "tests/gen.h"
#include "tests/tap.h"
#include "trace/binding.h"
#include "trace/ksyms.h"
#include "trace/record.h"

#define FIELDS                                                                 \
	"\tfield:__data_loc char[] comm;\toffset:8;\tsize:4;\tsigned:0;\n"     \
	"\tfield:s16 half;\toffset:12;\tsize:2;\tsigned:1;\n"                  \
	"\tfield:u8 pair[2];\toffset:14;\tsize:2;\tsigned:0;\n"                \
	"\tfield:unsigned long addr;\toffset:16;\tsize:8;\tsigned:0;\n"        \
	"\tfield:char name[8];\toffset:24;\tsize:8;\tsigned:0;\n\n"

enum { SIZE = 36 };

#define STACK(offset, all)                                              \
	"name: kernel_stack\nID: 4\n" GEN_COMMON                            \
	"\tfield:int size;\toffset:8;\tsize:4;\tsigned:1;\n"           \
	"\tfield:unsigned long caller[8];\toffset:" offset ";\tsize:" all \
	";\tsigned:0;\n\nprint fmt: \"%ps\", (void *)REC->caller[0]\n"

static char *read_stack_format(void *ctx, const char *system, const char *name)
{
	bool is_long = *(const bool *)ctx;

	(void)system;
	(void)name;
	return xstrdup(is_long ? STACK("16", "64") : STACK("12", "32"));
}

static char *read_format(void *ctx, const char *system, const char *name)
{
	(void)ctx;
	(void)system;
	if (!strcmp(name, "good"))
		return xstrdup("name: good\nID: 700\n" GEN_COMMON FIELDS
			       "print fmt: \"%s at %lx, %s\", __get_str(comm), "
			       "REC->addr, REC->name\n");
	if (!strcmp(name, "beyond"))
		return xstrdup("name: beyond\nID: 701\n" GEN_COMMON FIELDS
			       "print fmt: \"%s\", some_function(REC->half)(\n");
	return NULL;
}

static void fill(const struct gen *g, unsigned char *data)
{
	memset(data, 0, SIZE);
	gen_put(g, data, 700, 2);
	gen_put(g, data + 4, 4321, 4);
	gen_put(g, data + 8, 4 << 16 | 32, 4);
	gen_put(g, data + 12, (uint16_t)-7, 2);
	gen_put(g, data + 16, 0xffff888012345678, 8);
	memcpy(data + 24, "eight ch", 8);
	memcpy(data + 32, "abc", 4);
}

static const struct record_field *field(struct records *r, const char *name)
{
	struct error err = { 0 };
	const struct record_field *f = records_field(r, 0, name, &err);

	if (!f)
		diag("%s", err.text);
	return f;
}

/* Arrays of one to eight bytes, of the machine's words, and behind the record in both ways. */
static char *read_arrays(void *ctx, const char *system, const char *name)
{
	bool is_long = *(const bool *)ctx;

	(void)system;
	(void)name;
	return xasprintf("name: arrays\nID: 702\n" GEN_COMMON
			 "\tfield:u8 bytes[3];\toffset:8;\tsize:3;\tsigned:0;\n"
			 "\tfield:s16 halves[2];\toffset:12;\tsize:4;\tsigned:1;\n"
			 "\tfield:unsigned long args[3];\toffset:16;\tsize:%d;\tsigned:0;\n"
			 "\tfield:__data_loc long[] words;\toffset:40;\tsize:4;\tsigned:1;\n"
			 "\tfield:__rel_loc u64[] wide;\toffset:44;\tsize:4;\tsigned:0;\n"
			 "\tfield:struct pair pairs[2];\toffset:48;\tsize:24;\tsigned:0;\n"
			 "\tfield:__data_loc cpumask_t mask;\toffset:72;\tsize:4;\tsigned:0;\n"
			 "\nprint fmt: \"%%d\", REC->bytes[0]\n", is_long ? 24 : 12);
}

enum { ARRAYS = 128 };

static void fill_arrays(const struct gen *g, unsigned char *data, unsigned int word)
{
	memset(data, 0, ARRAYS);
	gen_put(g, data, 702, 2);
	memcpy(data + 8, "\x01\x80\xff", 3);
	gen_put(g, data + 12, 300, 2);
	gen_put(g, data + 14, (uint16_t)-300, 2);
	for (unsigned int i = 0; i < 3; i++)
		gen_put(g, data + 16 + i * word, 0xfffffff0 + i, word);
	gen_put(g, data + 40, 2 * word << 16 | 76, 4);
	gen_put(g, data + 76, (uint64_t)-5, word);
	gen_put(g, data + 76 + word, 6, word);
	gen_put(g, data + 44, 12u << 16 | (96 - 48), 4);
	gen_put(g, data + 96, 0x1122334455667788, 8);
	gen_put(g, data + 72, 8u << 16 | 112, 4);
}

static void is_element(struct records *r, const char *name, const unsigned char *data, size_t size,
		       int64_t want)
{
	struct error err = { 0 };
	const struct record_field *f = records_field(r, 0, name, &err);
	uint64_t number = 0;

	if (!ok(f && records_number(r, f, data, size, &number) && (int64_t)number == want,
		"%s is %lld", name, (long long)want))
		diag("got %lld; %s", (long long)number, err.text);
}

static void no_element(struct records *r, const char *name, const char *why)
{
	struct error err = { 0 };
	bool found = records_field(r, 0, name, &err);

	if (!ok(!found && strstr(err.text, why), "%s is refused: %s", name, why))
		diag("got: %s", found ? "a field" : err.text);
}

/* As the kernel writes formats of probes: arrays without their length. */
static char *read_probe(void *ctx, const char *system, const char *name)
{
	(void)ctx;
	(void)system;
	(void)name;
	return xstrdup("name: probe\nID: 703\n" GEN_COMMON
		       "\tfield:u32 a[];\toffset:8;\tsize:12;\tsigned:0;\n"
		       "\tfield:s16 b[];\toffset:20;\tsize:4;\tsigned:1;\n"
		       "\nprint fmt: \"a={%u,%u,%u} b={%d,%d}\", REC->a[0], REC->a[1], REC->a[2], "
		       "REC->b[0], REC->b[1]\n");
}

static void probe_arrays(bool swap)
{
	struct gen *g = gen_new(1, 4096, 8, swap);
	struct binding *b = binding_new(&(struct format_source){
		.format = read_probe, .long_size = 8, .big_endian = gen_big(g),
	});
	struct records *r = records_new(b);
	unsigned char data[32] = { 0 };
	char text[100];

	binding_add_record(b, "t", "probe", NULL);
	gen_put(g, data, 703, 2);
	for (unsigned int i = 0; i < 3; i++)
		gen_put(g, data + 8 + 4 * i, 0xfffffffd + i, 4);
	gen_put(g, data + 20, 300, 2);
	gen_put(g, data + 22, (uint16_t)-300, 2);
	is_element(r, "a[2]", data, 24, 0xffffffff);
	is_element(r, "b[1]", data, 24, -300);
	no_element(r, "a[3]", "a has 3 elements");
	records_print(r, 0, data, 24, 0, text, sizeof(text));
	is_str(text, "a={4294967293,4294967294,4294967295} b={300,-300}",
	       "an array without a length is printed whole");
	records_free(r);
	binding_free(b);
	gen_free(g);
}

static void arrays(unsigned int word, bool swap)
{
	bool is_long = word == 8;
	struct gen *g = gen_new(1, 4096, word, swap);
	struct binding *b = binding_new(&(struct format_source){
		.format = read_arrays, .ctx = &is_long, .long_size = word,
		.big_endian = gen_big(g),
	});
	struct records *r = records_new(b);
	unsigned char data[ARRAYS];
	const struct record_field *f;
	uint64_t number;

	fill_arrays(g, data, word);
	binding_add_record(b, "t", "arrays", NULL);
	is_element(r, "bytes[0]", data, ARRAYS, 1);
	is_element(r, "bytes[2]", data, ARRAYS, 255);
	is_element(r, "halves[0]", data, ARRAYS, 300);
	is_element(r, "halves[1]", data, ARRAYS, -300);
	is_element(r, "args[0]", data, ARRAYS, 0xfffffff0);
	is_element(r, "args[2]", data, ARRAYS, 0xfffffff2);
	is_element(r, "words[0]", data, ARRAYS, -5);
	is_element(r, "words[1]", data, ARRAYS, 6);
	is_element(r, "wide[0]", data, ARRAYS, 0x1122334455667788);
	f = field(r, "args[1]");
	ok(f && f->kind == RECORD_NUMBER && f->is_hex && !f->is_signed && f->size == word,
	   "an element is a number of its array's type");
	ok(f == field(r, "args[1]"), "the same each time that it is asked for");
	ok(!records_number(r, f, data, 16 + 2 * word - 1, &number), "a record that is too short");
	f = field(r, "words[2]");
	ok(f && !records_number(r, f, data, ARRAYS, &number),
	   "an array behind the record is as long as the record says");
	ok(!records_number(r, field(r, "wide[1]"), data, ARRAYS, &number),
	   "half an element is none");
	gen_put(g, data + 40, 2 * word << 16 | (ARRAYS - word), 4);
	ok(!records_number(r, field(r, "words[0]"), data, ARRAYS, &number),
	   "nor what ends behind the record");
	ok(field(r, "mask")->kind == RECORD_BYTES, "a reference to something else is no number");
	no_element(r, "bytes[3]", "bytes has 3 elements, bytes[0] to bytes[2]");
	no_element(r, "bytes[]", "bytes[]: an element is NAME[NUMBER]");
	no_element(r, "bytes[1", "an element is NAME[NUMBER]");
	no_element(r, "bytes[1]x", "an element is NAME[NUMBER]");
	no_element(r, "bytes[-1]", "an element is NAME[NUMBER]");
	no_element(r, "bytes[99999999999999999999]", "bytes has 3 elements");
	no_element(r, "words[70000]", "words has fewer elements");
	no_element(r, "nothing[0]", "has no field nothing; it has: bytes");
	no_element(r, "common_pid[0]", "common_pid is no array");
	no_element(r, "pairs[0]", "is neither");
	records_free(r);
	binding_free(b);
	gen_free(g);
}

static void values(bool swap)
{
	struct gen *g = gen_new(1, 4096, 8, swap);
	struct binding *b = binding_new(&(struct format_source){
		.format = read_format, .long_size = 8, .big_endian = gen_big(g),
	});
	struct records *r = records_new(b);
	const struct record_field *all;
	unsigned char data[SIZE];
	struct error err = { 0 };
	uint64_t number = 0;
	char text[100];
	size_t n;

	fill(g, data);
	binding_add_record(b, "t", "good", NULL);
	binding_add_record(b, "t", "beyond", NULL);
	all = records_fields(r, 0, &n);
	ok(n == 9 && !strcmp(all[0].name, "comm") && all[0].kind == RECORD_TEXT &&
	   all[1].kind == RECORD_NUMBER && all[1].is_signed && all[2].kind == RECORD_BYTES &&
	   all[3].is_hex && !all[4].common && all[8].common, "fields are what the format says");
	is_str(all[3].type, "unsigned long", "with their types");
	ok(records_number(r, field(r, "half"), data, SIZE, &number) && number == (uint64_t)-7,
	   "a signed number");
	ok(records_number(r, field(r, "addr"), data, SIZE, &number) &&
	   number == 0xffff888012345678, "an unsigned one");
	ok(records_number(r, field(r, "common_pid"), data, SIZE, &number) && number == 4321,
	   "a common one");
	ok(records_text(r, field(r, "comm"), data, SIZE, text, sizeof(text)) &&
	   !strcmp(text, "abc"), "a text behind the fields");
	ok(records_text(r, field(r, "name"), data, SIZE, text, sizeof(text)) &&
	   !strcmp(text, "eight ch"), "a text that fills its field");
	ok(records_text(r, field(r, "name"), data, SIZE, text, 4) && !strcmp(text, "eig"),
	   "cut to the room there is");
	ok(!records_number(r, field(r, "comm"), data, SIZE, &number) &&
	   !records_text(r, field(r, "half"), data, SIZE, text, sizeof(text)) &&
	   !records_number(r, field(r, "pair"), data, SIZE, &number),
	   "no kind is taken for another");
	ok(!records_number(r, field(r, "addr"), data, 23, &number), "a record that is too short");
	ok(!records_field(r, 0, "nme", &err), "a field that there isn't");
	is_str(err.text, "t:good has no field nme; it has: comm, half, pair, addr, name",
	       "is answered by those that there are");
	records_print(r, 0, data, SIZE, 0, text, sizeof(text));
	is_str(text, "abc at ffff888012345678, eight ch", "the print fmt");
	records_print(r, 1, data, SIZE, 0, text, sizeof(text));
	is_str(text, "comm=abc half=-7 pair=ARRAY[00, 00] addr=0xffff888012345678 name=eight ch",
	       "one that is beyond libtraceevent: the fields");
	records_print(r, 0, data, 24, 0, text, sizeof(text));
	is_str(text, "half=-7 pair=ARRAY[00, 00] addr=0xffff888012345678",
	       "what a short record has");
	gen_put(g, data + 8, 4u << 16 | 33, 4);
	ok(!records_text(r, field(r, "comm"), data, SIZE, text, sizeof(text)),
	   "a text that ends behind its record is none");
	records_print(r, 0, data, SIZE, 0, text, sizeof(text));
	is_str(text, "half=-7 pair=ARRAY[00, 00] addr=0xffff888012345678 name=eight ch",
	       "and isn't printed");
	gen_put(g, data + 8, 3u << 16 | 32, 4);
	records_print(r, 0, data, SIZE, 0, text, sizeof(text));
	is_str(text, "comm=abc half=-7 pair=ARRAY[00, 00] addr=0xffff888012345678 name=eight ch",
	       "a text without an end is not left to libtraceevent");
	records_print(r, 0, data, SIZE, 0, text, 12);
	is_str(text, "comm=abc ha", "cut to the room there is");
	records_free(r);
	records_free(NULL);
	binding_free(b);
	gen_free(g);
}

/* A stack record of ten addresses, with words of `word` bytes. */
static void stacks(unsigned int word, bool swap)
{
	bool is_long = word == 8;
	struct gen *g = gen_new(1, 4096, word, swap);
	struct binding *b = binding_new(&(struct format_source){
		.format = read_stack_format, .ctx = &is_long, .long_size = word,
		.big_endian = gen_big(g),
	});
	struct records *r = records_new(b);
	unsigned int first = is_long ? 16 : 12;
	unsigned char data[128] = { 0 };
	size_t size = first + 10 * word;
	uint64_t found[12] = { 0 };

	binding_add_record(b, "ftrace", "kernel_stack", NULL);
	gen_put(g, data, 4, 2);
	gen_put(g, data + 8, 10, 4);
	for (unsigned int i = 0; i < 10; i++)
		gen_put(g, data + first + i * word, 0xc1000000 + i, word);
	is_int((int64_t)records_stack(r, 0, data, size, found, 12), 10,
	       "a stack has more functions than its format says");
	ok(found[0] == 0xc1000000 && found[9] == 0xc1000009 && !found[10], "each of them");
	is_int((int64_t)records_stack(r, 0, data, size, found, 2), 10, "also those without room");
	is_int((int64_t)records_stack(r, 0, data, size - 1, found, 12), 9, "a record that is cut");
	is_int((int64_t)records_stack(r, 0, data, first, found, 12), 0, "or has none");
	gen_put(g, data + 8, UINT32_MAX, 4);
	is_int((int64_t)records_stack(r, 0, data, size, found, 12), 10, "a false number of them");
	gen_put(g, data + first + 4 * word, UINT64_MAX, word);
	is_int((int64_t)records_stack(r, 0, data, size, found, 12), 4, "the mark of an end");
	is_int(records_level(r, data, size), 0, "made by a thread");
	data[2] = 0x10;
	is_int(records_level(r, data, size), 1, "in a softirq");
	data[2] = 0x18;
	is_int(records_level(r, data, size), 2, "in an interrupt within it");
	data[2] = 0x58;
	is_int(records_level(r, data, size), 3, "in an NMI within that");
	records_free(r);
	binding_free(b);
	gen_free(g);
}

static char *read_names(void *ctx, const char *system, const char *name)
{
	(void)ctx;
	(void)system;
	(void)name;
	return xstrdup("name: names\nID: 705\n" GEN_COMMON
		       "\tfield:void * function;\toffset:8;\tsize:8;\tsigned:0;\n"
		       "\tfield:const char * text;\toffset:16;\tsize:8;\tsigned:0;\n"
		       "\nprint fmt: \"%ps %pS %s\", REC->function, REC->function, REC->text\n");
}

/* Of the other byte order libtraceevent takes a text's address for another one. */
static void is_named(bool swap, const char *text, const char *functions, const char *string,
		     const char *what)
{
	size_t len = strlen(functions);

	ok(!strncmp(text, functions, len) && (swap || !strcmp(text + len, string)), "%s", what);
	diag("%s", text);
}

static void names(bool swap)
{
	static const char list[] = "ffffffff81000000 T first\nffffffff81000100 t second\t[mod]\n"
				   "ffffffff81000200 T third\n";
	static const char texts[] = "0xffffffff82000000 : \"Start\"\n0xffffffff82000010 : \"\"\n"
				    "nonsense\n0x : \"x\"\n"
				    "0xffffffff82000020 : \"in \\\"it\\\"\"\n";
	struct gen *g = gen_new(1, 4096, 8, swap);
	struct binding *b = binding_new(&(struct format_source){
		.format = read_names, .long_size = 8, .big_endian = gen_big(g),
	});
	struct records *r = records_new(b);
	struct ksyms *k = ksyms_new(list, strlen(list));
	unsigned char data[32] = { 0 };
	char text[100];

	binding_add_record(b, "t", "names", NULL);
	ok(records_names_functions(r, 0), "a print fmt with functions in it");
	gen_put(g, data, 705, 2);
	gen_put(g, data + 8, 0xffffffff81000110, 8);
	gen_put(g, data + 16, 0xffffffff82000000, 8);
	records_functions(r, k);
	records_texts(r, texts, strlen(texts));
	records_print(r, 0, data, 24, 0, text, sizeof(text));
	is_named(swap, text, "second second+0x10 ", "Start",
		 "functions and texts of the kernel have names");
	gen_put(g, data + 8, 0xffffffff81000000, 8);
	gen_put(g, data + 16, 0xffffffff82000020, 8);
	records_print(r, 0, data, 24, 0, text, sizeof(text));
	is_named(swap, text, "first first+0x0 ", "in \"it\"",
		 "a function's begin, quotes in a text");
	gen_put(g, data + 8, 0x1000, 8);
	gen_put(g, data + 16, 0x2000, 8);
	records_print(r, 0, data, 24, 0, text, sizeof(text));
	is_named(swap, text, "0x1000 0x1000 ", "2000", "what has none is a number");
	records_free(r);
	binding_free(b);
	ksyms_free(k);
	gen_free(g);
}

static char *read_flags(void *ctx, const char *system, const char *name)
{
	(void)ctx;
	(void)system;
	(void)name;
	return xstrdup("name: flags\nID: 706\n" GEN_COMMON
		       "\tfield:u32 state;\toffset:8;\tsize:4;\tsigned:0;\n"
		       "\nprint fmt: \"state=%s %s\", __print_flags(REC->state, \"|\", "
		       "{ I_DIRTY, \"I_DIRTY\" }, { I_NEW, \"I_NEW\" }, { 0x4, \"FOUR\" }), "
		       "REC->state & 1 ? __print_flags(REC->state, \"|\", { SOME, \"SOME\" }) : "
		       "__print_symbolic(REC->state, { OTHER, \"OTHER\" }, { 4, \"four\" })\n");
}

/* Names of the kernel's own constants, whose values no format tells. */
static void flags(void)
{
	struct gen *g = gen_new(1, 4096, 8, false);
	struct binding *b = binding_new(&(struct format_source){
		.format = read_flags, .long_size = 8, .big_endian = gen_big(g),
	});
	struct records *r = records_new(b);
	unsigned char data[16] = { 0 };
	char text[100];

	binding_add_record(b, "t", "flags", NULL);
	gen_put(g, data, 706, 2);
	records_print(r, 0, data, 12, 0, text, sizeof(text));
	is_str(text, "state= 0x0", "no flag is set: none is printed");
	gen_put(g, data + 8, 4, 4);
	records_print(r, 0, data, 12, 0, text, sizeof(text));
	is_str(text, "state=FOUR four", "one whose value is told has its name");
	gen_put(g, data + 8, 0xffffffff, 4);
	records_print(r, 0, data, 12, 0, text, sizeof(text));
	is_str(text, "state=FOUR|0xfffffffb 0xffffffff", "the others are a number");
	records_free(r);
	binding_free(b);
	gen_free(g);
}

int main(void)
{
	flags();
	names(false);
	names(true);
	stacks(8, false);
	stacks(8, true);
	stacks(4, false);
	values(false);
	values(true);
	arrays(8, false);
	arrays(8, true);
	arrays(4, false);
	arrays(4, true);
	probe_arrays(false);
	probe_arrays(true);
	return tap_done();
}
