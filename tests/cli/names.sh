#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Names and processes of threads that came and went: a trace of 180 shells that each wrote twice and
# became a program, which wrote a known number of times; with it the births and names of tasks.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

command -v jq >/dev/null || skip_all "jq is not installed"

names=$top_srcdir/tests/traces/names/6.12-exec
write="raw_syscalls:sys_enter -i $names.dat"

# "NAME COUNT" of the rows that the load made.
rows() {
	jq -r '.tables[0].rows[] | select(.comm != "trace-cmd") | "\(.comm) \(.count)"' "$tmp/out" | sort
}

check "counts by name" "$HVSCOPE count $write --by comm -f json" 0
is "are those that each made, before and after it became another" "$(rows)" "$(sort "$names.counts")"
cp "$tmp/out" "$tmp/whole"
for jobs in 1 2 5; do
	check "read by $jobs" "$HVSCOPE count $write --by comm -f json -j $jobs" 0
	ok "they are the same" cmp "$tmp/out" "$tmp/whole"
done
check "counts by CPU" "$HVSCOPE count $write --by cpu -f json" 0
cp "$tmp/out" "$tmp/whole"
for jobs in 1 2 5; do
	check "read by $jobs, where nobody asks for names" "$HVSCOPE count $write --by cpu -f json -j $jobs" 0
	ok "they are the same" cmp "$tmp/out" "$tmp/whole"
done
check "counts by name and CPU" "$HVSCOPE count $write --by comm,cpu -f json" 0
is "have the same sums" "$(jq -r '.tables[0].rows | group_by(.comm)[] | "\(.[0].comm) \(map(.count) | add)"' \
	"$tmp/out" | grep -v trace-cmd | sort)" "$(sort "$names.counts")"
check "values by name" "$HVSCOPE argdist $write -E id --by comm -f json" 0
is "likewise" "$(rows)" "$(sort "$names.counts")"
check "lines" "$HVSCOPE trace $write -f json" 0
is "have the name of their time" "$(jq -r 'select(.comm != "trace-cmd") | .comm' "$tmp/out" | sort | uniq -c |
	awk '{ print $2, $1 }')" "$(sort "$names.counts")"
ok "and the process, which is the thread here" jq -es 'all(.[]; .comm == "trace-cmd" or .pid == .tid)' "$tmp/out"
check "counts by process" "$HVSCOPE count $write --by pid -f json" 0
is "a row for each of them, and trace-cmd's" \
	"$(jq '[.tables[0].rows[] | select(.pid != null)] | length' "$tmp/out")" 180

# The event that tells it may be asked for itself: it counts for the old name, which it has, too. Only
# what a thread was called before the trace's first word of it is not known.
check "renames" "$HVSCOPE argdist task:task_rename -i $names.dat -E oldcomm --by comm -f json" 0
is "are of who had the old name" "$(jq -c '[.tables[0].rows[] | select(.comm == .value) | [.comm, .count]]' "$tmp/out")" \
	'[["sh",360],["exe",180]]'
done_testing
