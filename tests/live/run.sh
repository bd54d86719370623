#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A live run from outside: how it ends and with which status, that it leaves nothing behind, and
# that runs don't disturb each other. What it counts is tested where guests run.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

need_tracefs
[ -d $tracing/events/kvm/kvm_exit ] || [ -d $tracing/events/kvm_hv/kvm_guest_exit ] ||
	skip_all "this kernel has no events of KVM"
need_run exits
command -v jq >/dev/null || skip_all "jq is not installed"

exits="$HVSCOPE exits"

# start ARGUMENTS: in the background; its process id in $run, once it traces.
start() {
	"$HVSCOPE" exits "$@" >"$tmp/run.out" 2>"$tmp/run.err" &
	run=$!
	waits=0
	while [ "$waits" -lt 200 ]; do
		cat "$tracing"/instances/hvscope.$run.*/tracing_on 2>/dev/null | grep -q 1 && return
		sleep 0.1
		waits=$((waits + 1))
	done
	diag "the run doesn't begin: $(cat "$tmp/run.err")"
}

# finish: waits for it; its status in $status.
finish() {
	status=0
	wait "$run" || status=$?
}

# --- Ends ---

check "-d ends a run" "$exits -d 200ms -f json" 0
is "after that long, by the boundary" "$(jq .span_ns "$tmp/out")" 200000000
check "COUNT ends a run" "$exits 50ms 3 -f json" 0
is "each interval is as long" "$(jq -c .span_ns "$tmp/out" | tr '\n' ' ')" "50000000 50000000 50000000 "
is "they follow each other" "$(jq -c .begin_ns "$tmp/out" |
	awk 'NR > 1 && $1 - last != 50000000 { print "not" } { last = $1 }')" ""
is "the source is live" "$(head -n 1 "$tmp/out" | jq -c '.source | [.kind, .clock, .path]')" \
	'["live","mono",null]'
is "the time of day is now" "$(date -u +%Y-%m-%dT)" "$(head -n 1 "$tmp/out" | jq -r .begin | cut -c1-11)"

for signal in TERM HUP; do
	start -f json
	kill -$signal "$run"
	finish
	is "SIG$signal ends and prints" "$status $(jq -c '.command' "$tmp/run.out")" '0 "exits"'
	is "SIG$signal leaves nothing" "$(left_by "$run")" 0
done
tap_status=0
timeout --preserve-status -s INT 0.5 "$HVSCOPE" exits -f json >"$tmp/out" || tap_status=$?
is "SIGINT ends and prints" "$tap_status $(jq -c .command "$tmp/out")" '0 "exits"'
start 50ms -f json -o "$tmp/grown"
sleep 0.3
kill -TERM "$run"
finish
ok "intervals are written as they end" [ "$(wc -l <"$tmp/grown")" -ge 3 ]

# --- Who is kept out ---

# The pid filter costs every event that is traced: only where the reader could feed itself.
out="cat $tracing/instances/hvscope.\$PPID.*/set_event_notrace_pid"
count="$HVSCOPE count -q -f json -o '$tmp/count'"
if [ -e $tracing/set_event_notrace_pid ]; then
	check "KVM's events are none that the reader fires" "$count 'kvm:*' -- sh -c '$out'" 0
	is "it is not kept out" "$(cat "$tmp/out")" ""
	check "system calls are" "$count 'kvm:*' raw_syscalls:sys_enter -- sh -c '$out'" 0
	ok "it is kept out" grep -q '^[1-9]' "$tmp/out"
else
	skip "who is kept out" "this kernel keeps nobody out"
fi

# --- A command ---

check "its status: 0" "$exits -q -- true" 0
check "its status: 7" "$exits -q -- sh -c 'exit 7'" 7
check "its status by a signal" "$exits -q -- sh -c 'kill -9 \$\$'" 137
check "it isn't there" "$exits -- /no/such/program" 127 "^hvscope: '/no/such/program' can't be run"
check "it is no program" "$exits -- /etc/passwd" 126 "^hvscope: '/etc/passwd' can't be run"
check "hvscope fails" "$exits --vm nosuch -- touch $tmp/touched" 125 "^hvscope: no virtual machine 'nosuch'"
ok "then it isn't run" [ ! -e "$tmp/touched" ]
check "its output is its own" "$exits -q -o /dev/null -- echo hello" 0 "^hello$"
check "it runs with our user id" "$exits -q -o /dev/null -- id -u" 0 "^0$"
check "-d ends tracing, not the command" "$exits -q -d 50ms -f json -- sh -c 'sleep 0.4; exit 5'" 5
is "and the report is of that time" "$(jq .span_ns "$tmp/out")" 50000000
start -f json -- sh -c 'trap "exit 9" TERM; while :; do sleep 0.05; done'
kill -TERM "$run"
finish
is "a signal ends it too" "$status $(jq -c .command "$tmp/run.out")" '9 "exits"'
check "signals are not blocked in it" "$exits -q -o /dev/null -- grep SigBlk /proc/self/status" 0 \
	"SigBlk:.0+$"
is "nor ignored but as before" "$("$HVSCOPE" exits -q -o /dev/null -- grep SigIgn /proc/self/status)" \
	"$(grep SigIgn /proc/self/status)"

# --- Guards ---

(while :; do /bin/true; done) &
load=$!
before=$(date +%s)
check "--max-rate stops a run" "$exits --max-rate 5 -d 20s" 3 "^hvscope: stopped: .*--max-rate allows 5"
ok "soon" [ $(($(date +%s) - before)) -lt 10 ]
check "and the report says so" "$exits --max-rate 5 -d 20s -f json -q" 3 '"complete": false'
kill $load
wait $load 2>/dev/null

