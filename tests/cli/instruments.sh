#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The general instruments on real traces: trace, argdist and stackcount against what trace-cmd
# report prints of the same file, and against counts of hist triggers.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

command -v jq >/dev/null || skip_all "jq is not installed"

xen=$top_srcdir/tests/traces/xen/xen-small.dat
sched=$top_srcdir/tests/traces/arch/s390x-6.12-sched-bigendian.dat

# --- trace ---

check "trace prints lines" "$HVSCOPE trace 'xen:*' -i $xen" 0 "^ *TIME +CPU +COMM +TID +EVENT +TEXT$"
is "with one header" "$(grep -c TIME "$tmp/out")" 1
"$HVSCOPE" trace 'xen:*' -i "$xen" -f json >"$tmp/lines"
is "each event has as many lines as its hist trigger counted" \
	"$(jq -r '.event | ltrimstr("xen:")' "$tmp/lines" | sort | uniq -c |
		awk '{ print $2 ": " $1 }' | sort)" "$(sort "$top_srcdir/tests/traces/xen/xen-small.counts")"
is "they are in the order of time" \
	"$(jq .time_ns "$tmp/lines" | awk '$1 < last { print "not" } { last = $1 }')" ""
is "csv has a header and as many records" "$("$HVSCOPE" trace 'xen:*' -i "$xen" -f csv | wc -l)" \
	$(($(wc -l <"$tmp/lines") + 1))
check "-n ends it" "$HVSCOPE trace 'xen:*' -i $xen -n 3 -f json" 0
is "after so many" "$(jq -s length "$tmp/out")" 3
is "which are the first" "$(cat "$tmp/out")" "$(head -n 3 "$tmp/lines")"
check "a format" \
	"$HVSCOPE trace xen:xen_mc_flush -i $xen -n 1 --format '{{{mcidx}}} {argidx:x}\\t{common_pid}' -f json" 0
is "has fields of the event" "$(jq -r .text "$tmp/out")" "{$(jq -r 'select(.event == "xen:xen_mc_flush") |
	.text' "$tmp/lines" | head -n 1 | awk '{ printf "%d} 0x%x\t", $2, $4 }')$(jq -r \
	'select(.event == "xen:xen_mc_flush") | .tid' "$tmp/lines" | head -n 1)"
check "lines without a reader" \
	"{ $HVSCOPE trace 'xen:*' -i $xen; echo status \$? >&3; } 3>&2 | head -n 1 >/dev/null" 0 \
	"^status 1$" "hvscope:"

# What trace-cmd prints of a file, as "time|cpu|tid|event|text".
reported() {
	trace-cmd report -t -N -i "$1" 2>/dev/null | sed -E \
		's/^ *(.*)-([0-9]+) +\[0*([0-9]+)\] +([0-9]+)\.([0-9]+): +([a-z0-9_]+): +(\[FAILED TO PARSE\] ?)?(.*)$/\4\5|\3|\2|\6|\8/; s/ +$//'
}

if command -v trace-cmd >/dev/null; then
	reported "$xen" | grep '|xen_' >"$tmp/want"
	jq -r '[.time_ns, .cpu, .tid,
		(.event | ltrimstr("xen:")), .text] | map(tostring) | join("|")' "$tmp/lines" >"$tmp/got"
	ok "trace-cmd report has thousands of lines" [ "$(wc -l <"$tmp/want")" -gt 1500 ]
	ok "and trace the same: times, CPUs, threads, events, texts" cmp "$tmp/want" "$tmp/got"
else
	skip "trace against trace-cmd report" "trace-cmd is not installed"
fi

# --- argdist ---

argdist="$HVSCOPE argdist xen:xen_mc_flush -i $xen -f json"

# "VALUE COUNT" by value
values() {
	jq -r '.tables[0].rows[] | "\(.value) \(.count)"' | sort -n
}

# Likewise of trace-cmd's text, by an expression of awk over the number of hypercalls.
flushed() {
	trace-cmd report -N -i "$xen" 2>/dev/null | sed -n 's/.* flushing \([0-9]*\) hypercalls.*/\1/p' |
		awk "{ n[$1]++ } END { for (v in n) print v, n[v] }" | sort -n
}

