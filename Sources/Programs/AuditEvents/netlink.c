/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "entralogin_audit_events.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel answers within the sender's own call: an answer is there at once, or never comes. */
#define ANSWER_MS 1000

struct request {
    struct nlmsghdr header;
    char text[ENTRALOGIN_AUDIT_TEXT_MAX];
};

int entralogin_audit_open(void) {
    struct sockaddr_nl own = {.nl_family = AF_NETLINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_AUDIT);
    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&own, sizeof own) != 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

/*
 * Reads one answer of the kernel: 1 and *ret_error for this request's acknowledgement, 0 for anything else, or -errno.
 */
static int answer(int fd, uint32_t sequence, int *ret_error) {
    struct {
        struct nlmsghdr header;
        struct nlmsgerr body;
        char rest[ENTRALOGIN_AUDIT_TEXT_MAX]; /* a refusal carries the request */
    } reply;
    struct sockaddr_nl from = {0};
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(fd, &reply, sizeof reply, 0, (struct sockaddr *)&from, &size);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : -errno;
    if (size != sizeof from || from.nl_pid != 0 || (size_t)n < sizeof reply.header + sizeof reply.body ||
        reply.header.nlmsg_type != NLMSG_ERROR || reply.header.nlmsg_seq != sequence)
        return 0;
    *ret_error = reply.body.error;
    return 1;
}

int entralogin_audit_send(int netlink, const struct entralogin_audit_text *message) {
    static uint32_t sequence;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct request r;
    size_t size = sizeof r.header + message->length + 1;
    memset(&r.header, 0, sizeof r.header);
    r.header.nlmsg_len = (uint32_t)size;
    r.header.nlmsg_type = message->type;
    r.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    r.header.nlmsg_seq = ++sequence;
    memcpy(r.text, message->text, message->length + 1);
    ssize_t n;
    do
        n = sendto(netlink, &r, size, 0, (const struct sockaddr *)&kernel, sizeof kernel);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    for (;;) {
        struct pollfd p = {.fd = netlink, .events = POLLIN};
        int ready = poll(&p, 1, ANSWER_MS), error = 0;
        if (ready == 0)
            return -ETIMEDOUT;
        if (ready < 0 && errno != EINTR)
            return -errno;
        int got = ready > 0 ? answer(netlink, sequence, &error) : 0;
        if (got != 0)
            return got < 0 ? got : error;
    }
}
