#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# xen-lab.sh with a newer kernel as dom0.

HVSCOPE_LAB_KERNEL="kernel-6.12"
# shellcheck source=tests/vm/xen-lab.sh
. "${top_srcdir:-.}/tests/vm/xen-lab.sh"
