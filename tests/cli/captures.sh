#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `hvscope exits` on real traces against two truths: figures that an independent reader computed
# (expected/X.json), and what the guests counted themselves (X.truth). HVSCOPE_CAPTURES names more
# folders of the same shape, separated by blanks.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

command -v jq >/dev/null || skip_all "jq is not installed"

# What differs between a report and what is expected, a line each; nothing when they agree.
cat >"$tmp/compare.jq" <<'EOF'
def figures: {exits, timed, discarded, unpaired, open, sum_ns: (.sum_ns // .total_ns),
	      min_ns, max_ns, p50_ns, p90_ns, p99_ns};
$want[0] as $e | .tables[] | select(.name == "exits") as $t |
($t.rows | map({key: .code, value: figures}) | from_entries) as $got |
($e.reasons | keys[] | select(($e.reasons[.] | figures) != $got[.]) |
	"\(.): got \($got[.]), want \($e.reasons[.])"),
($got | keys[] | select($e.reasons[.] == null) | "\(.): not expected"),
(("open", "unpaired") | select($t.totals[.] != $e[.]) |
	"totals.\(.): got \($t.totals[.]), want \($e[.])")
EOF
cat >"$tmp/lost.jq" <<'EOF'
$want[0] as $e |
(select(.lost.marks != $e.lost_marks) | "lost.marks: got \(.lost.marks), want \($e.lost_marks)"),
(select(.lost.records < $e.lost_counted) |
	"lost.records: got \(.lost.records), want \($e.lost_counted) at least")
EOF

# Identities that hold in each row and in the totals of any report.
cat >"$tmp/sound.jq" <<'EOF'
.tables[] | select(.name == "exits") | (.rows[], .totals) |
select(.exits != .timed + .discarded + .unpaired + .open), select(.timed > 0 and .min_ns > .max_ns)
EOF

same() { # NAME REPORT EXPECTED
	jq -r --slurpfile want "$3" -f "$tmp/compare.jq" "$2" >"$tmp/differ" 2>&1
	jq -r --slurpfile want "$3" -f "$tmp/lost.jq" "$2" >>"$tmp/differ" 2>&1
	jq -c -f "$tmp/sound.jq" "$2" >>"$tmp/differ" 2>&1
	if [ -s "$2" ] && ! [ -s "$tmp/differ" ]; then
		pass "$1"
	else
		fail "$1"
		head -n 20 "$tmp/differ" | sed 's/^/# /'
	fi
}

# The sum of counters, over all TRUTH lines or those of one thread.
counted() { # TRUTH "COUNTER…" [TID]
	awk -v keys=" $2 " -v tid="$3" '/^TRUTH / {
		if (tid != "" && index($0 " ", " tid=" tid " ") == 0)
			next
		for (i = 2; i <= NF; i++) {
			split($i, pair, "=")
			if (index(keys, " " pair[1] " "))
				sum += pair[2]
		}
	} END { print sum + 0 }' "$1"
}

exits_of() { # REPORT CODE
	jq --arg code "$2" '[.tables[0].rows[] | select(.code == $code) | .exits] | add // 0' "$1"
}

# Which counters of a guest are exits of which code: those that nothing else causes.
exact() { # NAME
	case $1 in
	*lost*) ;;
	arm64-*)
		echo "esr_ec=0x16 hvc_psci hvc_unk"
		echo "esr_ec=0x17 smc"
		echo "esr_ec=0x18 sysreg_r sysreg_w"
		echo "esr_ec=0x1 wfi wfe"
		;;
	riscv64-*)
		echo "scause=0x16 wfi csr_seed"
		;;
	ppc64el-*)
		echo "trap=0xc00 hcall_user hcall_confer cede"
		;;
	*)
		echo "0x72 cpuid"
		echo "0x78 hlt"
		echo "0x7b pio_out pio_in pic_out ioeventfd end_out"
		echo "0x7c rdmsr wrmsr"
		echo "0x81 vmmcall"
		;;
	esac
}

truthful() { # NAME REPORT TRUTH
	exact "$1" | while read -r code counters; do
		got=$(exits_of "$2" "$code")
		want=$(counted "$3" "$counters")
		[ "$got" = "$want" ] || echo "$code ($counters): got $got, want $want"
	done >"$tmp/differ"
	if [ -s "$tmp/differ" ]; then
		fail "$1: exits are what the guests counted"
		sed 's/^/# /' "$tmp/differ"
	else
		pass "$1: exits are what the guests counted"
	fi
}

