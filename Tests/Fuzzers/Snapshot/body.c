/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The published files, as the name service module reads them. The first byte of an input says how (below), the rest is
 * the file of accounts, of grants or of Entra groups.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "entralogin_nss.h"
#include "entralogin_snapshot_reader.h"
#include "snapshot.h"

#define FUZZ_REPAIR 1u    /* repair the checksums first, so that the input reaches the code behind them */
#define FUZZ_OF_GRANTS 2u /* a file of grants, beside the sample's accounts; otherwise the other way round */
#define FUZZ_BUFFER(byte) ((byte) >> 2 & 3u) /* which of the caller's buffers */
#define FUZZ_KEEP 64u                        /* ask a process that keeps copies, too: it answers the same */
#define FUZZ_OF_GROUPS 128u                  /* a file of Entra groups, beside the sample's accounts and grants */

#define ENTRIES_MAX 4096

const char fuzz_subject[] = "published files";

/* A digest of every answer (FNV-1a, 64 bits): two rounds of questions compare by it. */
static uint64_t answers;

static void note(const void *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        answers = (answers ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
}

static void note_text(const char *text) {
    note(text, strlen(text) + 1);
}

/* --- Repairing checksums --- */

static uint32_t number(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put(unsigned char *at, uint32_t value) {
    for (size_t i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static void repair_accounts(unsigned char *file, size_t size) {
    if (size < ENTRALOGIN_ACCOUNTS_HEADER)
        return;
    put(file + 16, (uint32_t)size);
    put(file + 20, 0);
    put(file + 124, entralogin_hash(0, file, 124));
    for (size_t at = ENTRALOGIN_ACCOUNTS_HEADER; at + ENTRALOGIN_RECORD_HEADER <= size; at += 8) {
        uint32_t record_size = number(file + at + 4), uid = number(file + at + 8);
        if (record_size >= 28 && record_size <= size - at && entralogin_uid_in_range(uid))
            put(file + at, entralogin_hash(0, file + at + 4, record_size - 4));
    }
}

static void repair_grants(unsigned char *file, size_t size) {
    if (size < ENTRALOGIN_GRANTS_HEADER)
        return;
    put(file + 16, (uint32_t)size);
    put(file + 20, 0);
    put(file + 60, entralogin_hash(0, file, 60));
    for (size_t at = ENTRALOGIN_GRANTS_HEADER; at + ENTRALOGIN_GRANT_ENTRY <= size; at += ENTRALOGIN_GRANT_ENTRY) {
        unsigned char proven[12];
        memcpy(proven, file + at, 4);
        memcpy(proven + 4, file + at + 8, 8);
        put(file + at + 4, entralogin_hash(0, proven, sizeof proven));
    }
}

/* An entry begins with its number (four bytes). Its checksum covers the number and all bytes behind the checksum. */
static void repair_entry(unsigned char *entry, size_t size) {
    unsigned char proven[ENTRALOGIN_GROUP_ENTRY];
    memcpy(proven, entry, 4);
    memcpy(proven + 4, entry + 8, size - 8);
    put(entry + 4, entralogin_hash(0, proven, size - 4));
}

static void repair_groups(unsigned char *file, size_t size) {
    if (size < ENTRALOGIN_GROUPS_HEADER)
        return;
    put(file + 16, (uint32_t)size);
    put(file + 20, 0);
    put(file + 60, entralogin_hash(0, file, 60));
    size_t at = ENTRALOGIN_GROUPS_HEADER;
    for (uint32_t n = number(file + 48); n > 0 && at + ENTRALOGIN_GROUP_ENTRY <= size;
        n--, at += ENTRALOGIN_GROUP_ENTRY)
        repair_entry(file + at, ENTRALOGIN_GROUP_ENTRY);
    for (; at + ENTRALOGIN_MEMBER_ENTRY <= size; at += ENTRALOGIN_MEMBER_ENTRY)
        repair_entry(file + at, ENTRALOGIN_MEMBER_ENTRY);
}

/* Makes the file of accounts say that there are Entra groups. */
static void map_groups(unsigned char *accounts) {
    put(accounts + 64, number(accounts + 64) | ENTRALOGIN_MAPS_GROUPS);
    put(accounts + 124, entralogin_hash(0, accounts, 124));
}

/* --- What must hold for any content of the files --- */

static void check_text(const char *text, const char *buffer, size_t size) {
    check(text >= buffer && text < buffer + size, "a string lies in the caller's buffer");
    check(memchr(text, 0, (size_t)(buffer + size - text)) != NULL, "a string ends in the caller's buffer");
}

static void check_status(enum nss_status status, int error) {
    check(status == NSS_STATUS_SUCCESS || status == NSS_STATUS_NOTFOUND || status == NSS_STATUS_UNAVAIL ||
              status == NSS_STATUS_TRYAGAIN,
        "a status is one of four");
    check((status == NSS_STATUS_TRYAGAIN) == (error == ERANGE), "only a small buffer is to be tried again");
    check(status != NSS_STATUS_SUCCESS || error == 0, "a success sets no error");
    note(&status, sizeof status);
}

static void check_passwd(enum nss_status status, int error, const struct passwd *p, const char *buffer, size_t size) {
    check_status(status, error);
    if (status != NSS_STATUS_SUCCESS)
        return;
    check_text(p->pw_name, buffer, size);
    check_text(p->pw_passwd, buffer, size);
    check_text(p->pw_gecos, buffer, size);
    check_text(p->pw_dir, buffer, size);
    check_text(p->pw_shell, buffer, size);
    check(entralogin_uid_in_range(p->pw_uid) && p->pw_gid == p->pw_uid, "ids are in the range and equal");
    check(entralogin_name_is_valid(p->pw_name, strlen(p->pw_name)), "a name has our shape");
    check(strcmp(p->pw_passwd, "!*") == 0 && p->pw_dir[0] == '/' && p->pw_shell[0] == '/', "a record is sound");
    const char *const texts[] = {p->pw_name, p->pw_gecos, p->pw_dir, p->pw_shell};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        note_text(texts[i]);
    note(&p->pw_uid, sizeof p->pw_uid);
}

static void check_group(enum nss_status status, int error, const struct group *g, const char *buffer, size_t size) {
    check_status(status, error);
    if (status != NSS_STATUS_SUCCESS)
        return;
    check(entralogin_gid_in_range(g->gr_gid), "a gid is in the range");
    check_text(g->gr_name, buffer, size);
    check_text(g->gr_passwd, buffer, size);
    note_text(g->gr_name);
    note(&g->gr_gid, sizeof g->gr_gid);
    check((uintptr_t)g->gr_mem % _Alignof(char *) == 0, "the members' pointers are aligned");
    for (char **member = g->gr_mem;; member++) {
        check((char *)(member + 1) <= buffer + size && (char *)member >= buffer, "the members lie in the buffer");
        if (*member == NULL)
            return;
        check_text(*member, buffer, size);
        note_text(*member);
    }
}

static void ask_names(const struct entralogin_sources *sources, char *buffer, size_t size) {
    static const char *const names[] = {"alice@contoso.com", "o'brien@mail.contoso.com", "entra_users", "entra_admins",
        "developers_entra", "ops_entra", "0f8fad5b-d9cb-469f-a165-70867728950e", "nobody@contoso.com", "root"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct passwd p;
        struct group g;
        int error = 0;
        enum nss_status status = entralogin_nss_passwd_by_name(sources, names[i], &p, buffer, size, &error);
        check_passwd(status, error, &p, buffer, size);
        check(status != NSS_STATUS_SUCCESS || strcmp(p.pw_name, names[i]) == 0, "the name is the one asked for");
        error = 0;
        status = entralogin_nss_group_by_name(sources, names[i], &g, buffer, size, &error);
        check_group(status, error, &g, buffer, size);
        long start = 0, length = 1;
        gid_t *groups = malloc(sizeof *groups);
        error = 0;
        status = entralogin_nss_initgroups(sources, names[i], (gid_t)-1, &start, &length, &groups, 0, &error);
        check_status(status, error);
        check(start <= 2 + (long)ENTRALOGIN_GROUPS_MAX && start <= length, "there are so many groups at most");
        for (long n = 0; n < start; n++)
            check(groups[n] == ENTRALOGIN_USERS_GID || groups[n] == ENTRALOGIN_ADMINS_GID ||
                      entralogin_gid_is_mapped(groups[n]),
                "a group is one of the two, or an Entra group");
        note(groups, (size_t)start * sizeof *groups);
        free(groups);
    }
}

static void ask_ids(const struct entralogin_sources *sources, char *buffer, size_t size) {
    static const uint32_t ids[] = {ENTRALOGIN_UID_FIRST, ENTRALOGIN_UID_FIRST + 1, ENTRALOGIN_UID_FIRST + 7,
        ENTRALOGIN_USERS_GID, ENTRALOGIN_ADMINS_GID, ENTRALOGIN_MAPPED_GID_FIRST, ENTRALOGIN_ID_LAST, 0, UINT32_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct passwd p;
        struct group g;
        int error = 0;
        enum nss_status status = entralogin_nss_passwd_by_uid(sources, ids[i], &p, buffer, size, &error);
        check_passwd(status, error, &p, buffer, size);
        check(status != NSS_STATUS_SUCCESS || p.pw_uid == ids[i], "the uid is the one asked for");
        error = 0;
        status = entralogin_nss_group_by_gid(sources, ids[i], &g, buffer, size, &error);
        check_group(status, error, &g, buffer, size);
        check(status != NSS_STATUS_SUCCESS || g.gr_gid == ids[i], "the gid is the one asked for");
    }
}

static void enumerate(const struct entralogin_sources *sources, char *buffer, size_t size) {
    enum nss_status status = NSS_STATUS_SUCCESS;
    uint64_t cursor = 0;
    for (int n = 0; status == NSS_STATUS_SUCCESS; n++) {
        struct passwd p;
        int error = 0;
        status = entralogin_nss_passwd_next(sources, &cursor, &p, buffer, size, &error);
        check_passwd(status, error, &p, buffer, size);
        check(n < ENTRIES_MAX, "an enumeration ends");
    }
    cursor = 0;
    status = NSS_STATUS_SUCCESS;
    for (int n = 0; status == NSS_STATUS_SUCCESS; n++) {
        struct group g;
        int error = 0;
        status = entralogin_nss_group_next(sources, &cursor, &g, buffer, size, &error);
        check_group(status, error, &g, buffer, size);
        check(n < ENTRIES_MAX, "an enumeration ends");
    }
}

static uint64_t ask(const struct entralogin_sources *sources, size_t size) {
    /* Of exactly that size, so that the sanitizer detects an access to the first byte beyond. */
    char *buffer = malloc(size != 0 ? size : 1);
    answers = 0xcbf29ce484222325u;
    ask_names(sources, buffer, size);
    ask_ids(sources, buffer, size);
    enumerate(sources, buffer, size);
    free(buffer);
    return answers;
}

/* A process that keeps copies: while it makes a copy, from the copy, and after another file has replaced the first. */
static void ask_keeping(const struct entralogin_sources *plain, size_t size, const char *path) {
    static unsigned char sample[2048];
    struct entralogin_kept accounts = {0}, grants = {0}, groups = {0};
    struct entralogin_sources keeping = *plain;
    keeping.kept_accounts = &accounts;
    keeping.kept_grants = &grants;
    keeping.kept_groups = &groups;
    uint64_t expected = ask(plain, size);
    check(ask(&keeping, size) == expected, "who begins to keep a copy is answered the same");
    check(ask(&keeping, size) == expected, "a copy answers as the file does");
    size_t sample_size = (strcmp(path, FUZZ_GRANTS) == 0   ? sample_grants
                          : strcmp(path, FUZZ_GROUPS) == 0 ? sample_groups
                                                           : sample_accounts)(sample, sizeof sample);
    serve(path, sample, sample_size, 0);
    expected = ask(plain, size);
    check(ask(&keeping, size) == expected, "a file that was replaced is not asked any more");
    check(ask(&keeping, size) == expected, "a copy of the new file answers as it does");
    entralogin_kept_forget(&accounts);
    entralogin_kept_forget(&grants);
    entralogin_kept_forget(&groups);
}

void fuzz_input(const unsigned char *bytes, size_t size) {
    static const size_t sizes[] = {2048, 150, 33, 0};
    static unsigned char file[FUZZ_INPUT_MAX], other[FUZZ_INPUT_MAX], third[FUZZ_INPUT_MAX];
    if (size == 0 || size > sizeof file)
        return;
    memcpy(file, bytes + 1, size - 1);
    int groups = (bytes[0] & FUZZ_OF_GROUPS) != 0, grants = !groups && (bytes[0] & FUZZ_OF_GRANTS) != 0;
    if (bytes[0] & FUZZ_REPAIR)
        (groups ? repair_groups : grants ? repair_grants : repair_accounts)(file, size - 1);
    const char *path = groups ? FUZZ_GROUPS : grants ? FUZZ_GRANTS : FUZZ_ACCOUNTS;
    serve_nothing();
    serve(path, file, size - 1, bytes[0]);
    if (groups || grants) {
        size_t other_size = sample_accounts(other, sizeof other);
        if (groups)
            map_groups(other);
        serve(FUZZ_ACCOUNTS, other, other_size, 0);
    }
    if (!grants) {
        size_t third_size = sample_grants(third, sizeof third);
        serve(FUZZ_GRANTS, third, third_size, 0);
    }
    /* No process has the uid that may ask the daemon, so the module does not ask it. */
    const struct entralogin_sources sources = {
        .accounts = FUZZ_ACCOUNTS,
        .grants = FUZZ_GRANTS,
        .groups = FUZZ_GROUPS,
        .boot_id = FUZZ_BOOT_ID,
        .daemon = {.path = "/entralogin-fuzz/control.sock", .root = UINT32_MAX},
    };
    size_t buffer_size = sizes[FUZZ_BUFFER(bytes[0])];
    if (bytes[0] & FUZZ_KEEP)
        ask_keeping(&sources, buffer_size, path);
    else
        ask(&sources, buffer_size);
    check(files_open() == 0, "every descriptor is closed");
}

size_t fuzz_sample(unsigned kind, const char **ret_name, unsigned char *bytes, size_t capacity) {
    static const struct {
        const char *name;
        unsigned char first;
    } samples[] = {
        {"accounts-as-is", 0},
        {"accounts-repaired", FUZZ_REPAIR},
        {"accounts-kept", FUZZ_REPAIR | FUZZ_KEEP},
        {"grants-as-is", FUZZ_OF_GRANTS},
        {"grants-repaired", FUZZ_OF_GRANTS | FUZZ_REPAIR},
        {"grants-kept", FUZZ_OF_GRANTS | FUZZ_REPAIR | FUZZ_KEEP},
        {"groups-as-is", FUZZ_OF_GROUPS},
        {"groups-repaired", FUZZ_OF_GROUPS | FUZZ_REPAIR},
        {"groups-kept", FUZZ_OF_GROUPS | FUZZ_REPAIR | FUZZ_KEEP},
    };
    if (kind >= sizeof samples / sizeof *samples)
        return 0;
    *ret_name = samples[kind].name;
    bytes[0] = samples[kind].first;
    return 1 + (bytes[0] & FUZZ_OF_GROUPS      ? sample_groups
                   : bytes[0] & FUZZ_OF_GRANTS ? sample_grants
                                               : sample_accounts)(bytes + 1, capacity - 1);
}
