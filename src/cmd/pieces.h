/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An analysis of a file that is cut in time (trace/piece.h): each piece is read by a thread of its
 * own, with a stream, subjects and a state of its own, and at the end the states are joined in
 * order. What comes out is what one stream would have told, or nothing.
 */
#ifndef HVSCOPE_CMD_PIECES_H
#define HVSCOPE_CMD_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/env.h"
#include "trace/stream.h"

/* Of all pieces. */
struct pieces_progress {
	uint64_t records, lost_records;
	uint64_t pages; /* that were read */
};

struct pieces {
	const struct analysis *analysis; /* that has join() */
	const struct env *env;
	const uint64_t *seams; /* ascending; there is one piece more: */
	unsigned int n_seams;
	const struct page_source *sources; /* for each piece the whole: see piece_new() */

	/* Called some times a second meanwhile, by the caller's thread; false: stop. Or NULL. */
	bool (*meanwhile)(void *ctx, const struct pieces_progress *progress);
	void *ctx;

	void *state;		   /* out: of the analysis, with `env`; the caller's to free */
	struct stream_stats stats; /* out */
};

/* Whether records of this kind, from there, can be worked on in pieces by this analysis. */
bool pieces_fit(const struct analysis *analysis, const struct env *env,
		const struct page_source *source);

/*
 * Whether all went well and no piece met anything that depends on what came before it: records
 * that came late, clocks that ran backwards, damage. If not, nothing comes out, and the file has to
 * be read by one stream, which also tells what is wrong. After a stop the result is of what was
 * read up to the first place that wasn't.
 */
bool pieces_run(struct pieces *p);

#endif
