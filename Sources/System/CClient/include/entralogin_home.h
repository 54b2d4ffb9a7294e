/* SPDX-License-Identifier: Apache-2.0 */
/* Homes that pam_mkhomedir began and never ended: the session stage makes them anew, and doctor knows that it will. */
#ifndef ENTRALOGIN_HOME_H
#define ENTRALOGIN_HOME_H

#include <stdint.h>

/* Where pam_mkhomedir copies from, unless told otherwise. */
#define ENTRALOGIN_SKELETON "/etc/skel"

/*
 * 1 where the folder at `path` is a home of the account `uid` that was begun and never ended: `root`'s, mode 0700, and with
 * nothing but a beginning of what the folder `skeleton` holds. 0 where it is not, or cannot be read. Only root may be able to write beside
 * it. Limits: 4096 entries, 8 levels; errno stays as it was.
 */
int entralogin_is_unfinished_home(const char *path, const char *skeleton, uint32_t root, uint32_t uid);
/* Looks again, and takes it away; 0 where it stays. */
int entralogin_remove_unfinished_home(const char *path, const char *skeleton, uint32_t root, uint32_t uid);

#endif
