/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sudo's group plugin: is this user an administrator now, or in that Entra group? sudoers names the members of
 * ENTRALOGIN_SUDO_GROUP, which is no group of the name service, or of ENTRALOGIN_SUDO_PREFIX and a name of [Groups], and sudo
 * asks this module about the user who runs it (sudo_plugin(5), "Group plugin API").
 *
 * It answers yes only where the daemon says that the membership lasts and that Azure gives the role, within the last minute.
 * Everything else is no: no answer, another version, no memory, a module that cannot be loaded. The process's groups do not
 * count, so neither a membership that ended nor a borrowed group is a right. Nothing is asked about accounts that cannot be
 * Entra accounts.
 */
#ifndef ENTRALOGIN_SUDO_H
#define ENTRALOGIN_SUDO_H

#include <pwd.h>
#include <stdint.h>

#include "entralogin_client.h"

/* In sudoers: "%:entralogin:administrators". A colon can stand in no group name of /etc/group, Active Directory or NIS. */
#define ENTRALOGIN_SUDO_GROUP "entralogin:administrators"

#define ENTRALOGIN_SUDO_PREFIX "entralogin:"

/* What the daemon takes for the service. */
#define ENTRALOGIN_SUDO_SERVICE "sudoers"           /* of the user who runs sudo */
#define ENTRALOGIN_SUDO_LIST_SERVICE "sudoers-list" /* of somebody else: sudo -l -U */

struct entralogin_sudo_world {
    struct entralogin_server daemon;
    const char *mapped;            /* ENTRALOGIN_MAPPED_LIST */
    uint32_t (*caller)(void);      /* the uid that started this sudo */
    void (*say)(const char *line); /* shows one line, without its end, to the caller */
};

/* True for the names that this module answers about. */
int entralogin_sudo_is_a_group(const char *group);

/* 1: a member now. 0: not, or it cannot be decided. At most ENTRALOGIN_PAM_DEADLINE_MS. */
#define ENTRALOGIN_SUDO_SILENT \
    (-1) /* the same as 0: there was no answer, and the next question need not wait for one */
int entralogin_sudo_is_member(
    const struct entralogin_sudo_world *operations, const char *user, const char *group, const struct passwd *record);

#endif
