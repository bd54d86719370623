#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# trace, argdist and stackcount live against a program that makes a known number of calls: dd, which
# writes one byte at a time and nothing else. Its system calls, its calls of the C library, and what
# functions of the kernel it comes through, where there are kprobes.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

need_tracefs
[ -d $tracing/events/raw_syscalls/sys_enter ] || skip_all "this kernel has no raw_syscalls events"
need_run count raw_syscalls:sys_enter
command -v jq >/dev/null || skip_all "jq is not installed"
case $(uname -m) in
x86_64) write=1 ;;
aarch64 | riscv64 | loongarch64) write=64 ;;
s390x | ppc64le | ppc64) write=4 ;;
*) skip_all "the number of write(2) on this machine isn't known here" ;;
esac

writes=5000
# By a name of its own, since others may run dd meanwhile; a dd that goes by its name has that one.
dd=dd$$
load=$tmp/$dd
cp "$(command -v dd)" "$load"
"$load" if=/dev/null of=/dev/null 2>/dev/null || { dd="dd" && load="dd"; }
load="$load if=/dev/zero of=/dev/null bs=1 count=$writes status=none"
export dd
enter="raw_syscalls:sys_enter --filter 'id == $write'"
LIBC=$(ldd "$(command -v dd)" 2>/dev/null | sed -n 's/.*libc\.so[^ ]* => \([^ ]*\).*/\1/p')
[ -n "$LIBC" ] || LIBC=${HVSCOPE_LIBC-}

# The sum of a column over rows of dd.
of_dd() { # KEY
	jq "[.tables[0].rows[] | select(.comm == env.dd) | .$1] | add // 0" "$tmp/out"
}

# --- argdist ---

check "values of a field, by program" \
	"$HVSCOPE argdist raw_syscalls:sys_enter -E id --by comm -f json -- $load" 0
