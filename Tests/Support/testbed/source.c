/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to preload (LD_PRELOAD) into the daemon under test: it connects over IPv4 from the loopback address that
 * TEST_SOURCE names. The address distinguishes the daemons of several machines in the simulator's request log.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sockaddr_in source = {.sin_family = AF_INET};

__attribute__((constructor)) static void read_source(void) {
    const char *address = getenv("TEST_SOURCE");
    if (address)
        inet_pton(AF_INET, address, &source.sin_addr);
}

int connect(int socket, const struct sockaddr *address, socklen_t size) {
    int before = errno;
    /* bind(2) fails on a socket that already has an address, and the socket keeps it. */
    if (address->sa_family == AF_INET && source.sin_addr.s_addr != INADDR_ANY)
        (void)bind(socket, (const struct sockaddr *)&source, sizeof source);
    errno = before;
    return (int)syscall(SYS_connect, socket, address, size);
}
