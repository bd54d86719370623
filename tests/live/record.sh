#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Recordings from outside: what is in the file is what happened, by the count of a program that makes
# a known number of calls and by trace-cmd; names come back; limits hold; an interrupted one is joined
# later; nothing is left in tracefs or beside the file.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

need_tracefs
[ -d $tracing/events/raw_syscalls/sys_enter ] || skip_all "this kernel has no raw_syscalls events"
cd "$tmp" || exit 1
need_run record raw_syscalls:sys_enter
rm -f trace.dat
command -v jq >/dev/null || skip_all "jq is not installed"

record="$HVSCOPE record"
event=raw_syscalls:sys_enter

# A number of calls that is known: dd reads and writes one byte at a time, and does little else.
calls=20000
# By a name of its own, since others may run dd meanwhile; a dd that goes by its name has that one.
name=dd$$
load=$tmp/$name
cp "$(command -v dd)" "$load"
"$load" if=/dev/null of=/dev/null 2>/dev/null || { name="dd" && load="dd"; }
load="$load if=/dev/zero of=/dev/null bs=1 count=$((calls / 2)) status=none"
export name

# Files beside a recording: none of its parts may stay.
parts_of() {
	find . -maxdepth 1 -name "$1.*" -o -maxdepth 1 -name ".$1.*" | wc -l | tr -d ' '
}

# count FILE OPTION...: how often the event happened in it, by hvscope.
count() {
	file=$1
	shift
	"$HVSCOPE" count -i "$file" $event -f json -q "$@" | jq '.tables[0].totals.count'
}

# start ARGUMENTS: in the background; its process id in $run, once it records.
start() {
	"$HVSCOPE" record "$@" >"$tmp/run.out" 2>"$tmp/run.err" &
	run=$!
	tries=100
	while [ $((tries -= 1)) -gt 0 ]; do
		# A new instance is on until it is set up: look for the event first.
		[ "$(cat "$tracing"/instances/hvscope.$run.*/events/raw_syscalls/sys_enter/enable \
			"$tracing"/instances/hvscope.$run.*/tracing_on 2>/dev/null | tr -d '\n')" = 11 ] && return
		sleep 0.1
	done
	diag "the recording doesn't begin: $(cat "$tmp/run.err")"
}

finish() {
	status=0
	wait "$run" || status=$?
}

# --- What is in it ---

check "a command is recorded" "$record $event -o a.dat -- $load" 0 "a.dat: [0-9]+ records"
is "nothing lies beside the file" "$(parts_of a.dat)" 0
all=$(count a.dat)
dd=$("$HVSCOPE" count -i a.dat $event --by comm -f json -q |
	jq '[.tables[0].rows[] | select(.comm == env.name) | .count] | add // 0')
ok "all calls of the program are in it" [ "$dd" -ge $calls ]
ok "and little else of it" [ "$dd" -le $((calls + 400)) ]
check "the same by json" "$HVSCOPE count -i a.dat $event -f json" 0 '"complete": true'
is "the kernel comes back" "$(jq -r .source.kernel out)" "$(uname -r)"
is "the machine too" "$(jq -r .source.machine out)" "$(uname -m)"
is "the clock too" "$(jq -r .source.clock out)" mono
is "the host too" "$(jq -r .host out)" "$(uname -n)"
is "the time of day too" "$(jq -r .begin out | cut -c1-11)" "$(date -u +%Y-%m-%dT)"
if command -v trace-cmd >/dev/null; then
	trace-cmd report -i a.dat >report 2>words
	is "trace-cmd report prints every record" "$(grep -c ' sys_enter: ' report)" "$all"
	is "with the program's name" "$(grep -c '^ *'$name'-[0-9].* sys_enter: ' report)" "$dd"
	is "and has nothing to say" "$(grep -v '^cpus=' words)" ""
	is "calls 0 and 1 are those of the program" "$([ "$(uname -m)" = x86_64 ] &&
		grep -c '^ *'$name'-[0-9].* sys_enter: *NR [01] (' report | awk -v n=$calls '$1 >= n && $1 < n + 100 { print "yes" }')" \
		"$([ "$(uname -m)" = x86_64 ] && echo yes)"
