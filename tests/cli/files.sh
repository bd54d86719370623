#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Trace files as input: what is no trace, or not the one that was meant, is one sentence and status
# 1; who is who by --vm-map; selections; what --strict and -q change.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

traces=$top_srcdir/tests/traces
small=$traces/kvm/6.1-small.dat
medium=$traces/kvm/6.1-medium.dat
xen=$traces/xen/xen-small.v6.dat

# sentence NAME ARGUMENTS WORDS: of `hvscope exits`.
sentence() {
	refuses "$1" "exits $2" 1 "$3"
}

# --- No trace ---

sentence "a file that isn't there" "-i $tmp/none" "none can't be opened"
sentence "a folder" "-i $tmp" "$(basename "$tmp")"
: >"$tmp/empty"
sentence "an empty file" "-i $tmp/empty" "empty"
echo "some text" >"$tmp/text"
sentence "a text" "-i $tmp/text" "text is no trace"
head -c 4096 /dev/urandom >"$tmp/random"
sentence "random bytes" "-i $tmp/random" "random is no trace"
sentence "a device" "-i /dev/null" "/dev/null"
for file in "$small" "$xen"; do
	all=$(wc -c <"$file")
	for size in 8 100 4096 $((all / 2)) $((all - 4096)); do
		head -c "$size" "$file" >"$tmp/part"
		sentence "the first $size bytes of $(basename "$file")" "-i $tmp/part" \
			"part (is cut short|ends|is no trace)"
	done
done
sentence "its name is made harmless" "-i '$(printf '/no\033[1m\nsuch')'" "x1b"
if [ "$(id -u)" -ne 0 ]; then
	cp "$small" "$tmp/secret"
	chmod 0 "$tmp/secret"
	sentence "a file that may not be read" "-i $tmp/secret" "Permission denied"
else
	skip "a file that may not be read" "root may read all"
fi

# --- Not the one that was meant ---

sentence "no events of KVM" "-i $xen" "no events for hvscope exits .kvm:kvm_exit.*it has: xen:"
sentence "no such buffer" "-i $small --buffer nosuch" "no buffer 'nosuch'"
sentence "-p without knowing processes" "-i $small -p 1" "-p can't select.*--vm-map"
sentence "--vm without knowing machines" "-i $small --vm x" "--vm can't select.*--vm-map"
sentence "no map" "-i $small --vm-map $tmp/none" "none can't be read"
echo "1 2 3" >"$tmp/map"
sentence "a bad map" "-i $small --vm-map $tmp/map" "map:1: a line must be"

# What is beyond all times never comes, and doesn't come at once.
whole=$("$HVSCOPE" exits -i "$small" -f csv | cksum)
is "an endless -d" "$("$HVSCOPE" exits -i "$small" -f csv -d 18446744073s | cksum)" "$whole"
is "an endless INTERVAL" \
	"$("$HVSCOPE" exits -i "$small" -f csv 18446744073s | cut -d, -f2- | cksum)" "$whole"
is "an endless COUNT" \
	"$("$HVSCOPE" exits -i "$small" -f json 0.1 9223372036854775807 | wc -l | tr -d ' ')" 4

check "an empty result is a result" "$HVSCOPE exits -i $small --vcpu 99" 0

# --- Who is who ---

tids=$("$HVSCOPE" exits -i "$medium" --by tid -f csv -q | sed 1d | cut -d, -f1 | sort -n)
{
	echo "# tid pid name vcpu"
	n=0
	for tid in $tids; do
		echo "$tid $((900 + n / 2)) machine $((n / 2)) $((n % 2))"
		n=$((n + 1))
	done
} >"$tmp/map"
is "four threads in the trace" "$(echo "$tids" | wc -l | tr -d ' ')" 4
if ! command -v jq >/dev/null; then
	skip "who is who" "jq is not installed"
	done_testing
fi

# rows ARGUMENTS FILTER: one line of JSON from the first table.
rows() {
	eval "$HVSCOPE exits -i $medium -f json $1" | jq -c ".tables[0] | $2"
}

total=$(rows "--by tid" .totals.exits)
is "without a map, threads stay apart" "$(rows "--by vm" '[.rows[] | .vm] | unique')" '[null]'
is "a row for each" "$(rows "--by vm" '.rows | length')" 4
is "with a map, machines have their names" \
	"$(rows "--vm-map $tmp/map --by vm" '[.rows[].vm] | sort')" '["machine 0","machine 1"]'
is "and their threads' exits" "$(rows "--vm-map $tmp/map --by vm" '[.rows[].exits] | add')" "$total"
is "by default a row tells the machine" "$(rows "--vm-map $tmp/map" '.rows[0] | has("vm")')" true
is "and without a map the thread" "$(rows "" '.rows[0] | has("tid")')" true
is "--vm selects" "$(rows "--vm-map $tmp/map --by vm --vm 'machine 1'" '[.rows[].vm]')" '["machine 1"]'
is "-p selects" "$(rows "--vm-map $tmp/map --by pid -p 900" '[.rows[].pid]')" '[900]'
is "both together select both" "$(rows "--vm-map $tmp/map -p 900 --vm 'machine 1'" '.rows')" '[]'
sentence "an unknown machine" "-i $medium --vm-map $tmp/map --vm 'machine 2'" \
	"no virtual machine 'machine 2'; there are 'machine [01]', 'machine [01]'\$"