if command -v trace-cmd >/dev/null; then
	is "values of a field" "$($argdist -E mcidx | values)" "$(flushed '$1')"
	is "arithmetic" "$($argdist -E '(mcidx + 3) * 2 % 7' | values)" "$(flushed '($1 + 3) * 2 % 7')"
	is "negative results" "$($argdist -E 'mcidx - 5' | values)" "$(flushed '$1 - 5')"
	is "they may be in their order" \
		"$($argdist -E 'mcidx - 5' --sort value | jq -r '.tables[0].rows[] | "\(.value) \(.count)"')" \
		"$(flushed '$1 - 5')"
	is "ranges, too, and downwards" \
		"$($argdist -E mcidx --linear 4 --sort -value | jq -r '.tables[0].rows[].value')" \
		"$(flushed 'int($1 / 4) * 4' | awk '{ print "[" $1 ", " $1 + 4 ")" }' | sed '1!G;h;$!d')"
	is "comparisons" "$($argdist -E 'mcidx > 1 && mcidx < 10' | values)" \
		"$(flushed '($1 > 1 && $1 < 10)')"
	is "ranges" "$($argdist -E mcidx --linear 4 | jq -r '.tables[0].rows[] |
		"\(.value) \(.count)"')" "$(flushed 'int($1 / 4) * 4' |
		awk '{ print "[" $1 ", " $1 + 4 ") " $2 }')"
	$argdist -E mcidx -H >"$tmp/out"
	is "a histogram's figures" "$(jq -c '.tables[0].rows[0] | [.count, .total, .min, .max]' "$tmp/out")" \
		"$(flushed '$1' | awk 'NR == 1 { min = $1 } { n += $2; sum += $1 * $2; max = $1 }
			END { printf "[%d,%d,%d,%d]\n", n, sum, min, max }')"
	is "and its buckets" "$(jq -r '.tables[0].rows[0].hist[] | "\(.[0]) \(.[2])"' "$tmp/out")" \
		"$(flushed '$1')"
	trace-cmd report -N -i "$sched" 2>/dev/null |
		sed -n -E 's/.*sched_switch: +([^ ]+):[0-9]+ \[.*/\1/p' | sort | uniq -c |
		awk '{ print $2, $1 }' | sort >"$tmp/want"
	"$HVSCOPE" argdist sched:sched_switch -i "$sched" -E prev_comm -f json | values | sort >"$tmp/got"
	if [ -s "$tmp/want" ]; then
		ok "texts, of a big-endian machine" cmp "$tmp/want" "$tmp/got"
	else
		skip "texts" "trace-cmd prints sched_switch in another way"
	fi
else
	skip "argdist against trace-cmd report" "trace-cmd is not installed"
fi
is "intervals add up" "$($argdist -E mcidx 0.1 | jq -r '.tables[0].rows[] | "\(.value) \(.count)"' |
	awk '{ n[$1] += $2 } END { for (v in n) print v, n[v] }' | sort -n)" "$($argdist -E mcidx | values)"
is "by thread: the same sum" "$($argdist -E mcidx --by tid | jq .tables[0].totals.count)" \
	"$(sed -n 's/^xen_mc_flush: //p' "$top_srcdir/tests/traces/xen/xen-small.counts")"
check "a value that isn't there is told" "$HVSCOPE argdist xen:xen_mc_flush -i $xen -E '1 / mcidx'" 0 \
	"^80 records had no value of the expression\.$"
check "people see a histogram" "$HVSCOPE argdist xen:xen_mc_flush -i $xen -E mcidx -H" 0 \
	"^ *value +: count +distribution$"
check "metrics of values" "$HVSCOPE argdist xen:xen_mc_flush -i $xen -E mcidx -f openmetrics" 0 \
	'^hvscope_values_total\{event="xen:xen_mc_flush",value="0"\} 80$'

