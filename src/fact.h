/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can happen, said without naming a hypervisor or a tracepoint.
 *
 * Hypervisor tables (hv/) turn records into facts, analyses (analysis/) count facts. A fact is
 * 32 bytes because it is written once and read once per record: its size is the speed of the
 * program.
 */
#ifndef HVSCOPE_FACT_H
#define HVSCOPE_FACT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum fact_kind {
	FACT_NONE,
	FACT_EXIT,	  /* the guest was left.       a: reason, b: vCPU id, aux: reason space */
	FACT_ENTRY,	  /* the guest is entered.     a: its pc or 0, b: vCPU id */
	FACT_USEREXIT,	  /* on to the I/O proxy.      a: reason, b: errno (signed) */
	FACT_PORTIO,	  /* a port was accessed.      a: port, b: size, aux: enum fact_direction */
	FACT_MMIO,	  /* device memory, likewise.  a: guest physical address, b: length, aux */
	FACT_MSR,	  /* an MSR was accessed.      a: MSR number, b: data, aux */
	FACT_WAKEUP,	  /* a halted vCPU goes on.    a: ns halted, aux: 1 slept, 0 polled */
	FACT_HYPERCALL,	  /* a hypercall.              a, b: see aux, aux: enum fact_hypercall */
	FACT_HYPERCALL_CALLER, /* a function that makes some. a: its name, b: theirs; interned */
	FACT_CALLBACK,	  /* an upcall begins or ends. a: role, b: argument, aux: enum fact_phase */
	FACT_DRIVER_CALL, /* a driver function.        a: role, b: argument, aux: enum fact_phase */
	FACT_REQUEST,	  /* block I/O. a: sector, b: dev << 32 | sectors, aux: enum fact_phase */
	FACT_PACKETS,	  /* network. a: device's name, interned; READ b: packets, WRITE b: bytes */
	FACT_IRQ,	  /* an interrupt handler.     a: irq number, aux: enum fact_phase */
	FACT_STEAL,	  /* steal clock. BEGIN a: cpu asked about; END b: its ns; aux: phase */
	FACT_CPU_TIME,	  /* /proc/stat of `cpu`.      a: ns since boot, aux: enum fact_cpu_time */
	FACT_SWITCH_OUT,  /* the subject leaves a CPU. a: state, b: tid of the next thread */
	FACT_SWITCH_IN,	  /* the subject takes it.     a: -, b: tid of the previous thread */
	FACT_WAKE,	  /* the subject is woken.     a: target cpu, b: tid of the waker */
	FACT_THREAD_BORN, /* the subject is new.         a: its maker's tid, aux: enum fact_birth */
	FACT_THREAD_NAME, /* what it is called from now on. a, b: its bytes (fact_name()) */
	FACT_THREAD_END,  /* the subject is gone: its thread id may be reused. aux: enum fact_end */
	FACT_RECORD,	  /* no meaning of its own.    a: address of it, b: slot << 32 | length */
	FACT_KINDS
};

/* A set of fact kinds. */
#define FACT_BIT(kind) (UINT64_C(1) << (kind))

enum fact_direction { FACT_READ, FACT_WRITE };

/* The two ends of whatever has a duration. */
enum fact_phase { FACT_BEGIN, FACT_END };

/* What a FACT_HYPERCALL speaks of. b: the interface's name, interned (hv/hypercalls.h). */
enum fact_hypercall {
	HYPERCALL_DIRECT,   /* a guest's hypercall, told by its host. a: number */
	HYPERCALL_BATCHED,  /* one of our own is put into a batch. a: number */
	HYPERCALL_EXTENDED, /* an update joins one that is in the batch already. a: its number */
	HYPERCALL_FLUSH,    /* the batch is issued. a: hypercalls in it, 0: nothing was issued */
	HYPERCALL_SECTION,  /* a section that batches ends. a: - */
	HYPERCALL_OTHER	    /* one of our own that has a name only. a: the name, interned */
};

/*
 * What ended. What a record tells of a thread is followed by its last switch, and by whatever a new
 * thread with its id does: they have the same number. That is given back later: behind END_NUMBER
 * it means another thread, and nothing may be left of the one that had it. END_NUMBER comes for
 * threads that no record told the end of as well, where nothing was seen of them for long and they
 * are too many; one that lives on gets another number.
 */
