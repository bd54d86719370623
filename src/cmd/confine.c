// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Confinement is a list of what a reader of trace files never does, so that a library update that
 * needs one more harmless system call doesn't break it; but that list has everything that leads
 * out: file names, programs, processes, sockets, other tasks, kernel modules.
 *
 * Sanitizers read /proc and start helpers to report what they found: in such a build the child
 * keeps the right to open files.
 */
#include "cmd/confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The kernel's overflow user and group: no file, no process is theirs. */
enum { NOBODY = 65534 };

/* --- System calls that are refused --- */

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__s390x__)
#define ARCH AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_PPC64LE
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef ARCH

/* Not every architecture and header has every call. */
static const int refused[] = {
	/* file names */
#ifdef __NR_open
	__NR_open,
	__NR_creat,
	__NR_unlink,
	__NR_rename,
	__NR_link,
	__NR_symlink,
	__NR_mkdir,
	__NR_rmdir,
	__NR_mknod,
	__NR_chmod,
	__NR_chown,
	__NR_lchown,
#endif
	__NR_openat,
#ifdef __NR_openat2
	__NR_openat2,
#endif
	__NR_unlinkat,
#ifdef __NR_renameat
	__NR_renameat,
#endif
	__NR_renameat2,
	__NR_linkat,
	__NR_symlinkat,
	__NR_mkdirat,
	__NR_mknodat,
	__NR_fchmodat,
	__NR_fchownat,
	__NR_fchmod,
	__NR_fchown,
	__NR_truncate,
	__NR_setxattr,
	__NR_lsetxattr,
	__NR_fsetxattr,
	__NR_open_by_handle_at,
	__NR_mount,
	__NR_umount2,
	__NR_pivot_root,
	__NR_chroot,
#ifdef __NR_open_tree
	__NR_open_tree,
	__NR_move_mount,
	__NR_fsopen,
	__NR_fspick,
#endif
	/* programs and processes; clone() is looked at more closely */
	__NR_execve,
	__NR_execveat,
#ifdef __NR_fork
	__NR_fork,
	__NR_vfork,
#endif
	__NR_kill,
	__NR_rt_sigqueueinfo,
	__NR_rt_tgsigqueueinfo,
	__NR_tkill,
	__NR_ptrace,
	__NR_process_vm_readv,
	__NR_process_vm_writev,
	__NR_kcmp,
	__NR_unshare,
	__NR_setns,
#ifdef __NR_pidfd_open
	__NR_pidfd_open,
	__NR_pidfd_send_signal,
#endif
#ifdef __NR_pidfd_getfd
	__NR_pidfd_getfd,
#endif
	/* networks and other kinds of messages */
	__NR_socket,
	__NR_socketpair,
	__NR_shmget,
	__NR_msgget,
	__NR_semget,
	__NR_mq_open,
	/* the kernel */
	__NR_bpf,
	__NR_perf_event_open,
	__NR_userfaultfd,
	__NR_add_key,
	__NR_request_key,
	__NR_keyctl,
	__NR_init_module,
	__NR_finit_module,
	__NR_delete_module,
	__NR_kexec_load,
	__NR_reboot,
#ifdef __NR_io_uring_setup
	__NR_io_uring_setup,
	__NR_io_uring_enter,
	__NR_io_uring_register,
#endif
};

#define ARGUMENT_LOW(n)                                 \
	(offsetof(struct seccomp_data, args[n]) +       \
	 (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0))

/* flags are the first argument of clone(), but on s390x the second. */
#ifdef __s390x__
#define CLONE_FLAGS ARGUMENT_LOW(1)
#else
#define CLONE_FLAGS ARGUMENT_LOW(0)
#endif

enum { FILTER_FIXED = 19 };

struct filter {
	struct sock_filter code[FILTER_FIXED + 2 * ARRAY_SIZE(refused)];
	unsigned short len;
};

static void add(struct filter *f, struct sock_filter instruction)
{
	f->code[f->len++] = instruction;
}

static void add_verdict(struct filter *f, unsigned int verdict)
{
	add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

static void add_load(struct filter *f, unsigned int offset)
{
	add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

/* The next instruction runs only if what was loaded is (BPF_JSET: has a bit of) k. */
static void add_if(struct filter *f, unsigned short op, unsigned int k)
{
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | op | BPF_K, k, 0, 1));
}

/* This call only if the argument at `offset` is (has a bit of) k. */
static void add_allowed_if(struct filter *f, unsigned int call, unsigned int offset,
			   unsigned short op, unsigned int k)
{
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4));
	add_load(f, offset);
	add_if(f, op, k);
	add_verdict(f, SECCOMP_RET_ALLOW);
	add_verdict(f, SECCOMP_RET_ERRNO | EPERM);
}

static void build_filter(struct filter *f)
{
	const unsigned int no = SECCOMP_RET_ERRNO | EPERM;
	size_t i;

	add_load(f, offsetof(struct seccomp_data, arch));
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
	add_verdict(f, no);
	add_load(f, offsetof(struct seccomp_data, nr));
	/* The other numbering of x86. */
	add_if(f, BPF_JGE, 0x40000000);
	add_verdict(f, no);
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		add_if(f, BPF_JEQ, (unsigned int)refused[i]);
		add_verdict(f, no);
	}
#ifdef __NR_clone3 /* its flags are in memory: libraries go back to clone() */
	add_if(f, BPF_JEQ, __NR_clone3);
	add_verdict(f, SECCOMP_RET_ERRNO | ENOSYS);
#endif
	/* Signals to ourselves (abort) and threads of our own. */
	add_allowed_if(f, __NR_tgkill, ARGUMENT_LOW(0), BPF_JEQ, (unsigned int)getpid());
	add_allowed_if(f, __NR_clone, CLONE_FLAGS, BPF_JSET, CLONE_THREAD);
	add_verdict(f, SECCOMP_RET_ALLOW);
}

