#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The live tests on kernels that have all there is to trace, probes among it; with CPUs that go and
# come, and with isolated ones. And what is said where the kernel is locked down.

. "${top_srcdir:-.}/tests/vm/lab.sh"

lab_begin kernel-6.1 kernel-6.12

cat >"$tmp/job" <<'END'
export HVSCOPE_TEST_HOTPLUG=1
for test in session probes parts; do
	$test >"$OUT/$test" 2>&1
	echo "status $?" >>"$OUT/$test"
done
if [ -e /src/tests/live/functions.sh ]; then
	export top_srcdir=/src HVSCOPE=/usr/bin/hvscope HVSCOPE_TEST_MODULE=/modules/dummy.ko
	sh /src/tests/live/functions.sh >"$OUT/functions" 2>&1
	echo "status $?" >>"$OUT/functions"
fi
ls $TRACEFS/instances >"$OUT/left"
cat $TRACEFS/kprobe_events $TRACEFS/uprobe_events >>"$OUT/left"
END

# live NAME KERNEL [FUNCTIONS]: the tests in one machine, with that of functions where it is said.
live() {
	lab_image "$1" "kernel-$2" ${3:+dummy}
	lab_add "$1" "$top_builddir/tests/live/session"
	lab_add "$1" "$top_builddir/tests/live/probes"
	lab_add "$1" "$top_builddir/tests/live/parts"
	if [ -n "${3-}" ]; then
		lab_add "$1" "$HVSCOPE"
		lab_add "$1" "$(command -v dd)"
		lab_add "$1" "$top_srcdir/tests/lib.sh" /src/tests/lib.sh
		lab_add "$1" "$top_srcdir/tests/live/functions.sh" /src/tests/live/functions.sh
	fi
	lab_run "$1" "$tmp/job" 400 || return
	for test in session probes parts ${3-}; do
		sed "s/^/# /" "$lab_out/$test"
		is "$1: $test" "$(tail -n 1 "$lab_out/$test")" "status 0"
		is "$1: $test ran to its end" "$(grep -c '^1\.\.[1-9]' "$lab_out/$test")" 1
	done
	ok "$1: CPUs went and came" grep -q '^ok.*CPU 1 goes off' "$lab_out/session"
	is "$1: nothing is left in tracefs" "$(cat "$lab_out/left")" ""
}

live 6.1 6.1 functions

# A CPU that is to be left alone: no barrier reaches it, the margin has to do.
lab_smp=3
lab_append="isolcpus=2 nohz_full=2"
live isolated 6.12
diag "barriers: $(sed -n 's/^# barrier //p' "$lab_out/session")"
lab_smp=2

cat >"$tmp/locked" <<'END'
mount -t securityfs none /sys/kernel/security
cat /sys/kernel/security/lockdown >"$OUT/lockdown"
hvscope exits -d 1 >"$OUT/exits" 2>&1
echo "status $?" >>"$OUT/exits"
hvscope steal >"$OUT/steal" 2>&1
echo "status $?" >>"$OUT/steal"
END

# Confidentiality empties tracefs. What works without it still does.
lab_append="lockdown=confidentiality"
lab_image locked kernel-6.1
lab_add locked "$HVSCOPE"
if lab_run locked "$tmp/locked"; then
	check "locked down: exits says why, and what works" "cat $lab_out/exits" 0 \
		'lockdown=confidentiality.*hvscope steal'
	check "locked down: with status 1" "cat $lab_out/exits" 0 '^status 1$'
	check "locked down: steal works" "cat $lab_out/steal" 0 '^status 0$'
fi
done_testing
