/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "entralogin_name.h"
#include "pam_private.h"

#include <unistd.h>

#define GROUPS_MAX 1024

int entralogin_holds_administrators_group(void) {
    gid_t groups[GROUPS_MAX];
    if (getgid() == ENTRALOGIN_ADMINS_GID || getegid() == ENTRALOGIN_ADMINS_GID)
        return 1;
    int n = getgroups(GROUPS_MAX, groups);
    for (int i = 0; i < n; i++) {
        if (groups[i] == ENTRALOGIN_ADMINS_GID)
            return 1;
    }
    return n < 0 ? -1 : 0;
}
