# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What a dom0's job needs to run guests of its own; lab_xen_tools puts it into the image.
#
#	xen_begin		starts Xen's daemons
#	xen_guest NAME TYPE	runs a guest (TYPE pv or pvh) from /host/NAME.initrd to its end, with
#				a disk xvda to work on and one for its results, which are left
#				in $OUT/NAME
#
# Rule: the daemons get the least that they need, and each wait has an end.

xen_wait() { # SECONDS COMMAND...
	xen_left=$1
	shift
	until "$@" >/dev/null 2>&1; do
		xen_left=$((xen_left - 1))
		[ $xen_left -gt 0 ] || return 1
		sleep 1
	done
}

xen_begin() {
	mkdir -p /var/lib/xen /var/run/xen /var/log/xen /run/xen /run/xenstored /var/run/xenstored \
		/var/lib/xenstored /var/lock /etc/xen/scripts /var/lib/xen/dump
	# The stock script for disks takes so long in an emulated machine that it times out.
	cat >/etc/xen/scripts/block <<-'END'
		#!/bin/sh
		PATH=/usr/sbin:/usr/bin:/sbin:/bin
		export LD_LIBRARY_PATH=/lab/lib
		if [ "$1" = add ]; then
			disk=$(xenstore-read "$XENBUS_PATH/params")
			xenstore-write "$XENBUS_PATH/physical-device" "$(stat -c %t:%T "$disk")"
			xenstore-write "$XENBUS_PATH/hotplug-status" connected
		fi
	END
	cat >/etc/xen/scripts/vif-direct <<-'END'
		#!/bin/sh
		PATH=/usr/sbin:/usr/bin:/sbin:/bin
		export LD_LIBRARY_PATH=/lab/lib
		case $1 in
		add|online)
			ip link set "$vif" up
			xenstore-write "$XENBUS_PATH/hotplug-status" connected
			;;
		esac
	END
	chmod 755 /etc/xen/scripts/*
	xen_say "begins"
	xenstored --pid-file /run/xenstored.pid || return
	xen_wait 30 xenstore-read / || return
	xen-init-dom0 || return
	xenconsoled --log=guest --log-dir=/var/log/xen --pid-file=/run/xenconsoled.pid
}

# Where it is, for whoever looks at a machine that doesn't come to its end.
xen_say() {
	echo "$(cut -d ' ' -f 1 /proc/uptime) $*" >>/host/progress
}

xen_guest() {
	truncate -s 64M "/tmp/$1.disk"
	truncate -s 64M "/tmp/$1.results"
	disk=$(losetup -f) && losetup "$disk" "/tmp/$1.disk" || return
	results=$(losetup -f) && losetup "$results" "/tmp/$1.results" || return
	cat >"/tmp/$1.cfg" <<-END
		name = "$1"
		type = "$2"
		memory = 320
		vcpus = ${XEN_VCPUS:-2}
		kernel = "/host/vmlinux"
		ramdisk = "/host/$1.initrd"
		extra = "console=hvc0 quiet nokaslr mitigations=off random.trust_cpu=on panic=1"
		disk = [ "phy:$disk,xvda,w", "phy:$results,xvdb,w" ]
		vif = [ "script=vif-direct" ]
		on_crash = "destroy"
		on_reboot = "destroy"
	END
	xen_say "$1 is made"
	# In the foreground: it ends with the guest, and nothing has to ask.
	timeout "${XEN_SECONDS:-300}" xl create -F "/tmp/$1.cfg" || { xl destroy "$1"; return 1; }
	xen_say "$1 has ended"
	mkdir -p "$OUT/$1"
	cp "/var/log/xen/guest-$1.log" "$OUT/$1/console" 2>/dev/null
	tar -xf "/tmp/$1.results" -C "$OUT/$1"
}
