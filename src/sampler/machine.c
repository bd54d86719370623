// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sources of evidence are asked in turn, the most telling first, and the first that knows wins:
 * Xen's own files, the CPU's signature (leaf 0x40000000; KVM hides behind Hyper-V's at the next
 * multiple of 0x100), the device tree, the clocks that only a guest's kernel has, DMI, and last the
 * mere "hypervisor" flag of the CPU. A directory alone says nothing: events/xen and
 * /sys/hypervisor/properties exist on kernels that run elsewhere.
 */
#include "sampler/machine.h"

#include <stdio.h>
#include <string.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "base/util.h"

struct known {
	const char *sign;
	const char *hypervisor;
};

static void set(struct machine *m, enum machine_kind kind, const char *hypervisor,
		const char *told_by)
{
	m->kind = kind;
	snprintf(m->hypervisor, sizeof(m->hypervisor), "%s", hypervisor);
	m->told_by = told_by;
}

/* The first line of a file without trailing blanks; "" when it can't be read. */
static const char *line_of(const struct root *root, const char *path, char *buf, size_t size)
{
	if (path_read_line(root, buf, size, "%s", path) < 0)
		buf[0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

static bool by_xen(const struct root *root, struct machine *m)
{
	char text[256];

	if (strcmp(line_of(root, "/sys/hypervisor/type", text, sizeof(text)), "xen") != 0)
		return false;
	set(m, MACHINE_GUEST, "Xen", "/sys/hypervisor/type");
	line_of(root, "/sys/hypervisor/guest_type", text, sizeof(text));
	if (!strcmp(text, "HVM"))
		snprintf(m->mode, sizeof(m->mode), "PVHVM");
	else if (!strcmp(text, "PV") || !strcmp(text, "PVH"))
		snprintf(m->mode, sizeof(m->mode), "%.5s", text);
	if (strstr(line_of(root, "/proc/xen/capabilities", text, sizeof(text)), "control_d"))
		m->kind = MACHINE_DOM0;
	return true;
}

#if defined(__x86_64__) || defined(__i386__)
static const struct known signatures[] = {
	{ "KVMKVMKVM", "KVM" },           { "Linux KVM Hv", "KVM" },
	{ "XenVMMXenVMM", "Xen" },        { "Microsoft Hv", "Hyper-V" },
	{ "VMwareVMware", "VMware" },     { "VBoxVBoxVBox", "VirtualBox" },
	{ "prl hyperv  ", "Parallels" },  { " lrpepyh  vr", "Parallels" },
	{ "bhyve bhyve ", "bhyve" },      { "BHyVE BHyVE ", "bhyve" },
	{ "ACRNACRNACRN", "ACRN" },       { "TCGTCGTCGTCG", "QEMU (software emulation)" },
	{ "QNXQVMBSQG", "QNX" },          { "Jailhouse", "Jailhouse" },
	{ "SRESRESRESRE", "LMHS" },       { "UnisysSpar64", "Unisys s-Par" },
	{ "EVMMEVMMEVMM", "Intel KGT" },  { "OpenBSDVMM58", "OpenBSD VMM" },
	{ "HAXMHAXMHAXM", "Intel HAXM" }, { "NXMNXMNXMNXM", "NetBSD NVMM" },
};

static bool by_cpuid(const struct root *root, struct machine *m)
{
	const char *found = NULL;
	uint32_t eax, ebx, ecx, edx;

	if (root && root->prefix && root->prefix[0])
		return false;
	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx >> 31))
		return false;
	for (uint32_t leaf = 0x40000000; leaf < 0x40010000; leaf += 0x100) {
		char text[13] = "";

		__cpuid(leaf, eax, ebx, ecx, edx);
		memcpy(text, &ebx, 4);
		memcpy(text + 4, &ecx, 4);
		memcpy(text + 8, &edx, 4);
		for (size_t i = 0; i < ARRAY_SIZE(signatures); i++)
			if (!strcmp(text, signatures[i].sign) &&
			    (!found || !strcmp(signatures[i].hypervisor, "KVM")))
				found = signatures[i].hypervisor;
	}
	if (found)
		set(m, MACHINE_GUEST, found, "CPUID leaf 0x40000000");
	return found;
}
#else
static bool by_cpuid(const struct root *root, struct machine *m)
{
	(void)root;
	(void)m;
	return false;
}
#endif

/* Sets the machine by the first row whose sign stands in the text. */
static bool by_words(struct machine *m, const char *text, const struct known *rows, size_t n,
		     const char *told_by)
{
	for (size_t i = 0; i < n; i++) {
		if (!strstr(text, rows[i].sign))
			continue;
		set(m, MACHINE_GUEST, rows[i].hypervisor, told_by);
		return true;
	}
	return false;
}

static bool by_device_tree(const struct root *root, struct machine *m)
{
	static const struct known rows[] = {
		{ "linux,kvm", "KVM" },
		{ "xen,xen", "Xen" },
		{ "vmware", "VMware" },
	};
	char text[256];

	line_of(root, "/proc/device-tree/hypervisor/compatible", text, sizeof(text));
	return by_words(m, text, rows, ARRAY_SIZE(rows), "/proc/device-tree/hypervisor/compatible");
}

