#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The commands for guests in a real dom0 of Xen: what it is, its hypercalls against the kernel's own
# trace text and its own counting (hist triggers) of the same processes, its upcalls, and time stolen
# where four vCPUs share a CPU.
#
# Rule: truth is what the kernel tells to another user of tracing, or in /proc/stat.

. "${top_srcdir:-.}/tests/vm/lab.sh"

kernel=${HVSCOPE_LAB_KERNEL:-kernel-6.1}
lab_begin "$kernel" xen
lab_cpu=qemu64
lab_mem=3072

# --- A dom0 with a CPU for each of its vCPUs ---

cat >"$tmp/job" <<'END'
bystander=$TRACEFS/instances/bystander

hvscope info -f json -o $OUT/info.json 2>$OUT/info.err
echo $? >$OUT/info.status

# A process that forks a lot, and waits for the word to begin.
cat >forks <<'FORKS'
echo $$ >$OUT/pid
read -r go <go
n=0
while [ $n -lt 150 ]; do
	(:)
	n=$((n + 1))
done
FORKS

# The bystander is told of it and its children, as hvscope is: in a switch from one to the other the
# kernel still works for the first.
mkdir $bystander
echo 32768 >$bystander/buffer_size_kb
mkfifo go
sh forks &
forks=$!
sleep 1
echo 1 >$bystander/options/event-fork
echo $forks >$bystander/set_event_pid
echo 1 >$bystander/events/xen/xen_mc_entry/enable
echo 1 >$bystander/events/xen/xen_mc_flush/enable
# The kernel counts too, each event of Xen, for the same processes.
hist() {
	case $1 in
	xen_mc_entry) echo "hist:keys=common_pid,op:size=8192" ;;
	xen_mc_flush) echo "hist:keys=common_pid,mcidx:size=8192" ;;
	*) echo "hist:keys=common_pid:size=8192" ;;
	esac
}
for event in $bystander/events/xen/*/hist; do
	event=${event%/hist}
	hist ${event##*/} >$event/trigger
done
hvscope hypercalls -f json --by tid,op -p $forks -o $OUT/hypercalls.json 2>$OUT/hypercalls.err &
hvscope=$!
hvscope count 't:xen:*' -f json --by tid,event -p $forks -o $OUT/count.json 2>$OUT/count.err &
count=$!
# Until both trace: a new instance is on until it is set up, so its event counts too.
for _ in $(seq 300); do
	[ "$(cat $TRACEFS/instances/hvscope.*/tracing_on \
		$TRACEFS/instances/hvscope.*/events/xen/xen_mc_flush/enable 2>/dev/null | grep -c '^1')" != 4 ] || break
	sleep 0.2
done
echo go >go
wait $forks
kill -TERM $hvscope $count
wait $hvscope
echo $? >$OUT/hypercalls.status
wait $count
echo $? >$OUT/count.status
echo 0 >$bystander/tracing_on
mkdir $OUT/hist
for event in $bystander/events/xen/*/hist; do
	event=${event%/hist}
	cp $event/hist $OUT/hist/${event##*/}
	echo "!$(hist ${event##*/})" >$event/trigger
done
sed -n 's/.*-\([0-9]*\) *\[.* xen_mc_\([a-z]*\): [a-z]* \([0-9]*\).*/\1 \2 \3/p' $bystander/trace |
	awk -v pid=$forks '$1 == pid { print $2, $3 }' >$OUT/calls
grep -m 3 xen_mc_ $bystander/trace
echo >$bystander/set_event_pid
echo 0 >$bystander/events/enable

hvscope hypercalls --stack --direct -f json -o $OUT/ways.json -- sh -c 'for i in $(seq 60); do (:); done'
echo $? >$OUT/ways.status

# Another user's probe of the same function, in another instance.
echo 'p:lab/upcall __xen_pv_evtchn_do_upcall' >$TRACEFS/kprobe_events
echo >$bystander/trace
echo mono >$bystander/trace_clock
echo 1 >$bystander/events/lab/upcall/enable
echo 1 >$bystander/tracing_on
hvscope callbacks -f json -o $OUT/callbacks.json -- sh -c 'for i in $(seq 300); do (:); done; sleep 1' 2>$OUT/callbacks.err
echo $? >$OUT/callbacks.status
echo 0 >$bystander/tracing_on
sed -n 's/.* \([0-9]*\)\.\([0-9]*\): upcall: .*/\1\2/p' $bystander/trace >$OUT/upcalls
grep upcall $TRACEFS/kprobe_profile
echo 0 >$bystander/events/lab/upcall/enable
echo -:lab/upcall >>$TRACEFS/kprobe_events
rmdir $bystander

