/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files that the name service module reads without asking the daemon. This header is their specification.
 *
 * They are immutable: each is written under another name, then renamed. Integers are little-endian. A reader trusts
 * nothing: the file must be regular, have at most one link and a system user as owner, not be writable by group or
 * others; every offset and length is checked against the file's size; every record has a checksum; ids outside the
 * compiled-in range are never returned. Readers copy with pread(2) and never map the file: truncation causes a short
 * read, no SIGBUS. The checksum of some bytes is entralogin_hash(0, those bytes).
 *
 * ACCOUNTS  /var/lib/entralogin/nss/accounts.snapshot, the enrolled accounts
 *   0    8 bytes  ENTRALOGIN_ACCOUNTS_MAGIC
 *   8    u32      ENTRALOGIN_SNAPSHOT_VERSION
 *   12   u32      size of this header: ENTRALOGIN_ACCOUNTS_HEADER
 *   16   u64      size of the file
 *   24   u64      generation: grows with every publication
 *   32   u32      number of accounts
 *   36   u32      seed of the hashes
 *   40   u32      offset of the table by name       (8-aligned)
 *   44   u32      slots of that table minus one     (slots: a power of two, at least twice the accounts, at least 2)
 *   48   u32      offset of the table by uid        (8-aligned)
 *   52   u32      slots of that table minus one
 *   56   u32      offset of the first record        (8-aligned)
 *   60   u32      end of the last record
 *   64   u32      flags: ENTRALOGIN_ENUMERATE, ENTRALOGIN_MAPS_GROUPS, ENTRALOGIN_SHORT_NAMES
 *   68   u16      length of the users' group name      72  offset (u32) of its bytes, NUL-terminated
 *   70   u16      length of the administrators' group name   76  offset (u32) of its bytes, NUL-terminated
 *   80   u16      length of the domain of short names     84  offset (u32) of its bytes, NUL-terminated; both zero
 *                 without ENTRALOGIN_SHORT_NAMES
 *   82   u16      zero
 *   88   32 bytes zero
 *   120  u32      zero
 *   124  u32      checksum of bytes 0-123
 *
 *   slot    u32 hash, u32 offset of the record (0: empty). Linear probing from hash & mask. A reader probes at most
 *           ENTRALOGIN_PROBES_MAX slots; at half load no run is nearly that long.
 *           hash by name: entralogin_hash(seed, name); by uid: entralogin_hash(seed, the uid's four bytes,
 *           little-endian)
 *   record  8-aligned, at most ENTRALOGIN_RECORD_MAX bytes:
 *           0 u32 checksum of bytes 4 to size-1   4 u32 size   8 u32 uid   12 u32 gid
 *           16 u16 x 4: lengths of name, gecos, home, shell   24 those strings in that order, each NUL-terminated
 *           size = 24 + the four lengths + 4; the next record begins at the next multiple of 8 (padding zero)
 *   An account's private group has the account's name and gid; gid = uid. The strings contain neither ':' nor control
 *   characters; home and shell are absolute. The group names satisfy entralogin_group_name_is_valid(). A name is a user
 *   principal name, a GUID or, with ENTRALOGIN_SHORT_NAMES, a short name; the short name followed by '@' and the domain then
 *   finds that record, too. Modules older than short names treat such a record as damaged.
 *   The home ENTRALOGIN_GROUPS_ALONE, which no user has, marks a mapped account, whose passwd record is in the local files.
 *   Such a record only says which of entralogin's groups the name is in; it is neither a user nor a group. Modules older
 *   than this rule return it as a user whose home and shell do not work, and give the name none of entralogin's groups,
 *   because its primary group is a different one.
 *
 * GRANTS  /run/entralogin/nss/grants.snapshot, who is an administrator now. (The daemon owns this folder; root owns the
 *         one above it, which holds the sockets and the result of the integration check, and only root can write there.)
 *   0    8 bytes  ENTRALOGIN_GRANTS_MAGIC
 *   8    u32      ENTRALOGIN_SNAPSHOT_VERSION
 *   12   u32      size of this header: ENTRALOGIN_GRANTS_HEADER
 *   16   u64      size of the file
 *   24   u64      generation
 *   32   16 bytes boot id (/proc/sys/kernel/random/boot_id, 128 bits)
 *   48   u32      number of entries
 *   52   8 bytes  zero
 *   60   u32      checksum of bytes 0-59
 *   64   entries, ascending by uid:
 *           0 u32 uid   4 u32 checksum of the other 12 bytes (uid, then expiry)   8 u64 expiry: CLOCK_BOOTTIME, seconds
 *
 * GROUPS  /run/entralogin/nss/groups.snapshot, the Entra groups of the settings and their members now. Readers open it
 *         only if ACCOUNTS has the flag ENTRALOGIN_MAPS_GROUPS.
 *   0    8 bytes  ENTRALOGIN_GROUPS_MAGIC
 *   8    u32      ENTRALOGIN_SNAPSHOT_VERSION
 *   12   u32      size of this header: ENTRALOGIN_GROUPS_HEADER
 *   16   u64      size of the file
 *   24   u64      generation
 *   32   16 bytes boot id, as above
 *   48   u32      number of groups: at most ENTRALOGIN_GROUPS_MAX
 *   52   u32      number of members
 *   56   4 bytes  zero
 *   60   u32      checksum of bytes 0-59
 *   64   groups, 48 bytes each:
 *           0 u32 gid: entralogin_gid_is_mapped()   4 u32 checksum of the other 44 bytes (gid, then bytes 8-47)
 *           8 u16 length of the name   10 u16 zero   12 the name, padded with zeros to 36 bytes
 *   after them the members, ascending by uid, 24 bytes each:
 *           0 u32 uid   4 u32 checksum of the other 20 bytes (uid, then bytes 8-23)
 *           8 u64 expiry: CLOCK_BOOTTIME, seconds   16 u64 bit i, from 0: a member of group i
 *   The names satisfy entralogin_group_name_is_valid() and differ, also from those of the two shared groups, which take
 *   precedence.
 */
