/* SPDX-License-Identifier: Apache-2.0 */
/* A second, independent writer of the files of entralogin_snapshot.h, as short as the tests of the readers allow. */
#ifndef ENTRALOGIN_SAMPLE_SNAPSHOT_H
#define ENTRALOGIN_SAMPLE_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

/* The most bytes that the texts of one person take together, with their NULs. */
#define SAMPLE_TEXTS_MAX (4u * 64u)

/* Name, display name, home and shell of one person. */
typedef void sample_person(uint32_t number, uint32_t version, char ret_texts[4][64]);

struct sample_accounts {
    uint32_t count;
    uint32_t slots; /* of each table: a power of two, more than `count` */
    uint32_t version;
    uint32_t flags;
    sample_person *person;
};

/* The most bytes that the file of these accounts takes. */
size_t sample_accounts_capacity(const struct sample_accounts *accounts);

/* Writes it into zeroed bytes of that capacity; account i has uid ENTRALOGIN_UID_FIRST + i. Returns the size. */
size_t lay_out_accounts(unsigned char *bytes, const struct sample_accounts *accounts);

/*
 * Writes grants of every second id from the first: `lasting` grants without an end, then `lapsed` grants that have
 * ended. `bytes` are zeroed, and as many as ENTRALOGIN_GRANTS_HEADER and ENTRALOGIN_GRANT_ENTRY require; `boot_id` has
 * 16 bytes. Returns the size of the file.
 */
size_t lay_out_grants(unsigned char *bytes, const unsigned char *boot_id, uint32_t lasting, uint32_t lapsed);

#endif
