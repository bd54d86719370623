# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Emulated machines for the tests in tests/vm: a Debian kernel with a job in its initramfs, booted by
# QEMU without any help of this machine's own hypervisor, so they run wherever QEMU does.
#
#	lab_begin ITEM...		ends the test here when ITEM can't be had (see fetch.sh)
#	lab_image NAME KERNEL MODULE...	begins the initramfs NAME
#	lab_add NAME FILE [AS]		puts a program and its shared libraries into it; what is in the
#					folder $tmp/share.NAME comes with it as /host
#	lab_inner NAME JOB KERNEL MODULE...
#					the initramfs of a machine inside another one
#	lab_run NAME JOB [SECONDS]	boots it with the script JOB and leaves what the job wrote
#					to its $OUT in $lab_out and its status in $lab_status
#	lab_truth, lab_stolen, lab_clock	figures to compare with
#
# What a machine is made of can be set before lab_run: lab_smp, lab_mem, lab_cpu, lab_append (for the
# kernel), lab_xen (options for Xen, which then is booted first and makes the kernel its dom0).
#
# Rule: what the emulator does to us (a panic of its own making, a hang, a job that says 75: "this run
# is void") is tried again, in other machines; what the job found is never tried again.  So a test
# compares outside, on the files of a job that came to its end.

vm_dir=${top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/vm
. "$vm_dir/../lib.sh"

lab_cache=${HVSCOPE_LAB_CACHE:-${XDG_CACHE_HOME:-/var/cache}/hvscope-lab}
lab_tries=${HVSCOPE_LAB_TRIES:-8}
lab_emulator=qemu # set before lab_begin: qemu-7.2
lab_smp=2
lab_mem=2048
lab_board=q35
lab_cpu=EPYC,+svm,+npt
lab_append=
lab_xen=
lab_transport="virtio_pci 9pnet_virtio 9p" # modules by which a machine reaches its folder
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
	for lab_tool in cpio dpkg-deb xz; do
		command -v $lab_tool >/dev/null || lab_missing "needs $lab_tool"
	done
	if "$vm_dir/fetch.sh" "$lab_cache" "$lab_emulator" 2>"$tmp/fetch"; then
		lab_root=$lab_cache/$lab_emulator/usr
		lab_qemu=$lab_root/bin/qemu-system-x86_64
		QEMU_MODULE_DIR=$lab_root/lib/x86_64-linux-gnu/qemu
		export QEMU_MODULE_DIR
		lab_bios="-L $lab_root/share/qemu -L $lab_root/share/seabios"
	fi
	# Debian 12's own QEMU 7.2 sometimes breaks the kernels that it runs on several CPUs at once; it
	# is the second choice.
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
	lab_pattern=$(echo "$2" | sed 's/[-_]/[-_]/g')
	lab_file=$(find "$1/lib/modules" -name "$lab_pattern.ko" -o -name "$lab_pattern.ko.xz" | head -n 1)
	# Built into one kernel, a module of another.
	[ -n "$lab_file" ] || return 0
	case $lab_file in
	*.xz) xz -dc "$lab_file" ;;
	*) cat "$lab_file" ;;
	esac >"$3/$2.ko"
	for lab_module in $(LC_ALL=C tr '\0' '\n' <"$3/$2.ko" | LC_ALL=C sed -n 's/^depends=//p' | tr , ' '); do
		lab_module "$1" "$lab_module" "$3"
	done
	echo "$2.ko" >>"$3/list"
}

lab_image() {
	lab_image=$tmp/image.$1
	lab_kernel=$lab_cache/$2
	mkdir -p "$lab_image/bin" "$lab_image/modules" "$tmp/share.$1"
	ln -s "$lab_kernel" "$tmp/kernel.$1"
	cp "$lab_cache/busybox/busybox" "$lab_image/bin/busybox"
	cp "$vm_dir/init" "$lab_image/init"
	chmod 755 "$lab_image/init"
	: >"$lab_image/modules/list"
	shift 2
	for lab_module in $lab_transport "$@"; do
		lab_module "$lab_kernel" "$lab_module" "$lab_image/modules"
	done
}

# Libraries lie in a folder of their own: where this system keeps them need not be where the loader
# of another one looks.
lab_add() {
	lab_image=$tmp/image.$1
	lab_as=$lab_image${3:-/usr/bin/$(basename "$2")}
	mkdir -p "$(dirname "$lab_as")" "$lab_image/lab/lib" "$lab_image/lib64"
	cp -L "$2" "$lab_as"
	for lab_library in $(ldd "$2" 2>/dev/null | sed -n 's|.*[[:space:]]\(/[^ ]*\) (0x.*|\1|p'); do
		case $lab_library in
		*/ld-linux-*) cp -L "$lab_library" "$lab_image/lib64" ;;
		*) cp -L "$lab_library" "$lab_image/lab/lib" ;;
		esac
	done
}

