// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Functions of this very program and of its C library by name, against where the loader says that
 * they are; and what has none.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "tests/tap.h"
#include "trace/user-symbol.h"

int a_function_of_this_test(int n);

/* Not inlined away, and not alike any other. */
__attribute__((noinline)) int a_function_of_this_test(int n)
{
	return n * 12345 + (int)getpid();
}

struct place {
	uintptr_t address;
	uint64_t offset; /* in the file */
};

/* The segment that an address lies in, of whatever object that is. */
static int find_place(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct place *place = arg;

	(void)size;
	for (unsigned int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type == PT_LOAD && place->address >= begin &&
		    place->address - begin < ph->p_filesz)
			place->offset = place->address - begin + ph->p_offset;
	}
	return place->offset != 0;
}

static void fails(const char *path, const char *symbol, const char *why)
{
	struct error err = { 0 };
	uint64_t offset;
	int ret = user_symbol_offset(path, symbol, &offset, &err);

	if (!ok(ret < 0 && strstr(err.text, why), "%s of %s: %s", symbol, path, why))
		diag("got: %s", err.text);
}

static void test_own(void)
{
	struct place place = { .address = (uintptr_t)a_function_of_this_test };
	struct error err = { 0 };
	uint64_t offset = 0;

	dl_iterate_phdr(find_place, &place);
	ok(place.offset && !user_symbol_offset("/proc/self/exe", "a_function_of_this_test", &offset,
					       &err) && offset == place.offset,
	   "a function is where the loader has it from: %s", err.text);
	fails("/proc/self/exe", "a_function_of_this_tset",
	      "did you mean 'a_function_of_this_test'?");
	fails("/proc/self/exe", "tap_state_of_nobody_at_all", "has no function");
}

/* The path of the C library, "" when there is none by itself. */
static void find_library(char *path, size_t size)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");

	*path = '\0';
	while (!*path && maps && fgets(line, sizeof(line), maps)) {
		line[strcspn(line, "\n")] = '\0';
		if (strstr(line, "/libc.so.6") || strstr(line, "/libc-"))
			snprintf(path, size, "%s", strchr(line, '/'));
	}
	if (maps)
		fclose(maps);
}

/* Of versions of a function the one that programs get, and functions that are chosen for them. */
static void test_library(void)
{
	static const char *const names[] = { "malloc", "getenv", "posix_spawn", "realpath",
					     "pthread_cond_init", "fmemopen", "quick_exit" };
	char path[512];
	struct error err = { 0 };
	uint64_t offset = 0;
	void *library;

	find_library(path, sizeof(path));
	if (!*path) {
		skip("there is no C library by itself", "functions of a library");
		return;
	}
	/* Not RTLD_DEFAULT: sanitizers have functions of their own by these names. */
	library = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
	for (size_t i = 0; library && i < ARRAY_SIZE(names); i++) {
		struct place place = { .address = (uintptr_t)dlsym(library, names[i]) };

		dl_iterate_phdr(find_place, &place);
		ok(!user_symbol_offset(path, names[i], &offset, &err) && offset == place.offset,
		   "%s is the one that programs get", names[i]);
	}
	if (library)
		dlclose(library);
	if (!user_symbol_offset(path, "memcpy", &offset, &err))
		skip("this C library has but one memcpy", "an indirect function");
	else
		ok(strstr(err.text, "memcpy is chosen by the CPU when a program starts"),
		   "an indirect function: %s", err.text);
}

static void test_files(void)
{
	char dir[] = "/tmp/hvscope-symbol.XXXXXX", *fifo;

	if (!mkdtemp(dir))
		return;
	fifo = xasprintf("%s/fifo", dir);
	mkfifo(fifo, 0600);
	fails(dir, "main", "is no file");
	fails(fifo, "main", "is no file");
	fails("/nonexistent", "main", "No such file");
	fails("/proc/self/cmdline", "main", "");
	unlink(fifo);
	rmdir(dir);
	free(fifo);
}

int main(void)
{
	struct error err = { 0 };
	uint64_t offset;

	a_function_of_this_test(1);
	if (user_symbol_offset("/proc/self/exe", "main", &offset, &err) &&
	    strstr(err.text, "without libelf"))
		skip_all("built without libelf");
	test_own();
	test_library();
	test_files();
	return tap_done();
}