echo "1 1 - -" >"$tmp/nameless"
sentence "no machine has a name" "-i $medium --vm-map $tmp/nameless --vm x" "'x'; it names none\$"
one=$(rows "--vm-map $tmp/map --by vm -p 900" .totals.exits)
two=$(rows "--vm-map $tmp/map --by vm -p 901" .totals.exits)
is "selections add up to the whole" "$((one + two))" "$total"
one=$(rows "--by tid --vcpu 0" .totals.exits)
two=$(rows "--by tid --vcpu 1" .totals.exits)
is "vCPUs add up to the whole" "$((one + two))" "$total"
one=$(rows "-C 0" .totals.exits)
two=$(rows "-C 1-65535" .totals.exits)
is "CPUs add up to the whole" "$((one + two))" "$total"

# --- Pipes ---

# Whoever is to write says nothing: the first signal ends the wait.
waits() { # NAME WANT OPTION...: what is said
	name=$1
	want=$2
	shift 2
	rm -f "$tmp/fifo" && mkfifo "$tmp/fifo" || return
	sleep 30 >"$tmp/fifo" &
	writer=$!
	"$HVSCOPE" exits "$@" >"$tmp/said" 2>&1 &
	pid=$!
	sleep 0.5
	kill -TERM "$pid"
	for _ in $(seq 100); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	alive=no
	kill -KILL "$pid" 2>/dev/null && alive=yes
	wait "$pid"
	status=$?
	kill "$writer" 2>/dev/null
	wait "$writer" 2>/dev/null
	is "$name" "$alive $status $(cat "$tmp/said")" "no $want"
}

waits "a trace that doesn't come" "1 hvscope: $tmp/fifo: its analysis was interrupted" -i "$tmp/fifo"
waits "a list of threads that doesn't come" \
	"1 hvscope: $tmp/fifo can't be read: Interrupted system call" -i "$small" --vm-map "$tmp/fifo"
ok "a trace from a pipe" sh -c 'cat "$1" | "$HVSCOPE" exits -i /dev/stdin' sh "$small"

# --- Time ---

span=$("$HVSCOPE" exits -i "$medium" -f json | jq .span_ns)
is "-d cuts the span" "$("$HVSCOPE" exits -i "$medium" -f json -d 100ms | jq .span_ns)" 100000000
is "-d beyond the end changes nothing" \
	"$("$HVSCOPE" exits -i "$medium" -f json -d 1h | jq .span_ns)" "$span"
is "COUNT ends the run" "$("$HVSCOPE" exits -i "$medium" -f json 10ms 3 | jq -c .span_ns | tr '\n' ' ')" \
	"10000000 10000000 10000000 "
is "the intervals' spans add up to the whole" \
	"$("$HVSCOPE" exits -i "$medium" -f json 30ms | jq -s 'map(.span_ns) | add')" "$span"
is "so do their records" \
	"$("$HVSCOPE" exits -i "$medium" -f json 30ms | jq -s 'map(.records) | add')" \
	"$("$HVSCOPE" exits -i "$medium" -f json | jq .records)"
is "intervals are numbered from 1" \
	"$("$HVSCOPE" exits -i "$medium" -f json 10ms 3 | jq -c .interval | tr '\n' ' ')" "1 2 3 "
is "the host and time of day of a file are never ours" \
	"$("$HVSCOPE" exits -i "$xen" -f json 2>/dev/null | jq -c .begin; "$HVSCOPE" exits -i "$small" -f json |
		jq -c .begin)" null

# One page's time is 2^48 ns later: more intervals lie before it than anybody would wait for.
far=$tmp/far.dat
cp "$xen" "$far"
chmod u+w "$far"
printf '\001' | dd of="$far" bs=1 seek=$(($(wc -c <"$xen") - 4096 + 6)) conv=notrunc 2>/dev/null
check "millions of empty intervals" "timeout 60 $HVSCOPE hypercalls -i $far -q 1ms" 1 \
	"^hvscope: .*no records for 28[0-9]{7} intervals: its times are damaged"
check "as many as COUNT says are no matter" "$HVSCOPE hypercalls -i $far -q 1s 3" 0
check "nor are those up to -d" "$HVSCOPE hypercalls -i $far -q -d 3s 1s" 0

# --- Completeness ---

lost=$traces/kvm/6.1-lost.dat
check "an incomplete result is one" "$HVSCOPE exits -i $lost" 0 "Lost: "
check "--strict makes it status 3" "$HVSCOPE exits -i $lost --strict" 3 "Lost: "
check "--strict with intervals" "$HVSCOPE exits -i $lost --strict -q 1" 3
check "--strict is content with all" "$HVSCOPE exits -i $small --strict" 0
check "-q leaves the lines out" "$HVSCOPE exits -i $lost -q" 0 npf "Lost: "
check "--dry-run reads nothing" "$HVSCOPE exits -i $small --dry-run" 0 "event kvm:kvm_exit" npf
done_testing
