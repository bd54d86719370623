// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Functions only, sorted by address. Where several have one address, the first in the list stands
 * for all, as in the kernel's own messages.
 */
#include "trace/ksyms.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"

/* A function isn't longer: an address further behind one is in what has no name (BPF, gaps). */
enum { FUNCTION_MAX = 1 << 20 };

enum { TEXT_LIMIT = 256 << 20 }; /* bytes; the list of a kernel with many modules has 20 MB */

struct symbol {
	uint64_t address;
	const char *name, *module;
};

struct ksyms {
	char *text; /* names and modules are in it */
	struct symbol *symbols;
	size_t n, room;
};

static void add(struct ksyms *k, const struct symbol *symbol)
{
	k->symbols = xgrow(k->symbols, k->n, &k->room, sizeof(*k->symbols));
	k->symbols[k->n++] = *symbol;
}

/* "ffffffff81000000 T name" and "\t[module]" behind it, split up in place. */
static bool parse_line(char *line, struct symbol *symbol)
{
	char *end, *module;

	*symbol = (struct symbol){ .address = strtoull(line, &end, 16) };
	if (!symbol->address || end[0] != ' ' || !end[1] || !strchr("tTwW", end[1]) ||
	    end[2] != ' ')
		return false;
	symbol->name = end + 3;
	end += 3 + strcspn(end + 3, "\t ");
	if (!*end)
		return *symbol->name;
	*end++ = '\0';
	module = strchr(end, '[');
	if (module) {
		symbol->module = module + 1;
		module[strcspn(module, "]")] = '\0';
	}
	return *symbol->name;
}

/* Equal addresses keep the order of the list: their names' places in it. */
static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address > y->address ? 1 : -1;
	return (x->name > y->name) - (x->name < y->name);
}

/* Takes over the text, which is NUL-terminated. */
static struct ksyms *parse(char *text)
{
	struct ksyms *k = xcalloc(1, sizeof(*k));
	struct symbol symbol;
	char *rest = text, *line;

	k->text = text;
	while ((line = strsep(&rest, "\n")))
		if (parse_line(line, &symbol))
			add(k, &symbol);
	if (k->n)
		qsort(k->symbols, k->n, sizeof(*k->symbols), by_address);
	return k;
}

struct ksyms *ksyms_new(const char *text, size_t len)
{
	return parse(xstrndup(text, len));
}

char *ksyms_text(const struct root *root, size_t *len, struct error *err)
{
	char *text = path_read_all(root, TEXT_LIMIT, len, "/proc/kallsyms");

	if (!text)
		error_errno(err, errno, "can't read the list of functions, /proc/kallsyms");
	return text;
}

struct ksyms *ksyms_load(const struct root *root, struct error *err)
{
	char *text = ksyms_text(root, NULL, err);

	return text ? parse(text) : NULL;
}

void ksyms_free(struct ksyms *k)
{
	if (!k)
		return;
	free(k->symbols);
	free(k->text);
	free(k);
}

bool ksyms_empty(const struct ksyms *k)
{
	return !k->n;
}

bool ksyms_find(const struct ksyms *k, uint64_t address, struct ksym *sym)
{
	size_t low = 0, high = k->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (k->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - k->symbols[low - 1].address >= FUNCTION_MAX)
		return false;
	for (low--; low && k->symbols[low - 1].address == k->symbols[low].address;)
		low--;
	*sym = (struct ksym){
		.name = k->symbols[low].name,
		.module = k->symbols[low].module,
		.offset = address - k->symbols[low].address,
	};
	return true;
}
