# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What scripts/check, try and cross share: which packages are needed where, and how they come in.
# Only what is missing is installed, nothing is upgraded or removed, and no service is started.

# Where tests/vm/fetch.sh keeps what it unpacked; the labs look in the same place.
export HVSCOPE_LAB_CACHE="${HVSCOPE_LAB_CACHE:-${XDG_CACHE_HOME:-/var/cache}/hvscope-lab}"

# packages FAMILY GROUP: to build; to test, where each only makes some tests run instead of skip; to
# cross-build. Fedora's libraries are named by their pkg-config files, so that no name is guessed.
packages() {
	case $1-$2 in
	debian-build)
		echo autoconf automake gcc libc6-dev make pkg-config xz-utils \
			libtraceevent-dev libtracefs-dev libtracecmd-dev zlib1g-dev libzstd-dev libelf-dev
		;;
	debian-test)
		echo binutils ca-certificates clang cpio debian-archive-keyring git jq kmod \
			libclang-rt-dev llvm mandoc python3 qemu-system-x86 shellcheck trace-cmd
		;;
	debian-cross)
		echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static
		;;
	fedora-build)
		echo autoconf automake gcc make pkgconf-pkg-config xz \
			'pkgconfig(libtraceevent)' 'pkgconfig(libtracefs)' 'pkgconfig(libtracecmd)' \
			'pkgconfig(zlib)' 'pkgconfig(libzstd)' 'pkgconfig(libelf)'
		;;
	fedora-test)
		echo binutils clang compiler-rt cpio git-core jq kmod mandoc python3 \
			qemu-system-x86-core ShellCheck trace-cmd
		;;
	esac
}

# The machine's package family: debian, fedora, or nothing.
family() {
	if command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
		echo debian
	elif command -v dnf >/dev/null; then
		echo fedora
	fi
}

# missing PACKAGE...: those that are not installed, one a line.
missing() {
	local package
	for package; do
		case $(family) in
		debian)
			[[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed* ]] ||
				echo "$package"
			;;
		fedora)
			rpm -q --quiet --whatprovides "$package" || echo "$package"
			;;
		esac
	done
}

# apt_get ARGUMENT...: never asks, waits for another apt to end.
apt_get() {
	DEBIAN_FRONTEND=noninteractive timeout -k 30 900 apt-get -q -y -o DPkg::Lock::Timeout=300 \
		-o Acquire::Retries=3 -o Acquire::http::Timeout=60 -o Dpkg::Options::=--force-confold \
		"$@" </dev/null
}

# install_once PACKAGE...: one try. A repository of somebody else that can't be read is no reason
# to stop: what counts is whether the packages come.
install_once() {
	case $(family) in
	debian)
		apt_get update || echo "apt-get update was not clean; going on with what it got"
		apt_get install --no-install-recommends "$@"
		;;
	fedora)
		timeout -k 30 900 dnf -q -y --setopt=install_weak_deps=False install "$@" </dev/null
		;;
	esac
}

# install_packages PACKAGE...: installs what is missing, with patience for a mirror that is slow or
# just being changed. Returns 1 when something is still missing.
install_packages() {
	local need try
	mapfile -t need < <(missing "$@")
	((${#need[@]})) || return 0
	if ((EUID)); then
		echo "Root is needed to install: ${need[*]}"
		return 1
	fi
	for try in 1 2 3; do
		echo "Installing ${need[*]}"
		install_once "${need[@]}" && return 0
		echo "Try $try failed."
		sleep $((try * 5))
	done
	return 1
}

# install_each PACKAGE...: the same for packages that one can do without, so that one unknown name
# doesn't keep the others out.
install_each() {
	local package status=0
	install_packages "$@" && return 0
	((EUID)) && return 1
	for package in $(missing "$@"); do
		install_once "$package" || status=1
	done
	return "$status"
}

# install_group build|test|cross: all of build must come, of the others as many as can be had.
install_group() {
	local list
	read -ra list < <(packages "$(family)" "$1")
	case $(family)-$1 in
	-*)
		echo "Packages can be installed with apt-get or dnf only; CONTRIBUTING.md says what is needed."
		return 1
		;;
	*-build) install_packages "${list[@]}" ;;
	*) install_each "${list[@]}" ;;
	esac
}

# copy_tree FROM TO: the files of a work tree, committed or not, without what git ignores: a tree in
# which somebody has built is left alone, and doesn't disturb.
copy_tree() {
	mkdir -p "$2"
	if git -c safe.directory='*' -C "$1" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
		git -c safe.directory='*' -C "$1" ls-files -z --cached --others --exclude-standard |
			tar -C "$1" --null --ignore-failed-read -T - -cf - 2>/dev/null | tar -C "$2" -xf -
	else
		tar -C "$1" --exclude=./.git -cf - . | tar -C "$2" -xf -
	fi
}
