#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `hvscope drivers` live: direct reads of a file, whose number is known, against the requests that it
# tells; the device by number and by name.

. "${top_srcdir:-.}/tests/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
command -v jq >/dev/null || skip_all "jq is not installed"
[ -r /sys/kernel/tracing/events/block/block_rq_issue/format ] || skip_all "needs tracefs and block events"

# A file on a disk, read past the page cache.
file=$(mktemp "$top_builddir/drivers.XXXXXX") || exit 1
trap 'rm -rf "$tmp" "$file"' EXIT
dd if=/dev/zero of="$file" bs=4096 count=300 2>/dev/null
sync "$file"
device=$(stat -c %d "$file")
device=$((device >> 8 & 0xfff)):$((device & 0xff))
place=$(readlink -f "/sys/dev/block/$device")
[ -e "$place/dev" ] || skip_all "what the tests are built on is no disk ($device)"
[ ! -e "$place/partition" ] || place=${place%/*}
disk=${place##*/}
device=$(cat "$place/dev")
[ -e "/sys/block/$disk/device" ] || skip_all "$disk is made of other disks"
dd if="$file" of=/dev/null bs=4096 count=1 iflag=direct 2>/dev/null || skip_all "no direct reads here"

requests() { # FILTER
	jq ".tables[] | select(.name == \"requests\").rows[] | select(.name == \"$disk\") | $1" "$tmp/report"
}

all() {
	awk '{ print $1 + $5 + $12 + $16 }' "/sys/block/$disk/stat"
}

before=$(all)
"$HVSCOPE" drivers -f json -- \
	dd if="$file" of=/dev/null bs=4096 count=300 iflag=direct >"$tmp/report" 2>"$tmp/err"
status=$?
is "dd's status" "$status" 0
after=$(all)
n=$(requests .requests)
ok "300 reads are 300 requests at least ($n)" test "${n:-0}" -ge 300
ok "and no more than the disk counted around them ($((after - before)))" test "${n:-0}" -le $((after - before))
is 'every one of them is one thing' \
	"$(requests '.requests == .timed + .discarded + .reissued + .empty + .open')" true
is 'they have sectors' "$(requests '.sectors >= 2400')" true
is 'the device is the one that was read' "$(requests .device)" "\"$device\""
check 'paravirtual devices without listed functions are no, and not hidden' \
	"jq -r '.tables[] | select(.name == \"probes\").rows[] | \"\\(.role) \\(.works)\"' '$tmp/report'" 0
check 'the table of probes can be asked for' "'$HVSCOPE' drivers --table probes -f csv -d 50ms" 0 \
	'^role,when,functions,works,hits,missed,why'
check 'and its columns sorted by' "'$HVSCOPE' drivers --sort hits -d 50ms" 0
done_testing
