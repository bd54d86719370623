/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hypercalls are called. Their numbers belong to an interface ("xen"), whoever offers it: a
 * KVM host may serve guests that speak KVM's own, Hyper-V's or Xen's.
 */
#ifndef HVSCOPE_HV_HYPERCALLS_H
#define HVSCOPE_HV_HYPERCALLS_H

#include <stdint.h>

/* NULL when the interface or the number is unknown. */
const char *hypercall_name(const char *interface, uint64_t number);

#endif
