/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "entralogin_name.h"
#include "pam_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What configure writes is far smaller; a file that was written by hand does not count here. */
#define RULES_MAX 8192
#define MADE_BY_US "# Made by /usr/libexec/entralogin/configure"
/* Bytes for a record of group(5): a directory may list thousands of members. */
#define GROUP_BYTES_MAX (1u << 20)
#define FEW_GROUPS 1024
#define MOST_GROUPS 65536 /* the kernel's NGROUPS_MAX */

enum { NO = 0, YES = 1, UNKNOWN = -1 };

/* Reads configure's own file for sudo into `text`, which ends with a NUL. */
static int read_rules(const char *path, char *text) {
    struct stat status;
    size_t used = 0;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (fd < 0)
        return entralogin_is_shortage(errno) ? UNKNOWN : NO;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        while (used < RULES_MAX && (n = read(fd, text + used, RULES_MAX - used)) > 0)
            used += (size_t)n;
    }
    close(fd);
    text[used] = '\0';
    return strstr(text, "\n" MADE_BY_US) != NULL;
}

/* The number of the group that sudo-rs finds by a name. */
static int group_number(const struct entralogin_pam_operations *operations, const char *name, gid_t *ret) {
    struct group record, *found = NULL;
    for (size_t size = ENTRALOGIN_PASSWD_MAX; size <= GROUP_BYTES_MAX; size *= 4) {
        char *buffer = malloc(size);
        if (buffer == NULL)
            return UNKNOWN;
        int error = operations->look_up_group(name, &record, buffer, size, &found);
        if (error == 0 && found != NULL)
            *ret = found->gr_gid;
        free(buffer);
        if (error != ERANGE)
            return entralogin_is_shortage(error) ? UNKNOWN : error == 0 && found != NULL;
    }
    return UNKNOWN;
}

/* The rule's group: "%#1879048193 ALL=…" or "%entra_admins ALL=…". NO for the original sudo's file, which uses a plugin. */
static int ruling_group(const struct entralogin_pam_operations *operations, gid_t *ret) {
    char text[RULES_MAX + 1];
    int read = read_rules(operations->sudo_rules, text);
    if (read != YES)
        return read;
    char *name = strstr(text, "\n%");
    if (name == NULL)
        return NO;
    name += 2;
    name[strcspn(name, " \t\n")] = '\0';
    *ret = ENTRALOGIN_ADMINS_GID;
    return name[0] == '#' ? YES : group_number(operations, name, ret);
}

static int is_listed(const gid_t *groups, int count, gid_t number) {
    for (int i = 0; i < count; i++) {
        if (groups[i] == number || groups[i] == ENTRALOGIN_ADMINS_GID)
            return YES;
    }
    return NO;
}

/* Whether the name services say that the user is a member, as sudo-rs asks them. */
static int is_member(const struct entralogin_pam_operations *operations, const char *name, gid_t own, gid_t number) {
    gid_t few[FEW_GROUPS];
    int count = FEW_GROUPS;
    if (operations->list_groups(name, own, few, &count) >= 0)
        return is_listed(few, count, number);
    gid_t *many = malloc(sizeof *many * MOST_GROUPS);
    count = MOST_GROUPS;
    int result =
        many == NULL || operations->list_groups(name, own, many, &count) < 0 ? UNKNOWN : is_listed(many, count, number);
    free(many);
    return result;
}

int entralogin_has_foreign_right(
    const struct entralogin_pam_operations *operations, pam_handle_t *pamh, const char *name) {
    char buffer[ENTRALOGIN_PASSWD_MAX];
    struct passwd record, *found = NULL;
    gid_t number = ENTRALOGIN_ADMINS_GID;
    if (!entralogin_in_sudo(pamh) || *name == '\0')
        return NO;
    int ruled = ruling_group(operations, &number);
    if (ruled != YES)
        return ruled != NO;
    int error = operations->look_up(name, &record, buffer, sizeof buffer, &found);
    if (error != 0 || found == NULL)
        return entralogin_is_shortage(error);
    return found->pw_uid != operations->daemon.root && is_member(operations, name, found->pw_gid, number) != NO;
}