#ifndef ENTRALOGIN_SNAPSHOT_H
#define ENTRALOGIN_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#ifndef ENTRALOGIN_ACCOUNTS_SNAPSHOT /* test builds use other paths */
#define ENTRALOGIN_ACCOUNTS_SNAPSHOT "/var/lib/entralogin/nss/accounts.snapshot"
#endif
#ifndef ENTRALOGIN_GRANTS_SNAPSHOT
#define ENTRALOGIN_GRANTS_SNAPSHOT "/run/entralogin/nss/grants.snapshot"
#endif
#ifndef ENTRALOGIN_GROUPS_SNAPSHOT
#define ENTRALOGIN_GROUPS_SNAPSHOT "/run/entralogin/nss/groups.snapshot"
#endif
#define ENTRALOGIN_ACCOUNTS_MAGIC "ENTLACCT"
#define ENTRALOGIN_GRANTS_MAGIC "ENTLGRNT"
#define ENTRALOGIN_GROUPS_MAGIC "ENTLGRPS"
#define ENTRALOGIN_SNAPSHOT_VERSION 2u
#define ENTRALOGIN_ACCOUNTS_HEADER 128u
#define ENTRALOGIN_GRANTS_HEADER 64u
#define ENTRALOGIN_GRANT_ENTRY 16u
#define ENTRALOGIN_GROUPS_HEADER 64u
#define ENTRALOGIN_GROUP_ENTRY 48u
#define ENTRALOGIN_MEMBER_ENTRY 24u
#define ENTRALOGIN_GROUPS_MAX 63u
#define ENTRALOGIN_RECORD_HEADER 24u
#define ENTRALOGIN_RECORD_MAX 1024u
#define ENTRALOGIN_SNAPSHOT_MAX (1u << 30)
#define ENTRALOGIN_PROBES_MAX 1024u
#define ENTRALOGIN_GROUPS_ALONE "//"
#define ENTRALOGIN_ENUMERATE 0x1u   /* getpwent and getgrent list the enrolled accounts */
#define ENTRALOGIN_MAPS_GROUPS 0x2u /* there are Entra groups: readers open GROUPS */
#define ENTRALOGIN_SHORT_NAMES 0x4u /* accounts of one domain have short names */
#define ENTRALOGIN_DOMAIN_MAX 48u   /* bytes (Entra's documented limit) */

/*
 * Eight bytes at a time; no protection against attackers, who could write any checksum. 64-bit unsigned, wrapping:
 *   h = (seed << 32 | size) * FACTOR
 *   for each eight bytes w (little-endian; the last ones padded with zeros): h = (rotate_left(h, 5) ^ w) * FACTOR
 *   h = (h ^ h >> 32) * FACTOR;  h = h ^ h >> 32
 * The hash is the lower 32 bits, and never 0: 0 becomes 1. FACTOR is 2^64 / pi, made odd.
 */
#define ENTRALOGIN_HASH_FACTOR 0x517cc1b727220a95ull
uint32_t entralogin_hash(uint32_t seed, const void *data, size_t size);

#endif
