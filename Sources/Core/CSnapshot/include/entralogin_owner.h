/* SPDX-License-Identifier: Apache-2.0 */
/* Who may own a published file. */
#ifndef ENTRALOGIN_OWNER_H
#define ENTRALOGIN_OWNER_H

#include <sys/types.h>

/* What stat(2) shows for an owner that the user namespace does not map (user_namespaces(7); the kernel's default). */
#define ENTRALOGIN_OWNER_UNMAPPED 65534u

/*
 * True for root and system users. In a user namespace that maps only a part of the ids, the owner may be one that it
 * does not map: then the file's mode alone counts. Where all ids are mapped, 65534 is the user nobody, who may not.
 */
int entralogin_is_system_owner(uid_t owner);

/* How many ids the lines of `path` map, a file like /proc/self/uid_map; all of them where it cannot be read. */
unsigned long long entralogin_mapped_ids(const char *path);

#endif
