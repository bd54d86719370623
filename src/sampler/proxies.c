// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A proxy is known by the name of its process. The kernel cuts names to 15 bytes, hence beginnings.
 */
#include "sampler/proxies.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

static bool is_proxy(const char *comm)
{
	static const char *const names[] = {
		"qemu-system-",    "qemu-kvm", "qemu-dm", "firecracker",
		"cloud-hyperviso", "crosvm",   "lkvm",    "kvmtool",
		"vhost-",          "tapdisk",  "bhyve"
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(comm, names[i], strlen(names[i])))
			return true;
	return false;
}

unsigned int proxies_describe(const struct root *root, char *buf, size_t size)
{
	DIR *dir = path_opendir(root, "/proc");
	unsigned int n = 0;
	size_t len = 0;

	buf[0] = '\0';
	if (!dir)
		return 0;
	for (struct dirent *e; (e = readdir(dir));) {
		char comm[64], quoted[128], entry[192];

		if (e->d_name[0] < '1' || e->d_name[0] > '9' ||
		    path_read_line(root, comm, sizeof(comm), "/proc/%s/comm", e->d_name) <= 0 ||
		    !is_proxy(comm))
			continue;
		n++;
		snprintf(entry, sizeof(entry), "%s%s (pid %.10s)", len ? ", " : "",
			 text_quote(quoted, sizeof(quoted), comm), e->d_name);
		if (len + strlen(entry) + sizeof(", …") <= size)
			len += (size_t)snprintf(buf + len, size - len, "%s", entry);
		else if (!strstr(buf, "…"))
			snprintf(buf + len, size - len, ", …");
	}
	closedir(dir);
	return n;
}
