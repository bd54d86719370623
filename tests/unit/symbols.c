// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Symbol tables out of print fmts: those of real kernels against libtraceevent where it can parse
 * them, against what the kernels' sources say where it can't, and texts that mean harm.
 */
#include <event-parse.h>
#include <string.h>

#include "base/path.h"
#include "base/util.h"
#include "tests/tap.h"
#include "trace/symbols.h"

static char *read_format(const char *place)
{
	char *dir = realpath(tap_source(), NULL);
	char *text = path_read_all(NULL, 1 << 20, NULL, "%s/tests/formats/%s/format", dir, place);

	free(dir);
	return text;
}

/* Whether a name belongs to the value in a table of a recorded format. */
static void named(const char *place, const char *field, unsigned int nth, unsigned int bytes,
		  uint64_t value, const char *want)
{
	char *text = read_format(place);
	struct symbols *s = text ? symbols_parse(text, field, nth, bytes) : NULL;
	const char *got = s ? symbols_name(s, value) : "(no table)";

	ok(got && want ? !strcmp(got, want) : got == want, "%s %s: 0x%llx is %s", place, field,
	   (unsigned long long)value, want ? want : "nothing");
	if (got && (!want || strcmp(got, want)))
		diag("got %s", got);
	symbols_free(s);
	free(text);
}

static void real_names(void)
{
	static const char *const x86[] = {
		"5.10/kvm/kvm_exit", "6.1/kvm/kvm_exit", "6.12/kvm/kvm_exit", "6.18/kvm/kvm_exit",
		"7.2/kvm/kvm_exit",
	};
	static const char *const arm[] = {
		"arm64-6.1/kvm/kvm_exit", "arm64-6.12/kvm/kvm_exit", "arm64-7.2/kvm/kvm_exit",
	};

	for (size_t i = 0; i < ARRAY_SIZE(x86); i++) {
		named(x86[i], "exit_reason", 0, 4, 12, "HLT");
		named(x86[i], "exit_reason", 0, 4, 48, "EPT_VIOLATION");
		named(x86[i], "exit_reason", 1, 4, 0x72, "cpuid");
		named(x86[i], "exit_reason", 1, 4, 0x400, "npf");
		named(x86[i], "exit_reason", 1, 4, 0x4e, "PF excp");
		named(x86[i], "exit_reason", 1, 4, UINT32_MAX, "invalid_guest_state");
		named(x86[i], "exit_reason", 1, 4, UINT64_MAX, "invalid_guest_state");
		named(x86[i], "exit_reason", 1, 4, 0x12345, NULL);
		named(x86[i], "exit_reason", 2, 4, 12, "(no table)");
		named(x86[i], "isa", 0, 4, 1, "(no table)");
	}
	for (size_t i = 0; i < ARRAY_SIZE(arm); i++) {
		named(arm[i], "esr_ec", 0, 4, 0x24, "DABT_LOW");
		named(arm[i], "esr_ec", 0, 4, 0x16, "HVC64");
		named(arm[i], "esr_ec", 0, 4, 0x01, "WFx");
		named(arm[i], "ret", 0, 4, 0xbadca11, "HYP_GONE");
		named(arm[i], "ret", 0, 4, 0, "IRQ");
	}
	named("ppc64el-6.1/kvm_hv/kvm_guest_exit", "trap", 0, 4, 0xe00, "H_DATA_STORAGE");
	named("ppc64el-6.12/kvm_hv/kvm_guest_exit", "trap", 0, 4, 0xea0, NULL);
	named("s390x-6.1/kvm/kvm_s390_sie_exit", "icptcode", 0, 1, 0x04, "Instruction");
	named("s390x-6.12/kvm/kvm_s390_sie_exit", "icptcode", 0, 1, 0x1c, "Wait state");
	named("6.1/kvm/kvm_userspace_exit", "reason", 0, 4, 2, "KVM_EXIT_IO");
}

/* The oracle: libtraceevent's symbol lists of the field, in the order of the text. */
struct oracle {
	const char *field;
	struct tep_print_arg *found[16];
	size_t n;
};

static bool prints_field(const struct tep_print_arg *arg, const char *field)
{
	if (!arg)
		return false;
	switch (arg->type) {
	case TEP_PRINT_FIELD:
		return !strcmp(arg->field.name, field);
	case TEP_PRINT_OP:
		return prints_field(arg->op.left, field) || prints_field(arg->op.right, field);
	case TEP_PRINT_TYPE:
		return prints_field(arg->typecast.item, field);
	default:
		return false;
	}
}

static void find_lists(struct oracle *o, struct tep_print_arg *arg)
{
	if (!arg)
		return;
	if (arg->type == TEP_PRINT_OP) {
		find_lists(o, arg->op.left);
		find_lists(o, arg->op.right);
	} else if (arg->type == TEP_PRINT_SYMBOL && prints_field(arg->symbol.field, o->field) &&
		   o->n < ARRAY_SIZE(o->found)) {
		o->found[o->n++] = arg;
	}
}

static bool same_list(const struct symbols *s, const struct tep_print_arg *arg)
{
	size_t i = 0;

	for (const struct tep_print_flag_sym *f = arg->symbol.symbols; f; f = f->next, i++) {
		uint64_t value;
		const char *name = i < symbols_count(s) ? symbols_at(s, i, &value) : NULL;

		if (!name || strcmp(name, f->str) ||
		    (uint32_t)value != (uint32_t)strtoll(f->value, NULL, 0)) {
			diag("pair %zu: %s, oracle %s %s", i, name ? name : "none", f->value,
			     f->str);
			return false;
		}
	}
	return i == symbols_count(s);
}

