/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "nss_private.h"

#include <errno.h>
#include <string.h>

/* The first places of an enumeration: the shared groups, then as many Entra groups as there may be. The private groups
   follow. */
#define SHARED_GROUPS 3u
#define FIRST_GROUPS (SHARED_GROUPS + ENTRALOGIN_GROUPS_MAX)

/*
 * A group without members. Membership comes from initgroups or, for a private group, from being the primary group. A
 * list of the shared groups' members would not fit the buffers of programs that do not ask again with a larger one.
 */
static ENTRALOGIN_ONE_COPY enum nss_status pack(
    struct entralogin_text name, uint32_t gid, struct group *ret, char *buffer, size_t size, int *errnop) {
    static const struct entralogin_text no_password = {.bytes = "*", .length = 1};
    struct entralogin_space space = {.at = buffer, .left = size};
    struct group group = {.gr_gid = gid};
    group.gr_mem = entralogin_space_empty_list(&space);
    group.gr_name = entralogin_space_text(&space, name);
    group.gr_passwd = entralogin_space_text(&space, no_password);
    if (group.gr_mem == NULL || group.gr_name == NULL || group.gr_passwd == NULL) {
        *errnop = ERANGE;
        return NSS_STATUS_TRYAGAIN;
    }
    *ret = group;
    return NSS_STATUS_SUCCESS;
}

static int is_shared(const struct entralogin_sources *sources, uint32_t gid) {
    return gid == ENTRALOGIN_USERS_GID || gid == ENTRALOGIN_ADMINS_GID ||
           (gid == ENTRALOGIN_SHORT_GID && sources->short_names);
}

/* The name of a shared group; empty if it has none: the file has no acceptable name, or short names are off. */
static struct entralogin_text shared_name(
    const struct entralogin_sources *sources, const struct entralogin_accounts *a, uint32_t gid) {
    static const char short_names[] = ENTRALOGIN_SHORT_GROUP;
    if (gid != ENTRALOGIN_SHORT_GID)
        return gid == ENTRALOGIN_USERS_GID ? a->users_group : a->administrators_group;
    size_t length = sources->short_names && a->domain_length > 0 ? sizeof short_names - 1 : 0;
    return (struct entralogin_text){.bytes = short_names, .length = length};
}

/* One of the shared groups, by its number. */
static ENTRALOGIN_ONE_COPY enum nss_status pack_shared(const struct entralogin_sources *sources,
    const struct entralogin_accounts *a, uint32_t gid, struct group *ret, char *buffer, size_t size, int *errnop) {
    struct entralogin_text name = shared_name(sources, a, gid);
    return name.length > 0 ? pack(name, gid, ret, buffer, size, errnop)
                           : entralogin_nss_status(ENTRALOGIN_ABSENT, errnop);
}

static int is_named(struct entralogin_text text, const char *name) {
    size_t length = strnlen(name, ENTRALOGIN_GROUP_NAME_MAX + 1);
    return text.length == length && memcmp(text.bytes, name, length) == 0;
}

/* Which Entra group is wanted: the one with that name, with that number, or at that place. */
struct wanted {
    const char *name; /* NULL: not by name */
    uint32_t gid;     /* 0: not by number */
    uint32_t place;
};

/* One of the Entra groups; NOTFOUND if there is no such group. The file is not opened if no groups are mapped. */
static ENTRALOGIN_ONE_COPY enum nss_status mapped(const struct entralogin_sources *sources,
    const struct entralogin_accounts *a, struct wanted wanted, struct group *ret, char *buffer, size_t size,
    int *errnop) {
    unsigned char window[ENTRALOGIN_WINDOW];
    struct entralogin_groups g;
    struct entralogin_text text;
    uint32_t gid = 0, place = wanted.place;
    int is_any = wanted.name == NULL && wanted.gid == 0, found = ENTRALOGIN_ABSENT;
    if ((a->flags & ENTRALOGIN_MAPS_GROUPS) == 0)
        return entralogin_nss_status(found, errnop);
    found = entralogin_groups_open(&g, sources->groups, sources->kept_groups, window, sizeof window);
    if (found != ENTRALOGIN_FOUND)
        return entralogin_nss_status(found, errnop);
    do
        found = entralogin_groups_at(&g, place++, &text, &gid);
    while (found == ENTRALOGIN_FOUND && !is_any &&
           (wanted.name != NULL ? !is_named(text, wanted.name) : gid != wanted.gid));
    enum nss_status status =
        found == ENTRALOGIN_FOUND ? pack(text, gid, ret, buffer, size, errnop) : entralogin_nss_status(found, errnop);
    entralogin_groups_close(&g);
    return status;
}

/* The shared group or Entra group with that name or, if `name` is NULL, with that number. */
static enum nss_status shared(const struct entralogin_sources *sources, const char *name, uint32_t gid,
    struct group *ret, char *buffer, size_t size, int *errnop) {
    struct entralogin_finding finding;
    struct entralogin_accounts *a = &finding.accounts;
    int found = entralogin_nss_open(sources, &finding);
    if (found != ENTRALOGIN_FOUND)
        return entralogin_nss_status(found, errnop);
    for (uint32_t i = 0; name != NULL && !is_shared(sources, gid) && i < SHARED_GROUPS; i++) {
        if (is_named(shared_name(sources, a, ENTRALOGIN_USERS_GID + i), name))
            gid = ENTRALOGIN_USERS_GID + i;
    }
    enum nss_status status = is_shared(sources, gid)
                                 ? pack_shared(sources, a, gid, ret, buffer, size, errnop)
                                 : mapped(sources, a, (struct wanted){name, gid, 0}, ret, buffer, size, errnop);
    entralogin_nss_let_go(&finding);
    return status;
}

