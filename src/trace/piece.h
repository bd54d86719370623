/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces: a source that is whole and has any of its pages at hand (a file), cut in time, so that
 * each piece can be read by a stream of its own. The time between two pieces is a seam.
 *
 * The stream of a piece has to be advanced to its seam first. Then each of its cursors is where one
 * that came all the way would be and knows what that one would: what lies between the last record
 * before the seam and the first one behind it, and where a loss there began.
 */
#ifndef HVSCOPE_TRACE_PIECE_H
#define HVSCOPE_TRACE_PIECE_H

#include "trace/cursor.h"

struct piece;

/*
 * What begins at `seam`. The whole, which has no clock(), is asked for pages in any order until the
 * piece knows its first ones and has released those before them.
 */
struct piece *piece_new(const struct page_source *whole, uint64_t seam);
void piece_free(struct piece *p);

const struct page_source *piece_source(const struct piece *p);

/* The number in the whole of a page of the piece. */
uint64_t piece_page(const struct piece *p, unsigned int cpu, uint64_t n);

/*
 * Up to n - 1 seams, ascending, for n pieces of about as many pages each; returns how many. `pages`
 * says how many each CPU has; some of them are asked for their time().
 */
unsigned int piece_seams(const struct page_source *whole, const uint64_t *pages, unsigned int n,
			 uint64_t *seams);

#endif
