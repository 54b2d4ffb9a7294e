/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The helper that sshd runs as AuthorizedPrincipalsCommand, twice for each sign-in and before the user has proved
 * anything, so it has no side effects. main.c calls this with the compiled-in path; tests pass another.
 */
#ifndef ENTRALOGIN_PRINCIPALS_H
#define ENTRALOGIN_PRINCIPALS_H

#include <stddef.h>

#include "entralogin_client.h"

#define ENTRALOGIN_PRINCIPALS_USAGE 64 /* sysexits.h EX_USAGE */

/*
 * Arguments: the program's name, %u, %U, %h, %t, %k (sshd_config(5)). Writes the principal and a newline to `output`
 * if the daemon says that the certificate is valid for this user, and nothing otherwise. Returns the exit status:
 * 0 (sshd discards the output of a failing command), or ENTRALOGIN_PRINCIPALS_USAGE for a wrong command line.
 */
int entralogin_print_principal(const struct entralogin_server *daemon, int argc, char *const *argv, int output);

/* The reply's principal, in the frame, if it is `user` or the whole name of that short name (in any case); else NULL. */
const char *entralogin_principal_of(const void *frame, size_t size, const char *user, size_t *ret_length);

#endif
