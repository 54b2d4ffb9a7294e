/* SPDX-License-Identifier: Apache-2.0 */
/* Homes that pam_mkhomedir began but never finished: the session stage makes them anew, and doctor counts on that. */
#ifndef ENTRALOGIN_HOME_H
#define ENTRALOGIN_HOME_H

#include <stdint.h>

/* Where pam_mkhomedir copies from, unless told otherwise. */
#define ENTRALOGIN_SKELETON "/etc/skel"

/*
 * 1 if the folder at `path` is an unfinished home of the account `uid`: owned by `root`, mode 0700, and with nothing
 * but a first part of what the folder `skeleton` holds. 0 if it is not, or cannot be read. The caller makes sure that
 * only root can write beside it. Limits: 4096 entries, 8 levels; errno stays as it was.
 */
int entralogin_is_unfinished_home(const char *path, const char *skeleton, uint32_t root, uint32_t uid);
/* Checks again, and removes it; 0 if it stays. */
int entralogin_remove_unfinished_home(const char *path, const char *skeleton, uint32_t root, uint32_t uid);

#endif
