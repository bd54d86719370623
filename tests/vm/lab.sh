# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Emulated machines for the tests in tests/vm: a Debian kernel with a job in its initramfs, booted by
# QEMU without any help of this machine's own hypervisor, so they run wherever QEMU does.
#
#	lab_begin ITEM...		ends the test here when ITEM can't be had (see fetch.sh)
#	lab_image NAME KERNEL MODULE...	begins the initramfs NAME
#	lab_add NAME FILE [AS]		puts a program and its shared libraries into it
#	lab_run NAME JOB [SECONDS]	boots it with the script JOB and leaves what the job wrote
#					to its $OUT in $lab_out and its status in $lab_status
#
# What a machine is made of can be set before lab_run: lab_smp, lab_mem, lab_cpu, lab_append.
#
# Rule: what the emulator does to us (a panic of its own making, a hang, a job that says 75: "this run
# is void") is tried again, in other machines; what the job found is never tried again.  So a test
# compares outside, on the files of a job that came to its end.

vm_dir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/vm
. "$vm_dir/../lib.sh"

lab_cache=${HVSCOPE_LAB_CACHE:-${XDG_CACHE_HOME:-/var/cache}/hvscope-lab}
lab_tries=${HVSCOPE_LAB_TRIES:-8}
lab_smp=2
lab_mem=2048
lab_cpu=EPYC,+svm,+npt
lab_append=
lab_pid=
lab_void=75

lab_end() {
	[ -z "$lab_pid" ] || kill -9 "$lab_pid" 2>/dev/null
	rm -rf "$tmp"
}
trap lab_end EXIT

# A lab that can't be built is a failure where the tests must run, and a reason to skip elsewhere.
lab_missing() {
	if [ "${CI-}" = true ]; then
		fail "the lab: $1"
		done_testing
	fi
	skip_all "$1"
}

lab_begin() {
	[ "$(uname -m)" = x86_64 ] || lab_missing "the lab's packages are for x86_64"
	for tool in cpio dpkg-deb xz; do
		command -v $tool >/dev/null || lab_missing "needs $tool"
	done
	if "$vm_dir/fetch.sh" "$lab_cache" qemu 2>"$tmp/fetch"; then
		lab_root=$lab_cache/qemu/usr
		lab_qemu=$lab_root/bin/qemu-system-x86_64
		QEMU_MODULE_DIR=$lab_root/lib/x86_64-linux-gnu/qemu
		export QEMU_MODULE_DIR
		lab_bios="-L $lab_root/share/qemu -L $lab_root/share/seabios"
	fi
	# Debian 12's own QEMU 7.2 sometimes breaks the kernels that it runs; it is the second choice.
	if ! "${lab_qemu:-false}" --version >/dev/null 2>&1; then
		unset QEMU_MODULE_DIR
		lab_bios=
		lab_qemu=$(command -v qemu-system-x86_64) || lab_missing "needs qemu-system-x86_64"
	fi
	diag "$("$lab_qemu" --version | head -n 1)"
	"$vm_dir/fetch.sh" "$lab_cache" busybox "$@" 2>"$tmp/fetch" ||
		lab_missing "$(tail -n 1 "$tmp/fetch")"
}

# lab_module KERNEL NAME FOLDER: adds a module and all that it depends on, dependencies first.
# The recursion overwrites the variables, never the arguments.
lab_module() {
	[ ! -e "$3/$2.ko" ] || return 0
	pattern=$(echo "$2" | sed 's/[-_]/[-_]/g')
	file=$(find "$1/lib/modules" -name "$pattern.ko" -o -name "$pattern.ko.xz" | head -n 1)
	# Built into one kernel, a module of another.
	[ -n "$file" ] || return 0
	case $file in
	*.xz) xz -dc "$file" ;;
	*) cat "$file" ;;
	esac >"$3/$2.ko"
	for module in $(LC_ALL=C tr '\0' '\n' <"$3/$2.ko" | LC_ALL=C sed -n 's/^depends=//p' | tr , ' '); do
		lab_module "$1" "$module" "$3"
	done
	echo "$2.ko" >>"$3/list"
}

