#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where output goes: -o on every type of target, nothing half-written and nothing left behind, and
# one sentence when it can't be written.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

trace=$top_srcdir/tests/traces/kvm/6.1-small.dat
exits="$HVSCOPE exits -i $trace"
dir=$tmp/dir
mkdir "$dir" || exit 1

# clean NAME WANT: nothing but these names is in the folder.
clean() {
	is "$1" "$(find "$dir" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')" "$2"
}

for format in table json csv prometheus openmetrics; do
	"$HVSCOPE" exits -i "$trace" -f $format >"$tmp/direct" 2>/dev/null
	check "-f $format -o FILE" "$exits -f $format -o $dir/out" 0
	ok "-f $format: the file has what stdout gets" cmp "$tmp/direct" "$dir/out"
	ok "-f $format says something" [ -s "$dir/out" ]
done
check "a format for something else" "$exits -f folded -o $dir/out" 2 "^hvscope: .*stacks"
clean "no temporary file is left" "out "

# A file that is there: replaced as a whole, with its mode, and its other links keep the old text.
echo old >"$dir/out"
chmod 640 "$dir/out"
ln "$dir/out" "$dir/link"
check "a file is replaced" "$exits -f json -o $dir/out" 0
is "its mode stays" "$(stat -c %a "$dir/out")" 640
is "its old text stays behind other links" "$(cat "$dir/link")" old
rm -f "$dir/link"

# Symbolic links are followed, also to what isn't there yet.
mkdir "$dir/sub"
ln -s sub/real "$dir/sym"
ln -s "$dir/sym" "$dir/sym2"
check "a link to what isn't there" "$exits -f json -o $dir/sym2" 0
ok "the link stays, its target is made" [ -L "$dir/sym" -a -s "$dir/sub/real" ]
echo old >"$dir/sub/real"
check "a link to a file" "$exits -f json -o $dir/sym2" 0
ok "its target is replaced" grep -q '"exits"' "$dir/sub/real"
long=$dir/$(printf '%0255d' 0)
check "a name as long as names can be" "$exits -f csv -o $long" 0
ok "is written" [ -s "$long" ]
rm -f "$long"
ln -s loop "$dir/loop"
check "links that go round" "$exits -o $dir/loop" 1 "^hvscope: .*loop can't be written"
rm -rf "$dir/sub" "$dir/sym" "$dir/sym2" "$dir/loop"

# The trace itself isn't replaced by what is made of it.
cp "$trace" "$dir/trace"
ln "$dir/trace" "$dir/again"
ln -s trace "$dir/sym"
for name in trace again sym; do
	check "-o the trace that is read ($name)" "$HVSCOPE exits -i $dir/trace -o $dir/$name" 1 \
		"^hvscope: .*$name is the trace that is read"
done
ok "it is as it was" cmp "$trace" "$dir/trace"
rm -f "$dir/trace" "$dir/again" "$dir/sym"

# Other types are written as they are.
mkfifo "$dir/fifo"
cat "$dir/fifo" >"$tmp/read" &
check "a pipe is written directly" "$exits -f csv -o $dir/fifo" 0
wait
ok "and gets all" grep -q npf "$tmp/read"
ok "and stays a pipe" [ -p "$dir/fifo" ]
for wait in "-i $trace -o" "-i" "-i $trace --vm-map"; do
	check "a signal ends the wait of $wait for a pipe's other end" \
		"timeout -k 5 0.5 $HVSCOPE exits $wait $dir/fifo" 124 "^hvscope: .*fifo can't be"
done
rm "$dir/fifo"
check "a device is written directly" "$exits -o /dev/null" 0
ok "and stays a device" [ -c /dev/null ]

# What fails leaves the old file as it was.
echo old >"$dir/out"
check "a failing run" "$exits --sort nonsense -o $dir/out" 2
check "a file that can't be read" "$HVSCOPE exits -i $dir/none -o $dir/out" 1
is "leaves the old file alone" "$(cat "$dir/out")" old
clean "and no other" "out "
check "no such folder" "$exits -o $dir/none/out" 1 "^hvscope: .*none/out can't be written"
check "a folder as target" "$exits -o $dir" 1 "^hvscope: .*dir can't be written"

# Intervals: a text that grows, metrics that are replaced.
check "intervals into a file" "$exits 0.1 -f json -o $dir/out" 0
is "one object a line" "$(wc -l <"$dir/out" | tr -d ' ')" 4
check "metrics of intervals" "$exits 0.1 -f prometheus -o $dir/prom" 0
"$HVSCOPE" exits -i "$trace" -f prometheus >"$tmp/direct"
grep -v span "$tmp/direct" >"$tmp/want"
grep -v span "$dir/prom" >"$tmp/got"
ok "are those of the whole at the end" diff "$tmp/want" "$tmp/got"
clean "no temporary file is left" "out prom "

# stdout that can't be written. Status and sentence, with every format.
for format in table json csv prometheus openmetrics; do
	check "stdout is full ($format)" "$exits -f $format >/dev/full" 1 \
		"^hvscope: .*(written|No space)"
	check "stdout is closed ($format)" "$exits -f $format >&-" 1 "^hvscope: .*(written|Bad file)"
done
check "stdout is full, with intervals" "$exits 0.01 >/dev/full" 1 "^hvscope: .*(written|No space)"
check "help to a full disk" "$HVSCOPE help >/dev/full" 1 "^hvscope: the output could not be written"
check "a file that may not grow" "ulimit -f 1; exec $exits -f json -H -o $dir/small" 1 \
	"^hvscope: .*(written|too large)" "damaged"
ok "isn't there" [ ! -e "$dir/small" ]
check "a file that may not grow, from /proc" "ulimit -f 1; exec $HVSCOPE steal -f json -o $dir/small 1ms 20" 1 \
	"^hvscope: .*(written|too large)"
rm -f "$dir/small"
check "-o to a full device" "$exits -o /dev/full" 1 "^hvscope: .*(written|No space)"
check "a closed stderr harms nothing" "$exits -q 2>&- >/dev/null" 0
check "a closed stdin harms nothing" "$exits -q -f csv <&-" 0 npf
"$HVSCOPE" exits -i "$trace" 0.001 2>"$tmp/stderr" | head -n 1 >/dev/null
is "who reads no further ends it without a word" "$(cat "$tmp/stderr")" ""

# Nothing in a pipe is for a terminal only.
"$HVSCOPE" exits -i "$trace" >"$tmp/out" 2>"$tmp/stderr"
ok "no escapes but to a terminal" sh -c "! grep -q '$(printf '\033')' '$tmp/out' '$tmp/stderr'"
ok "nothing on stderr" [ ! -s "$tmp/stderr" ]
done_testing
