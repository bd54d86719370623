#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A KVM that emulates its guests and tells no exits: `hvscope exits` must say that guests run
# nevertheless, and must not say it where none does. Where KVM tells exits, it says neither.

. "${top_srcdir:-.}/tests/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
[ -w /dev/kvm ] || skip_all "needs /dev/kvm"
"$HVSCOPE" selftest >"$tmp/selftest" 2>&1 || skip_all "hvscope selftest doesn't work here"

guests() {
	while [ -e "$tmp/go" ]; do
		"$HVSCOPE" selftest >"$tmp/guests" 2>&1
	done
}

: >"$tmp/go"
guests &
pid=$!
if grep -q 'kvm_exit never fired' "$tmp/selftest"; then
	check 'guests that are emulated' "'$HVSCOPE' exits -d 2" 0 'though guests run: this hypervisor'
	check 'whatever ends the run' "'$HVSCOPE' exits 1 5" 0 'though guests run: this hypervisor'
else
	check 'guests whose exits are told' "'$HVSCOPE' exits -d 2" 0 'EXITS' 'No VM exits'
fi
rm "$tmp/go"
wait "$pid"
check 'no guest of a process is no emulated one' "'$HVSCOPE' exits -p $$ -d 200ms" 0 \
	'No VM exits were seen: no guest ran' 'though guests run'
done_testing