ls $TRACEFS/instances >$OUT/left
cat $TRACEFS/kprobe_events >>$OUT/left
END

# of_forks TABLE EXPRESSION: of the forking process's rows.
of_forks() {
	jq -r --arg table "$1" --argjson pid "$(cat "$lab_out/pid")" \
		".tables[] | select(.name == \$table).rows[] | select(.tid == \$pid) | $2" \
		"$lab_out/hypercalls.json"
}

# of_hist EVENT: the lines of the forking process.
of_hist() {
	awk -v event="$1" -v pid="$(cat "$lab_out/pid")" '$1 ~ "^" event "$" && $2 == pid' "$tmp/hist"
}

lab_xen="dom0_mem=1G,max:1G"
lab_image dom0 "$kernel" xenfs
lab_add dom0 "$HVSCOPE"
if lab_run dom0 "$tmp/job" 600; then
	is "the job came to its end" "$lab_status" 0
	sed 's/^/# /' "$lab_out/log"
	is "info: ends well" "$(cat "$lab_out/info.status")" 0
	is "info: it is Xen's dom0, and PV" "$(jq -r '.tables[0].rows[] |
		select(.key == "what").value' "$lab_out/info.json")" "Xen dom0 (PV)"
	for command in hypercalls callbacks steal; do
		is "info: $command can tell something here" "$(jq -r --arg command $command \
			'.tables[] | select(.name == "commands").rows[] |
			select(.command == $command).works' "$lab_out/info.json")" yes
	done

	is "hypercalls: ends well" "$(cat "$lab_out/hypercalls.status")" 0
	is "hypercalls: nothing was lost" "$(jq .lost.complete "$lab_out/hypercalls.json")" true
	is "hypercalls: entries by number, as the kernel's own text has them" \
		"$(of_forks hypercalls '"\(.entries) \(.op)"' | sort)" "$(awk '$1 == "entry" { n[$2]++ } END { for (op in n) print n[op], op }' \
			"$lab_out/calls" | sort)"
	ok "hypercalls: the load did make some" test "$(wc -l <"$lab_out/calls")" -gt 1000
	is "hypercalls: flushes, and hypercalls in them" \
		"$(of_forks batches '"\(.flushes) \(.entries)"')" \
		"$(awk '$1 == "flush" { n++; sum += $2 } END { print n, sum }' "$lab_out/calls")"
	is "hypercalls: multicalls and direct ones" \
		"$(of_forks batches .issued)" \
		"$(awk '$1 == "flush" && $2 > 0 { n++ } END { print n }' "$lab_out/calls")"
	# What the kernel counted itself, as lines of "event thread count" or "event thread value count".
	for event in "$lab_out"/hist/*; do
		sed -n "s/^{ common_pid: *\([0-9]*\)\(, [a-z]*: *\([0-9]*\)\)* } hitcount: *\([0-9]*\).*/\