static void like_libtraceevent(const char *place, const char *system, const char *field,
			       size_t tables)
{
	struct tep_handle *tep = tep_alloc();
	struct oracle o = { .field = field };
	struct tep_event *event = NULL;
	char *text = read_format(place);
	bool same = true;

	tep_set_loglevel(TEP_LOG_NONE);
	if (text)
		tep_parse_format(tep, &event, text, strlen(text), system);
	for (struct tep_print_arg *arg = event ? event->print_fmt.args : NULL; arg; arg = arg->next)
		find_lists(&o, arg);
	for (size_t i = 0; i < o.n && same; i++) {
		struct symbols *s = symbols_parse(text, field, (unsigned int)i, 4);

		same = s && same_list(s, o.found[i]);
		symbols_free(s);
	}
	ok(same && o.n == tables, "%s %s: %zu tables as libtraceevent has them", place, field,
	   tables);
	if (o.n != tables)
		diag("the oracle has %zu", o.n);
	free(text);
	tep_free(tep);
}

/* One table out of a text. */
static void parsed(const char *text, const char *field, unsigned int nth, uint64_t value,
		   const char *want, const char *name)
{
	struct symbols *s = symbols_parse(text, field, nth, 8);

	is_str(s ? symbols_name(s, value) : "(no table)", want, name);
	symbols_free(s);
}

static void texts(void)
{
	static const char nested[] =
		"print fmt: \"%s\", (REC->x == 1) ? __print_symbolic((((REC->x)) & 0xff), "
		"{ (((0x24UL))), \"a, }\" }, { 1 << 4 | 2, \"b \\\"q\\\" \\\\\" }, "
		"{ ~0xfULL, \"c\" }, { (u32)7, \"d\" }, { - 1, \"e\" }, "
		"{ 2 * 3 + 1 - 7, \"z\" }) : "
		"__print_symbolic ( REC -> x , {3,\"f\"},{4,\"g\"} )";

	parsed(nested, "x", 0, 0x24, "a, }", "parentheses, suffixes, and brackets in a name");
	parsed(nested, "x", 0, 0x12, "b \"q\" \\", "operators and escapes");
	parsed(nested, "x", 0, ~UINT64_C(0xf), "c", "a complement");
	parsed(nested, "x", 0, 7, "d", "a cast");
	parsed(nested, "x", 0, UINT64_MAX, "e", "a sign apart");
	parsed(nested, "x", 0, 0, "z", "precedence");
	parsed(nested, "x", 1, 4, "g", "blanks where C allows them");
	parsed(nested, "x", 2, 4, "(no table)", "no third table");
	parsed(nested, "xy", 0, 4, "(no table)", "a longer name is another field");
	parsed("print fmt: \"\", __print_symbolic(REC->xy, {1, \"a\"})", "x", 0, 1, "(no table)",
	       "a shorter one too");
	parsed("print fmt: \"__print_symbolic(REC->x, {1, \\\"a\\\"})\"", "x", 0, 1, "(no table)",
	       "a string is no table");
	parsed("__print_symbolic(REC->x, {1, \"a\"})", "x", 0, 1, "(no table)",
	       "no print fmt, no table");
	parsed("print fmt: \"\", __print_symbolic(REC->x, {NAME, \"a\"}, {2, \"b\"})", "x", 0, 2,
	       "b", "a pair that can't be understood is left out");
	parsed("print fmt: \"\", __print_symbolic(REC->x, {1, \"a\"}, {1, \"b\"})", "x", 0, 1, "a",
	       "the first of two alike");
	parsed("print fmt: \"\", __print_symbolic(REC->x, {1, \"a\"}, {2, \"b", "x", 0, 2, "b",
	       "a text that ends early");
	parsed("print fmt: \"\", __print_symbolic(REC->x", "x", 0, 2, "(no table)",
	       "even in its first argument");
}

/* Each beginning of a real format, and brackets without end: nothing is read behind the text. */
static void hostile(void)
{
	char *text = read_format("6.12/kvm/kvm_exit"), *deep;
	const size_t depth = 100000;

	for (size_t n = text ? strlen(text) : 0; n > 0; n -= n > 13 ? 13 : n) {
		char *cut = xstrndup(text, n);

		symbols_free(symbols_parse(cut, "exit_reason", n % 3, 4));
		free(cut);
	}
	free(text);
	deep = xmalloc(2 * depth + 200);
	snprintf(deep, 100, "print fmt: \"\", __print_symbolic(REC->x, { ");
	memset(deep + strlen(deep) + 0, '(', depth);
	deep[depth + 30] = '\0';
	symbols_free(symbols_parse(deep, "x", 0, 8));
	ok(true, "cut and endless texts end");
	free(deep);
}

int main(void)
{
	real_names();
	like_libtraceevent("6.1/kvm/kvm_exit", "kvm", "exit_reason", 2);
	like_libtraceevent("5.10/kvm/kvm_exit", "kvm", "exit_reason", 2);
	like_libtraceevent("7.2/kvm/kvm_exit", "kvm", "exit_reason", 2);
	like_libtraceevent("6.12/kvm/kvm_userspace_exit", "kvm", "reason", 1);
	like_libtraceevent("arm64-6.1/kvm/kvm_exit", "kvm", "esr_ec", 1);
	like_libtraceevent("ppc64el-6.12/kvm_hv/kvm_guest_exit", "kvm_hv", "trap", 1);
	like_libtraceevent("s390x-6.12/kvm/kvm_s390_sie_exit", "kvm", "icptcode", 1);
	texts();
	hostile();
	return tap_done();
}
