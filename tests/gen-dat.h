/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A load of exits and entries as a trace.dat. Apart from gen.h, which shares nothing with the code
 * that it tests: the file is written by the program's own writer.
 */
#ifndef HVSCOPE_TESTS_GEN_DAT_H
#define HVSCOPE_TESTS_GEN_DAT_H

#include "base/error.h"
#include "tests/gen.h"

/* How a kernel describes its pages of 4096 bytes, where a long has 8. */
extern const char gen_header_page[], gen_header_event[];

/* The pages of g, of 4096 bytes, as that file: 0, or -1 with *err. */
int gen_dat(const struct gen *g, const char *path, struct error *err);

#endif
