/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <pwd.h>
#include <stdio.h>

#include "entralogin_mapped.h"
#include "entralogin_end_sessions.h"

/*
 * Returns how many records of the file have that uid, and the last one's name and gid; -1 if it cannot be read whole.
 */
static int records_of(const char *path, uint32_t uid, char *ret_name, size_t capacity, uint32_t *ret_gid) {
    char buffer[4096];
    struct passwd record, *found;
    int count = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    while (fgetpwent_r(file, &record, buffer, sizeof buffer, &found) == 0) {
        if (record.pw_uid != uid)
            continue;
        count++;
        *ret_gid = record.pw_gid;
        snprintf(ret_name, capacity, "%s", record.pw_name);
    }
    int is_whole = feof(file) && !ferror(file);
    fclose(file);
    return is_whole ? count : -1;
}

int entralogin_uid_is_entra(const struct entralogin_owners *owners, uint32_t uid) {
    char name[ENTRALOGIN_NAME_MAX + 2];
    uint32_t gid = ENTRALOGIN_ANY_ID;
    if (!entralogin_uid_in_range(uid) && !entralogin_uid_is_mappable(uid))
        return 0;
    int count = records_of(owners->passwd, uid, name, sizeof name, &gid);
    if (entralogin_uid_in_range(uid))
        return count == 0;
    return count == 1 && entralogin_mapped(owners->mapped, owners->root, name, uid, gid) == ENTRALOGIN_MAPPED;
}
