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
/* Not copied into each caller: the module is mapped into every process, and its size is limited (.ci/exports). */
#define ENTRALOGIN_ONE_COPY __attribute__((noinline))

/* The paths of a real machine. */
extern const struct entralogin_sources entralogin_nss_places;

/* --- find.c --- */

/* Converts a reader's result to the status that glibc expects, and sets *errnop unless that is SUCCESS. */
enum nss_status entralogin_nss_status(int result, int *errnop);

/* A record, and what it points into: held until entralogin_nss_let_go. */
struct entralogin_finding {
    struct entralogin_record record;
    int is_enrolled; /* false: the daemon's answer */
    struct entralogin_accounts accounts;
    unsigned char window[ENTRALOGIN_WINDOW];
};

/*
 * Finds by name: in the snapshot or, for root and a name that is not there, by asking the daemon. A name that cannot be
 * an Entra account's is ABSENT at no cost. On FOUND the caller calls entralogin_nss_let_go; otherwise nothing is held.
 */
int entralogin_nss_find_name(
    const struct entralogin_sources *sources, const char *name, struct entralogin_finding *ret);
/* The same in the snapshot alone; a uid that cannot be an Entra account's is ABSENT at no cost. */
int entralogin_nss_find_enrolled_name(
    const struct entralogin_sources *sources, const char *name, struct entralogin_finding *ret);
int entralogin_nss_find_uid(const struct entralogin_sources *sources, uint32_t uid, struct entralogin_finding *ret);
/*
 * The same as find_name, for callers that read the file of grants next: an enrolled name is found without a system call
 * while the last comparison is at most ENTRALOGIN_PATH_CHECK_MS old, since a name never gets another number.
 */
int entralogin_nss_find_member(
    const struct entralogin_sources *sources, const char *name, struct entralogin_finding *ret);
void entralogin_nss_let_go(struct entralogin_finding *finding);

/* Opens the accounts into a finding that has no record yet. */
int entralogin_nss_open(const struct entralogin_sources *sources, struct entralogin_finding *ret);

/* The record at `cursor`, or the next one that may be returned; *ret_next is the cursor after it. */
int entralogin_nss_record_at(const struct entralogin_sources *sources, struct entralogin_accounts *a, uint64_t cursor,
    struct entralogin_record *ret, uint64_t *ret_next);

/* True while `uid` is a member of the administrators' group. False if anything is unreadable. */
int entralogin_nss_is_administrator(const struct entralogin_sources *sources, uint32_t uid);

/*
 * Stores the gids of the Entra groups that `uid` is in now, and returns how many; 0 if anything is unreadable. Call
 * this only if the accounts have the flag ENTRALOGIN_MAPS_GROUPS.
 */
uint32_t entralogin_nss_mapped_groups(
    const struct entralogin_sources *sources, uint32_t uid, uint32_t gids[ENTRALOGIN_GROUPS_MAX]);

/* Writes the entry at `here` into the caller's buffer; *ret_next is the cursor after it. */
typedef enum nss_status entralogin_entry_at(const struct entralogin_sources *sources, struct entralogin_accounts *a,
    uint64_t here, void *ret, char *buffer, size_t size, int *errnop, uint64_t *ret_next);

/*
 * One step of an enumeration: the entry at *cursor. Only one of the threads that share the cursor moves it to the next
 * entry, and only if the entry fitted; the others take the next one. NOTFOUND at the end, and if enumeration is off.
 */
enum nss_status entralogin_nss_next(const struct entralogin_sources *sources, uint64_t *cursor,
    entralogin_entry_at *entry_at, void *ret, char *buffer, size_t size, int *errnop);

/* --- ask.c --- */

/* Asks the daemon for a name if this process may and the daemon was not just too slow; for a short name only in sshd. */
int entralogin_nss_ask(const struct entralogin_sources *sources, const char *name, void *space, size_t capacity,
    struct entralogin_record *ret);

/* Reads the daemon's reply. FOUND only for a sound record of that very name or of its short name, whatever it says. */
int entralogin_nss_read_reply(const char *name, const void *frame, size_t size, struct entralogin_record *ret);

/* --- pack.c --- */

/* The rest of a caller's buffer. */
struct entralogin_space {
    char *at;
    size_t left;
};

/* Copies a text and ends it with a NUL; NULL if there is no room. */
char *entralogin_space_text(struct entralogin_space *space, struct entralogin_text text);
/* An empty list, aligned: only the NULL that ends it. Returns NULL if there is no room. */
char **entralogin_space_empty_list(struct entralogin_space *space);

#endif
