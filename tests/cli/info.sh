#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `hvscope info` on recorded trees: guests with virtual functions, virtio on PCI and without it,
# emulated devices, a host that gives a function away (tests/roots), and Xen machines as their
# /sys/hypervisor and /proc/xen were recorded. Nothing may fail for a missing file.

. "${top_srcdir:-.}/tests/lib.sh"
roots=$top_srcdir/tests/roots

# The value of a key of the table machine, of the tree in $tmp/$1.
value() {
	"$HVSCOPE" info --root "$tmp/$1" -f json |
		jq -r --arg k "$2" '.tables[] | select(.name == "machine").rows[] |
			select(.key == $k).value'
}

# "name kind driver" of each device.
devices() {
	"$HVSCOPE" info --root "$tmp/$1" -f json |
		jq -r '.tables[] | select(.name == "devices").rows[] |
			"\(.name) \(.kind) \(.driver // "-")"' | tr '\n' ',' | sed 's/,$//'
}

# The verdict on a command.
works() {
	"$HVSCOPE" info --root "$tmp/$1" -f json |
		jq -r --arg c "$2" '.tables[] | select(.name == "commands").rows[] |
			select(.command == $c) | "\(.works) \(.why)"'
}

unpack() {
	mkdir -p "$tmp/$1" && tar -xzf "$roots/fakeroot-$1.tgz" -C "$tmp/$1"
}

put() {
	mkdir -p "$(dirname "$tmp/$1")" && printf '%b' "$2" >"$tmp/$1"
}

for r in emul guestvf microvm sriov sriov-vfiohost virtio; do
	unpack "$r"
	check "$r: no file is missed" "'$HVSCOPE' info --root '$tmp/$r'" 0 'what can be told here'
done

is 'emulated devices' "$(devices emul)" \
	'eth0 emulated 8139cp,eth1 emulated e1000,eth2 emulated e1000e,nvme0 emulated nvme,sda emulated ahci'
is 'a virtual function inside a guest' "$(devices guestvf)" \
	'eth0 sr-iov igbvf,nvme0 emulated nvme'
is 'virtio without PCI' "$(devices microvm)" \
	'eth0 paravirtual virtio_net,vda paravirtual virtio_blk'
is 'a function and its virtual functions' "$(devices sriov)" \
	'eth0 passed-through igb,eth1 sr-iov igbvf,eth2 sr-iov igbvf,nvme0 emulated nvme'
is 'a function given to a guest' "$(devices sriov-vfiohost)" \
	'0000:01:10.0 passed-through vfio-pci,0000:01:10.2 sr-iov -,eth0 passed-through igb'
# VirtualBox's disk controller bears no brand of its own; a real one is told by being elsewhere.
put vbox/sys/class/dmi/id/sys_vendor 'innotek GmbH\n'
put vbox/sys/class/dmi/id/product_name 'VirtualBox\n'
pci=vbox/sys/devices/pci0000:00/0000:00:0d.0
put $pci/vendor '0x8086\n'
put $pci/device '0x2829\n'
put $pci/host0/target0/block/sda/size '1\n'
ln -s /sys/bus/pci "$tmp/$pci/subsystem"
ln -s /sys/bus/pci/drivers/ahci "$tmp/$pci/driver"
mkdir -p "$tmp/vbox/sys/block"
ln -s ../devices/pci0000:00/0000:00:0d.0/host0/target0/block/sda "$tmp/vbox/sys/block/sda"
is 'a disk of VirtualBox' "$(value vbox what): $(devices vbox)" 'VirtualBox guest: sda emulated ahci'
rm -r "$tmp/vbox/sys/class/dmi"
put vbox/proc/cpuinfo 'vendor_id : GenuineIntel\nflags : fpu vmx lahf_lm\n'
is 'the same in a machine of its own' "$(value vbox what): $(devices vbox)" 'bare metal: sda physical ahci'
is 'an EC2 instance on Nitro' "$(value guestvf what)" 'AWS Nitro (KVM) guest'
is 'a guest whose CPU hides the hypervisor' "$(value emul what)" 'KVM or QEMU guest'

# Xen, as recorded on 4.17 with Linux 6.1 and 6.12.
put dom0/sys/hypervisor/type 'xen\n'
put dom0/sys/hypervisor/guest_type 'PV\n'
put dom0/sys/hypervisor/version/major '4\n'
put dom0/sys/hypervisor/version/minor '17\n'
put dom0/sys/hypervisor/version/extra '.7\n'
put dom0/sys/hypervisor/properties/buildid '\025\033\077\255\113\062\336\000\377'
put dom0/proc/xen/capabilities 'control_d\n'
is 'dom0' "$(value dom0 what)" 'Xen dom0 (PV)'
is "dom0's hypervisor" "$(value dom0 xen_version)" '4.17.7'

put pv/sys/hypervisor/type 'xen\n'
put pv/sys/hypervisor/guest_type 'PV\n'
put pv/proc/xen/capabilities ''
is 'PV guest' "$(value pv what)" 'Xen PV guest'

