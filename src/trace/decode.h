/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records → facts: the loop in which the program spends its time.
 *
 * The binding resolves each row of a hypervisor's table into a decode_row once; after that, a
 * record's id leads to its rows by one index, and a field is an offset and a size. For two rows,
 * an exit and an entry, even that is too slow: see decode.c for the predicted path.
 */
#ifndef HVSCOPE_TRACE_DECODE_H
#define HVSCOPE_TRACE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fact.h"
#include "hv/hypervisor.h"
#include "trace/page.h"

struct subjects;
struct window;

/* common_flags: recorded in an interrupt, a softirq, an NMI. */
enum { IN_HARDIRQ = 0x08, IN_SOFTIRQ = 0x10, IN_NMI = 0x40 };

enum decode_read {
	DECODE_CONST,
	DECODE_NUMBER,
	DECODE_TEXT,	      /* char[size] */
	DECODE_TEXT_DATA,     /* __data_loc: offset in the record | length << 16 */
	DECODE_TEXT_RELATIVE, /* __rel_loc: likewise, but from behind the field */
};

struct decode_arg {
	uint64_t value;	 /* DECODE_CONST; of a text, when its `bytes` are asked for: the first */
	uint16_t offset; /* in the record */
	uint16_t size;	 /* DECODE_NUMBER: 1, 2, 4 or 8 */
	uint8_t read;
	bool is_signed;
	bool bytes; /* of a text: eight of them, zeros behind it, instead of its number */
};

struct decode_row {
	struct decode_arg a, b, aux;
	struct decode_arg who; /* SUBJECT_FIELD */
	struct decode_arg extra[HV_EXTRA];
	uint64_t present;      /* bit i: extra[i] exists */
	bool (*decode)(const struct hv_record *r, struct fact *f);
	uint32_t slot;
	uint32_t next;	       /* index of the next row of the same event + 1, 0 none */
	uint16_t min_size;     /* a shorter record doesn't hold the fields */
	uint8_t kind;	       /* enum fact_kind; FACT_RECORD: the record itself */
	uint8_t subject;       /* enum hv_subject */
};

struct decode_plan {
	struct decode_row *rows;
	uint32_t n_rows;
	uint32_t *first;	/* by event id: index of its first row + 1, 0 none */
	uint32_t n_ids;
	unsigned int chain;	/* most rows that one event has */
	uint16_t pid_offset;	/* common_pid: 4 bytes */
	uint16_t flags_offset;	/* common_flags: 1 byte */
	bool swap;		/* records of the other endianness */
	uint64_t (*intern)(void *ctx, const char *text);
	void *ctx;
};

/* A DECODE_NUMBER out of a record that holds it. */
uint64_t decode_number(const struct decode_plan *plan, const struct decode_arg *arg,
		       const void *record);

struct decoder;

/*
 * All outlive the decoder; rows may be added to the plan between windows. `window` may be NULL
 * until the first decoder_window().
 */
struct decoder *decoder_new(const struct decode_plan *plan, const struct page_layout *layout,
			    struct subjects *subjects, struct window *window);
void decoder_free(struct decoder *d);

/* Where facts go from now on. */
void decoder_window(struct decoder *d, struct window *window);

/* What follows is of `cpu`. To be called anew in each window. */
void decoder_cpu(struct decoder *d, uint16_t cpu);

enum decode_stop {
	DECODE_PAGE,   /* the page's end */
	DECODE_LIMIT,  /* the next record's time is at or behind the limit: w stands before it */
	DECODE_DAMAGED /* the page can't be walked any further */
};

struct decode_result {
	uint64_t records; /* walked, of any event */
	uint64_t last;	  /* raw time of the last of them, if any */
	uint64_t next;	  /* DECODE_LIMIT: raw time of the next one */
};

/* Appends the facts of the records with raw times < limit to the window. */
enum decode_stop decode_page(struct decoder *d, struct page_walk *w, uint64_t limit,
			     struct decode_result *result);

#endif
