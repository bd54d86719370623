// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who is who: names of machines by arguments and cgroups as the programs really write them, vCPUs
 * by threads' names, /proc of a host with several kinds of machines, and the two texts that tell
 * it in files, also damaged ones.
 */
#include "sampler/who.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/wanted.h"
#include "sampler/vm-name.h"
#include "sampler/who-text.h"
#include "tests/tap.h"

/* --- Names --- */

/* Arguments with a NUL behind each; sizeof() counts the last one. */
#define ARGS(text) text, sizeof(text)

static void named(const char *args, size_t size, const char *want)
{
	char *name = vm_name_by_arguments(args, size);

	is_str(name, want, want ? want : "no name");
	free(name);
}

static void test_arguments(void)
{
	/* QEMU: a bare name, keys, escapes, the order of libvirt, two dashes, the last counts. */
	named(ARGS("/usr/bin/qemu-system-x86_64\0-m\0001G\0-name\0web"), "web");
	named(ARGS("qemu-system-x86_64\0-name\0db,debug-threads=on"), "db");
	named(ARGS("qemu-system-aarch64\0-name\0guest=shop,debug-threads=on\0-S"), "shop");
	named(ARGS("qemu-kvm\0-name\0debug-threads=on,guest=later"), "later");
	named(ARGS("kvm\0-id\000100\0-name\0proxmox,debug-threads=on"), "proxmox");
	named(ARGS("qemu-system-x86_64\0--name\0two-dashes"), "two-dashes");
	named(ARGS("qemu-system-x86_64\0-name\0guest=a,,b,process=c"), "a,b");
	named(ARGS("qemu-system-x86_64\0-name\0process=only"), "only");
	named(ARGS("qemu-system-x86_64\0-name\0bare,process=p"), "bare");
	named(ARGS("qemu-system-x86_64\0-name\0first\0-name\0last"), "last");
	named(ARGS("qemu-system-x86_64\0-m\0001G"), NULL);
	named(ARGS("qemu-system-x86_64\0-name\0"), NULL);
	named(ARGS("qemu-system-x86_64\0-name"), NULL);
	named(ARGS("qemu-system-x86_64\0-name\0guest="), NULL);
	named("qemu-system-x86_64\0-name\0cut", 28, "cut");

	named(ARGS("/firecracker\0--id\0vm-551e7604\0--start-time-us\0001"), "vm-551e7604");
	named(ARGS("/usr/bin/firecracker-v1.7\0--api-sock\0/s\0--id=inline"), "inline");
	named(ARGS("cloud-hypervisor\0--api-socket\0/run/ch/shop.sock\0--cpus\0boot=2"), "shop");
	named(ARGS("cloud-hypervisor\0--api-socket\0path=/run/ch/a.sock\0--platform\0"
		   "num_pci_segments=1,uuid=9d0e"),
	      "9d0e");
	named(ARGS("/usr/bin/crosvm\0run\0--name\0arcvm\0vmlinux"), "arcvm");
	named(ARGS("crosvm\0run\0-s\0/run/borealis.sock\0vmlinux"), "borealis");
	named(ARGS("lkvm\0run\0--name\0tiny"), "tiny");

	named(ARGS("/bin/sh\0-name\0qemu"), NULL);
	named(ARGS(""), NULL);
	named("", 0, NULL);
}

static void in_cgroup(const char *text, const char *want)
{
	char *name = vm_name_by_cgroup(text);

	is_str(name, want, want ? want : "no machine's cgroup");
	free(name);
}

static void test_cgroups(void)
{
	in_cgroup("0::/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/vcpu0\n", "web");
	in_cgroup("0::/machine.slice/machine-qemu\\x2d12\\x2dmy\\x2dvm\\x2d2.scope\n", "my-vm-2");
	in_cgroup("11:cpuset:/machine.slice/machine-qemu\\x2d3\\x2ddb.scope/emulator\n0::/\n",
		  "db");
	in_cgroup("4:cpu:/machine/qemu-7-old.libvirt-qemu/vcpu1\n", "old");
	in_cgroup("4:cpu:/machine/older.libvirt-qemu\n", "older");
	in_cgroup("0::/user.slice/user-0.slice/session-1.scope\n", NULL);
	in_cgroup("0::/machine.slice/machine-lxc\\x2d1\\x2dbox.scope\n", NULL);
	in_cgroup("0::/machine.slice/machine-qemu\\x2dx.scope\n", NULL);
	in_cgroup("0::/machine-qemu\\x2d1\\x2d\\x00.scope", "\\x00");
	in_cgroup("0::/machine-qemu\\x2d1\\x2dtail\\x2", NULL);
	in_cgroup("", NULL);
}

