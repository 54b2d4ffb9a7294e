/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the fuzzer of the published files, besides body.c. */
#ifndef ENTRALOGIN_FUZZ_SNAPSHOT_H
#define ENTRALOGIN_FUZZ_SNAPSHOT_H

#include "fuzz.h"

/* --- files.c: the files are in memory; on disk, the kernel would take nine tenths of the time --- */

#define FUZZ_ACCOUNTS "/entralogin-fuzz/accounts"
#define FUZZ_GRANTS "/entralogin-fuzz/grants"
#define FUZZ_GROUPS "/entralogin-fuzz/groups"
#define FUZZ_BOOT_ID "/entralogin-fuzz/boot_id"

/* How a file is served; also bits of an input's first byte. */
#define FUZZ_CUT 16u    /* half of it is gone once the reader has looked at its size */
#define FUZZ_PIECES 32u /* a read gives few bytes at once, or is interrupted */

/* Forgets all files, and serves the boot id alone. */
void serve_nothing(void);

/*
 * Serves these bytes, which the caller still owns, to the code that is linked with --wrap: as a new file, renamed over
 * the earlier one at that path. A reader that has the earlier file open goes on reading that one.
 */
void serve(const char *path, const unsigned char *bytes, size_t size, unsigned how);

/* How many descriptors are open. */
int files_open(void);

/* --- sample.c --- */

/* A valid file of three accounts, one of two grants, and one of two Entra groups with two people. Returns the size. */
size_t sample_accounts(unsigned char *bytes, size_t capacity);
size_t sample_grants(unsigned char *bytes, size_t capacity);
size_t sample_groups(unsigned char *bytes, size_t capacity);

#endif
