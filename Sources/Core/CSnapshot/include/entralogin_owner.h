/* SPDX-License-Identifier: Apache-2.0 */
/* Who may own a published file. */
#ifndef ENTRALOGIN_OWNER_H
#define ENTRALOGIN_OWNER_H

#include <sys/types.h>

/* What stat(2) shows for an owner that the user namespace does not map (user_namespaces(7); the kernel's default). */
#define ENTRALOGIN_OWNER_UNMAPPED 65534u

/*
 * True for root and system users. In a user namespace that maps only part of the ids, an unmapped owner is accepted,
 * too: then the file's mode alone counts. Where all ids are mapped, 65534 is the user nobody, who may not own a file.
 */
int entralogin_is_system_owner(uid_t owner);

/* How many ids `path`, a file like /proc/self/uid_map, maps; all of them if it cannot be read. */
unsigned long long entralogin_mapped_ids(const char *path);

#endif
