#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# trace-cmd beside hvscope, in the top-level buffer, in an instance and with probes of its own: each
# has what a load did that makes a known number of calls, whoever comes first and goes first, and the
# top-level buffer is as trace-cmd has it. And what `trace-cmd reset`, which switches off everybody's
# tracing, does to a run: that is said. So it runs only where it is told that nobody else traces.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

[ -n "${HVSCOPE_TEST_RESET-}" ] || skip_all "it resets all tracing; HVSCOPE_TEST_RESET=1 allows it"
need_tracefs
need_run count raw_syscalls:sys_enter
for tool in jq trace-cmd; do
	command -v $tool >/dev/null || skip_all "$tool is not installed"
done

[ "$(uname -m)" = x86_64 ] || skip_all "the number of write(2) on this machine isn't known here"
calls=3000
load="dd if=/dev/zero of=/dev/null bs=1 count=$calls status=none"
cd "$tmp" || exit 1

# All that is set in the top-level buffer.
settings() {
	for file in current_tracer tracing_on trace_clock buffer_size_kb set_event set_event_pid \
		tracing_cpumask trace_options kprobe_events; do
		sed "s/^/$file: /" $tracing/$file
	done
	find $tracing/instances -mindepth 1 -maxdepth 1 ! -name 'hvscope.*'
}

# until_true COMMAND...: waits until it is, some seconds.
until_true() {
	tries=200
	until "$@" 2>/dev/null || [ $((tries -= 1)) -eq 0 ]; do
		sleep 0.05
	done
}
is_on() {
	[ "$(cat "$1"/tracing_on)" = 1 ]
}
has_event() {
	[ "$(cat "$1/enable")" = 1 ] && is_on "${1%/events/*}"
}

# begin ARGUMENT...: hvscope in the background, its process in $run; end: and its status in $status.
begin() {
	"$HVSCOPE" "$@" >"$tmp/said" 2>&1 &
	run=$!
	until_true ran
}
ran() {
	for instance in $tracing/instances/hvscope.$run.*; do
		is_on "$instance" && return 0
	done
	return 1
}
end() {
	kill -TERM $run
	status=0
	wait $run || status=$?
}
# recorder EVENT ARGUMENT...: trace-cmd in the background, its process in $recorder, until it records.
recorder() {
	watched=$1
	shift
	trace-cmd record -b 4096 -o "$tmp/theirs.dat" "$@" >"$tmp/trace-cmd" 2>&1 &
	recorder=$!
	until_true has_event "$watched"
}
recorder_ends() {
	kill -INT $recorder
	wait $recorder
}
count() { # EVENT [OPTION...]
	begin count "$@" --by comm -f json -o "$tmp/ours"
}
ours() {
	jq '[.tables[0].rows[] | select(.comm == "dd") | .count] | add // 0' "$tmp/ours"
}
theirs() {
	trace-cmd report -N -i "${1-$tmp/theirs.dat}" 2>/dev/null | grep -c '^ *dd-[0-9]'
}

syscalls=raw_syscalls:sys_enter
event=events/raw_syscalls/sys_enter
filter="id == 1"

# What trace-cmd leaves when it was alone.
recorder $tracing/$event -e $syscalls -f "$filter"
during=$(settings)
$load
recorder_ends
after=$(settings)
is "trace-cmd alone has all calls" "$(theirs)" $calls

# --- It is there before, and after ---

recorder $tracing/$event -e $syscalls -f "$filter"
count $syscalls --filter "$filter"
is "started second: its settings are as they were" "$(settings)" "$during"
$load
end
is "ended first: the run is well" "$status $(ours)" "0 $calls"
is "ended first: its settings are as they were" "$(settings)" "$during"
recorder_ends
is "trace-cmd has all calls" "$(theirs)" $calls
is "and leaves what it always leaves" "$(settings)" "$after"

# --- hvscope is there before, and after ---

