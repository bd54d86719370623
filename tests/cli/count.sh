#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Counts of events in real traces: equal to what hist triggers and the recorder counted in the same
# window, whatever the file's version, order of keys, pattern or interval; and sentences about what
# isn't there. Live counts are tested where the number of calls is known.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

command -v jq >/dev/null || skip_all "jq is not installed"
traces=$top_srcdir/tests/traces
count="$HVSCOPE count"
xen=$traces/xen/xen-small.dat

# Lines "event count" of the CSV in out, with the system's name taken off.
rows() {
	sed 1d "$tmp/out" | tr -d '\r' | awk -F, '{ sub(/^[^:]*:/, "", $1); print $1, $2 }' | sort
}

# Lines "event: count" of a file of counts, likewise.
truth() {
	tr -d : <"$1" | sort
}

# --- Truth ---

for file in xen-small.dat xen-small.none.dat xen-small.zlib.dat xen-small.v6.dat; do
	check "$file" "$count -i $traces/xen/$file 't:xen:*' -f csv -q" 0
	rows >"$tmp/got"
	truth "$traces/xen/xen-small.counts" >"$tmp/want"
	ok "$file: as the hist triggers counted" diff "$tmp/want" "$tmp/got"
done
check "a PV guest, all its events" "$count -i $traces/xen/domu-pv/domu.dat '*:*' -f csv -q" 0
rows >"$tmp/got"
truth "$traces/xen/domu-pv/counts" >"$tmp/want"
ok "as counted in the guest" diff "$tmp/want" "$tmp/got"

# --- Patterns ---

entries=$(sed -n 's/^xen_mc_entry: //p' "$traces/xen/xen-small.counts")
flushes=$(sed -n 's/^xen_mc_flush: //p' "$traces/xen/xen-small.counts")
sum() {
	awk -v pattern="$1" -F': ' '$1 ~ pattern { n += $2 } END { print n }' "$traces/xen/xen-small.counts"
}
total() {
	"$HVSCOPE" count -i "$xen" "$@" -f json -q | jq '.tables[0].totals.count // 0'
}
is "one by name" "$(total xen:xen_mc_entry)" "$entries"
is "with t:" "$(total t:xen:xen_mc_entry)" "$entries"
is "two" "$(total xen:xen_mc_entry xen:xen_mc_flush)" $((entries + flushes))
is "a glob" "$(total 'xen:xen_mc_*')" "$(sum '^xen_mc_')"
is "a glob with brackets" "$(total 'xen:xen_mmu_set_p[mu]d')" "$(sum '^xen_mmu_set_p[mu]d$')"
is "a regular expression" "$(total '/^xen:xen_mc_(entry|flush)$/')" $((entries + flushes))
is "which is not anchored" "$(total 't:/mmu_set/')" "$(sum mmu_set)"
is "overlapping ones count once" "$(total 'xen:*' xen:xen_mc_entry)" "$(sum .)"
is "an event that is named twice" "$(total xen:xen_mc_entry xen:xen_mc_entry)" "$entries"

# --- Keys ---

check "by CPU" "$count -i $xen 'xen:*' --by cpu -f json -q" 0
is "adds up" "$(jq '[.tables[0].rows[].count] | add' "$tmp/out")" "$(sum .)"
if command -v trace-cmd >/dev/null; then
	trace-cmd report -i "$xen" 2>/dev/null | sed -n 's/^ *\(.*\)-\([0-9]*\) *\[\([0-9]*\)\].*/\1 \2 \3/p' >"$tmp/report"
	for key in comm:1 tid:2 cpu:3; do
		check "--by ${key%:*}" "$count -i $xen 'xen:*' --by ${key%:*} -f csv -q" 0
		sed 1d "$tmp/out" | tr -d '\r' | cut -d, -f1,2 | tr , ' ' | sort >"$tmp/got"
		# The idle threads have one name for each CPU and are called <idle> there.
		awk -v n="${key#*:}" '{ key = $n + 0 == $n && n > 1 ? $n + 0 : $n
			if (n == 1 && $1 == "<idle>") key = "swapper/" $3 + 0
			count[key]++ } END { for (k in count) print k, count[k] }' "$tmp/report" | sort >"$tmp/want"
		ok "--by ${key%:*}: as trace-cmd report has them" diff "$tmp/want" "$tmp/got"
	done
else
	skip "keys" "trace-cmd is not installed"
fi
check "JSON has the keys that funccount's users look for" "$count -i $xen xen:xen_mc_entry -f json" 0
is "event, count, rate" "$(jq -c '.tables[0].rows[0] | keys_unsorted' "$tmp/out")" '["event","count","rate"]'
is "the rate is by the span" "$(jq '.tables[0].rows[0].rate * .span_ns / 1e9 | round' "$tmp/out")" "$entries"

# --- Intervals and limits ---

