#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is listed: the events and fields of trace files by the truth of `trace-cmd dump` or of their
# formats, and of recorded trees; patterns; what isn't there.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

list="$HVSCOPE list"
xen=$top_srcdir/tests/traces/xen/xen-small.v6.dat
kvm=$top_srcdir/tests/traces/kvm/6.1-small.dat

# Lines of CSV without the header.
rows() {
	sed 1d "$tmp/out" | tr -d '\r'
}

# --- Events of a file ---

check "a file's events" "$list -i $xen -f csv" 0 "^event"
rows >"$tmp/got"
# Formats stand in the file as text: the event's name, then its number.
strings -n 6 "$xen" 2>/dev/null | sed -n 's/^name: \(xen_.*\)$/xen:\1/p' | sort >"$tmp/want"
if [ -s "$tmp/want" ]; then
	ok "all that it has formats of, sorted" diff "$tmp/want" "$tmp/got"
else
	skip "all that it has formats of, sorted" "strings is not installed"
fi
check "one by name" "$list -i $xen -f csv xen:xen_mc_flush" 0
is "it is the only one" "$(rows)" xen:xen_mc_flush
check "by glob" "$list -i $xen -f csv 't:xen:xen_mc_*'" 0
is "all that match" "$(rows | wc -l | tr -d ' ')" "$(grep -c '^xen:xen_mc_' "$tmp/want")"
check "by regular expression" "$list -i $xen -f csv '/^xen:xen_mc_(entry|flush)\$/'" 0
is "those two" "$(rows | tr '\n' ' ')" "xen:xen_mc_entry xen:xen_mc_flush "
check "a bare word is a system" "$list -i $kvm -f csv kvm" 0 "^kvm:kvm_exit" "^sched"
check "or an event" "$list -i $kvm -f csv kvm_exit" 0
is "of any system" "$(rows)" kvm:kvm_exit
check "several patterns, each event once" "$list -i $kvm -f csv kvm_exit kvm:kvm_exit 'kvm:kvm_e*'" 0
is "in order of names" "$(rows | tr '\n' ' ')" "$(rows | sort -u | tr '\n' ' ')"

# --- Fields ---

check "fields" "$list -i $kvm -v -f csv kvm:kvm_exit" 0 "^event,field,type,size"
# As Linux 6.1 on x86 has them (include/trace in its source).
is "names, types and sizes" "$(rows | tr '\n' ' ')" "$(printf '%s ' \
	'kvm:kvm_exit,exit_reason,unsigned int,4' 'kvm:kvm_exit,guest_rip,unsigned long,8' \
	'kvm:kvm_exit,isa,u32,4' 'kvm:kvm_exit,info1,u64,8' 'kvm:kvm_exit,info2,u64,8' \
	'kvm:kvm_exit,intr_info,u32,4' 'kvm:kvm_exit,error_code,u32,4' \
	'kvm:kvm_exit,vcpu_id,unsigned int,4')"
if command -v jq >/dev/null; then
	check "JSON" "$list -i $kvm -v -f json kvm:kvm_exit" 0
	is "has them typed" "$(jq -c '.tables[0].rows[0]' "$tmp/out")" \
		'{"event":"kvm:kvm_exit","field":"exit_reason","type":"unsigned int","size":4}'
	is "and the file's kernel" "$(jq -r '.source | "\(.kind) \(.kernel | .[:3])"' "$tmp/out")" "file 6.1"
else
	skip "JSON" "jq is not installed"
fi

# --- Not there ---

check "no match is a result" "$list -i $xen nosuch" 0 "^No event matches 'nosuch'\.$"
check "a near one is named" "$list -i $xen xen:xen_mc_flushh" 0 "did you mean 'xen:xen_mc_flush'\?$"
check "also where only figures are printed" "$list -i $xen xen:xen_mc_flushh -f csv" 0 \
	"^hvscope: No event matches 'xen:xen_mc_flushh'; did you mean 'xen:xen_mc_flush'\?$"