# Some tools switch off what others trace. Our instance is on until it is set up: its events tell.
for file in tracing_on events/enable events/sched/sched_process_exit/enable; do
	start -f json
	until [ "$(cat "$tracing"/instances/hvscope.$run.*/events/sched/sched_process_exit/enable \
		"$tracing"/instances/hvscope.$run.*/tracing_on 2>/dev/null | tr -dc 1)" = 11 ]; do
		kill -0 "$run" 2>/dev/null || break
		sleep 0.1
	done
	echo 0 >"$(echo "$tracing"/instances/hvscope.$run.*)/$file"
	kill -TERM "$run"
	finish
	is "somebody else's 0 in $file is found" \
		"$status $(jq .lost.complete "$tmp/run.out") $(grep -c '^hvscope: somebody else' "$tmp/run.err")" \
		"3 false 1"
done

# An end between two boundaries, or while the reader is behind: the last interval is the short one.
for nap in 0.21 0.33 0.45 0.57 0.69; do
	start 10ms -f json -q
	sleep $nap
	kill -TERM "$run"
	finish
	jq -c .span_ns "$tmp/run.out" | sed '$d' | grep -vx 10000000
	jq -c .span_ns "$tmp/run.out" | tail -n 1 | awk '$1 > 10000000'
done >"$tmp/long"
is "whenever it ends, no interval is longer than asked for" "$(cat "$tmp/long")" ""

check "stdout is full" "$exits -d 10ms >/dev/full" 1 "^hvscope: .*No space" "Sanitizer"
check "stdout is closed" "$exits -d 10ms >&-" 1 "^hvscope: .*Bad file" "Sanitizer"

# --- What it touches ---

check "--dry-run says it" "$exits --dry-run" 0 "kvm"
check "-v says what it cost" "$exits -d 50ms -v" 0 "own CPU time"
check "-q says nothing more than the table" "$exits -d 50ms -q" 0 "" "^hvscope: "

start -d 30s
other=$run
check "a second run beside it" "$exits -d 100ms -f json" 0 '"exits"'
ok "leaves the first one's instance" [ "$(left_by "$other")" -ge 1 ]
kill -TERM "$other" || diag "it ended early: $(cat "$tmp/run.err" "$tmp/run.out")"
wait "$other"

# Each reaps what dead runs left, and none takes another that is just beginning for dead.
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	for m in 1 2 3 4; do
		"$HVSCOPE" exits -d 1ms -q >/dev/null 2>"$tmp/start.$n.$m" &
	done
	wait
done
is "runs that start at the same moment all run" "$(cat "$tmp"/start.*)" ""

start -d 30s
kill -KILL "$run"
wait "$run" 2>/dev/null
ok "a killed run leaves its instance" [ "$(left_by "$run")" -ge 1 ]
check "the next run" "$exits -d 1ms" 0
is "removes it" "$(left_by "$run")" 0

# --- Refusals ---

# With fewer files than CPUs some buffers could not be read: that is no result, and nothing is left.
cpus=$(getconf _NPROCESSORS_ONLN)
for files in 4 $((cpus + 3)) $((cpus + 4)); do
	check "only $files open files" "sh -c 'echo \$\$ >$tmp/pid
		exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; ulimit -n $files; exec $exits -d 1ms'" 1 \
		"^hvscope: .*([Tt]oo many open files|ulimit)" "No such file"
	is "nothing is left with $files" "$(left_by "$(cat "$tmp/pid")")" 0
done

# As long as more are allowed, it allows itself more.
for files in 6 7 8 $((cpus + 3)) $((cpus + 4)) $((cpus + 5)) $((cpus + 8)); do
	[ "$files" -ge 6 ] || continue
	check "only $files open files, though it may have more" "sh -c '
		exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; ulimit -S -n $files; exec $exits -d 1ms'" 0
done
readonly="mount --bind $tracing $tracing && mount -o remount,bind,ro $tracing"
if unshare -m sh -c "$readonly" >/dev/null 2>&1; then
	check "tracefs can't be written" "unshare -m sh -c '$readonly && exec $exits -d 1ms'" 1 \
		"^hvscope: .* is mounted read-only.*remount,rw"
else
	skip "tracefs can't be written" "it can't be mounted so here"
fi
check "a file that may not grow" "sh -c 'echo \$\$ >$tmp/pid; ulimit -f 1
	exec $exits -d 1ms -f json -o $tmp/small'" 1 "^hvscope: .*(written|too large)"
is "nothing is left of that" "$(left_by "$(cat "$tmp/pid")") $(find "$tmp" -name '*small*')" "0 "
# Any thread that isn't the first of its process.
thread=$(for task in /proc/[0-9]*/task/[0-9]*; do
	process=${task#/proc/}
	[ "${task##*/}" = "${process%%/*}" ] || echo "${task##*/} ${process%%/*}"
done | head -n 1)
if [ -n "$thread" ]; then
	check "a thread is no process" "$exits -p ${thread% *}" 1 \
		"^hvscope: ${thread% *} is a thread of process ${thread#* }, which is what -p takes$"
else
	skip "a thread is no process" "no process has several threads"
fi
check "no such process" "$exits -p 4194305" 1 "^hvscope: there is no process 4194305"
check "no such machine" "$exits --vm 'no such'" 1 "^hvscope: no virtual machine 'no such'"
if command -v setpriv >/dev/null; then
	check "not root" "setpriv --reuid 65534 --clear-groups $HVSCOPE exits -d 1ms" 1 "^hvscope: .*root"
else
	skip "not root" "setpriv is not installed"
fi
done_testing