put pvh/sys/hypervisor/type 'xen\n'
put pvh/sys/hypervisor/guest_type 'PVH\n'
put pvh/sys/kernel/tracing/events/xen/xen_mc_entry/format 'x'
is 'PVH guest' "$(value pvh what)" 'Xen PVH guest'
case $(works pvh hypercalls) in
no*) pass 'events that exist and never fire in a PVH guest are no yes' ;;
*) fail 'events that exist and never fire in a PVH guest are no yes' ;;
esac

# The recorded reads of /sys/hypervisor failed one by one: a directory in a file's place does too.
put pvhvm/sys/hypervisor/type 'xen\n'
put pvhvm/sys/hypervisor/guest_type 'HVM\n'
mkdir -p "$tmp/pvhvm/sys/hypervisor/version/major" "$tmp/pvhvm/proc/xen/capabilities"
is 'PVHVM guest with unreadable files' "$(value pvhvm what)" 'Xen PVHVM guest'

put hyperv/proc/cpuinfo 'vendor_id : GenuineIntel\nflags : fpu hypervisor lahf_lm\n'
put hyperv/sys/devices/system/clocksource/clocksource0/available_clocksource \
	'hyperv_clocksource_tsc_page acpi_pm\n'
is 'Hyper-V guest' "$(value hyperv what)" 'Hyper-V guest'

put metal/proc/cpuinfo 'vendor_id : GenuineIntel\nflags : fpu vmx lahf_lm\n'
put metal/proc/stat 'cpu  1 0 1 1 0 0 0 0 0 0\ncpu0 1 0 1 1 0 0 0 0 0 0\n'
is 'bare metal' "$(value metal what)" 'bare metal'

put hidden/proc/cpuinfo 'vendor_id : GenuineIntel\nflags : fpu hypervisor lahf_lm\n'
is 'a guest of an unknown hypervisor' "$(value hidden what)" 'unknown hypervisor guest'

put arm/proc/device-tree/hypervisor/compatible 'linux,kvm\0'
is 'a guest by its device tree' "$(value arm what)" 'KVM guest'

# What other architectures say of themselves. What tells stands behind all CPUs in these files.
cpus() { # TEXT OF ONE
	i=0
	while [ $i -lt 200 ]; do
		printf "$1" $i
		i=$((i + 1))
	done
}
power='processor\t: %d\ncpu\t\t: POWER9 (architected), altivec supported\nclock\t\t: 2500.000000MHz\n\n'
for r in lpar qemu powernv; do
	mkdir -p "$tmp/$r/proc"
	cpus "$power" >"$tmp/$r/proc/cpuinfo"
done
printf 'platform\t: pSeries\nmodel\t\t: IBM,9009-42A\n' >>"$tmp/lpar/proc/cpuinfo"
printf 'platform\t: pSeries\nmachine\t\t: CHRP IBM pSeries (emulated by qemu)\n' >>"$tmp/qemu/proc/cpuinfo"
printf 'platform\t: PowerNV\nmodel\t\t: 9006-22P\n' >>"$tmp/powernv/proc/cpuinfo"
is 'a partition of a POWER machine' "$(value lpar what)" 'PowerVM guest'
is 'a pseries guest of QEMU' "$(value qemu what)" 'KVM or QEMU guest'
is 'a POWER machine itself' "$(value powernv what)" 'bare metal'
for r in part kvm390 zvm; do
	put $r/proc/cpuinfo 'vendor_id       : IBM/S390\n# processors    : 2\n'
	{
		printf 'Manufacturer:         IBM\nCPUs Total:           200\n'
		cpus 'Adjustment %03d-way:  64535\n'
		printf 'LPAR Number:          15\nLPAR Name:            X\n'
	} >"$tmp/$r/proc/sysinfo"
done
printf 'VM00 Control Program: KVM/Linux\n' >>"$tmp/kvm390/proc/sysinfo"
printf 'VM00 Control Program: z/VM    7.2.0\n' >>"$tmp/zvm/proc/sysinfo"
is 'a partition of a mainframe: time can be stolen' "$(value part what)" 'PR/SM guest'
is 'a guest in one' "$(value kvm390 what)" 'KVM guest'
is 'a guest of z/VM' "$(value zvm what)" 'z/VM guest'

# Each of Hyper-V's events may be missing, but not all.
put hvnone/sys/kernel/tracing/events/sched/sched_switch/format x
put hvnone/sys/kernel/tracing/current_tracer 'nop\n'
put hvnone/sys/kernel/tracing/trace ''
put hvnone/proc/cpuinfo 'vendor_id : GenuineIntel\nflags : fpu hypervisor lahf_lm\n'
put hvnone/sys/class/dmi/id/sys_vendor 'Microsoft Corporation\n'
put hvnone/sys/class/dmi/id/product_name 'Virtual Machine\n'
case $(works hvnone hypercalls) in
'no no events hyperv:'*) pass 'a Hyper-V guest whose kernel has none of its events' ;;
*) fail 'a Hyper-V guest whose kernel has none of its events' ;;
esac
put hvnone/sys/kernel/tracing/events/hyperv/hyperv_send_ipi_one/format x
is 'one that has one of them' "$(works hvnone hypercalls)" 'yes null'

