#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What people see fits 100 columns, whatever the analysis and the trace; and no line ends in blanks.

. "${top_srcdir:-.}/tests/lib.sh"

LC_ALL=C.UTF-8
export LC_ALL
# The path is shown as it was given: a long one is not the table's fault.
cd "$top_srcdir/tests/traces" || exit 1

# fits NAME FILE COMMAND [OPTION...]; a file without such events is no failure
fits() {
	name=$1
	file=$2
	shift 2
	"$HVSCOPE" "$@" -i "$file" >"$tmp/table" 2>/dev/null
	[ -s "$tmp/table" ] || return 0
	width=$(wc -L <"$tmp/table")
	if [ "$width" -le 100 ] && ! grep -q '[[:blank:]]$' "$tmp/table"; then
		pass "$name"
	else
		fail "$name"
		diag "$width columns: $*"
		awk 'length($0) > 100 || /[[:blank:]]$/ { print "# |" $0 "|" }' "$tmp/table"
	fi
}

for command in exits hypercalls steal callbacks drivers; do
	for file in kvm/6.1-small.dat kvm/6.1-lost.dat xen/xen-small.dat guests/hyperv-6.1/hv.dat \
		guests/hyperv-6.1/l1kvm.dat guests/pvhvm-6.1/domu.dat guests/pvhvm-6.1/host-side.dat; do
		fits "$command of $file" "$file" "$command"
	done
done
ok 'there were enough of them' [ "$tap_run" -ge 10 ]
fits 'more percentiles' kvm/6.1-lost.dat exits --percentiles 50,99
fits 'histograms' kvm/6.1-lost.dat exits --hist
fits 'others' kvm/6.1-lost.dat exits -n 2
awk 'BEGIN { for (i = 160; i < 170; i++) {
	printf "%d 1 ", i; for (n = 0; n < 30; n++) printf "long words "; print "end -"
	printf "%d 1 ", i + 10; for (n = 0; n < 300; n++) printf "long"; print " -" } }' >"$tmp/map"
fits 'long names' kvm/6.1-lost.dat exits --vm-map "$tmp/map"
fits 'long names of histograms' kvm/6.1-lost.dat exits --hist --vm-map "$tmp/map" \
	--by vm,pid,vcpu,tid,comm,cpu,reason
fits 'intervals' kvm/6.1-lost.dat exits -T 0.25
done_testing
