/* SPDX-License-Identifier: Apache-2.0 */
#include "sample_snapshot.h"

#include <string.h>

#include "entralogin_name.h"
#include "entralogin_snapshot.h"

#define SEED 0x5eedu
#define NAMES_AT 128u
#define TABLES_AT 160u
#define RECORD_MAX ((ENTRALOGIN_RECORD_HEADER + SAMPLE_TEXTS_MAX + 7u) & ~7u)

static void put(unsigned char *at, size_t size, uint64_t value) {
    for (size_t i = 0; i < size; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static void put_slot(unsigned char *table, uint32_t mask, uint32_t hash, uint32_t offset) {
    static const unsigned char free_slot[4];
    uint32_t i = hash & mask;
    while (memcmp(table + (size_t)i * 8 + 4, free_slot, 4) != 0)
        i = (i + 1) & mask;
    put(table + (size_t)i * 8, 4, hash);
    put(table + (size_t)i * 8 + 4, 4, offset);
}

static void put_beginning(unsigned char *file, const char *magic, uint32_t header, size_t size, uint32_t version) {
    memcpy(file, magic, 8);
    put(file + 8, 4, ENTRALOGIN_SNAPSHOT_VERSION);
    put(file + 12, 4, header);
    put(file + 16, 8, size);
    put(file + 24, 8, version);
}

/* Returns the size of the record. */
static size_t put_record(unsigned char *r, uint32_t uid, char texts[4][64]) {
    size_t used = ENTRALOGIN_RECORD_HEADER;
    put(r + 8, 4, uid);
    put(r + 12, 4, uid);
    for (size_t i = 0; i < 4; i++) {
        size_t length = strlen(texts[i]);
        put(r + 16 + 2 * i, 2, length);
        memcpy(r + used, texts[i], length + 1);
        used += length + 1;
    }
    put(r + 4, 4, used);
    put(r, 4, entralogin_hash(0, r + 4, used - 4));
    return used;
}

size_t sample_accounts_capacity(const struct sample_accounts *accounts) {
    return TABLES_AT + 16ul * accounts->slots + (size_t)accounts->count * RECORD_MAX;
}

size_t lay_out_accounts(unsigned char *bytes, const struct sample_accounts *accounts) {
    uint32_t by_name = TABLES_AT, by_uid = by_name + accounts->slots * 8, records = by_uid + accounts->slots * 8;
    uint32_t mask = accounts->slots - 1, end = records, at = records;
    for (uint32_t i = 0; i < accounts->count; i++) {
        char texts[4][64];
        unsigned char id[4];
        accounts->person(i, accounts->version, texts);
        put(id, 4, ENTRALOGIN_UID_FIRST + i);
        put_slot(bytes + by_name, mask, entralogin_hash(SEED, texts[0], strlen(texts[0])), at);
        put_slot(bytes + by_uid, mask, entralogin_hash(SEED, id, 4), at);
        end = at + (uint32_t)put_record(bytes + at, ENTRALOGIN_UID_FIRST + i, texts);
        at = (end + 7) & ~7u;
    }
    const uint32_t fields[] = {accounts->count, SEED, by_name, mask, by_uid, mask, records, end, accounts->flags};
    put_beginning(bytes, ENTRALOGIN_ACCOUNTS_MAGIC, ENTRALOGIN_ACCOUNTS_HEADER, at, accounts->version);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        put(bytes + 32 + 4 * i, 4, fields[i]);
    memcpy(bytes + NAMES_AT, "entra_users\0entra_admins", sizeof "entra_users\0entra_admins");
    put(bytes + 68, 2, strlen("entra_users"));
    put(bytes + 70, 2, strlen("entra_admins"));
    put(bytes + 72, 4, NAMES_AT);
    put(bytes + 76, 4, NAMES_AT + sizeof "entra_users");
    put(bytes + 124, 4, entralogin_hash(0, bytes, 124));
    return at;
}

size_t lay_out_grants(unsigned char *bytes, const unsigned char *boot_id, uint32_t lasting, uint32_t lapsed) {
    uint32_t count = lasting + lapsed;
    size_t size = ENTRALOGIN_GRANTS_HEADER + (size_t)count * ENTRALOGIN_GRANT_ENTRY;
    put_beginning(bytes, ENTRALOGIN_GRANTS_MAGIC, ENTRALOGIN_GRANTS_HEADER, size, 1);
    memcpy(bytes + 32, boot_id, 16);
    put(bytes + 48, 4, count);
    put(bytes + 60, 4, entralogin_hash(0, bytes, 60));
    for (uint32_t i = 0; i < count; i++) {
        unsigned char *entry = bytes + ENTRALOGIN_GRANTS_HEADER + (size_t)i * ENTRALOGIN_GRANT_ENTRY, proven[12];
        put(entry, 4, ENTRALOGIN_UID_FIRST + 2 * i);
        put(entry + 8, 8, i < lasting ? UINT64_MAX : 0);
        memcpy(proven, entry, 4);
        memcpy(proven + 4, entry + 8, 8);
        put(entry + 4, 4, entralogin_hash(0, proven, sizeof proven));
    }
    return size;
}
