/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "reading.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int entralogin_open_aside(const char *path) {
    int fd;
    do
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    if (fd < 0 || fd > 2)
        return fd;
    int aside = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return aside;
}

uint32_t entralogin_read_at(int fd, unsigned char *bytes, uint32_t offset, uint32_t size) {
    uint32_t got = 0;
    while (got < size) {
        ssize_t n = pread(fd, bytes + got, size - got, (off_t)offset + got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        got += (uint32_t)n;
    }
    return got;
}