static void test_vcpus(void)
{
	is_int(vcpu_by_comm("CPU 0/KVM"), 0, "QEMU");
	is_int(vcpu_by_comm("CPU 113/KVM"), 113, "QEMU, three digits");
	is_int(vcpu_by_comm("fc_vcpu 3"), 3, "Firecracker");
	is_int(vcpu_by_comm("vcpu7"), 7, "Cloud Hypervisor");
	is_int(vcpu_by_comm("crosvm_vcpu2"), 2, "crosvm");
	is_int(vcpu_by_comm("kvm-vcpu-1"), 1, "kvmtool");
	is_int(vcpu_by_comm("CPU /KVM"), -1, "no digits");
	is_int(vcpu_by_comm("CPU 1/KVMx"), -1, "something behind");
	is_int(vcpu_by_comm("vcpu99999999999"), -1, "no number that a vCPU has");
	is_int(vcpu_by_comm("qemu-system-x86"), -1, "another thread");
	is_int(vcpu_by_comm(""), -1, "nothing");
}

/* --- /proc --- */

static char root_dir[64] = "/tmp/hvscope-who.XXXXXX";

static void put(const char *path, const char *text, size_t len)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root_dir, path);
	for (char *p = full + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		mkdir(full, 0700);
		*p = '/';
	}
	f = fopen(full, "w");
	if (!f || fwrite(text, 1, len, f) != len || fclose(f))
		diag("%s: %s", full, strerror(errno));
}

#define PUT(path, text) put(path, text, sizeof(text) - 1)

static void put_link(const char *path, const char *target)
{
	char full[512];

	PUT("/proc/2000/fd/0", "");
	snprintf(full, sizeof(full), "%s%s", root_dir, path);
	if (symlink(target, full))
		diag("%s: %s", full, strerror(errno));
}

static void make_root(void)
{
	if (!mkdtemp(root_dir))
		diag("mkdtemp: %s", strerror(errno));
	/* A QEMU with two vCPUs, as libvirt starts it. */
	PUT("/proc/1000/comm", "qemu-system-x86\n");
	PUT("/proc/1000/status", "Name:\tqemu-system-x86\nUmask:\t0022\nTgid:\t1000\nPid:\t1000\n");
	put("/proc/1000/cmdline",
	    ARGS("/usr/bin/qemu-system-x86_64\0-name\0guest=we\"b\033[1m,x=y"));
	PUT("/proc/1000/task/1000/comm", "qemu-system-x86\n");
	PUT("/proc/1000/task/1001/comm", "CPU 1/KVM\n");
	PUT("/proc/1001/comm", "CPU 1/KVM\n");
	PUT("/proc/1001/status", "Name:\tCPU 1/KVM\nUmask:\t0022\nTgid:\t1000\nPid:\t1001\n");
	/* A program of its own kind: known by its descriptor only. */
	PUT("/proc/2000/comm", "my vmm\n");
	PUT("/proc/2000/status", "Name:\tmy vmm\nTgid:\t2000\n");
	put("/proc/2000/cmdline", ARGS("./my-vmm\0disk"));
	put_link("/proc/2000/fd/5", "anon_inode:kvm-vm");
	/* No machine at all. */
	PUT("/proc/3000/comm", "bash\n");
	PUT("/proc/3000/status", "Name:\tbash\nTgid:\t3000\n");
	put("/proc/3000/cmdline", ARGS("-bash"));
	PUT("/proc/3000/cgroup", "0::/user.slice\n");
	/* Only its name is still readable: it is on its way out. */
	PUT("/proc/4000/comm", "gone\n");
}

static void remove_root(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", root_dir);
	if (system(command))
		diag("%s is left", root_dir);
}

