/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sudo's group plugin: is this user an administrator now, or in that Entra group? sudoers names the members of
 * ENTRALOGIN_SUDO_GROUP, which is no group of the name service, or of ENTRALOGIN_SUDO_PREFIX and a name of [Groups],
 * and sudo asks this module about the user who runs it (sudo_plugin(5), "Group plugin API").
 *
 * It answers yes only if the daemon says that the membership lasts and that Azure gives the role, within the last
 * minute. In every other case it answers no: no reply, another version, no memory, a module that cannot be loaded. The
 * process's groups do not count, so neither an ended membership nor a borrowed group gives rights. The daemon is not
 * asked about accounts that cannot be Entra accounts.
 */
#ifndef ENTRALOGIN_SUDO_H
#define ENTRALOGIN_SUDO_H

#include <pwd.h>
#include <stdint.h>

#include "entralogin_client.h"

/* In sudoers: "%:entralogin:administrators". No group name of /etc/group, Active Directory or NIS can contain a colon. */
#define ENTRALOGIN_SUDO_GROUP "entralogin:administrators"

#define ENTRALOGIN_SUDO_PREFIX "entralogin:"

/* The service names that the daemon gets. */
#define ENTRALOGIN_SUDO_SERVICE "sudoers"           /* about the user who runs sudo */
#define ENTRALOGIN_SUDO_LIST_SERVICE "sudoers-list" /* about another user: sudo -l -U */

struct entralogin_sudo_world {
    struct entralogin_server daemon;
    const char *mapped;            /* ENTRALOGIN_MAPPED_LIST */
    uint32_t (*caller)(void);      /* the uid that started this sudo */
    void (*say)(const char *line); /* shows one line, given without a newline, to the caller */
};

/* True for the names that this module answers about. */
int entralogin_sudo_is_a_group(const char *group);

/* 1: a member now. 0: not a member, or it cannot be decided. Takes at most ENTRALOGIN_PAM_DEADLINE_MS. */
#define ENTRALOGIN_SUDO_SILENT \
    (-1) /* the same as 0: the daemon did not answer, and the next question need not wait for an answer */
int entralogin_sudo_is_member(
    const struct entralogin_sudo_world *operations, const char *user, const char *group, const struct passwd *record);

#endif
