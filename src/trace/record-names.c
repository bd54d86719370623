// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names for addresses in print fmts. libtraceevent asks for a function when it prints one; the
 * kernel's texts it wants beforehand.
 */
#include "trace/record-names.h"

#include <ctype.h>
#include <errno.h>
#include <event-parse.h>
#include <string.h>

#include "base/util.h"
#include "trace/ksyms.h"

/* No value has all these bits but one that is named by nothing else. */
#define NEVER_SET "0x7fffffffffffffff"

static void mend_flags(struct tep_print_flag_sym *flag)
{
	for (; flag; flag = flag->next) {
		if (!flag->value || isdigit((unsigned char)*flag->value) || *flag->value == '(' ||
		    strstr(flag->value, "_SOFTIRQ") || !strncmp(flag->value, "HRTIMER_", 8))
			continue;
		free(flag->value);
		flag->value = xstrdup(NEVER_SET);
	}
}

static void mend_arg(struct tep_print_arg *arg)
{
	if (!arg)
		return;
	if (arg->type == TEP_PRINT_FLAGS) {
		mend_flags(arg->flags.flags);
	} else if (arg->type == TEP_PRINT_TYPE) {
		mend_arg(arg->typecast.item);
	} else if (arg->type == TEP_PRINT_OP) {
		mend_arg(arg->op.left);
		mend_arg(arg->op.right);
	}
}

void record_names_mend(struct tep_event *event)
{
	for (struct tep_print_arg *arg = event->print_fmt.args; arg; arg = arg->next)
		mend_arg(arg);
}

bool record_names_functions(const struct tep_event *event)
{
	const char *p = event->print_fmt.format;

	while (p && (p = strstr(p, "%p")) != NULL) {
		p += 2;
		if (*p && strchr("sSfFB", *p))
			return true;
	}
	return false;
}

static char *find_function(void *ctx, unsigned long long *address, char **module)
{
	struct ksym sym;

	if (!ksyms_find(ctx, *address, &sym))
		return NULL;
	*address -= sym.offset;
	*module = (char *)sym.module;
	return (char *)sym.name;
}

void record_names_by(struct tep_handle *tep, const struct ksyms *ksyms)
{
	tep_set_function_resolver(tep, find_function, (void *)ksyms);
}

/*
 * Without the escapes that the kernel writes for quotes and backslashes; the quote at the end stays
 * for libtraceevent to take off.
 */
static void unescape(char *text)
{
	char *to = text;
	const char *p;

	for (p = text; *p && *p != '"'; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
		*to++ = *p;
	}
	if (*p)
		*to++ = '"';
	*to = '\0';
}

/* '0xffffffff82000000 : "text"' */
static void add_text(struct tep_handle *tep, char *line)
{
	unsigned long long address;
	char *end, *text;

	errno = 0;
	address = strtoull(line, &end, 16);
	if (errno || !address || strncmp(end, " : \"", 4))
		return;
	text = end + 4;
	unescape(text);
	/* libtraceevent looks for a newline in the two characters before the quote */
	if (strlen(text) > 2)
		tep_register_print_string(tep, text, address);
}

void record_names_texts(struct tep_handle *tep, const char *lines, size_t len)
{
	char *copy = xstrndup(lines, len), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		add_text(tep, line);
	free(copy);
}
