#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Recordings of guests on real KVM hosts: what is read from them is what the guests counted and what
# trace-cmd and KernelShark's library read, with the machines' names; what a killed recording left is
# joined and right; calls of kernel functions are as many as a program made.
#
# Rule: as in kvm-exits.sh, truth is never a figure of hvscope's.

. "${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/vm/lab.sh"

lab_begin kernel-6.1 kernel-6.12

cat >"$tmp/job" <<'END'
cd /tmp || exit 1
bystander=$TRACEFS/instances/bystander
mkdir $bystander
echo 16384 >$bystander/buffer_size_kb
echo 1 >$bystander/events/kvm/kvm_exit/enable

state() {
	for file in tracing_on set_event kprobe_events uprobe_events dynamic_events; do
		[ ! -e "$TRACEFS/$file" ] || { echo "$file:"; cat "$TRACEFS/$file"; }
	done
	ls "$TRACEFS/instances"
}
state >$OUT/before

seen() {
	sed -n 's/.* kvm_exit: .*reason \([^ ]*\) .*/\1/p' $bystander/trace | sort | uniq -c >$OUT/$1.seen
	! grep -q trapped $OUT/$1.err || { cat $OUT/$1.err; exit 75; }
}

ops="cpuid=40 port_out=30 port_in=20 mmio_write=15 mmio_read=10 rdmsr=25 wrmsr=12 hypercall=18 hlt=8"

# The machines are gone before the recording ends.
cp /usr/bin/load /usr/bin/qemu-system-x86_64
cat >named <<'NAMED'
qemu-system-x86_64 vcpus=2 rounds=5 migrate=3 hold=2500 OPS -- -name guest=alpha,debug-threads=on &
qemu-system-x86_64 vcpus=1 rounds=4 hold=2500 OPS -- -name beta &
wait
NAMED
sed -i "s/OPS/$ops/" named
echo >$bystander/trace
hvscope record exits -o named.dat -- sh named >$OUT/named.truth 2>$OUT/named.err
echo $? >$OUT/named.status
seen named

# Killed when all has happened, and joined.
echo >$bystander/trace
hvscope record exits -o killed.dat >$OUT/killed.out 2>$OUT/killed.err &
run=$!
sleep 2
load vms=2 rounds=5 $ops >$OUT/killed.truth 2>>$OUT/killed.err || exit 75
# Enough after it, on each CPU, that the pages of its records are full.
load vcpus=2 rounds=60 migrate=2 $ops >$OUT/more.truth 2>>$OUT/killed.err || exit 75
sleep 1
kill -9 $run
wait $run
seen killed
hvscope record --recover -o killed.dat 2>>$OUT/killed.err
echo $? >$OUT/killed.status
ls >$OUT/killed.files

# A thousand reads of 7 bytes, nobody else's.
hvscope record 'p:vfs_read n=$arg3' --filter 'n == 7' -o calls.dat -- \
	dd if=/dev/zero of=/dev/null bs=7 count=1000 2>$OUT/calls.err
echo $? >$OUT/calls.status
hvscope count 'p:vfs_read n=$arg3' --filter 'n == 7' -f json -o $OUT/live.json -- \
	dd if=/dev/zero of=/dev/null bs=7 count=1000 2>$OUT/live.err
echo $? >$OUT/live.status
hvscope count 'vfs_re*' -f json -o $OUT/glob.json -- \
	dd if=/dev/zero of=/dev/null bs=7 count=1000 2>$OUT/glob.err
echo $? >$OUT/glob.status
hvscope count 'r:vfs_*' 'nosuch_*' -d 10ms >$OUT/nosuch 2>&1
echo $? >>$OUT/nosuch

cp *.dat $OUT
state >$OUT/after
exit 0
END

counted() {
	jq --arg reason "$2" '[.tables[0].rows[] | select(.reason == $reason).exits] | add // 0' \
		"$tmp/$1.json"
}

reasons() {
	jq -r '[.tables[0].rows[]] | group_by(.reason)[] | "\(map(.exits) | add) \(.[0].reason)"' \
		"$tmp/$1.json" | sort
}

# Exits of a file, by trace-cmd.
by_trace_cmd() {
	trace-cmd report -i "$1" 2>/dev/null | grep -c ' kvm_exit: '
}

# A file as KernelShark's list shows it: event, task, thread id and text.
kshark() {
	LD_LIBRARY_PATH=$lab_cache/kshark python3 "$vm_dir/kshark.py" libkshark.so.2 "$1"
}

