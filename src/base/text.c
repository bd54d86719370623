// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text: quoting, units, parsers. Decimal points are written and read by hand where
 * exactness matters; nothing depends on the locale, which hvscope never sets.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

unsigned text_utf8(const char *text, size_t len, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	unsigned n = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7f >> n);

	if (p[0] > 0xf4 || (p[0] >= 0x80 && p[0] < 0xc2) || n > len)
		return 0;
	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code = c;
	return n;
}

struct range {
	uint32_t first, last;
};

static bool in_ranges(const struct range *ranges, size_t n, uint32_t code)
{
	for (size_t i = 0; i < n; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* Characters that one doesn't see, or that change how others are seen. */
static bool is_unsafe(uint32_t code)
{
	static const struct range ranges[] = {
		{ 0, 0x1f },        { 0x7f, 0x9f },       { 0xad, 0xad },     { 0x61c, 0x61c },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
		{ 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	return in_ranges(ranges, ARRAY_SIZE(ranges), code);
}

/* The main blocks of combining and of wide characters; names rarely go beyond them. */
static unsigned char_width(uint32_t code)
{
	static const struct range combining[] = {
		{ 0x300, 0x36f },
		{ 0x1ab0, 0x1aff },
		{ 0x20d0, 0x20ff },
		{ 0xfe00, 0xfe0f },
	};
	static const struct range wide[] = {
		{ 0x1100, 0x115f }, { 0x2e80, 0xa4cf },   { 0xac00, 0xd7a3 },
		{ 0xf900, 0xfaff }, { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },
		{ 0xffe0, 0xffe6 }, { 0x1f300, 0x1faff }, { 0x20000, 0x3fffd },
	};

	if (in_ranges(combining, ARRAY_SIZE(combining), code))
		return 0;
	return in_ranges(wide, ARRAY_SIZE(wide), code) ? 2 : 1;
}

unsigned text_width(const char *text)
{
	size_t len = strlen(text);
	unsigned width = 0, n;
	uint32_t code;

	for (; len; text += n, len -= n) {
		n = text_utf8(text, len, &code);
		width += n ? char_width(code) : 1;
		n = n ? n : 1;
	}
	return width;
}

/* The safe form of the first character of text, in out (8 bytes); returns how much it took. */
static unsigned quote_one(char *out, const char *text, size_t len)
{
	uint32_t code;
	unsigned n = text_utf8(text, len, &code);

	if (!n)
		snprintf(out, 8, "\\x%02x", (unsigned char)*text);
	else if (code == '\n' || code == '\t' || code == '\\')
		snprintf(out, 8, "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : '\\');
	else if (is_unsafe(code) && code < 0x80)
		snprintf(out, 8, "\\x%02x", (unsigned char)code);
	else if (is_unsafe(code))
		snprintf(out, 8, code > 0xffff ? "\\U%05x" : "\\u%04x", code & 0xfffff);
	else
		snprintf(out, 8, "%.*s", (int)n, text);
	return n ? n : 1;
}

char *text_quote(char *buf, size_t size, const char *text)
{
	static const char cut[] = "…";
	size_t len = strlen(text), used = 0, end = 0, add;
	char out[8];
	unsigned n;

	for (; len; text += n, len -= n) {
		n = quote_one(out, text, len);
		add = strlen(out);
		if (used + add >= size) {
			memcpy(buf + end, cut, sizeof(cut));
			return buf;
		}
		memcpy(buf + used, out, add);
		used += add;
		if (used + sizeof(cut) <= size)
			end = used;
	}
	buf[used] = '\0';
	return buf;
}

char *text_quote_dup(const char *text, size_t limit)
{
	size_t most =
		strlen(text) * 4 + 1; /* no escape is longer than 4 times what it stands for */
	size_t size = max(min(most, limit + 1), (size_t)4);

	return text_quote(xmalloc(size), size, text);
}

char *text_fit(const char *text, unsigned width)
{
	size_t len = strlen(text), end = 0, used = 0;
	unsigned taken = 0, n, w;
	uint32_t code;

	if (text_width(text) <= width)
		return xstrdup(text);
	for (; len; used += n, len -= n) {
		n = text_utf8(text + used, len, &code);
		w = n ? char_width(code) : 1;
		n = n ? n : 1;
		if (taken + w + 1 > width)
			break;
		taken += w;
		end = used + n;
	}
	return xasprintf("%.*s…", (int)end, text);
}

/* Three digits that count: 1.52, 23.4, 107. */
static char *scaled(char *buf, size_t size, double value, const char *unit)
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(buf, size, "%.*f%s", decimals, value, unit);
	return buf;
}

char *text_ns(char *buf, size_t size, uint64_t ns)
{
	if (ns < 1000)
		snprintf(buf, size, "%uns", (unsigned)ns);
	else if (ns < 999500)
		scaled(buf, size, ns / 1e3, "us");
	else if (ns < 999500000)
		scaled(buf, size, ns / 1e6, "ms");
	else
		scaled(buf, size, ns / 1e9, "s");
	return buf;
}

char *text_bytes(char *buf, size_t size, uint64_t bytes)
{
	static const char *const units[] = { "B", "K", "M", "G", "T", "P", "E" };
	double value = bytes;
	unsigned i = 0;

	if (bytes < 1024) {
		snprintf(buf, size, "%uB", (unsigned)bytes);
		return buf;
	}
	for (; value >= 1023.5 && i < ARRAY_SIZE(units) - 1; i++)
		value /= 1024;
	return scaled(buf, size, value, units[i]);
}

char *text_percent(char *buf, size_t size, double ratio)
{
	snprintf(buf, size, "%.1f%%", ratio * 100);
	return buf;
}

char *text_rate(char *buf, size_t size, double per_second)
{
	return scaled(buf, size, per_second, "");
}

char *text_plural(char *buf, size_t size, uint64_t n, const char *singular, const char *plural)
{
	snprintf(buf, size, "%llu %s", (unsigned long long)n, n == 1 ? singular : plural);
	return buf;
}

/* Digits at *text, which moves behind them; -1 when there are none or value exceeds limit. */
static int digits(const char **text, uint64_t limit, uint64_t *value)
{
	const char *p = *text;
	uint64_t sum = 0;

	if (!isdigit((unsigned char)*p))
		return -1;
	for (; isdigit((unsigned char)*p); p++) {
		unsigned digit = *p - '0';

		if (sum > limit / 10 || sum * 10 > limit - min(limit, (uint64_t)digit))
			return -1;
		sum = sum * 10 + digit;
	}
	if (sum > limit)
		return -1;
	*text = p;
	*value = sum;
	return 0;
}

int parse_u64(const char *text, uint64_t limit, uint64_t *value, struct error *err)
{
	const char *p = text;

	if (digits(&p, limit, value) || *p)
		return error_set_status(err, 2, "'%s' is not a whole number from 0 to %llu", text,
					(unsigned long long)limit);
	return 0;
}

/*
 * A decimal number with up to 18 places, times `unit`, rounded down: exact. *text moves
 * behind the number.
 */
static int decimal(const char **text, const char *end, uint64_t unit, uint64_t *value)
{
	unsigned __int128 sum = 0, scale = 1;
	bool point = false, any = false;
	const char *p = *text;

	for (; p < end; p++) {
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (!isdigit((unsigned char)*p))
			return -1;
		any = true;
		if (point && scale == 1000000000000000000)
			continue;
		sum = sum * 10 + (*p - '0');
		scale *= point ? 10 : 1;
		if (sum / scale > UINT64_MAX / unit)
			return -1;
	}
	if (!any)
		return -1;
	sum = (sum / scale) * unit + (sum % scale) * unit / scale;
	if (sum > UINT64_MAX)
		return -1;
	*value = (uint64_t)sum;
	*text = p;
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static int parse_unit(const char *text, const struct unit *units, size_t nr, uint64_t *value)
{
	const char *end = text + strspn(text, "0123456789.");

	for (size_t i = 0; i < nr; i++)
		if (!strcasecmp(end, units[i].name))
			return decimal(&text, end, units[i].factor, value);
	return -1;
}

int parse_duration(const char *text, uint64_t *ns, struct error *err)
{
	static const struct unit units[] = {
		{ "", 1000000000 },
		{ "s", 1000000000 },
		{ "ms", 1000000 },
		{ "us", 1000 },
		{ "ns", 1 },
		{ "m", 60000000000 },
		{ "min", 60000000000 },
		{ "h", 3600000000000 },
	};

	if (parse_unit(text, units, ARRAY_SIZE(units), ns) || !*ns)
		return error_set_status(
			err, 2, "'%s' is not a time above 0 such as 500ms, 10s, 5m or 1h", text);
	return 0;
}

int parse_size(const char *text, uint64_t *bytes, struct error *err)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "B", 1 },
		{ "K", 1 << 10 },
		{ "KB", 1 << 10 },
		{ "KiB", 1 << 10 },
		{ "M", 1 << 20 },
		{ "MB", 1 << 20 },
		{ "MiB", 1 << 20 },
		{ "G", 1 << 30 },
		{ "GB", 1 << 30 },
		{ "GiB", 1 << 30 },
		{ "T", 1ULL << 40 },
		{ "TB", 1ULL << 40 },
		{ "TiB", 1ULL << 40 },
	};

	if (parse_unit(text, units, ARRAY_SIZE(units), bytes))
		return error_set_status(err, 2, "'%s' is not a size such as 4096, 64K or 16M",
					text);
	return 0;
}

/* Puts ppm in its place among those that are there. */
static int insert_ppm(uint32_t *ppm, unsigned room, unsigned *nr, uint32_t value)
{
	unsigned i = 0;

	while (i < *nr && ppm[i] < value)
		i++;
	if (i < *nr && ppm[i] == value)
		return 0;
	if (*nr == room)
		return -1;
	memmove(ppm + i + 1, ppm + i, (*nr - i) * sizeof(*ppm));
	ppm[i] = value;
	++*nr;
	return 0;
}

int parse_percentiles(const char *text, uint32_t *ppm, unsigned room, unsigned *nr,
		      struct error *err)
{
	const char *p = text;
	uint64_t value;

	*nr = 0;
	for (;; p++) {
		const char *end = p + strcspn(p, ",");
		const char *point = memchr(p, '.', end - p);

		/* A key names at most four places: p99_9999_ns. */
		if ((point && end - point > 5) || decimal(&p, end, 10000, &value) || !value ||
		    value > 1000000)
			return error_set_status(err, 2,
						"'%s' is not a list of percentiles above 0 and "
						"up to 100 such as 50,90,99.9",
						text);
		if (insert_ppm(ppm, room, nr, value))
			return error_set_status(err, 2, "'%s' has more than %u percentiles", text,
						room);
		if (!*p)
			return 0;
	}
}

void cpuset_add(struct cpuset *set, unsigned cpu)
{
	if (cpu / 64 >= set->nr_words) {
		unsigned nr = cpu / 64 + 1;

		set->words = xreallocarray(set->words, nr, sizeof(*set->words));
		memset(set->words + set->nr_words, 0, (nr - set->nr_words) * sizeof(*set->words));
		set->nr_words = nr;
	}
	set->words[cpu / 64] |= (uint64_t)1 << (cpu % 64);
}

unsigned cpuset_count(const struct cpuset *set)
{
	unsigned n = 0;

	for (unsigned i = 0; i < set->nr_words; i++)
		n += __builtin_popcountll(set->words[i]);
	return n;
}

void cpuset_free(struct cpuset *set)
{
	free(set->words);
	memset(set, 0, sizeof(*set));
}

/* One element "3", "0-3" or "0-31:4"; *text moves behind it. */
static int cpuset_element(struct cpuset *set, const char **text)
{
	uint64_t first, last, step = 1;

	if (digits(text, CPUSET_MAX - 1, &first))
		return -1;
	last = first;
	if (**text == '-') {
		++*text;
		if (digits(text, CPUSET_MAX - 1, &last) || last < first)
			return -1;
		if (**text == ':') {
			++*text;
			if (digits(text, CPUSET_MAX, &step) || !step)
				return -1;
		}
	}
	for (; first <= last; first += step)
		cpuset_add(set, first);
	return 0;
}

int cpuset_parse(struct cpuset *set, const char *text, struct error *err)
{
	const char *p = text;

	for (;;) {
		if (cpuset_element(set, &p))
			break;
		if (*p != ',') {
			if (p[strspn(p, " \t\n")])
				break;
			return 0;
		}
		p++;
	}
	cpuset_free(set);
	return error_set_status(err, 2, "'%.*s' is not a list of CPUs such as 0-3,8",
				(int)strcspn(text, "\n"), text);
}

enum { WORD_MAX = 64 }; /* longer words have no near matches */

unsigned text_distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *now = rows[2], *swap;
	size_t len_a = strlen(a), len_b = strlen(b);

	if (len_a > WORD_MAX || len_b > WORD_MAX)
		return max(len_a, len_b);
	for (size_t j = 0; j <= len_b; j++)
		last[j] = j;
	for (size_t i = 1; i <= len_a; i++) {
		now[0] = i;
		for (size_t j = 1; j <= len_b; j++) {
			bool same = a[i - 1] == b[j - 1];

			now[j] = min(min(last[j], now[j - 1]) + 1, last[j - 1] + !same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = min(now[j], before[j - 2] + 1);
		}
		swap = before;
		before = last;
		last = now;
		now = swap;
	}
	return last[len_b];
}

const char *text_nearer(const char *word, const char *candidate, const char *best)
{
	size_t len = strlen(word);
	unsigned limit = len < 3 ? 1 : len < 6 ? 2 : 3;
	unsigned distance = text_distance(word, candidate);

	/* The beginning of a longer word is meant, however much is missing. */
	if (len >= 3 && !strncmp(word, candidate, len))
		distance = min(distance, 1u);
	if (distance > limit || distance >= max(len, strlen(candidate)))
		return best;
	return !best || distance < text_distance(word, best) ? candidate : best;
}
