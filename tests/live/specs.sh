#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Events and filters as people mistype them: each is refused before anything is traced, by a sentence
# that tells what was meant or where the fault is, and nothing of it reaches tracefs.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

need_tracefs
[ -d $tracing/events/sched/sched_switch ] || skip_all "this kernel has no sched events"
need_run count sched:sched_switch

count="$HVSCOPE count -d 1ms"
event=sched:sched_switch

# --- Names ---

check "a misspelt tracepoint" "$count sched:sched_swich" 1 \
	"^hvscope: no tracepoint matches 'sched:sched_swich'; did you mean 'sched:sched_switch'\?$"
check "a tracepoint without its system" "$count sched_switch" 1 \
	"^hvscope: no function matches 'sched_switch'; did you mean 'sched:sched_switch'\?$"
check "a backslash in a name is shown as one, quoted once" "$count 'sched:a\\b'" 1 "'sched:a\\\\\\\\b'$"
check "an INTERVAL for a command without" "$HVSCOPE trace $event 1" 2 \
	"^hvscope: '1' is no event, and hvscope trace takes no INTERVAL"
check "also for record" "$HVSCOPE record $event 100ms -o $tmp/x" 2 "record takes no INTERVAL"

# --- Filters ---

# The line under the filter, where it names a field that isn't there behind this text.
caret() { # TEXT
	"$HVSCOPE" count $event --filter "prev_comm == \"$1\" && nosuch == 1" -d 1ms 2>&1 | sed -n '3p'
}
plain=$(caret abcdef)
if printf '%s\n' "$plain" | grep -q '^ *^$'; then
	is "a caret under the place, whatever is before it: two columns a character" "$(caret 日本語)" "$plain"
	is "one column and two bytes" "$(caret äöüßéñ)" "$plain"
	is "what is shown quoted" "$(caret "$(printf 'ab\033')")" "$plain"
	is "two lines are shown as one" "$("$HVSCOPE" count $event -d 1ms \
		--filter "$(printf 'prev_pid == 1 &&\n  nosuch == 1')" 2>&1 | sed 1d)" \
		"$("$HVSCOPE" count $event -d 1ms --filter "prev_pid == 1 &&   nosuch == 1" 2>&1 | sed 1d)"
else
	skip "a caret under the place" "this kernel doesn't tell it"
fi
awk -v page="$(getconf PAGESIZE)" 'BEGIN {
	for (i = 1000; n < page; n += 20) printf "prev_pid == %d || ", i
	print "prev_pid == 1" }' >"$tmp/long"
check "one that is too long" "$count $event --filter \"\$(cat $tmp/long)\"" 1 \
	"^hvscope: the filter of $event has [0-9]+ bytes, and the kernel takes [0-9]+$"

# --- Memory ---

# Half as much again as there is, divided among the CPUs: it is refused before any is taken.
free=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
if [ -n "$free" ]; then
	each=$((free * 3 / 2 / $(getconf _NPROCESSORS_ONLN)))
	check "buffers for which there is no memory" "timeout 10 $count $event -b ${each}K" 1 \
		"^hvscope: ring buffers of .* for each of [0-9]+ CPUs are more than the memory that is available"
else
	skip "buffers for which there is no memory" "this kernel doesn't say how much is available"
fi

# --- Containers ---

# There, process 1 is another one than the kernel's; and what has hvscope's number is not hvscope.
if unshare -pf --mount-proc true 2>/dev/null; then
	check "a process of a container" "unshare -pf --mount-proc $count $event -p 1" 1 \
		"^hvscope: process ids here are a container's"
	export tracing event tmp
	# shellcheck disable=SC2016
	ok "a run in a container" timeout 60 unshare -pf --mount-proc sh -c '
		"$HVSCOPE" count "$event" -d 1m -q >"$tmp/out" 2>&1 &
		until [ "$(cat "$tracing"/instances/hvscope.$!.*/tracing_on 2>/dev/null)" = 1 ]; do
			sleep 0.1
		done
		cat "$tracing"/instances/hvscope.$!.*/set_event_notrace_pid >"$tmp/left-out"
		kill $!
		wait $!'
	is "leaves out no other thread that has its number" "$(cat "$tmp/left-out")" ""
else
	skip "a process of a container" "no PID namespace can be made here"
fi

# --- Functions of programs ---

libc=$(ldd /bin/sh 2>/dev/null | sed -n 's/.*libc\.so[^ ]* => \([^ ]*\).*/\1/p')
[ -n "$libc" ] || libc=${HVSCOPE_LIBC-}
if [ -z "$libc" ] || ! "$HVSCOPE" count "u:$libc:malloc" -d 1ms -q >"$tmp/out" 2>&1; then
	skip "functions of programs" "no C library, or it can't be probed here"
	done_testing
fi
check "a pattern over functions of a library" "$count 'u:$libc:mall*'" 1 \
	"^hvscope: $libc has no function 'mall\*'.* \(a user probe takes no pattern\)$"
check "what is named twice" "$HVSCOPE count --dry-run u:$libc:malloc u:$libc:malloc ur:$libc:malloc \
	ur:$libc:malloc 'u:$libc:malloc top=\$stack0'" 0
is "is one probe; a return, and one with arguments, are others" "$(grep -c '^probe ' "$tmp/out")" 3
place=$("$HVSCOPE" count --dry-run "u:$libc:malloc" | sed -n 's/^probe .*:\(0x[0-9a-f]*\).*/\1/p')
check "a place in a file" "$HVSCOPE record u:$libc:$place -q -o $tmp/place -- /bin/sh -c true" 0
check "is found in the recording by its number" "$HVSCOPE count -i $tmp/place u:$libc:$place -f csv -q" 0 \
	"^$place,[1-9]"
check "another isn't" "$HVSCOPE count -i $tmp/place u:$libc:0x1" 1 "^hvscope: no event of the file matches"
check "one that is misspelt gets a near one" "$HVSCOPE count -i $tmp/place p:${place}0" 1 \
	"^hvscope: no event of the file matches 'p:${place}0'; did you mean '$place'\?$"
size=$(wc -c <"$(readlink -f "$libc")")
check "a place behind its end" "$count u:$libc:$(printf '0x%x' "$size")" 1 \
	"^hvscope: 0x[0-9a-f]+ lies behind the end of $libc"
before=$(cat $tracing/uprobe_events)
check "a line break would be a command of its own" \
	"$count \"\$(printf 'u:$libc:malloc\np:foreign$$/probe $libc:0x1000')\"" 2 "there is a line break in it$"
is "no probe of it was made" "$(grep -c "foreign$$" $tracing/uprobe_events)" 0
[ "$before" = "$(cat $tracing/uprobe_events)" ] || diag "another one came or went: $(cat $tracing/uprobe_events)"
done_testing
