#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Functions of the kernel as users probe them, and as they go wrong: far too many at once, several
# runs at the same functions, one that dies among them, a module that goes while it is watched, and
# another user of tracing who takes every probe away.
#
# Modules are loaded and taken away only in a machine made for it: HVSCOPE_TEST_MODULE names dummy.ko.
#
# Rule: truth is the number of reads that a program makes, all of 7 bytes, and the kernel's own lists.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

need_tracefs
[ -e $tracing/kprobe_events ] || skip_all "this kernel has no kprobes"
need_run count vfs_read

reads=1000
load="dd if=/dev/zero of=/dev/null bs=7 count=$reads"
seven="--filter 'n == 7'"

# Probes of ours that are in the kernel, of the run $1 or of all.
probes_of() {
	grep -c "hvscope_${1:+${1}_}" $tracing/kprobe_events
}

# begin NAME ARGUMENTS: a run in the background, its process id in $run, once it traces: a new instance
# is on until it is set up, so its events count.
begin() {
	name=$1
	shift
	eval "exec \"$HVSCOPE\" $*" >"$tmp/$name" 2>"$tmp/$name.err" &
	run=$!
	tries=600
	while [ $((tries -= 1)) -gt 0 ]; do
		[ "$(cat $tracing/instances/hvscope.$run.*/tracing_on 2>/dev/null)" = 1 ] &&
			cat $tracing/instances/hvscope.$run.*/events/hvscope_$run*/*/enable 2>/dev/null |
				grep -q '^1' && return
		kill -0 $run 2>/dev/null || break
		sleep 0.1
	done
	diag "the run doesn't begin: $(cat "$tmp/$name.err")"
}

# finish PID: its status in $status.
finish() {
	kill -TERM "$1"
	status=0
	wait "$1" || status=$?
}

# --- Far too many ---

check "all functions at once are refused, with how many there are" "$HVSCOPE count '*' -d 1s" 1 \
	"^hvscope: '\*' matches [0-9]{4,} functions, and at most [0-9]+ are probed at once: name fewer\$"
is "before any is probed" "$(probes_of)" 0
check "a mistyped one is shown what there is" "$HVSCOPE count vfs_raed -d 1s" 1 "vfs_read"

# --- Several runs at the same function, one of which dies ---

begin first "count 'vfs_read n=\$arg3' $seven -f csv"
first=$run
begin second "count 'r:vfs_read' 'vfs_read n=\$arg3' $seven -f csv"
second=$run
begin third "argdist 'vfs_read n=\$arg3' $seven -E n -f csv"
third=$run
begin fourth "count vfs_read vfs_write -f csv"
fourth=$run
is "each has its own probes" \
	"$(probes_of "$first") $(probes_of "$second") $(probes_of "$third") $(probes_of "$fourth")" "1 2 1 2"
kill -9 $fourth
wait $fourth 2>/dev/null
$load 2>/dev/null
finish $first
is "the first ends well" "$status" 0
is "and counted each read" "$(sed -n 's/^vfs_read,\([0-9]*\),.*/\1/p' "$tmp/first")" $reads
finish $second
is "the second too" "$status" 0
is "each read once" "$(sed -n 's/^vfs_read,\([0-9]*\),.*/\1/p' "$tmp/second")" $reads
ok "and its returns with all others'" \
	test "$(sed -n 's/^r:vfs_read,\([0-9]*\),.*/\1/p' "$tmp/second")" -ge $reads
is "one that was killed leaves its probes" "$(probes_of "$fourth")" 2
check "the next run takes them away" "$HVSCOPE count vfs_write -d 1ms -q" 0
is "all" "$(probes_of "$fourth")" 0
is "and none of one that lives" "$(probes_of "$third")" 1
finish $third
is "which counted each read, too" "$(sed -n 's/^vfs_read,7,\([0-9]*\),.*/\1/p' "$tmp/third")" $reads
is "then none is left" "$(probes_of)" 0

# --- Another user takes everything away ---

# What is written is everybody's "enable" of its instance, or that of its probes alone, as
# trace-cmd reset does: then other events of it go on.
for enable in events/enable 'events/hvscope_*/enable'; do
	begin robbed "count 'vfs_read n=\$arg3' $seven -f csv"
	robbed=$run
	$load 2>/dev/null
	sleep 1 # with a probe goes what nobody has read yet: the kernel empties the buffers
	for file in $tracing/instances/hvscope.$robbed.*/$enable; do
		echo 0 >"$file"
	done
	: >$tracing/kprobe_events
	$load 2>/dev/null
	finish $robbed
	is "a run whose probes are taken away ends" "$status" 3
	is "and says so" "$(grep -c 'somebody else switched off' "$tmp/robbed.err")" 1
	is "with what it has" "$(sed -n 's/^vfs_read,\([0-9]*\),.*/\1/p' "$tmp/robbed")" $reads
	is "and leaves nothing" "$(probes_of) $(left_by "$robbed")" "0 0"
done

# --- A module comes and goes ---

if [ -z "${HVSCOPE_TEST_MODULE-}" ]; then
	skip "functions of a module" "modules are loaded only in a machine made for it"
	done_testing
fi
rmmod dummy 2>/dev/null
insmod "$HVSCOPE_TEST_MODULE" numdummies=0
check "a module's functions by glob" "$HVSCOPE list 'p:dummy/dummy_*'" 0 "dummy_setup"
check "another function isn't the module's" "$HVSCOPE count p:dummy/vfs_read -d 1s" 1 "dummy"
begin module "count p:dummy/dummy_setup vfs_write -f csv"
module=$run
for n in 1 2 3; do
	ip link add "hv$n" type dummy
	ip link del "hv$n"
done
ok "a module that is watched can be taken away" rmmod dummy
finish $module
is "the run ends well" "$status" 0
diag "$(cat "$tmp/module" "$tmp/module.err")"
is "with what the module did" "$(sed -n 's/.*dummy_setup,\([0-9]*\),.*/\1/p' "$tmp/module")" 3
is "and leaves nothing" "$(probes_of)" 0
insmod "$HVSCOPE_TEST_MODULE" numdummies=0
begin module "count p:dummy/dummy_setup -f csv"
module=$run
rmmod dummy
insmod "$HVSCOPE_TEST_MODULE" numdummies=0
finish $module
is "one that went and came is no harm" "$status $(probes_of)" "0 0"
check "what isn't there is said" "rmmod dummy; $HVSCOPE count p:dummy/dummy_setup -d 1s" 1 "dummy"
done_testing
