/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the kernel's audit system what the daemon says, as entralogin's one process that may (CAP_AUDIT_WRITE). It
 * writes the types and fields of a fixed table and nothing else, whatever has become of the daemon.
 */
#ifndef ENTRALOGIN_AUDIT_EVENTS_H
#define ENTRALOGIN_AUDIT_EVENTS_H

#include <stddef.h>
#include <stdint.h>

/* The longest text: each string in hexadecimal, and the names of the fields. The kernel takes 8 KiB. */
#define ENTRALOGIN_AUDIT_TEXT_MAX 2048u

/* How long audit-events waits for another message before it ends. */
#define ENTRALOGIN_AUDIT_IDLE_MS 30000

struct entralogin_audit_text {
    uint16_t type; /* of the netlink message: a user-space type of linux/audit.h and libaudit.h */
    size_t length; /* without the NUL behind it */
    char text[ENTRALOGIN_AUDIT_TEXT_MAX];
};

/* The audit message that a datagram of the daemon's asks for. 0, or -EBADMSG where it is none: *ret is undefined then. */
int entralogin_audit_text_of(const void *message, size_t size, struct entralogin_audit_text *ret);

/*
 * A netlink socket to the kernel's audit system, or a negative errno. ECONNREFUSED and EPROTONOSUPPORT: this kernel has
 * none, or not for this container.
 */
int entralogin_audit_open(void);

/*
 * Sends one message and waits for the kernel's word that it was taken: 0, or a negative errno. The kernel itself passes
 * over it, and says 0, while auditing is off. EPERM, ECONNREFUSED: not for this container.
 */
int entralogin_audit_send(int netlink, const struct entralogin_audit_text *message);

/*
 * Takes datagrams from `socket` until none has come for `idle_ms`, and hands each of `owner`'s to `netlink` (-1: to
 * nobody). 0, or the negative errno of a socket that cannot be read. Each kind of failure is told on `errors` once.
 */
int entralogin_audit_serve(int socket, uint32_t owner, int netlink, int idle_ms, int errors);

#endif