command -v jq >/dev/null || lab_missing "needs jq"
kshark=
"$vm_dir/fetch.sh" "$lab_cache" kshark 2>/dev/null && command -v python3 >/dev/null && kshark=1
for kernel in 6.1 6.12; do
	label=$kernel
	lab_image "$kernel" "kernel-$kernel" kvm-amd
	lab_add "$kernel" "$HVSCOPE"
	lab_add "$kernel" "$top_builddir/tests/vm/load"
	lab_run "$kernel" "$tmp/job" 240 || continue
	is "$label: the job came to its end" "$lab_status" 0
	[ "$lab_status" = 0 ] || diag "$(tail -n 20 "$lab_out/log")"

	is "$label: a recording ends well" "$(cat "$lab_out/named.status")" 0
	diag "$(cat "$lab_out/named.err")"
	check "$label: it is read" "$HVSCOPE exits -i $lab_out/named.dat --by vm,reason -f json -o $tmp/named.json" 0
	for pair in "cpuid cpuid" "hlt hlt" "hypercall hypercall" "msr rdmsr + wrmsr" "io user_port"; do
		is "$label: ${pair%% *} as the guests counted" \
			"$(counted named "${pair%% *}")" "$(lab_truth named "${pair#* }")"
	done
	is "$label: every reason as the kernel's own text has it" "$(reasons named)" \
		"$(sed 's/^ *//' "$lab_out/named.seen" | sort)"
	is "$label: by the machines' names" "$(jq -r '.tables[0].rows[] | select(.reason == "cpuid") |
		"\(.vm) \(.exits)"' "$tmp/named.json" | sort | tr '\n' ' ')" "alpha 400 beta 160 "
	is "$label: nothing was lost" "$(jq .lost.complete "$tmp/named.json")" true
	is "$label: of this kernel" "$(jq -r .source.kernel "$tmp/named.json" | cut -d. -f1,2)" "$kernel"

	is "$label: a killed one is joined" "$(cat "$lab_out/killed.status")" 0
	is "$label: and leaves nothing else" "$(grep '^killed' "$lab_out/killed.files")" killed.dat
	check "$label: it is read" "$HVSCOPE exits -i $lab_out/killed.dat --by tid,reason -f json -o $tmp/killed.json" 0
	for tid in $(sed -n 's/.* tid=\([0-9]*\) .*/\1/p' "$lab_out/killed.truth"); do
		is "$label: killed: cpuid exits of thread $tid" "$(jq ".tables[0].rows[] |
			select(.reason == \"cpuid\" and .tid == $tid).exits" "$tmp/killed.json")" \
			"$(sed -n "s/.* tid=$tid .* cpuid=\([0-9]*\) .*/\1/p" "$lab_out/killed.truth")"
	done

	for name in named killed; do
		if command -v trace-cmd >/dev/null; then
			is "$label: $name: trace-cmd reads as many" "$(by_trace_cmd "$lab_out/$name.dat")" \
				"$(jq '.tables[0].totals.exits' "$tmp/$name.json")"
		else
			skip "$label: $name: trace-cmd reads as many" "trace-cmd is not installed"
		fi
		if [ -n "$kshark" ]; then
			kshark "$lab_out/$name.dat" >"$tmp/$name.kshark" 2>"$tmp/kshark.err"
			is "$label: $name: KernelShark's library reads as many" \
				"$(grep -c '^kvm/kvm_exit' "$tmp/$name.kshark") $(cat "$tmp/kshark.err")" \
				"$(jq '.tables[0].totals.exits' "$tmp/$name.json") "
		else
			skip "$label: $name: KernelShark's library reads as many" "needs python3 and libkshark2"
		fi
	done
	if [ -n "$kshark" ]; then
		is "$label: KernelShark's list has the reasons of the kernel's own text" \
			"$(sed -n 's/^kvm\/kvm_exit.*reason \([^ ]*\) .*/\1/p' "$tmp/named.kshark" |
				sort | uniq -c)" "$(cat "$lab_out/named.seen")"
		ok "$label: and says whose threads they are" \
			grep -q '^ftrace/print.*hvscope-who .* alpha ' "$tmp/named.kshark"
	fi

	is "$label: calls of a function" "$("$HVSCOPE" count -i "$lab_out/calls.dat" vfs_read -f json |
		jq '.tables[0].rows[] | .count')" 1000
	is "$label: live too" "$(jq -c '.tables[0].rows[] | [.event, .count]' "$lab_out/live.json")" \
		'["vfs_read",1000]'
	is "$label: functions by glob" "$(cat "$lab_out/glob.status") $(jq \
		'.tables[0].rows[] | select(.event == "vfs_read").count >= 1000' "$lab_out/glob.json")" "0 true"
	is "$label: no function" "$(tail -n 1 "$lab_out/nosuch")" 1
	is "$label: nothing of ours stays" "$(cat "$lab_out/after")" "$(cat "$lab_out/before")"
	[ -z "${HVSCOPE_LAB_KEEP-}" ] || cp -r "$lab_out" "$HVSCOPE_LAB_KEEP/record-$kernel"
done
done_testing
