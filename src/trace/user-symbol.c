// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A symbol's value is an address; the segment that it lies in (PT_LOAD) says where in the file that
 * is (elf(5)). The full symbol table is asked first, then the dynamic one, which strip leaves.
 */
#include "trace/user-symbol.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#if HAVE_ELF
#include <gelf.h>
#endif

#include "base/text.h"
#include "base/util.h"

#if HAVE_ELF
/* 1 found, 0 not in this section; near: the best misspelling so far, owned by the ELF. */
static int find_in_section(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, const char *symbol,
			   uint64_t *address, const char **near)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n = data && header->sh_entsize ? header->sh_size / header->sh_entsize : 0;

	for (size_t i = 0; i < n; i++) {
		GElf_Sym sym;
		const char *name;

		if (!gelf_getsym(data, (int)i, &sym) || GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    !sym.st_value)
			continue;
		name = elf_strptr(elf, header->sh_link, sym.st_name);
		if (!name)
			continue;
		if (!strcmp(name, symbol)) {
			*address = sym.st_value;
			return 1;
		}
		*near = text_nearer(symbol, name, *near);
	}
	return 0;
}

static int find_symbol(Elf *elf, GElf_Word type, const char *symbol, uint64_t *address,
		       const char **near)
{
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) && header.sh_type == type &&
		    find_in_section(elf, section, &header, symbol, address, near))
			return 1;
	}
	return 0;
}

static int place_in_file(Elf *elf, uint64_t address, uint64_t *offset)
{
	size_t n;

	if (elf_getphdrnum(elf, &n))
		return -1;
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_LOAD ||
		    address < ph.p_vaddr || address - ph.p_vaddr >= ph.p_filesz)
			continue;
		*offset = address - ph.p_vaddr + ph.p_offset;
		return 0;
	}
	return -1;
}

static int look_up(Elf *elf, const char *path, const char *symbol, uint64_t *offset,
		   struct error *err)
{
	const char *near = NULL;
	uint64_t address;

	if (elf_kind(elf) != ELF_K_ELF)
		return error_set(err, "%s is no ELF file, so it has no functions to probe", path);
	if (!find_symbol(elf, SHT_SYMTAB, symbol, &address, &near) &&
	    !find_symbol(elf, SHT_DYNSYM, symbol, &address, &near))
		return error_set(err, "%s has no function '%s'%s%s%s", path, symbol,
				 near ? "; did you mean '" : "", near ? near : "",
				 near ? "'?" : "");
	if (place_in_file(elf, address, offset))
		return error_set(err, "%s: the code of '%s' lies in no part of the file", path,
				 symbol);
	return 0;
}

int user_symbol_offset(const char *path, const char *symbol, uint64_t *offset, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;
	Elf *elf;

	if (fd < 0)
		return error_errno(err, errno, "can't read %s", path);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	ret = elf ? look_up(elf, path, symbol, offset, err) :
		    error_set(err, "can't read %s: %s", path, elf_errmsg(-1));
	elf_end(elf);
	close(fd);
	return ret;
}
#else
int user_symbol_offset(const char *path, const char *symbol, uint64_t *offset, struct error *err)
{
	(void)offset;
	return error_set(err,
			 "this hvscope was built without libelf and can't look up '%s': give "
			 "its place in the file, u:%s:0xOFFSET",
			 symbol, path);
}
#endif
