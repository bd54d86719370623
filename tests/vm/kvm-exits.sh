#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `hvscope exits` live on real KVM hosts, one kernel after the other: guests that count for themselves
# run under it, and its counts are compared with theirs, reason by reason.
#
# Rule: truth is what the guests counted, or what the kernel's own trace text has in an instance that
# another user keeps open; never a figure of hvscope's.

. "${top_srcdir:-.}/tests/vm/lab.sh"

lab_begin kernel-6.1 kernel-6.12

# Runs in the machine.  A bystander traces all the time, as any other tool might.
cat >"$tmp/job" <<'END'
bystander=$TRACEFS/instances/bystander

# Who traces what; the bystander's own instance is part of it.
state() {
	for file in tracing_on current_tracer trace_clock set_event kprobe_events dynamic_events \
		buffer_size_kb tracing_cpumask; do
		[ ! -e "$TRACEFS/$file" ] || { echo "$file:"; cat "$TRACEFS/$file"; }
	done
	ls "$TRACEFS/instances"
	cat $bystander/tracing_on $bystander/set_event $bystander/trace_clock
}

# run NAME OPTION... -- COMMAND...: hvscope's report, the guests' truth, and the bystander's counts.
run() {
	name=$1
	shift
	echo >$bystander/trace
	hvscope exits -f json -o $OUT/$name.json "$@" >$OUT/$name.truth 2>$OUT/$name.err
	status=$?
	echo $status >$OUT/$name.status
	sed -n 's/.* kvm_exit: .*reason \([^ ]*\) .*/\1/p' $bystander/trace | sort | uniq -c >$OUT/$name.seen
	# A guest that trapped, or that the emulator lets fault for ever until its alarm ends it (128 +
	# SIGALRM), proves nothing about who watched it.
	! grep -q trapped $OUT/$name.err || { cat $OUT/$name.err; exit 75; }
	[ $status -ne 142 ] || { echo "a guest of $name hung"; exit 75; }
}

# traces PID: whether this run does. It may have a second instance, to look what else comes; and a new
# one is on until it is set up.
traces() {
	for instance in $TRACEFS/instances/hvscope.$1.*; do
		[ "$(cat $instance/tracing_on $instance/events/kvm/kvm_exit/enable 2>/dev/null |
			tr -d '\n')" != 11 ] || return 0
	done
	return 1
}

# tracing PID...: waits until each of these runs of hvscope traces, however slow this machine is.
tracing() {
	for pid; do
		tries=300
		until traces $pid; do
			tries=$((tries - 1))
			[ $tries -gt 0 ] || { echo "run $pid doesn't come to trace"; exit 75; }
			sleep 0.2
		done
	done
}

mkdir $bystander
echo 16384 >$bystander/buffer_size_kb
echo mono >$bystander/trace_clock
echo 1 >$bystander/events/kvm/kvm_exit/enable
state >$OUT/before

ops="cpuid=40 port_out=30 port_in=20 mmio_write=15 mmio_read=10 rdmsr=25 wrmsr=12 hypercall=18 hlt=8"
run tid --by tid,reason -- load vms=2 vcpus=2 rounds=5 migrate=3 $ops
run sleep --by tid,reason -- load vms=2 vcpus=2 rounds=4 cpuid=6 rdmsr=3 sleep=15
run all --by reason -- load vcpus=4 rounds=3 $ops
run interval --by tid,reason 500ms -- load vcpus=2 rounds=60 migrate=7 $ops

# Named as a user names virtual machines; each lives on until the report is made.
cp /usr/bin/load /usr/bin/qemu-system-x86_64
cat >named <<'NAMED'
qemu-system-x86_64 vcpus=2 rounds=3 hold=3000 cpuid=50 hlt=7 -- -name guest=alpha,debug-threads=on &
qemu-system-x86_64 vcpus=1 rounds=2 hold=3000 cpuid=11 hypercall=5 -- -name beta &
wait
NAMED
run named --by vm,reason -- sh named

