#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `hvscope steal` on recorded and on broken /proc/stat: the tree changes while hvscope runs a command
# that changes it, so that both samples are known to the tick. And the steal clock's differences in
# real guests' traces, against another reader's (X.calls.json).

. "${top_srcdir:-.}/tests/lib.sh"

command -v jq >/dev/null || skip_all "jq is not installed"

roots=$top_srcdir/tests/roots/steal
traces=$top_srcdir/tests/traces
tick=$((1000000000 / $(getconf CLK_TCK)))

# A tree whose /proc/stat is the file $1, and will be $2.
tree() {
	rm -rf "$tmp/root"
	mkdir -p "$tmp/root/proc"
	cp "$1" "$tmp/root/proc/stat"
	cp "$2" "$tmp/root/next"
}

steal() { # [OPTION…]
	"$HVSCOPE" steal --root "$tmp/root" -f json "$@" \
		-- mv "$tmp/root/next" "$tmp/root/proc/stat" >"$tmp/report" 2>"$tmp/err" ||
		sed 's/^/# /' "$tmp/err"
}

figure() { # FILTER
	jq -c '.tables[0] as $t | '"$1" "$tmp/report"
}

# [cpu, stolen, user, system, idle] of each CPU by the texts alone.
difference() { # BEFORE AFTER
	awk -v tick="$tick" '
		!/^cpu[0-9]/ { next }
		FNR == NR { for (i = 2; i <= NF; i++) last[$1, i] = $i; next }
		{
			for (i = 2; i <= NF; i++)
				d[i] = ($i - last[$1, i]) * tick
			printf "%s[%d,%.0f,%.0f,%.0f,%.0f]", n++ ? "," : "[", substr($1, 4), d[9],
				d[2] + d[3], d[4] + d[7] + d[8], d[5] + d[6]
		}
		END { print "]" }' "$1" "$2"
}

for pair in "idle0 idle1" "idle0 busy1" "busy0 busy1"; do
	set -- $pair
	tree "$roots/$1/proc/stat" "$roots/$2/proc/stat"
	steal
	is "$1 to $2: each CPU's time" \
		"$(figure '[$t.rows[] | [.cpu, .steal_ns, .user_ns, .system_ns, .idle_ns]]')" \
		"$(difference "$roots/$1/proc/stat" "$roots/$2/proc/stat")"
done
is 'the total is their sum' \
	"$(figure '$t.totals.steal_ns == ([$t.rows[].steal_ns] | add)')" true
is 'shares are of the accounted time' \
	"$(figure '[$t.rows[] | (.steal - .steal_ns / .total_ns) | fabs < 1e-5] | all')" true
is 'four busy CPUs on one had most of it stolen' "$(figure '$t.totals.steal > 0.75')" true
is 'the source is no trace' "$(figure '[.source.kind, .source.clock, .records, .lost]')" \
	'["proc",null,null,null]'
is 'nothing of this machine stands in a report on a recorded one' \
	"$(figure '[.host, .source.kernel, .source.machine]')" '[null,null,null]'

tree "$roots/busy0/proc/stat" "$roots/busy1/proc/stat"
steal -C 1,3
is '-C: only these CPUs' "$(figure '[$t.rows[].cpu]')" '[1,3]'
tree "$roots/busy0/proc/stat" "$roots/busy1/proc/stat"
steal -v
is '-v: since boot' \
	"$(jq '.tables[] | select(.name == "boot").rows[] | select(.cpu == 0).steal_ns' "$tmp/report")" \
	"$(awk -v tick="$tick" '$1 == "cpu0" { printf "%.0f\n", $9 * tick }' "$roots/busy1/proc/stat")"

# What isn't as it should be.
tree "$roots/busy1/proc/stat" "$roots/busy0/proc/stat"
steal
is 'counters that run backwards stand still' "$(figure '$t.totals.steal_ns')" 0
check 'and are told of' "jq -r '.notes[]' '$tmp/report'" 0 '^Counters of /proc/stat ran backwards [0-9]+ times;'

sed '/^cpu3/d' "$roots/busy1/proc/stat" >"$tmp/gone"
tree "$roots/busy0/proc/stat" "$tmp/gone"
steal
is 'a CPU that went has no difference' "$(figure '[$t.rows[].cpu]')" '[0,1,2]'
check 'its going is told' "jq -r '.notes[]' '$tmp/report'" 0 '^CPUs went offline 1 time and'
sed '/^cpu3/d' "$roots/busy0/proc/stat" >"$tmp/before"
tree "$tmp/before" "$roots/busy1/proc/stat"
steal
is 'nor has one that came' "$(figure '[$t.rows[].cpu]')" '[0,1,2]'

for n in 0 1; do
	sed 's/^\(cpu[0-9]*\( *[0-9]*\)\{7\}\).*/\1/' "$roots/busy$n/proc/stat" >"$tmp/old$n"
done
tree "$tmp/old0" "$tmp/old1"
steal
is 'a kernel without steal column: unknown, not zero' \
	"$(figure '[$t.rows[0].steal_ns, $t.rows[0].steal]')" '[null,null]'
check 'which is said' "jq -r '.notes[]' '$tmp/report'" 0 'has no steal column'

printf 'cpu0 100 50 0 1000 0 0 0 0 0 0\n' >"$tmp/host0"
printf 'cpu0 180 70 0 1000 0 0 0 0 60 20\n' >"$tmp/host1"
tree "$tmp/host0" "$tmp/host1"
steal
is "guests' time is in user and nice: it is counted once" \
	"$(figure "[\$t.rows[0] | .user_ns, .guest_ns, .total_ns | . / $tick]")" '[20,80,100]'

