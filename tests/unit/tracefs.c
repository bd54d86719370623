// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding tracefs in recorded trees, what is said when it can't be used, the kernel's error log,
 * symbols, clocks, and what preflight concludes from all that.
 */
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "tests/tap.h"
#include "trace/clock.h"
#include "trace/preflight.h"
#include "trace/probe.h"
#include "trace/session.h"
#include "trace/tracefs.h"

#define PATH 512

/* A file of the tree with all its folders. */
static void put(const struct root *root, const char *path, const char *text)
{
	char full[PATH];

	snprintf(full, sizeof(full), "%s%s", root->prefix, path);
	for (char *p = full + strlen(root->prefix) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		mkdir(full, 0700);
	}
	FILE *f = fopen(full, "w");

	if (!f || fputs(text, f) < 0 || fclose(f))
		exit(1);
}

static struct root new_tree(char *prefix, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(prefix, size, "%s/hvscope-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(prefix))
		exit(1);
	return (struct root){ prefix };
}

static void remove_tree(const struct root *root)
{
	char command[PATH];

	snprintf(command, sizeof(command), "rm -rf '%s'", root->prefix);
	if (system(command))
		diag("%s is left", root->prefix);
}

static void test_find(void)
{
	char prefix[PATH];
	struct root root = new_tree(prefix, sizeof(prefix));
	struct error err = { 0 };
	struct tfs t;

	put(&root, "/proc/filesystems", "nodev\tsysfs\nnodev\tproc\n");
	ok(tfs_find(&t, &root, true, &err) && t.state == TFS_NO_KERNEL, "a kernel without tracefs");
	put(&root, "/proc/filesystems", "nodev\tsysfs\nnodev\ttracefs\n");
	ok(tfs_find(&t, &root, true, &err) && t.state == TFS_NOT_MOUNTED, "tracefs is not mounted");
	ok(strstr(err.text, "not mounted") && strstr(err.text, "hvscope steal") &&
		   strstr(err.text, "mount -t tracefs"),
	   "what is missing, what still works, what to do");
	put(&root, "/proc/mounts", "none /sys/kernel/debug debugfs rw 0 0\n");
	ok(tfs_find(&t, &root, true, &err), "debugfs without tracing in it doesn't count");
	put(&root, "/sys/kernel/debug/tracing/events/header_page", "");
	ok(!tfs_find(&t, &root, true, &err), "debugfs/tracing is found");
	is_str(t.dir, "/sys/kernel/debug/tracing", "at its place");
	put(&root, "/proc/mounts",
	    "none /sys/kernel/debug debugfs rw 0 0\n"
	    "t /odd\\040place tracefs rw,relatime 0 0\n");
	put(&root, "/odd place/events/header_page", "");
	ok(!tfs_find(&t, &root, true, &err), "tracefs at an odd place is found");
	is_str(t.dir, "/odd place", "before debugfs, and its name is unescaped");
	put(&root, "/proc/mounts", "tracefs /sys/kernel/tracing tracefs rw 0 0\nbroken\n\n");
	put(&root, "/sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	ok(tfs_find(&t, &root, true, &err) && t.state == TFS_LOCKED_BOOT,
	   "mounted, empty, confidentiality: locked down since boot");
	ok(strstr(err.text, "lockdown=confidentiality") && strstr(err.text, "hvscope steal"),
	   "the sentence says so");
	put(&root, "/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	put(&root, "/sys/kernel/tracing/events/header_page", "");
	ok(!tfs_find(&t, &root, true, &err), "integrity does no harm");
	const struct session_request r = { .root = &root };

	ok(!session_new(&r, &err) && err.status == 2, "a recorded tree can't be traced");
	remove_tree(&root);
}

static void test_sentences(void)
{
	for (int s = TFS_NO_KERNEL; s <= TFS_LOCKED_RUN; s++)
		ok(*tfs_why(s) && *tfs_do(s), "state %d has its words", s);
}

static const char log_text[] =
	"[  100.000001] event filter parse error: error: Field not found\n"
	"  Command: foo == 1\n"
	"           ^\n"
	"[  100.000002] trace_kprobe: error: Failed to register probe event\n"
	"  Command: p:g/e nosuch\n"
	"                 ^\n"
	"[  100.000003] event filter parse error: error: Illegal integer value\n"
	"  Command: foo == 1\n"
	"                  ^\n"
	/* the kernel counts bytes: 2 for ä, 3 for each of 日本, 1 for what is quoted */
	"[  100.000004] event filter parse error: error: Field not found\n"
	"  Command: c == \"äö日本\\\n\t\xff\" && x == 1\n"
	"                                      ^\n";

static void test_error_log(void)
{
	char prefix[PATH], message[64];
	struct root root = new_tree(prefix, sizeof(prefix));
	struct tfs t = { .root = root, .dir = "/t" };
	struct error err = { 0 };
	int caret = 0;

	put(&root, "/t/error_log", log_text);
	ok(tfs_error_log(&t, "", "foo == 1", message, sizeof(message), &caret),
	   "an entry is found");
	is_str(message, "Illegal integer value", "the newest of the command");
	is_int(caret, 7, "with the caret's place");
	ok(tfs_error_log(&t, "", "p:g/e nosuch", message, sizeof(message), &caret), "another one");
	is_str(message, "Failed to register probe event", "with its words");
	is_int(caret, 6, "and place");
	ok(!tfs_error_log(&t, "", "foo", message, sizeof(message), &caret),
	   "the begin of a command is not the command");
	ok(!tfs_error_log(&t, "instances/x", "foo == 1", message, sizeof(message), &caret),
	   "no log, no entry");
	error_set(&err, "the filter is refused");
	tfs_refusal(&err, &t, "", "foo == 1", 22);
	is_str(err.text, "the filter is refused: Illegal integer value\n  foo == 1\n         ^",
	       "a refusal shows command and caret");
	error_set(&err, "it is refused");
	tfs_refusal(&err, &t, "", "c == \"äö日本\\\n\t\xff\" && x == 1", 22);
	is_str(err.text,
	       "it is refused: Field not found\n"
	       "  c == \"äö日本\\ \t\xff\" && x == 1\n"
	       "                              ^",
	       "the caret is where the place is shown, not that many bytes on");
	error_set(&err, "it is refused");
	tfs_refusal(&err, &t, "", "unheard of", 22);
	is_str(err.text, "it is refused: Invalid argument", "without an entry: the errno's words");
	remove_tree(&root);
}

static void test_symbols(void)
{
	char prefix[PATH], addresses[80];
	struct root root = new_tree(prefix, sizeof(prefix));

	is_int(probe_symbol_count(&root, "once", addresses, sizeof(addresses)), -1,
	       "without kallsyms nobody knows");
	put(&root, "/proc/kallsyms",
	    "ffffffff81000010 T once\nffffffff81000020 t twice\nffffffff81000030 d once\n"
	    "ffffffff81000040 t twice\n"
	    "ffffffff81000060 T once_more\n");
	is_int(probe_symbol_count(&root, "once", addresses, sizeof(addresses)), 1,
	       "data of the same name doesn't count");
	is_int(probe_symbol_count(&root, "twice+0x10", addresses, sizeof(addresses)), 2,
	       "a name that exists twice");
	is_str(addresses, "0xffffffff81000020, 0xffffffff81000040", "with its addresses");
	put(&root, "/proc/kallsyms",
	    "ffffffff81000010 t f\nffffffff81000020 t f\n"
	    "ffffffff81000030 t f\nffffffff81000040 t f\nffffffff81000050 t f\n");
	is_int(probe_symbol_count(&root, "f", addresses, sizeof(addresses)), 5, "many times");
	is_str(addresses, "0xffffffff81000010, 0xffffffff81000020, 0xffffffff81000030, …",
	       "the addresses that fit, whole");
	put(&root, "/proc/kallsyms", "ffffffffc0000050 t in_module\t[some]\n");
	is_int(probe_symbol_count(&root, "some:in_module", addresses, sizeof(addresses)), 1,
	       "a module's function");
	is_int(probe_symbol_count(&root, "other:in_module", addresses, sizeof(addresses)), 0,
	       "but not in another");
	is_int(probe_symbol_count(&root, "onc", addresses, sizeof(addresses)), 0, "none");
	remove_tree(&root);
}

static void test_lines(void)
{
	const struct hv_probe role = {
		.role = "steal-clock",
		.functions = { "f" },
		.with_return = true,
		.args = "cpu=$arg1",
		.ret = "ns=$retval",
		.maxactive = 64,
	};
	const struct probe_definition user = {
		.type = 'r', .user = true, .name = "e", .place = "/bin/true:0x10", .maxactive = 8
	};
	char *line = probes_line_role("g", &role, "f", false);

	is_str(line, "p:g/steal_clock f cpu=$arg1", "the entry of a role");
	free(line);
	line = probes_line_role("g", &role, "f", true);
	is_str(line, "r64:g/steal_clock_return f ns=$retval", "its return, with maxactive");
	free(line);
	line = probes_line("g", &user);
	is_str(line, "r:g/e /bin/true:0x10", "user probes have no maxactive");
	free(line);
}

static void test_clock(void)
{
	char name[16];

	ok(clock_counts_ns("mono") && clock_counts_ns("local") && clock_counts_ns("tai"),
	   "clocks of nanoseconds");
	ok(!clock_counts_ns("counter") && !clock_counts_ns("uptime") && !clock_counts_ns("x86-tsc"),
	   "clocks that give counts only");
	ok(clock_differs_by_cpu("local") && clock_differs_by_cpu("global") &&
		   !clock_differs_by_cpu("mono"),
	   "clocks that may differ by CPU");
	ok(clock_chosen("local [global] counter\n", name, sizeof(name)), "the chosen one");
	is_str(name, "global", "by name");
	ok(!clock_chosen("local global", name, sizeof(name)) &&
		   !clock_chosen("[an unheard of long name]", name, sizeof(name)),
	   "none, or too long");
}

static void test_preflight(void)
{
	static const struct hv_event exit_row = { .system = "kvm", .name = "kvm_exit" };
	static const struct hv_event entry_row = { .system = "kvm", .name = "kvm_entry" };
	static const struct hv_event extra_row = { .system = "kvm",
						   .name = "no",
						   .optional = true };
	static const struct hv_probe role = { .role = "r",
					      .title = "the role",
					      .functions = { "absent", "present" } };
	static const struct hv_probe other = { .role = "o",
					       .title = "the other role",
					       .functions = { "absent" } };
	const struct hv_event *events[] = { &exit_row, &entry_row, &extra_row };
	const struct hv_probe *roles[] = { &role, &other };
	struct preflight_verdict v;
	char prefix[PATH];
	struct root root = new_tree(prefix, sizeof(prefix));
	struct preflight *p = preflight_new(&root);

	preflight_check(p, events, 3, NULL, 0, &v);
	ok(v.works == WORKS_NO && strstr(v.why, "not mounted") && *v.todo, "no tracefs: no");
	preflight_free(p);
	put(&root, "/sys/kernel/tracing/events/kvm/kvm_exit/format", "");
	p = preflight_new(&root);
	preflight_check(p, events, 3, NULL, 0, &v);
	ok(v.works == WORKS_PARTLY && strstr(v.why, "kvm:kvm_entry") && !strstr(v.why, "kvm:no"),
	   "one of two events: partly, the missing one by name");
	preflight_check(p, NULL, 0, roles, 2, &v);
	ok(v.works == WORKS_NO && strstr(v.why, "kprobes"), "no kprobes: no");
	preflight_free(p);
	put(&root, "/sys/kernel/tracing/events/kvm/kvm_entry/format", "");
	put(&root, "/sys/kernel/tracing/kprobe_events", "");
	put(&root, "/proc/kallsyms",
	    "1 T not_present\n2 T present_not\n3 d absent\n4 t present\t[m]\n");
	p = preflight_new(&root);
	preflight_check(p, events, 3, roles, 1, &v);
	ok(v.works == WORKS_YES && !*v.why, "all there: yes");
	preflight_check(p, events, 3, roles, 2, &v);
	ok(v.works == WORKS_PARTLY && strstr(v.why, "the other role"), "a role without function");
	const char *function = NULL;

	ok(preflight_role(p, &role, &function), "a role that has one");
	is_str(function, "present", "by name");
	preflight_free(p);
	remove_tree(&root);
}

int main(void)
{
	test_find();
	test_sentences();
	test_error_log();
	test_symbols();
	test_lines();
	test_clock();
	test_preflight();
	return tap_done();
}
