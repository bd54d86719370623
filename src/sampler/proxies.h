/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O proxies: the processes that serve the devices of guests, QEMU and the like, on a KVM host or
 * in dom0.
 */
#ifndef HVSCOPE_SAMPLER_PROXIES_H
#define HVSCOPE_SAMPLER_PROXIES_H

#include <stddef.h>

#include "base/path.h"

/* Writes "qemu-system-x86 (pid 12), firecracker (pid 13)", "" when none runs; how many run. */
unsigned int proxies_describe(const struct root *root, char *buf, size_t size);

#endif
