/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does only what the daemon must do for a name that no account has: waits for a connection, accepts it, receives the
 * frame, asks the kernel who the caller is, checks whether the local files have changed, digests the name, answers and
 * closes. Listens at the daemon's socket.
 */
#define _GNU_SOURCE
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "entralogin_wire.h"

#define NAME_MAX_BYTES 113

static EVP_MD *algorithm;

/* A uid in entralogin's range, from the name's digest. */
static uint32_t number_of(const char *name) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    char seed[37 + NAME_MAX_BYTES + 1] = "00000000-0000-4000-8000-000000000000";
    unsigned length = 0;
    strcpy(seed + 37, name);
    EVP_Digest(seed, 37 + strlen(name), digest, &length, algorithm, NULL);
    return 0x70000400u + (digest[0] | (uint32_t)digest[1] << 8 | (uint32_t)digest[2] << 16);
}

static size_t answer(const unsigned char *frame, size_t size, void *reply, size_t capacity) {
    char name[NAME_MAX_BYTES + 1] = "", home[sizeof name + 6];
    struct entralogin_writer w;
    size_t length = size > 14 ? (size_t)frame[12] << 8 | frame[13] : 0;
    if (length == 0 || length > NAME_MAX_BYTES || length + 14 > size)
        return 0;
    memcpy(name, frame + 14, length);
    snprintf(home, sizeof home, "/home/%s", name);
    entralogin_begin(&w, reply, capacity, ENTRALOGIN_LOOK_UP_NAME | ENTRALOGIN_REPLY);
    entralogin_put_u16(&w, ENTRALOGIN_STATUS_OK);
    entralogin_put_u32(&w, number_of(name));
    entralogin_put_u32(&w, number_of(name));
    entralogin_put_string(&w, name);
    entralogin_put_string(&w, "");
    entralogin_put_string(&w, home);
    entralogin_put_string(&w, "/bin/bash");
    return entralogin_finish(&w);
}

static void serve(int client) {
    unsigned char frame[ENTRALOGIN_FRAME_MAX], reply[1024];
    struct ucred peer;
    struct stat files[2];
    socklen_t length = sizeof peer;
    ssize_t size = recv(client, frame, sizeof frame, 0);
    if (size > 0 && getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == 0 &&
        stat("/etc/passwd", files) == 0 && stat("/etc/group", files + 1) == 0)
        send(client, reply, answer(frame, (size_t)size, reply, sizeof reply), MSG_NOSIGNAL);
    close(client);
}

int main(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = ENTRALOGIN_CONTROL_SOCKET};
    struct epoll_event event = {.events = EPOLLIN};
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    unlink(address.sun_path);
    if (!algorithm || listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 256) != 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        return 1;
    puts("ready");
    fflush(stdout);
    for (;;) {
        if (epoll_wait(epoll, &event, 1, -1) != 1)
            continue;
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0)
            serve(client);
    }
}