tree "$roots/idle0/proc/stat" "$roots/idle0/proc/stat"
check 'a /proc/stat that stands still' "'$HVSCOPE' steal --root '$tmp/root' 0.6 1" 0 \
	'less than 75 % of the time'
printf 'vendor_id : GenuineIntel\nflags : fpu vmx lahf_lm\n' >"$tmp/root/proc/cpuinfo"
check 'not a guest: zeros, and why' "'$HVSCOPE' steal --root '$tmp/root' 0.1 1" 0 \
	'Nothing can be stolen: this machine is no guest \(bare metal\)'
printf 'flags : fpu hypervisor\nvendor_id : GenuineIntel\n' >"$tmp/root/proc/cpuinfo"
check 'a guest: just zeros' "'$HVSCOPE' steal --root '$tmp/root' -d 100ms" 0 '0ns' 'Nothing can be'

: >"$tmp/root/proc/stat"
check 'an empty /proc/stat' "'$HVSCOPE' steal --root '$tmp/root' 0.1 1" 1 \
	'^hvscope: /proc/stat has no line of a CPU'
printf 'cpu0 1 2 x\n' >"$tmp/root/proc/stat"
check 'a damaged one' "'$HVSCOPE' steal --root '$tmp/root' 0.1 1" 1 \
	'^hvscope: /proc/stat has a cpu line that makes no sense'
rm "$tmp/root/proc/stat"
check 'none' "'$HVSCOPE' steal --root '$tmp/root' 0.1 1" 1 "^hvscope: can't read /proc/stat"
cp "$roots/idle0/proc/stat" "$tmp/root/proc/stat"
check 'one that vanishes meanwhile' \
	"'$HVSCOPE' steal --root '$tmp/root' -- rm '$tmp/root/proc/stat'" 125 "^hvscope: can't read /proc/stat"

# Intervals and formats, on this machine.
is 'an object for each interval' "$("$HVSCOPE" steal -f json 0.1 3 | jq -c .interval | tr '\n' ' ')" \
	'1 2 3 '
check 'CSV' "'$HVSCOPE' steal -f csv 0.1 2" 0 '^time,cpu,steal_ns,steal,user,system,idle,guest'
check 'rows in the order of a column' "'$HVSCOPE' steal --sort steal_ns -d 50ms" 0 STOLEN
check 'one of its tables' "'$HVSCOPE' steal -v --table boot -f csv -d 50ms" 0 '^cpu,steal_ns,steal,'
check 'none that it has not' "'$HVSCOPE' steal --table slices -f csv -d 50ms" 2 "no table 'slices' here; there is steal"
check 'CPUs that are not there' "'$HVSCOPE' steal -C 4000 -d 50ms" 0 'No CPU that was asked for was in two'
check 'metrics' "'$HVSCOPE' steal -f openmetrics -d 100ms" 0 '^hvscope_cpu_steal_seconds_total\{cpu="0"\}'
check 'a COUNT of nothing' "'$HVSCOPE' steal 1 0" 2
check "the command's status" "'$HVSCOPE' steal -- sh -c 'exit 7'" 7 STOLEN
check '--dry-run' "'$HVSCOPE' steal --dry-run" 0 'read /proc/stat, nothing is touched'

if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null &&
	setpriv --reuid 65534 --clear-groups test -x "$HVSCOPE"; then
	nobody='setpriv --reuid 65534 --clear-groups'
	check 'nobody needs to be root' "$nobody '$HVSCOPE' steal -d 100ms" 0 STOLEN
	check 'but for --hist, which says what works nevertheless' "$nobody '$HVSCOPE' steal --hist -d 100ms" \
		1 'hvscope.* steal.? works'
else
	skip 'nobody needs to be root' "needs root, setpriv, and a build that others may read"
fi

tracing=/sys/kernel/tracing
if [ "$(id -u)" -eq 0 ] && [ -e $tracing/events ] && [ ! -e $tracing/kprobe_events ]; then
	check 'a kernel without kprobes' "'$HVSCOPE' steal --hist -d 100ms" 1 \
		"no kprobes.*without --hist, 'hvscope steal' works from /proc/stat alone"
else
	skip 'a kernel without kprobes' "this one has them, or can't be asked"
fi

# The steal clock, in traces of guests whose probes bear our names.
for name in xen/domu-pv/domu guests/pvhvm-6.1/domu; do
	"$HVSCOPE" steal -i "$traces/$name.roles.dat" --hist -f json >"$tmp/report"
	is "$name: readings, steals and their sum" \
		"$(figure '[$t.rows[] | [.cpu, .readings, .slices, .total_ns]]')" \
		"$(jq -c '. as $c | [.readings | keys_unsorted[] | [(. | tonumber), $c.readings[.], $c.steals[.], $c.stolen_ns[.]]]' \
			"$traces/$name.calls.json")"
	is "$name: the histogram has them all" \
		"$(figure '[$t.rows[] | ([.hist[][2]] | add) == .slices] | all')" true
	is "$name: and when the longest was" \
		"$(figure '. as $r | [$t.rows[] | .max_at_ns > 0 and .max_at_ns < $r.span_ns] | all')" true
done
check 'that slices may have merged is said' "'$HVSCOPE' steal -i '$traces/xen/domu-pv/domu.roles.dat'" 0 \
	'several slices of stolen'
check 'a trace without the clock names its events' \
	"'$HVSCOPE' steal -i '$traces/kvm/6.1-small.dat'" 1 'no events for hvscope steal .steal_clock'
done_testing
