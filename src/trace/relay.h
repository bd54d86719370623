/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two threads, one ahead of the other: a maker fills slots, its owner uses them, in the same order.
 * How far the maker may be ahead is bounded by the number of slots and by the bytes in them.
 *
 * What one side wrote before it handed a slot over is seen by the other: nothing that goes with a
 * slot needs a lock of its own.
 */
#ifndef HVSCOPE_TRACE_RELAY_H
#define HVSCOPE_TRACE_RELAY_H

#include <stddef.h>

enum { RELAY_SLOTS = 8 };

struct relay;

/*
 * Fills a slot that nobody uses and tells in *bytes how much it takes: 1 more may come, 0 this was
 * the last one, -1 it failed and the slot has nothing.
 */
typedef int relay_make(void *ctx, unsigned int slot, size_t *bytes);

/* NULL: the system gives no thread. `bytes`: beyond it only one slot is filled at a time. */
struct relay *relay_new(relay_make *make, void *ctx, size_t bytes);
void relay_free(struct relay *r);

/* The maker begins. Until relay_next() said 0 or -1, what make() touches is the maker's. */
void relay_begin(struct relay *r);

/* Waits for the next slot: 1 and *slot; 0 there are no more; -1 the maker failed. */
int relay_next(struct relay *r, unsigned int *slot);

/* The slot that relay_next() gave was used. */
void relay_done(struct relay *r, unsigned int slot);

/* For make(): waits until every slot was used that was handed over. */
void relay_settle(struct relay *r);

#endif
