/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "entralogin_end_sessions.h"
#include "entralogin_wire.h"

#define REQUEST_MS 1000 /* how long a client may take to send its request */

size_t entralogin_answer_end(const struct entralogin_owners *owners, entralogin_end_function *end, const void *request,
    size_t request_size, void *reply, size_t reply_capacity) {
    struct entralogin_reader r = {.bytes = request, .size = request_size};
    struct entralogin_writer w;
    struct entralogin_ended ended;
    struct entralogin_account account;
    size_t name_length;
    uint32_t magic = entralogin_get_u32(&r);
    uint16_t version = entralogin_get_u16(&r), opcode = entralogin_get_u16(&r);
    uint32_t length = entralogin_get_u32(&r), uid = entralogin_get_u32(&r);
    uint16_t cause = entralogin_get_u16(&r), status = ENTRALOGIN_STATUS_OK;
    const char *name = entralogin_get_string(&r, &name_length);
    if (!entralogin_consumed(&r) || magic != ENTRALOGIN_MAGIC || version != ENTRALOGIN_VERSION ||
        opcode != ENTRALOGIN_END_ACCOUNT || length != request_size - ENTRALOGIN_FRAME_HEADER ||
        cause < ENTRALOGIN_END_ROLE || cause > ENTRALOGIN_END_DISABLED)
        return 0;
    memset(&ended, 0, sizeof ended);
    memset(&account, 0, sizeof account);
    account.uid = uid;
    entralogin_find_ranges(owners, name, name_length, &account);
    if (!entralogin_uid_is_entra(owners, uid))
        status = ENTRALOGIN_STATUS_FORBIDDEN;
    else if (end(&account, cause, &ended) != 0)
        status = ENTRALOGIN_STATUS_UNAVAILABLE;
    entralogin_begin(&w, reply, reply_capacity, ENTRALOGIN_END_ACCOUNT | ENTRALOGIN_REPLY);
    entralogin_put_u16(&w, status);
    if (status != ENTRALOGIN_STATUS_OK)
        return entralogin_finish(&w);
    entralogin_put_u32(&w, ended.ended);
    entralogin_put_u32(&w, ended.left);
    entralogin_put_u16(&w, (uint16_t)ended.others_count);
    for (uint32_t i = 0; i < ended.others_count; i++) {
        entralogin_put_u32(&w, (uint32_t)ended.others[i].pid);
        entralogin_put_u32(&w, ended.others[i].uid);
        entralogin_put_string(&w, ended.others[i].command);
    }
    return entralogin_finish(&w);
}

static void answer(int client, uint32_t owner, const struct entralogin_owners *owners, int errors) {
    unsigned char request[256], reply[2048];
    struct ucred peer;
    socklen_t size = sizeof peer;
    struct pollfd p = {.fd = client, .events = POLLIN};
    if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != owner) {
        dprintf(errors, "end-sessions: refused a request that is not the daemon's\n");
        return;
    }
    if (poll(&p, 1, REQUEST_MS) != 1)
        return;
    ssize_t n = recv(client, request, sizeof request, MSG_DONTWAIT | MSG_TRUNC);
    size_t length = n > 0 && (size_t)n <= sizeof request
                        ? entralogin_answer_end(owners, entralogin_end_account, request, (size_t)n, reply, sizeof reply)
                        : 0;
    if (length == 0)
        dprintf(errors, "end-sessions: refused a request that cannot be read\n");
    else
        (void)send(client, reply, length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int entralogin_sessions_serve(
    int listener, uint32_t owner, const struct entralogin_owners *owners, int idle_ms, int errors) {
    for (;;) {
        struct pollfd p = {.fd = listener, .events = POLLIN};
        int ready = poll(&p, 1, idle_ms);
        if (ready == 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return -errno;
        int client = ready > 0 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
        if (client < 0)
            continue;
        answer(client, owner, owners, errors);
        close(client);
    }
}
