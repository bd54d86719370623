// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A symbol's value is an address; the segment that it lies in (PT_LOAD) says where in the file that
 * is (elf(5)). The full symbol table is asked first, then the dynamic one, which strip leaves. Of
 * several versions of a symbol the one is meant that programs are linked to today.
 */
#include "trace/user-symbol.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if HAVE_ELF
#include <gelf.h>
#endif

#include "base/text.h"
#include "base/util.h"

#if HAVE_ELF
enum { VERSION_HIDDEN = 0x8000 };

struct search {
	const char *symbol;
	uint64_t address; /* 0: not found */
	bool old;         /* it is a version that only old programs use */
	bool chosen;      /* what is there chooses the function */
	const char *near; /* the best misspelling so far, owned by the ELF */
};

static void see_symbol(struct search *s, const GElf_Sym *sym, const char *name, bool old)
{
	unsigned char type = GELF_ST_TYPE(sym->st_info);

	if ((type != STT_FUNC && type != STT_GNU_IFUNC) || !sym->st_value || !name)
		return;
	if (strcmp(name, s->symbol) != 0) {
		s->near = text_nearer(s->symbol, name, s->near);
	} else if (!s->address || (s->old && !old)) {
		s->address = sym->st_value;
		s->old = old;
		s->chosen = type == STT_GNU_IFUNC;
	}
}

/* Versions of dynamic symbols, by their places; NULL: there are none. */
static Elf_Data *find_versions(Elf *elf)
{
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) && header.sh_type == SHT_GNU_versym)
			return elf_getdata(section, NULL);
	}
	return NULL;
}

static void search_section(struct search *s, Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
			   Elf_Data *versions)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n = data && header->sh_entsize ? header->sh_size / header->sh_entsize : 0;

	for (size_t i = 0; i < n; i++) {
		GElf_Versym version = 0;
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym))
			continue;
		if (versions && !gelf_getversym(versions, (int)i, &version))
			version = 0;
		see_symbol(s, &sym, elf_strptr(elf, header->sh_link, sym.st_name),
			   version & VERSION_HIDDEN);
	}
}

static bool search_sections(struct search *s, Elf *elf, GElf_Word type, Elf_Data *versions)
{
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) && header.sh_type == type)
			search_section(s, elf, section, &header, versions);
	}
	return s->address;
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
	struct search s = { .symbol = symbol };

	if (elf_kind(elf) != ELF_K_ELF)
		return error_set(err, "%s is no ELF file, so it has no functions to probe", path);
	if (!search_sections(&s, elf, SHT_SYMTAB, NULL) &&
	    !search_sections(&s, elf, SHT_DYNSYM, find_versions(elf)))
		return error_set(err, "%s has no function '%s'%s%s%s", path, symbol,
				 s.near ? "; did you mean '" : "", s.near ? s.near : "",
				 s.near ? "'?" : "");
	if (s.chosen)
		return error_set(
			err,
			"%s: %s is chosen by the CPU when a program starts, among "
			"functions without that name: give the place of one, u:%s:0xOFFSET",
			path, symbol, path);
	if (place_in_file(elf, s.address, offset))
		return error_set(err, "%s: the code of '%s' lies in no part of the file", path,
				 symbol);
	return 0;
}

/* Not for ever, as what is no file may let one wait. */
static int open_file(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return error_errno(err, errno, "can't read %s", path);
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return error_set(err, "%s is no file", path);
}

int user_symbol_offset(const char *path, const char *symbol, uint64_t *offset, struct error *err)
{
	int fd = open_file(path, err), ret;
	Elf *elf;

	if (fd < 0)
		return -1;
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
