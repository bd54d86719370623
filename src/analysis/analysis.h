/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An analysis is a state machine over facts that fills a report when asked. It declares which
 * facts it needs and in which order; the runner finds out which events tell them, feeds it, and
 * hands its report to whatever renderer was chosen.
 *
 * One file in analysis/, one row in analyses.def. The file's only exported symbol is its
 * `const struct analysis analysis_NAME`.
 */
#ifndef HVSCOPE_ANALYSIS_ANALYSIS_H
#define HVSCOPE_ANALYSIS_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "fact.h"
#include "report/report.h"

struct hypervisor;
struct hv_event;
struct hv_probe;

/* Who a subject is. Strings are owned by the answerer and valid until the analysis is freed. */
struct subject_who {
	bool cpu;	  /* the subject is a CPU: only `cpu_id` counts */
	uint32_t cpu_id;
	int32_t tid;	  /* thread id; 0: the idle thread of cpu_id */
	int32_t pid;	  /* process, -1 unknown */
	int32_t vcpu;	  /* by the thread's name or a marker, -1 unknown */
	const char *comm; /* NULL unknown */
	const char *vm;	  /* NULL: unknown or no VM */
};

/* What a field of an event's records is. */
struct field {
	const void *handle; /* the answerer's */
	bool text;	    /* else it is a number: */
	bool is_signed, is_hex;
	unsigned int size; /* its bytes */
};

/* The keys of --by. */
enum analysis_key {
	KEY_VM,
	KEY_PID,
	KEY_VCPU,
	KEY_TID,
	KEY_COMM,
	KEY_CPU,
	KEY_REASON,
	KEY_OP,
	KEY_EVENT,
	KEY_COUNT
};
#define KEY_BIT(key) (1u << (key))

/*
 * What the runner gives an analysis. The pointers outlive it. All answers may be asked for at any
 * time during feed and report.
 */
struct analysis_env {
	void *ctx;	/* first argument of the functions below */

	/* Who a subject is now. Cheap after the first time. */
	const struct subject_who *(*who)(void *ctx, uint32_t subject);
	/* Name of an exit reason, NULL when it has none; the string stays valid. */
	const char *(*reason_name)(void *ctx, uint8_t space, uint64_t reason);
	/* The event of a FACT_RECORD's slot, as the user named it. */
	const char *(*event)(void *ctx, uint32_t slot);
	/* The text behind an interned number (HV_INTERNED). */
	const char *(*string)(void *ctx, uint64_t interned);
	/* What a block device is called here ("sda"), NULL nobody knows; NULL: in a file. */
	const char *(*block_device)(void *ctx, uint32_t major, uint32_t minor, char *buf,
				    size_t size);
	/*
	 * Whether a subject passes -p, --vm, --vcpu, and a CPU passes -C. NULL: nothing was asked
	 * for, all do.
	 */
	bool (*selected)(void *ctx, uint32_t subject, uint64_t vcpu);
	bool (*cpu_selected)(void *ctx, uint16_t cpu);

	/*
	 * Records (FACT_RECORD) of the events that the user named: their slots, and for each that
	 * of the entry to the function whose return it is, FACT_NO_SLOT for none. `stack_slot` is
	 * that of stack records, where they were asked for.
	 */
	const uint32_t *slots, *entries;
	size_t n_slots;
	uint32_t stack_slot;
	/* A slot's field by name; -1 with *err, which names those that there are. */
	int (*field)(void *ctx, uint32_t slot, const char *name, struct field *field,
		     struct error *err);
	/* Its value in a record of that slot; false when the record is too short for it. */
	bool (*field_number)(void *ctx, const struct field *field, const struct fact *f,
			     uint64_t *value);
	bool (*field_text)(void *ctx, const struct field *field, const struct fact *f, char *text,
			   size_t room);
	/* The whole record as the kernel prints it. */
	void (*print)(void *ctx, const struct fact *f, char *text, size_t room);
	/* What its making interrupted, from 0 (nothing) to 3: records of a level don't nest. */
	unsigned int (*level)(void *ctx, const struct fact *f);
	/* A stack record's addresses, innermost first, at most `room`; returns how many it has. */
	size_t (*stack)(void *ctx, const struct fact *f, uint64_t *addresses, size_t room);
	/* The kernel function at an address and its module, NULL for none; NULL: unknown. */
	const char *(*symbol)(void *ctx, uint64_t address, const char **module, uint64_t *offset);
	const char *no_symbols; /* why none is known: a sentence; NULL: they are */

	const char *expr;     /* -E; NULL: none */
	const char *format;   /* --format, likewise */
	uint64_t linear;      /* --linear; 0: none */
	bool stacks;	      /* --stack, or the analysis always has them */
	uint64_t limit;	      /* -n; 0: none */