else
	skip "trace-cmd report" "trace-cmd is not installed"
fi
check "only that event is in it" "$HVSCOPE list -i a.dat -f csv" 0 "^$event" "sched"

# Live, the same is counted; the program is gone before anybody can ask who it was.
# shellcheck disable=SC2086
is "as it is live" "$("$HVSCOPE" count $event --by comm -f json -q -- $load |
	jq ".tables[0].rows[] | select(.comm == env.name) | .count >= $calls and .count < $calls + 400")" true

# Several events, one with a filter: none of the calls that it leaves out.
check "a filter is the kernel's" \
	"$record $event --filter 'id == 999999' sched:sched_process_exit -o b.dat -q -- $load" 0
check "and nothing passes it" "$HVSCOPE count -i b.dat '*:*' -f csv -q" 0 "^sched:sched_process_exit" \
	"^$event,[1-9]"
is "the records of a process" "$(
	$record $event -o p.dat -q -p $$ -d 200ms
	"$HVSCOPE" count -i p.dat $event --by pid -f json -q |
		jq -c "[.tables[0].rows[] | select(.pid != $$)] | length")" 0

# Functions of programs: dd reads by its library.
libc=$(ldd "$(command -v dd)" 2>/dev/null | sed -n 's/.*libc\.so\.6 => \([^ ]*\) .*/\1/p')
if [ -e $tracing/uprobe_events ] && "$HVSCOPE" count "u:$libc:read" -d 1ms -q >out 2>&1; then
	check "a function of a library" "$record 'u:$libc:read' -o u.dat -q -- $load" 0
	is "each call of the program is there, and is its own" "$(
		"$HVSCOPE" count -i u.dat "u:$libc:read" --by comm -f json -q |
			jq "[.tables[0].rows[] | select(.comm == env.name and .count >= $calls / 2 and
				.count < $calls / 2 + 100)] | length")" 1
	is "the probe is gone" "$(grep -c "/p_read $libc:" $tracing/uprobe_events)" 0
else
	skip "a function of a library" "$(head -n 1 out)"
fi

check "stacks" "$record $event --stack --filter 'id == 0 || id == 63' -o st.dat -q -- $load" 0
check "with the kernel's functions" "$HVSCOPE stackcount -i st.dat $event -f folded" 0 "(syscall|el0|entry).* [0-9]+$"

# --- Analyses ---

if [ -d $tracing/events/kvm/kvm_exit ]; then
	check "an analysis's events are recorded" "$record exits -o k.dat -d 50ms -q" 0
	check "exactly those" "$HVSCOPE list -i k.dat -f csv -q" 0
	is "all of them" "$(sed 1d out | tr -d '\r' | tr '\n' ' ')" "kvm:kvm_entry kvm:kvm_exit sched:sched_process_exit "
	check "the analysis takes it" "$HVSCOPE exits -i k.dat -f json" 0 '"complete": true'
	check "two analyses and an event" "$record exits,hypercalls sched:sched_switch -o k.dat -d 50ms -q" 0
else
	skip "analyses" "this kernel has no events of KVM"
fi

# --- Who is who ---

# A shell that is called as a virtual machine is, and one that begins while we record.
cp "$(command -v sh)" qemu-system-x86_64
loop='while :; do read -r x </proc/self/stat; done'
./qemu-system-x86_64 -c "$loop" -name guest=alpha,debug-threads=on &
alpha=$!
start $event -o vm.dat
sleep 0.3
./qemu-system-x86_64 -c "$loop" -name beta &
beta=$!
sleep 0.8
kill $beta
sleep 0.4
kill -TERM "$run"
finish
kill $alpha
is "a signal ends it" "$status" 0
is "it leaves no instance" "$(left_by "$run")" 0
is "machines that there were, and that came, are known by name" "$(
	"$HVSCOPE" count -i vm.dat $event --by vm,pid -f json -q | jq -r '.tables[0].rows[] |
		select(.vm == "alpha" or .vm == "beta") | "\(.vm) \(.pid)"' | sort | tr '\n' ' ')" \
	"alpha $alpha beta $beta "
