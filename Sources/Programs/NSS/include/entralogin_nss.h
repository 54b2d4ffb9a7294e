/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name service module. glibc calls the entry points of nss.map (at the end of passwd.c, group.c, initgroups.c);
 * each calls one of the functions below with the compiled-in paths. Tests pass other paths.
 *
 * It is built twice: as the service entralogin, and as entralogin_short (short.map) for machines with short names. Only
 * the second one takes a name without an '@' for a possible Entra account. Any user may have such a name, so each
 * look-up reads the published accounts; the daemon is asked about it only in sshd. If the groups of such a name are
 * asked for and its primary group is not entralogin's, not even the file is read.
 *
 * Returns: SUCCESS; NOTFOUND with ENOENT if the entry is not an Entra account's or does not exist; TRYAGAIN with ERANGE
 * only if the buffer is too small; UNAVAIL if the answer is not available now. On SUCCESS errno does not change.
 */
#ifndef ENTRALOGIN_NSS_H
#define ENTRALOGIN_NSS_H

#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <sys/types.h>
#include <stdint.h>

#include "entralogin_client.h"

struct entralogin_kept;

struct entralogin_sources {
    const char *accounts, *grants, *groups, *boot_id, *mapped;
    struct entralogin_server daemon;
    struct entralogin_kept *kept_accounts, *kept_grants,
        *kept_groups; /* entralogin_snapshot_reader.h; NULL: nothing is kept */
    int short_names;  /* the service entralogin_short; the other one hides accounts that have a short name */
};

enum nss_status entralogin_nss_passwd_by_name(const struct entralogin_sources *sources, const char *name,
    struct passwd *ret, char *buffer, size_t size, int *errnop);
enum nss_status entralogin_nss_passwd_by_uid(
    const struct entralogin_sources *sources, uint32_t uid, struct passwd *ret, char *buffer, size_t size, int *errnop);
/*
 * Returns the entry at *cursor (0: the first). *cursor moves to the next entry only on SUCCESS. Any number of threads
 * may share a cursor: each entry is given to one of them. NOTFOUND at the end, and always if enumeration is off.
 */
enum nss_status entralogin_nss_passwd_next(const struct entralogin_sources *sources, uint64_t *cursor,
    struct passwd *ret, char *buffer, size_t size, int *errnop);
enum nss_status entralogin_nss_group_by_name(const struct entralogin_sources *sources, const char *name,
    struct group *ret, char *buffer, size_t size, int *errnop);
enum nss_status entralogin_nss_group_by_gid(
    const struct entralogin_sources *sources, uint32_t gid, struct group *ret, char *buffer, size_t size, int *errnop);
enum nss_status entralogin_nss_group_next(const struct entralogin_sources *sources, uint64_t *cursor, struct group *ret,
    char *buffer, size_t size, int *errnop);

/*
 * The groups of `name` besides its private one, for a caller whose record of that name has the primary group `primary`.
 * If that is another account's group, so is the record (a local account of the same name), and the result is NOTFOUND,
 * unless the daemon's record is for groups alone and root's list of mapped accounts has that name with that group.
 */
enum nss_status entralogin_nss_initgroups(const struct entralogin_sources *sources, const char *name, gid_t primary,
    long *start, long *size, gid_t **groups, long limit, int *errnop);

/* Forgets that the daemon was slow. Tests only. */
void entralogin_nss_close_breaker(void);

#endif
