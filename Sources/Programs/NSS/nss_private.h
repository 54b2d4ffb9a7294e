/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENTRALOGIN_NSS_PRIVATE_H
#define ENTRALOGIN_NSS_PRIVATE_H

#include "entralogin_nss.h"
#include "entralogin_snapshot_reader.h"

#define ENTRALOGIN_ENTRY_POINT __attribute__((visibility("default")))
/* The module is built twice: as entralogin, and with ENTRALOGIN_NSS_SHORT=1 as entralogin_short. */
#ifndef ENTRALOGIN_NSS_SHORT
#define ENTRALOGIN_NSS_SHORT 0
#endif
#if ENTRALOGIN_NSS_SHORT
#define ENTRALOGIN_CALLED(function) _nss_entralogin_short_##function
#else
#define ENTRALOGIN_CALLED(function) _nss_entralogin_##function
#endif
/* Not copied into each caller: the module is mapped into every process, and has a limit of size (.ci/exports). */
#define ENTRALOGIN_ONE_COPY __attribute__((noinline))

/* The places of a real machine. */
extern const struct entralogin_sources entralogin_nss_places;

/* --- find.c --- */

/* Makes a reader's result the status that glibc expects, and sets *errnop unless it is SUCCESS. */
enum nss_status entralogin_nss_status(int result, int *errnop);

/* A record, and what it points into: held until it is let go. */
struct entralogin_finding {
    struct entralogin_record record;
    int is_enrolled; /* false: the daemon's answer */
    struct entralogin_accounts accounts;
    unsigned char window[ENTRALOGIN_WINDOW];
};

/*
 * Finds by name: in the snapshot or, for root and a name that is not there, at the daemon. A name that cannot be an Entra
 * account's is ABSENT at no cost. On FOUND the caller lets go; on anything else there is nothing to let go.
 */
int entralogin_nss_find_name(
    const struct entralogin_sources *sources, const char *name, struct entralogin_finding *ret);
/* The same in the snapshot alone; a uid that cannot be an Entra account's is ABSENT at no cost. */
int entralogin_nss_find_enrolled_name(
    const struct entralogin_sources *sources, const char *name, struct entralogin_finding *ret);
int entralogin_nss_find_uid(const struct entralogin_sources *sources, uint32_t uid, struct entralogin_finding *ret);
/*
 * The same as find_name where the file of grants is read next: an enrolled name is found without a system call while
 * the last comparison is ENTRALOGIN_PATH_CHECK_MS old at most, since a name never gets another number.
 */
int entralogin_nss_find_member(
    const struct entralogin_sources *sources, const char *name, struct entralogin_finding *ret);
void entralogin_nss_let_go(struct entralogin_finding *finding);

/* Opens the accounts into a finding that has no record yet. */
int entralogin_nss_open(const struct entralogin_sources *sources, struct entralogin_finding *ret);

/* The record number `cursor`, or the next one that may be told, and the cursor of the one behind it. */
int entralogin_nss_record_at(const struct entralogin_sources *sources, struct entralogin_accounts *a, uint64_t cursor,
    struct entralogin_record *ret, uint64_t *ret_next);

/* True while the administrators' membership of `uid` lasts. Anything unreadable: false. */
int entralogin_nss_is_administrator(const struct entralogin_sources *sources, uint32_t uid);

/*
 * The gids of the Entra groups that `uid` is in now, and how many. To be asked only where the accounts have the flag
 * ENTRALOGIN_MAPS_GROUPS. Anything unreadable: none.
 */
uint32_t entralogin_nss_mapped_groups(
    const struct entralogin_sources *sources, uint32_t uid, uint32_t gids[ENTRALOGIN_GROUPS_MAX]);

/* Writes what stands at `here` into the caller's buffer; *ret_next is the cursor behind it. */
typedef enum nss_status entralogin_entry_at(const struct entralogin_sources *sources, struct entralogin_accounts *a,
    uint64_t here, void *ret, char *buffer, size_t size, int *errnop, uint64_t *ret_next);

/*
 * One step of an enumeration: the entry at *cursor, which moves behind it only when it fitted, and only by one of the
 * threads that share it; the others take the next one. NOTFOUND at the end, and always where enumeration is off.
 */
enum nss_status entralogin_nss_next(const struct entralogin_sources *sources, uint64_t *cursor,
    entralogin_entry_at *entry_at, void *ret, char *buffer, size_t size, int *errnop);

/* --- ask.c --- */

/* Asks the daemon for a name, where this process may and the daemon was not too slow a moment ago; for a short one in sshd. */
int entralogin_nss_ask(const struct entralogin_sources *sources, const char *name, void *space, size_t capacity,
    struct entralogin_record *ret);

/* Reads the daemon's reply. Whatever it says: a sound record of that very name or of its short one, or nothing. */
int entralogin_nss_read_reply(const char *name, const void *frame, size_t size, struct entralogin_record *ret);

/* --- pack.c --- */

/* The rest of a caller's buffer. */
struct entralogin_space {
    char *at;
    size_t left;
};

/* Copies a text and ends it with a NUL; NULL where there is no room. */
char *entralogin_space_text(struct entralogin_space *space, struct entralogin_text text);
/* A list that is the NULL at its end, aligned; NULL where there is no room. */
char **entralogin_space_empty_list(struct entralogin_space *space);

#endif
