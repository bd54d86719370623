// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Numbers of hypercalls by interface, in lower case: Xen's public headers (xen.h), Linux'
 * kvm_para.h, and the Hyper-V specification with the names of Linux' hyperv-tlfs.h.
 */
#include "hv/hypercalls.h"

#include <string.h>

#include "base/util.h"
#include "hv/hypervisor.h"

/* 11 was never given out. */
static const struct hv_symbol xen[] = {
	{ 0, "set_trap_table" },
	{ 1, "mmu_update" },
	{ 2, "set_gdt" },
	{ 3, "stack_switch" },
	{ 4, "set_callbacks" },
	{ 5, "fpu_taskswitch" },
	{ 6, "sched_op_compat" },
	{ 7, "platform_op" },
	{ 8, "set_debugreg" },
	{ 9, "get_debugreg" },
	{ 10, "update_descriptor" },
	{ 12, "memory_op" },
	{ 13, "multicall" },
	{ 14, "update_va_mapping" },
	{ 15, "set_timer_op" },
	{ 16, "event_channel_op_compat" },
	{ 17, "xen_version" },
	{ 18, "console_io" },
	{ 19, "physdev_op_compat" },
	{ 20, "grant_table_op" },
	{ 21, "vm_assist" },
	{ 22, "update_va_mapping_otherdomain" },
	{ 23, "iret" },
	{ 24, "vcpu_op" },
	{ 25, "set_segment_base" },
	{ 26, "mmuext_op" },
	{ 27, "xsm_op" },
	{ 28, "nmi_op" },
	{ 29, "sched_op" },
	{ 30, "callback_op" },
	{ 31, "xenoprof_op" },
	{ 32, "event_channel_op" },
	{ 33, "physdev_op" },
	{ 34, "hvm_op" },
	{ 35, "sysctl" },
	{ 36, "domctl" },
	{ 37, "kexec_op" },
	{ 38, "tmem_op" },
	{ 39, "argo_op" },
	{ 40, "xenpmu_op" },
	{ 41, "dm_op" },
	{ 42, "hypfs_op" },
	{ 0, NULL },
};

static const struct hv_symbol kvm[] = {
	{ 1, "vapic_poll_irq" },
	{ 2, "mmu_op" },
	{ 3, "features" },
	{ 4, "ppc_map_magic_page" },
	{ 5, "kick_cpu" },
	{ 9, "clock_pairing" },
	{ 10, "send_ipi" },
	{ 11, "sched_yield" },
	{ 12, "map_gpa_range" },
	{ 0, NULL },
};

static const struct hv_symbol hyperv[] = {
	{ 0x0001, "switch_virtual_address_space" },
	{ 0x0002, "flush_virtual_address_space" },
	{ 0x0003, "flush_virtual_address_list" },
	{ 0x0008, "notify_long_spin_wait" },
	{ 0x000b, "send_ipi" },
	{ 0x000c, "modify_vtl_protection_mask" },
	{ 0x000d, "enable_partition_vtl" },
	{ 0x000f, "enable_vp_vtl" },
	{ 0x0011, "vtl_call" },
	{ 0x0012, "vtl_return" },
	{ 0x0013, "flush_virtual_address_space_ex" },
	{ 0x0014, "flush_virtual_address_list_ex" },
	{ 0x0015, "send_ipi_ex" },
	{ 0x0046, "get_partition_id" },
	{ 0x0048, "deposit_memory" },
	{ 0x004e, "create_vp" },
	{ 0x0050, "get_vp_registers" },
	{ 0x0051, "set_vp_registers" },
	{ 0x005c, "post_message" },
	{ 0x005d, "signal_event" },
	{ 0x0069, "post_debug_data" },
	{ 0x006a, "retrieve_debug_data" },
	{ 0x006b, "reset_debug_session" },
	{ 0x0076, "add_logical_processor" },
	{ 0x007c, "map_device_interrupt" },
	{ 0x007d, "unmap_device_interrupt" },
	{ 0x007e, "retarget_interrupt" },
	{ 0x0099, "start_vp" },
	{ 0x009a, "get_vp_id_from_apic_id" },
	{ 0x00af, "flush_guest_physical_address_space" },
	{ 0x00b0, "flush_guest_physical_address_list" },
	{ 0x8001, "query_ext_capability" },
	{ 0, NULL },
};

static const struct {
	const char *interface;
	const struct hv_symbol *names;
} interfaces[] = {
	{ "xen", xen },
	{ "kvm", kvm },
	{ "hyperv", hyperv },
};

const char *hypercall_name(const char *interface, uint64_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
		if (strcmp(interfaces[i].interface, interface) != 0)
			continue;
		for (const struct hv_symbol *s = interfaces[i].names; s->name; s++)
			if (s->value == number)
				return s->name;
	}
	return NULL;
}
