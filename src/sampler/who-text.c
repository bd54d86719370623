// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The two texts that tell who is who in a trace file: markers and --vm-map files. Both come from
 * outside, so both parsers take exactly what the format says and nothing else.
 */
#include "sampler/who-text.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

static const char marker_word[] = "hvscope-who 1 ";

/* Longest names in a marker: with every byte encoded it still fits into one write to tracefs. */
enum { MARKER_VM = 240, MARKER_COMM = 63 };

static size_t put_number(char *to, int32_t n)
{
	return (size_t)(n < 0 ? snprintf(to, 16, "- ") : snprintf(to, 16, "%d ", n));
}

/* Bytes that would end a field, aren't printable ASCII, or could be taken for "unknown". */
static bool plain(unsigned char c, bool alone)
{
	return c > ' ' && c <= '~' && c != '%' && !(alone && c == '-');
}

static size_t put_name(char *to, const char *name, size_t limit)
{
	size_t n = 0, len = name ? strnlen(name, limit) : 0;

	if (!len)
		return (size_t)snprintf(to, 2, "-");
	for (size_t i = 0; i < len; i++) {
		if (plain((unsigned char)name[i], len == 1))
			to[n++] = name[i];
		else
			n += (size_t)snprintf(to + n, 4, "%%%02x", (unsigned char)name[i]);
	}
	to[n] = '\0';
	return n;
}

size_t who_format_marker(const struct who_thread *thread, char buf[WHO_MARKER_SIZE])
{
	size_t n = (size_t)snprintf(buf, WHO_MARKER_SIZE, "%s", marker_word);

	n += put_number(buf + n, thread->tid);
	n += put_number(buf + n, thread->pid);
	n += put_number(buf + n, thread->vcpu);
	n += put_name(buf + n, thread->vm, MARKER_VM);
	buf[n++] = ' ';
	n += put_name(buf + n, thread->comm, MARKER_COMM);
	return n;
}

/* The next field, up to one blank or the end; false when it is empty. */
static bool next_field(const char **p, const char *end, const char **field, size_t *len)
{
	const char *blank = memchr(*p, ' ', (size_t)(end - *p));

	*field = *p;
	*len = (size_t)((blank ? blank : end) - *p);
	*p = blank ? blank + 1 : end;
	return *len > 0 && !(blank && blank + 1 == end);
}

static bool get_number(const char **p, const char *end, bool unknown, int32_t *n)
{
	const char *field;
	char text[16];
	uint64_t value;
	size_t len;

	if (!next_field(p, end, &field, &len) || len >= sizeof(text) || memchr(field, '\0', len))
		return false;
	memcpy(text, field, len);
	text[len] = '\0';
	if (unknown && !strcmp(text, "-")) {
		*n = -1;
		return true;
	}
	if (parse_u64(text, INT32_MAX, &value, NULL))
		return false;
	*n = (int32_t)value;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool get_name(const char **p, const char *end, char *to, size_t size, const char **name)
{
	const char *field;
	size_t len, n = 0;

	if (!next_field(p, end, &field, &len))
		return false;
	*name = NULL;
	if (len == 1 && *field == '-')
		return true;
	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)field[i];

		if (c == '%') {
			if (len - i < 3 || hex_digit(field[i + 1]) < 0 ||
			    hex_digit(field[i + 2]) < 0)
				return false;
			c = hex_digit(field[i + 1]) << 4 | hex_digit(field[i + 2]);
			i += 2;
		} else if (!plain((unsigned char)c, len == 1)) {
			return false;
		}
		if (!c || n + 1 >= size)
			return false;
		to[n++] = (char)c;
	}
	to[n] = '\0';
	*name = to;
	return true;
}

bool who_parse_marker(const char *text, size_t len, struct who_marker *m)
{
	size_t word = strlen(marker_word);
	const char *p = text + word, *end = text + len;

	/* The kernel puts a newline behind what was written, and the record is padded. */
	while (end > text && end[-1] == '\0')
		end--;
	if (end > text && end[-1] == '\n')
		end--;
	if ((size_t)(end - text) <= word || memcmp(text, marker_word, word))
		return false;
	return get_number(&p, end, false, &m->thread.tid) &&
	       get_number(&p, end, true, &m->thread.pid) &&
	       get_number(&p, end, true, &m->thread.vcpu) &&
	       get_name(&p, end, m->vm, sizeof(m->vm), &m->thread.vm) &&
	       get_name(&p, end, m->comm, sizeof(m->comm), &m->thread.comm) && p == end;
}

/* --- --vm-map --- */

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t\r");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r", end[-1]))
		*--end = '\0';
	return text;
}

/* Cuts the last word off; NULL when it is the only one. */
static char *last_word(char *text)
{
	char *p = text + strlen(text);

	while (p > text && !strchr(" \t", p[-1]))
		p--;
	if (p == text)
		return NULL;
	p[-1] = '\0';
	return p;
}

static bool map_number(const char *text, bool unknown, int32_t *n)
{
	uint64_t value;

	*n = -1;
	if (unknown && !strcmp(text, "-"))
		return true;
	if (parse_u64(text, INT32_MAX, &value, NULL))
		return false;
	*n = (int32_t)value;
	return true;
}

int who_parse_map_line(char *line, struct who_thread *t)
{
	char *p = trim(line), *tid, *pid, *vcpu, *name;

	*t = (struct who_thread){ .tid = -1, .pid = -1, .vcpu = -1 };
	if (!*p || *p == '#')
		return 0;
	tid = strsep(&p, " \t");
	if (p)
		p = trim(p);
	pid = p ? strsep(&p, " \t") : NULL;
	name = p ? trim(p) : NULL;
	vcpu = name ? last_word(name) : NULL;
	if (!vcpu || !map_number(tid, false, &t->tid) || !map_number(pid, true, &t->pid) ||
	    !map_number(vcpu, true, &t->vcpu))
		return -1;
	name = trim(name);
	t->vm = strcmp(name, "-") ? name : NULL;
	return *name ? 1 : -1;
}
