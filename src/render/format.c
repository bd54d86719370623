// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See format.h. Decimal points are points: hvscope never sets a locale.
 */
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "render/format.h"

enum { NS_PER_SECOND = 1000000000 };

/* Splits so that the fraction is never negative, before 1970 either. */
static time_t split(int64_t ns, unsigned *fraction)
{
	int64_t seconds = ns / NS_PER_SECOND, rest = ns % NS_PER_SECOND;

	if (rest < 0) {
		rest += NS_PER_SECOND;
		seconds--;
	}
	*fraction = rest;
	return seconds;
}

char *format_rfc3339(char *buf, size_t size, int64_t ns)
{
	unsigned fraction;
	time_t seconds = split(ns, &fraction);
	char day[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, size, "%s.%09uZ", day, fraction);
	return buf;
}

char *format_clock(char *buf, size_t size, int64_t ns, bool fraction)
{
	unsigned rest;
	time_t seconds = split(ns, &rest);
	char clock[16];
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	if (fraction)
		snprintf(buf, size, "%s.%06u", clock, rest / 1000);
	else
		snprintf(buf, size, "%s", clock);
	return buf;
}

char *format_seconds(char *buf, size_t size, uint64_t ns)
{
	unsigned rest = ns % NS_PER_SECOND, places = 9;

	for (; rest && rest % 10 == 0; places--)
		rest /= 10;
	if (rest)
		snprintf(buf, size, "%llu.%0*u", (unsigned long long)(ns / NS_PER_SECOND),
			 (int)places, rest);
	else
		snprintf(buf, size, "%llu", (unsigned long long)(ns / NS_PER_SECOND));
	return buf;
}

char *format_double(char *buf, size_t size, enum column_type type, double value)
{
	if (!isfinite(value))
		value = 0;
	if (type == COLUMN_RATIO)
		snprintf(buf, size, "%.6g", value);
	else
		snprintf(buf, size, "%.9g", value);
	return buf;
}

const char *format_type(enum column_type type)
{
	static const char *const names[] = {
		[COLUMN_COUNT] = "count",         [COLUMN_NS] = "ns",
		[COLUMN_RATIO] = "ratio",         [COLUMN_RATE] = "rate",
		[COLUMN_BYTES] = "bytes",         [COLUMN_HEX] = "hex",
		[COLUMN_TEXT] = "text",           [COLUMN_TIME] = "time",
		[COLUMN_PARTLY] = "partly",       [COLUMN_BOOL] = "bool",
		[COLUMN_HISTOGRAM] = "histogram", [COLUMN_STACK] = "stack",
	};

	return names[type];
}

const char *format_partly(enum partly value)
{
	return value == PARTLY_YES ? "yes" : value == PARTLY_PARTLY ? "partly" : "no";
}

const char *format_source(enum source_kind kind)
{
	return kind == SOURCE_LIVE ? "live" : kind == SOURCE_FILE ? "file" : "proc";
}

bool format_is_figure(const struct column *column)
{
	switch (column->type) {
	case COLUMN_COUNT:
	case COLUMN_NS:
	case COLUMN_RATIO:
	case COLUMN_RATE:
	case COLUMN_BYTES:
	case COLUMN_HISTOGRAM:
		return !(column->flags & COLUMN_LABEL);
	default:
		return false;
	}
}

const char *format_unit(const struct column *column)
{
	switch (column->type) {
	case COLUMN_NS:
	case COLUMN_HISTOGRAM:
		return "seconds";
	case COLUMN_BYTES:
		return "bytes";
	case COLUMN_RATIO:
		return "ratio";
	case COLUMN_TIME:
		return "timestamp_seconds";
	default:
		return "";
	}
}

static bool is_exported(const struct column *column)
{
	return column->metric && column->type != COLUMN_TEXT && column->type != COLUMN_HEX &&
	       column->type != COLUMN_STACK && column->type != COLUMN_PARTLY &&
	       column->derive != DERIVE_PERCENTILE;
}

char *format_metric(char *buf, size_t size, const struct column *column)
{
	const char *unit = format_unit(column);
	bool counter = column_monotonic(column) && column->type != COLUMN_HISTOGRAM;

	if (!is_exported(column))
		return NULL;
	snprintf(buf, size, "hvscope_%s%s%s%s", column->metric, *unit ? "_" : "", unit,
		 counter ? "_total" : "");
	return buf;
}

static bool is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

char *format_utf8(const char *text, const char *keep)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t len = strlen(text), used = 0;
	char *out = xmalloc(3 * len + 1);
	uint32_t code;
	unsigned n;

	for (; len; text += n, len -= n) {
		n = text_utf8(text, len, &code);
		if (n && (!is_control(code) || (code < 0x80 && strchr(keep, (int)code)))) {
			memcpy(out + used, text, n);
			used += n;
			continue;
		}
		memcpy(out + used, replacement, sizeof(replacement) - 1);
		used += sizeof(replacement) - 1;
		n = n ? n : 1;
	}
	out[used] = '\0';
	return out;
}

bool format_wants(const struct render *render, const struct report *report,
		  const struct table *table)
{
	if (render->options.table)
		return !strcmp(table->name, render->options.table);
	return !render->renderer->one_table || table == report->tables[0];
}

int format_others_place(const struct table *table)
{
	int first = -1;

	for (unsigned i = 0; i < table->nr_columns; i++) {
		const struct column *def = table->columns[i].def;

		if (!(def->flags & COLUMN_LABEL))
			continue;
		if (def->type == COLUMN_TEXT)
			return i;
		if (first < 0)
			first = i;
	}
	return first;
}
