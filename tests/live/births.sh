#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Names and processes of what comes and goes: a load (births.c) of programs and threads, started in
# all ways there are, that knows what each of them did. Where HVSCOPE_TEST_PID_MAX is given, ids come
# back that fast: to be given to machines that are there for nothing else.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

need_tracefs
[ -d $tracing/events/raw_syscalls/sys_enter ] || skip_all "this kernel has no raw_syscalls events"
need_run count raw_syscalls:sys_enter
command -v jq >/dev/null || skip_all "jq is not installed"

births=${HVSCOPE_TEST_BIRTHS:-$top_builddir/tests/live/births}
number=$("$births" number)
enter="raw_syscalls:sys_enter --filter 'id == $number'"
[ -z "${HVSCOPE_TEST_PID_MAX-}" ] || echo "$HVSCOPE_TEST_PID_MAX" >/proc/sys/kernel/pid_max
mkdir "$tmp/programs"
load="$births $tmp/programs 20"
# By a shell that stays: of whoever was there before a recording, that doesn't tell the process.
shell="sh -c '$load >$tmp/truth; exit \$?'"

# "NAME PID CALLS" in one order, with sums of the same names and ids.
sums() {
	awk '{ n[$1 " " $2] += $3 } END { for (key in n) print key, n[key] }' | sort
}
rows() {
	jq -r '.tables[0].rows[] | "\(.comm) \(.pid) \(.count)"' "$tmp/result" |
		grep -E '^(b-|births)' | sums
}
same() { # NAME
	sums <"$tmp/truth" >"$tmp/want"
	rows >"$tmp/got"
	if [ -s "$tmp/want" ] && cmp -s "$tmp/want" "$tmp/got"; then
		pass "$1"
	else
		fail "$1"
		diff "$tmp/want" "$tmp/got" | head -n 20 | sed 's/^/# /'
		diag "$(jq -c .lost "$tmp/result"), of $(wc -l <"$tmp/want") rows"
	fi
}

for analysis in "count $enter" "argdist $enter -E id" "stackcount $enter"; do
	check "${analysis%% *} of all that a load starts" "$HVSCOPE $analysis --by comm,pid -f json \
		-o $tmp/result -- $shell" 0
	same "has the names and processes that made the calls"
done
check "lines" "$HVSCOPE trace $enter -f json -o $tmp/lines -- $shell" 0
jq -s '{ lost: null, tables: [{ rows: [group_by([.comm, .pid])[] |
	{ comm: .[0].comm, pid: .[0].pid, count: length }] }] }' "$tmp/lines" >"$tmp/result"
same "tell them, too"
check "a recording" "$HVSCOPE record $enter 'task:*' -q -o $tmp/births.dat -- $shell" 0
check "with births and names" "$HVSCOPE count raw_syscalls:sys_enter -i $tmp/births.dat --by comm,pid -f json \
	-o $tmp/result" 0
same "tells them later"

# A process and its descendants. It is there before, and becomes the load when all is ready.
mkfifo "$tmp/go"
sh -c "read go <$tmp/go; exec $load >$tmp/truth" &
family=$!
"$HVSCOPE" count raw_syscalls:sys_enter --filter "id == $number" -p $family --children --by comm,pid \
	-f json -o "$tmp/result" 2>"$tmp/err" &
run=$!
tries=200
until [ "$(cat $tracing/instances/hvscope.$run.*/tracing_on 2>/dev/null)" = 1 ] ||
	[ $((tries -= 1)) -eq 0 ]; do
	sleep 0.05
done
echo go >"$tmp/go"
ok "a process comes to its end" wait $family
kill -TERM $run
ok "so does the run that follows its descendants" wait $run
same "it had all of them"
done_testing
