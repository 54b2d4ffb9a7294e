/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "entralogin_mapped.h"
#include "entralogin_client.h"
#include "entralogin_end_sessions.h"
#include "entralogin_wire.h"

/* Gets ahead of a thousand forking processes, if the unit's limits allow it; otherwise the end only takes longer. */
static void run_ahead(void) {
    const struct sched_param lowest = {.sched_priority = 1};
    if (sched_setscheduler(0, SCHED_RR, &lowest) != 0)
        (void)setpriority(PRIO_PROCESS, 0, -20);
}

int main(void) {
    static const struct entralogin_owners owners = {"/etc/passwd", "/etc/subuid", ENTRALOGIN_MAPPED_LIST, 0};
    uint32_t owner;
    int socket = entralogin_inherited(ENTRALOGIN_SESSIONS_SOCKET, &owner);
    if (socket == -EBADF) {
        fputs("end-sessions: started by entralogin-sessions.socket, and by nothing else\n", stderr);
        return 2;
    }
    if (socket < 0) {
        fprintf(stderr, "end-sessions: %s: %s\n", ENTRALOGIN_SESSIONS_SOCKET, strerror(-socket));
        return 1;
    }
    run_ahead();
    int end = entralogin_sessions_serve(socket, owner, &owners, ENTRALOGIN_SESSIONS_IDLE_MS, STDERR_FILENO);
    if (end != 0)
        fprintf(stderr, "end-sessions: %s\n", strerror(-end));
    return end == 0 ? 0 : 1;
}
