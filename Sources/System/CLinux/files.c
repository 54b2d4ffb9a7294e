/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int clinux_stat(const char *path, struct clinux_file *ret_file) {
    struct stat file;
    if (lstat(path, &file) < 0)
        return -errno;
    *ret_file = (struct clinux_file){
        .kind = S_ISSOCK(file.st_mode) ? CLINUX_FILE_SOCKET : CLINUX_FILE_OTHER,
        .owner = file.st_uid,
        .group = file.st_gid,
        .mode = file.st_mode & 07777,
    };
    return 0;
}

int clinux_lock(const char *path) {
    int descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (descriptor < 0)
        return -errno;
    if (flock(descriptor, LOCK_EX | LOCK_NB) < 0) {
        int error = errno;
        (void)close(descriptor);
        return -error;
    }
    return descriptor;
}
