/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "entralogin_audit_events.h"
#include "entralogin_client.h"
#include "entralogin_wire.h"

int main(void) {
    const int on = 1;
    uint32_t owner;
    int socket = entralogin_inherited(ENTRALOGIN_AUDIT_SOCKET, &owner);
    if (socket == -EBADF) {
        fputs("audit-events: started by entralogin-audit.socket, and by nothing else\n", stderr);
        return 2;
    }
    if (socket >= 0 && setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
        socket = -errno;
    if (socket < 0) {
        fprintf(stderr, "audit-events: %s: %s\n", ENTRALOGIN_AUDIT_SOCKET, strerror(-socket));
        return 1;
    }
    int netlink = entralogin_audit_open();
    int end = entralogin_audit_serve(socket, owner, netlink, ENTRALOGIN_AUDIT_IDLE_MS, STDERR_FILENO);
    if (end != 0)
        fprintf(stderr, "audit-events: %s\n", strerror(-end));
    return end == 0 ? 0 : 1;
}
