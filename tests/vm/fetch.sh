#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the labs boot: Debian's kernels, its newest QEMU for this release, and Xen, unpacked into a
# cache.  Nothing is installed and the system's own package lists are not read or changed.
#
#	fetch.sh DIR ITEM...
#
# Each ITEM becomes the folder DIR/ITEM.  It is made beside and renamed when it is whole, so a
# folder that exists can be used, whatever interrupted an earlier fetch.
#
# Rule: apt checks every package against Debian's signatures; nothing is downloaded past it.

set -u

usage() {
	echo "usage: fetch.sh DIR kernel-6.1|kernel-6.12|qemu|qemu-7.2|busybox|xen|xen-tools|prometheus|kshark|sysroot-arm64 ..." >&2
	exit 2
}

fail() {
	echo "fetch.sh: $*" >&2
	exit 1
}

[ $# -ge 2 ] || usage
mkdir -p "$1" || fail "can't make the cache folder $1"
dir=$(cd "$1" && pwd)
shift

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
arch=amd64
apt=$dir/apt-$arch
work=

clean() {
	[ -z "$work" ] || rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

# apt with a state of its own: lists, cache and status live in the cache folder.
lab_apt() {
	tool=$1
	shift
	"$tool" -qq -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- \
		-o "Dir::Etc::trusted=$keyring" \
		-o "Dir::State=$apt/state" -o "Dir::State::status=$apt/status" \
		-o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root -o "APT::Architecture=$arch" \
		-o "APT::Architectures=$arch" -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

lists_update() {
	[ ! -e "$apt/updated" ] || return 0
	command -v apt-get >/dev/null || fail "needs apt-get to fetch Debian packages"
	[ -r "$keyring" ] || fail "needs $keyring (package debian-archive-keyring)"
	mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" || exit 1
	: >"$apt/status"
	mirror=${HVSCOPE_LAB_MIRROR:-http://deb.debian.org}
	cat >"$apt/sources.list" <<-END
		deb [arch=$arch signed-by=$keyring] $mirror/debian bookworm main
		deb [arch=$arch signed-by=$keyring] $mirror/debian bookworm-backports main
		deb [arch=$arch signed-by=$keyring] $mirror/debian-security bookworm-security main
	END
	for try in 1 2 3; do
		if lab_apt apt-get update >&2; then
			: >"$apt/updated"
			return 0
		fi
		sleep $((try * 3))
	done
	fail "can't read Debian's package lists from $mirror"
}

# Meta packages name the newest kernel of a series: its first dependency.
newest_kernel() {
	lab_apt apt-cache depends --important "$1" | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1
}

# unpack PACKAGE[/SUITE]...: into $work/root
unpack() {
	mkdir -p "$work/deb" "$work/root"
	ok=
	for try in 1 2 3; do
		if (cd "$work/deb" && lab_apt apt-get download "$@" >&2); then
			ok=1
			break
		fi
		# A list that aged out names packages that the mirror dropped.
		rm -f "$apt/updated"
		sleep $((try * 3))
		lists_update
	done
	[ -n "$ok" ] || fail "can't download $*"
	for deb in "$work/deb"/*.deb; do
		dpkg-deb -x "$deb" "$work/root" || fail "can't unpack $deb"
	done
	rm -rf "$work/deb"
}

fetch_kernel() {
	image=$(newest_kernel "$1")
	[ -n "$image" ] || fail "Debian has no package $1"
	unpack "$image"
	version=${image#linux-image-}
	mkdir "$work/item" || exit 1
	mv "$work/root/boot/vmlinuz-$version" "$work/item/vmlinuz" || exit 1
	mv "$work/root/lib" "$work/item/lib" || exit 1
	echo "$version" >"$work/item/version"
}

# The libraries of another architecture: what to link against and what to run with.
fetch_sysroot() {
	unpack libc6 libelf-dev libelf1 libtracecmd-dev libtracecmd1 libtraceevent-dev libtraceevent1 \
		libtracefs-dev libtracefs1 libzstd-dev libzstd1 zlib1g-dev zlib1g
	mv "$work/root" "$work/item"
}

fetch_qemu() {
	unpack "qemu-system-x86/$1" "qemu-system-data/$1" "qemu-system-common/$1" "seabios/$1" ipxe-qemu
	mv "$work/root" "$work/item"
}

fetch() {
	case $1 in
	kernel-6.1) fetch_kernel linux-image-amd64 ;;
	kernel-6.12) fetch_kernel linux-image-6.12-amd64 ;;
	qemu) fetch_qemu bookworm-backports ;;
	qemu-7.2) fetch_qemu bookworm ;;
	busybox)
		unpack busybox-static
		mkdir "$work/item" && mv "$work/root/bin/busybox" "$work/item/busybox"
		;;
	xen)
		unpack xen-hypervisor-4.17-amd64
		mkdir "$work/item" && gunzip -c "$work"/root/boot/xen-4.17*.gz >"$work/item/xen" ||
			fail "the Xen package holds no hypervisor"
		;;
	xen-tools)
		unpack xen-utils-4.17 xen-utils-common xenstore-utils libxencall1 \
			libxendevicemodel1 libxenevtchn1 libxenforeignmemory1 libxengnttab1 \
			libxenhypfs1 libxenmisc4.17 libxenstore4 libxentoolcore1 libxentoollog1 \
			libyajl2 libnl-3-200 libnl-route-3-200 libfdt1 libgcc-s1
		mv "$work/root" "$work/item"
		;;
	# Only the programs: the package itself would start a service.
	prometheus)
		unpack prometheus
		mv "$work/root/usr/bin" "$work/item"
		;;
	# KernelShark's library for traces, without the rest of it, which would bring a desktop along.
	kshark)
		unpack libkshark2 libjson-c5
		mv "$work"/root/usr/lib/x86_64-linux-gnu "$work/item"
		;;
	sysroot-*) fetch_sysroot ;;
	*) usage ;;
	esac
}

for item; do
	[ ! -d "$dir/$item" ] || continue
	case $item in
	sysroot-*) arch=${item#sysroot-} ;;
	*) arch=amd64 ;;
	esac
	apt=$dir/apt-$arch
	lists_update
	work=$(mktemp -d "$dir/.new.XXXXXX") || fail "can't write to $dir"
	fetch "$item"
	# Someone else may have made it meanwhile: theirs is as good.
	mv -T "$work/item" "$dir/$item" 2>/dev/null || [ -d "$dir/$item" ] ||
		fail "can't make $dir/$item"
	rm -rf "$work"
	work=
done
