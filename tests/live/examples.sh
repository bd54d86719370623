#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every example of hvscope-examples(7), run as it stands there but for an end that doesn't wait for
# Ctrl-C. What a kernel has no events or no kprobes for is skipped, each by the sentence that says so.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

[ "$(id -u)" -eq 0 ] || skip_all "only root may trace"
need_run count sched:sched_switch

page=${HVSCOPE_EXAMPLES:-$top_srcdir/man/hvscope-examples.7}
recording=${HVSCOPE_RECORDING:-$top_srcdir/tests/traces/xen/xen-small.dat}

# What the page leaves to the reader.
LIBC=$(ldd /bin/sh 2>/dev/null | sed -n 's/.*libc\.so[^ ]* => \([^ ]*\).*/\1/p')
[ -n "$LIBC" ] || LIBC=${HVSCOPE_LIBC-}
mkdir "$tmp/bin" "$tmp/place"
printf '#!/bin/sh\nexec cat\n' >"$tmp/bin/flamegraph.pl"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$HVSCOPE" >"$tmp/bin/hvscope"
chmod +x "$tmp/bin/flamegraph.pl" "$tmp/bin/hvscope"
cp "$recording" "$tmp/place/trace.dat"
PATH=$tmp/bin:$PATH

# Something for them to see: files, processes, environment.
(while :; do
	env FOO=bar cat /etc/passwd /etc/nosuch >/dev/null 2>&1
	sleep 0.02
done) &
PID=$!
export LIBC PID
load=$PID
trap 'kill $load; rm -rf "$tmp"' EXIT

# The lines of the page, without what is mdoc's; those that go on in the next one are one.
sed -n -e 's/^\.Dl //p' -e '/^\.Bd -literal/,/^\.Ed/{/^\./!p;}' "$page" |
	sed 's/\\(dq/"/g; s/\\e/\\/g' |
	awk '{ line = line $0 } sub(/ \\$/, "", line) || line ~ / \|$/ { next }
		{ gsub(/  +/, " ", line); print line; line = "" }' >"$tmp/examples"

run() { # LINE
	# A live one ends after a moment; -d behind the command's name gives way to the example's own.
	case $1 in
	*" -i "*) line=$1 ;;
	*) line=$(printf '%s\n' "$1" | sed 's/^hvscope [a-z]*/& -d 300ms/; s/ -d 5s/ -d 300ms/; s/ 1 3$/ 0.1 3/') ;;
	esac
	tap_status=0
	(cd "$tmp/place" && eval "$line") >"$tmp/out" 2>"$tmp/err" </dev/null || tap_status=$?
}

kinds=
while IFS= read -r example; do
	run "$example"
	kinds="$kinds $(printf '%s\n' "$example" | cut -d' ' -f2)"
	why=$(grep -E 'has no kprobes|^hvscope: no (tracepoint|function) matches' "$tmp/err" | head -n 1)
	if [ "$tap_status" -eq 0 ]; then
		pass "$example"
	elif [ "$tap_status" -eq 1 ] && [ -n "$why" ]; then
		skip "$example" "${why#hvscope: }"
	elif [ -z "$LIBC" ] && printf '%s\n' "$example" | grep -q LIBC; then
		skip "$example" "there is no C library to be found"
	else
		fail "$example"
		diag "status $tap_status"
		sed 's/^/# /' "$tmp/err" | head -n 10
	fi
done <"$tmp/examples"

for kind in count trace argdist stackcount; do
	ok "six examples of $kind and more" [ "$(printf '%s\n' "$kinds" | tr ' ' '\n' | grep -cx "$kind")" -ge 6 ]
done
is "nothing is left in tracefs" "$(cat /sys/kernel/tracing/*probe_events 2>/dev/null | grep -c hvscope_)" 0
done_testing
