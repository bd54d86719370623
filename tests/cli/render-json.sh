#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# JSON as jq sees it: one object for a run, one a line with intervals; hostile names arrive
# changed only where they are no UTF-8.

. "${top_srcdir:-.}/tests/lib.sh"

command -v jq >/dev/null || skip_all 'jq is not installed'
render=$top_builddir/tests/unit/render
[ -x "$render" ] || skip_all 'tests/unit/render is not built'

"$render" json >"$tmp/one" || exit 1
"$render" json intervals >"$tmp/lines" || exit 1

# jq_is NAME FILTER WANT
jq_is() {
	is "$1" "$(jq -c "$2" "$tmp/one" 2>&1)" "$3"
}

ok 'a run is valid JSON' jq -e . "$tmp/one"
is 'and one object' "$(jq -s length "$tmp/one")" 1
jq_is 'the keys of the object' 'keys_unsorted' '["hvscope","schema","command","host","begin","begin_ns","interval","source","span_ns","records","lost","notes","tables"]'
jq_is 'the source' '.source' '{"kind":"file","path":"/tmp/\u001b[31mx.dat","kernel":null,"machine":null,"cpus":4,"clock":"mono"}'
jq_is 'what was lost' '.lost' '{"records":1,"marks":2,"unknown":1,"intervals_discarded":2,"late":0,"complete":false}'
jq_is 'the begin is RFC 3339' '.begin' '"2001-09-09T01:46:40.000000000Z"'
jq_is 'no interval' '.interval' null
ok 'numbers of 64 bits are written whole' grep -q '"records": 18446744073709551615' "$tmp/one"

jq_is 'a key once in each row' '.tables[0] | (.columns | map(.key)) as $k | all(.rows[]; keys_unsorted == $k)' true
jq_is 'columns say their type' '.tables[0].columns | map(.type) | unique' '["bool","bytes","count","hex","histogram","ns","partly","rate","ratio","text","time"]'
jq_is 'columns say whether they only grow' '.tables[0].columns | map(select(.monotonic).key)' '["exits","discarded","total_ns","hist"]'
jq_is 'hostile names arrive' '.tables[0].rows | map(.vm) | index("a\"b,c\\d\ne\r\n{f=\"g\"} 1\n# EOF") != null' true
jq_is 'control characters too' '.tables[0].rows | map(.vm) | index("\u001b[2J\u001b]0;owned\u0007") != null' true
jq_is 'what is no UTF-8 is replaced' '.tables[0].rows | map(.vm) | map(select(. == "\ufffd\ufffd\ufffd\ufffd")) | length' 2
jq_is 'an idle row has no share of time' '.tables[0].rows[] | select(.idle) | .time_share' null
jq_is 'shares add up' '[.tables[0].rows[].share] | add * 1000 | round' 1000
jq_is 'counts add up to the totals' '.tables[0] | ([.rows[].exits] | add) == .totals.exits' true
jq_is 'totals have no labels' '.tables[0].totals | has("vm") or has("code") or has("idle")' false
jq_is 'buckets are low ≤ v < high, ascending, not empty' \
	'all(.tables[0].rows[].hist; . == sort and all(.[]; .[0] < .[1] and .[2] > 0))' true
jq_is 'buckets count as many as the totals' \
	'.tables[0] | ([.rows[].hist[][2]] | add) == ([.totals.hist[][2]] | add)' true
jq_is 'a range outside the buckets holds no value' \
	'all(.tables[0].rows[]; .max_ns < .hist[-1][1] and .max_ns >= .hist[-1][0])' true

is 'with intervals one object a line' "$(wc -l <"$tmp/lines" | tr -d ' ')" 2
ok 'each is valid' jq -e . "$tmp/lines"
is 'each has its number' "$(jq -c .interval "$tmp/lines" | tr '\n' ' ')" '1 1 '
is 'rows cut off are summed' "$(jq -c '.tables[0] | ([.rows[].exits] | add) + .others.exits == .totals.exits' "$tmp/lines" | sort -u)" true
is 'and counted' "$(jq -c '.tables[0].others.rows' "$tmp/lines" | sort -u)" 4
done_testing
