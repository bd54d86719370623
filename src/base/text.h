/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for people and text from people: quoting for a terminal, scaled units, and
 * strict parsers of what is typed on a command line. Nothing here depends on the
 * locale. Parsers return 0, or -1 with a sentence that names the bad text; status 2.
 */
#ifndef HVSCOPE_BASE_TEXT_H
#define HVSCOPE_BASE_TEXT_H

#include "base/error.h"

/*
 * The first character of text (len > 0 bytes): its length in bytes and *code, or 0 when
 * the bytes are no valid UTF-8 (overlong, surrogate, cut, beyond U+10FFFF).
 */
unsigned text_utf8(const char *text, size_t len, uint32_t *code);

/* Columns of a terminal that valid UTF-8 text takes (0, 1 or 2 a character). */
unsigned text_width(const char *text);

/*
 * Makes text from outside safe for a terminal and keeps it on one line: control
 * characters, invisible and direction-changing ones, and bytes that are no UTF-8 become
 * escapes (\n, \t, \x1b), a backslash is doubled. NUL-terminated; cut with "…" when
 * size is too small (size ≥ 4). Returns buf.
 */
char *text_quote(char *buf, size_t size, const char *text);

/* Likewise, in memory that the caller frees, cut to at most limit bytes of result. */
char *text_quote_dup(const char *text, size_t limit);

/* The text cut to a width in columns, with "…" where something is missing; the caller frees it. */
char *text_fit(const char *text, unsigned width);

/* Scaled figures; all return buf. The buffer should have TEXT_UNIT_SIZE bytes. */
enum { TEXT_UNIT_SIZE = 32 };

char *text_ns(char *buf, size_t size, uint64_t ns);         /* 812ns 1.52us 23.4ms 107s */
char *text_bytes(char *buf, size_t size, uint64_t bytes);   /* 512B 4.00K 16.0M */
char *text_percent(char *buf, size_t size, double ratio);   /* 0…1 → 12.3% */
char *text_rate(char *buf, size_t size, double per_second); /* 0.25 12.3 48210 */

/* "1 record", "2 records": the count and the word in its number. */
char *text_plural(char *buf, size_t size, uint64_t n, const char *singular, const char *plural);

/* Whole decimal digits, nothing else; at most `limit`. */
int parse_u64(const char *text, uint64_t limit, uint64_t *value, struct error *err);

/* 500ms, 10s, 5m, 1h, 250us, 100ns; plain numbers are seconds; a fraction is allowed. Above 0. */
int parse_duration(const char *text, uint64_t *ns, struct error *err);

/* 4096, 4K, 16M, 1G (powers of 1024, either case, an optional B or iB). */
int parse_size(const char *text, uint64_t *bytes, struct error *err);

/* "50,90,99,99.9" → parts per million, ascending, without repetition; at most `room`. */
int parse_percentiles(const char *text, uint32_t *ppm, unsigned room, unsigned *nr,
		      struct error *err);

/* Sets of CPU numbers 0 … 65535. A zeroed struct is the empty set. */
struct cpuset {
	uint64_t *words;
	unsigned nr_words;
};

enum { CPUSET_MAX = 65536 };

/* "0-3,8", also with stride "0-31:4"; spaces and a newline at the end are allowed. */
int cpuset_parse(struct cpuset *set, const char *text, struct error *err);
void cpuset_add(struct cpuset *set, unsigned cpu);
unsigned cpuset_count(const struct cpuset *set);
void cpuset_free(struct cpuset *set);

static inline bool cpuset_has(const struct cpuset *set, unsigned cpu)
{
	return cpu / 64 < set->nr_words && (set->words[cpu / 64] >> (cpu % 64) & 1);
}

/* How many insertions, deletions, replacements or swaps of neighbours lie between two words. */
unsigned text_distance(const char *a, const char *b);

/*
 * The candidate next to the word, near enough to be meant by it, or NULL: for "did you
 * mean". Give candidates one by one: best = text_nearer(word, candidate, best).
 */
const char *text_nearer(const char *word, const char *candidate, const char *best);

#endif
