#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A PVHVM guest: KVM plays Xen for it, with a disk of Xen's kind. Inside, a known number of block
# requests and the upcalls that tell of them; outside, the guest's hypercalls.
#
# Rule: the number of requests is what dd was told to do; the host's truth is the kernel's own trace
# text in an instance of another user.

. "${top_srcdir:-.}/tests/vm/lab.sh"

lab_begin kernel-6.1 kernel-6.12
[ -n "$lab_bios" ] || lab_missing "needs the QEMU of Debian's backports to run one inside another"
lab_mem=3072

# In the guest.
cat >"$tmp/guest" <<'END'
hvscope info -f json -o $OUT/info.json 2>$OUT/info.err
echo $? >$OUT/info.status
hvscope drivers -f json -o $OUT/drivers.json -- \
	dd if=/dev/xvda of=/dev/null bs=4096 count=200 iflag=direct 2>$OUT/drivers.err
echo $? >$OUT/drivers.status
hvscope callbacks -f json -o $OUT/callbacks.json -- \
	dd if=/dev/xvda of=/dev/null bs=4096 count=200 iflag=direct 2>$OUT/callbacks.err
echo $? >$OUT/callbacks.status
ls /sys/kernel/tracing/instances >$OUT/left
cat /sys/kernel/tracing/kprobe_events >>$OUT/left
END

# On the host.
cat >"$tmp/job" <<'END'
truncate -s 64M /tmp/disk
truncate -s 16M /tmp/results
bystander=$TRACEFS/instances/bystander
mkdir $bystander
echo 32768 >$bystander/buffer_size_kb
echo 1 >$bystander/events/kvm/kvm_xen_hypercall/enable
cat >start <<'START'
timeout 200 qemu-system-x86_64 -name guest=pvhvm,debug-threads=on -L /lab/bios \
	-nodefaults -no-user-config -M q35 -accel kvm,xen-version=0x40011,kernel-irqchip=split \
	-cpu host -smp 2 -m 768 -display none -monitor none -no-reboot -serial file:$OUT/console \
	-kernel /host/vmlinuz -initrd /host/guest.initrd \
	-append "console=ttyS0 quiet nokaslr mitigations=off random.trust_cpu=on panic=-1" \
	-drive file=/tmp/disk,format=raw,if=none,id=disk -device xen-disk,drive=disk,vdev=xvda \
	-drive file=/tmp/results,format=raw,if=none,id=results -device xen-disk,drive=results,vdev=xvdb
START
hvscope hypercalls -f json -o $OUT/hypercalls.json -- sh start >$OUT/qemu 2>&1
echo $? >$OUT/hypercalls.status
cat $OUT/qemu
sed -n 's/.* kvm_xen_hypercall: .*nr 0x\([0-9a-f]*\) .*/\1/p' $bystander/trace | sort | uniq -c >$OUT/seen
grep -m 2 kvm_xen_hypercall: $bystander/trace
mkdir $OUT/guest
tar -xf /tmp/results -C $OUT/guest && [ -e $OUT/guest/status ] || exit 75
END

lab_inner guest "$tmp/guest" kernel-6.1 xen-blkfront
lab_image host kernel-6.12 kvm-amd
lab_add host "$HVSCOPE"
lab_nested host guest /dev/xvdb

# table FILE TABLE EXPRESSION
table() {
	jq -r --arg table "$2" ".tables[] | select(.name == \$table) | $3" "$lab_out/$1.json"
}

if lab_run host "$tmp/job" 400; then
	is "the job came to its end" "$lab_status" 0
	sed 's/^/# /' "$lab_out/log"
	for file in info drivers callbacks; do
		is "guest: $file: ends well" "$(cat "$lab_out/guest/$file.status")" 0
		[ "$(cat "$lab_out/guest/$file.status")" = 0 ] || diag "$(cat "$lab_out/guest/$file.err")"
	done
	is "guest: info: what it is" \
		"$(table guest/info machine '.rows[] | select(.key == "what").value')" "Xen PVHVM guest"
	is "guest: drivers: requests to the disk" \
		"$(table guest/drivers requests '.rows[] | select(.device == "202:0").requests')" 200
	is "guest: drivers: hits and misses of the driver's function are these requests" \
		"$(table guest/drivers probes '[.rows[] | select(.role == "blkfront_queue" and
			.when == "entry") | .hits + .missed] | add')" 200
	ok "guest: callbacks: one for each request, or a few together" \
		test "$(table guest/callbacks callbacks '[.rows[].calls] | add')" -gt 50
	is "guest: nothing is left in tracefs" "$(cat "$lab_out/guest/left")" ""

	is "host: hypercalls: ends well" "$(cat "$lab_out/hypercalls.status")" 0
	is "host: hypercalls: by number, as the kernel's own text has them" \
		"$(table hypercalls hypercalls '.rows[] | select(.interface == "xen") |
			"\(.entries) \(.op)"' | sort)" \
		"$(while read -r count number; do echo "$count $((0x$number))"; done \
			<"$lab_out/seen" | sort)"
	ok "host: hypercalls: the guest made more than it had requests" \
		test "$(table hypercalls hypercalls '.totals.entries')" -gt 200
	is "host: hypercalls: the guest by its name" \
		"$(table hypercalls hypercalls '[.rows[].vm] | unique | join(" ")')" pvhvm
	[ -z "${HVSCOPE_LAB_KEEP-}" ] || cp -r "$lab_out" "$HVSCOPE_LAB_KEEP/kvm-pvhvm"
fi
done_testing