enum fact_end { END_THREAD, END_NUMBER };

/* Whether what was born is a process of its own or a thread of its maker's. */
enum fact_birth { BORN_THREAD, BORN_PROCESS };

/* How many threads are not too many, at least. */
enum { THREADS_KEPT = 65536 };

/*
 * The categories of /proc/stat. Guest time is also inside user and nice (proc(5)). CPU_TIME_SAMPLE
 * opens a sample: no CPU, a: CPUs in it; what isn't repeated in a sample is not there any more.
 */
enum fact_cpu_time {
	CPU_TIME_USER,
	CPU_TIME_NICE,
	CPU_TIME_SYSTEM,
	CPU_TIME_IDLE,
	CPU_TIME_IOWAIT,
	CPU_TIME_IRQ,
	CPU_TIME_SOFTIRQ,
	CPU_TIME_STEAL,
	CPU_TIME_GUEST,
	CPU_TIME_GUEST_NICE,
	CPU_TIMES,
	CPU_TIME_SAMPLE = CPU_TIMES
};

/* No slot of any event. */
#define FACT_NO_SLOT UINT32_MAX

/* b of FACT_EXIT and FACT_ENTRY where the event doesn't tell the vCPU. */
#define FACT_NO_VCPU UINT64_MAX

struct fact {
	uint64_t time;	  /* ns of the source's clock */
	uint64_t a, b;	  /* what they mean depends on the kind */
	uint32_t subject; /* who it is about: a number of trace/subjects.h; see enum fact_end */
	uint16_t cpu;	  /* who recorded it */
	uint8_t kind;
	uint8_t aux;
};

/* Of a FACT_RECORD: its event in the binding, its size in bytes, its bytes (common_type first). */
static inline uint32_t fact_slot(const struct fact *f)
{
	return (uint32_t)(f->b >> 32);
}

static inline uint32_t fact_length(const struct fact *f)
{
	return (uint32_t)f->b;
}

static inline const void *fact_record(const struct fact *f)
{
	return (const void *)(uintptr_t)f->a;
}

/* Bytes of a thread's name, the last one zero: TASK_COMM_LEN, include/linux/sched.h */
enum { FACT_NAME_SIZE = 16 };

/* The text of a FACT_THREAD_NAME. */
static inline void fact_name(const struct fact *f, char name[FACT_NAME_SIZE])
{
	memcpy(name, &f->a, sizeof(f->a));
	memcpy(name + sizeof(f->a), &f->b, sizeof(f->b));
	name[FACT_NAME_SIZE - 1] = '\0';
}

_Static_assert(sizeof(struct fact) == 32, "a fact is half a cache line");

/* The last 8 bytes of a fact as one number, so that they are one load or store. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { META_SUBJECT = 0, META_CPU = 32, META_KIND = 48, META_AUX = 56 };
#else
enum { META_SUBJECT = 32, META_CPU = 16, META_KIND = 8, META_AUX = 0 };
#endif

_Static_assert(offsetof(struct fact, subject) == 24 && offsetof(struct fact, cpu) == 28 &&
	       offsetof(struct fact, kind) == 30 && offsetof(struct fact, aux) == 31,
	       "META_… are the places in a fact");

#define META_AUX_BITS (UINT64_C(0xff) << META_AUX)

static inline uint64_t fact_meta(const struct fact *f)
{
	uint64_t meta;

	memcpy(&meta, &f->subject, sizeof(meta));
	return meta;
}

static inline void fact_set_meta(struct fact *f, uint64_t meta)
{
	memcpy(&f->subject, &meta, sizeof(meta));
}

/*
 * Records of one CPU are missing between two times: after the last record before the gap (or the
 * begin of the trace) and before the first one behind it (or the end of the trace, UINT64_MAX).
 * An interval overlaps it when from < its end and its begin < to.
 */
struct loss {
	uint64_t from, to;
	uint64_t count; /* records, LOSS_UNKNOWN when the kernel doesn't say */
	uint16_t cpu;
};

#define LOSS_UNKNOWN UINT64_MAX

/* The orders that the stream can hand facts on in (doc/ARCHITECTURE.md). */
enum order { ORDER_CPU, ORDER_THREAD, ORDER_GLOBAL };

#endif
