/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network and storage devices of this machine, and whether the hypervisor stands between them and
 * the hardware.
 */
#ifndef HVSCOPE_SAMPLER_DEVICES_H
#define HVSCOPE_SAMPLER_DEVICES_H

#include <stddef.h>

#include "base/path.h"

enum device_kind {
	DEVICE_PARAVIRTUAL, /* virtio, Xen frontends, VMBus, vmxnet3, … */
	DEVICE_SRIOV,       /* a virtual function of a real device */
	DEVICE_PASSED,      /* a real device seen from inside a guest, or given to one (vfio) */
	DEVICE_EMULATED,    /* software that behaves like a device */
	DEVICE_PHYSICAL,    /* a real device of this host */
	DEVICE_KINDS
};

struct device {
	char name[64];   /* eth0, sda, nvme0; a PCI address where no other name exists */
	char driver[64]; /* "" none bound */
	enum device_kind kind;
};

/*
 * All of them, sorted by name; the caller frees the array. `guest`: this machine is one. *n is 0
 * and the result NULL where /sys tells nothing.
 */
struct device *devices_look(const struct root *root, bool guest, size_t *n);

/* "paravirtual", "sr-iov", … */
const char *device_kind_name(enum device_kind kind);

#endif
