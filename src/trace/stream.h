/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stream hands the facts of all CPUs to its consumers, window by window, each in the order
 * that it asked for. A window is handled in two passes: decode all CPUs' pages into arrays of
 * facts, then deliver first the window's losses, then the facts. The two may be two threads. Order
 * by thread costs nothing for threads that stayed on their CPU within the window; only the facts of
 * those that moved are put in time order.
 */
#ifndef HVSCOPE_TRACE_STREAM_H
#define HVSCOPE_TRACE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "fact.h"
#include "trace/cursor.h"

struct binding;
struct subjects;
struct stream;

struct consumer {
	enum order order;
	void (*lost)(void *ctx, const struct loss *losses, size_t n); /* may be NULL */
	void (*feed)(void *ctx, const struct fact *facts, size_t n);
	/* Facts that were fed, when threads end among them. May be NULL. */
	void (*ended)(void *ctx, const struct fact *facts, size_t n);
	/*
	 * Whether something of the thread is pending, which an END_NUMBER would cut short. Asked
	 * when all that was decoded was fed, perhaps by another thread. May be NULL: never.
	 */
	bool (*holds)(void *ctx, uint32_t subject);
	void *ctx;
};

struct stream_stats {
	uint64_t records;	/* all walked, of any event */
	uint64_t first, last;	/* times of the first and the last record; first > last: none */
	uint64_t lost_records;	/* known number lost by the marks */
	uint64_t lost_marks;
	uint64_t lost_unknown;	/* marks without a number */
	uint64_t late;		/* records that came after their time was handed on */
	uint64_t damaged;	/* pages that could not be walked to their end */
	bool irregular;		/* a CPU's clock ran backwards, or a loss had no end when it was
				   told: where windows end may show */
	uint64_t retired;	/* threads that were too many */
	uint64_t cut_short;	/* of them those that consumers held something of */
};

/* The source, binding and subjects stay the caller's and outlive the stream. */
struct stream *stream_new(const struct page_source *source, struct binding *binding,
			  struct subjects *subjects);
void stream_free(struct stream *s);

/*
 * When there are more threads than that, those that were not seen for longest get an END_NUMBER,
 * which consumers hold nothing of before others. Without it THREADS_KEPT.
 */
void stream_keep_threads(struct stream *s, uint32_t n);

/* Adds a consumer before the first stream_advance(). */
void stream_add(struct stream *s, const struct consumer *consumer);

/*
 * From now on windows are decoded by a thread of their own, ahead of their delivery; whoever
 * advances the stream delivers them. What consumers are told is the same, and in the same order.
 * The source is called by either thread, never by both at once, and must be able to hold any number
 * of pages: how many are held is bounded by their size. Where the system gives no thread, nothing
 * changes.
 */
void stream_decode_ahead(struct stream *s);

/*
 * Delivers all facts with time < until, in as many windows as memory bounds ask for. UINT64_MAX:
 * all there is; then open losses end. Pages that are not there yet are simply not walked: the
 * caller knows the horizon. Returns 0, -1 with *err.
 */
int stream_advance(struct stream *s, uint64_t until, struct error *err);

/*
 * Live: all records of `cpu` before `time` are known to be read, and stand on pages below number
 * `page`: what was lost before a later page was lost no earlier than this.
 */
void stream_drained(struct stream *s, unsigned int cpu, uint64_t time, uint64_t page);

/* Earliest time of a record that was not handed on yet; UINT64_MAX when there is none. */
uint64_t stream_peek(struct stream *s, struct error *err);

/* Where a CPU's cursor is: the page of its next record, or that is wanted next, and its time. */
struct stream_place {
	uint64_t page;
	uint64_t next; /* UINT64_MAX: none is known */
};

struct stream_place stream_place(const struct stream *s, unsigned int cpu);

/* As of the window that was delivered last, or is being delivered. */
const struct stream_stats *stream_stats(const struct stream *s);

#endif
