// SPDX-License-Identifier: GPL-2.0-or-later
/* Losses as a sorted list of disjoint spans: see losses.h for what they are kept for. */
#include "analysis/losses.h"

#include <string.h>

#include "base/util.h"

void losses_free(struct losses *l)
{
	free(l->spans);
	*l = (struct losses){ 0 };
}

static void set_hull(struct losses *l)
{
	l->from = l->n ? l->spans[0].from : 0;
	l->to = l->n ? l->spans[l->n - 1].to : 0;
}

static int by_time(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->from != y->from)
		return x->from > y->from ? 1 : -1;
	return (x->to > y->to) - (x->to < y->to);
}

/*
 * Merges spans that truly overlap. Two that only touch stay two: an interval of no length that
 * lies on their border meets neither. A span may be empty: the records around the loss had the
 * same time.
 */
static void merge(struct losses *l)
{
	size_t kept = 0;

	qsort(l->spans, l->n, sizeof(*l->spans), by_time);
	for (size_t i = 1; i < l->n; i++) {
		struct span *last = &l->spans[kept];

		if (l->spans[i].from < last->to)
			last->to = max(last->to, l->spans[i].to);
		else
			l->spans[++kept] = l->spans[i];
	}
	l->n = l->n ? kept + 1 : 0;
}

void losses_add(struct losses *l, const struct loss *losses, size_t n)
{
	if (l->n + n > l->room) {
		l->room = 2 * (l->n + n);
		l->spans = xreallocarray(l->spans, l->room, sizeof(*l->spans));
	}
	for (size_t i = 0; i < n; i++)
		if (losses[i].from <= losses[i].to)
			l->spans[l->n++] = (struct span){ losses[i].from, losses[i].to };
	merge(l);
	set_hull(l);
}

void losses_forget(struct losses *l, uint64_t time)
{
	size_t gone = 0;

	while (gone < l->n && l->spans[gone].to <= time && l->spans[gone].from < time)
		gone++;
	if (!gone)
		return;
	l->n -= gone;
	memmove(l->spans, l->spans + gone, l->n * sizeof(*l->spans));
	set_hull(l);
}

bool losses_search(const struct losses *l, uint64_t begin, uint64_t end)
{
	size_t low = 0, high = l->n;

	/* The first span that ends after the interval's begin is the only candidate. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->spans[middle].to > begin)
			high = middle;
		else
			low = middle + 1;
	}
	return low < l->n && l->spans[low].from < end;
}