count $syscalls --filter "$filter"
recorder $tracing/$event -e $syscalls -f "$filter"
is "started first: its settings are as always" "$(settings)" "$during"
$load
recorder_ends
is "trace-cmd has all calls, too" "$(theirs)" $calls
is "and leaves what it always leaves, too" "$(settings)" "$after"
$load
end
is "ended second: the run has those that came later, too" "$status $(ours)" "0 $((2 * calls))"
is "ended second: nothing else is changed" "$(settings)" "$after"

# --- An instance, another clock, a buffer of another size ---

trace-cmd start -B mine -b 2222 -C global -e $syscalls -f "$filter" >"$tmp/trace-cmd" 2>&1
during=$(settings; cat $tracing/instances/mine/trace_clock $tracing/instances/mine/buffer_size_kb)
count $syscalls --filter "$filter"
$load
end
is "beside an instance of its own: the run is well" "$status $(ours)" "0 $calls"
is "beside an instance of its own: nothing is changed" \
	"$(settings; cat $tracing/instances/mine/trace_clock $tracing/instances/mine/buffer_size_kb)" "$during"
is "beside an instance of its own: it has all calls" "$(grep -c '^ *dd-[0-9]' $tracing/instances/mine/trace)" $calls
trace-cmd reset -B mine -d >"$tmp/trace-cmd" 2>&1
is "it is gone" "$(ls $tracing/instances)" ""

# --- Probes ---

if ! "$HVSCOPE" count vfs_write -d 1ms -q >/dev/null 2>"$tmp/err"; then
	skip "probes" "$(cat "$tmp/err")"
else
	echo 'p:theirs/vfs_write vfs_write' >>$tracing/kprobe_events
	recorder $tracing/events/theirs/vfs_write -e theirs
	during=$(settings | grep -v ^kprobe_events)
	count vfs_write
	$load
	is "with probes: its settings are as they were" "$(settings | grep -v ^kprobe_events)" "$during"
	end
	is "with probes: the run is well" "$status $(ours)" "0 $calls"
	is "with probes: only its own are left" "$(cat $tracing/kprobe_events)" "p:theirs/vfs_write vfs_write"
	recorder_ends
	is "with probes: trace-cmd has all calls" "$(theirs)" $calls
	echo '-:theirs/vfs_write' >>$tracing/kprobe_events
fi

# --- Everything is reset below a run ---

trace-cmd reset >"$tmp/trace-cmd" 2>&1
after=$(settings)
said="somebody else switched off what"
for reset in reset "reset -a -d"; do
	for what in $syscalls vfs_write; do
		"$HVSCOPE" count $what -d 1ms -q >/dev/null 2>&1 || continue
		if [ $what = $syscalls ]; then
			count $what --filter "$filter"
		else
			count $what
		fi
		$load
		trace-cmd $reset >"$tmp/trace-cmd" 2>&1
		$load
		end
		if [ "$(ours)" -eq $((2 * calls)) ]; then
			is "$reset: a run of $what that it didn't reach is whole" $status 0
		else
			is "$reset: a run of $what is incomplete by its status" $status 3
			ok "$reset: and says why" grep -q "$said" "$tmp/said"
			is "$reset: which the report knows" "$(jq .lost.complete "$tmp/ours")" false
			ok "$reset: it has no more than there was" [ "$(ours)" -le $((2 * calls)) ]
		fi
		is "$reset: nothing of it is left" "$(ls $tracing/instances; cat $tracing/kprobe_events)" ""
	done
	begin record $syscalls --filter "$filter" -o "$tmp/ours.dat"
	$load
	trace-cmd $reset >"$tmp/trace-cmd" 2>&1
	$load
	end
	recorded=$(theirs "$tmp/ours.dat")
	if [ "$recorded" -eq $((2 * calls)) ]; then
		is "$reset: a recording that it didn't reach is whole" $status 0
	else
		is "$reset: a recording is incomplete by its status" $status 3
		ok "$reset: and that says why" grep -q "$said" "$tmp/said"
	fi
	is "$reset: nothing of it is left" "$(ls $tracing/instances)" ""
done
is "in the end all is as trace-cmd leaves it" "$(settings)" "$after"
done_testing