is "are as many as there were calls" \
	"$(jq "[.tables[0].rows[] | select(.comm == env.dd and .value == \"$write\") | .count] | add" "$tmp/out")" \
	$writes
check "results of system calls" "$HVSCOPE argdist raw_syscalls:sys_exit --filter 'id == $write' \
	-E '\$retval' --by comm -f json -- $load" 0
is "each wrote a byte" "$(jq -c '[.tables[0].rows[] | select(.comm == env.dd) | [.value, .count]]' "$tmp/out")" \
	"[[\"1\",$writes]]"
check "arithmetic and a histogram" "$HVSCOPE argdist $enter -E 'id * 3 + 1' -H --by comm -f json -- $load" 0
is "of so many" "$(of_dd count) $(of_dd min) $(of_dd max)" "$writes $((write * 3 + 1)) $((write * 3 + 1))"

# --- trace ---

check "lines of a program" "$HVSCOPE trace $enter -f json --format '{id} {id:x}' -- $load" 0
is "are as many" "$(jq -r 'select(.comm == env.dd) | .text' "$tmp/out" | sort | uniq -c | tr -s ' ')" \
	" $writes $write $(printf '0x%x' $write)"
is "in the order of time" "$(jq .time_ns "$tmp/out" | awk '$1 < last { print "not" } { last = $1 }')" ""
(while kill -0 $$ 2>/dev/null; do :; done) &
process=$!
check "one process" "$HVSCOPE trace raw_syscalls:sys_enter -p $process -n 10 -f json -q" 0
is "has only its own" "$(jq -s -c 'map(.pid) | unique' "$tmp/out")" "[$process]"
# That process goes on: where nothing else runs, no call would come to end these two.
check "-n ends a run" "timeout 20 $HVSCOPE trace raw_syscalls:sys_enter -n 7 -f csv" 0
is "after so many lines" "$(wc -l <"$tmp/out" | tr -d ' ')" 8
check "so does a reader that leaves" \
	"{ timeout 20 $HVSCOPE trace raw_syscalls:sys_enter; echo status \$? >&3; } 3>&2 | head -n 2 >/dev/null" 0 \
	"^status 1$" "hvscope: "
kill $process

"$HVSCOPE" trace raw_syscalls:sys_enter --filter "id == $write" -f json -o "$tmp/growing" -d 20s \
	2>/dev/null &
run=$!
tries=50
until grep -q '"comm": "'$dd'"' "$tmp/growing" 2>/dev/null || [ $((tries -= 1)) -eq 0 ]; do
	$load
	sleep 0.1
done
ok "lines come while it runs" [ $tries -gt 0 ]
kill -TERM $run
ok "and it ends well" wait $run

# --- Names for addresses ---

if [ -d $tracing/events/timer/hrtimer_start ] && grep -q ' hrtimer_wakeup$' /proc/kallsyms &&
	! grep -q '^0*0 . hrtimer_wakeup$' /proc/kallsyms; then
	timers="timer:hrtimer_start --filter 'common_pid != 0'"
	check "functions in a record have their names" \
		"$HVSCOPE trace $timers -f csv -- sleep 0.05" 0 ',sleep,.*function=hrtimer_wakeup '
	check "also in a recording" "$HVSCOPE record $timers -q -o $tmp/timers -- sleep 0.05 &&
		$HVSCOPE trace -i $tmp/timers timer:hrtimer_start -f json" 0 \
		'"comm": "sleep".*function=hrtimer_wakeup '
	if command -v trace-cmd >/dev/null; then
		is "as trace-cmd reports" "$(jq -r .text "$tmp/out")" "$(trace-cmd report -N -i "$tmp/timers" \
			2>/dev/null | sed -n 's/.*: hrtimer_start: *//p')"
	else
		skip "against trace-cmd report" "trace-cmd is not installed"
	fi
else
	skip "names of functions" "no timer events, or no list of functions"
fi

# --- A process and its descendants ---

# A child that is there before tracing begins, one that comes later, and one whose parent has ended
# by the time that it does something; beside them a stranger who does the same.
mkfifo "$tmp/go" "$tmp/child" "$tmp/orphan" "$tmp/all"
some=${load%count=*}count=100\ status=none
sh -c "sh -c 'read go <$tmp/child; $load; true' & read go <$tmp/go; $load
	sh -c \"(sleep 0.2; $load; echo done >$tmp/orphan) &\"; wait" &
family=$!
counted() { # OPTIONS
	# shellcheck disable=SC2086
	"$HVSCOPE" count $events -p $family "$@" -o "$tmp/family" -f json 2>"$tmp/err" &
	run=$!
	tries=100
	until grep -qs $family /sys/kernel/tracing/instances/hvscope.$run.*/set_event_pid &&
		[ "$(cat /sys/kernel/tracing/instances/hvscope.$run.*/tracing_on)" = 1 ] ||
		[ $((tries -= 1)) -eq 0 ]; do
		sleep 0.05
	done
}
if [ $tracing = /sys/kernel/tracing ]; then
	events="raw_syscalls:sys_enter --by comm"
	counted --children --filter "id == $write"
	echo go >"$tmp/go"
	$load
	echo go >"$tmp/child"
	wait $family
	read -r _ <"$tmp/orphan"
	kill -TERM $run
	ok "counting a process and its descendants ends well" wait $run
	cp "$tmp/family" "$tmp/out"
	is "three of them made known calls, not the stranger" "$(of_dd count)" $((3 * writes))
	# forks before, while, and after the kernel is told whom to follow
	sh -c "for i in \$(seq 30); do
			(until [ -e '$tmp/now' ]; do sleep 0.1; done; $some) & sleep 0.01
		done; echo all >'$tmp/all'; wait" &
	family=$!
	counted --children --filter "id == $write"
	read -r _ <"$tmp/all"
	: >"$tmp/now"
	wait $family
	kill -TERM $run
	ok "counting one that forks meanwhile ends well" wait $run
	cp "$tmp/family" "$tmp/out"
	is "all of them made known calls" "$(of_dd count)" $((30 * 100))
	# one that lives on when its parents are gone, looked up then
	sh -c "read go <$tmp/go; sh -c \"(sleep 0.1; $some; sleep 1; $some; echo done >$tmp/orphan) &\"" &
	family=$!
	counted --children --filter "id == $write"
	echo go >"$tmp/go"
	wait $family
	read -r _ <"$tmp/orphan"
	kill -TERM $run
	ok "counting one whose children outlive it ends well" wait $run
	cp "$tmp/family" "$tmp/out"
	is "they are its children still" "$(of_dd count)" 200
	is "with what they do themselves" \
		"$(jq '[.tables[0].rows[] | select(.comm == "sh") | .count] | add' "$tmp/out")" 1
	(while :; do env true; done) &
	family=$!
	check "descendants by their processes" \
		"$HVSCOPE count sched:sched_process_exec -p $family --children --by pid -d 2s -f json" 0
	ok "are others than the process itself" \
		jq -e ".tables[0].totals.count > 0 and all(.tables[0].rows[]; .pid != $family)" "$tmp/out"
	check "not without --children" "$HVSCOPE count sched:sched_process_exec -p $family --by pid -d 500ms -f json" 0
	is "although the kernel tells of them" "$(jq -c '.tables[0].rows' "$tmp/out")" "[]"
	kill $family
	wait $family 2>/dev/null
else
	skip "a process and its descendants" "tracefs is elsewhere"
fi

# Threads of one process, gone when anybody could ask about them, with and without what tells of their
# births; and others that it has when tracing begins.
cat >"$tmp/threads.py" <<'END'
import os, sys, threading
null = os.open("/dev/null", os.O_WRONLY)
def some():
    for i in range(10):
        os.write(null, b"x")
def wait():
    open(sys.argv[2]).read()
    some()
def run(threads):
    for t in threads: t.start()
    for t in threads: t.join()
there = [threading.Thread(target=wait) for i in range(10)]
for t in there: t.start()
open(sys.argv[3], "w").close()
open(sys.argv[1]).read()
for i in range(50):
    run([threading.Thread(target=some) for k in range(4)])
open(sys.argv[2], "w").close()
for t in there: t.join()
END
if [ $tracing = /sys/kernel/tracing ] && command -v python3 >/dev/null; then
	mkfifo "$tmp/there"
	for filter in "" "task:task_newtask --filter pid<0"; do
		rm -f "$tmp/ready"
		python3 "$tmp/threads.py" "$tmp/go" "$tmp/there" "$tmp/ready" &
		family=$!
		# what starts it may write, too
		tries=200
		until [ -e "$tmp/ready" ] || [ $((tries -= 1)) -eq 0 ]; do
			sleep 0.05
		done
		events="$filter raw_syscalls:sys_enter --filter id==$write"
		counted
		echo go >"$tmp/go"
		wait $family
		kill -TERM $run
		ok "counting a process of many threads ends well" wait $run
		calls=$(jq .tables[0].totals.count "$tmp/family")
		# whose birth isn't told may be a stranger that the kernel let through
		if [ -n "$filter" ]; then
			ok "with what all of them did, at least" [ "$calls" -ge 2100 ]
		else
			is "with what all of them did" "$calls" 2100
		fi
	done
	ok "a filter that keeps births away is told" grep -q "leaves out some births or names" "$tmp/err"
else
	skip "threads of a process" "python3 is not installed, or tracefs is elsewhere"
fi

# --- Names ---

# Programs that are gone before anybody could ask who they were, in threads that had another name.
cat >"$tmp/names" <<END
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	sh -c "echo >/dev/null; exec $some"
done
END
for analysis in "count $enter" "argdist $enter -E id" "stackcount $enter"; do
	check "${analysis%% *} by name" "$HVSCOPE $analysis --by comm,pid -f json -- sh $tmp/names" 0
	is "is as many as the programs made" "$(of_dd count)" 2000
	is "by twenty processes" \
		"$(jq '[.tables[0].rows[] | select(.comm == env.dd) | .pid] | unique | length' "$tmp/out")" 20
	is "whose name was another before" \
		"$(jq '.tables[0].rows as $all | [$all[] | select(.comm == env.dd) | .pid] as $pids | [$all[] |
			select(.comm == "sh" and (.pid | IN($pids[]))) | .count] | add' "$tmp/out")" 20