check "intervals" "$count -i $xen 'xen:*' 100ms -f json -q" 0
ok "are several" [ "$(wc -l <"$tmp/out")" -gt 5 ]
is "and add up to the whole" "$(jq -s '[.[].tables[0].rows[].count] | add' "$tmp/out")" "$(sum .)"
check "-n" "$count -i $xen 'xen:*' -n 2 -q" 0 "^\(17 others\)"
is "shows so many, the most frequent first" "$(sed -n '2,3s/ .*//p' "$tmp/out" | tr '\n' ' ')" \
	"xen:xen_mmu_set_pte xen:xen_mc_flush "
check "-C" "$count -i $xen 'xen:*' -C 0 -f json -q" 0
zero=$(jq '.tables[0].totals.count' "$tmp/out")
check "-C with none that there is" "$count -i $xen 'xen:*' -C 7-9" 1 "-C names none of the CPUs that there are: 0 to 1"
check "-C" "$count -i $xen 'xen:*' -C 1 -f json -q" 0
is "the CPUs add up" $((zero + $(jq '.tables[0].totals.count' "$tmp/out"))) "$(sum .)"

# --- What isn't there ---

check "no event" "$count -i $xen" 2 "^hvscope: which events"
check "a misspelt one" "$count -i $xen xen:xen_mc_flushh" 1 "did you mean 'xen:xen_mc_flush'\?$"
check "a pattern that nothing matches" "$count -i $xen 'kvm:*'" 1 "^hvscope: no event of the file matches 'kvm:\*'$"
check "a bad regular expression" "$count -i $xen '/(/'" 2 "^hvscope: event '/\(/': "
check "no tracepoint" "$count -i $xen t:xen" 2 "a tracepoint is SYSTEM:EVENT"
check "a key that it hasn't" "$count -i $xen 'xen:*' --by reason" 2 "no key"
check "a filter is for live counts" "$count -i $xen 'xen:*' --filter 'a == 1'" 2 "live tracing"
check "a filter belongs behind its event" "$count --filter 'a == 1' 'xen:*'" 2 "behind the event"
check "one filter for an event" "$count 'xen:*' --filter 'a == 1' --filter 'b == 2'" 2 \
	"^hvscope: --filter: 'xen:\*' has one already; join them by &&$"
check "an empty filter" "$count 'xen:*' --filter ''" 2 "^hvscope: --filter: the EXPR is empty$"
check "descendants of nobody" "$count 'xen:*' --children" 2 "^hvscope: --children: of whom\? -p PID is missing$"
check "descendants in a file" "$count -i $xen 'xen:*' --children" 2 "^hvscope: --children is for live tracing"
check "an event that did not happen" "$count -i $traces/kvm/6.1-small.dat kvm:kvm_hv_hypercall" 0 \
	"^None of the events happened\.$"

# --- Functions, in a recorded tree: nothing is traced there ---

mkdir -p "$tmp/root/proc" "$tmp/root/sys/kernel/tracing/events"
echo "tracefs /sys/kernel/tracing tracefs rw 0 0" >"$tmp/root/proc/mounts"
: >"$tmp/root/sys/kernel/tracing/available_events"
awk 'BEGIN { for (i = 0; i < 501; i++) printf "ffffffff81%06x T many_%03d\n", i * 16, i }' >"$tmp/root/proc/kallsyms"
dry="$count --root $tmp/root --dry-run"
check "functions by glob" "$dry 'many_00*'" 0 "^probe p:hvscope_PID_RANDOM/p_many_009 many_009"
is "one probe for each" "$(grep -c '^probe ' "$tmp/out")" 10
check "more than can be probed at once" "$dry 'many_*'" 1 \
	"'many_\*' matches 501 functions, and at most 500 are probed at once"
check "a function that isn't there" "$dry many_0011" 1 "did you mean 'many_001'\?$"
printf 'ffffffffc0000%03x t %s\t[%s]\n' 256 same one 512 same two 768 many_one one 1024 own one \
	>>"$tmp/root/proc/kallsyms"
check "a function of a module" "$dry p:one/same+4" 0 "p_same one:same\+4$"
check "by glob, in that module alone" "$dry 'r:one/*'" 0 "r_many_one one:many_one$" "many_0|two"
is "all that it has" "$(grep -c '^probe ' "$tmp/out")" 3
check "a function of another module" "$dry p:two/own" 1 "^hvscope: no function matches 'p:two/own'$"
check "a misspelt one of a module" "$dry p:one/owm" 1 "did you mean 'own'\?$"
printf 'x:a\nx:b\ny:c\n' >"$tmp/root/sys/kernel/tracing/available_events"
check "an event that two patterns name" "$dry 'x:*' x:a" 0 "^event x:a"
is "is taken once" "$(grep -c '^event x:' "$tmp/out")" 2
check "with another filter" "$dry 'x:*' x:a --filter 'n == 1'" 2 \
	"^hvscope: 'x:a' is named twice, with different filters$"
check "with the same one" "$dry x:a --filter 'n == 1' 'x:a' --filter 'n == 1'" 0 "^event x:a"
check "returns" "$dry 'r:many_001'" 0 "^probe r[0-9]*:hvscope_PID_RANDOM/r_many_001 many_001"
check "with arguments" "$dry 'p:many_001 n=\$arg1'" 0 "p_many_001 many_001 n=.arg1"
done_testing
