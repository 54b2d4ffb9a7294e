/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pam_private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "entralogin_name.h"

/* A record of ours has at most 1 KiB; another source's may be longer, and one beyond this is nobody's. */
#define RECORD_MAX 16384
#define GROUPS_MAX 1024

const char *entralogin_item(pam_handle_t *pamh, int item) {
    const void *value = NULL;
    if (pam_get_item(pamh, item, &value) != PAM_SUCCESS || value == NULL)
        return "";
    return value;
}

void entralogin_find_person(
    const struct entralogin_pam_world *world, const char *name, int foreigners_too, struct entralogin_person *ret) {
    char buffer[RECORD_MAX];
    struct passwd record, *found = NULL;
    int shape = entralogin_name_folds_to_ours(name, strnlen(name, ENTRALOGIN_NAME_MAX + 1));
    *ret = (struct entralogin_person){.uid = ENTRALOGIN_NO_ID, .gid = ENTRALOGIN_NO_ID};
    if (!shape && !foreigners_too)
        return;
    if (world->look_up(name, &record, buffer, sizeof buffer, &found) != 0 || found == NULL) {
        ret->standing = shape ? ENTRALOGIN_UNKNOWN : ENTRALOGIN_FOREIGN;
        return;
    }
    ret->uid = found->pw_uid;
    ret->gid = found->pw_gid;
    if (strlen(found->pw_dir) < sizeof ret->home)
        strcpy(ret->home, found->pw_dir);
    if (!shape || !entralogin_uid_is_ours(found->pw_uid))
        ret->standing = ENTRALOGIN_FOREIGN;
    else
        ret->standing = strcmp(found->pw_name, name) == 0 ? ENTRALOGIN_OURS : ENTRALOGIN_MISSPELT;
}

/* The uid of the sign-in that this process descends from, for services that give somebody another's rights. */
static uint32_t login_uid(const struct entralogin_pam_world *world, const char *service) {
    static const char *const lifting[] = {"sudo", "sudo-i", "su", "su-l", "runuser", "runuser-l", "polkit-1", "doas"};
    int lifts = 0;
    for (size_t i = 0; i < sizeof lifting / sizeof *lifting; i++)
        lifts |= strcmp(service, lifting[i]) == 0;
    int fd = lifts ? open(world->login_uid, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
    if (fd < 0)
        return ENTRALOGIN_NO_ID;
    char text[16];
    uint64_t number = 0;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(text[i] - '0');
    return n > 0 && number < ENTRALOGIN_NO_ID ? (uint32_t)number : ENTRALOGIN_NO_ID;
}

void entralogin_find_invoker(
    const struct entralogin_pam_world *world, pam_handle_t *pamh, struct entralogin_invoker *ret) {
    struct entralogin_person person;
    uint32_t real = world->real_uid();
    *ret = (struct entralogin_invoker){.name = entralogin_item(pamh, PAM_RUSER), .uid = ENTRALOGIN_NO_ID};
    entralogin_find_person(world, ret->name, 0, &person);
    ret->is_ours = person.standing != ENTRALOGIN_FOREIGN;
    if (entralogin_uid_is_ours(real)) {
        ret->is_ours = 1;
        ret->uid = real;
    } else if (person.standing == ENTRALOGIN_OURS || person.standing == ENTRALOGIN_MISSPELT) {
        ret->uid = person.uid;
    } else if (ret->name[0] == '\0') {
        /* The application names nobody: who signed in counts. It does not where it names root, in root's own shell. */
        uint32_t signed_in = login_uid(world, entralogin_item(pamh, PAM_SERVICE));
        if (entralogin_uid_is_ours(signed_in)) {
            ret->is_ours = 1;
            ret->uid = signed_in;
        }
    }
}

/* sshd's PAM environment has the variable in every stage, empty before the session. */
int entralogin_in_sshd(pam_handle_t *pamh) {
    char command[17] = "";
    if (strcmp(entralogin_item(pamh, PAM_SERVICE), "sshd") == 0 || pam_getenv(pamh, "SSH_AUTH_INFO_0") != NULL)
        return 1;
    prctl(PR_GET_NAME, command, 0, 0, 0);
    return strncmp(command, "sshd", 4) == 0;
}

/* 1 or 0; -1 where the process has more groups than are looked at. */
static int holds_administrators_group(void) {
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

int entralogin_borrows_group(const struct entralogin_pam_world *world) {
    return world->real_uid() != world->daemon.root && holds_administrators_group() == 1;
}

uint16_t entralogin_process_flags(pam_handle_t *pamh) {
    /* Not known counts as held: for one of ours that only asks for more. */
    uint16_t flags = holds_administrators_group() != 0 ? ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP : 0;
    return entralogin_in_sshd(pamh) ? flags | ENTRALOGIN_PAM_IN_SSHD : flags;
}
