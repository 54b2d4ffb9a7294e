/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "nss_private.h"

#include <errno.h>
#include <string.h>

#include "entralogin_mapped.h"
#include "entralogin_wire.h"

static struct entralogin_kept kept_accounts, kept_grants, kept_groups;

const struct entralogin_sources entralogin_nss_places = {
    .accounts = ENTRALOGIN_ACCOUNTS_SNAPSHOT,
    .grants = ENTRALOGIN_GRANTS_SNAPSHOT,
    .groups = ENTRALOGIN_GROUPS_SNAPSHOT,
    .boot_id = "/proc/sys/kernel/random/boot_id",
    .mapped = ENTRALOGIN_MAPPED_LIST,
    .daemon = {.path = ENTRALOGIN_CONTROL_SOCKET, .root = 0},
    .kept_accounts = &kept_accounts,
    .kept_grants = &kept_grants,
    .kept_groups = &kept_groups,
    .short_names = ENTRALOGIN_NSS_SHORT,
};

static int can_be_entra(const struct entralogin_sources *sources, const char *name, size_t length) {
    return entralogin_name_is_valid(name, length) || (sources->short_names && entralogin_name_is_short(name, length));
}

/* Whether the record is hidden: the service without short names does not return accounts that have one. */
static int is_hidden(const struct entralogin_sources *sources, const struct entralogin_record *record) {
    return !sources->short_names && entralogin_name_is_short(record->name.bytes, record->name.length);
}

enum nss_status entralogin_nss_status(int result, int *errnop) {
    if (result == ENTRALOGIN_FOUND)
        return NSS_STATUS_SUCCESS;
    *errnop = ENOENT;
    return result == ENTRALOGIN_ABSENT ? NSS_STATUS_NOTFOUND : NSS_STATUS_UNAVAIL;
}

int entralogin_nss_open(const struct entralogin_sources *sources, struct entralogin_finding *ret) {
    ret->is_enrolled = 1;
    return entralogin_accounts_open(
        &ret->accounts, sources->accounts, sources->kept_accounts, ret->window, sizeof ret->window);
}

void entralogin_nss_let_go(struct entralogin_finding *finding) {
    if (finding->is_enrolled)
        entralogin_accounts_close(&finding->accounts);
}

/* Keeps the accounts open only for a record that points into them. */
static int settle(const struct entralogin_sources *sources, int result, struct entralogin_finding *finding) {
    if (result == ENTRALOGIN_FOUND && is_hidden(sources, &finding->record))
        result = ENTRALOGIN_ABSENT;
    if (result != ENTRALOGIN_FOUND)
        entralogin_accounts_close(&finding->accounts);
    return result;
}

static int find_enrolled(
    const struct entralogin_sources *sources, const char *name, size_t length, struct entralogin_finding *ret) {
    int result = entralogin_nss_open(sources, ret);
    if (result != ENTRALOGIN_FOUND)
        return result;
    return settle(sources, entralogin_accounts_by_name(&ret->accounts, name, length, &ret->record), ret);
}

static int find_recent(
    const struct entralogin_sources *sources, const char *name, size_t length, struct entralogin_finding *ret) {
    if (!entralogin_accounts_open_recent(&ret->accounts, sources->kept_accounts, ret->window, sizeof ret->window))
        return ENTRALOGIN_ABSENT;
    ret->is_enrolled = 1;
    return settle(sources, entralogin_accounts_by_name(&ret->accounts, name, length, &ret->record), ret);
}

/* The daemon's answer needs no open accounts: a name that was found there is not asked for. */
static int find_provisional(
    const struct entralogin_sources *sources, const char *name, struct entralogin_finding *ret) {
    ret->is_enrolled = 0;
    int result = entralogin_nss_ask(sources, name, ret->window, sizeof ret->window, &ret->record);
    return result == ENTRALOGIN_FOUND && is_hidden(sources, &ret->record) ? ENTRALOGIN_ABSENT : result;
}

static int find_anywhere(
    const struct entralogin_sources *sources, const char *name, size_t length, struct entralogin_finding *ret) {
    int enrolled = find_enrolled(sources, name, length, ret);
    if (enrolled == ENTRALOGIN_FOUND)
        return enrolled;
    int answer = find_provisional(sources, name, ret);
    return answer == ENTRALOGIN_ABSENT ? enrolled : answer;
}

int entralogin_nss_find_name(
    const struct entralogin_sources *sources, const char *name, struct entralogin_finding *ret) {
    size_t length = strnlen(name, ENTRALOGIN_NAME_MAX + 1);
    return can_be_entra(sources, name, length) ? find_anywhere(sources, name, length, ret) : ENTRALOGIN_ABSENT;
}

int entralogin_nss_find_member(
    const struct entralogin_sources *sources, const char *name, struct entralogin_finding *ret) {
    size_t length = strnlen(name, ENTRALOGIN_NAME_MAX + 1);
    if (!can_be_entra(sources, name, length))
        return ENTRALOGIN_ABSENT;
    if (find_recent(sources, name, length, ret) == ENTRALOGIN_FOUND)
        return ENTRALOGIN_FOUND;
    return find_anywhere(sources, name, length, ret);
}

