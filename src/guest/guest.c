// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The guest is flat 32-bit code without paging, which every x86 hypervisor runs natively. Each vCPU
 * has a page of its own that says what to do and where it counts what it did.
 *
 * Rule: an operation is counted after it, by the guest. Nothing here infers a count from what KVM
 * reports, or a lost exit would go unnoticed.
 */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)

#include <cpuid.h>

#define CODE_AT     0x1000
#define ORDERS_AT   0x2000 /* a page for each vCPU */
#define ORDERS_SIZE 0x1000
#define MEMORY_SIZE (ORDERS_AT + GUEST_MAX_VCPUS * ORDERS_SIZE)

/* Where there is no memory, so that KVM has to ask us; the code below names them again. */
#define MMIO_AT   0x100000
#define PORT_DATA 0x10
#define PORT_END  0x11

/* For guests that sleep, what wakes them: the first page has tables of interrupts and segments. */
#define IDT_AT       0x0
#define GDT_AT       0x800
#define TIMER_VECTOR 0x20
#define APIC_ENABLED (1 << 11) /* in its base address */
#define APIC_BY_MSR  (1 << 10)
#define CODE_SEGMENT 8
#define DATA_SEGMENT 16

/* As the guest sees it, at %esi; the rest of the page is its stack. */
struct orders {
	uint32_t ops[16];
	uint32_t done[16];
	uint32_t rounds;
	uint32_t woken;
};

_Static_assert(GUEST_OPS <= 16, "struct orders has 16 places");

/* Does `body` ops[n] times, counting in done[n]; it may change all but %esi, %edi and %ebp. */
#define REPEAT(n, body)                                   \
	"	movl	" n "*4(%esi), %ebp\n"            \
	"	testl	%ebp, %ebp\n"                             \
	"	jz	2f\n"                                        \
	"1:\n" body "	incl	64 + " n "*4(%esi)\n" \
	"	decl	%ebp\n"                                    \
	"	jnz	1b\n"                                       \
	"2:\n"

#define DO_CPUID             \
	"	xorl	%eax, %eax\n" \
	"	xorl	%ecx, %ecx\n" \
	"	cpuid\n"
#define DO_PORT_OUT   "	outb	%al, $0x10\n"
#define DO_PORT_IN    "	inb	$0x10, %al\n"
#define DO_MMIO_WRITE "	movl	%ebp, 0x100000\n"
#define DO_MMIO_READ  "	movl	0x100000, %eax\n"
/* MSR 0x277 is IA32_PAT: no hypervisor lets the guest at the real one without an exit. */
#define DO_RDMSR               \
	"	movl	$0x277, %ecx\n" \
	"	rdmsr\n"
#define DO_WRMSR                    \
	"	movl	$0x277, %ecx\n"      \
	"	movl	$0x00070406, %eax\n" \
	"	movl	$0x00070406, %edx\n" \
	"	wrmsr\n"
#define DO_HYPERCALL                \
	"	movl	$0x7fffffff, %eax\n" \
	"guest_code_call:\n"        \
	"	vmmcall\n"
#define DO_HLT "	hlt\n"
/* The timer comes once, in a million ticks. It can't come too early: sti works after the hlt. */
#define DO_SLEEP                 \
	"	movl	$0x838, %ecx\n"   \
	"	movl	$1000000, %eax\n" \
	"	xorl	%edx, %edx\n"     \
	"	wrmsr\n"               \
	"	sti\n"                 \
	"	hlt\n"

/* clang-format off */
asm("	.pushsection .rodata\n"
    "	.code32\n"
    "guest_code:\n"
    "	movl	128(%esi), %edi\n"
    "3:\n"
    REPEAT("0", DO_CPUID)
    REPEAT("1", DO_PORT_OUT)
    REPEAT("2", DO_PORT_IN)
    REPEAT("3", DO_MMIO_WRITE)
    REPEAT("4", DO_MMIO_READ)
    REPEAT("5", DO_RDMSR)
    REPEAT("6", DO_WRMSR)
    REPEAT("7", DO_HYPERCALL)
    REPEAT("8", DO_HLT)
    REPEAT("9", DO_SLEEP)
    "	decl	%edi\n"
    "	jnz	3b\n"
    "	outb	%al, $0x11\n"
    "	hlt\n"
    /*
     * The timer's interrupt: counted, and its end told. It goes back to after the hlt and leaves
     * interrupts off, without iret, which KVM can't emulate where it has to.
     */
    "guest_code_timer:\n"
    "	popl	%ebx\n"
    "	addl	$8, %esp\n"
    "	incl	132(%esi)\n"
    "	movl	$0x80b, %ecx\n"
    "	xorl	%eax, %eax\n"
    "	xorl	%edx, %edx\n"
    "	wrmsr\n"
    "	jmp	*%ebx\n"
    "guest_code_end:\n"
    "	.code64\n"
    "	.popsection\n");