# lab_xen_tools NAME: what dom0.sh needs, in the image of a dom0.
lab_xen_tools() {
	lab_root=$lab_cache/xen-tools/usr
	LD_LIBRARY_PATH=$lab_root/lib/x86_64-linux-gnu:$lab_cache/xen-tools/lib/x86_64-linux-gnu
	export LD_LIBRARY_PATH
	for lab_tool in xl xenstored xenconsoled xen-init-dom0; do
		lab_add "$1" "$lab_root/lib/xen-4.17/bin/$lab_tool"
	done
	for lab_tool in xenstore-read xenstore-write ; do
		lab_add "$1" "$lab_root/bin/$lab_tool"
	done
	unset LD_LIBRARY_PATH
	# A thread that ends needs it, and no program says so.
	cp -L "$(find "$lab_cache/xen-tools" -name libgcc_s.so.1)" "$tmp/image.$1/lab/lib"
	mkdir -p "$tmp/image.$1/etc/xen"
	cp "$lab_cache/xen-tools/etc/xen/xl.conf" "$tmp/image.$1/etc/xen"
	cp "$vm_dir/dom0.sh" "$tmp/image.$1/lab"
}

# lab_inner NAME JOB KERNEL MODULE...: the image of a machine inside another one, which runs JOB and
# has hvscope. It reaches no folder: what it needs to come to its disk are the modules.
lab_inner() {
	lab_name=$1
	lab_job=$2
	shift 2
	lab_outer=$lab_transport
	lab_transport=
	lab_image "$lab_name" "$@"
	lab_transport=$lab_outer
	lab_add "$lab_name" "$HVSCOPE"
	cp "$lab_job" "$tmp/image.$lab_name/lab/job"
}

# lab_nested HOST NAME DISK: gives the image NAME to a host as a guest of KVM, whose results go to its
# DISK: the host has an emulator, /host/vmlinuz and /host/NAME.initrd.
lab_nested() {
	echo "$3" >"$tmp/image.$2/lab/results"
	lab_add "$1" "$lab_qemu"
	mkdir -p "$tmp/image.$1/lab/bios"
	for lab_file in seabios/bios-256k.bin qemu/linuxboot_dma.bin qemu/kvmvapic.bin; do
		cp -L "$lab_cache/qemu/usr/share/$lab_file" "$tmp/image.$1/lab/bios"
	done
	lab_pack "$2" "$tmp/share.$1/$2.initrd"
	cp "$tmp/kernel.$2/vmlinuz" "$tmp/share.$1/vmlinuz"
}

# lab_guest DOM0 NAME: gives the image NAME to a dom0 as a guest of its.
lab_guest() {
	echo /dev/xvdb >"$tmp/image.$2/lab/results"
	lab_vmlinux "$tmp/kernel.$2"
	ln -f "$tmp/kernel.$2/vmlinux" "$tmp/share.$1/vmlinux" 2>/dev/null ||
		cp -L "$tmp/kernel.$2/vmlinux" "$tmp/share.$1/vmlinux"
	lab_pack "$2" "$tmp/share.$1/$2.initrd"
}

# lab_pack NAME FILE: the image as the kernel takes it.
lab_pack() {
	(cd "$tmp/image.$1" && find . | cpio -o -H newc --quiet) >"$2"
}

# The later tries take the emulator's other ways, which are slower and have fewer races.
lab_machine() {
	lab_accel=tcg,thread=multi
	[ "$1" -le 4 ] || lab_accel=tcg,thread=single
}

# The ELF inside a compressed kernel image, where struct setup_header says it is: Xen and QEMU load
# it at once, while unpacking it in an emulated machine takes longer than all the rest of the boot.
lab_vmlinux() {
	[ ! -e "$1/vmlinux" ] || return 0
	lab_sectors=$(od -An -tu1 -j 497 -N 1 "$1/vmlinuz")
	lab_offset=$(od -An -tu4 -j 584 -N 4 "$1/vmlinuz")
	lab_length=$(od -An -tu4 -j 588 -N 4 "$1/vmlinuz")
	# The last 4 bytes are the unpacked size, which no unpacker wants.
	tail -c +$(((lab_sectors + 1) * 512 + lab_offset + 1)) "$1/vmlinuz" | head -c $((lab_length - 4)) >"$tmp/packed"
	case $(od -An -tx4 -N 4 "$tmp/packed") in
	*587a37fd) xz -dc "$tmp/packed" ;;
	*fd2fb528) zstd -qdc "$tmp/packed" ;;
	esac >"$1/vmlinux.$$"
	[ -s "$1/vmlinux.$$" ] && mv "$1/vmlinux.$$" "$1/vmlinux"
}

