// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sources of evidence are asked in turn, the most telling first, and the first that knows wins:
 * Xen's own files, the CPU's signature (leaf 0x40000000; KVM and Xen can hide behind Hyper-V's, at
 * the next multiple of 0x100), the device tree, the clocks that only a guest's kernel has, DMI, and
 * last the mere "hypervisor" flag of the CPU. A directory alone says nothing: events/xen and
 * /sys/hypervisor/properties exist on kernels that run elsewhere.
 */
#include "sampler/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "base/util.h"

enum { TEXT_LIMIT = 64 << 20 }; /* of /proc/cpuinfo: a kilobyte or two for each CPU */

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
			    (!found || !strcmp(found, "Hyper-V")))
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

/*
 * ppc64 and s390x tell it here; `cpuinfo` as whole as it is, because what tells stands behind all
 * CPUs. A mainframe's Linux never runs on the machine itself: without z/VM or KVM it is in an LPAR.
 */
static bool by_sysinfo(const struct root *root, const char *cpuinfo, struct machine *m)
{
	static const struct known power[] = { { "emulated by qemu", "KVM or QEMU" },
					      { "pSeries", "PowerVM" } };
	static const struct known mainframe[] = { { "KVM/Linux", "KVM" },
						  { "z/VM", "z/VM" },
						  { "LPAR Number", "PR/SM" } };
	char *text = path_read_all(root, TEXT_LIMIT, NULL, "/proc/sysinfo");
	bool found = text &&
		     by_words(m, text, mainframe, ARRAY_SIZE(mainframe), "/proc/sysinfo");

	free(text);
	return found || (strstr(cpuinfo, "pSeries") &&
			 by_words(m, cpuinfo, power, ARRAY_SIZE(power), "/proc/cpuinfo"));
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

/* As uname -m has it: of this kernel, or by a sign in the processor's description of a tree. */
static void look_at_arch(const struct root *root, const char *cpuinfo, struct machine *m)
{
	static const struct {
		const char *sign, *arch;
	} signs[] = {
		{ "IBM/S390", "s390x" },	   { "vendor_id", "x86_64" },
		{ "PowerNV", "ppc64le" },	   { "pSeries", "ppc64le" },
		{ "CPU implementer", "aarch64" }, { "rv64", "riscv64" },
	};
	struct utsname uts;

	if (!root->prefix && !uname(&uts)) {
		snprintf(m->arch, sizeof(m->arch), "%.15s", uts.machine);
		return;
	}
	if (*line_of(root, "/proc/sys/kernel/arch", m->arch, sizeof(m->arch)))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(signs) && !m->arch[0]; i++)
		if (strstr(cpuinfo, signs[i].sign))
			snprintf(m->arch, sizeof(m->arch), "%s", signs[i].arch);
}

/* A processor that would say so says nothing of a hypervisor. */
static bool is_bare(const char *cpuinfo)
{
	return strstr(cpuinfo, "PowerNV") ||
	       (strstr(cpuinfo, "vendor_id") && !strstr(cpuinfo, "IBM/S390"));
}

static void look_at_dmi(const struct root *root, struct machine *m, bool *amazon, bool *metal)
{
	char vendor[64], product[64];

	line_of(root, "/sys/class/dmi/id/sys_vendor", vendor, sizeof(vendor));
	line_of(root, "/sys/class/dmi/id/product_name", product, sizeof(product));
	snprintf(m->product, sizeof(m->product), "%s%s%s", vendor, *vendor && *product ? " " : "",
		 product);
	*amazon = !strcmp(vendor, "Amazon EC2");
	*metal = *amazon && strstr(product, ".metal");
}

static void look_at_kvm(const struct root *root, const char *cpuinfo, struct machine *m)
{
	m->kvm_host = path_exists(root, "/dev/kvm") || path_exists(root, "/sys/class/misc/kvm") ||
		      path_exists(root, "/sys/module/kvm_intel") ||
		      path_exists(root, "/sys/module/kvm_amd");
	m->no_kvm = !m->kvm_host && path_exists(root, "/sys/class/misc");
	m->kvm_without_hardware = m->kvm_host && strstr(cpuinfo, "\nflags\t") &&
				  !strstr(cpuinfo, " vmx") && !strstr(cpuinfo, " svm");
}

void machine_look(const struct root *root, struct machine *m)
{
	char *cpuinfo = path_read_all(root, TEXT_LIMIT, NULL, "/proc/cpuinfo");
	const char *cpus = cpuinfo ? cpuinfo : "";
	bool found, amazon, metal;

	*m = (struct machine){ 0 };
	look_at_arch(root, cpus, m);
	look_at_dmi(root, m, &amazon, &metal);
	look_at_kvm(root, cpus, m);
	found = by_xen(root, m) || by_cpuid(root, m) || by_device_tree(root, m) ||
		by_sysinfo(root, cpus, m) || by_clock(root, m) || (!metal && by_dmi(m));
	m->nitro = found && amazon && !strcmp(m->hypervisor, "KVM");
	if (!found && strstr(cpus, " hypervisor"))
		set(m, MACHINE_GUEST, "", "/proc/cpuinfo");
	else if (!found && (metal || is_bare(cpus)))
		set(m, MACHINE_BARE, "", metal ? "/sys/class/dmi/id" : "/proc/cpuinfo");
	free(cpuinfo);
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