# One process of two.
mkfifo go other
load wait=1 rounds=4 vcpus=2 cpuid=21 hlt=3 <go >$OUT/one.truth 2>&1 &
one=$!
load wait=1 rounds=4 vcpus=2 cpuid=34 hlt=5 <other >$OUT/other.truth 2>&1 &
two=$!
exec 3>go 4>other
hvscope exits -f json --by tid,reason -p $one -o $OUT/process.json 2>$OUT/process.err &
hvscope=$!
tracing $hvscope
echo >&3
echo >&4
wait $one || exit 75
wait $two || exit 75
kill -TERM $hvscope
wait $hvscope
echo $? >$OUT/process.status
exec 3>&- 4>&-

# Two at once, and a third that dies without a word in the middle.
hvscope exits -f json --by tid,reason -o $OUT/first.json 2>$OUT/first.err &
first=$!
hvscope exits -f json --by tid,reason -o $OUT/second.json 2>$OUT/second.err &
second=$!
hvscope exits -f json -o $OUT/never.json 2>$OUT/never.err &
third=$!
tracing $first $second $third
# Who looks what else comes begins to now, and takes away what dead runs left.
sleep 2
kill -9 $third
wait $third
ls -d $TRACEFS/instances/hvscope.$third.* >$OUT/orphaned
echo >$bystander/trace
load vms=2 rounds=5 migrate=2 $ops >$OUT/first.truth 2>&1 || exit 75
cp $OUT/first.truth $OUT/second.truth
kill -TERM $first $second
wait $first
echo $? >$OUT/first.status
wait $second
echo $? >$OUT/second.status
sed -n 's/.* kvm_exit: .*reason \([^ ]*\) .*/\1/p' $bystander/trace | sort | uniq -c >$OUT/first.seen

run reaped --by reason -- load cpuid=5
state >$OUT/after

hvscope exits -f table -o $OUT/table -- load vms=1 vcpus=2 $ops >/dev/null 2>&1
# Beside a guest that isn't the test's.
load rounds=2000 $ops >/dev/null 2>&1 &
hvscope selftest >$OUT/selftest 2>&1
echo $? >$OUT/selftest.status
wait
state >$OUT/finally
exit 0
END

# counted NAME REASON: the same by hvscope, all rows of the reason together, in all its intervals.
counted() {
	jq -s --arg reason "$2" \
		'[.[].tables[0].rows[] | select(.reason == $reason).exits] | add // 0' "$lab_out/$1.json"
}

# Exits per reason, as lines of "count reason".
reasons() {
	jq -rs '[.[].tables[0].rows[]] | group_by(.reason)[] | "\(map(.exits) | add) \(.[0].reason)"' \
		"$lab_out/$1.json" | grep -v '^0 ' | sort
}

