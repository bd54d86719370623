// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device is judged by its bus first (virtio, xen, vmbus: paravirtual), then as a PCI device: by
 * driver, by the links that sysfs makes for virtual functions, by vendor. Inside a guest a virtual
 * function has neither physfn nor sriov_*: only device id and driver tell.
 *
 * The bus is found by walking up from the class device: how deep a disk lies below its controller
 * varies. An NVMe disk's own `device` points to its subsystem, so controllers are listed instead,
 * from /sys/class/nvme.
 */
#include "sampler/devices.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct list {
	const struct root *root;
	bool guest;
	struct device *devices;
	size_t n, room;
};

struct pci_id {
	unsigned int vendor, device; /* device 0: any */
};

/* Base name of the link PATH/NAME, "" when there is none. */
static const char *link_name(const struct root *root, const char *path, const char *name, char *buf,
			     size_t size)
{
	char target[PATH_MAX];
	const char *base;

	buf[0] = '\0';
	if (path_readlink(root, target, sizeof(target), "%s/%s", path, name) < 0)
		return buf;
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (strlen(base) < size)
		memcpy(buf, base, strlen(base) + 1);
	return buf;
}

static unsigned int read_hex(const struct root *root, const char *path, const char *name)
{
	char text[32];

	if (path_read_line(root, text, sizeof(text), "%s/%s", path, name) < 0)
		return 0;
	return (unsigned int)strtoul(text, NULL, 16);
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static bool is_virtual_function(unsigned int vendor, unsigned int device, const char *driver)
{
	static const char *const drivers[] = { "igbvf", "ixgbevf", "iavf", "i40evf",
					       "fm10k", "ena",     "efa",  "mana" };
	static const struct pci_id ids[] = {
		{ 0x15b3, 0x1004 }, { 0x15b3, 0x1012 }, { 0x15b3, 0x1014 }, { 0x15b3, 0x1016 },
		{ 0x15b3, 0x1018 }, { 0x15b3, 0x101a }, { 0x15b3, 0x101c }, { 0x15b3, 0x101e },
		{ 0x15b3, 0x1020 }, /* mlx4, mlx5 */
		{ 0x14e4, 0x16dc }, { 0x14e4, 0x16e1 }, { 0x14e4, 0x16e5 }, { 0x14e4, 0x1806 },
		{ 0x14e4, 0x1807 }, /* bnxt */
		{ 0x8086, 0x10ca }, { 0x8086, 0x10ed }, { 0x8086, 0x1515 }, { 0x8086, 0x1520 },
		{ 0x8086, 0x154c }, { 0x8086, 0x1565 }, { 0x8086, 0x15a8 }, { 0x8086, 0x15c5 },
		{ 0x8086, 0x1889 }, /* igb, ixgbe, i40e, ice */
		{ 0x1d0f, 0xec20 }, { 0x1d0f, 0xec21 }, { 0x1d0f, 0xefa0 }, { 0x1d0f, 0xefa1 },
	};

	if (is_one_of(driver, drivers, ARRAY_SIZE(drivers)))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (ids[i].vendor == vendor && ids[i].device == device)
			return true;
	return false;
}

/* Models that programs emulate; a subsystem vendor of such a program tells it too. */
static bool is_emulated(unsigned int vendor, unsigned int device, unsigned int subsystem)
{
	static const unsigned int makers[] = { 0x1af4, 0x1b36, 0x1234, 0x15ad, 0x80ee,
					       0x1ab8, 0x1414, 0x5853, 0xfb5d };
	static const struct pci_id ids[] = {
		{ 0x8086, 0x100e }, { 0x8086, 0x100f }, { 0x8086, 0x10d3 }, { 0x8086, 0x7010 },
		{ 0x8086, 0x7111 }, { 0x10ec, 0x8139 }, { 0x10ec, 0x8029 }, { 0x1022, 0x2000 },
		{ 0x1000, 0x0012 }, { 0x1000, 0x0030 }, { 0x1000, 0x0054 }, { 0x8086, 0x2829 },
		{ 0x1011, 0x0009 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		if (vendor == makers[i] || subsystem == makers[i])
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (ids[i].vendor == vendor && ids[i].device == device)
			return true;
	return false;
}

static enum device_kind judge_pci(const struct list *l, const char *path, const char *driver)
{
	static const char *const paravirtual[] = { "virtio-pci",       "vmxnet3",
						   "vmw_pvscsi",       "gve",
						   "xen-platform-pci", "ivshmem",
						   "nitro_enclaves" };
	unsigned int vendor = read_hex(l->root, path, "vendor");
	unsigned int device = read_hex(l->root, path, "device");
	bool function = path_exists(l->root, "%s/physfn", path);

	if (is_one_of(driver, paravirtual, ARRAY_SIZE(paravirtual)))
		return DEVICE_PARAVIRTUAL;
	if (!strcmp(driver, "vfio-pci") || !strcmp(driver, "pciback"))
		return DEVICE_PASSED;
	if (function || is_virtual_function(vendor, device, driver))
		return DEVICE_SRIOV;
	if (!l->guest)
		return DEVICE_PHYSICAL;
	/* A function that makes functions of its own is hardware, whatever brand it bears. */
	if (read_hex(l->root, path, "sriov_totalvfs"))
		return DEVICE_PASSED;
	return is_emulated(vendor, device, read_hex(l->root, path, "subsystem_vendor")) ?
		       DEVICE_EMULATED :
		       DEVICE_PASSED;
}

static void add(struct list *l, const char *name, const char *driver, enum device_kind kind)
{
	struct device *d;

	l->devices = xgrow(l->devices, l->n, &l->room, sizeof(*l->devices));
	d = &l->devices[l->n++];
	snprintf(d->name, sizeof(d->name), "%s", name);
	snprintf(d->driver, sizeof(d->driver), "%s", driver);
	d->kind = kind;
}

/*
 * Judges a class device by the nearest bus above it that tells. False: none does (loop, bridges),
 * it is no device in this sense.
 */
static bool judge(struct list *l, const char *name, char *path)
{
	static const char *const paravirtual[] = { "virtio", "xen", "vmbus", "vio" };
	char bus[64], driver[64], first[64] = "";

	for (char *end; (end = strrchr(path, '/')) && strcmp(path, "/sys/devices") != 0;
	     *end = '\0') {
		link_name(l->root, path, "subsystem", bus, sizeof(bus));
		link_name(l->root, path, "driver", driver, sizeof(driver));
		if (!first[0])
			snprintf(first, sizeof(first), "%s", driver);
		if (is_one_of(bus, paravirtual, ARRAY_SIZE(paravirtual))) {
			add(l, name, driver, DEVICE_PARAVIRTUAL);
			return true;
		}
		if (!strcmp(bus, "pci")) {
			add(l, name, driver[0] ? driver : first, judge_pci(l, path, driver));
			return true;
		}
		if (!strcmp(bus, "usb") || !strcmp(bus, "mmc")) {
			add(l, name, first, l->guest ? DEVICE_EMULATED : DEVICE_PHYSICAL);
			return true;
		}
	}
	return false;
}

/* The place below /sys/devices of /sys/CLASS/NAME; the link's ".." all lead to /sys. */
static bool place(const struct root *root, const char *class, const char *name, char path[PATH_MAX])
{
	char target[PATH_MAX];
	const char *devices;

	if (path_readlink(root, target, sizeof(target), "%s/%s", class, name) < 0)
		return false;
	devices = strstr(target, "devices/");
	return devices && !strstr(devices, "..") &&
	       snprintf(path, PATH_MAX, "/sys/%s", devices) < PATH_MAX;
}

static void look_class(struct list *l, const char *class)
{
	DIR *dir = path_opendir(l->root, "%s", class);
	char path[PATH_MAX];

	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir));) {
		bool disk = !strcmp(class, "/sys/block");

		if (e->d_name[0] == '.' || (disk && !strncmp(e->d_name, "nvme", 4)))
			continue;
		if (place(l->root, class, e->d_name, path))
			judge(l, e->d_name, path);
	}
	closedir(dir);
}

