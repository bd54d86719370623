/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hypervisor (or an architecture of one) as a table: which tracepoints and probes tell which
 * facts, under which field names in which kernels, and what the numbers in them are called.
 *
 * One file in hv/, one row in hypervisors.def. Nothing outside names a hypervisor.
 */
#ifndef HVSCOPE_HV_HYPERVISOR_H
#define HVSCOPE_HV_HYPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fact.h"

/* Whom a fact of an event is about. */
enum hv_subject {
	SUBJECT_RECORDER, /* the thread that recorded it; the CPU when in interrupt context */
	SUBJECT_THREAD,	  /* the thread that recorded it, whatever the context */
	SUBJECT_CPU,	  /* the CPU that recorded it */
	SUBJECT_FIELD	  /* the thread whose id is in the field `who` */
};

#define HV_NAMES 4 /* other names that kernels had for the same field */

/* How a field becomes a number. */
enum hv_read {
	HV_NUMBER,  /* the field as it is, sign-extended where it is signed */
	HV_CONST,   /* always `value` */
	HV_INTERNED, /* a string; its number by binding_string() */
	HV_BYTES,    /* a string; its bytes from number `value` on, as they stand in memory */
	HV_LITERAL   /* the text names[0] itself, likewise as a number */
};

/* One argument of a fact: where it stands in the record. All names NULL and HV_NUMBER: 0. */
struct hv_arg {
	const char *names[HV_NAMES]; /* tried in turn; the first that the kernel has counts */
	enum hv_read read;
	uint64_t value; /* HV_CONST, HV_BYTES; for `optional` the value when none exists */
	bool optional;		     /* no field of these names: `value` stands for it */
};

/* Arguments as the tables write them: a field, a field that kernels may lack, a constant, text. */
#define HV_FIELD(...) { .names = { __VA_ARGS__ } }
#define HV_FIELD_OR(otherwise, ...) \
	{ .names = { __VA_ARGS__ }, .optional = true, .value = (otherwise) }
#define HV_VALUE(v) { .read = HV_CONST, .value = (v) }
#define HV_TEXT(...) { .names = { __VA_ARGS__ }, .read = HV_INTERNED }
#define HV_TEXT_BYTES(from, ...) { .names = { __VA_ARGS__ }, .read = HV_BYTES, .value = (from) }
#define HV_NAMED(text) { .names = { text }, .read = HV_LITERAL }

/*
 * What a row's decode function sees: the row's fields `extra` read as numbers (sign-extended), and
 * the fact already filled from a, b and the subject rule. It may change kind, aux, a and b.
 * Returns false to drop the fact.
 */
#define HV_EXTRA 4
struct hv_record {
	uint64_t extra[HV_EXTRA];
	uint64_t present; /* bit i: extra[i] exists in this kernel */
};

struct hv_event {
	const char *system;	/* NULL: a probe's event, `name` is the probe role's name */
	const char *name;
	enum fact_kind kind;
	uint8_t aux;
	enum hv_subject subject;
	struct hv_arg a, b;
	struct hv_arg aux_arg;	/* names given: aux is this field (isa), else the constant above */
	struct hv_arg who;	/* SUBJECT_FIELD: the thread id */
	struct hv_arg extra[HV_EXTRA];
	bool (*decode)(const struct hv_record *r, struct fact *f);
	bool optional;		/* its absence is no failure (module not loaded, older kernel) */
	unsigned int group;	/* rows of a table that only serve together: their number, or 0 */
};

/*
 * Names of the values of aux space `space` of FACT_EXIT: read from the print fmt of an event where
 * the kernel has them, else from `fixed`.
 */
struct hv_names {
	uint8_t space;		/* value of aux */
	const char *field;	/* prefix of the code string ("esr_ec"), NULL: the bare number */
	const char *system, *event; /* whose print fmt has the symbol table; NULL: `fixed` only */
	const char *symbol_field;   /* the field that the table prints */
	unsigned int nth;	/* which of that field's tables (isa == 1 ? number 0 : number 1) */
	unsigned int bytes;	/* width of the field: keys are cut to it before comparison */
	uint64_t mask;		/* bits that name the reason; the rest are flags; 0: all of them */
	const struct hv_symbol *flags; /* names of single bits outside of mask */
	const struct hv_symbol *fixed; /* {value, name}…, ended by a NULL name */
	const uint64_t *idle;	/* reasons in which the guest gave up the CPU … */
	size_t n_idle;		/* … and how many they are */
	/* Where a prefix and a number can't say it: writes the code string, NULL otherwise. */
	void (*code)(uint64_t value, char *buf, size_t size);
	/* Names a value itself, false: look into the tables. NULL where there is no need. */
	bool (*name)(uint64_t value, char *buf, size_t size);
};

struct hv_symbol {
	uint64_t value;
	const char *name;
};

/* A kprobe and/or kretprobe that we create: a role with candidate functions (trace/probe.h). */
#define HV_CANDIDATES 8
struct hv_probe {
	const char *role;	/* "upcall": unique in the program; event names derive from it */
	const char *title;	/* for people: "event channel upcall" */
	const char *driver;	/* whose it is, as /sys names the driver of a device; NULL: none */
	const char *functions[HV_CANDIDATES];
	bool with_return;	/* a kretprobe too */
	bool every_candidate;	/* not the first that works but all that work */
	const char *args;	/* of the entry ("cpu=$arg1"), in tracefs syntax, or NULL */
	const char *ret;	/* of the return ("ret=$retval"), NULL for void functions */
	unsigned int maxactive;	/* 0: the kernel's choice */
};

struct hypervisor {
	const char *name;	/* "kvm-x86" */
	const char *title;	/* "KVM on x86" */
	const char *const *machines; /* uname -m, of kernels with these events; NULL: any */
	/* Its events exist elsewhere too, but fire only in guests of this one, of this kind. */
	const char *guest_of, *guest_mode; /* as in sampler/machine.h; NULL: anywhere, any */
	/* Likewise, but they fire only where this kernel's own KVM has guests. */
	bool host_of_kvm;
	const struct hv_event *events;
	size_t n_events;
	const struct hv_names *names;
	size_t n_names;
	const struct hv_probe *probes;
	size_t n_probes;
};

/* All of them, in the order of hypervisors.def; ended by NULL. */
extern const struct hypervisor *const hypervisors[];

/* Whether a kernel of this machine (uname -m) can have the table's events. NULL: yes, perhaps. */
bool hypervisor_fits(const struct hypervisor *hv, const char *machine);

/* The names row for a reason space, or NULL. Here and below, no hv is one without names. */
const struct hv_names *hypervisor_names(const struct hypervisor *hv, uint8_t space);

/* Whether a reason means that the guest gave up the CPU. */
bool hypervisor_idle(const struct hypervisor *hv, uint8_t space, uint64_t reason);

/* The code string of a reason: "0x72", "esr_ec=0x24", "trap=0x0,ceded=1". */
void hypervisor_code(const struct hypervisor *hv, uint8_t space, uint64_t reason, char *buf,
		     size_t size);

#endif
