// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stacks as a tree of callers, for people: what has the same outer functions stands once, with the
 * sum of all below it. Rows become paths (keys that tell them apart, then functions, outermost
 * first), which are sorted: what has a beginning in common then stands together, so a node is a
 * range of them and no tree is built.
 *
 * A function that calls only one is followed by it without a step inwards and without its number
 * again.
 */
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "render/format.h"
#include "render/sentences.h"
#include "render/stack-table.h"

enum { NAME_MAX_BYTES = 1024, STEP = 2 };

struct path {
	const char **names; /* outermost first */
	unsigned n, keys;   /* those of keys are ours, the others the table's */
	uint64_t number;
};

/* A range of paths that go on alike. */
struct node {
	const struct path *paths;
	size_t n;
	uint64_t sum;
};

struct tree {
	FILE *out;
	enum column_type type; /* of the numbers */
	unsigned width;	       /* of the longest */
	uint64_t all;
};

static void number_text(const struct tree *t, uint64_t number, char *buf, size_t size)
{
	if (t->type == COLUMN_NS)
		text_ns(buf, size, number);
	else
		snprintf(buf, size, "%llu", (unsigned long long)number);
}

static void put_name(const struct tree *t, const struct node *node, const char *name,
		     unsigned indent)
{
	char *quoted = text_quote_dup(name, NAME_MAX_BYTES);
	char number[TEXT_UNIT_SIZE] = "", share[TEXT_UNIT_SIZE] = "";

	if (node) {
		number_text(t, node->sum, number, sizeof(number));
		text_percent(share, sizeof(share),
			     t->all ? (double)node->sum / (double)t->all : 0);
	}
	fprintf(t->out, "%*s  %6s  %*s%s\n", (int)t->width, number, share, (int)indent, "", quoted);
	free(quoted);
}

static int compare_paths(const void *a, const void *b)
{
	const struct path *one = a, *two = b;

	for (unsigned i = 0; i < one->n && i < two->n; i++) {
		int order = strcmp(one->names[i], two->names[i]);

		if (order)
			return order;
	}
	return one->n < two->n ? -1 : one->n > two->n;
}

/* The greatest first, else as they are sorted. */
static int compare_nodes(const void *a, const void *b)
{
	const struct node *one = a, *two = b;

	if (one->sum != two->sum)
		return one->sum < two->sum ? 1 : -1;
	return one->paths < two->paths ? -1 : one->paths > two->paths;
}

/* What path has at a depth; where it ends, NULL. */
static const char *name_at(const struct path *path, unsigned depth)
{
	return depth < path->n ? path->names[depth] : NULL;
}

/* Cuts a range by what its paths have at a depth; returns how many nodes that makes. */
static size_t cut(const struct node *range, unsigned depth, struct node *nodes)
{
	const char *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < range->n; i++) {
		const struct path *path = &range->paths[i];
		const char *name = name_at(path, depth);

		if (!n || !last != !name || (last && strcmp(last, name)))
			nodes[n++] = (struct node){ .paths = path };
		nodes[n - 1].n++;
		nodes[n - 1].sum += path->number;
		last = name;
	}
	return n;
}

/* The names that all paths of a node have from a depth on. */
static unsigned put_chain(const struct tree *t, const struct node *node, unsigned depth,
			  unsigned indent)
{
	const struct path *first = &node->paths[0], *last = &node->paths[node->n - 1];

	put_name(t, node, name_at(first, depth), indent);
	for (depth++; name_at(first, depth) && name_at(last, depth) &&
		      !strcmp(name_at(first, depth), name_at(last, depth));
	     depth++)
		put_name(t, NULL, name_at(first, depth), indent);
	return depth;
}