# A tracefs of an x86 host, and what KVM has there.
for r in host soft nokvm modular; do
	for event in kvm_exit kvm_entry; do
		put $r/sys/kernel/tracing/events/kvm/$event/format x
	done
	put $r/sys/kernel/tracing/current_tracer 'nop\n'
	put $r/sys/kernel/tracing/trace ''
	put $r/proc/cpuinfo 'processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu vme vmx lahf_lm\n'
	mkdir -p "$tmp/$r/sys/class/misc/kvm"
done
put soft/proc/cpuinfo 'processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu vme hypervisor\n'
rmdir "$tmp/nokvm/sys/class/misc/kvm"
rm -r "$tmp/modular/sys/kernel/tracing/events/kvm"
mkdir -p "$tmp/modular/sys/kernel/tracing/events/sched"
is 'a KVM host' "$(works host exits)" 'yes null'
is 'one whose KVM has no hardware to run guests' "$(works soft exits)" \
	'partly KVM without vmx or svm may tell no exits'
is 'a kernel with KVM, on a machine that has none' "$(works nokvm exits)" \
	'no there is no /dev/kvm to run a guest with'
is 'what is missing is named by this architecture' "$(works modular exits)" \
	'no no events kvm:kvm_exit, kvm:kvm_entry'

# Lockdown, as a kernel has it from boot on: tracefs is mounted, and empty.
put lockdown/sys/kernel/security/lockdown 'none integrity [confidentiality]\n'
put lockdown/proc/mounts 'tracefs /sys/kernel/tracing tracefs rw,nosuid 0 0\n'
mkdir -p "$tmp/lockdown/sys/kernel/tracing"
cp "$roots/steal/idle0/proc/stat" "$tmp/lockdown/proc/stat"
is 'lockdown is told' "$(value lockdown lockdown)" confidentiality
for command in exits drivers count record; do
	case $(works lockdown $command) in
	no*lockdown*) pass "under lockdown, $command: no, and why" ;;
	*) fail "under lockdown, $command: no, and why" ;;
	esac
done
case $(works lockdown steal) in
partly*--hist*lockdown*) pass 'under lockdown, steal: all but --hist' ;;
*) fail 'under lockdown, steal: all but --hist' ;;
esac

is 'and each reason is told whole, once' "$("$HVSCOPE" info --root "$tmp/lockdown" | tr -s ' \n' '  ' |
	grep -o 'boot with lockdown=integrity or without lockdown\.' | wc -l)" 1

mkdir -p "$tmp/nothing"
check 'a tree that is not there' "'$HVSCOPE' info --root '$tmp/nowhere'" 1 \
	"^hvscope: there is no recorded tree at .*: No such file or directory\$"
check 'nor is a file one' "'$HVSCOPE' info --root '$HVSCOPE'" 1 'no recorded tree at .*: Not a directory'
check 'an empty tree is answered' "'$HVSCOPE' info --root '$tmp/nothing'" 0 'no hypervisor found'
case $(works nothing steal) in
'no '*/proc/stat*) pass 'steal without /proc/stat: no, and why' ;;
*) fail 'steal without /proc/stat: no, and why' ;;
esac

put cloud/sys/class/dmi/id/sys_vendor 'Hetzner\n'
put cloud/sys/class/dmi/id/product_name 'vServer\n'
is "a cloud's guest by DMI" "$(value cloud what)" 'KVM guest'
put ec2metal/proc/cpuinfo 'vendor_id : GenuineIntel\nflags : fpu vmx\n'
put ec2metal/sys/class/dmi/id/sys_vendor 'Amazon EC2\n'
put ec2metal/sys/class/dmi/id/product_name 'm5.metal\n'
is "a cloud's bare metal" "$(value ec2metal what)" 'bare metal'

# Verbs: recording needs tracing, the selftest a guest of its own, too.
mkdir -p "$tmp/traced/sys/kernel/tracing/events" "$tmp/traced/dev"
put traced/sys/kernel/tracing/current_tracer 'nop\n'
put traced/sys/kernel/tracing/trace ''
case $(works nothing record) in
'no '?*) pass 'record without tracefs: no, and why' ;;
*) fail 'record without tracefs: no, and why' ;;
esac
is 'every command that may not work has a row' "$("$HVSCOPE" info -f csv --table commands |
	sed -n 's/,.*//; 2,$p' | sort | tr '\n' ' ')" "$("$HVSCOPE" help | awk '/^  [a-z]/ { print $1 }' |
	grep -Evx 'info|help' | sort | tr '\n' ' ')"

put hostile/sys/class/dmi/id/sys_vendor 'QEMU\033[31m\n'
check 'control characters of firmware stay out of the terminal' \
	"'$HVSCOPE' info --root '$tmp/hostile' | tr -d '[:print:]\n' | LC_ALL=C grep -c \"\$(printf '\\033')\"" \
	1

check 'here' "'$HVSCOPE' info -v" 0 'COMMAND'
check 'CSV' "'$HVSCOPE' info -f csv --table commands" 0 '^command,works,why,do'
check 'an operand is one too many' "'$HVSCOPE' info 5" 2

done_testing
