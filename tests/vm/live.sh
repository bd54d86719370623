# SPDX-License-Identifier: GPL-2.0-or-later
#
# The live tests on kernels that have all there is to trace, probes among it: where this machine's
# own kernel lacks them, they run nowhere else.

. "${top_srcdir:-.}/tests/vm/lab.sh"

lab_begin kernel-6.1 kernel-6.12

cat >"$tmp/job" <<'END'
for test in session probes; do
	$test >"$OUT/$test" 2>&1
	echo "status $?" >>"$OUT/$test"
done
ls $TRACEFS/instances >"$OUT/left"
cat $TRACEFS/kprobe_events $TRACEFS/uprobe_events >>"$OUT/left"
END

for version in 6.1 6.12; do
	lab_image "$version" "kernel-$version"
	lab_add "$version" "$top_builddir/tests/live/session"
	lab_add "$version" "$top_builddir/tests/live/probes"
	lab_run "$version" "$tmp/job" || continue
	for test in session probes; do
		sed "s/^/# /" "$lab_out/$test"
		is "$version: $test" "$(tail -n 1 "$lab_out/$test")" "status 0"
		is "$version: $test ran to its end" "$(grep -c '^1\.\.[1-9]' "$lab_out/$test")" 1
	done
	is "$version: nothing is left in tracefs" "$(cat "$lab_out/left")" ""
done
done_testing
