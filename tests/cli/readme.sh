#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the README shows is what the program prints: each example that reads a trace of this
# repository is run again. And the table that CONTRIBUTING.md shows is enough for a compiler.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

cd "$top_srcdir" || exit 1
LC_ALL=C.UTF-8
export LC_ALL

# An example is an indented line that begins with a prompt, and the lines until the next paragraph
# of prose; within it, blank lines have no indentation.
awk -v dir="$tmp" '
	/^    \$ hvscope / {
		n++
		sub(/^    \$ hvscope /, "")
		print > (dir "/" n ".command")
		within = 1
		blank = 0
		next
	}
	within && /^$/ { blank++; next }
	within && /^    / {
		while (blank > 0) { print "" > (dir "/" n ".want"); blank-- }
		sub(/^    /, "")
		print > (dir "/" n ".want")
		next
	}
	{ within = 0 }
' README.md

for command in "$tmp"/*.command; do
	example=${command%.command}
	read -r words <"$command"
	# The words of an example are plain.
	# shellcheck disable=SC2086
	"$HVSCOPE" $words >"$example.got" 2>&1
	ok "hvscope $words" diff "$example.want" "$example.got"
done
ok 'there were examples' [ "$tap_run" -ge 4 ]

awk '/^    \/\/ SPDX/ { within = 1 } within && /^[^ ]/ { exit } within { sub(/^    /, ""); print }' \
	CONTRIBUTING.md >"$tmp/kvm-example.c"
for cc in $CC cc gcc clang; do
	command -v "${cc%% *}" >/dev/null && break
	cc=
done
if [ -n "$cc" ]; then
	ok "CONTRIBUTING.md's table is whole" [ "$(grep -c hypervisor_kvm "$tmp/kvm-example.c")" -eq 1 ]
	ok 'and compiles' "$cc" -std=gnu11 -Wall -Werror -fsyntax-only -Isrc "$tmp/kvm-example.c"
else
	skip "CONTRIBUTING.md's table compiles" "there is no compiler"
fi
done_testing
