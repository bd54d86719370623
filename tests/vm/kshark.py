#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Reads a trace file as KernelShark does, by its own library, and prints a line for each entry:
# event, task, thread id and the text that KernelShark shows in its list, with tabs between.
#
#	kshark.py LIBRARY FILE

import ctypes
import sys

library = ctypes.CDLL(sys.argv[1])
library.kshark_load_entries.restype = ctypes.c_ssize_t
# These hand over their text: kept for the little while that this runs.
for name in "event_name", "task", "info":
    getattr(library, "kshark_get_" + name).restype = ctypes.c_char_p

context = ctypes.c_void_p()
if not library.kshark_instance(ctypes.byref(context)):
    sys.exit("libkshark can't begin")
stream = library.kshark_open(context, sys.argv[2].encode())
if stream < 0:
    sys.exit("libkshark can't open %s: %d" % (sys.argv[2], stream))
rows = ctypes.POINTER(ctypes.c_void_p)()
count = library.kshark_load_entries(context, stream, ctypes.byref(rows))
if count < 0:
    sys.exit("libkshark can't load %s: %d" % (sys.argv[2], count))
for i in range(count):
    entry = ctypes.c_void_p(rows[i])
    event, task, info = (getattr(library, "kshark_get_" + name)(entry) or b"?"
                         for name in ("event_name", "task", "info"))
    sys.stdout.buffer.write(b"%s\t%s\t%d\t%s\n" %
                            (event, task, library.kshark_get_pid(entry), info.strip()))
