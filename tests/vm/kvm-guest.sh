#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A real guest on a real KVM host: two busy vCPUs that have one CPU between them. Inside, `steal` shows
# what the other one took; outside, `exits` shows the guest under its name.
#
# Rule: truth is /proc/stat, read by the guest itself around the same time.

. "${top_srcdir:-.}/tests/vm/lab.sh"

lab_begin kernel-6.1
[ -n "$lab_bios" ] || lab_missing "needs the QEMU of Debian's backports to run one inside another"
lab_mem=3072

# In the guest.
cat >"$tmp/guest" <<'END'
hvscope info -f json -o $OUT/info.json 2>$OUT/info.err
echo $? >$OUT/info.status
for cpu in 0 1; do
	taskset $((1 << cpu)) sh -c 'while :; do :; done' &
done
sleep 1
head -n 1 /proc/stat >$OUT/before
hvscope steal -f json -o $OUT/steal.json 6 1 2>$OUT/steal.err
echo $? >$OUT/steal.status
head -n 1 /proc/stat >$OUT/after
hvscope steal --hist -f json -d 6s -o $OUT/hist.json 2>$OUT/hist.err
echo $? >$OUT/hist.status
END

# On the host.
cat >"$tmp/job" <<'END'
truncate -s 16M /tmp/results
cat >start <<'START'
timeout 150 taskset 1 qemu-system-x86_64 -name guest=nested,debug-threads=on -L /lab/bios \
	-nodefaults -no-user-config -M q35 -accel kvm -cpu host -smp 2 -m 512 -display none \
	-monitor none -no-reboot -serial file:$OUT/console -kernel /host/vmlinuz -initrd /host/guest.initrd \
	-append "console=ttyS0 quiet nokaslr mitigations=off random.trust_cpu=on panic=-1" \
	-drive file=/tmp/results,format=raw,if=none,id=results -device virtio-blk,drive=results
START
hvscope exits -f json -o $OUT/exits.json -- sh start >$OUT/qemu 2>&1
echo $? >$OUT/exits.status
cat $OUT/qemu
mkdir $OUT/guest
tar -xf /tmp/results -C $OUT/guest && [ -e $OUT/guest/status ] || exit 75
END

lab_inner guest "$tmp/guest" kernel-6.1 virtio_pci virtio_blk
lab_image host kernel-6.1 kvm-amd
lab_add host "$HVSCOPE"
lab_nested host guest /dev/vda

if lab_run host "$tmp/job" 300; then
	is "the job came to its end" "$lab_status" 0
	for file in info steal hist; do
		is "guest: $file: ends well" "$(cat "$lab_out/guest/$file.status")" 0
		[ "$(cat "$lab_out/guest/$file.status")" = 0 ] || diag "$(cat "$lab_out/guest/$file.err")"
	done
	is "guest: info: what it is" "$(jq -r '.tables[0].rows[] | select(.key == "what").value' \
		"$lab_out/guest/info.json")" "KVM guest"
	truth=$(lab_stolen "$lab_out/guest/before" "$lab_out/guest/after")
	stolen=$(jq '.tables[0].totals.steal * 100 | floor' "$lab_out/guest/steal.json")
	clock=$(lab_clock "$lab_out/guest/hist.json")
	diag "stolen: $truth % by /proc/stat, $stolen % by hvscope, $clock % by the steal clock"
	ok "guest: steal: more than a quarter" test "$stolen" -gt 25
	ok "guest: steal: as /proc/stat has it, within 10 points" \
		test $((stolen - truth)) -le 10 -a $((truth - stolen)) -le 10
	ok "guest: steal: by the clock more than a quarter too" test "$clock" -gt 25

	is "host: exits: ends well" "$(cat "$lab_out/exits.status")" 0
	is "host: exits: the guest by its name" "$(jq -r '[.tables[0].rows[].vm] | unique | join(" ")' \
		"$lab_out/exits.json")" nested
	is "host: exits: nothing was lost" "$(jq .lost.complete "$lab_out/exits.json")" true
	[ -z "${HVSCOPE_LAB_KEEP-}" ] || cp -r "$lab_out" "$HVSCOPE_LAB_KEEP/kvm-guest"
fi
done_testing