/* clang-format on */

extern const uint8_t guest_code[], guest_code_call[], guest_code_timer[], guest_code_end[];

struct vm {
	int kvm;
	int fd;
	uint8_t *memory;
	size_t run_size;
	const struct guest_plan *plan;
};

struct vcpu {
	const struct vm *vm;
	unsigned int id;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	struct guest_truth *truth;
};

static struct orders *orders_of(const struct vm *vm, unsigned int id)
{
	return (struct orders *)(vm->memory + ORDERS_AT + id * ORDERS_SIZE);
}

static void code_load(const struct vm *vm)
{
	static const uint8_t vmcall[] = { 0x0f, 0x01, 0xc1 };
	unsigned int eax, ebx = 0, ecx, edx;
	uint8_t *code = vm->memory + CODE_AT;

	memcpy(code, guest_code, guest_code_end - guest_code);
	/* AMD and Intel call it differently; KVM mends the wrong one at the price of an exit. */
	__get_cpuid(0, &eax, &ebx, &ecx, &edx);
	if (ebx != signature_AMD_ebx && ebx != 0x6f677948 /* "Hygo"nGenuine */)
		memcpy(code + (guest_code_call - guest_code), vmcall, sizeof(vmcall));
}

static void orders_write(const struct vm *vm)
{
	for (unsigned int id = 0; id < vm->plan->vcpus; id++) {
		struct orders *orders = orders_of(vm, id);

		for (unsigned int op = 0; op < GUEST_OPS; op++)
			orders->ops[op] = vm->plan->ops[op];
		orders->rounds = vm->plan->rounds;
	}
}

static bool plan_sleeps(const struct guest_plan *plan)
{
	return plan->ops[GUEST_SLEEP] > 0;
}

/* Flat segments as the registers have them, and the timer's interrupt: nothing else may come. */
static void tables_write(const struct vm *vm)
{
	const uint32_t handler = CODE_AT + (guest_code_timer - guest_code);
	const uint64_t gate = (uint64_t)(handler & 0xffff0000) << 32 | 0x8e00ULL << 32 |
			      CODE_SEGMENT << 16 | (handler & 0xffff);
	uint64_t *gdt = (uint64_t *)(vm->memory + GDT_AT);
	uint64_t *idt = (uint64_t *)(vm->memory + IDT_AT);

	gdt[CODE_SEGMENT / 8] = 0x00cf9b000000ffff;
	gdt[DATA_SEGMENT / 8] = 0x00cf93000000ffff;
	idt[TIMER_VECTOR] = gate;
}

static int kvm_open(struct error *err)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return error_set(err, "there is no /dev/kvm: this is no KVM host, or the module "
				      "kvm_amd or kvm_intel isn't loaded");
	if (fd < 0)
		return error_errno(err, errno, "can't open /dev/kvm");
	return fd;
}

int guest_check(struct error *err)
{
	int fd = kvm_open(err);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int vm_open(struct vm *vm, struct error *err)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY_SIZE };
	int size;

	vm->kvm = kvm_open(err);
	if (vm->kvm < 0)
		return -1;
	if (ioctl(vm->kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return error_set(err, "/dev/kvm speaks an unknown version of its interface");
	vm->fd = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		return error_errno(err, errno, "KVM can't make a virtual machine");
	size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (size < (int)sizeof(struct kvm_run))
		return error_set(err, "KVM gives no way to talk to a vCPU");
	vm->run_size = size;
	vm->memory =
		mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vm->memory == MAP_FAILED) {
		vm->memory = NULL;
		return error_errno(err, errno, "no memory for the guest");
	}
	/* Intel without "unrestricted guest" needs both of these; elsewhere they do nothing. */
	ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000UL);
	ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &(uint64_t){ 0xfffbc000 });
	region.userspace_addr = (uintptr_t)vm->memory;
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		return error_errno(err, errno, "KVM doesn't take the guest's memory");
	code_load(vm);
	tables_write(vm);
	orders_write(vm);
	if (plan_sleeps(vm->plan) && ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0)
		return error_errno(err, errno, "KVM makes no interrupt controller");
	return 0;
}

