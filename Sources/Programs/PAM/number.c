/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pam_private.h"

#include <string.h>

#include "entralogin_mapped.h"
#include "entralogin_snapshot_reader.h"

/* Looks for a published account by this name or, if that is NULL, by this number; returns the reader's result. */
static int published(const char *path, uint32_t uid, const char *name) {
    unsigned char window[ENTRALOGIN_WINDOW];
    struct entralogin_accounts accounts;
    struct entralogin_record record;
    int result = entralogin_accounts_open(&accounts, path, NULL, window, sizeof window);
    if (result != ENTRALOGIN_FOUND)
        return result;
    result = name == NULL
                 ? entralogin_accounts_by_uid(&accounts, uid, &record)
                 : entralogin_accounts_by_name(&accounts, name, strnlen(name, ENTRALOGIN_NAME_MAX + 1), &record);
    /* Only the daemon uses the number that a mapped account has in this file: the system knows another one. */
    if (result == ENTRALOGIN_FOUND && entralogin_record_is_for_groups_alone(&record))
        result = ENTRALOGIN_ABSENT;
    entralogin_accounts_close(&accounts);
    return result;
}

/* The name that the name services have for a number; 0 if there is none, or they cannot say. */
static int name_of(const struct entralogin_pam_operations *operations, uint32_t uid, struct passwd *record,
    char *buffer, size_t size) {
    struct passwd *found = NULL;
    return operations->look_up_number(uid, record, buffer, size, &found) == 0 && found != NULL;
}

int entralogin_is_anothers(const struct entralogin_pam_operations *operations, uint32_t uid, const char *name) {
    char buffer[ENTRALOGIN_PASSWD_MAX];
    struct passwd record;
    if (!entralogin_uid_in_range(uid) || entralogin_holds_administrators_group() == 1 ||
        published(operations->accounts, uid, NULL) != ENTRALOGIN_ABSENT ||
        !name_of(operations, uid, &record, buffer, sizeof buffer))
        return 0;
    /* entralogin's own answer, kept by a cache (nscd), about an account that was published a moment ago. */
    if (record.pw_passwd != NULL && strcmp(record.pw_passwd, ENTRALOGIN_NO_PASSWORD) == 0)
        return 0;
    if (name != NULL && strcmp(record.pw_name, name) != 0)
        return 0;
    /* Once more: the account may have been published before the look-up, which entralogin's module answered then. */
    return published(operations->accounts, uid, NULL) == ENTRALOGIN_ABSENT;
}

int entralogin_is_published(const struct entralogin_pam_operations *operations, const char *name) {
    return published(operations->accounts, ENTRALOGIN_NO_ID, name) != ENTRALOGIN_ABSENT;
}

int entralogin_is_given_away(const struct entralogin_pam_operations *operations, uint32_t uid, const char *listed) {
    char buffer[ENTRALOGIN_PASSWD_MAX];
    struct passwd record, *found = NULL;
    if (!name_of(operations, uid, &record, buffer, sizeof buffer) ||
        entralogin_name_folds_to_valid(record.pw_name, strnlen(record.pw_name, ENTRALOGIN_NAME_MAX + 1)) ||
        (record.pw_passwd != NULL && strcmp(record.pw_passwd, ENTRALOGIN_MAPPED_MARK) == 0))
        return 0;
    /* If two records have the number, it is chance which one counts. */
    return operations->look_up(listed, &record, buffer, sizeof buffer, &found) == 0 &&
           (found == NULL || found->pw_uid != uid);
}
