#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The README shows real output: each of its examples that reads a trace of this repository is run,
# and must print what stands there.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

HVSCOPE=$(cd "$(dirname "$HVSCOPE")" && pwd)/$(basename "$HVSCOPE")
cd "$top_srcdir" || exit 1

# Each example as a file: its command in the first line, then its output; both without the indent.
# A blank line belongs to it when more of it follows.
awk -v dir="$tmp" '
	/^    \$ / { file = "" }
	/^    \$ hvscope .*-i / { file = sprintf("%s/%02d.example", dir, ++n); blank = "" }
	/^$/ { blank = blank "\n"; next }
	!/^    / { file = "" }
	file { printf "%s%s\n", blank, substr($0, 5) >file; blank = "" }
' README.md

for example in "$tmp"/*.example; do
	[ -f "$example" ] || break
	command=$(sed -n '1s/^\$ hvscope //p' "$example")
	case $command in
	*[!a-zA-Z0-9_./:\ ,*\'-]*) fail "$command: plain words only"; continue ;;
	esac
	sed 1d "$example" >"$tmp/want"
	(eval "set -f; \"\$HVSCOPE\" $command") >"$tmp/got" 2>&1
	if grep -q "was built without" "$tmp/got"; then
		skip "hvscope $command" "$(cat "$tmp/got")"
		continue
	fi
	ok "hvscope $command" diff -u "$tmp/want" "$tmp/got"
done
ok "there are some" [ "$tap_run" -ge 3 ]
done_testing
