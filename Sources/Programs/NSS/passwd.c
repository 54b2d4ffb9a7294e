/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_private.h"

#include <errno.h>

/*
 * No password matches either character ("x" would send pam_unix to a shadow entry that does not exist). The first is a
 * second barrier: an sshd that runs without PAM refuses "!" as a locked account before it looks at any credential, even
 * if `UsePAM no` is on its command line and in no file. With PAM, sshd leaves that question to PAM.
 */
static const struct entralogin_text no_password = {
    .bytes = ENTRALOGIN_NO_PASSWORD, .length = sizeof ENTRALOGIN_NO_PASSWORD - 1};

/* Copies a record into the caller's buffer. Checks the size before it writes the first byte. */
static enum nss_status pack(
    const struct entralogin_record *record, struct passwd *ret, char *buffer, size_t size, int *errnop) {
    struct entralogin_space space = {.at = buffer, .left = size};
    size_t needed = record->name.length + no_password.length + record->gecos.length + record->home.length +
                    record->shell.length + 5;
    if (needed > size) {
        *errnop = ERANGE;
        return NSS_STATUS_TRYAGAIN;
    }
    *ret = (struct passwd){
        .pw_name = entralogin_space_text(&space, record->name),
        .pw_passwd = entralogin_space_text(&space, no_password),
        .pw_uid = record->uid,
        .pw_gid = record->gid,
        .pw_gecos = entralogin_space_text(&space, record->gecos),
        .pw_dir = entralogin_space_text(&space, record->home),
        .pw_shell = entralogin_space_text(&space, record->shell),
    };
    return NSS_STATUS_SUCCESS;
}

static enum nss_status answer(
    int found, struct entralogin_finding *finding, struct passwd *ret, char *buffer, size_t size, int *errnop) {
    if (found != ENTRALOGIN_FOUND)
        return entralogin_nss_status(found, errnop);
    /* A mapped account: the local files have the record. */
    enum nss_status status = entralogin_record_is_for_groups_alone(&finding->record)
                                 ? entralogin_nss_status(ENTRALOGIN_ABSENT, errnop)
                                 : pack(&finding->record, ret, buffer, size, errnop);
    entralogin_nss_let_go(finding);
    return status;
}

enum nss_status entralogin_nss_passwd_by_name(const struct entralogin_sources *sources, const char *name,
    struct passwd *ret, char *buffer, size_t size, int *errnop) {
    struct entralogin_finding finding;
    int found = entralogin_nss_find_name(sources, name, &finding);
    return answer(found, &finding, ret, buffer, size, errnop);
}

enum nss_status entralogin_nss_passwd_by_uid(const struct entralogin_sources *sources, uint32_t uid, struct passwd *ret,
    char *buffer, size_t size, int *errnop) {
    struct entralogin_finding finding;
    int found = entralogin_nss_find_uid(sources, uid, &finding);
    return answer(found, &finding, ret, buffer, size, errnop);
}

static enum nss_status passwd_at(const struct entralogin_sources *sources, struct entralogin_accounts *a, uint64_t here,
    void *ret, char *buffer, size_t size, int *errnop, uint64_t *ret_next) {
    struct entralogin_record record;
    int found = entralogin_nss_record_at(sources, a, here, &record, ret_next);
    if (found != ENTRALOGIN_FOUND)
        return entralogin_nss_status(found, errnop);
    return pack(&record, ret, buffer, size, errnop);
}

enum nss_status entralogin_nss_passwd_next(const struct entralogin_sources *sources, uint64_t *cursor,
    struct passwd *ret, char *buffer, size_t size, int *errnop) {
    return entralogin_nss_next(sources, cursor, passwd_at, ret, buffer, size, errnop);
}

/* --- What glibc calls --- */

ENTRALOGIN_ENTRY_POINT enum nss_status ENTRALOGIN_CALLED(getpwnam_r)(
    const char *name, struct passwd *ret, char *buffer, size_t size, int *errnop) {
    return entralogin_nss_passwd_by_name(&entralogin_nss_places, name, ret, buffer, size, errnop);
}

ENTRALOGIN_ENTRY_POINT enum nss_status ENTRALOGIN_CALLED(getpwuid_r)(
    uid_t uid, struct passwd *ret, char *buffer, size_t size, int *errnop) {
    return entralogin_nss_passwd_by_uid(&entralogin_nss_places, uid, ret, buffer, size, errnop);
}

static uint64_t enumeration;

ENTRALOGIN_ENTRY_POINT enum nss_status ENTRALOGIN_CALLED(setpwent)(int stay_open) {
    (void)stay_open;
    __atomic_store_n(&enumeration, 0, __ATOMIC_RELEASE);
    return NSS_STATUS_SUCCESS;
}

ENTRALOGIN_ENTRY_POINT enum nss_status ENTRALOGIN_CALLED(endpwent)(void) {
    return ENTRALOGIN_CALLED(setpwent)(0);
}

ENTRALOGIN_ENTRY_POINT enum nss_status ENTRALOGIN_CALLED(getpwent_r)(
    struct passwd *ret, char *buffer, size_t size, int *errnop) {
    return entralogin_nss_passwd_next(&entralogin_nss_places, &enumeration, ret, buffer, size, errnop);
}