static void vm_close(struct vm *vm)
{
	if (vm->memory)
		munmap(vm->memory, MEMORY_SIZE);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->kvm >= 0)
		close(vm->kvm);
}

static void segment_flat(struct kvm_segment *segment, uint8_t type, uint16_t selector)
{
	*segment = (struct kvm_segment){
		.limit = UINT32_MAX,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

static int vcpu_set_registers(const struct vcpu *vcpu)
{
	struct kvm_regs regs = {
		.rip = CODE_AT,
		.rsi = ORDERS_AT + vcpu->id * ORDERS_SIZE,
		.rsp = ORDERS_AT + (vcpu->id + 1) * ORDERS_SIZE,
		.rflags = 2,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return -1;
	segment_flat(&sregs.cs, 11, CODE_SEGMENT);
	segment_flat(&sregs.ds, 3, DATA_SEGMENT);
	sregs.es = sregs.fs = sregs.gs = sregs.ss = sregs.ds;
	sregs.gdt = (struct kvm_dtable){ .base = GDT_AT, .limit = DATA_SEGMENT + 7 };
	sregs.idt = (struct kvm_dtable){ .base = IDT_AT, .limit = (TIMER_VECTOR + 1) * 8 - 1 };
	sregs.cr0 |= 1;
	if (plan_sleeps(vcpu->vm->plan))
		sregs.apic_base |= APIC_ENABLED | APIC_BY_MSR;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0)
		return -1;
	return ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

/* The guest sees the processor that KVM offers, or it may not touch the MSRs. */
static int vcpu_set_cpuid(const struct vcpu *vcpu)
{
	unsigned int n = 256;
	struct kvm_cpuid2 *cpuid = xcalloc(1, sizeof(*cpuid) + n * sizeof(cpuid->entries[0]));
	int ret;

	cpuid->nent = n;
	ret = ioctl(vcpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid);
	if (!ret)
		ret = ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return ret;
}

static void apic_set(struct kvm_lapic_state *apic, unsigned int reg, uint32_t value)
{
	memcpy(apic->regs + reg, &value, sizeof(value));
}

/* Switched on from here, so that the guest's own accesses are those that it counts. */
static int vcpu_set_timer(const struct vcpu *vcpu)
{
	struct kvm_mp_state runs = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_lapic_state apic;

	if (!plan_sleeps(vcpu->vm->plan))
		return 0;
	if (ioctl(vcpu->fd, KVM_GET_LAPIC, &apic) < 0)
		return -1;
	apic_set(&apic, 0x0f0, 0x1ff);        /* spurious vector; on */
	apic_set(&apic, 0x320, TIMER_VECTOR); /* timer: once, not masked */
	apic_set(&apic, 0x3e0, 0xb);          /* counts each tick */
	if (ioctl(vcpu->fd, KVM_SET_LAPIC, &apic) < 0)
		return -1;
	return ioctl(vcpu->fd, KVM_SET_MP_STATE, &runs);
}

static int vcpu_open(struct vcpu *vcpu, struct error *err)
{
	vcpu->fd = ioctl(vcpu->vm->fd, KVM_CREATE_VCPU, vcpu->id);
	if (vcpu->fd < 0)
		return error_errno(err, errno, "KVM can't make vCPU %u", vcpu->id);
	vcpu->run = mmap(NULL, vcpu->vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		return error_errno(err, errno, "can't map vCPU %u", vcpu->id);
	}
	if (vcpu_set_cpuid(vcpu) < 0 || vcpu_set_registers(vcpu) < 0 || vcpu_set_timer(vcpu) < 0)
		return error_errno(err, errno, "can't set up vCPU %u", vcpu->id);
	return 0;
}

static void vcpu_close(struct vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->vm->run_size);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
}

/* Between an exit and its entry: so that the two happen on different CPUs. */
static void move_on(const cpu_set_t *allowed, struct guest_truth *truth)
{
	int here = sched_getcpu();
	cpu_set_t next;

	for (int i = 1; i < CPU_SETSIZE; i++) {
		int cpu = (here + i) % CPU_SETSIZE;

		if (!CPU_ISSET(cpu, allowed))
			continue;
		CPU_ZERO(&next);
		CPU_SET(cpu, &next);
		if (cpu != here && !sched_setaffinity(0, sizeof(next), &next))
			truth->migrations++;
		return;
	}
}

/* False when the guest is at its end, or can't go on. */
static bool exit_handle(struct kvm_run *run, struct guest_truth *truth)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		truth->port++;
		truth->ok = run->io.port == PORT_END;
		return !truth->ok;
	case KVM_EXIT_MMIO:
		truth->mmio++;
		memset(run->mmio.data, 0, sizeof(run->mmio.data));
		return run->mmio.phys_addr == MMIO_AT;
	case KVM_EXIT_HLT:
		truth->hlt++;
		return true;
	default:
		truth->trap = run->exit_reason;
		return false;
	}
}

