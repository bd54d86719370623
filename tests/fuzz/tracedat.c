// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that may hold anything, through the reader of trace.dat: a file is read or refused with a
 * sentence, and what is handed out of it lies within it.
 *
 * Input: the file. One of another version than 6 and 7 would be libtracecmd's to read: it is left.
 */
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/leaks.h"
#include "tests/unit/tracedat-all.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blob file = { .p = (unsigned char *)(uintptr_t)data, .len = size };
	struct outcome o = { 0 };

	if (size < 12 || (memcmp(data + 10, "6", 2) && memcmp(data + 10, "7", 2)))
		return 0;
	read_all(&file, &o);
	if (o.mute)
		abort();
	return 0;
}

size_t fuzz_seed(uint64_t number, uint8_t *data, size_t room)
{
	static const char *const compressions[] = { "none", "zlib", "zstd" };
	struct everything e = everything_new();
	struct blob file;
	size_t size;

	e.build.version = 6 + (number & 1);
	e.build.compression = compressions[number / 2 % ARRAY_SIZE(compressions)];
	if (!build_has(e.build.compression))
		e.build.compression = "none";
	file = build_file(&e.build);
	size = min(file.len, room);
	memcpy(data, file.p, size);
	free(file.p);
	everything_free(&e);
	return size;
}
