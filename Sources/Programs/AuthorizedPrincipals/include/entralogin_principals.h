/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The helper that sshd runs as AuthorizedPrincipalsCommand, twice for each sign-in and before anything is proved: it
 * has no effects. main.c calls this with the compiled-in place; tests name another.
 */
#ifndef ENTRALOGIN_PRINCIPALS_H
#define ENTRALOGIN_PRINCIPALS_H

#include <stddef.h>

#include "entralogin_client.h"

#define ENTRALOGIN_PRINCIPALS_USAGE 64 /* sysexits.h EX_USAGE */

/*
 * Arguments: the program's name, %u, %U, %h, %t, %k (sshd_config(5)). Writes the principal and a newline to `output`
 * where the daemon says that the certificate is good for this user, and nothing in every other case. Returns the exit
 * status: 0 (sshd discards what a failing command printed), or ENTRALOGIN_PRINCIPALS_USAGE for a wrong command line.
 */
int entralogin_print_principal(const struct entralogin_server *daemon, int argc, char *const *argv, int output);

/* The reply's principal, in the frame, where it is `user`, or the whole name of that short one, in any letter case; else NULL. */
const char *entralogin_principal_of(const void *frame, size_t size, const char *user, size_t *ret_length);

#endif
