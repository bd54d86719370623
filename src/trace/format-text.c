// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An event's print fmt is a tree of arguments; each kind is written as the kernel's macros are.
 * What a plugin would have to explain (functions of its own) is written as 0: none is loaded.
 */
#include "trace/format-text.h"

#include <ctype.h>
#include <event-parse.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static void put_arg(FILE *out, const struct tep_print_arg *arg);

/* "char[16] comm" is how it is kept, "char comm[16]" how it was written. */
static void put_fields(FILE *out, const struct tep_format_field *f)
{
	for (; f; f = f->next) {
		const char *brackets = strchr(f->type, '[');

		if (!brackets || f->flags & TEP_FIELD_IS_DYNAMIC)
			brackets = f->type + strlen(f->type);
		fprintf(out, "\tfield:%.*s %s%s;\toffset:%d;\tsize:%d;\tsigned:%d;\n",
			(int)(brackets - f->type), f->type, f->name, brackets, f->offset, f->size,
			!!(f->flags & TEP_FIELD_IS_SIGNED));
	}
}

/* Numbers and characters stand as they are; libtraceevent took the quotes from strings. */
static void put_atom(FILE *out, const char *atom)
{
	bool bare = isdigit((unsigned char)*atom) || *atom == '\'';

	fprintf(out, bare ? "%s" : "\"%s\"", atom);
}

static void put_names(FILE *out, const struct tep_print_flag_sym *names)
{
	for (; names; names = names->next)
		fprintf(out, ", { %s, \"%s\" }", names->value, names->str);
}

/* MACRO(a, b, c): as many as aren't NULL. */
static void put_call(FILE *out, const char *macro, const struct tep_print_arg *a,
		     const struct tep_print_arg *b, const struct tep_print_arg *c)
{
	const struct tep_print_arg *args[] = { a, b, c };
	size_t i;

	fprintf(out, "%s(", macro);
	for (i = 0; i < ARRAY_SIZE(args) && args[i]; i++) {
		fputs(i ? ", " : "", out);
		put_arg(out, args[i]);
	}
	fputc(')', out);
}

static void put_dynamic_array(FILE *out, const struct tep_print_arg_dynarray *array)
{
	fprintf(out, "__get_dynamic_array(%s)", array->field->name);
	if (!array->index)
		return;
	fputc('[', out);
	put_arg(out, array->index);
	fputc(']', out);
}

/* a[b], a ? b : c (whose right side is the operator ":"), and a + b. */
static void put_op(FILE *out, const struct tep_print_arg_op *op)
{
	if (!strcmp(op->op, "[")) {
		put_arg(out, op->left);
		fputc('[', out);
		put_arg(out, op->right);
		fputc(']', out);
		return;
	}
	/* -a, !a, ~a, without parentheses of their own: libtraceevent takes none there. */
	if (!op->left || op->left->type == TEP_PRINT_NULL) {
		fputs(op->op, out);
		if (op->right)
			put_arg(out, op->right);
		return;
	}
	fputc('(', out);
	put_arg(out, op->left);
	fprintf(out, " %s ", op->op);
	if (!strcmp(op->op, "?") && op->right && op->right->type == TEP_PRINT_OP) {
		put_arg(out, op->right->op.left);
		fputs(" : ", out);
		put_arg(out, op->right->op.right);
	} else if (op->right) {
		put_arg(out, op->right);
	}
	fputc(')', out);
}

static void put_arg(FILE *out, const struct tep_print_arg *arg)
{
	switch (arg->type) {
	case TEP_PRINT_ATOM:
		put_atom(out, arg->atom.atom);
		break;
	case TEP_PRINT_FIELD:
		fprintf(out, "REC->%s", arg->field.name);
		break;
	case TEP_PRINT_FLAGS:
		fputs("__print_flags(", out);
		put_arg(out, arg->flags.field);
		fprintf(out, ", \"%s\"", arg->flags.delim ? arg->flags.delim : "");
		put_names(out, arg->flags.flags);
		fputc(')', out);
		break;
	case TEP_PRINT_SYMBOL:
		fputs("__print_symbolic(", out);
		put_arg(out, arg->symbol.field);
		put_names(out, arg->symbol.symbols);
		fputc(')', out);
		break;
	case TEP_PRINT_HEX:
		put_call(out, "__print_hex", arg->hex.field, arg->hex.size, NULL);
		break;
	case TEP_PRINT_HEX_STR:
		put_call(out, "__print_hex_str", arg->hex.field, arg->hex.size, NULL);
		break;
	case TEP_PRINT_INT_ARRAY:
		put_call(out, "__print_array", arg->int_array.field, arg->int_array.count,
			 arg->int_array.el_size);
		break;
	case TEP_PRINT_TYPE:
		fprintf(out, "(%s)", arg->typecast.type);
		put_arg(out, arg->typecast.item);
		break;
	case TEP_PRINT_STRING:
	case TEP_PRINT_BSTRING:
		fprintf(out, "__get_str(%s)", arg->string.string);
		break;
	case TEP_PRINT_BITMASK:
		fprintf(out, "__get_bitmask(%s)", arg->bitmask.bitmask);
		break;
	case TEP_PRINT_CPUMASK:
		fprintf(out, "__get_cpumask(%s)", arg->bitmask.bitmask);
		break;
	case TEP_PRINT_DYNAMIC_ARRAY:
		put_dynamic_array(out, &arg->dynarray);
		break;
	case TEP_PRINT_DYNAMIC_ARRAY_LEN:
		fprintf(out, "__get_dynamic_array_len(%s)", arg->dynarray.field->name);
		break;
	case TEP_PRINT_OP:
		put_op(out, &arg->op);
		break;
	default:
		fputc('0', out);
	}
}

char *format_text(const struct tep_event *event)
{
	const struct tep_print_arg *arg;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		fatal("out of memory");
	fprintf(out, "name: %s\nID: %d\nformat:\n", event->name, event->id);
	put_fields(out, event->format.common_fields);
	fputc('\n', out);
	put_fields(out, event->format.fields);
	fprintf(out, "\nprint fmt: \"%s\"", event->print_fmt.format ? event->print_fmt.format : "");
	for (arg = event->print_fmt.args; arg; arg = arg->next) {
		fputs(", ", out);
		put_arg(out, arg);
	}
	fputc('\n', out);
	fclose(out);
	return text;
}
