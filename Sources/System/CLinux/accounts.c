/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <shadow.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define LABEL "security.selinux"

int clinux_lock_accounts(void) {
    return lckpwdf() == 0 ? 0 : -errno;
}

int clinux_unlock_accounts(void) {
    return ulckpwdf() == 0 ? 0 : -errno;
}

int clinux_copy_attributes(int from, int to) {
    struct stat s;
    char label[4096];
    if (fstat(from, &s) != 0 || fchown(to, s.st_uid, s.st_gid) != 0 || fchmod(to, s.st_mode & 07777) != 0)
        return -errno;
    ssize_t n = fgetxattr(from, LABEL, label, sizeof label);
    if (n < 0)
        return errno == ENODATA || errno == ENOTSUP ? 0 : -errno;
    return fsetxattr(to, LABEL, label, (size_t)n, 0) == 0 ? 0 : -errno;
}
