#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `hvscope drivers` and `hvscope callbacks` on traces of real Xen guests and of a dom0, against the
# counters that ran beside them (counts) and against another reader, to the ns (X.calls.json).

. "${top_srcdir:-.}/tests/lib.sh"

command -v jq >/dev/null || skip_all "jq is not installed"

traces=$top_srcdir/tests/traces

report() { # COMMAND TRACE [OPTION…]
	command=$1
	trace=$2
	shift 2
	"$HVSCOPE" "$command" -i "$trace" -f json "$@" >"$tmp/report" 2>"$tmp/err" ||
		sed 's/^/# /' "$tmp/err"
}

figure() { # TABLE FILTER
	jq -c --arg t "$1" "(.tables[] | select(.name == \$t)) as \$t | $2" "$tmp/report"
}

expected() { # NAME FILTER
	jq -c "$2" "$traces/$1.calls.json"
}

counted() { # COUNTS EVENT
	awk -v name="$2" '{ sub(/:$/, "", $1) } $1 == name { print $2 }' "$1"
}

sums='.timed + .discarded + .unpaired + .open'

for name in xen/domu-pv/domu xen/domu-pv/dom0be guests/pvhvm-6.1/domu; do
	report drivers "$traces/$name.roles.dat"
	is "$name: calls by role and the time in them" \
		"$(figure calls '[$t.rows[] | [.role, .calls, .total_ns]] | sort')" \
		"$(expected $name '. as $c | [.calls | keys[] | select(. != "upcall") | [., $c.calls[.], $c.call_ns[.]]]')"
	is "$name: requests by device, and the sum of their latencies" \
		"$(figure requests '[$t.rows[] | [.device, .requests, .timed, .sectors, .total_ns]]')" \
		"$(expected $name '. as $c | [.requests | keys[] | [., $c.requests[.], $c.timed[.], $c.sectors[.], $c.latency_ns[.]]]')"
	is "$name: every request is one thing" \
		"$(figure requests '[$t.rows[] | .requests == .timed + .discarded + .reissued + .empty + .open] | all')" true
	is "$name: the totals are the devices' sums" \
		"$(figure requests '$t.totals.requests == ([$t.rows[].requests] | add)')" true
	is "$name: no device has a name of this machine" "$(figure requests '[$t.rows[].name] | unique')" '[null]'

	report callbacks "$traces/$name.roles.dat" --by op
	is "$name: upcalls and the time in them" \
		"$(figure callbacks '[$t.totals.calls, $t.totals.total_ns]')" \
		"$(expected $name '[.calls.upcall, .call_ns.upcall]')"
	is "$name: each upcall is one thing" "$(figure callbacks "\$t.totals | .calls == $sums")" true
	is "$name: interrupts that they serve, and the time in them" \
		"$(figure interrupts '[$t.rows[] | [(.irq | split(" ")[0]), .calls, .total_ns]] | sort')" \
		"$(expected $name '. as $c | [.interrupts | keys[] | [., $c.interrupts[.], $c.interrupt_ns[.]]] | sort')"
	report callbacks "$traces/$name.roles.dat"
	is "$name: by CPU, nothing is lost or doubled" "$(figure callbacks '$t.totals.calls')" \
		"$(expected $name .calls.upcall)"
done

# The counters of the same window.
for name in xen/domu-pv guests/pvhvm-6.1; do
	counts=$traces/$name/counts
	report drivers "$traces/$name/domu.roles.dat"
	is "$name: requests are the counters'" "$(figure requests '[$t.rows[].requests]')" \
		"[$(counted "$counts" block_rq_issue)]"
	is "$name: calls are the counters'" \
		"$(figure calls '[$t.rows[] | {(.role): .calls}] | add | [.blkfront_interrupt, .blkfront_queue]')" \
		"[$(counted "$counts" blk_intr),$(counted "$counts" blk_queue)]"
	report callbacks "$traces/$name/domu.roles.dat"
	is "$name: upcalls are the counters'" "$(figure callbacks '$t.totals.calls')" \
		"$(counted "$counts" upcall)"
done

# Without probes of ours, requests of any driver are told all the same.
report drivers "$traces/guests/pvhvm-6.1/domu.dat" --hist
is 'other names of probes are no roles' "$(figure calls '$t.rows')" '[]'
is 'requests need none' "$(figure requests '$t.totals.requests')" 80
is 'the histogram has them all' "$(figure requests '[$t.rows[].hist[][2]] | add')" 80
report drivers "$traces/guests/pvhvm-6.1/domu.dat" -C 0
one=$(figure requests '$t.totals.requests // 0')
report drivers "$traces/guests/pvhvm-6.1/domu.dat" -C 1
is '-C: a request belongs to the CPU that issues it' \
	"$((one + $(figure requests '$t.totals.requests // 0')))" 80
check 'an empty table is not in the way of others' \
	"'$HVSCOPE' drivers -i '$traces/guests/pvhvm-6.1/domu.dat'" 0 202:16 'ROLE|Looked for'

# Formats.
pv=$traces/xen/domu-pv/domu.roles.dat
for table in calls requests network; do
	check "CSV of $table" "'$HVSCOPE' drivers -i '$pv' -f csv --table $table" 0 '^(role|device),'
done
check 'intervals' "'$HVSCOPE' callbacks -i '$pv' -f csv 5" 0 '^time,cpu,role,calls'
is 'the intervals add up' \
	"$("$HVSCOPE" callbacks -i "$pv" -f json 1 | jq -s '[.[].tables[0].rows[].calls] | add')" \
	"$(counted "$traces/xen/domu-pv/counts" upcall)"
check 'metrics' "'$HVSCOPE' drivers -i '$pv' -f openmetrics" 0 \
	'^hvscope_block_requests_total\{device="202:16"\} 302'
check 'metrics of upcalls' "'$HVSCOPE' callbacks -i '$pv' -f prometheus" 0 \
	'^hvscope_upcalls_total\{cpu="0",role="upcall"\} 694'

# What isn't there.
check 'a trace without upcalls names its events' "'$HVSCOPE' callbacks -i '$traces/kvm/6.1-small.dat'" \
	1 'no events for hvscope callbacks .upcall'
check 'a trace without requests, too' "'$HVSCOPE' drivers -i '$traces/xen/xen-small.dat'" 1 \
	'no events for hvscope drivers .block:block_rq_issue'
done_testing