/* Network and storage functions without a name of their own: given to a guest, or unused. */
static void look_unnamed(struct list *l)
{
	DIR *dir = path_opendir(l->root, "/sys/bus/pci/devices");
	char path[PATH_MAX], driver[64];

	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir));) {
		unsigned int class;

		if (e->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", e->d_name) >= PATH_MAX)
			continue;
		class = read_hex(l->root, path, "class") >> 16;
		link_name(l->root, path, "driver", driver, sizeof(driver));
		if ((class == 1 || class == 2) &&
		    (!strcmp(driver, "vfio-pci") || !strcmp(driver, "pciback") ||
		     (!driver[0] && path_exists(l->root, "%s/physfn", path))))
			add(l, e->d_name, driver, judge_pci(l, path, driver));
	}
	closedir(dir);
}

static int by_name(const void *a, const void *b)
{
	const struct device *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

struct device *devices_look(const struct root *root, bool guest, size_t *n)
{
	struct list l = { .root = root, .guest = guest };

	look_class(&l, "/sys/class/net");
	look_class(&l, "/sys/block");
	look_class(&l, "/sys/class/nvme");
	look_unnamed(&l);
	if (l.n)
		qsort(l.devices, l.n, sizeof(*l.devices), by_name);
	*n = l.n;
	return l.devices;
}

const char *device_kind_name(enum device_kind kind)
{
	static const char *const names[DEVICE_KINDS] = {
		[DEVICE_PARAVIRTUAL] = "paravirtual", [DEVICE_SRIOV] = "sr-iov",
		[DEVICE_PASSED] = "passed-through",   [DEVICE_EMULATED] = "emulated",
		[DEVICE_PHYSICAL] = "physical",
	};

	return kind < DEVICE_KINDS ? names[kind] : "unknown";
}