static void *vcpu_main(void *arg)
{
	struct vcpu *vcpu = arg;
	struct guest_truth *truth = vcpu->truth;
	const struct orders *orders = orders_of(vcpu->vm, vcpu->id);
	unsigned int migrate = vcpu->vm->plan->migrate;
	cpu_set_t allowed;

	truth->tid = syscall(SYS_gettid);
	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (uint64_t n = 1;; n++) {
		if (ioctl(vcpu->fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			truth->trap = KVM_EXIT_INTERNAL_ERROR;
			break;
		}
		if (!exit_handle(vcpu->run, truth))
			break;
		if (migrate && n % migrate == 0)
			move_on(&allowed, truth);
	}
	for (unsigned int op = 0; op < GUEST_OPS; op++)
		truth->done[op] = orders->done[op];
	truth->woken = orders->woken;
	usleep(vcpu->vm->plan->hold * 1000);
	return NULL;
}

static int vcpus_run(struct vcpu *vcpus, unsigned int n, struct error *err)
{
	unsigned int started = 0;
	int ret = 0;

	for (; started < n; started++) {
		struct vcpu *vcpu = &vcpus[started];
		int errnum = pthread_create(&vcpu->thread, NULL, vcpu_main, vcpu);

		if (errnum) {
			ret = error_errno(err, errnum, "can't start a thread for a vCPU");
			break;
		}
	}
	while (started)
		pthread_join(vcpus[--started].thread, NULL);
	return ret;
}

int guest_run(const struct guest_plan *plan, struct guest_truth *truth, struct error *err)
{
	struct vm vm = { .kvm = -1, .fd = -1, .plan = plan };
	struct vcpu vcpus[GUEST_MAX_VCPUS];
	unsigned int n = 0;
	int ret;

	if (plan->vcpus < 1 || plan->vcpus > GUEST_MAX_VCPUS || !plan->rounds)
		return error_set(err, "the guest needs 1 to %d vCPUs and a round", GUEST_MAX_VCPUS);
	if (plan_sleeps(plan) && plan->ops[GUEST_HLT])
		return error_set(err, "a guest that sleeps has no halts that come out to us");
	ret = vm_open(&vm, err);
	while (!ret && n < plan->vcpus) {
		truth[n] = (struct guest_truth){ 0 };
		vcpus[n] = (struct vcpu){ .vm = &vm, .id = n, .fd = -1, .truth = &truth[n] };
		ret = vcpu_open(&vcpus[n++], err);
	}
	if (!ret)
		ret = vcpus_run(vcpus, n, err);
	while (n)
		vcpu_close(&vcpus[--n]);
	vm_close(&vm);
	return ret;
}

#else

int guest_check(struct error *err)
{
	return error_set(err, "the test guest is x86 code and this machine is not x86");
}

int guest_run(const struct guest_plan *plan, struct guest_truth *truth, struct error *err)
{
	(void)plan;
	(void)truth;
	return guest_check(err);
}

#endif
