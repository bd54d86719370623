#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# -j N: the same bytes come out, on stdout and stderr, and the same status, however many threads
# work on a file. All committed captures, plain and compressed; and damaged files.

# shellcheck source=tests/lib.sh
. "${top_srcdir:-.}/tests/lib.sh"

damage() { # FROM TO SEED: some bytes of the second half are others
	cp "$1" "$2" && chmod u+w "$2"
	size=$(wc -c <"$1")
	for i in 1 2 3 4; do
		printf '\377\001' | dd of="$2" bs=1 seek=$((size / 2 + (size / 2 - 16) / 5 * i + $3)) \
			conv=notrunc 2>/dev/null
	done
}

commands() { # FILE N
	for command in exits "exits --by tid,reason --hist -f json 100ms" drivers callbacks \
		hypercalls "hypercalls --by tid,op,cpu -f csv" "hypercalls --by comm -f json -v" \
		"hypercalls -f prometheus" "hypercalls -f openmetrics --by cpu" \
		"hypercalls -C 0 --by vcpu" "hypercalls --stack" "hypercalls 100ms" \
		"count *:*" "count *:* --by comm,tid,cpu,event -n 9" \
		"argdist *:* -E common_pid --by tid,event -f json" \
		"argdist *:* -E common_pid*7-common_flags --hist -f csv" \
		"argdist *:* -E common_pid --linear 100 --by cpu -f csv" \
		"trace *:* -n 3000" "trace *:* -n 7 -f json" \
		"exits --by vcpu,cpu,reason --hist -f csv" "exits -f prometheus --hist -v" \
		"exits -f openmetrics -C 0" "exits --vcpu 0 -f json -v"; do
		set -f
		# shellcheck disable=SC2086
		"$HVSCOPE" $command -i "$1" -j "$2" 2>&1
		echo "status $?"
		set +f
	done
}

same() { # NAME FILE N...
	commands "$2" 1 >"$tmp/one"
	for n in $3; do
		commands "$2" "$n" >"$tmp/more"
		cmp "$tmp/one" "$tmp/more" >"$tmp/cmp" 2>&1 && continue
		fail "$1: -j $n"
		diff "$tmp/one" "$tmp/more" | head -n 10 | sed 's/^/# /'
		return
	done
	pass "$1"
}

damaged=$tmp/damaged.dat
for file in $(cd "$top_srcdir" && find tests/traces data -name '*.dat' | LC_ALL=C sort); do
	case $file in
	*/xen/* | */guests/*) same "$file" "$top_srcdir/$file" "2 3 5 8" ;;
	*) same "$file" "$top_srcdir/$file" "2 8" ;;
	esac
	case $file in
	*xen-small* | *6.1-small*)
		same "$file, other numbers" "$top_srcdir/$file" "0 3"
		for seed in 1 2 3; do
			damage "$top_srcdir/$file" "$damaged" "$seed"
			same "$file, damaged ($seed)" "$damaged" 4
		done
		;;
	esac
done

check "no threads" "'$HVSCOPE' exits -i '$top_srcdir/data/demo.dat' -j -1" 2 "-j"
check "far more than serve" "'$HVSCOPE' exits -i '$top_srcdir/data/demo.dat' -j 100000" 0 "hlt"
check "only with a file" "'$HVSCOPE' exits -j 2" 2 "-i FILE is missing"

done_testing
