/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fuzzer is one file with the two functions below. With driver.c it is a test that runs for
 * seconds in `make check`; by `make fuzz` libFuzzer drives the same file for as long as one likes.
 */
#ifndef HVSCOPE_TESTS_FUZZ_H
#define HVSCOPE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry: aborts where a promise is broken. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A good input to damage, one of many by its number: at most room bytes; returns how many. */
size_t fuzz_seed(uint64_t number, uint8_t *data, size_t room);

#endif