for dir in "$top_srcdir/tests/traces/kvm" "$top_srcdir/tests/traces/arch" ${HVSCOPE_CAPTURES-}; do
	for expected in "$dir"/expected/*.json; do
		[ -f "$expected" ] || continue
		name=$(basename "$expected" .json)
		if ! [ -f "$dir/$name.dat" ]; then
			fail "$name: there is no $name.dat beside expected/"
			continue
		fi
		check "$name is read" "$HVSCOPE exits -i $dir/$name.dat -f json --by reason" 0
		cp "$tmp/out" "$tmp/report"
		same "$name: rows, totals and losses as expected" "$tmp/report" "$expected"
		[ -f "$dir/$name.truth" ] && truthful "$name" "$tmp/report" "$dir/$name.truth"
	done
done

# Losses: what lies across one is discarded, so no false time is left.
kvm=$top_srcdir/tests/traces/kvm
"$HVSCOPE" exits -i "$kvm/6.1-lost.dat" -f json --by reason >"$tmp/report"
is "6.1-lost: intervals across a loss are discarded" \
	"$(jq .lost.intervals_discarded "$tmp/report")" 331
is "6.1-lost: no npf is longer than it was" \
	"$(jq '[.tables[0].rows[] | select(.reason == "npf") | .max_ns] | max' "$tmp/report")" 13170346
is "6.1-lost: the result says that it is incomplete" "$(jq .lost.complete "$tmp/report")" false

# Each thread has what its guest counted for it.
for name in 6.1-small 6.1-medium 6.1-threads; do
	"$HVSCOPE" exits -i "$kvm/$name.dat" -f json --by tid,reason >"$tmp/report"
	jq -r '.tables[0].rows[] | select(.reason == "cpuid") | "\(.tid) \(.exits)"' "$tmp/report" |
		sort >"$tmp/got"
	sed -n 's/^TRUTH .* tid=\([0-9]*\) .* cpuid=\([0-9]*\) .*/\1 \2/p' "$kvm/$name.truth" |
		sort >"$tmp/want"
	is "$name: cpuid exits of each thread" "$(cat "$tmp/got")" "$(cat "$tmp/want")"
done

# The same exits, whatever they are grouped by.
want=$(jq -c '[.reasons[]] | [(map(.exits) | add), (map(.timed) | add), (map(.sum_ns) | add)]' \
	"$kvm/expected/6.1-medium.json")
for by in vm vm,reason pid vcpu tid comm cpu cpu,reason vm,pid,vcpu,tid,comm,cpu,reason; do
	"$HVSCOPE" exits -i "$kvm/6.1-medium.dat" -f json --by $by >"$tmp/report"
	is "6.1-medium by $by: totals" \
		"$(jq -c '.tables[0].totals | [.exits, .timed, .total_ns]' "$tmp/report")" "$want"
done

# Intervals are a division of the whole: what is counted adds up, a gauge is the last one's.
"$HVSCOPE" exits -i "$kvm/6.1-lost.dat" -f json --by reason 0.05 >"$tmp/intervals"
is "6.1-lost in intervals: all adds up" \
	"$(jq -s -c 'map({lost: .lost.records, marks: .lost.marks,
			  discarded: .lost.intervals_discarded} + (.tables[0].totals |
			{exits, timed, unpaired, total_ns})) as $all |
		($all[0] | keys) | map(. as $key | $all | map(.[$key]) | add)' "$tmp/intervals")" \
	"$(jq -c '.reasons as $r | def sum(f): [$r[] | f] | add;
		[sum(.discarded), sum(.exits), .lost_counted, .lost_marks, sum(.timed),
		 sum(.sum_ns), .unpaired]' "$kvm/expected/6.1-lost.json")"

# Files without what is asked for: other events, another architecture, events that never fired.
traces=$top_srcdir/tests/traces
check "a file without the events names those that it has" \
	"$HVSCOPE exits -i $traces/xen/xen-small.dat" 1 'xen-small.dat has no .*kvm:kvm_exit.*xen:xen_mc'
LC_ALL=C sed 's/riscv64/riscv99/g' "$traces/arch/riscv64-7.2-basic.dat" >"$tmp/riscv99.dat"
check "a file of an architecture without a table says so and names its events" \
	"$HVSCOPE exits -i $tmp/riscv99.dat" 1 'riscv99.*kvm:kvm_exit'
check "a file whose guests never ran is an empty result and a sentence" \
	"$HVSCOPE exits -i $traces/arch/s390x-6.12-sched-bigendian.dat" 0 'No VM exits were seen'

# What people see first: columns that fit a line, all of them with -v.
check "tables leave some columns to -v" "$HVSCOPE exits -i $kvm/6.1-small.dat" 0 'P50 +P99 +MAX' 'CODE|P90'
check "-v shows all" "$HVSCOPE exits -i $kvm/6.1-small.dat -v" 0 'CODE.*OPEN.*P50 +P90 +P99 +MAX'
check "percentiles that were asked for are shown" \
	"$HVSCOPE exits -i $kvm/6.1-small.dat --percentiles 50,90" 0 'P50 +P90 +MAX'
done_testing