/* -1: this kernel has no seccomp. */
static int refuse_calls(void)
{
	struct filter f = { .len = 0 };
	struct sock_fprog program = { .filter = f.code };

	build_filter(&f);
	program.len = f.len;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

#else

static int refuse_calls(void)
{
	return -1;
}

#endif

/* --- The child --- */

static void limit(int resource)
{
	const struct rlimit none = { 0, 0 };

	setrlimit((__rlimit_resource_t)resource, &none);
}

/*
 * Root in a container may be unable to become nobody: then it loses its capabilities all the same,
 * and what follows takes the rest.
 */
static void drop_privileges(pid_t parent)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { 0 };
	bool became = false;

	if (!geteuid() && !setgroups(0, NULL) && !setresgid(NOBODY, NOBODY, NOBODY))
		became = !setresuid(NOBODY, NOBODY, NOBODY);
	if (!became)
		syscall(SYS_capset, &header, none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	limit(RLIMIT_CORE);
	/* After the change of user, which forgets it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
	if (SANITIZED)
		return;
	/* Without a filter at least no new descriptors, though libraries may want to copy one. */
	if (refuse_calls())
		limit(RLIMIT_NOFILE);
}

/* What child and parent both see. */
struct shared {
	bool done;
	int ret;
	struct error err;
	_Alignas(16) unsigned char result[];
};

static void run_child(const struct confined *c, pid_t parent, struct shared *shared)
{
	drop_privileges(parent);
	shared->ret = c->job(c->arg, &shared->err);
	if (fflush(NULL) && shared->ret >= 0)
		shared->ret = error_errno(&shared->err, errno, "the result can't be written");
	if (c->result)
		memcpy(shared->result, c->result, c->result_size);
	shared->done = true;
	_exit(0);
}

/* --- The parent --- */

static bool within_second(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - since->tv_sec < 1 ||
	       (now.tv_sec - since->tv_sec == 1 && now.tv_nsec < since->tv_nsec);
}

/* Passes signals on until the child is gone; its wait status. */
static int wait_child(pid_t pid, const sigset_t *set)
{
	struct timespec first;
	bool asked = false;
	int status;

	for (;;) {
		int signum = sigwaitinfo(set, NULL);
		pid_t gone = waitpid(pid, &status, WNOHANG);

		if (gone == pid)
			return status;
		if (gone < 0 && errno != EINTR)
			return 0; /* reaped by another: whether it was done is in its result */
		if (signum < 0 || signum == SIGCHLD)
			continue;
		if (!asked)
			clock_gettime(CLOCK_MONOTONIC, &first);
		kill(pid, asked && !within_second(&first) ? SIGKILL : signum);
		asked = true;
	}
}

static const char *signal_name(int signum)
{
	static const char *const names[] = {
		[SIGABRT] = "ABRT", [SIGBUS] = "BUS",	[SIGFPE] = "FPE",   [SIGILL] = "ILL",
		[SIGKILL] = "KILL", [SIGSEGV] = "SEGV", [SIGTRAP] = "TRAP", [SIGSYS] = "SYS",
	};

	return signum < (int)ARRAY_SIZE(names) && names[signum] ? names[signum] : "unknown";
}

static int explain(const struct confined *c, int status, struct error *err)
{
	int signum = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	switch (signum) {
	case 0:
		return error_set(err, "%s: its analysis ended early (status %d)", c->file,
				 WEXITSTATUS(status));
	case SIGINT:
	case SIGTERM:
	case SIGHUP:
		return error_set(err, "%s: its analysis was interrupted", c->file);
	case SIGPIPE:
		return error_set(err, "%s: nobody reads the result any more", c->file);
	case SIGKILL:
		return error_set(err, "%s: its analysis was killed; did memory run out?", c->file);
	case SIGBUS:
		return error_set(err,
				 "%s was cut short while it was analysed (signal BUS): wait until "
				 "it is complete",
				 c->file);
	default:
		return error_set(err,
				 "%s is damaged: analysing it crashed (signal %s %d); take another "
				 "copy of it or record anew",
				 c->file, signal_name(signum), signum);
	}
}

/* What is passed on to the child, and its end. Who started us with one ignored wants it so. */
static void passed_on(sigset_t *set)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action;
	size_t i;

	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (!sigaction(signals[i], NULL, &action) && action.sa_handler != SIG_IGN)
			sigaddset(set, signals[i]);
}

static int start_and_wait(const struct confined *c, struct shared *shared, struct error *err)
{
	pid_t pid, parent = getpid();
	sigset_t set, before;
	int status;

	/* What the child could not read any more. */
	tzset();
	fflush(NULL);
	passed_on(&set);
	sigprocmask(SIG_BLOCK, &set, &before);
	pid = fork();
	if (!pid) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		run_child(c, parent, shared);
	}
	status = pid < 0 ? 0 : wait_child(pid, &set);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return error_errno(err, errno, "no process can be started to analyse %s", c->file);
	if (!shared->done)
		return explain(c, status, err);
	if (c->result)
		memcpy(c->result, shared->result, c->result_size);
	if (shared->ret < 0 && err)
		*err = shared->err;
	return shared->ret;
}

int confine_run(const struct confined *c, struct error *err)
{
	size_t size = sizeof(struct shared) + c->result_size;
	struct shared *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
				     -1, 0);
	int ret;

	if (shared == MAP_FAILED)
		return error_errno(err, errno, "no memory to analyse %s", c->file);
	ret = start_and_wait(c, shared, err);
	munmap(shared, size);
	return ret;
}