static ENTRALOGIN_ONE_COPY enum nss_status answer_group(
    int found, struct entralogin_finding *finding, struct group *ret, char *buffer, size_t size, int *errnop) {
    if (found != ENTRALOGIN_FOUND)
        return entralogin_nss_status(found, errnop);
    /* A mapped account: the local files have the record. */
    enum nss_status status = entralogin_record_is_for_groups_alone(&finding->record)
                                 ? entralogin_nss_status(ENTRALOGIN_ABSENT, errnop)
                                 : pack(finding->record.name, finding->record.gid, ret, buffer, size, errnop);
    entralogin_nss_let_go(finding);
    return status;
}

enum nss_status entralogin_nss_group_by_name(const struct entralogin_sources *sources, const char *name,
    struct group *ret, char *buffer, size_t size, int *errnop) {
    struct entralogin_finding finding;
    if (entralogin_group_name_is_valid(name, strnlen(name, ENTRALOGIN_GROUP_NAME_MAX + 1)))
        return shared(sources, name, 0, ret, buffer, size, errnop);
    int found = entralogin_nss_find_enrolled_name(sources, name, &finding);
    return answer_group(found, &finding, ret, buffer, size, errnop);
}

enum nss_status entralogin_nss_group_by_gid(
    const struct entralogin_sources *sources, uint32_t gid, struct group *ret, char *buffer, size_t size, int *errnop) {
    struct entralogin_finding finding;
    if (is_shared(sources, gid) || entralogin_gid_is_mapped(gid))
        return shared(sources, NULL, gid, ret, buffer, size, errnop);
    int found = entralogin_nss_find_uid(sources, gid, &finding);
    return answer_group(found, &finding, ret, buffer, size, errnop);
}

/* The group at one of the first places. An enumeration goes on if the Entra groups cannot be read. */
static enum nss_status first_at(const struct entralogin_sources *sources, const struct entralogin_accounts *a,
    uint32_t place, struct group *ret, char *buffer, size_t size, int *errnop) {
    if (place < SHARED_GROUPS)
        return pack_shared(sources, a, ENTRALOGIN_USERS_GID + place, ret, buffer, size, errnop);
    int before = errno;
    enum nss_status status =
        mapped(sources, a, (struct wanted){NULL, 0, place - SHARED_GROUPS}, ret, buffer, size, errnop);
    if (status != NSS_STATUS_UNAVAIL)
        return status;
    errno = before;
    return entralogin_nss_status(ENTRALOGIN_ABSENT, errnop);
}

static enum nss_status group_at(const struct entralogin_sources *sources, struct entralogin_accounts *a, uint64_t here,
    void *ret, char *buffer, size_t size, int *errnop, uint64_t *ret_next) {
    const uint64_t behind = (uint64_t)FIRST_GROUPS << 32;
    struct entralogin_record record;
    for (; here < behind; here += 1ull << 32) {
        *ret_next = here + (1ull << 32);
        int error = *errnop; /* a place that is skipped does not change *errnop */
        enum nss_status status = first_at(sources, a, (uint32_t)(here >> 32), ret, buffer, size, &error);
        if (status == NSS_STATUS_NOTFOUND)
            continue;
        *errnop = error;
        return status;
    }
    int found = entralogin_nss_record_at(sources, a, here - behind, &record, ret_next);
    *ret_next += behind;
    if (found != ENTRALOGIN_FOUND)
        return entralogin_nss_status(found, errnop);
    return pack(record.name, record.gid, ret, buffer, size, errnop);
}

enum nss_status entralogin_nss_group_next(const struct entralogin_sources *sources, uint64_t *cursor, struct group *ret,
    char *buffer, size_t size, int *errnop) {
    return entralogin_nss_next(sources, cursor, group_at, ret, buffer, size, errnop);
}

/* --- What glibc calls --- */

ENTRALOGIN_ENTRY_POINT enum nss_status ENTRALOGIN_CALLED(getgrnam_r)(
    const char *name, struct group *ret, char *buffer, size_t size, int *errnop) {
    return entralogin_nss_group_by_name(&entralogin_nss_places, name, ret, buffer, size, errnop);
}

ENTRALOGIN_ENTRY_POINT enum nss_status ENTRALOGIN_CALLED(getgrgid_r)(
    gid_t gid, struct group *ret, char *buffer, size_t size, int *errnop) {
    return entralogin_nss_group_by_gid(&entralogin_nss_places, gid, ret, buffer, size, errnop);
}

static uint64_t enumeration;

ENTRALOGIN_ENTRY_POINT enum nss_status ENTRALOGIN_CALLED(setgrent)(int stay_open) {
    (void)stay_open;
    __atomic_store_n(&enumeration, 0, __ATOMIC_RELEASE);
    return NSS_STATUS_SUCCESS;
}

ENTRALOGIN_ENTRY_POINT enum nss_status ENTRALOGIN_CALLED(endgrent)(void) {
    return ENTRALOGIN_CALLED(setgrent)(0);
}

ENTRALOGIN_ENTRY_POINT enum nss_status ENTRALOGIN_CALLED(getgrent_r)(
    struct group *ret, char *buffer, size_t size, int *errnop) {
    return entralogin_nss_group_next(&entralogin_nss_places, &enumeration, ret, buffer, size, errnop);
}
