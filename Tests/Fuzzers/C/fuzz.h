/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface of a fuzzer in C, which is body.c in its folder. libFuzzer calls it (entry.c), and replay.c runs it
 * over the corpus and over valid inputs that it damages at every byte. A promise that does not hold ends the process.
 */
#ifndef ENTRALOGIN_FUZZ_H
#define ENTRALOGIN_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What is fuzzed, for messages. */
extern const char fuzz_subject[];

/* Longer inputs are ignored. */
#define FUZZ_INPUT_MAX 8193u

void fuzz_input(const unsigned char *bytes, size_t size);

/* A valid input of each kind, by number, with its name for the corpus. Returns the size; 0 after the last. */
size_t fuzz_sample(unsigned kind, const char **ret_name, unsigned char *bytes, size_t capacity);

static inline void check(int holds, const char *promise) {
    if (holds)
        return;
    fprintf(stderr, "the fuzzer of %s: broken promise: %s\n", fuzz_subject, promise);
    abort();
}

#endif
