/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names and ids can belong to Entra accounts: the single rule for the modules, the helper and the daemon. Pure;
 * no system call.
 */
#ifndef ENTRALOGIN_NAME_H
#define ENTRALOGIN_NAME_H

#include <stddef.h>
#include <stdint.h>

/*
 * Ids from 0x70000000: systemd's UIDS-GIDS lists 1879048192-2147483647 as unused; the last 128 Ki are not used. Ids
 * outside this range are never returned, whatever a file or the daemon says. The first 1024 ids are for entralogin's
 * groups.
 */
#define ENTRALOGIN_ID_FIRST 1879048192u
#define ENTRALOGIN_ID_LAST 2147352575u
#define ENTRALOGIN_GROUP_IDS 1024u
#define ENTRALOGIN_USERS_GID (ENTRALOGIN_ID_FIRST + 0u)
#define ENTRALOGIN_ADMINS_GID (ENTRALOGIN_ID_FIRST + 1u)
/* The group of every account with a short name; sshd_config uses it to tell them from other users. */
#define ENTRALOGIN_SHORT_GID (ENTRALOGIN_ID_FIRST + 2u)
#define ENTRALOGIN_SHORT_GROUP "entra_short_names"
/* Gids of the Entra groups that the settings name: the group ids from here on; lower ones are used or reserved. */
#define ENTRALOGIN_MAPPED_GID_FIRST (ENTRALOGIN_ID_FIRST + 16u)
#define ENTRALOGIN_UID_FIRST (ENTRALOGIN_ID_FIRST + ENTRALOGIN_GROUP_IDS)

/* The password field of an Entra account, which no password matches. nss-systemd uses it too, for nobody (65534). */
#define ENTRALOGIN_NO_PASSWORD "!*"

/* A user principal name has at most 113 characters: 64, '@', 48 (Entra's documented limits). */
#define ENTRALOGIN_NAME_MAX 113u

/*
 * True for a name that an Entra user or service principal can have, in canonical (lower-case) form:
 *   UPN   local@domain; local of a-z 0-9 . _ - ' (not '.' at either end), labels of a-z 0-9 - (not - at either end)
 *   GUID  8-4-4-4-12 lower-case hexadecimal digits
 * '#', '!', '^', '~', upper case, blanks, controls and everything else: false.
 */
int entralogin_name_is_valid(const char *name, size_t length);

/* The same, but upper-case ASCII letters count as lower case: folding makes the name one that an Entra account can have. */
int entralogin_name_folds_to_valid(const char *name, size_t length);

/*
 * True for a name that an Entra account can have if short names are on (ShortNames=): the part before the '@' of a user
 * principal name, if that can be a local user's name on any system: at most ENTRALOGIN_SHORT_NAME_MAX (what utmp(5)
 * holds) of a-z 0-9 . -, beginning with a letter, not ending with . or -, not beginning with "systemd". It has no
 * underscore, so it is never the name of one of entralogin's groups. Other users' names look the same: the form alone
 * proves no Entra account.
 */
#define ENTRALOGIN_SHORT_NAME_MAX 32u
int entralogin_name_is_short(const char *name, size_t length);

/* True where `whole` is a user principal name, and `name` its short name. */
int entralogin_name_is_short_of(const char *name, size_t length, const char *whole, size_t whole_length);

/*
 * True for a name that one of entralogin's groups may have: at most ENTRALOGIN_GROUP_NAME_MAX of a-z 0-9 _ -, beginning
 * with a letter, containing an underscore, not beginning with "systemd". So it is never the name of a group that gives
 * root rights on some system (root, sudo, wheel, adm, docker, disk ...), and look-ups of those cost the modules
 * nothing.
 */
#define ENTRALOGIN_GROUP_NAME_MAX 32u
int entralogin_group_name_is_valid(const char *name, size_t length);

static inline int entralogin_uid_in_range(uint32_t uid) {
    return uid >= ENTRALOGIN_UID_FIRST && uid <= ENTRALOGIN_ID_LAST;
}

/*
 * True for a uid that a mapped account may keep (entralogin_mapped.h): not a system uid (below 1000), not nobody's
 * (65534), not the invalid uid in 16 or 32 bits, and not in the id range.
 */
static inline int entralogin_uid_is_mappable(uint32_t uid) {
    return uid >= 1000u && uid != 65534u && uid != 65535u && uid != UINT32_MAX &&
           !(uid >= ENTRALOGIN_ID_FIRST && uid <= ENTRALOGIN_ID_LAST);
}

static inline int entralogin_gid_is_mapped(uint32_t gid) {
    return gid >= ENTRALOGIN_MAPPED_GID_FIRST && gid < ENTRALOGIN_UID_FIRST;
}

static inline int entralogin_gid_in_range(uint32_t gid) {
    return gid >= ENTRALOGIN_ID_FIRST && gid <= ENTRALOGIN_ID_LAST;
}

#endif
