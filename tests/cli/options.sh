#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is typed: help and version of every command, usage errors (status 2 and one sentence that
# says what to do), and the completions, which must offer what help says.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

trace=$top_srcdir/tests/traces/kvm/6.1-small.dat

# The commands, as help lists them.
commands=$("$HVSCOPE" help | sed -n 's/^  \([a-z][a-z0-9-]*\)  *[^ ].*/\1/p')

check "--version" "$HVSCOPE --version" 0 '^hvscope [0-9]'
check "-V" "$HVSCOPE -V" 0 '^hvscope [0-9]'
check "--help" "$HVSCOPE --help" 0 '^Usage: hvscope COMMAND'
check "help" "$HVSCOPE help" 0 '^  exits '
for command in $commands; do
	check "help $command" "$HVSCOPE help $command" 0 "^Usage: hvscope $command"
	cp "$tmp/out" "$tmp/help"
	check "$command --help" "$HVSCOPE $command --help" 0
	ok "$command: both say the same" cmp "$tmp/help" "$tmp/out"
	is "$command: help fits 100 columns" "$(LC_ALL=C.UTF-8 awk 'length > 100' "$tmp/help")" ""
	check "$command --version" "$HVSCOPE $command --version" 0 '^hvscope [0-9]'
	check "$command refuses what it hasn't" "$HVSCOPE $command --no-such-option" 2 \
		"^hvscope: there is no option --no-such-option; "
done

# usage NAME ARGUMENTS WORDS
usage() {
	refuses "$1" "$2" 2 "$3"
}

usage "no command" "" "'hvscope help' lists them"
usage "an option before the command" "-v exits" "command comes first"
usage "a misspelt command" "exists" "did you mean 'exits'"
usage "an unknown command" "frobnicate" "hvscope help"
usage "a command with escapes in its name" "\$(printf 'a\\033[1mb')" "x1b"
usage "a misspelt option" "exits --percentles 5" "did you mean --percentiles"
usage "an ambiguous option" "exits --v" "several options"
usage "an option of another command" "help --vm x" "no option --vm"
usage "a missing argument" "exits -i" "-i needs an argument, FILE"
usage "an empty argument" "exits --vm ''" "--vm: the NAME is empty"
usage "a bad duration" "exits -d 5x" "-d: '5x'"
usage "a bad list of CPUs" "exits -C 3-1" "-C: '3-1'"
usage "a bad key" "exits --by vn" "did you mean vm"
usage "a key that the analysis hasn't" "exits --by op" "no key"
usage "a bad percentile" "exits --percentiles 50,101" "--percentiles: "
usage "a bad format" "exits -f jsn" "did you mean 'json'"
usage "a bad size" "exits -b lots" "-b: "
usage "a bad interval" "exits soon" "INTERVAL: 'soon'"
usage "a short interval" "exits 0.0001" "1ms is the least"
usage "a bad count" "exits 1 0" "COUNT: "
usage "too many operands" "exits 1 2 3" "'3' is too much"
usage "a file's option without a file" "exits --buffer x" "-i FILE is missing"
usage "an INTERVAL as BCC's -i" "count x:y -i 777" "-i 777: there is no such trace file; an INTERVAL is the last operand"
usage "a live option with a file" "exits -i x -b 1M" "live tracing"
usage "no command after --" "exits --" "missing after --"
usage "metrics with an interval and no file" "exits -f openmetrics 1" "-o FILE is missing"
usage "a column that isn't there" "exits -i $trace --sort exit" "sort"
usage "a table that isn't there" "exits -i $trace --table x" "no table 'x'"

check "options may stand behind operands" "$HVSCOPE exits 1 -i $trace 2 -q" 0 'npf'
check "long options may be cut" "$HVSCOPE exits -i $trace --perc 50 -q" 0 'P50'

# --- Completion ---

if ! command -v bash >/dev/null; then
	skip "completion" "bash is not installed"
	done_testing
fi

# offered WORDS…: what completion offers for the last word, sorted.
offered() {
	# shellcheck disable=SC2016
	bash -c 'hvscope() { "$HVSCOPE" "$@"; }
		. "$top_srcdir/data/completions/hvscope.bash"
		COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hvscope
		printf "%s\n" "${COMPREPLY[@]}"' bash "$@" | sort
}
export top_srcdir

is "completion offers the commands" "$(offered hvscope '')" "$(printf '%s\n' "$commands" | sort)"
for command in $commands; do
	[ "$command" = help ] && continue
	"$HVSCOPE" help "$command" | awk '/^ +-/ { for (i = 1; i <= 2; i++) {
		sub(/,$/, "", $i); if ($i ~ /^--?[A-Za-z]/) print $i } }' | sort >"$tmp/want"
	offered hvscope "$command" '-' >"$tmp/got"
	ok "completion offers the options of $command" diff "$tmp/want" "$tmp/got"
done
is "completion knows formats" "$(offered hvscope exits -f '' | tr '\n' ' ')" \
	"csv folded json openmetrics prometheus table tree "
is "completion knows keys" "$(offered hvscope exits --by '' | tr '\n' ' ')" \
	"comm cpu pid reason tid vcpu vm "
cd "$tmp" && touch file-to-find
is "completion knows files" "$(offered hvscope exits -i file-to)" file-to-find
is "completion offers programs behind --" "$(offered hvscope exits -- bas | grep -x bash | uniq)" bash
done_testing