done
check "lines" "$HVSCOPE trace $enter -f json -- sh $tmp/names" 0
is "tell the name of their time" \
	"$(jq -s -c '[.[] | select(.comm == env.dd) | .pid] as $pids | [($pids | length),
		([.[] | select(.comm == "sh" and (.pid | IN($pids[])))] | length)]' "$tmp/out")" "[2000,20]"

ok "a recording" "$HVSCOPE" record raw_syscalls:sys_enter --filter "id == $write" 'task:*' -o "$tmp/names.dat" \
	-- sh "$tmp/names"
check "with births and names" "$HVSCOPE count raw_syscalls:sys_enter -i $tmp/names.dat --by comm,pid -f json" 0
is "tells them, too" "$(of_dd count)" 2000
is "by process" "$(jq '[.tables[0].rows[] | select(.comm == env.dd) | .pid] | unique | length' "$tmp/out")" 20

# --- stackcount ---

check "stacks of a program" "$HVSCOPE stackcount $enter --by comm -f json -- $load" 0
is "are as many" "$(of_dd count)" $writes
is "each has one" "$(jq '[.tables[0].rows[] | select(.comm == env.dd and .stack == null)] | length' "$tmp/out")" 0
ok "with the kernel's entry in it" grep -Eq '"(do_syscall_64|el0_svc|do_trap_ecall_u|__do_syscall|system_call)"' "$tmp/out"
check "folded" "$HVSCOPE stackcount $enter --by comm -f folded -- $load" 0 "^[^ ]+;[^ ]+ [0-9]+$"
ok "have as many and those of others" [ "$(awk '{ n += $NF } END { print n }' "$tmp/out")" -ge $writes ]
check "lines with their stacks" "$HVSCOPE trace $enter --stack -f json -- $load" 0
is "all of them" "$(jq -c 'select(.comm == env.dd and .stack != null) | 1' "$tmp/out" | wc -l | tr -d ' ')" $writes

