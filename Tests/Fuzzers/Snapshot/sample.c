/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "entralogin_name.h"
#include "entralogin_snapshot.h"
#include "sample_snapshot.h"

static void person(uint32_t number, uint32_t version, char ret_texts[4][64]) {
    static const char people[][4][64] = {
        {"alice@contoso.com", "Alice", "/home/alice@contoso.com", "/bin/bash"},
        {"o'brien@mail.contoso.com", "", "/home/o'brien@mail.contoso.com", "/bin/sh"},
        {"0f8fad5b-d9cb-469f-a165-70867728950e", "Deployment", "/srv/deployment", "/bin/bash"},
    };
    (void)version;
    memcpy(ret_texts, people[number], sizeof people[number]);
}

size_t sample_accounts(unsigned char *bytes, size_t capacity) {
    const struct sample_accounts three = {
        .count = 3, .slots = 8, .version = 1, .flags = ENTRALOGIN_ENUMERATE, .person = person};
    if (capacity < sample_accounts_capacity(&three))
        abort();
    memset(bytes, 0, capacity);
    return lay_out_accounts(bytes, &three);
}

size_t sample_grants(unsigned char *bytes, size_t capacity) {
    static const unsigned char boot_id[16] = {
        0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    if (capacity < ENTRALOGIN_GRANTS_HEADER + 2 * ENTRALOGIN_GRANT_ENTRY)
        abort();
    memset(bytes, 0, capacity);
    return lay_out_grants(bytes, boot_id, 1, 1);
}

static void put(unsigned char *at, uint32_t value) {
    for (size_t i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

/* The checksum of an entry covers its first four bytes and all bytes behind the checksum. */
static void seal(unsigned char *entry, size_t size) {
    unsigned char proven[ENTRALOGIN_GROUP_ENTRY];
    memcpy(proven, entry, 4);
    memcpy(proven + 4, entry + 8, size - 8);
    put(entry + 4, entralogin_hash(0, proven, size - 4));
}

size_t sample_groups(unsigned char *bytes, size_t capacity) {
    static const unsigned char boot_id[16] = {
        0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    static const char *const names[] = {"developers_entra", "ops_entra"};
    const size_t size = ENTRALOGIN_GROUPS_HEADER + 2 * ENTRALOGIN_GROUP_ENTRY + 2 * ENTRALOGIN_MEMBER_ENTRY;
    if (capacity < size)
        abort();
    memset(bytes, 0, capacity);
    memcpy(bytes, ENTRALOGIN_GROUPS_MAGIC, 8);
    put(bytes + 8, ENTRALOGIN_SNAPSHOT_VERSION);
    put(bytes + 12, ENTRALOGIN_GROUPS_HEADER);
    put(bytes + 16, (uint32_t)size);
    put(bytes + 24, 1);
    memcpy(bytes + 32, boot_id, sizeof boot_id);
    put(bytes + 48, 2);
    put(bytes + 52, 2);
    put(bytes + 60, entralogin_hash(0, bytes, 60));
    unsigned char *at = bytes + ENTRALOGIN_GROUPS_HEADER;
    for (uint32_t i = 0; i < 2; i++, at += ENTRALOGIN_GROUP_ENTRY) {
        put(at, ENTRALOGIN_MAPPED_GID_FIRST + i);
        at[8] = (unsigned char)strlen(names[i]);
        memcpy(at + 12, names[i], strlen(names[i]));
        seal(at, ENTRALOGIN_GROUP_ENTRY);
    }
    for (uint32_t i = 0; i < 2; i++, at += ENTRALOGIN_MEMBER_ENTRY) {
        put(at, ENTRALOGIN_UID_FIRST + i);
        put(at + 12, 0x7fffffffu); /* the expiry's upper half */
        put(at + 16, i + 2);
        seal(at, ENTRALOGIN_MEMBER_ENTRY);
    }
    return size;
}
