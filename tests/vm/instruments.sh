#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The general instruments where there are kprobes: the live tests of trace, argdist and stackcount,
# whose truth is a program that makes a known number of calls, and every example of the manual. On
# one kernel trace-cmd beside hvscope, on the other names where ids of threads come back soon. And a
# file with stacks, recorded by trace-cmd, against what that reports of it.

. "${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/vm/lab.sh"

lab_begin kernel-6.1 kernel-6.12
for tool in jq dd trace-cmd; do
	command -v $tool >/dev/null || lab_missing "needs $tool"
done

cat >"$tmp/job" <<'END'
export top_srcdir=/src HVSCOPE=/usr/bin/hvscope HVSCOPE_LIBC=/lab/lib/libc.so.6
echo root:x:0:0:root:/:/bin/sh >/etc/passwd
ls $TRACEFS/instances >$OUT/before
export HVSCOPE_TEST_BIRTHS=/usr/bin/births HVSCOPE_TEST_PID_MAX=400 HVSCOPE_TEST_RESET=1
for test in $(cat /host/tests); do
	sh /src/tests/live/$test.sh >$OUT/$test 2>$OUT/$test.err
	echo "status $?" >>$OUT/$test
done
echo 32768 >/proc/sys/kernel/pid_max
ls $TRACEFS/instances >$OUT/after
trace-cmd record -b 4096 -o $OUT/stacks.dat -e raw_syscalls:sys_enter -f 'id == 1' -T \
	dd if=/dev/zero of=/dev/null bs=1 count=500 status=none >$OUT/stacks.log 2>&1
cat $TRACEFS/kprobe_events $TRACEFS/uprobe_events >>$OUT/after
END

# What may be skipped there, and nothing else: the kernel has no such function, the machine no such
# language.
allowed="no function matches|There is no C library|python3 is not installed"

# Stacks of dd as "COUNT outermost;...;innermost", by trace-cmd and by hvscope. trace-cmd prints eight
# functions, 0x0 where there are fewer: system calls begin with fewer.
reported() {
	trace-cmd report -N -i "$1" 2>/dev/null | awk '
		function add(name) { if (name != "0x0") stack = name (stack == "" ? "" : ";") stack }
		function flush() { if (of_dd) print stack; stack = ""; of_dd = 0 }
		/^[ \t]*=> / { add($2); next }
		{ flush() }
		/^ *dd-[0-9]+ .* kernel_stack: / { of_dd = 1; add($NF) }
		END { flush() }' | sort | uniq -c | sed 's/^ *//'
}
counted() {
	"$HVSCOPE" stackcount raw_syscalls:sys_enter -i "$1" --by comm -f json | jq -r '
		.tables[0].rows[] | select(.comm == "dd" and .stack) |
		"\(.count) \(.stack | join(";"))"' | sort -k2
}

for kernel in 6.1 6.12; do
	case $kernel in
	6.1) tests="instruments examples trace-cmd" ;;
	*) tests="instruments examples births" ;;
	esac
	lab_image $kernel kernel-$kernel
	lab_add $kernel "$HVSCOPE" /usr/bin/hvscope
	lab_add $kernel "$top_builddir/tests/live/births"
	lab_add $kernel "$(command -v jq)"
	lab_add $kernel "$(command -v dd)"
	lab_add $kernel "$(command -v trace-cmd)"
	for file in tests/lib.sh tests/live/instruments.sh tests/live/examples.sh tests/live/births.sh \
		tests/live/trace-cmd.sh man/hvscope-examples.7 tests/traces/xen/xen-small.dat; do
		lab_add $kernel "$top_srcdir/$file" /src/$file
	done
	echo "$tests" >"$tmp/share.$kernel/tests"
	lab_run $kernel "$tmp/job" 1200 || continue
	for test in $tests; do
		is "$kernel: $test pass" "$(tail -n 1 "$lab_out/$test")" "status 0"
		is "$kernel: and run to their end" "$(grep -c '^1\.\.[1-9]' "$lab_out/$test")" 1
		is "$kernel: none is skipped" "$(grep '# SKIP' "$lab_out/$test" | grep -Evc "$allowed")" 0
		grep -A 8 '^not ok\|# SKIP' "$lab_out/$test" | sed 's/^/# /'
		sed 's/^/# /' "$lab_out/$test.err"
	done
	reported "$lab_out/stacks.dat" >"$tmp/want"
	counted "$lab_out/stacks.dat" >"$tmp/got"
	is "$kernel: a recording has a stack for each call" \
		"$(awk '{ n += $1 } END { print n }' "$tmp/got")" 500
	ok "$kernel: and they are those that trace-cmd reports" cmp "$tmp/want" "$tmp/got"
	is "$kernel: nothing is left in tracefs" "$(cat "$lab_out/after")" "$(cat "$lab_out/before")"
done
done_testing
