/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "entralogin_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_INHERITED 3 /* SD_LISTEN_FDS_START */

int entralogin_inherited(const char *path, uint32_t *ret_owner) {
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    struct sockaddr_un own;
    struct stat place;
    socklen_t size = sizeof own;
    if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != (long)getpid() || strcmp(count, "1") != 0)
        return -EBADF;
    memset(&own, 0, sizeof own);
    if (getsockname(FIRST_INHERITED, (struct sockaddr *)&own, &size) != 0 || own.sun_family != AF_UNIX ||
        strncmp(own.sun_path, path, sizeof own.sun_path) != 0)
        return -EBADF;
    if (stat(path, &place) != 0)
        return -errno;
    if (!S_ISSOCK(place.st_mode))
        return -ENOTSOCK;
    *ret_owner = place.st_uid;
    return FIRST_INHERITED;
}
