/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a virtual machine is called, and which of its CPUs a thread is, told from what the programs
 * that run virtual machines leave in /proc: their arguments, libvirt's cgroup, their threads'
 * names. Pure functions over hostile text: nothing is read here.
 */
#ifndef HVSCOPE_SAMPLER_VM_NAME_H
#define HVSCOPE_SAMPLER_VM_NAME_H

#include <stddef.h>
#include <stdint.h>

/*
 * By the arguments as /proc/PID/cmdline has them (NUL behind each, `len` bytes in all). NULL when
 * the program is none that we know or gives no name. The caller frees it.
 */
char *vm_name_by_arguments(const char *cmdline, size_t len);

/* By the text of /proc/PID/cgroup, libvirt's scope; NULL: none. The caller frees it. */
char *vm_name_by_cgroup(const char *cgroup);

/* Number of the virtual CPU that a thread of this name runs, -1 when the name doesn't tell. */
int32_t vcpu_by_comm(const char *comm);

#endif
