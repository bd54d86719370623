// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Print fmts that may hold anything, through the parser of symbol tables. Promises: no byte behind
 * the text is read, and a table that was found answers.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "tests/fuzz/fuzz.h"
#include "tests/gen.h"
#include "trace/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmalloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	for (unsigned int nth = 0; nth < 3; nth++) {
		struct symbols *s = symbols_parse(text, "x", nth, 4);
		uint64_t value;

		if (!s)
			continue;
		for (size_t i = 0; i < symbols_count(s); i++) {
			const char *name = symbols_at(s, i, &value);

			if (!name || !symbols_name(s, value))
				abort();
		}
		symbols_free(s);
	}
	free(text);
	return 0;
}

/* A text of pieces in a random order, some of which belong together. */
size_t fuzz_seed(uint64_t number, uint8_t *data, size_t room)
{
	static const char *const pieces[] = {
		"__print_symbolic(", "REC->x", " & 0xffff", ", ", "{ 1, \"ONE\" }",
		"{ 0x040 + 14, ", "\"a\" \"b\" }", ")", "(", "{", "}", "\"", "\\",
		"(((0x24UL)))", "-1ull", "~0", "u32)", " ? ", " : ", "<<", "|", "REC -> x",
	};
	struct gen_random r = { number };
	size_t at = (size_t)snprintf((char *)data, room, "print fmt: \"%%s\", ");

	for (uint64_t n = 5 + gen_below(&r, 60); n > 0; n--) {
		const char *piece = pieces[gen_below(&r, ARRAY_SIZE(pieces))];

		if (at + strlen(piece) >= room)
			break;
		memcpy(data + at, piece, strlen(piece));
		at += strlen(piece);
	}
	return at;
}
