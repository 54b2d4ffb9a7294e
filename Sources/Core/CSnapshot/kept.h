/* SPDX-License-Identifier: Apache-2.0 */
/* The copies that a process keeps (entralogin_snapshot_reader.h); for the readers of this folder only. */
#ifndef ENTRALOGIN_KEPT_H
#define ENTRALOGIN_KEPT_H

#include <sys/stat.h>

#include "entralogin_snapshot_reader.h"
#include "little_endian.h"
#include "reading.h"

/* The current copy, held until it is released, or NULL. May set errno. Recent: only if its path was checked just now. */
struct entralogin_copy *entralogin_kept_hold(struct entralogin_kept *kept, const char *path);
struct entralogin_copy *entralogin_kept_hold_recent(struct entralogin_kept *kept);
void entralogin_kept_release(struct entralogin_kept *kept, struct entralogin_copy *copy);

/*
 * Makes a copy of the open file `fd`, which `s` describes, if one is due: held, and with a descriptor of its own.
 * Otherwise NULL. The caller parses the header and then makes the copy current (show); if not, releasing it frees it.
 */
struct entralogin_copy *entralogin_kept_make(struct entralogin_kept *kept, int fd, const struct stat *s);
void entralogin_kept_show(struct entralogin_kept *kept, struct entralogin_copy *copy);

/* The `need` bytes at `offset`, within the file; NULL if they are not in the copy yet and cannot be read now. */
const unsigned char *entralogin_copy_at(struct entralogin_copy *copy, uint32_t offset, uint32_t need);
/* True while the copy's descriptor still refers to the file that was copied, replaced or not. */
int entralogin_copy_owns_descriptor(const struct entralogin_copy *copy);

/* Asks, and records, whether the record at `offset` of a copy (not of the window's own bytes) was found sound. */
int entralogin_is_proven(const struct entralogin_window *w, const unsigned char *record, uint32_t offset);
void entralogin_set_proven(const struct entralogin_window *w, const unsigned char *record, uint32_t offset);

/*
 * Opens GRANTS or GROUPS, whose headers are alike, and checks the header. `entry` and `second`: the sizes of the
 * entries that `count` and `people` count.
 */
int entralogin_since_boot_open(struct entralogin_since_boot *f, const char *magic, uint32_t entry, uint32_t second,
    const char *path, struct entralogin_kept *kept, void *window, size_t capacity);
/* True if the file was written during this boot: `path` is /proc/sys/kernel/random/boot_id. */
int entralogin_since_boot_is_of_this(const struct entralogin_since_boot *f, const char *path);

#endif