# Elements of an array: the third argument of each system call, as trace-cmd prints them all.
calls=$top_srcdir/tests/traces/stacks/6.1-write.dat
if command -v trace-cmd >/dev/null; then
	trace-cmd report -N -i "$calls" 2>/dev/null | sed -n 's/.* NR \([0-9]*\) (\(.*\))$/\1, \2/p' \
		>"$tmp/args"
	ok "trace-cmd reports system calls and their arguments" [ "$(wc -l <"$tmp/args")" -gt 50 ]
	is "trace has them all" \
		"$("$HVSCOPE" trace raw_syscalls:sys_enter -i "$calls" -q -f json --format \
			'{id}, {args[0]:x}, {args[1]:x}, {args[2]:x}, {args[3]}, {args[4]}, {args[5]}' |
			jq -r .text | sed 's/0x//g')" "$(cat "$tmp/args")"
	is "and in decimal" \
		"$("$HVSCOPE" trace raw_syscalls:sys_enter -i "$calls" -q -f json --format '{args[1]:d}' |
			jq -r .text)" "$(cut -d ' ' -f 3 "$tmp/args" | while read -r arg; do
				echo $((0x${arg%,})); done)"
	is "argdist counts one of them" \
		"$("$HVSCOPE" argdist raw_syscalls:sys_enter -i "$calls" -f json -E 'args[2] + id' | values)" \
		"$(while IFS=', ' read -r id _ _ third _; do echo $((id + 0x$third)); done <"$tmp/args" |
			sort -n | uniq -c | awk '{ print $2, $1 }')"
else
	skip "elements of arrays" "trace-cmd is not installed"
fi

# --- stackcount ---

is "a record without a stack is shown in flame graphs" \
	"$("$HVSCOPE" stackcount xen:xen_mc_flush -i "$xen" -f folded -q)" "[no stack] 173"
check "a file without stacks is told" "$HVSCOPE stackcount xen:xen_mc_flush -i $xen" 0 \
	"^173 records came without a stack\.$"

"$HVSCOPE" stackcount xen:xen_mc_flush -i "$xen" -f json 0.1 >"$tmp/out"
is "its intervals add up, too" "$(jq -s 'map(.tables[0].rows[].count) | add' "$tmp/out")" 173

stacks=$top_srcdir/tests/traces/stacks/6.1-write.dat
check "stacks of a file are by function" "$HVSCOPE stackcount raw_syscalls:sys_enter -i $stacks -f folded" 0
is "outermost first" "$(cat "$tmp/out")" \
	"entry_SYSCALL_64_after_hwframe;do_syscall_64;syscall_trace_enter.constprop.0;trace_event_raw_event_sys_enter 93"
if command -v trace-cmd >/dev/null; then
	# It prints eight functions, 0x0 where there are fewer.
	is "they are those that trace-cmd reports" "$(cat "$tmp/out")" \
		"$(trace-cmd report -N -i "$stacks" 2>/dev/null | awk '
			function add(name) { if (name != "0x0") stack = name (stack == "" ? "" : ";") stack }
			function flush() { if (stack != "") print stack; stack = "" }
			/^[ \t]*=> / { add($2); next }
			{ flush() }
			/ kernel_stack: / { add($NF) }
			END { flush() }' | sort | uniq -c | awk '{ print $2, $1 }')"
else
	skip "stacks against trace-cmd report" "trace-cmd is not installed"
fi
check "people see them below each count" "$HVSCOPE stackcount raw_syscalls:sys_enter -i $stacks --by comm" 0 \
	"^dd +92 "
is "innermost first" "$(sed -n '/^dd/{n;p;}' "$tmp/out")" "    trace_event_raw_event_sys_enter"
check "with -v where in functions" "$HVSCOPE stackcount raw_syscalls:sys_enter -i $stacks -v" 0 \
	"^    do_syscall_64\+0x[0-9a-f]+$"
check "lines have their stacks" "$HVSCOPE trace raw_syscalls:sys_enter -i $stacks --stack -f json -q" 0
is "each its own" "$(jq -c '.stack | [length, .[-1]]' "$tmp/out" | sort | uniq -c | tr -s ' ')" \
	' 93 [4,"trace_event_raw_event_sys_enter"]'
check "--strict tells that the file has losses" \
	"$HVSCOPE trace raw_syscalls:sys_enter -i $stacks --strict -f csv" 3 "^hvscope: lost: "

