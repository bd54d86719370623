// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables of src/hv against the formats that real kernels gave: every row binds, names are those
 * of the kernel, and a format that lost, renamed or retyped a field is one sentence.
 *
 * A directory KERNEL/SYSTEM/EVENT/format beside this file is what that kernel's tracefs had.
 */
#include <limits.h>
#include <string.h>

#include "base/path.h"
#include "base/util.h"
#include "hv/hypervisor.h"
#include "trace/binding.h"

#include "tests/tap.h"

static const struct kernel {
	const char *name, *machine;
	bool big_endian;
} kernels[] = {
	{ "5.10", "x86_64", false },
	{ "6.1", "x86_64", false },
	{ "6.12", "x86_64", false },
	{ "6.18", "x86_64", false },
	{ "7.2", "x86_64", false },
	{ "arm64-6.1", "aarch64", false },
	{ "arm64-6.12", "aarch64", false },
	{ "arm64-7.2", "aarch64", false },
	{ "ppc64el-6.1", "ppc64le", false },
	{ "ppc64el-6.12", "ppc64le", false },
	{ "riscv64-6.12", "riscv64", false },
	{ "riscv64-7.2", "riscv64", false },
	{ "s390x-6.1", "s390x", true },
	{ "s390x-6.12", "s390x", true },
};

/* Where a format comes from, and what is done to its text on the way. */
struct reader {
	const struct kernel *kernel;
	const char *from, *to; /* every `from` in the text becomes `to` */
};

static char *replace_all(char *text, const char *from, const char *to)
{
	char *place, *result = xstrdup("");

	for (char *rest = text; rest; rest = place ? place + strlen(from) : NULL) {
		char *longer;

		place = strstr(rest, from);
		longer = xasprintf("%s%.*s%s", result, place ? (int)(place - rest) : INT_MAX, rest,
				   place ? to : "");
		free(result);
		result = longer;
	}
	free(text);
	return result;
}

static char *read_format(void *ctx, const char *system, const char *name)
{
	struct reader *r = ctx;
	char *dir = realpath(tap_source(), NULL);
	char *text = path_read_all(NULL, 1 << 20, NULL, "%s/tests/formats/%s/%s/%s/format", dir,
				   r->kernel->name, system, name);

	free(dir);
	return text && r->from ? replace_all(text, r->from, r->to) : text;
}

static struct binding *new_binding(struct reader *r)
{
	return binding_new(&(struct format_source){
		.format = read_format, .ctx = r, .long_size = 8,
		.big_endian = r->kernel->big_endian,
	});
}

static const struct kernel *kernel_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++)
		if (!strcmp(kernels[i].name, name))
			return &kernels[i];
	return NULL;
}

static const struct hypervisor *hypervisor_named(const char *name)
{
	for (const struct hypervisor *const *hv = hypervisors; *hv; hv++)
		if (!strcmp((*hv)->name, name))
			return *hv;
	return NULL;
}

/* Whether an event was recorded from any kernel that the table fits. */
static bool recorded(const struct hypervisor *hv, const struct hv_event *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct reader r = { .kernel = &kernels[i] };
		char *text;

		if (!hypervisor_fits(hv, kernels[i].machine))
			continue;
		text = read_format(&r, row->system, row->name);
		free(text);
		if (text)
			return true;
	}
	return false;
}

static void test_kernel(const struct kernel *kernel)
{
	struct reader r = { .kernel = kernel };
	struct binding *b = new_binding(&r);
	bool pairs = false;

	for (const struct hypervisor *const *hv = hypervisors; *hv; hv++) {
		if (!hypervisor_fits(*hv, kernel->machine))
			continue;
		for (size_t i = 0; i < (*hv)->n_events; i++) {
			const struct hv_event *row = &(*hv)->events[i];
			struct error err = { 0 };
			int slot;

			if (!row->system)
				continue;
			slot = binding_add(b, *hv, row, &err);
			if (slot < 0 && !err.status)
				continue; /* not recorded here: test_rows() asks for it elsewhere */
			ok(slot >= 0, "%s: %s:%s binds", kernel->name, row->system, row->name);
			if (slot < 0)
				diag("%s", err.text);
			pairs |= slot >= 0 && row->kind == FACT_ENTRY;
		}
	}
	ok(pairs, "%s: a table tells its exits and entries", kernel->name);
	binding_free(b);
}