/* ppc64 and s390x tell it here. */
static bool by_sysinfo(const struct root *root, struct machine *m)
{
	static const struct known power[] = { { "emulated by qemu", "KVM or QEMU" },
					      { "IBM,pSeries", "PowerVM" } };
	static const struct known mainframe[] = { { "KVM/Linux", "KVM" }, { "z/VM", "z/VM" } };
	char text[4096];

	if (path_read(root, text, sizeof(text), "/proc/sysinfo") > 0 &&
	    by_words(m, text, mainframe, ARRAY_SIZE(mainframe), "/proc/sysinfo"))
		return true;
	return path_read(root, text, sizeof(text), "/proc/cpuinfo") > 0 &&
	       strstr(text, "pSeries") &&
	       by_words(m, text, power, ARRAY_SIZE(power), "/proc/cpuinfo");
}

static bool by_clock(const struct root *root, struct machine *m)
{
	static const char path[] =
		"/sys/devices/system/clocksource/clocksource0/available_clocksource";
	static const struct known rows[] = {
		{ "kvm-clock", "KVM" },
		{ "xen", "Xen" },
		{ "hyperv_clocksource", "Hyper-V" },
	};
	char text[256];

	return by_words(m, line_of(root, path, text, sizeof(text)), rows, ARRAY_SIZE(rows), path);
}

/* By the product that machine_look() read already. */
static bool by_dmi(struct machine *m)
{
	static const struct known rows[] = {
		{ "Amazon EC2", "KVM" },
		{ "Google Compute Engine", "KVM" },
		{ "QEMU", "KVM or QEMU" },
		{ "Bochs", "KVM or QEMU" },
		{ "OpenStack", "KVM or QEMU" },
		{ "KubeVirt", "KVM" },
		{ "Alibaba Cloud ECS", "KVM" },
		{ "Tencent Cloud", "KVM" },
		{ "Huawei Cloud", "KVM" },
		{ "DigitalOcean", "KVM" },
		{ "Hetzner vServer", "KVM" },
		{ "Scaleway", "KVM" },
		{ "Linode", "KVM" },
		{ "Vultr", "KVM" },
		{ "UpCloud", "KVM" },
		{ "Exoscale Compute Platform", "KVM" },
		{ "Nutanix AHV", "KVM" },
		{ "oVirt", "KVM" },
		{ "RHEV Hypervisor", "KVM" },
		{ "Red Hat KVM", "KVM" },
		{ "HVM domU", "Xen" },
		{ "VMware", "VMware" },
		{ "VirtualBox", "VirtualBox" },
		{ "innotek", "VirtualBox" },
		{ "Parallels", "Parallels" },
		{ "Microsoft Corporation Virtual Machine", "Hyper-V" },
		{ "BHYVE", "bhyve" },
		{ "Apple Virtualization", "Apple Virtualization" },
	};

	return by_words(m, m->product, rows, ARRAY_SIZE(rows), "/sys/class/dmi/id");
}

static bool has_hypervisor_flag(const struct root *root)
{
	char text[8192];

	return path_read(root, text, sizeof(text), "/proc/cpuinfo") > 0 &&
	       strstr(text, " hypervisor");
}

static bool is_x86(const struct root *root)
{
	char text[256];

	return path_read(root, text, sizeof(text), "/proc/cpuinfo") > 0 &&
	       strstr(text, "vendor_id");
}

void machine_look(const struct root *root, struct machine *m)
{
	char vendor[64], product[64];
	bool found, metal;

	*m = (struct machine){ 0 };
	line_of(root, "/sys/class/dmi/id/sys_vendor", vendor, sizeof(vendor));
	line_of(root, "/sys/class/dmi/id/product_name", product, sizeof(product));
	snprintf(m->product, sizeof(m->product), "%s%s%s", vendor, *vendor && *product ? " " : "",
		 product);
	m->kvm_host = path_exists(root, "/dev/kvm") || path_exists(root, "/sys/module/kvm_intel") ||
		      path_exists(root, "/sys/module/kvm_amd");
	metal = !strcmp(vendor, "Amazon EC2") && strstr(product, ".metal");

	found = by_xen(root, m) || by_cpuid(root, m) || by_device_tree(root, m) ||
		by_sysinfo(root, m) || by_clock(root, m) || (!metal && by_dmi(m));
	m->nitro = found && !strcmp(vendor, "Amazon EC2") && !strcmp(m->hypervisor, "KVM");
	if (found)
		return;
	if (has_hypervisor_flag(root))
		set(m, MACHINE_GUEST, "", "/proc/cpuinfo");
	else if (metal || is_x86(root))
		set(m, MACHINE_BARE, "", metal ? "/sys/class/dmi/id" : "/proc/cpuinfo");
}

char *machine_describe(const struct machine *m, char *buf, size_t size)
{
	const char *hypervisor = m->hypervisor[0] ? m->hypervisor : "unknown hypervisor";

	switch (m->kind) {
	case MACHINE_UNKNOWN:
		snprintf(buf, size, "no hypervisor found");
		break;
	case MACHINE_BARE:
		snprintf(buf, size, "bare metal");
		break;
	case MACHINE_DOM0:
		snprintf(buf, size, "Xen dom0%s%s%s", m->mode[0] ? " (" : "", m->mode,
			 m->mode[0] ? ")" : "");
		break;
	case MACHINE_GUEST:
		if (m->nitro)
			snprintf(buf, size, "AWS Nitro (KVM) guest");
		else
			snprintf(buf, size, "%s%s%s guest", hypervisor, m->mode[0] ? " " : "",
				 m->mode);
		break;
	}
	return buf;
}

const char *machine_native(const struct machine *m)
{
	return m->kind == MACHINE_BARE ? "bare metal" : NULL;
}
