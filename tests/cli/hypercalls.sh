#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `hvscope hypercalls` on real traces against what others counted: *.counts by hist triggers in the
# same window, *.hypercalls.json by another reader's decoding of each record. HVSCOPE_XEN names
# a folder with more traces of a Xen PV kernel, X.dat beside X.counts.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

command -v jq >/dev/null || skip_all "jq is not installed"

traces=$top_srcdir/tests/traces

report() { # TRACE [OPTION…]
	trace=$1
	shift
	"$HVSCOPE" hypercalls -i "$trace" -f json "$@" >"$tmp/report" 2>"$tmp/err" ||
		sed 's/^/# /' "$tmp/err"
}

figure() { # FILTER
	jq -c "(.tables[] | select(.name == \"hypercalls\")) as \$h |
		(.tables[] | select(.name == \"batches\")) as \$b | $1" "$tmp/report"
}

counted() { # COUNTS EVENT
	awk -v name="$2" '{ sub(/:$/, "", $1) } $1 == name { print $2 }' "$1"
}

xen_counts() { # NAME TRACE COUNTS
	report "$2"
	entries=$(counted "$3" xen_mc_entry)
	is "$1: each entry of a batch is a hypercall" "$(figure '$h.totals.entries')" "$entries"
	is "$1: the entries of the flushes are those entries" "$(figure '$b.totals.entries')" "$entries"
	is "$1: flushes" "$(figure '$b.totals.flushes')" "$(counted "$3" xen_mc_flush)"
	is "$1: sections" "$(figure '$b.totals.sections')" "$(counted "$3" xen_mc_issue)"
	is "$1: flushes are empty, direct or multicalls" \
		"$(figure '$b.totals | .flushes == .empty + .direct + .multicalls')" true
	is "$1: updates are entries and extensions" \
		"$(figure '$b.totals.updates == $h.totals.entries + $h.totals.extended')" true
}

xen_ops() { # NAME TRACE EXPECTED
	report "$2"
	is "$1: entries and extensions of each operation" \
		"$(figure '[$h.rows[] | [.op, .entries, .extended]] | sort')" \
		"$(jq -c '[.ops | to_entries[] | [(.key | tonumber), .value[]]] | sort' "$3")"
	is "$1: kinds of flushes" "$(figure '$b.totals | [.direct, .empty, .multicalls]')" \
		"$(jq -c '.flushes | [.direct, .empty, .multicalls]' "$3")"
	for by in op,comm op,tid op,cpu comm tid,cpu op,comm,tid,cpu; do
		report "$2" --by $by
		is "$1 by $by: nothing is lost or doubled" \
			"$(figure '[$h.totals.entries, $b.totals.entries]')" \
			"$(jq -c '[.entries, .entries]' "$3")"
	done
}

for trace in xen-small.dat xen-small.v6.dat xen-small.zlib.dat; do
	xen_counts "$trace" "$traces/xen/$trace" "$traces/xen/xen-small.counts"
done
xen_counts xen612 "$traces/xen/xen612.dat" "$traces/xen/xen612.counts"
xen_counts domu-pv "$traces/xen/domu-pv/domu.dat" "$traces/xen/domu-pv/counts"
for trace in "${HVSCOPE_XEN:-/nowhere}"/*.dat; do
	[ -f "${trace%.dat}.counts" ] && xen_counts "$(basename "$trace")" "$trace" "${trace%.dat}.counts"
done
xen_ops xen-small "$traces/xen/xen-small.dat" "$traces/xen/xen-small.hypercalls.json"
xen_ops domu-pv "$traces/xen/domu-pv/domu.dat" "$traces/xen/domu-pv/domu.hypercalls.json"
check "what xen:* can't see is said" "$HVSCOPE hypercalls -i $traces/xen/xen-small.dat" 0 \
	'Only batched hypercalls are seen: iret'
check "intervals of the side table begin before it has rows" \
	"$HVSCOPE hypercalls -i $traces/xen/xen-small.dat -f csv --table batches 0.5" 0 '^time,flushes,empty'
check "stacks that nobody recorded" "$HVSCOPE hypercalls --stack -i $traces/xen/xen-small.dat" 0 \
	'^177 hypercalls came without a stack\.'
check "and who could be probed for it" "$HVSCOPE hypercalls -i $traces/xen/xen-small.dat" 0 \
	'calls of xen_send_IPI_one'

# A guest that speaks Hyper-V's interface, and its host: both sides of one window.
hyperv=$traces/guests/hyperv-6.1
report "$hyperv/hv.dat"
for event in hyperv_send_ipi_one hyperv_mmu_flush_tlb_multi; do
	is "Hyper-V guest: $event" \
		"$(jq --arg n $event '.tables[0].rows[] | select(.name == $n) | .entries' "$tmp/report")" \
		"$(counted "$hyperv/counts" $event)"
done
report "$hyperv/l1kvm.dat"
is "its host: flushes are those of the guest" \
	"$(jq '.tables[0].rows[] | select(.interface == "hyperv" and .op == 3) | .entries' "$tmp/report")" \
	"$(counted "$hyperv/counts" hyperv_mmu_flush_tlb_multi)"

# The host of a Xen HVM guest: its hypercalls have Xen's numbers. Each is a VMMCALL exit.
pvhvm=$traces/guests/pvhvm-6.1/host-side.dat
report "$pvhvm"
calls=$(jq '.tables[0].totals.entries' "$tmp/report")
is "Xen on KVM: names by Xen's numbers" \
	"$(jq -c '[.tables[0].rows[] | [.interface, .op, .name]] | sort' "$tmp/report")" \
	'[["xen",24,"vcpu_op"],["xen",29,"sched_op"],["xen",32,"event_channel_op"],["xen",33,"physdev_op"]]'
"$HVSCOPE" exits -i "$pvhvm" -f json --by reason >"$tmp/report"
is "Xen on KVM: hypercalls are the exits by VMMCALL" "$calls" \
	"$(jq '.tables[0].rows[] | select(.code == "0x81") | .exits' "$tmp/report")"

check "a table without rows is not in the way" \
	"$HVSCOPE hypercalls -i $pvhvm" 0 'vcpu_op' 'batches|FLUSHES'
check "a trace without hypercalls says so" "$HVSCOPE hypercalls -i $traces/kvm/6.1-nouirq.dat" 0 \
	'No hypercalls were seen'
check "a trace of another kind names its events" \
	"$HVSCOPE hypercalls -i $traces/arch/s390x-6.12-sched-bigendian.dat" 1 'knows no events of s390x machines; the file has: '
done_testing