check "a file has no functions" "$list -i $xen p:vfs_read" 2 "has events, no functions"
check "nor those of programs" "$list u:/bin/sh:main" 2 "nm.1."
check "a bad regular expression" "$list -i $xen '/(/'" 2 "^hvscope: event "
check "no file" "$list -i $tmp/none" 1 "none can't be opened"
check "no trace" "$list -i $top_srcdir/NEWS" 1 "NEWS is no trace"

# --- A recorded tree ---

mkdir -p "$tmp/root/proc" "$tmp/root/sys/kernel/tracing/events/demo/one"
echo "tracefs /sys/kernel/tracing tracefs rw 0 0" >"$tmp/root/proc/mounts"
printf 'demo:two\ndemo:one\nother:x\n' >"$tmp/root/sys/kernel/tracing/available_events"
cat >"$tmp/root/sys/kernel/tracing/events/demo/one/format" <<'END'
name: one
ID: 7
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:__data_loc char[] name;	offset:8;	size:4;	signed:1;
	field:u64 value;	offset:16;	size:8;	signed:0;

print fmt: "%s %llu", __get_str(name), REC->value
END
printf '%s\n' 'ffffffff81000000 T vfs_read' 'ffffffff81000100 T vfs_write' 'ffffffff81000200 T twice' \
	'ffffffff81000300 t twice' 'ffffffff81000400 t vfs_read.cold' 'ffffffff81000500 D vfs_data' \
	'ffffffffc0000000 t vfs_mod	[mod]' 'ffffffffc0000100 t vfs_open	[mod]' \
	'ffffffffc0000200 t init	[mod]' 'ffffffffc0001000 t init	[other]' \
	'ffffffffc0001100 t vfs_open	[other]' 'ffffffffc0001200 t vfs_own	[other]' >"$tmp/root/proc/kallsyms"
check "events of a tree" "$list --root $tmp/root -f csv demo" 0
is "sorted" "$(rows | tr '\n' ' ')" "demo:one demo:two "
check "their fields" "$list --root $tmp/root -f csv -v demo" 0
is "and one whose format can't be read" "$(rows | tr '\n' ' ')" \
	"demo:one,name,__data_loc char[],4 demo:one,value,u64,8 demo:two,,, "
check "functions" "$list --root $tmp/root -f csv 'p:*'" 0
is "that can be probed by name" "$(rows | tr '\n' ' ')" "vfs_mod vfs_own vfs_read vfs_write "
check "of a module" "$list --root $tmp/root -f csv 'p:mod/*'" 0
is "those that it has once" "$(rows | tr '\n' ' ')" "init vfs_mod vfs_open "
check "of two" "$list --root $tmp/root -f csv p:other/init 'r:mod/vfs_*' p:vfs_read" 0
is "each by its pattern" "$(rows | tr '\n' ' ')" "init vfs_mod vfs_open vfs_read "
check "none of a module" "$list --root $tmp/root p:mod/vfs_read" 0 "^No function matches 'p:mod/vfs_read'"
check "by glob" "$list --root $tmp/root -f csv 'p:vfs_[rw]*'" 0
is "those two" "$(rows | tr '\n' ' ')" "vfs_read vfs_write "
check "no function" "$list --root $tmp/root p:nosuch" 0 "^No function matches 'p:nosuch'\.$"
check "a misspelt function" "$list --root $tmp/root p:vfs_raed" 0 \
	"^No function matches 'p:vfs_raed'; did you mean 'p:vfs_read'\?$"
check "one of a module" "$list --root $tmp/root r:other/vfs_owm" 0 \
	"^No function matches 'r:other/vfs_owm'; did you mean 'r:other/vfs_own'\?$"
check "a function without its p:" "$list --root $tmp/root vfs_read" 0 \
	"^No event matches 'vfs_read'; functions are listed by 'p:vfs_read'\.$"
check "an empty pattern" "$list --root $tmp/root ''" 2 "^hvscope: a pattern is empty$"
done_testing
