/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static int result(int value) {
    return value < 0 ? -errno : value;
}

/* Fills in a path address; false where it does not fit with its NUL. */
static int path_address(struct sockaddr_un *ret_address, const char *path) {
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof ret_address->sun_path)
        return 0;
    memset(ret_address, 0, sizeof *ret_address);
    ret_address->sun_family = AF_UNIX;
    memcpy(ret_address->sun_path, path, length + 1);
    return 1;
}

/* An integer option of SOL_SOCKET, or the negated errno. */
static int option(int descriptor, int name) {
    int value;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) < 0 ? -errno : value;
}

int clinux_seqpacket(void) {
    return result(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int clinux_datagram(void) {
    return result(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int clinux_bind(int descriptor, const char *path) {
    struct sockaddr_un address;
    if (!path_address(&address, path))
        return -ENAMETOOLONG;
    return result(bind(descriptor, (const struct sockaddr *)&address, sizeof address));
}

int clinux_connect(int descriptor, const char *path) {
    struct sockaddr_un address;
    if (!path_address(&address, path))
        return -ENAMETOOLONG;
    return result(connect(descriptor, (const struct sockaddr *)&address, sizeof address));
}

int clinux_listen(int descriptor, int backlog) {
    return result(listen(descriptor, backlog));
}

int clinux_accept(int listener) {
    int accepted;
    do
        accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (accepted < 0 && errno == EINTR);
    return result(accepted);
}

int clinux_peer_of(int descriptor, struct clinux_peer *ret_peer) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return -errno;
    if (size != sizeof peer)
        return -EPROTO;
    *ret_peer = (struct clinux_peer){.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
    return 0;
}

int clinux_is_seqpacket_listener(int descriptor) {
    int domain = option(descriptor, SO_DOMAIN);
    if (domain < 0)
        return domain;
    return domain == AF_UNIX && option(descriptor, SO_TYPE) == SOCK_SEQPACKET && option(descriptor, SO_ACCEPTCONN) == 1;
}

int clinux_bound_path(int descriptor, char *ret_path, size_t capacity) {
    struct sockaddr_un address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    if (getsockname(descriptor, (struct sockaddr *)&address, &size) < 0)
        return -errno;
    if (address.sun_family != AF_UNIX)
        return -EAFNOSUPPORT;
    size_t length = strnlen(address.sun_path, sizeof address.sun_path);
    if (length >= capacity)
        return -ENAMETOOLONG;
    memcpy(ret_path, address.sun_path, length);
    ret_path[length] = '\0';
    return (int)length;
}

int clinux_adopt(int descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return result(fcntl(descriptor, F_SETFD, FD_CLOEXEC));
}

int64_t clinux_receive(int descriptor, void *ret_bytes, size_t capacity) {
    ssize_t got;
    int ends = 0;
    do
        got = recv(descriptor, ret_bytes, capacity, MSG_TRUNC | MSG_DONTWAIT);
    while ((got < 0 && errno == EINTR) || (got == 0 && ends++ == 0));
    return got < 0 ? -errno : got;
}

int64_t clinux_receive_some(int descriptor, void *ret_bytes, size_t capacity) {
    ssize_t got;
    do
        got = recv(descriptor, ret_bytes, capacity, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

int64_t clinux_send(int descriptor, const void *bytes, size_t size) {
    ssize_t sent;
    do
        sent = send(descriptor, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

int64_t clinux_send_to(int descriptor, const char *path, const void *bytes, size_t size) {
    struct sockaddr_un address;
    if (!path_address(&address, path))
        return -ENAMETOOLONG;
    ssize_t sent;
    do
        sent = sendto(
            descriptor, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&address, sizeof address);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

/* Reads an address as sd_notify(3) does: returns its size, or 0 if it is not of this family. */
static socklen_t notify_address(struct sockaddr_un *ret_address, const char *path) {
    size_t length = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || length < 2 || !path_address(ret_address, path))
        return 0;
    if (path[0] == '/')
        return sizeof *ret_address;
    ret_address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

int64_t clinux_send_with(int descriptor, const char *path, const void *bytes, size_t size, int attached) {
    struct sockaddr_un address;
    socklen_t address_size = notify_address(&address, path);
    if (address_size == 0)
        return -EAFNOSUPPORT;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
    struct msghdr message = {.msg_name = &address, .msg_namelen = address_size, .msg_iov = &part, .msg_iovlen = 1};
    if (attached >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof attached);
        memcpy(CMSG_DATA(&control.header), &attached, sizeof attached);
    }
    ssize_t sent;
    do
        sent = sendmsg(descriptor, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}
