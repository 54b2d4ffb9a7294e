/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passes the daemon's events to the kernel's audit system. The only process of entralogin that may (CAP_AUDIT_WRITE),
 * it writes only the types and fields of a fixed table, even if the daemon is compromised.
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

/*
 * Makes the audit message for a datagram from the daemon. 0, or -EBADMSG for a malformed one: *ret is undefined then.
 */
int entralogin_audit_text_of(const void *message, size_t size, struct entralogin_audit_text *ret);

/*
 * A netlink socket to the kernel's audit system, or a negative errno. ECONNREFUSED and EPROTONOSUPPORT: this kernel has
 * no audit system, or none for this container.
 */
int entralogin_audit_open(void);

/*
 * Sends one message and waits for the kernel's acknowledgement: 0, or a negative errno. While auditing is off, the
 * kernel ignores the message and acknowledges it with 0. EPERM, ECONNREFUSED: not for this container.
 */
int entralogin_audit_send(int netlink, const struct entralogin_audit_text *message);

/*
 * Takes datagrams from `socket` until none has come for `idle_ms`, and passes those of the uid `owner` to `netlink`
 * (-1: drops them). 0, or the negative errno of a socket that cannot be read. Reports each kind of failure once.
 */
int entralogin_audit_serve(int socket, uint32_t owner, int netlink, int idle_ms, int errors);

#endif
