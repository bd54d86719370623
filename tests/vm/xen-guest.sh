#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The commands for guests in real guests of Xen, PV and PVH, each with a disk and a network device
# served by a real dom0: a known number of block requests, and what each type of guest can tell.
#
# Rule: the number of requests is what dd says it did; hits and misses of a probe together are it.

. "${top_srcdir:-.}/tests/vm/lab.sh"

# PVH guests don't get far under QEMU 10's emulation of SVM.  One CPU: what the older QEMU does wrong
# needs two, and page tables are built faster without telling another one of each change.
lab_emulator=qemu-7.2
lab_begin kernel-6.1 xen xen-tools
lab_smp=1
lab_cpu=qemu64,+svm,+npt
lab_mem=4096
lab_xen="dom0_mem=1500M,max:1500M"

types=${HVSCOPE_LAB_TYPES:-pv pvh}

# In a guest; it says on its console where it is.
cat >"$tmp/guest" <<'END'
say() {
	echo "$(cut -d ' ' -f 1 /proc/uptime) $*" >/dev/hvc0
}
say info
hvscope info -f json -o $OUT/info.json 2>$OUT/info.err
echo $? >$OUT/info.status
say drivers
hvscope drivers -f json -o $OUT/drivers.json -- \
	dd if=/dev/xvda of=/dev/null bs=4096 count=200 iflag=direct 2>$OUT/drivers.err
echo $? >$OUT/drivers.status
say hypercalls
hvscope hypercalls -f json -o $OUT/hypercalls.json -- \
	sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do ls / >/dev/null; done' 2>$OUT/hypercalls.err
echo $? >$OUT/hypercalls.status
say callbacks
hvscope callbacks -f json -o $OUT/callbacks.json -- sleep 2 2>$OUT/callbacks.err
echo $? >$OUT/callbacks.status
say steal
hvscope steal -f json -o $OUT/steal.json 2>$OUT/steal.err
echo $? >$OUT/steal.status
say end
ls /sys/kernel/tracing/instances >$OUT/left
cat /sys/kernel/tracing/kprobe_events >>$OUT/left
END

# In dom0.
{
	echo "types='$types'"
	cat <<'END'
. /lab/dom0.sh
XEN_VCPUS=1
xen_begin || exit 75
for type in $types; do
	if ! xen_guest $type $type || [ ! -e $OUT/$type/status ]; then
		tail -n 20 /var/log/xen/guest-$type.log
		exit 75
	fi
done
END
} >"$tmp/job"

for type in $types; do
	lab_inner "$type" "$tmp/guest" kernel-6.1 xen-blkfront xen-netfront
done
lab_image dom0 kernel-6.1 xenfs xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xen-blkback \
	xen-netback loop
lab_xen_tools dom0
for type in $types; do
	lab_guest dom0 "$type"
done

# table TYPE FILE TABLE EXPRESSION
table() {
	jq -r --arg table "$3" ".tables[] | select(.name == \$table) | $4" "$lab_out/$1/$2.json"
}

verify() {
	for file in info drivers hypercalls callbacks steal; do
		is "$1: $file: ends well" "$(cat "$lab_out/$1/$file.status")" 0
		[ "$(cat "$lab_out/$1/$file.status")" = 0 ] || diag "$(cat "$lab_out/$1/$file.err")"
	done
	is "$1: info: what it is" "$(table "$1" info machine '.rows[] | select(.key == "what").value')" \
		"Xen $2 guest"
	is "$1: info: its disk is paravirtual" \
		"$(table "$1" info devices '.rows[] | select(.name == "xvda") | "\(.kind) \(.driver)"')" \
		"paravirtual vbd"
	is "$1: drivers: requests to the disk" \
		"$(table "$1" drivers requests '.rows[] | select(.device == "202:0").requests')" 200
	is "$1: drivers: hits and misses of the driver's function are these requests" \
		"$(table "$1" drivers probes '[.rows[] | select(.role == "blkfront_queue" and
			.when == "entry") | .hits + .missed] | add')" 200
	ok "$1: callbacks: there were some" \
		test "$(table "$1" callbacks callbacks '[.rows[].calls] | add')" -gt 0
	is "$1: nothing is left in tracefs" "$(cat "$lab_out/$1/left")" ""
}

if lab_run dom0 "$tmp/job" 420; then
	for type in $types; do
		case $type in
		pv)
			verify pv PV
			ok "pv: hypercalls: there were some" \
				test "$(table pv hypercalls hypercalls '[.rows[].entries] | add')" -gt 100
			;;
		pvh)
			verify pvh PVH
			# The tracepoints exist there and never fire.
			is "pvh: hypercalls: none are told of" \
				"$(table pvh hypercalls hypercalls '.rows | length')" 0
			;;
		esac
	done
	[ -z "${HVSCOPE_LAB_KEEP-}" ] || cp -r "$lab_out" "$HVSCOPE_LAB_KEEP/xen-guest"
fi
done_testing
