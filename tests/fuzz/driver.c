// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Runs a fuzzer on damaged seeds for FUZZ_SECONDS (2), without libFuzzer. An input ends where an
 * unmapped page begins, so that a byte read too far is a crash in every build. FUZZ_SEED makes
 * another series of damage; a crash prints the last input's number, from which it can be repeated.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tests/gen.h"
#include "tests/tap.h"

enum { ROOM = 1 << 18 };

static uint64_t environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Changes a few places: a bit, a byte, a word, a copy of another place, the length. */
static size_t damage(struct gen_random *r, uint8_t *data, size_t size)
{
	static const uint32_t words[] = { 0, 1, 4, 0x1d, 0x3d, 0x1e, 0x1f, 0x7fffffff, 0xffffffff };

	for (uint64_t n = gen_below(r, 8); n > 0 && size > 8; n--) {
		size_t at = gen_below(r, size - 4), from = gen_below(r, size - 4);

		switch (gen_below(r, 6)) {
		case 0:
			data[at] ^= (uint8_t)(1 << gen_below(r, 8));
			break;
		case 1:
			data[at] = (uint8_t)gen_random(r);
			break;
		case 2:
			memcpy(data + at, &words[gen_below(r, sizeof(words) / 4)], 4);
			break;
		case 3:
			memmove(data + at, data + from, 4);
			break;
		case 4:
			at &= ~(size_t)3;
			memcpy(data + at, &words[gen_below(r, sizeof(words) / 4)], 4);
			break;
		default:
			if (!gen_below(r, 8))
				size = gen_below(r, size) + 1;
			break;
		}
	}
	return size;
}

int main(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *room = mmap(NULL, ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	uint8_t *input = malloc(ROOM);
	double end = seconds() + (double)environment("FUZZ_SECONDS", 2);
	uint64_t seed = environment("FUZZ_SEED", 1), inputs = 0;

	if (room == MAP_FAILED || mprotect(room + ROOM, page, PROT_NONE))
		skip_all("no memory to guard");
	do {
		struct gen_random r = { seed + inputs * 7919 };
		size_t size = fuzz_seed(gen_random(&r), input, ROOM);

		if (inputs % 16) /* the seeds themselves too */
			size = damage(&r, input, size);
		memcpy(room + ROOM - size, input, size);
		LLVMFuzzerTestOneInput(room + ROOM - size, size);
		inputs++;
	} while (seconds() < end);
	ok(inputs > 100, "%" PRIu64 " inputs", inputs);
	munmap(room, ROOM + page);
	free(input);
	return tap_done();
}