./qemu-system-x86_64 -c "$loop" -name gamma &
gamma=$!
sleep 0.2
check "one machine alone" "$record $event --vm gamma -o one.dat -d 200ms -q" 0
is "nobody else is in it" "$("$HVSCOPE" count -i one.dat $event --by vm -f json -q |
	jq -r '.tables[0].rows[].vm')" gamma
kill $gamma
check "a machine that isn't there" "$record $event --vm nosuch -o no.dat -d 1ms" 1 "no virtual machine 'nosuch'"
check "and can be asked for" "$HVSCOPE count -i vm.dat $event --vm alpha -f json" 0 '"count": [1-9]'

# --- Limits ---

./qemu-system-x86_64 -c "$loop" -name alpha &
alpha=$!
check "--size ends it" "$record $event -o size.dat --size 2M -d 60s -q" 0
bytes=$(wc -c <size.dat)
ok "near that size" [ "$bytes" -gt 1000000 ] && ok "and not far beyond" [ "$bytes" -lt 40000000 ]

check "--last keeps the newest" "$record $event -o last.dat --last 300ms -d 1500ms" 0 \
	"^hvscope: last.dat: the newest of [0-9]+ records in"
check "of that time" "$HVSCOPE count -i last.dat $event -f json" 0
ok "no more" [ "$(jq .span_ns out)" -le 400000000 ]
ok "no less" [ "$(jq .span_ns out)" -ge 250000000 ]
is "with names" "$("$HVSCOPE" count -i last.dat $event --vm alpha -f json -q |
	jq '.tables[0].totals.count > 0')" true
check "--max-rate stops it" "$record $event -o rate.dat --max-rate 5 -d 20s" 3 \
	"stopped: .*--max-rate allows 5"
ok "with what there was" [ "$(count rate.dat)" -gt 5 ]
kill $alpha
wait $alpha 2>/dev/null

start $event -o off.dat
echo 0 >"$(echo "$tracing"/instances/hvscope.$run.*)/events/enable"
kill -TERM "$run"
finish
is "what somebody else switched off is said" "$status $(grep -c 'somebody else switched off' run.err)" "3 1"
ok "and what there was is there" [ "$(count off.dat)" -ge 0 ]

# --- Commands ---

check "its status" "$record $event -q -o c.dat -- sh -c 'exit 7'" 7
ok "and the file is there" [ -s c.dat ]
check "its status by a signal" "$record $event -q -o c.dat -- sh -c 'kill -9 \$\$'" 137
check "it isn't there" "$record $event -o d.dat -- /no/such/program" 127 "can't be run"
ok "then nothing is left" [ ! -e d.dat ]
is "no part either" "$(parts_of d.dat)" 0
check "hvscope fails" "$record no_such:event -o d.dat -- touch touched" 125 "^hvscope: no tracepoint matches"
ok "then it isn't run" [ ! -e touched ]

# --- Interrupted ---

start $event -o killed.dat -b 8M
# shellcheck disable=SC2086
$load
# shellcheck disable=SC2086
$load
sleep 0.4
check "one that runs isn't joined" "$record --recover -o killed.dat" 1 "being recorded by another run"
kill -KILL "$run"
wait "$run" 2>/dev/null
ok "a killed one has parts" [ "$(parts_of killed.dat)" -ge 2 ]
check "they aren't overwritten" "$record $event -o killed.dat -d 1ms" 1 "record --recover -o killed.dat"
check "a name that leaves no room for theirs" "$record $event -o $(printf '%0255d' 0) -d 1ms" 1 \
	"0.cpu0 can't be made: .*long" "recover"
check "--recover joins them" "$record --recover -o killed.dat" 0 "killed.dat: .* records are missing"
is "and removes them" "$(parts_of killed.dat)" 0
total=$(count killed.dat)
ok "what was written is readable" [ "$total" -ge $calls ]
is "its kernel is known" "$("$HVSCOPE" count -i killed.dat $event -f json -q | jq -r .source.kernel)" "$(uname -r)"
if command -v trace-cmd >/dev/null; then
	is "trace-cmd reads as many" "$(trace-cmd report -i killed.dat 2>/dev/null | grep -c ' sys_enter: ')" "$total"