# lab_boot IMAGE SHARE SECONDS: 0 when the job came to its end, else $lab_why says what happened.
lab_boot() {
	lab_share=$2
	lab_limit=$3
	lab_command="console=ttyS0 nokaslr no_timer_check tsc=reliable mitigations=off"
	if [ -n "$lab_xen" ]; then
		lab_vmlinux "$tmp/kernel.$1" || lab_missing "can't unpack the kernel image"
		lab_command="console=hvc0 earlyprintk=xen nokaslr mitigations=off"
	fi
	lab_command="$lab_command quiet random.trust_cpu=on panic=-1 $lab_append"
	if [ -n "$lab_xen" ]; then
		set -- -kernel "$lab_cache/xen/xen" \
			-append "console=com1 com1=115200 noreboot=no ucode=no spec-ctrl=no xpti=no $lab_xen" \
			-initrd "$tmp/kernel.$1/vmlinux $lab_command,$tmp/initrd.$1"
	else
		set -- -kernel "$tmp/kernel.$1/vmlinuz" -append "$lab_command" -initrd "$tmp/initrd.$1"
	fi
	# shellcheck disable=SC2086 # $lab_bios is several words
	"$lab_qemu" $lab_bios -nodefaults -no-user-config -M "$lab_board" -accel $lab_accel \
		-cpu "$lab_cpu" -smp "$lab_smp" -m "$lab_mem" -display none -monitor none \
		-no-reboot -serial "file:$lab_share/console" "$@" \
		-virtfs "local,path=$lab_share,mount_tag=host,security_model=none,multidevs=remap" \
		2>"$lab_share/qemu" &
	lab_pid=$!
	lab_wait "$lab_share" "$lab_limit"
}

lab_wait() {
	lab_since=$(date +%s)
	lab_why="the emulator ended early"
	while kill -0 "$lab_pid" 2>/dev/null; do
		lab_now=$(($(date +%s) - lab_since))
		[ ! -e "$1/status" ] || break
		if [ $lab_now -gt "$2" ]; then
			lab_why="no end within $2 s"
			break
		fi
		if [ $lab_now -gt 90 ] && [ ! -e "$1/started" ]; then
			lab_why="no start within 90 s"
			break
		fi
		sleep 0.2
	done
	kill -9 "$lab_pid" 2>/dev/null
	wait "$lab_pid" 2>/dev/null
	lab_pid=
	! grep -q 'Kernel panic' "$1/console" || lab_why="the emulated kernel panicked"
	lab_seconds=$(($(date +%s) - lab_since))
	[ -e "$1/status" ]
}

lab_run() {
	[ -e "$tmp/initrd.$1" ] || lab_pack "$1" "$tmp/initrd.$1"
	lab_try=0
	lab_first=$(date +%s)
	# Machines that are slow by themselves aren't begun for hours.
	while [ $lab_try -lt "$lab_tries" ] && [ $(($(date +%s) - lab_first)) -lt 900 ]; do
		lab_try=$((lab_try + 1))
		lab_machine $lab_try
		lab_share=$tmp/share.$1.$lab_try
		cp -rl "$tmp/share.$1" "$lab_share"
		mkdir "$lab_share/out"
		cp "$2" "$lab_share/job"
		if lab_boot "$1" "$lab_share" "${3:-180}"; then
			lab_status=$(cat "$lab_share/status")
			lab_out=$lab_share/out
			if [ "$lab_status" -ne $lab_void ]; then
				diag "$1: ran in $lab_seconds s (try $lab_try)"
				return 0
			fi
			lab_why="the run was void"
			tail -n 20 "$lab_out/log" | sed 's/^/#   log: /'
		fi
		diag "$1: try $lab_try ($lab_accel): $lab_why after $lab_seconds s"
		tail -n 5 "$lab_share/console" | sed 's/^/#   /'
		[ ! -e "$lab_share/progress" ] || sed 's/^/#   progress: /' "$lab_share/progress"
	done
	fail "$1: the machine came to its end in one of $lab_try tries"
	return 1
}

# lab_truth NAME EXPRESSION: what the guests of tests/vm/load counted in all, by the file NAME.truth;
# EXPRESSION as "port_out + port_in".
lab_truth() {
	sed -n 's/^TRUTH //p' "$lab_out/$1.truth" | tr ' ' '\n' | awk -F= -v keys="$2" '
		BEGIN { n = split(keys, part, " [+] "); while (n) want[part[n--]] = 1 }
		$1 in want { sum += $2 }
		END { print sum + 0 }'
}

# lab_stolen BEFORE AFTER: stolen time between two first lines of /proc/stat, in percent. Their
# columns: user nice system idle iowait irq softirq steal.
lab_stolen() {
	cat "$1" "$2" | awk '
		{ all = 0; for (i = 2; i <= 9; i++) all += $i; if (NR == 1) { a = all; s = $9 } }
		END { print int(100 * ($9 - s) / (all - a)) }'
}

# lab_clock REPORT: the same by the steal clock, from the slices of `steal --hist`.
lab_clock() {
	jq '[.tables[] | select(.name == "slices").totals.total_ns][0] as $stolen |
		.tables[] | select(.name == "steal").totals |
		100 * $stolen / ($stolen + .total_ns - .steal_ns) | floor' "$1"
}
