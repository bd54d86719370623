# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# TAP for the tests in POSIX sh. A test begins with `. "${top_srcdir:-.}/tests/lib.sh"` and ends
# with `done_testing`. Its own files go to $tmp, which is removed whatever happens.
#
#	ok NAME COMMAND...			passes when the command's status is 0
#	is NAME GOT WANT			compares two strings
#	check NAME COMMAND STATUS [MUST [MUSTNOT]]
#						COMMAND is a line for the shell; STATUS its exit status;
#						MUST and MUSTNOT are extended regular expressions on
#						stdout and stderr together (left in $tmp/out)
#	refuses NAME ARGUMENTS STATUS WORDS	`hvscope ARGUMENTS`, a line for the shell, has this status
#						and prints but a line on stderr, which WORDS match
#	skip NAME WHY				one check that can't be made here
#	skip_all WHY				the whole test can't run here (ends it)
#
# Tests that trace end where that can't be done:
#
#	need_tracefs				as root; $tracing is the folder
#	need_run COMMAND...			`hvscope COMMAND...` works, tried for a moment
#	left_by PID				prints how many instances the run PID has in tracefs: its
#						own, and while it sees nothing one that looks why

top_srcdir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
top_builddir=${top_builddir:-$top_srcdir}
HVSCOPE=${HVSCOPE:-$top_builddir/hvscope}
export HVSCOPE

tap_run=0
tap_failed=0
tmp=$(mktemp -d "${TMPDIR:-/tmp}/hvscope-test.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

pass() {
	tap_run=$((tap_run + 1))
	printf 'ok %d - %s\n' "$tap_run" "$1"
}

fail() {
	tap_run=$((tap_run + 1))
	tap_failed=$((tap_failed + 1))
	printf 'not ok %d - %s\n' "$tap_run" "$1"
}

ok() {
	tap_name=$1
	shift
	if "$@" >"$tmp/ok.out" 2>&1; then
		pass "$tap_name"
	else
		fail "$tap_name"
		diag "command: $*"
		head -n 40 "$tmp/ok.out" | sed 's/^/# /'
	fi
}

is() {
	if [ "x$2" = "x$3" ]; then
		pass "$1"
	else
		fail "$1"
		diag "got  $2"
		diag "want $3"
	fi
}

check() {
	tap_why=
	tap_status=0
	(eval "$2") >"$tmp/out" 2>&1 </dev/null || tap_status=$?
	[ "$tap_status" -eq "$3" ] || tap_why="status $tap_status, want $3"
	if [ -n "${4-}" ] && ! grep -Eq -e "$4" "$tmp/out"; then
		tap_why="${tap_why:+$tap_why; }no line matches /$4/"
	fi
	if [ -n "${5-}" ] && grep -Eq -e "$5" "$tmp/out"; then
		tap_why="${tap_why:+$tap_why; }a line matches /$5/"
	fi
	if [ -z "$tap_why" ]; then
		pass "$1"
	else
		fail "$1"
		diag "command: $2"
		diag "$tap_why"
		head -n 40 "$tmp/out" | sed 's/^/# /'
	fi
}

refuses() {
	tap_status=0
	(eval "$HVSCOPE $2") >"$tmp/stdout" 2>"$tmp/stderr" </dev/null || tap_status=$?
	if [ "$tap_status" -eq "$3" ] && ! [ -s "$tmp/stdout" ] &&
		[ "$(wc -l <"$tmp/stderr")" -eq 1 ] && grep -Eq -- "^hvscope: .*$4" "$tmp/stderr"; then
		pass "$1"
	else
		fail "$1"
		diag "hvscope $2: status $tap_status"
		head -n 5 "$tmp/stderr" "$tmp/stdout" | sed 's/^/# /'
	fi
}

skip() {
	tap_run=$((tap_run + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_run" "$1" "$2"
}

skip_all() {
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

need_tracefs() {
	[ "$(id -u)" -eq 0 ] || skip_all "only root may trace"
	for tracing in /sys/kernel/tracing /sys/kernel/debug/tracing; do
		[ ! -d $tracing/events ] || return 0
	done
	skip_all "tracefs is not mounted"
}

need_run() {
	"$HVSCOPE" "$@" -d 1ms -q >/dev/null 2>"$tmp/err" || skip_all "tracing is refused: $(cat "$tmp/err")"
}

left_by() {
	find "$tracing/instances" -maxdepth 1 -name "hvscope.$1.*" | wc -l | tr -d ' '
}

done_testing() {
	printf '1..%d\n' "$tap_run"
	[ "$tap_failed" -eq 0 ]
	exit
}
