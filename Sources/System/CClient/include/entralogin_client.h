/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to the daemon: connect, prove the server, send one frame, receive one frame, close. Nothing is kept,
 * nothing is allocated, no signal is raised, errno stays as it was, and the deadline bounds all of it.
 */
#ifndef ENTRALOGIN_CLIENT_H
#define ENTRALOGIN_CLIENT_H

#include <stddef.h>
#include <stdint.h>

/* Where the daemon listens, and the uid that counts as root: 0, except in tests without privileges. */
struct entralogin_server {
    const char *path;
    uint32_t root;
};

/* CLOCK_MONOTONIC in nanoseconds; 0 where it cannot be read. */
uint64_t entralogin_now(void);
/* The moment `milliseconds` from now. */
uint64_t entralogin_deadline(int milliseconds);

/*
 * Returns the size of the reply, or a negative errno:
 *   -ENOENT, -ECONNREFUSED  nobody listens         -ETIMEDOUT    no answer before the deadline
 *   -EACCES                 may not connect        -EPERM        the folder, the socket or the peer is not the daemon's
 *   -EMSGSIZE               the reply does not fit  -ECONNRESET   closed without a reply
 *   -EMFILE ...             as the system said
 */
long entralogin_exchange(const struct entralogin_server *server, const void *request, size_t request_size, void *reply,
    size_t reply_capacity, uint64_t deadline);

/*
 * One line to show: at most ENTRALOGIN_LINE_MAX bytes of the text, with a blank for every control character of ASCII
 * and, in UTF-8, of Latin-1 (U+0080 to U+009F). `line` holds ENTRALOGIN_LINE_MAX + 1 bytes.
 */
#define ENTRALOGIN_LINE_MAX 1024u
void entralogin_clean_line(char *line, const char *text, size_t length);

/*
 * Returns the one socket that systemd passed to this process (sd_listen_fds(3), without libsystemd); it must be a Unix
 * socket bound to `path`. -EBADF: there is none. Another negative errno: there is no socket at the path any more.
 * `ret_owner` gets the uid for which root made the socket, the daemon's: the daemon can change its mode, not its owner.
 */
int entralogin_inherited(const char *path, uint32_t *ret_owner);

#endif
