/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "entralogin_audit_events.h"
#include "entralogin_wire.h"

#define FIRST_INHERITED 3 /* SD_LISTEN_FDS_START (sd_listen_fds(3)) */

/* The one socket that systemd gave us, which has to be the one at our place: -1 otherwise. */
static int inherited(void) {
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    struct sockaddr_un own;
    socklen_t size = sizeof own;
    if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != (long)getpid() || strcmp(count, "1") != 0)
        return -1;
    memset(&own, 0, sizeof own);
    if (getsockname(FIRST_INHERITED, (struct sockaddr *)&own, &size) != 0 || own.sun_family != AF_UNIX ||
        strncmp(own.sun_path, ENTRALOGIN_AUDIT_SOCKET, sizeof own.sun_path) != 0)
        return -1;
    return FIRST_INHERITED;
}

int main(void) {
    const int on = 1;
    struct stat place;
    int socket = inherited();
    if (socket < 0) {
        fputs("audit-events: started by entralogin-audit.socket, and by nothing else\n", stderr);
        return 2;
    }
    /* Who may write is who the folder's owner, root, made the socket for: the daemon. Its mode is the daemon's to
       change; its owner is not. */
    if (stat(ENTRALOGIN_AUDIT_SOCKET, &place) != 0 || !S_ISSOCK(place.st_mode) ||
        setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
        fprintf(stderr, "audit-events: %s: %s\n", ENTRALOGIN_AUDIT_SOCKET, strerror(errno));
        return 1;
    }
    int netlink = entralogin_audit_open();
    int end = entralogin_audit_serve(socket, place.st_uid, netlink, ENTRALOGIN_AUDIT_IDLE_MS, STDERR_FILENO);
    if (end != 0)
        fprintf(stderr, "audit-events: %s\n", strerror(-end));
    return end == 0 ? 0 : 1;
}