lab_image() {
	image=$tmp/image.$1
	kernel=$lab_cache/$2
	mkdir -p "$image/bin" "$image/modules"
	ln -s "$kernel" "$tmp/kernel.$1"
	cp "$lab_cache/busybox/busybox" "$image/bin/busybox"
	cp "$vm_dir/init" "$image/init"
	chmod 755 "$image/init"
	: >"$image/modules/list"
	shift 2
	for module in virtio_pci 9pnet_virtio 9p "$@"; do
		lab_module "$kernel" "$module" "$image/modules"
	done
}

lab_add() {
	image=$tmp/image.$1
	as=${3:-/usr/bin/$(basename "$2")}
	mkdir -p "$image/$(dirname "$as")"
	cp -L "$2" "$image/$as"
	for library in $(ldd "$2" 2>/dev/null | sed -n 's|.*[[:space:]]\(/[^ ]*\) (0x.*|\1|p'); do
		[ ! -e "$image/$library" ] || continue
		mkdir -p "$image/$(dirname "$library")"
		cp -L "$library" "$image/$library"
	done
}

# The later tries take the emulator's other ways, which are slower and have fewer races.
lab_machine() {
	lab_accel=tcg,thread=multi
	[ "$1" -le 4 ] || lab_accel=tcg,thread=single
}

# lab_boot IMAGE SHARE SECONDS: 0 when the job came to its end, else $lab_why says what happened.
lab_boot() {
	# shellcheck disable=SC2086
	"$lab_qemu" $lab_bios -nodefaults -no-user-config -M q35 -accel $lab_accel \
		-cpu "$lab_cpu" -smp "$lab_smp" -m "$lab_mem" -display none -monitor none \
		-no-reboot -serial "file:$2/console" \
		-kernel "$tmp/kernel.$1/vmlinuz" -initrd "$tmp/initrd.$1" \
		-append "console=ttyS0 quiet nokaslr mitigations=off no_timer_check tsc=reliable random.trust_cpu=on panic=-1 $lab_append" \
		-virtfs "local,path=$2,mount_tag=host,security_model=none,multidevs=remap" \
		2>"$2/qemu" &
	lab_pid=$!
	lab_wait "$2" "$3"
}

lab_wait() {
	begin=$(date +%s)
	lab_why="the emulator ended early"
	while kill -0 "$lab_pid" 2>/dev/null; do
		now=$(($(date +%s) - begin))
		[ ! -e "$1/status" ] || break
		if [ $now -gt "$2" ]; then
			lab_why="no end within $2 s"
			break
		fi
		if [ $now -gt 90 ] && [ ! -e "$1/started" ]; then
			lab_why="no start within 90 s"
			break
		fi
		sleep 0.2
	done
	kill -9 "$lab_pid" 2>/dev/null
	wait "$lab_pid" 2>/dev/null
	lab_pid=
	! grep -q 'Kernel panic' "$1/console" || lab_why="the emulated kernel panicked"
	lab_seconds=$(($(date +%s) - begin))
	[ -e "$1/status" ]
}

lab_run() {
	[ -e "$tmp/initrd.$1" ] ||
		(cd "$tmp/image.$1" && find . | cpio -o -H newc --quiet) >"$tmp/initrd.$1"
	lab_try=0
	while [ $lab_try -lt "$lab_tries" ]; do
		lab_try=$((lab_try + 1))
		lab_machine $lab_try
		share=$tmp/share.$1.$lab_try
		mkdir -p "$share/out"
		cp "$2" "$share/job"
		if lab_boot "$1" "$share" "${3:-180}"; then
			lab_status=$(cat "$share/status")
			lab_out=$share/out
			if [ "$lab_status" -ne $lab_void ]; then
				diag "$1: ran in $lab_seconds s (try $lab_try)"
				return 0
			fi
			lab_why="the run was void: $(tail -n 1 "$lab_out/log")"
		fi
		diag "$1: try $lab_try ($lab_accel): $lab_why after $lab_seconds s"
		tail -n 5 "$share/console" | sed 's/^/#   /'
	done
	fail "$1: the machine came to its end in one of $lab_tries tries"
	return 1
}