/* What a trace tells of threads that no /proc knows, and of one that it does. */
static void test_told(const struct root *root)
{
	struct who *w = who_new_live(root);
	const struct who_thread *t;

	who_born(w, 7000, 7000);
	who_named(w, 7000, "sh");
	who_named(w, 7000, "short");
	t = who_thread(w, 7000);
	ok(t->pid == 7000 && t->vcpu == -1 && !strcmp(t->comm, "short"),
	   "a process that came and went: its id, and the name that it had last");
	who_named(w, 7000, "CPU 2/KVM");
	is_int(who_thread(w, 7000)->vcpu, 2, "a name may tell a vCPU");
	who_named(w, 7000, "none");
	is_int(who_thread(w, 7000)->vcpu, -1, "and the next one none");
	who_born(w, 7001, 1000);
	t = who_thread(w, 7001);
	ok(t->pid == 1000 && !strcmp(t->vm, "we\"b\033[1m") && !t->comm,
	   "a thread is of its process and machine, its name not known yet");
	who_born(w, 7002, -1);
	is_int(who_thread(w, 7002)->pid, -1, "of an unknown one nobody is");
	who_born(w, 7000, 1000);
	t = who_thread(w, 7000);
	ok(t->pid == 1000 && !t->comm, "an id that is born anew is another thread's");
	who_named(w, 3000, "renamed");
	is_str(who_thread(w, 3000)->comm, "renamed", "what a trace tells counts more than /proc");
	who_ended(w, 3000);
	is_str(who_thread(w, 3000)->comm, "bash", "until the end");
	who_born(w, 0, 1000);
	who_named(w, 0, "swapper");
	ok(!who_thread(w, 0)->comm, "the idle thread isn't born");
	who_free(w);
}

/* Threads of a process that are there when tracing begins, and gone when somebody asks. */
static void test_noted(const struct root *root)
{
	const struct settings settings = { .pid = 1000 };
	struct who *w = who_new_live(root);

	wanted_note(&settings, w);
	PUT("/proc/1001/status", "");
	is_int(who_thread(w, 1001)->pid, 1000, "a thread that was there is known to be of -p");
	is_int(who_thread(w, 5000)->pid, -1, "others are not");
	who_free(w);
}

static void test_live(void)
{
	struct root root = { .prefix = root_dir };
	struct who *w = who_new_live(&root);
	const struct who_thread *t;
	char others[200];
	int32_t *ids;
	size_t n;

	make_root();
	ok(who_knows_vms(w), "live, machines are known");
	t = who_thread(w, 1001);
	is_int(t->pid, 1000, "process of a vCPU");
	is_int(t->vcpu, 1, "its number");
	is_str(t->comm, "CPU 1/KVM", "its name");
	is_str(t->vm, "we\"b\033[1m", "its machine, as it is called");
	ok(who_thread(w, 1001) == t, "asked again, the same");
	t = who_thread(w, 2000);
	is_str(t->vm, "my vmm[2000]", "a machine without a name");
	is_int(t->vcpu, -1, "of unknown number");
	t = who_thread(w, 3000);
	ok(!t->vm && t->pid == 3000, "a process that is no machine");
	t = who_thread(w, 4000);
	ok(t->pid == -1 && !t->vm && !strcmp(t->comm, "gone"), "a thread that goes meanwhile");
	t = who_thread(w, 5000);
	ok(t->tid == 5000 && t->pid == -1 && !t->comm && !t->vm, "a thread that is gone");

	n = who_find_vm(w, "my vmm[2000]", &ids, others, sizeof(others));
	ok(n == 1 && ids[0] == 2000, "a machine's process is found");
	free(ids);
	n = who_find_vm(w, "nosuch", &ids, others, sizeof(others));
	ok(n == 0 && strstr(others, "'my vmm[2000]'") && !strchr(others, '\033'),
	   "else the others are named, harmlessly");
	free(ids);
	n = who_tasks(w, 1000, &ids);
	ok(n == 2 && ids[0] + ids[1] == 2001, "its threads");
	free(ids);
	is_int(who_tasks(w, 77, &ids), 0, "no threads of no process");
	free(ids);

	/* The id comes back as another thread. */
	PUT("/proc/1001/comm", "CPU 9/KVM\n");
	t = who_thread(w, 1001);
	is_int(t->vcpu, 1, "what is known stays known");
	who_ended(w, 1001);
	is_int(who_thread(w, 1001)->vcpu, 9, "until its end");
	who_ended(w, 1000);
	is_str(who_thread(w, 1001)->vm, "we\"b\033[1m", "its machine may be looked up again");
	who_ended(w, 1001);
	who_ended(w, 1001);
	ok(who_thread(w, 1001)->vcpu == 9, "and it may end twice");
	who_free(w);
	test_told(&root);
	test_noted(&root);
	remove_root();
}

