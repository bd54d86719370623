// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows of hypervisors' tables against formats: of a machine that is told, of one that isn't, with
 * an event missing, and with a field missing.
 */
#include "cmd/rows.h"

#include <string.h>

#include "tests/gen.h"
#include "tests/tap.h"

/* As Linux has them on riscv64 and on x86, with the fields that matter. */
static const char riscv_exit[] = "name: kvm_exit\nID: 100\n" GEN_COMMON
				 "\tfield:unsigned long sepc;\toffset:8;\tsize:8;\tsigned:0;\n"
				 "\tfield:unsigned long scause;\toffset:16;\tsize:8;\tsigned:0;\n"
				 "\nprint fmt: \"%lx\", REC->scause\n";
static const char riscv_entry[] = "name: kvm_entry\nID: 101\n" GEN_COMMON
				  "\tfield:unsigned long pc;\toffset:8;\tsize:8;\tsigned:0;\n"
				  "\nprint fmt: \"%lx\", REC->pc\n";
static const char x86_exit[] = "name: kvm_exit\nID: 100\n" GEN_COMMON
			       "\tfield:unsigned int exit_reason;\toffset:8;\tsize:4;\tsigned:0;\n"
			       "\tfield:unsigned long guest_rip;\toffset:16;\tsize:8;\tsigned:0;\n"
			       "\tfield:u32 isa;\toffset:24;\tsize:4;\tsigned:0;\n"
			       "\tfield:unsigned int vcpu_id;\toffset:60;\tsize:4;\tsigned:0;\n"
			       "\nprint fmt: \"%x\", REC->exit_reason\n";
static const char x86_entry[] = "name: kvm_entry\nID: 101\n" GEN_COMMON
				"\tfield:unsigned int vcpu_id;\toffset:8;\tsize:4;\tsigned:0;\n"
				"\nprint fmt: \"%u\", REC->vcpu_id\n";

struct kernel {
	const char *exit, *entry;
};

static const char *format_of(const struct kernel *k, const char *system, const char *name)
{
	if (!system || strcmp(system, "kvm"))
		return NULL;
	return !strcmp(name, "kvm_exit") ? k->exit : !strcmp(name, "kvm_entry") ? k->entry : NULL;
}

static char *format(void *ctx, const char *system, const char *name)
{
	const char *text = format_of(ctx, system, name);

	return text ? xstrdup(text) : NULL;
}

static bool has(void *ctx, const struct hv_event *event)
{
	return format_of(ctx, event->system, event->name);
}

static const struct analysis analysis = {
	.name = "test",
	.facts = FACT_BIT(FACT_EXIT) | FACT_BIT(FACT_ENTRY),
};

/* Binds; the hypervisor's name, or NULL with *err and *absent. */
static const char *bind(const char *exit, const char *entry, const char *machine, bool *absent,
			struct error *err)
{
	struct kernel kernel = { exit, entry };
	struct format_source formats = { .format = format, .ctx = &kernel, .long_size = 8 };
	struct binding *binding = binding_new(&formats);
	const struct hypervisor *hv = NULL;
	struct rows rows;

	*err = (struct error){ 0 };
	rows_collect(&rows, &analysis, machine, 0);
	if (!rows_bind(&rows, &analysis, &formats, binding, has, &kernel, absent, err)) {
		hv = rows_hypervisor(&rows);
		is_int(binding_slots(binding), 2, "two rows are bound");
	}
	rows_free(&rows);
	binding_free(binding);
	return hv ? hv->name : NULL;
}

int main(void)
{
	struct error err;
	bool absent;

	is_str(bind(x86_exit, x86_entry, "x86_64", &absent, &err), "kvm-x86", "x86");
	is_str(bind(riscv_exit, riscv_entry, "riscv64", &absent, &err), "kvm-riscv64", "riscv64");
	is_str(bind(x86_exit, x86_entry, NULL, &absent, &err), "kvm-x86",
	       "an unknown machine, told by its fields: x86");
	is_str(bind(riscv_exit, riscv_entry, NULL, &absent, &err), "kvm-riscv64",
	       "an unknown machine, told by its fields: riscv64");

	ok(!bind(x86_exit, NULL, "x86_64", &absent, &err) && absent &&
		   strstr(err.text, "kvm:kvm_exit, kvm:kvm_entry"),
	   "half of a group is as none, and the events are named");
	ok(!bind(NULL, NULL, "x86_64", &absent, &err) && absent, "so is nothing");
	ok(!bind(riscv_exit, riscv_entry, "x86_64", &absent, &err) && !absent &&
		   strstr(err.text, "kvm:kvm_exit") && strstr(err.text, "exit_reason"),
	   "a field that is missing is named");
	if (err.text[0])
		diag("%s", err.text);
	ok(!bind(x86_exit, x86_entry, "vax", &absent, &err) && absent, "a machine without a table");
	return tap_done();
}
