/* SPDX-License-Identifier: Apache-2.0 */
/* What the body of the fuzzer of the published files is made of. */
#ifndef ENTRALOGIN_FUZZ_SNAPSHOT_H
#define ENTRALOGIN_FUZZ_SNAPSHOT_H

#include "fuzz.h"

/* --- files.c: the files are in memory; on disk, the kernel would take nine tenths of the time --- */

#define FUZZ_ACCOUNTS "/entralogin-fuzz/accounts"
#define FUZZ_GRANTS "/entralogin-fuzz/grants"
#define FUZZ_GROUPS "/entralogin-fuzz/groups"
#define FUZZ_BOOT_ID "/entralogin-fuzz/boot_id"

/* How a file is served; bits of an input's first byte, too. */
#define FUZZ_CUT 16u    /* half of it is gone once the reader has looked at its size */
#define FUZZ_PIECES 32u /* a read gives few bytes at once, or is interrupted */

/* Begins anew, with the boot id alone. */
void serve_nothing(void);

/*
 * Serves these bytes, which stay the caller's, to whatever is linked with --wrap: a file of its own, renamed over the
 * one that was served there before, which who has it open goes on reading.
 */
void serve(const char *path, const unsigned char *bytes, size_t size, unsigned how);

/* How many descriptors are open. */
int files_open(void);

/* --- sample.c --- */

/* A sound file of three accounts, one of two grants, and one of two Entra groups with two people. Returns the size. */
size_t sample_accounts(unsigned char *bytes, size_t capacity);
size_t sample_grants(unsigned char *bytes, size_t capacity);
size_t sample_groups(unsigned char *bytes, size_t capacity);

#endif