# --- Functions of programs ---

if [ -z "$LIBC" ]; then
	skip "functions of programs" "there is no C library to be found"
elif ! "$HVSCOPE" count "u:$LIBC:write" -d 1ms -q >/dev/null 2>"$tmp/err"; then
	skip "functions of programs" "$(cat "$tmp/err")"
else
	check "results of a function" "$HVSCOPE argdist ur:$LIBC:write -E '\$retval' --by comm -f json -- $load" 0
	is "of each call" "$(jq -c '[.tables[0].rows[] | select(.comm == env.dd) | [.value, .count]]' "$tmp/out")" \
		"[[\"1\",$writes]]"
	check "its latency" "$HVSCOPE argdist ur:$LIBC:write -E '\$latency' -H --by comm -f json -- $load" 0
	is "of each call, too" "$(of_dd count)" $writes
	ok "which is a time" [ "$(of_dd min_ns)" -gt 0 ]
	is "and nothing was discarded" "$(jq .lost.intervals_discarded "$tmp/out")" 0
fi

# --- Functions of the kernel ---

if ! "$HVSCOPE" count vfs_write -d 1ms -q >/dev/null 2>"$tmp/err"; then
	skip "functions of the kernel" "$(cat "$tmp/err")"
else
	check "an argument" "$HVSCOPE argdist 'vfs_write count=\$arg3' -E count --by comm -f json -- $load" 0
	is "of each call" "$(jq -c '[.tables[0].rows[] | select(.comm == env.dd) | [.value, .count]]' "$tmp/out")" \
		"[[\"1\",$writes]]"
	check "a latency" "$HVSCOPE argdist r:vfs_write -E '\$latency' -H --by comm -f json -- $load" 0
	is "of each call" "$(of_dd count)" $writes
	check "a result" "$HVSCOPE argdist r:vfs_write -E '\$retval + 1' --by comm -f json -- $load" 0
	is "of each call" "$(jq -c '[.tables[0].rows[] | select(.comm == env.dd) | [.value, .count]]' "$tmp/out")" \
		"[[\"2\",$writes]]"
	check "stacks" "$HVSCOPE stackcount vfs_write --by comm -f json -- $load" 0
	is "of each call" "$(of_dd count)" $writes
	ok "by way of write(2)" grep -q '"ksys_write"' "$tmp/out"
	check "lines" "$HVSCOPE trace 'r:vfs_write ret=\$retval' --format 'wrote {ret}' -f csv -- $load" 0
	is "of each call" "$(grep -Ec ','$dd',.*,r:vfs_write,wrote (0x)?1.$' "$tmp/out")" $writes
fi

is "nothing is left in tracefs" "$(cat $tracing/*probe_events 2>/dev/null | grep -c hvscope_)" 0
done_testing
