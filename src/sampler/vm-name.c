// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of virtual machines by the habits of the programs that run them: a row for each habit,
 * the first that yields a name counts.
 */
#include "sampler/vm-name.h"

#include <stdbool.h>
#include <string.h>

#include "base/util.h"

/* What of an option's argument is the name. */
enum part {
	WHOLE,       /* all of it */
	KEY,         /* the value of `key` in key=value,key=value … */
	FIRST,       /* what stands before the first comma, when it is no key=value itself */
	FILE_OF_KEY, /* KEY, or the first part: a path, whose file name without suffix it is */
};

static const struct habit {
	const char *program; /* begin of the program's file name */
	const char *option;  /* with its dashes; "--x" is also found as "--x=…" */
	enum part part;
	const char *key;
} habits[] = {
	{ "qemu", "-name", KEY, "guest" },
	{ "qemu", "-name", FIRST, NULL },
	{ "qemu", "-name", KEY, "process" },
	{ "kvm", "-name", KEY, "guest" }, /* Debian's and Proxmox' other name of QEMU */
	{ "kvm", "-name", FIRST, NULL },
	{ "kvm", "-name", KEY, "process" },
	{ "firecracker", "--id", WHOLE, NULL },
	{ "cloud-hypervisor", "--platform", KEY, "uuid" },
	{ "cloud-hypervisor", "--api-socket", FILE_OF_KEY, "path" },
	{ "crosvm", "--name", WHOLE, NULL },
	{ "crosvm", "--socket", FILE_OF_KEY, "path" },
	{ "crosvm", "-s", FILE_OF_KEY, "path" },
	{ "lkvm", "--name", WHOLE, NULL },
	{ "lkvm", "-n", WHOLE, NULL },
};

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The argument behind an option, the last one given; NULL: none. `text` is NUL-terminated. */
static const char *option_argument(const char *text, size_t len, const char *option)
{
	const char *found = NULL, *end = text + len;
	size_t n = strlen(option);

	for (const char *p = text; p < end; p += strlen(p) + 1) {
		const char *next = p + strlen(p) + 1;

		/* QEMU takes its options with one dash or with two. */
		if (p[0] == '-' && p[1] == '-' && option[1] != '-')
			p++;
		if (!strcmp(p, option) && next < end)
			found = next;
		else if (option[1] == '-' && !strncmp(p, option, n) && p[n] == '=')
			found = p + n + 1;
	}
	return found;
}

/* Copies up to the next single comma; two of them stand for one. Returns where it ended. */
static const char *copy_part(const char *text, char *to)
{
	while (*text && (*text != ',' || text[1] == ',')) {
		if (*text == ',')
			text++;
		*to++ = *text++;
	}
	*to = '\0';
	return text;
}

/* The value of key in "a=b,c=d", or with a NULL key the first part when it has no "=". */
static char *part_of(const char *argument, const char *key)
{
	char *part = xmalloc(strlen(argument) + 1);
	size_t n = key ? strlen(key) : 0;

	for (const char *p = argument;; p++) {
		p = copy_part(p, part);
		if (!key && *part && !strchr(part, '='))
			return part;
		if (key && !strncmp(part, key, n) && part[n] == '=' && part[n + 1]) {
			memmove(part, part + n + 1, strlen(part + n + 1) + 1);
			return part;
		}
		if (!key || !*p)
			break;
	}
	free(part);
	return NULL;
}

static char *file_stem(char *path)
{
	const char *name, *dot;
	char *stem;

	if (!path)
		return NULL;
	name = file_name(path);
	dot = strrchr(name, '.');
	stem = *name ? xstrndup(name, dot && dot > name ? (size_t)(dot - name) : strlen(name)) :
		       NULL;
	free(path);
	return stem;
}