static void put_range(const struct tree *t, const struct node *range, unsigned depth,
		      unsigned indent)
{
	struct node *nodes = xcalloc(range->n + 1, sizeof(*nodes));
	size_t n = cut(range, depth, nodes);

	qsort(nodes, n, sizeof(*nodes), compare_nodes);
	for (size_t i = 0; i < n; i++) {
		unsigned deeper;

		if (!name_at(nodes[i].paths, depth)) {
			put_name(t, &nodes[i], "[self]", indent);
			continue;
		}
		deeper = put_chain(t, &nodes[i], depth, indent);
		if (nodes[i].n > 1)
			put_range(t, &nodes[i], deeper, indent + STEP);
	}
	free(nodes);
}

static char *key_text(const struct column *def, const struct cell *cell)
{
	if (!cell->set)
		return xstrdup("-");
	if (def->type == COLUMN_TEXT)
		return xstrdup(cell->v.text);
	return xasprintf("%s %llu", def->key, (unsigned long long)cell->v.u);
}

static void make_path(struct path *path, const struct stack_table *s, const struct row *row)
{
	const struct cell *cell = &row->cells[s->stack];
	unsigned frames = cell->set ? cell->v.stack->nr : 0;

	path->number = row->cells[s->number].v.u;
	path->names = xcalloc(s->table->nr_columns + frames + 1, sizeof(*path->names));
	for (unsigned i = 0; i < s->table->nr_columns; i++)
		if (s->keys[i])
			path->names[path->keys++] =
				key_text(s->table->columns[i].def, &row->cells[i]);
	path->n = path->keys;
	if (!cell->set)
		path->names[path->n++] = "[no stack]";
	for (unsigned i = 0; i < frames; i++)
		path->names[path->n++] = cell->v.stack->frames[i];
}

/* Of all rows that have a number. */
static size_t make_paths(const struct stack_table *s, struct path *paths)
{
	const struct table *table = s->table;
	size_t n = 0;

	for (size_t i = 0; i < table->nr_rows; i++)
		if (table->rows[i]->cells[s->number].set)
			make_path(&paths[n++], s, table->rows[i]);
	return n;
}

/* What -n left out. */
static uint64_t others(const struct stack_table *s)
{
	const struct row *row = s->table->others;

	return row && row->cells[s->number].set ? row->cells[s->number].v.u : 0;
}

static void put_others(const struct tree *t, const struct stack_table *s)
{
	struct node node = { .sum = others(s) };
	char name[64];

	if (!s->table->others)
		return;
	snprintf(name, sizeof(name), "(%zu others)", s->table->nr_others);
	put_name(t, &node, name, 0);
}

static void free_paths(struct path *paths, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (unsigned j = 0; j < paths[i].keys; j++)
			free((char *)paths[i].names[j]);
		free(paths[i].names);
	}
	free(paths);
}

static void put_tree(const struct render *render, const struct stack_table *s)
{
	const struct column *number = s->table->columns[s->number].def;
	struct path *paths = xcalloc(s->table->nr_rows + 1, sizeof(*paths));
	struct node root = { .paths = paths, .n = make_paths(s, paths) };
	struct tree t = { .out = render->out, .type = number->type, .all = others(s) };
	char text[TEXT_UNIT_SIZE];

	qsort(paths, root.n, sizeof(*paths), compare_paths);
	for (size_t i = 0; i < root.n; i++)
		t.all += paths[i].number;
	number_text(&t, t.all, text, sizeof(text));
	t.width = (unsigned)max(strlen(text), strlen(number->title));
	if (!render->options.quiet)
		fprintf(t.out, "%*s  %6s  %s\n", (int)t.width, number->title, "SHARE", "FUNCTION");
	put_range(&t, &root, 0, 0);
	put_others(&t, s);
	free_paths(paths, root.n);
}

static int tree_report(struct render *render, const struct report *report, struct error *err)
{
	struct stack_table s;

	if (stack_table_find(&s, render, report, err))
		return -1;
	sentences_begin(render, report);
	put_tree(render, &s);
	sentences_end(render, report);
	stack_table_free(&s);
	return 0;
}

const struct renderer render_tree = {
	.name = "tree",
	.summary = "stacks as a tree of callers, for people",
	.tells_notes = true,
	.report = tree_report,
};
