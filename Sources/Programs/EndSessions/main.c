/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "entralogin_adopted.h"
#include "entralogin_end_sessions.h"
#include "entralogin_wire.h"

#define FIRST_INHERITED 3 /* SD_LISTEN_FDS_START (sd_listen_fds(3)) */

/* The one socket that systemd passed, which has to be the one at the expected path: -1 otherwise. */
static int inherited(void) {
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    struct sockaddr_un own;
    socklen_t size = sizeof own;
    if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != (long)getpid() || strcmp(count, "1") != 0)
        return -1;
    memset(&own, 0, sizeof own);
    if (getsockname(FIRST_INHERITED, (struct sockaddr *)&own, &size) != 0 || own.sun_family != AF_UNIX ||
        strncmp(own.sun_path, ENTRALOGIN_SESSIONS_SOCKET, sizeof own.sun_path) != 0)
        return -1;
    return FIRST_INHERITED;
}

/* Runs ahead of a thousand processes that fork, where the unit's limits allow it; otherwise it only takes longer. */
static void run_ahead(void) {
    const struct sched_param lowest = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_RR, &lowest) != 0)
        (void)setpriority(PRIO_PROCESS, 0, -20);
}

int main(void) {
    static const struct entralogin_owners owners = {"/etc/passwd", ENTRALOGIN_ADOPTED_LIST, 0};
    struct stat place;
    int socket = inherited();
    if (socket < 0) {
        fputs("end-sessions: started by entralogin-sessions.socket, and by nothing else\n", stderr);
        return 2;
    }
    /* Root made the socket for the daemon. Its mode is the daemon's to change; its owner is not. */
    if (stat(ENTRALOGIN_SESSIONS_SOCKET, &place) != 0 || !S_ISSOCK(place.st_mode)) {
        fprintf(stderr, "end-sessions: %s: %s\n", ENTRALOGIN_SESSIONS_SOCKET, strerror(errno));
        return 1;
    }
    run_ahead();
    int end = entralogin_sessions_serve(socket, place.st_uid, &owners, ENTRALOGIN_SESSIONS_IDLE_MS, STDERR_FILENO);
    if (end != 0)
        fprintf(stderr, "end-sessions: %s\n", strerror(-end));
    return end == 0 ? 0 : 1;
}