/* --- Files --- */

static const char *comm_of(void *ctx, int tid)
{
	(void)ctx;
	return tid == 7 ? "CPU 4/KVM" : NULL;
}

static void test_recorded(void)
{
	struct who *w = who_new_recorded();
	const struct who_thread *t;

	who_set_comms(w, comm_of, NULL);
	ok(!who_knows_vms(w), "in a file, nothing is known at first");
	t = who_thread(w, 7);
	ok(t->pid == -1 && !t->vm && t->vcpu == 4 && !strcmp(t->comm, "CPU 4/KVM"),
	   "but what its list of threads says");
	who_set(w, &(struct who_thread){ .tid = 7, .pid = 5, .vcpu = -1, .vm = "x" });
	t = who_thread(w, 7);
	ok(who_knows_vms(w) && t->pid == 5 && t->vcpu == 4 && !strcmp(t->vm, "x"),
	   "what is said is added to it");
	who_ended(w, 7);
	is_int(who_thread(w, 7)->pid, 5, "and holds for the whole file");
	who_born(w, 7, 1);
	who_named(w, 7, "other");
	t = who_thread(w, 7);
	ok(t->pid == 5 && t->vcpu == 4 && !strcmp(t->vm, "x") && !strcmp(t->comm, "other"),
	   "a name that the trace tells is a newer one, the rest stays");
	who_born(w, 8, 5);
	who_named(w, 8, "new");
	t = who_thread(w, 8);
	ok(t->pid == 5 && !strcmp(t->comm, "new"), "so is who is born there");
	who_ended(w, 8);
	t = who_thread(w, 8);
	ok(t->pid == -1 && !t->comm, "and forgotten in the end");
	who_free(w);
}

/* What the C library has in use. A sanitizer's allocator says 0. */
static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* Threads that come and go, in a file and live, each with a name of its own. */
static const char *many_comms(void *ctx, int tid)
{
	snprintf(ctx, 32, "worker-%d", tid);
	return ctx;
}