/* No row is there that no recorded kernel has, and KVM's are in each one that fits. */
static void test_rows(void)
{
	for (const struct hypervisor *const *hv = hypervisors; *hv; hv++)
		for (size_t i = 0; i < (*hv)->n_events; i++) {
			const struct hv_event *row = &(*hv)->events[i];

			if (row->system)
				ok(recorded(*hv, row), "%s: %s:%s is known from a real kernel",
				   (*hv)->name, row->system, row->name);
		}
	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++) {
		struct reader r = { .kernel = &kernels[k] };

		for (const struct hypervisor *const *hv = hypervisors; *hv; hv++)
			for (size_t i = 0; (*hv)->machines && i < (*hv)->n_events; i++) {
				const struct hv_event *row = &(*hv)->events[i];
				char *text;

				if (!hypervisor_fits(*hv, kernels[k].machine) || !row->system ||
				    strncmp((*hv)->name, "kvm-", 4) || row->optional)
					continue;
				text = read_format(&r, row->system, row->name);
				ok(text, "%s has %s:%s", kernels[k].name, row->system, row->name);
				free(text);
			}
	}
}

static void test_names(void)
{
	static const struct {
		const char *kernels, *hv;
		uint8_t space;
		uint64_t value;
		const char *name, *code;
	} cases[] = {
		{ "5.10 6.1 6.12 6.18 7.2", "kvm-x86", 2, 0x72, "cpuid", "0x72" },
		{ "5.10 6.1 6.12 6.18 7.2", "kvm-x86", 2, 0x78, "hlt", "0x78" },
		{ "5.10 6.1 6.12 6.18 7.2", "kvm-x86", 2, 0x44, "OF excp", "0x44" },
		{ "5.10 6.1 6.12 6.18 7.2", "kvm-x86", 2, 0xffffffff, "invalid_guest_state",
		  "0xffffffff" },
		{ "5.10 6.1 6.12 6.18 7.2", "kvm-x86", 1, 12, "HLT", "0xc" },
		{ "5.10 6.1 6.12 6.18 7.2", "kvm-x86", 1, 0x80000021,
		  "INVALID_STATE FAILED_VMENTRY", "0x80000021" },
		{ "5.10 6.1 6.12 6.18 7.2", "kvm-x86", 2, 0x9999, NULL, "0x9999" },
		{ "arm64-6.1 arm64-6.12 arm64-7.2", "kvm-arm64", 0, 0, "IRQ", "ret=0x0" },
		{ "arm64-6.1 arm64-6.12 arm64-7.2", "kvm-arm64", 0, 0xbadca11, "HYP_GONE",
		  "ret=0xbadca11" },
		{ "arm64-6.1 arm64-6.12 arm64-7.2", "kvm-arm64", 1, 1, "WFx", "esr_ec=0x1" },
		{ "arm64-6.1 arm64-6.12 arm64-7.2", "kvm-arm64", 1, 0x24, "DABT_LOW",
		  "esr_ec=0x24" },
		{ "riscv64-6.12 riscv64-7.2", "kvm-riscv64", 0, 23, "Store/AMO guest-page fault",
		  "scause=0x17" },
		{ "riscv64-6.12 riscv64-7.2", "kvm-riscv64", 0, UINT64_C(1) << 63 | 5,
		  "Supervisor timer interrupt", "scause=0x8000000000000005" },
		{ "ppc64el-6.1 ppc64el-6.12", "kvm-ppc64", 0, 0xc00, "SYSCALL", "trap=0xc00" },
		{ "ppc64el-6.1 ppc64el-6.12", "kvm-ppc64", 0, 0xea0, "H_VIRT", "trap=0xea0" },
		{ "ppc64el-6.1 ppc64el-6.12", "kvm-ppc64", 1, 0, "H_CEDE", "trap=0x0,ceded=1" },
		{ "s390x-6.1 s390x-6.12", "kvm-s390x", 0, 4, "Instruction", "icptcode=0x4" },
		{ "s390x-6.1 s390x-6.12", "kvm-s390x", 0, 0, "Host interruption",
		  "icptcode=0x0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct hypervisor *hv = hypervisor_named(cases[i].hv);
		char *names = xstrdup(cases[i].kernels), *rest = names, code[64];

		for (const char *name; (name = strsep(&rest, " "));) {
			struct reader r = { .kernel = kernel_named(name) };
			struct binding *b = new_binding(&r);
			const char *got = binding_reason_name(b, hv, cases[i].space,
							      cases[i].value);

			if (!ok(cases[i].name ? got && !strcmp(got, cases[i].name) : !got,
				"%s: %s is %s", name, cases[i].code,
				cases[i].name ? cases[i].name : "without a name"))
				diag("got %s", got ? got : "nothing");
			binding_free(b);
		}
		free(names);
		hypervisor_code(hv, cases[i].space, cases[i].value, code, sizeof(code));
		is_str(code, cases[i].code, "its code");
	}
}

/* Kinds and arguments that a decode function decides. */
static void test_decode(void)
{
	static const struct {
		const char *hv, *event;
		uint64_t a, extra;
		bool taken;
		uint64_t want_a;
		uint8_t want_aux;
	} cases[] = {
		{ "kvm-arm64", "kvm_exit", 0, 0, true, 0, 0 },
		{ "kvm-arm64", "kvm_exit", 2, 0x24, true, 0x24, 1 },
		{ "kvm-ppc64", "kvm_guest_exit", 0xc00, 0, true, 0xc00, 0 },
		{ "kvm-ppc64", "kvm_guest_exit", 0xc00, 1, true, 0xc00, 0 },
		{ "kvm-ppc64", "kvm_guest_exit", 0, 0, true, 0, 0 },
		{ "kvm-ppc64", "kvm_guest_exit", 0, 1, true, 0, 1 },
		{ "kvm-x86", "kvm_mmio", 0xfee, 0, false, 0xfee, FACT_READ },
		{ "kvm-x86", "kvm_mmio", 0xfee, 1, true, 0xfee, FACT_READ },
		{ "kvm-x86", "kvm_mmio", 0xfee, 2, true, 0xfee, FACT_WRITE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct hypervisor *hv = hypervisor_named(cases[i].hv);
		struct hv_record record = { .extra = { cases[i].extra }, .present = 1 };
		struct fact f = { .a = cases[i].a };
		size_t row = 0;

		while (strcmp(hv->events[row].name, cases[i].event) != 0)
			row++;
		ok(hv->events[row].decode(&record, &f) == cases[i].taken &&
			   f.a == cases[i].want_a &&
			   (!cases[i].taken || f.aux == cases[i].want_aux),
		   "%s: %s with %" PRIu64, cases[i].hv, cases[i].event, cases[i].extra);
	}
}

static void test_idle(void)
{
	ok(hypervisor_idle(hypervisor_named("kvm-x86"), 2, 0x78), "hlt is idle (SVM)");
	ok(hypervisor_idle(hypervisor_named("kvm-x86"), 1, 36), "mwait is idle (VMX)");
	ok(!hypervisor_idle(hypervisor_named("kvm-x86"), 1, 0x78),
	   "codes of one ISA aren't another's");
	ok(hypervisor_idle(hypervisor_named("kvm-arm64"), 1, 1), "WFI and WFE are idle");
	ok(!hypervisor_idle(hypervisor_named("kvm-arm64"), 0, 1), "SERROR isn't");
	ok(hypervisor_idle(hypervisor_named("kvm-ppc64"), 1, 0), "H_CEDE is idle");
	ok(!hypervisor_idle(hypervisor_named("kvm-ppc64"), 0, 0), "trap 0 without it isn't");
	ok(!hypervisor_idle(NULL, 0, 0), "no hypervisor, no idle reasons");
}

/* What a row says when a format isn't what it should be; "" when it binds. */
static const char *refusal(const char *kernel, const char *hv_name, const char *event,
			   const char *from, const char *to, struct error *err)
{
	const struct hypervisor *hv = hypervisor_named(hv_name);
	struct reader r = { .kernel = kernel_named(kernel), .from = from, .to = to };
	struct binding *b = new_binding(&r);
	size_t row = 0;

	*err = (struct error){ 0 };
	while (strcmp(hv->events[row].name, event) != 0)
		row++;
	binding_add(b, hv, &hv->events[row], err);
	binding_free(b);
	return err->text;
}

static void test_refusals(void)
{
	struct error err;

	is_str(refusal("6.1", "kvm-x86", "kvm_exit", "exit_reason", "why", &err),
	       "kvm:kvm_exit has no field exit_reason (this kernel's fields: why, guest_rip, isa, "
	       "info1, info2, intr_info, error_code, vcpu_id)", "a renamed field");
	ok(err.status, "which is an error, not an absent event");
	is_str(refusal("6.1", "kvm-x86", "kvm_exit",
		       "unsigned int exit_reason;\toffset:8;\tsize:4;",
		       "char exit_reason[16];\toffset:8;\tsize:16;", &err),
	       "field exit_reason of kvm:kvm_exit is an array, not a number", "a retyped field");
	is_str(refusal("6.1", "kvm-x86", "kvm_exit", "vcpu_id", "id", &err), "",
	       "a field that kernels may lack may be missing");
	is_str(refusal("6.1", "kvm-x86", "kvm_entry", "vcpu_id", "id", &err),
	       "kvm:kvm_entry has no field vcpu_id (this kernel's fields: id, rip, immediate_exit)",
	       "one that all have may not");
	is_str(refusal("5.10", "kvm-x86", "kvm_xen_hypercall", "", "", &err),
	       "this kernel has no event kvm:kvm_xen_hypercall", "an absent event");
	ok(!err.status, "which the caller may do without");
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++)
		test_kernel(&kernels[i]);
	test_rows();
	test_names();
	test_decode();
	test_idle();
	test_refusals();
	return tap_done();
}