# --- Refusals, before anything is read ---

check "a misspelt field lists those that there are" "$HVSCOPE argdist xen:xen_mc_flush -i $xen -E mcix" 2 \
	"^hvscope: xen:xen_mc_flush has no field mcix; it has: mcidx, argidx, cbidx$"
check "also in a format" "$HVSCOPE trace xen:xen_mc_flush -i $xen --format '{mcix}'" 2 \
	"^hvscope: xen:xen_mc_flush has no field mcix; it has: mcidx"
check "one of several events lacks it" "$HVSCOPE argdist 'xen:*' -i $xen -E mcidx" 2 "has no field mcidx; it has: "
check "no expression" "$HVSCOPE argdist xen:xen_mc_flush -i $xen" 2 "^hvscope: .*-E EXPR is missing"
check "no good one" "$HVSCOPE argdist xen:xen_mc_flush -i $xen -E 'mcidx +'" 2 "^hvscope: expression 'mcidx \+'"
check "an array" "$HVSCOPE argdist xen:xen_mc_entry -i $xen -E args" 2 \
	"args is an array, 'unsigned long\[6\]': name an element of it, as args\[0\]"
check "an element that it hasn't" "$HVSCOPE argdist xen:xen_mc_entry -i $xen -E 'args[6]'" 2 \
	"xen:xen_mc_entry: args has 6 elements, args\[0\] to args\[5\]"
check "also in a format" "$HVSCOPE trace xen:xen_mc_entry -i $xen --format '{args[0x]}'" 2 \
	"args\[0x\]: an element is NAME\[NUMBER\]"
check "a conversion that there isn't" "$HVSCOPE trace xen:xen_mc_entry -i $xen --format '{nargs:q}'" 2 \
	"it is \{NAME\}, \{NAME:x\} or \{NAME:d\}"
check "arithmetic with a text" "$HVSCOPE argdist sched:sched_switch -i $sched -E 'prev_comm + 1'" 2 \
	"prev_comm is a text"
check "the latency of what isn't a function" "$HVSCOPE argdist xen:xen_mc_flush -i $xen -E '\$latency'" 2 \
	"xen:xen_mc_flush has no \\\$latency"
check "nor has it a result" "$HVSCOPE trace xen:xen_mc_flush -i $xen --format '{\$retval}'" 2 "returns nothing"
check "another \$name" "$HVSCOPE argdist xen:xen_mc_flush -i $xen -E '\$foo'" 2 "there is no \\\$foo"
check "a brace alone" "$HVSCOPE trace xen:xen_mc_flush -i $xen --format 'a } b'" 2 "'}' stands alone"
check "two kinds of histograms" "$HVSCOPE argdist xen:xen_mc_flush -i $xen -E mcidx -H --linear 2" 2 "one of them"
check "metrics of lines" "$HVSCOPE trace xen:xen_mc_flush -i $xen -f prometheus" 2 "prints events one by one"
check "a tree" "$HVSCOPE stackcount raw_syscalls:sys_enter -i $stacks -f tree" 0 "^ +93  100.0%  entry_SYSCALL_64_after_hwframe$"
is "has the functions from the outermost on" "$(sed -n 's/^ \{14,\}//p' "$tmp/out" | tr '\n' ' ')" \
	"do_syscall_64 syscall_trace_enter.constprop.0 trace_event_raw_event_sys_enter "
ok "and what was lost below it" grep -q "^Lost: " "$tmp/out"
check "a tree without stacks" "$HVSCOPE count 'xen:*' -i $xen -f tree" 2 "is for stacks"
check "folded without counts" "$HVSCOPE trace xen:xen_mc_flush -i $xen -f folded" 2 "is for stacks"
check "groups of lines" "$HVSCOPE trace xen:xen_mc_flush -i $xen --by cpu" 2 "has no option --by"
check "an interval of lines" "$HVSCOPE trace xen:xen_mc_flush -i $xen 1" 2 "'1' is no event, and hvscope trace takes no INTERVAL"
check "an event that the file hasn't" "$HVSCOPE trace xen:xen_mc_flash -i $xen" 1 "did you mean 'xen:xen_mc_flush'"
done_testing