int entralogin_nss_find_enrolled_name(
    const struct entralogin_sources *sources, const char *name, struct entralogin_finding *ret) {
    size_t length = strnlen(name, ENTRALOGIN_NAME_MAX + 1);
    return can_be_entra(sources, name, length) ? find_enrolled(sources, name, length, ret) : ENTRALOGIN_ABSENT;
}

int entralogin_nss_find_uid(const struct entralogin_sources *sources, uint32_t uid, struct entralogin_finding *ret) {
    if (!entralogin_uid_in_range(uid))
        return ENTRALOGIN_ABSENT;
    int result = entralogin_nss_open(sources, ret);
    if (result != ENTRALOGIN_FOUND)
        return result;
    return settle(sources, entralogin_accounts_by_uid(&ret->accounts, uid, &ret->record), ret);
}

/*
 * A cursor is the number of records returned (upper half) and the place of the next one (lower half). The place is
 * valid for the file it was made from; if a newer file has no record there, its records are counted from the first.
 * The number only grows and the file's count bounds it, so an enumeration ends whatever is published meanwhile.
 */
static int any_record_at(
    struct entralogin_accounts *a, uint64_t cursor, struct entralogin_record *ret, uint64_t *ret_next) {
    uint32_t number = (uint32_t)(cursor >> 32), place = (uint32_t)cursor;
    if (number >= a->count)
        return ENTRALOGIN_ABSENT;
    int result = entralogin_accounts_next(a, &place, ret);
    if (result != ENTRALOGIN_FOUND) {
        place = 0;
        result = ENTRALOGIN_FOUND;
        for (uint32_t i = 0; i <= number && result == ENTRALOGIN_FOUND; i++)
            result = entralogin_accounts_next(a, &place, ret);
    }
    *ret_next = (uint64_t)(number + 1) << 32 | place;
    return result;
}

int entralogin_nss_record_at(const struct entralogin_sources *sources, struct entralogin_accounts *a, uint64_t cursor,
    struct entralogin_record *ret, uint64_t *ret_next) {
    int result;
    do {
        result = any_record_at(a, cursor, ret, ret_next);
        cursor = *ret_next;
    } while (result == ENTRALOGIN_FOUND && (entralogin_record_is_for_groups_alone(ret) || is_hidden(sources, ret)));
    return result;
}

enum nss_status entralogin_nss_next(const struct entralogin_sources *sources, uint64_t *cursor,
    entralogin_entry_at *entry_at, void *ret, char *buffer, size_t size, int *errnop) {
    struct entralogin_finding finding;
    enum nss_status status;
    uint64_t here, next;
    int found = entralogin_nss_open(sources, &finding);
    if (found != ENTRALOGIN_FOUND)
        return entralogin_nss_status(found, errnop);
    do {
        here = __atomic_load_n(cursor, __ATOMIC_ACQUIRE);
        next = 0;
        status = finding.accounts.flags & ENTRALOGIN_ENUMERATE
                     ? entry_at(sources, &finding.accounts, here, ret, buffer, size, errnop, &next)
                     : entralogin_nss_status(ENTRALOGIN_ABSENT, errnop);
    } while (status == NSS_STATUS_SUCCESS &&
             !__atomic_compare_exchange_n(cursor, &here, next, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    entralogin_nss_let_go(&finding);
    return status;
}

int entralogin_nss_is_administrator(const struct entralogin_sources *sources, uint32_t uid) {
    unsigned char window[ENTRALOGIN_WINDOW];
    struct entralogin_grants g;
    uint64_t expiry = 0;
    if (entralogin_grants_open(&g, sources->grants, sources->kept_grants, window, sizeof window) != ENTRALOGIN_FOUND)
        return 0;
    int granted = entralogin_grants_by_uid(&g, uid, &expiry) == ENTRALOGIN_FOUND &&
                  expiry > entralogin_boot_seconds() && entralogin_grants_are_of_this_boot(&g, sources->boot_id);
    entralogin_grants_close(&g);
    return granted;
}

uint32_t entralogin_nss_mapped_groups(
    const struct entralogin_sources *sources, uint32_t uid, uint32_t gids[ENTRALOGIN_GROUPS_MAX]) {
    unsigned char window[ENTRALOGIN_WINDOW];
    struct entralogin_groups g;
    struct entralogin_text name;
    uint64_t expiry = 0, places = 0;
    uint32_t n = 0;
    if (entralogin_groups_open(&g, sources->groups, sources->kept_groups, window, sizeof window) != ENTRALOGIN_FOUND)
        return 0;
    if (entralogin_groups_of(&g, uid, &expiry, &places) == ENTRALOGIN_FOUND && expiry > entralogin_boot_seconds() &&
        entralogin_groups_are_of_this_boot(&g, sources->boot_id)) {
        for (uint32_t place = 0; places >> place != 0; place++) {
            if ((places >> place & 1) != 0 && entralogin_groups_at(&g, place, &name, &gids[n]) == ENTRALOGIN_FOUND)
                n++;
        }
    }
    entralogin_groups_close(&g);
    return n;
}
