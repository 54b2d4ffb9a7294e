/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzzer's body without libFuzzer: over the named files, of which there must be some, and over each valid input,
 * truncated at every length, with every byte changed, and damaged at random (with a fixed seed): one bit of each byte
 * and 500 rounds; with ENTRALOGIN_DEEP every bit, in a short input every value, and 4,000 rounds. `--corpus FOLDER`
 * writes the valid inputs to that folder instead.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#define ROUNDS 500
#define DEEP_ROUNDS 4000
#define SHORT 256u

static unsigned long runs;
static bool is_deep;

static void run(const unsigned char *bytes, size_t size) {
    fuzz_input(bytes, size);
    runs++;
}

static void replay_file(const char *path) {
    static unsigned char bytes[FUZZ_INPUT_MAX];
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        exit(1);
    }
    run(bytes, fread(bytes, 1, sizeof bytes, f));
    fclose(f);
}

/* xorshift32: the same damage in every run. */
static uint32_t chance(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void damage(const unsigned char *sample, size_t size) {
    static unsigned char bytes[FUZZ_INPUT_MAX];
    uint32_t state = 2463534242u;
    for (size_t length = 0; length <= size; length++)
        run(sample, length);
    memcpy(bytes, sample, size);
    for (size_t i = 0; i < size; i++) {
        if (!is_deep) {
            bytes[i] = sample[i] ^ (unsigned char)(1u << i % 8);
            run(bytes, size);
        }
        for (unsigned change = 1; is_deep && change < 256; change = size < SHORT ? change + 1 : change << 1) {
            bytes[i] = sample[i] ^ (unsigned char)change;
            run(bytes, size);
        }
        bytes[i] = sample[i];
    }
    for (int round = 0; round < (is_deep ? DEEP_ROUNDS : ROUNDS); round++) {
        memcpy(bytes, sample, size);
        for (uint32_t n = 1 + chance(&state) % 8; n > 0; n--)
            bytes[chance(&state) % size] = (unsigned char)chance(&state);
        run(bytes, size - (chance(&state) % 4 == 0 ? chance(&state) % size : 0));
    }
}

static int write_corpus(const char *folder) {
    static unsigned char bytes[FUZZ_INPUT_MAX];
    const char *name;
    size_t size;
    for (unsigned kind = 0; (size = fuzz_sample(kind, &name, bytes, sizeof bytes)) != 0; kind++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, name);
        FILE *f = fopen(path, "wb");
        if (f == NULL)
            return 1;
        size_t written = fwrite(bytes, 1, size, f);
        if (fclose(f) != 0 || written != size)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    static unsigned char bytes[FUZZ_INPUT_MAX];
    const char *name;
    size_t size;
    if (argc == 3 && strcmp(argv[1], "--corpus") == 0)
        return write_corpus(argv[2]);
    if (argc < 2) {
        fprintf(stderr, "%s: the corpus is empty\n", fuzz_subject);
        return 1;
    }
    is_deep = getenv("ENTRALOGIN_DEEP") != NULL;
    for (int i = 1; i < argc; i++)
        replay_file(argv[i]);
    for (unsigned kind = 0; (size = fuzz_sample(kind, &name, bytes, sizeof bytes)) != 0; kind++)
        damage(bytes, size);
    printf("%s: %lu inputs, %d of them from the corpus; every promise held\n", fuzz_subject, runs, argc - 1);
    return 0;
}