static char *name_by_habit(const struct habit *h, const char *text, size_t len)
{
	const char *argument = option_argument(text, len, h->option);
	char *part;

	if (!argument || !*argument)
		return NULL;
	switch (h->part) {
	case WHOLE:
		return xstrdup(argument);
	case KEY:
		return part_of(argument, h->key);
	case FIRST:
		return part_of(argument, NULL);
	case FILE_OF_KEY:
		part = part_of(argument, h->key);
		return file_stem(part ? part : part_of(argument, NULL));
	}
	return NULL;
}

char *vm_name_by_arguments(const char *cmdline, size_t len)
{
	char *text, *name = NULL;

	if (!len)
		return NULL;
	/* The last argument's NUL may be missing, where the process wrote its title over them. */
	text = xmalloc(len + 1);
	memcpy(text, cmdline, len);
	text[len] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(habits) && !name; i++) {
		if (starts_with(file_name(text), habits[i].program))
			name = name_by_habit(&habits[i], text, len);
	}
	free(text);
	return name;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* systemd's escapes in unit names: \x2d is "-". A zero byte is no character of a name. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p;) {
		int high = -1, low = -1;

		if (p[0] == '\\' && p[1] == 'x') {
			high = hex_digit(p[2]);
			low = high < 0 ? -1 : hex_digit(p[3]);
		}
		if (low >= 0 && (high || low)) {
			*to++ = (char)(high << 4 | low);
			p += 4;
		} else {
			*to++ = *p++;
		}
	}
	*to = '\0';
}

/* "qemu-12-name" → "name": libvirt puts the driver and the machine's number before the name. */
static char *without_number(const char *text)
{
	static const char driver[] = "qemu-";
	const char *p = text + strlen(driver);

	if (!starts_with(text, driver))
		return NULL;
	while (*p >= '0' && *p <= '9')
		p++;
	return *p == '-' && p[1] ? xstrdup(p + 1) : NULL;
}

/* One component of a cgroup's path. */
static char *name_by_component(const char *text, size_t len)
{
	static const char machine[] = "machine-", scope[] = ".scope", old[] = ".libvirt-qemu";
	char *part = xstrndup(text, len), *name = NULL;
	char *end = part + strlen(part);

	if (starts_with(part, machine) && len > strlen(scope) &&
	    !strcmp(end - strlen(scope), scope)) {
		end[-(ptrdiff_t)strlen(scope)] = '\0';
		unescape(part + strlen(machine));
		name = without_number(part + strlen(machine));
	} else if (len > strlen(old) && !strcmp(end - strlen(old), old)) {
		/* Without systemd: /machine/qemu-1-name.libvirt-qemu, older: /machine/name… */
		end[-(ptrdiff_t)strlen(old)] = '\0';
		name = without_number(part);
		if (!name)
			name = xstrdup(part);
	}
	free(part);
	return name;
}

char *vm_name_by_cgroup(const char *cgroup)
{
	for (const char *p = cgroup; *p;) {
		size_t len = strcspn(p, "/\n");
		char *name = name_by_component(p, len);

		if (name)
			return name;
		p += len + (p[len] != '\0');
	}
	return NULL;
}

int32_t vcpu_by_comm(const char *comm)
{
	static const struct {
		const char *before, *after;
	} patterns[] = {
		{ "CPU ", "/KVM" }, /* QEMU */
		{ "CPU ", "/TCG" },
		{ "fc_vcpu ", "" },    /* Firecracker, libkrun */
		{ "crosvm_vcpu", "" }, /* crosvm */
		{ "vcpu", "" },	       /* Cloud Hypervisor */
		{ "kvm-vcpu-", "" },   /* kvmtool */
	};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		const char *p = comm + strlen(patterns[i].before);
		int32_t n = 0;
		unsigned int digits = 0;

		if (!starts_with(comm, patterns[i].before))
			continue;
		for (; *p >= '0' && *p <= '9' && digits < 6; p++, digits++)
			n = n * 10 + (*p - '0');
		if (digits && !strcmp(p, patterns[i].after))
			return n;
	}
	return -1;
}
