// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The least that any program on a mapped file can take: map it and read each cache line once.
 *
 *	touch FILE
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	uint64_t sums[4] = { 0 };
	const uint64_t *p, *end;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || st.st_size < 64) {
		fprintf(stderr, "usage: touch FILE\n");
		return 2;
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED) {
		perror(argv[1]);
		return 1;
	}
	madvise((void *)(uintptr_t)p, (size_t)st.st_size, MADV_SEQUENTIAL);
	for (end = p + st.st_size / 64 * 8; p < end; p += 8) {
		sums[0] += p[0] + p[1];
		sums[1] += p[2] + p[3];
		sums[2] += p[4] + p[5];
		sums[3] += p[6] + p[7];
	}
	printf("%" PRIu64 "\n", sums[0] + sums[1] + sums[2] + sums[3]);
	close(fd);
	return 0;
}