# verify NAME: whatever holds for each run with its own guests.
verify() {
	is "$label: $1: ends well" "$(cat "$lab_out/$1.status")" 0
	[ "$(cat "$lab_out/$1.status")" = 0 ] || diag "$(cat "$lab_out/$1.err")"
	for pair in "cpuid cpuid" "hlt hlt + sleep" "hypercall hypercall" \
		"msr rdmsr + wrmsr + sleep + woken" "io user_port"; do
		is "$label: $1: ${pair%% *} as the guests counted" \
			"$(counted "$1" "${pair%% *}")" "$(lab_truth "$1" "${pair#* }")"
	done
	is "$label: $1: nothing was lost" "$(jq -s 'map(.lost.complete) | all' "$lab_out/$1.json")" true
	# Over intervals `open` is a gauge, so this holds for a whole run only.
	[ "$1" = interval ] || is "$label: $1: each exit ends as one of four" "$(jq '.tables[0].totals |
		.exits == .timed + .discarded + .unpaired + .open' "$lab_out/$1.json")" true
}

for kernel in 6.1 6.12; do
	label=$kernel
	lab_image "$kernel" "kernel-$kernel" kvm-amd
	lab_add "$kernel" "$HVSCOPE"
	lab_add "$kernel" "$top_builddir/tests/vm/load"
	lab_run "$kernel" "$tmp/job" 240 || continue
	is "$label: the job came to its end" "$lab_status" 0
	[ "$lab_status" = 0 ] || diag "$(tail -n 20 "$lab_out/log")"

	for name in tid sleep all interval named first second; do
		verify "$name"
	done
	for name in tid sleep all interval named first; do
		is "$label: $name: every reason as the kernel's own text has it" \
			"$(reasons "$name")" "$(sed 's/^ *//' "$lab_out/$name.seen" | sort)"
	done

	# By thread: each guest for itself.
	is "$label: tid: each vCPU's cpuid exits are its own" \
		"$(jq -r '.tables[0].rows[] | select(.reason == "cpuid") | "\(.tid) \(.exits)"' \
			"$lab_out/tid.json" | sort)" \
		"$(sed -n 's/.* tid=\([0-9]*\) .* cpuid=\([0-9]*\) .*/\1 \2/p' "$lab_out/tid.truth" | sort)"
	is "$label: interval: there are several" \
		"$(jq -s 'length > 1 and map(.interval) == [range(1; length + 1)]' "$lab_out/interval.json")" true
	is "$label: halts are idle, nothing else is" \
		"$(jq -r '.tables[0].rows[] | select(.idle).reason' "$lab_out/all.json")" hlt

	# Halts that end inside: each is an exit, each was woken, and the sleep is nobody's work.
	is "$label: sleep: each vCPU's halts, every one with its entry" \
		"$(jq -r '.tables[0].rows[] | select(.reason == "hlt") | "\(.tid) \(.exits) \(.timed)"' \
			"$lab_out/sleep.json" | sort)" \
		"$(sed -n 's/.* tid=\([0-9]*\) .* sleep=\([0-9]*\) .*/\1 \2 \2/p' "$lab_out/sleep.truth" | sort)"
	is "$label: sleep: an interrupt woke each" "$(lab_truth sleep sleep) $(lab_truth sleep woken)" "240 240"
	is "$label: sleep: idle, without a share of the time, and last" \
		"$(jq -c '.tables[0].rows | [map(select(.idle))[] | [.reason, .time_share]] | unique' \
			"$lab_out/sleep.json") $(jq -c '.tables[0].rows[-4:] | map(.idle) | unique' \
			"$lab_out/sleep.json")" '[["hlt",null]] [true]'

	is "$label: named: VMs by their names" \
		"$(jq -r '.tables[0].rows[] | select(.reason == "cpuid") | "\(.vm) \(.exits)"' \
			"$lab_out/named.json" | sort)" "alpha 300
beta 22"
	is "$label: process: ends well" "$(cat "$lab_out/process.status")" 0
	is "$label: process: only that one's exits" \
		"$(counted process cpuid) $(counted process hlt)" \
		"$(lab_truth one cpuid) $(lab_truth one hlt)"
	is "$label: process: the other one did run" "$(lab_truth other cpuid)" 272

	ok "$label: kill -9 leaves an instance behind" test -s "$lab_out/orphaned"
	is "$label: the next run reaps it" "$(counted reaped cpuid)" 5
	is "$label: nothing of ours stays, all of others' does" \
		"$(cat "$lab_out/after")" "$(cat "$lab_out/before")"
	is "$label: and so it is in the end" "$(cat "$lab_out/finally")" "$(cat "$lab_out/before")"
	is "$label: selftest: passes" "$(cat "$lab_out/selftest.status")" 0
	sed 's/^/# /' "$lab_out/selftest" "$lab_out/table"
	[ -z "${HVSCOPE_LAB_KEEP-}" ] || cp -r "$lab_out" "$HVSCOPE_LAB_KEEP/kvm-exits-$kernel"
done
done_testing