else
	skip "trace-cmd reads as many" "trace-cmd is not installed"
fi
check "it says that records are missing" "$HVSCOPE count -i killed.dat $event --strict -f json" 3 '"complete": false'
ok "on each CPU" [ "$(jq .lost.unknown out)" -ge "$(getconf _NPROCESSORS_ONLN)" ]
check "there is nothing more to join" "$record --recover -o killed.dat" 1 "isn't there"
check "the next run" "$record $event -o e.dat -d 1ms -q" 0
is "removes the dead one's instance" "$(left_by "$run")" 0

# CPUs that fill no page: what they have is on the disk within two seconds.
cp "$(command -v sh)" quiet
start sched:sched_process_exit $event --filter 'id == 999999' -o quiet.dat
for _ in 1 2 3; do
	./quiet -c :
	sleep 1.2
done
sleep 2
kill -KILL "$run"
wait "$run" 2>/dev/null
check "one of few records is joined" "$record --recover -o quiet.dat" 0
is "they are in it" "$("$HVSCOPE" trace -i quiet.dat sched:sched_process_exit -q | grep -c '[ =]quiet')" 3
if command -v trace-cmd >/dev/null; then
	is "trace-cmd finds them" "$(trace-cmd report -i quiet.dat 2>/dev/null |
		grep -c ' sched_process_exit: *comm=quiet')" 3
	is "and as many others" "$(trace-cmd report -i quiet.dat 2>/dev/null | grep -c ' sched_process_exit: ')" \
		"$("$HVSCOPE" count -i quiet.dat sched:sched_process_exit -f json -q | jq '.tables[0].totals.count')"
else
	skip "trace-cmd finds them" "trace-cmd is not installed"
fi

mkdir small
if mount -t tmpfs -o size=3m tmpfs small 2>/dev/null; then
	check "a full disk ends it" "$record $event -o small/f.dat -b 1M -- sh -c '$load; $load; $load; $load; $load'" 125 \
		"small/f.dat.*(can't be written|No space).*--recover -o small/f.dat"
	ok "its parts stay" [ "$(find small -name 'f.dat.cpu*' | wc -l)" -ge 1 ]
	cp small/* .
	check "with more room they are joined" "$record --recover -o f.dat" 0
	ok "what was written is readable" [ "$(count f.dat)" -gt 10000 ]
	umount small
else
	skip "a full disk" "no tmpfs can be mounted"
fi

# --- Refusals ---

: >old
check "a misspelt field" "$record sched:sched_switch --filter 'prev_pidd == 1' -o old" 1 "^  prev_pidd == 1"
ok "with a caret on a line of its own" grep -Eq '^ +\^$' out
ok "the old file is as it was" [ ! -s old ]
if command -v setpriv >/dev/null; then
	check "not root" "setpriv --reuid 65534 --clear-groups $HVSCOPE record $event -o $tmp/no.dat -d 1ms" 1 \
		"^hvscope: .*root"
else
	skip "not root" "setpriv is not installed"
fi
check "no words" "$record" 2 "what shall be recorded"
check "an analysis that is misspelt" "$record exitss" 2 "no analysis 'exitss'; did you mean 'exits'"
check "one in a list" "$record exit,steal" 2 "no analysis 'exit'; did you mean 'exits'"
check "a filter of an analysis" "$record exits --filter 'a == 1'" 2 "which needs its records whole"
check "an analysis of events that are named" "$record count -o none.dat" 2 "count looks at events that are named"
check "an analysis of all threads with -p" "$record callbacks -p $$" 2 "needs the records of all threads"
check "no file" "$record $event -o /dev/null" 1 "/dev/null is no file"
check "no folder" "$record $event -o none/x.dat" 1 "none/x.dat"
check "--dry-run touches nothing" "$record $event -o dry.dat --dry-run" 0 "^event $event"
is "no file of it" "$(find . -name 'dry.dat*')" ""
is "nothing but recordings is left" "$(find . -name '*.cpu*' ! -path './f.dat*' -o -name '*.head' | head -n 3)" ""
done_testing
