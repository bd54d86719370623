// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Functions by address: aliases, modules, gaps, lists that aren't sorted or hide their addresses,
 * and texts that are no lists.
 */
#include <string.h>

#include "tests/tap.h"
#include "trace/ksyms.h"

static const char list[] =
	"0000000000000010 A fixed_percpu_data\n"
	"ffffffff81000300 t later\n"
	"ffffffff81000100 T first\n"
	"ffffffff81000100 T alias\n"
	"ffffffff81000200 W weak\n"
	"ffffffff81000280 D data\n"
	"ffffffffc0000000 t kvm_init\t[kvm]\n"
	"ffffffffc0000040 t\n"
	"nonsense\n"
	"\n"
	"ffffffffc0000080 t kvm_exit\t[kvm";

/* "name+offset [module]", "-" when there is none. */
static const char *at(const struct ksyms *k, uint64_t address)
{
	static char buf[128];
	struct ksym sym;

	if (!ksyms_find(k, address, &sym))
		return "-";
	snprintf(buf, sizeof(buf), "%s+%" PRIu64 "%s%s", sym.name, sym.offset,
		 sym.module ? " " : "", sym.module ? sym.module : "");
	return buf;
}

int main(void)
{
	struct ksyms *k = ksyms_new(list, sizeof(list) - 1);

	is_str(at(k, 0xffffffff81000100), "first+0", "of several at an address the first");
	is_str(at(k, 0xffffffff810001ff), "first+255", "an address within a function");
	is_str(at(k, 0xffffffff81000200), "weak+0", "weak ones are functions");
	is_str(at(k, 0xffffffff81000290), "weak+144", "data aren't");
	is_str(at(k, 0xffffffff81000300), "later+0", "the list need not be sorted");
	is_str(at(k, 0xffffffffc0000010), "kvm_init+16 kvm", "a function of a module");
	is_str(at(k, 0xffffffffc0000081), "kvm_exit+1 kvm", "a line without its end");
	is_str(at(k, 0xffffffff810000ff), "-", "before all");
	is_str(at(k, 0xffffffff90000000), "-", "too far behind one");
	is_str(at(k, UINT64_MAX), "-", "the last address");
	is_str(at(k, 0), "-", "none");
	ok(!ksyms_empty(k), "it has functions");
	ksyms_free(k);
	k = ksyms_new("0000000000000000 T hidden\n0000000000000000 t too\n", 49);
	ok(ksyms_empty(k), "hidden addresses are none");
	is_str(at(k, 0), "-", "not even of address 0");
	ksyms_free(k);
	k = ksyms_new("", 0);
	ok(ksyms_empty(k), "an empty text");
	ksyms_free(k);
	k = ksyms_new(list, 40);
	ok(ksyms_empty(k), "a text that is cut before the first function");
	ksyms_free(k);
	ksyms_free(NULL);
	return tap_done();
}