static void test_many(bool live)
{
	struct root root = { .prefix = root_dir };
	struct who *w = live ? who_new_live(&root) : who_new_recorded();
	size_t before = 0;
	char comm[32];

	who_set_comms(w, many_comms, comm);
	for (int i = 1; i <= 60000; i++) {
		who_thread(w, i);
		if (i > 100)
			who_ended(w, i - 100);
		if (i == 10000)
			before = in_use();
	}
	ok(in_use() <= before + 4096,
	   "%s: of those that ended nothing is kept: %zu, then %zu bytes",
	   live ? "live" : "file", before, in_use());
	is_str(who_thread(w, 60000)->comm, "worker-60000", "of the others it is");
	who_free(w);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void round_trip(const struct who_thread *t, const char *want)
{
	char buf[WHO_MARKER_SIZE];
	struct who_marker m;
	size_t n = who_format_marker(t, buf);

	is_str(buf, want, want);
	ok(n == strlen(buf) && who_parse_marker(buf, n, &m) && m.thread.tid == t->tid &&
		   m.thread.pid == t->pid && m.thread.vcpu == t->vcpu &&
		   same_text(m.thread.vm, t->vm) && same_text(m.thread.comm, t->comm),
	   "and back");
}

static void no_marker(const char *text, size_t len)
{
	struct who_marker m;

	ok(!who_parse_marker(text, len, &m), "no marker: %.40s", text);
}

#define NO(text) no_marker(text, sizeof(text) - 1)

static void test_markers(void)
{
	char buf[WHO_MARKER_SIZE], vm[2000];
	struct who_marker m;
	size_t n;

	round_trip(&(struct who_thread){ 4711, 4700, 0, "CPU 0/KVM", "web server" },
		   "hvscope-who 1 4711 4700 0 web%20server CPU%200/KVM");
	round_trip(&(struct who_thread){ 1, -1, -1, NULL, NULL }, "hvscope-who 1 1 - - - -");
	round_trip(&(struct who_thread){ 1, 2, 3, "-", "%\n\xff" },
		   "hvscope-who 1 1 2 3 %25%0a%ff %2d");
	memset(vm, '\x01', sizeof(vm) - 1);
	vm[sizeof(vm) - 1] = '\0';
	n = who_format_marker(&(struct who_thread){ INT32_MAX, INT32_MAX, INT32_MAX, vm, vm }, buf);
	ok(n < WHO_MARKER_SIZE && who_parse_marker(buf, n, &m), "names of any length fit");
	ok(who_parse_marker("hvscope-who 1 1 - - - -\n\0\0", 27, &m), "as the kernel pads it");

	NO("");
	NO("hvscope-who 1 ");
	NO("hvscope-who 2 1 - - - -");
	NO("hvscope-who 1 1 - - -");
	NO("hvscope-who 1 1 - - - - ");
	NO("hvscope-who 1 1 - - - - x");
	NO("hvscope-who 1 - - - - -");
	NO("hvscope-who 1 -1 - - - -");
	NO("hvscope-who 1 1  - - - -");
	NO("hvscope-who 1 99999999999 - - - -");
	NO("hvscope-who 1 1 x - - -");
	NO("hvscope-who 1 1 - - %2 -");
	NO("hvscope-who 1 1 - - %zz -");
	NO("hvscope-who 1 1 - - %00 -");
	NO("hvscope-who 1 1 - - a\tb -");
	NO("hvscope-who 1 1 - -\0 - -");
	NO("hvscope-who 1 1 - - \xc3\xa4 -");
	NO(" hvscope-who 1 1 - - - -");
}

static void mapped(const char *text, int want, const char *vm, int32_t vcpu)
{
	char line[256];
	struct who_thread t;
	int got;

	snprintf(line, sizeof(line), "%s", text);
	got = who_parse_map_line(line, &t);
	ok(got == want && (got < 1 || (same_text(t.vm, vm) && t.vcpu == vcpu)), "map line: %s",
	   text);
}

static void test_map(void)
{
	struct error err = { 0 };
	struct who *w = who_new_recorded();
	char path[] = "/tmp/hvscope-map.XXXXXX";
	int fd = mkstemp(path);
	static const char good[] =
		"# who\n\n11 10 web server 0\n 12\t10  web server  1 \r\n13 - - -\n",
			  bad[] = "11 10 web 0\n12 10 1\n";

	mapped("11 10 web 0", 1, "web", 0);
	mapped("11 10 web server 2 3", 1, "web server 2", 3);
	mapped("11 - - -", 1, NULL, -1);
	mapped("  # comment", 0, NULL, 0);
	mapped("", 0, NULL, 0);
	mapped("11", -1, NULL, 0);
	mapped("11 10", -1, NULL, 0);
	mapped("11 10 5", -1, NULL, 0);
	mapped("x 10 web 0", -1, NULL, 0);
	mapped("- 10 web 0", -1, NULL, 0);
	mapped("11 10 web x", -1, NULL, 0);
	mapped("11 10 web -1", -1, NULL, 0);

	if (write(fd, good, sizeof(good) - 1) < 0)
		diag("write: %s", strerror(errno));
	ok(!who_read_map(w, path, &err), "a map is read");
	is_str(who_thread(w, 12)->vm, "web server", "with its names");
	is_int(who_thread(w, 12)->vcpu, 1, "and numbers");
	ok(!who_thread(w, 13)->vm && who_thread(w, 13)->pid == -1, "unknown stays unknown");
	if (ftruncate(fd, 0) || pwrite(fd, bad, sizeof(bad) - 1, 0) < 0)
		diag("write: %s", strerror(errno));
	ok(who_read_map(w, path, &err) < 0 && strstr(err.text, ":2: "), "a bad line is named");
	if (pwrite(fd, "\0", 1, 3) < 0)
		diag("write: %s", strerror(errno));
	ok(who_read_map(w, path, &err) < 0 && strstr(err.text, "zero bytes"), "so are zero bytes");
	unlink(path);
	ok(who_read_map(w, path, &err) < 0 && err.status == 1, "and a file that isn't there");
	close(fd);
	who_free(w);
}

int main(void)
{
	test_arguments();
	test_cgroups();
	test_vcpus();
	test_live();
	test_recorded();
	test_many(false);
	test_many(true);
	test_markers();
	test_map();
	return tap_done();
}
