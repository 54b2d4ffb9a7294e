/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root's list of mapped accounts: local accounts of Entra users. This header is its specification.
 *
 *   entralogin-adopted 1
 *   alice@contoso.com:0b1ec700-0000-4000-8000-00000000a11c:1001
 *
 * After the first line, one line for each account: name, object id (lower case), uid; the gid is the uid. Every line
 * ends with LF; no blank, no comment. At most ENTRALOGIN_MAPPED_MAX accounts and ENTRALOGIN_MAPPED_SIZE_MAX bytes; no
 * name, object id or number twice; no number that entralogin_uid_is_mappable() denies. Written by root alone, readable
 * by everybody.
 *
 * An account is mapped if this list and its record in passwd(5) agree on name, uid and gid, and the record's password
 * field has the mark. The list alone makes no Entra account, and a record without the list is a local account's. A user
 * can change neither. A record with the mark whose list is missing or unreadable is refused, not treated as local.
 * These readers use the mark for that case alone: a name service between them and the file may hide it (SSSD does), and
 * the daemon checks it.
 *
 * The daemon checks the list by every rule. These readers keep nothing, so they do not look for an object id that
 * occurs twice; any other fault makes the whole list unsound, for every account in it. A list that exists but cannot be
 * read is unsound for every name of an Entra account's form, but for no number: accounts with other names are not
 * affected (P8).
 */
#ifndef ENTRALOGIN_MAPPED_H
#define ENTRALOGIN_MAPPED_H

#include <stdint.h>

#include "entralogin_name.h"

#ifndef ENTRALOGIN_MAPPED_LIST /* test builds name another */
#define ENTRALOGIN_MAPPED_LIST "/etc/entralogin/adopted"
#endif
#define ENTRALOGIN_MAPPED_FIRST_LINE "entralogin-adopted 1"
#define ENTRALOGIN_MAPPED_MAX 10000u
#define ENTRALOGIN_MAPPED_SIZE_MAX (2u << 20)
/*
 * The password field of a mapped account's record: no password matches it, and an sshd without PAM takes "!" as locked.
 */
#define ENTRALOGIN_MAPPED_MARK "!*adopted"
/* In place of a number: any number in the list. */
#define ENTRALOGIN_ANY_ID UINT32_MAX

enum entralogin_mapping {
    ENTRALOGIN_NOT_MAPPED, /* not in the list, as far as it can be read; or there is none */
    ENTRALOGIN_MAPPED,
    ENTRALOGIN_MAPPING_UNSOUND, /* in the list with other data, or the list cannot be trusted */
};

/*
 * Whether the list has `name` with that number. `root` is the trusted owner; errno stays as it was; a NULL path is an
 * empty list. One open(2), and reads up to the limits above.
 */
enum entralogin_mapping entralogin_mapped(
    const char *path, uint32_t root, const char *name, uint32_t uid, uint32_t gid);
/*
 * The same for a number alone. `ret_name`, unless NULL, has room for ENTRALOGIN_NAME_MAX + 1 bytes and gets the name
 * that the list has with that number.
 */
enum entralogin_mapping entralogin_mapped_number(const char *path, uint32_t root, uint32_t uid, char *ret_name);

#endif