${event##*/} \1 \3 \4/p" "$event"
	done | sed '/^$/d' >"$tmp/hist"
	ok "hist triggers: this kernel has them on all events of Xen" \
		test "$(find "$lab_out/hist" -type f | wc -l)" -gt 20
	is "hist triggers: none of them ran over" "$(sed -n 's/.*Dropped: //p' "$lab_out"/hist/* | sort -u)" 0
	is "hypercalls: entries by number, as the kernel counted them" \
		"$(of_forks hypercalls '"\(.entries) \(.op)"' | sort)" \
		"$(of_hist xen_mc_entry | awk '{ print $4, $3 }' | sort)"
	is "hypercalls: flushes, hypercalls in them and those that issued some, as it counted them" \
		"$(of_forks batches '"\(.flushes) \(.entries) \(.issued)"')" \
		"$(of_hist xen_mc_flush | awk '{ n += $4; sum += $3 * $4; issued += $3 ? $4 : 0 }
			END { print n, sum, issued }')"
	is "hypercalls: Xen's names" "$(of_forks hypercalls 'select(.op == 1 or .op == 26).name' | sort)" \
		"mmu_update
mmuext_op"

	is "count xen:*: ends well" "$(cat "$lab_out/count.status")" 0
	for event in entry flush; do
		is "count xen:*: $event, as the kernel's own text has it" \
			"$(jq -r --arg event "xen:xen_mc_$event" --argjson pid "$(cat "$lab_out/pid")" \
				'.tables[0].rows[] | select(.tid == $pid and .event == $event).count' \
				"$lab_out/count.json")" \
			"$(grep -c "^$event " "$lab_out/calls")"
	done

	is "count xen:*: every event as often as the kernel counted it" \
		"$(jq -r --argjson pid "$(cat "$lab_out/pid")" '.tables[0].rows[] |
			select(.tid == $pid) | "\(.event) \(.count)"' "$lab_out/count.json" | sort)" \
		"$(of_hist '.*' | awk '{ n["xen:" $1] += $NF } END { for (event in n) print event, n[event] }' |
			sort)"

	is "hypercalls --stack --direct: ends well" "$(cat "$lab_out/ways.status")" 0
	is "hypercalls --stack: each entry and each update came one way" \
		"$(jq '[.tables[] | select(.name == "stacks").totals.count][0]' "$lab_out/ways.json")" \
		"$(jq '[.tables[] | select(.name == "hypercalls").totals | .entries + .extended][0]' \
			"$lab_out/ways.json")"
	ok "hypercalls --stack: forks among the ways" jq -e \
		'[.tables[] | select(.name == "stacks").rows[].stack | index("kernel_clone")] | any' \
		"$lab_out/ways.json"
	ok "hypercalls --direct: callers that the tracepoints don't tell of" jq -e \
		'.tables[] | select(.name == "callers").totals.calls > 0' "$lab_out/ways.json"

	is "callbacks: ends well" "$(cat "$lab_out/callbacks.status")" 0
	calls=$(jq '[.tables[] | select(.name == "callbacks").rows[].calls] | add' \
		"$lab_out/callbacks.json")
	# Text has microseconds, and the two don't begin at the same instant.
	truth=$(jq '.begin_ns, .begin_ns + .span_ns' "$lab_out/callbacks.json" | tr '\n' ' ' |
		{ read -r from to; awk -v from="$from" -v to="$to" \
			'$1 * 1000 >= from && $1 * 1000 <= to { n++ } END { print n + 0 }' \
			"$lab_out/upcalls"; })
	diag "callbacks: $calls, and $truth by another user's probe"
	ok "callbacks: there are some" test "${calls:-0}" -gt 100
	ok "callbacks: as many as another user's probe counts, within 3 %" \
		test $((100 * (calls > truth ? calls - truth : truth - calls))) -le $((3 * truth))
	is "nothing is left in tracefs" "$(cat "$lab_out/left")" ""
	[ -z "${HVSCOPE_LAB_KEEP-}" ] || cp -r "$lab_out" "$HVSCOPE_LAB_KEEP/xen-dom0"
fi

# --- Four vCPUs, busy, on one CPU ---

cat >"$tmp/job" <<'END'
for cpu in 0 1 2 3; do
	taskset $((1 << cpu)) sh -c 'while :; do :; done' &
done
sleep 2
head -n 1 /proc/stat >$OUT/before
hvscope steal --hist -f json -d 15s -o $OUT/steal.json 2>$OUT/steal.err
echo $? >$OUT/steal.status
head -n 1 /proc/stat >$OUT/after
hvscope steal 3 1 >$OUT/table 2>&1
END

lab_smp=4
lab_xen="maxcpus=1 dom0_max_vcpus=4 dom0_mem=1G,max:1G"
lab_image steal "$kernel" xenfs
lab_add steal "$HVSCOPE"
if lab_run steal "$tmp/job" 400; then
	is "steal: ends well" "$(cat "$lab_out/steal.status")" 0
	sed 's/^/# /' "$lab_out/table" "$lab_out/steal.err"
	truth=$(lab_stolen "$lab_out/before" "$lab_out/after")
	stat=$(jq '[.tables[] | select(.name == "steal").totals.steal * 100 | floor][0]' \
		"$lab_out/steal.json")
	# /proc/stat counts whole ticks, and none of those that fell into stolen time: so the clock's
	# share too is told of what was accounted, not of the time that went by.
	clock=$(lab_clock "$lab_out/steal.json")
	diag "stolen: $truth % by /proc/stat, $stat % by hvscope, $clock % by the steal clock"
	ok "steal: more than half of the time" test "$stat" -gt 50
	# The window around it holds its start and end too, when other things run.
	ok "steal: as /proc/stat has it, within 10 points" \
		test $((stat - truth)) -le 10 -a $((truth - stat)) -le 10
	ok "steal: the clock and /proc/stat agree within 5 points" \
		test $((stat - clock)) -le 5 -a $((clock - stat)) -le 5
	is "steal: four CPUs were asked about" \
		"$(jq -r '.tables[] | select(.name == "slices").rows | length' "$lab_out/steal.json")" 4
	[ -z "${HVSCOPE_LAB_KEEP-}" ] || cp -r "$lab_out" "$HVSCOPE_LAB_KEEP/xen-steal"
fi
done_testing