	const struct hypervisor *hv; /* whose required facts these are; NULL: several or none */
	unsigned int by;	/* KEY_BIT()s in force, default already applied */
	bool vm_known;		/* VM facts exist (live, or markers or --vm-map) */
	bool times;		/* false: the clock gives counts only */
	bool cpu_clocks;	/* clock local/global: CPUs' clocks may differ */
	bool hist;		/* --hist */
	bool direct;		/* --direct */
	bool sampled;		/* facts_sampled will come */
	const uint32_t *percentiles; /* parts per million, for struct table_layout; n of them */
	size_t n_percentiles;
	unsigned int verbose;
	/*
	 * Nothing came of what the analysis needs, but of what facts_beside asks for: the names of
	 * those events. NULL: it didn't, or something came.
	 */
	const char *beside;
	const char *native;	/* "bare metal": this machine is no guest; NULL: it may be */
	uint64_t begin;		/* first time of the trace, ns of the source's clock */
	bool has_utc;		/* when that was is known: */
	int64_t utc;		/* what is added to the clock for ns since the epoch, UTC */
	bool timestamps;	/* -T */
	/*
	 * The state is of a piece of a file, from this time on, and is there to be joined: other
	 * threads work on others. Of the functions above only who(), selected(), cpu_selected(),
	 * field_number() and field_text() may be called while it is fed.
	 */
	bool piece;
	uint64_t piece_begin;
};

/* Who threads are, as a trace tells it: env->who() knows of each when it is fed. */
#define FACTS_WHO \
	(FACT_BIT(FACT_THREAD_BORN) | FACT_BIT(FACT_THREAD_NAME) | FACT_BIT(FACT_THREAD_END))

struct analysis {
	const char *name;
	const char *summary;	/* one line for --help */
	uint64_t facts;		/* FACT_BIT()s without which it says nothing: all of them, … */
	bool any_fact;		/* … or one at least */
	bool specs;		/* its records are those of the events that the user names */
	bool stacks;		/* always with the stack of each */
	/*
	 * Its rows are lines that are printed as they come: each report has those that are new
	 * since the one before, and there are no intervals, groups, orders or totals.
	 */
	bool streams;
	uint64_t facts_optional; /* taken where they exist (FACT_THREAD_END) */
	/* Taken where names or processes of threads are shown or selected by. */
	uint64_t facts_who;
	uint64_t facts_asked; /* live taken only with --direct: they cost too much unasked */
	/* Live, where none of `facts` comes: whether these do, tells why (cmd/glance.h). */
	uint64_t facts_beside;
	/*
	 * These a sampler speaks (sampler/sampler.h). With them alone a live run traces nothing,
	 * unless --hist asks for what only `facts` can tell.
	 */
	uint64_t facts_sampled;
	enum order order, order_who; /* with facts_who: by thread at least */
	unsigned int keys;	/* KEY_BIT()s that --by may name */
	unsigned int by_live, by_file; /* defaults: live, and a file without VM facts */
	bool pairs_threads;	/* pairs across threads: the live stream needs a strict horizon */

	void *(*new)(const struct analysis_env *env, struct error *err);
	/* All losses that overlap the facts of the following feeds, once each. May be NULL. */
	void (*lost)(void *state, const struct loss *losses, size_t n);
	/* Facts in the declared order; kinds that it did not ask for may be among them. */
	void (*feed)(void *state, const struct fact *facts, size_t n);
	/*
	 * Whether something of the thread is pending: then it is the last to be forgotten where
	 * there are too many threads to be known all (END_NUMBER). May be NULL: never. Where only a
	 * few µs lie between what belongs together, that needs no answer.
	 */
	bool (*holds)(const void *state, uint32_t subject);
	/*
	 * Fills tables, notes, lost.intervals and lost.intervals_discarded of a report with the
	 * totals of all that was seen since the begin, up to `now`. An interval is made of the
	 * totals by interval_cut() (report/interval.h), which also cuts the lent distributions: an
	 * analysis knows nothing of intervals but its gauges. `last`: pending intervals end here.
	 */
	void (*report)(void *state, struct report *report, uint64_t now, bool last);
	/*
	 * For files that are read in pieces of time, by a thread each. `state` knows all pieces up
	 * to some time, or is new; `next` is of the piece that follows it: then `state` knows that
	 * one, too, as if it had been fed its facts. False: they can't be joined, because what
	 * `next` met depends on what was before it. May be NULL, and new() may refuse a piece: it
	 * has to see a file as a whole.
	 */
	bool (*join)(void *state, void *next);
	/* All that was asked for is there: the run may end. May be NULL: never. */
	bool (*done)(const void *state);
	void (*free)(void *state);
};

extern const struct analysis *const analyses[]; /* by analyses.def, ended by NULL */

const struct analysis *analysis_find(const char *name);

#endif
