/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "nss_private.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "entralogin_mapped.h"

#define FIRST_SIZE 16
#define UNKNOWN_PRIMARY ((gid_t)-1) /* nscd asks without a primary group */

/* Adds a group once, growing the caller's array up to its limit; false only if memory has run out. */
static int add(gid_t gid, long *start, long *size, gid_t **groups, long limit) {
    for (long i = 0; i < *start; i++) {
        if ((*groups)[i] == gid)
            return 1;
    }
    if (limit > 0 && *start >= limit)
        return 1;
    if (*start >= *size) {
        long wanted = *size > 0 && *size < LONG_MAX / (2 * (long)sizeof(gid_t)) ? *size * 2 : *start + FIRST_SIZE;
        if (limit > 0 && wanted > limit)
            wanted = limit;
        gid_t *grown = realloc(*groups, (size_t)wanted * sizeof(gid_t));
        if (grown == NULL)
            return 0;
        *groups = grown;
        *size = wanted;
    }
    (*groups)[(*start)++] = gid;
    return 1;
}

/*
 * Whether the caller's record is an Entra account's. A mapped account's record is in the local files: then the daemon's
 * answer is not enough, and root's list must have that name with that group, too.
 */
static int is_entra(
    const struct entralogin_sources *sources, const char *name, gid_t primary, const struct entralogin_record *record) {
    if (!entralogin_record_is_for_groups_alone(record))
        return primary == record->gid || primary == UNKNOWN_PRIMARY;
    return entralogin_mapped(sources->mapped, sources->daemon.root, name, primary, primary) == ENTRALOGIN_MAPPED;
}

/*
 * A short name, which any user may have, in a record whose primary group is not entralogin's is ABSENT at no cost: a
 * local user's sign-in never waits for the daemon. If the group is unknown (nscd), the published accounts alone decide.
 */
static int find_member(
    const struct entralogin_sources *sources, const char *name, gid_t primary, struct entralogin_finding *ret) {
    if (entralogin_name_is_short(name, strnlen(name, ENTRALOGIN_SHORT_NAME_MAX + 1)) &&
        !entralogin_gid_in_range(primary))
        return primary == UNKNOWN_PRIMARY ? entralogin_nss_find_enrolled_name(sources, name, ret) : ENTRALOGIN_ABSENT;
    return entralogin_nss_find_member(sources, name, ret);
}

enum nss_status entralogin_nss_initgroups(const struct entralogin_sources *sources, const char *name, gid_t primary,
    long *start, long *size, gid_t **groups, long limit, int *errnop) {
    struct entralogin_finding finding;
    int before = errno;
    int found = find_member(sources, name, primary, &finding);
    if (found != ENTRALOGIN_FOUND)
        return entralogin_nss_status(found, errnop);
    uint32_t uid = finding.record.uid;
    /* The daemon's answer has no flags: a name that is not enrolled is in no Entra group yet. */
    int mapped = finding.is_enrolled && (finding.accounts.flags & ENTRALOGIN_MAPS_GROUPS) != 0;
    int has_short_name = entralogin_name_is_short(finding.record.name.bytes, finding.record.name.length);
    int enrolled = finding.is_enrolled, is_user = is_entra(sources, name, primary, &finding.record);
    entralogin_nss_let_go(&finding);
    if (!is_user)
        return entralogin_nss_status(ENTRALOGIN_ABSENT, errnop);
    uint32_t gids[3 + ENTRALOGIN_GROUPS_MAX], n = 0;
    gids[n++] = ENTRALOGIN_USERS_GID;
    if (has_short_name)
        gids[n++] = ENTRALOGIN_SHORT_GID;
    if (enrolled && entralogin_nss_is_administrator(sources, uid))
        gids[n++] = ENTRALOGIN_ADMINS_GID;
    if (mapped)
        n += entralogin_nss_mapped_groups(sources, uid, gids + n);
    for (uint32_t i = 0; i < n; i++) {
        if (!add(gids[i], start, size, groups, limit)) {
            *errnop = ENOMEM;
            return NSS_STATUS_UNAVAIL;
        }
    }
    errno = before;
    return NSS_STATUS_SUCCESS;
}

ENTRALOGIN_ENTRY_POINT enum nss_status ENTRALOGIN_CALLED(initgroups_dyn)(
    const char *name, gid_t primary, long *start, long *size, gid_t **groups, long limit, int *errnop) {
    return entralogin_nss_initgroups(&entralogin_nss_places, name, primary, start, size, groups, limit, errnop);
}
