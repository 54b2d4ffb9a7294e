/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "entralogin_audit_events.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "entralogin_wire.h"

/* The failures reported so far: each kind once, so that a broken audit system does not fill the journal. */
enum { SAID_SENDER = 1, SAID_MESSAGE = 2, SAID_KERNEL = 4 };

static void say_once(int errors, unsigned *said, unsigned kind, const char *what, int error) {
    if ((*said & kind) != 0)
        return;
    *said |= kind;
    dprintf(errors, "audit-events: %s%s%s\n", what, error != 0 ? ": " : "", error != 0 ? strerror(-error) : "");
}

/*
 * Receives one datagram and its sender's uid, as the kernel reports it. Its length, 0 if there is none yet, or -errno.
 */
static ssize_t receive(int socket, void *bytes, size_t capacity, uint32_t *ret_uid) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = capacity};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *ret_uid = ENTRALOGIN_NO_ID;
    ssize_t n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS ||
            c->cmsg_len != CMSG_LEN(sizeof(struct ucred)))
            continue;
        struct ucred sender;
        memcpy(&sender, CMSG_DATA(c), sizeof sender);
        *ret_uid = sender.uid;
    }
    /* An empty datagram is a message, too, and is then refused as malformed. */
    return n == 0 ? 1 : n;
}

/* True if the kernel has no audit system for this program, which is not a failure. */
static int is_absent(int error) {
    return error == -ECONNREFUSED || error == -EPROTONOSUPPORT || error == -EAFNOSUPPORT || error == -EPERM;
}

int entralogin_audit_serve(int socket, uint32_t owner, int netlink, int idle_ms, int errors) {
    unsigned char bytes[ENTRALOGIN_AUDIT_MAX];
    struct entralogin_audit_text message;
    unsigned said = 0;
    for (;;) {
        struct pollfd p = {.fd = socket, .events = POLLIN};
        int ready = poll(&p, 1, idle_ms);
        if (ready == 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return -errno;
        if (ready < 0)
            continue;
        uint32_t sender;
        ssize_t n = receive(socket, bytes, sizeof bytes, &sender);
        if (n < 0)
            return (int)n;
        if (n == 0)
            continue;
        if (sender != owner) {
            say_once(errors, &said, SAID_SENDER, "passed over a message that is not the daemon's", 0);
        } else if (entralogin_audit_text_of(bytes, (size_t)n, &message) != 0) {
            say_once(errors, &said, SAID_MESSAGE, "passed over a message that cannot be read", 0);
        } else if (netlink >= 0) {
            int sent = entralogin_audit_send(netlink, &message);
            if (sent != 0 && !is_absent(sent))
                say_once(errors, &said, SAID_KERNEL, "the kernel does not take an event", sent);
        }
    }
}
