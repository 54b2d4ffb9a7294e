/* SPDX-License-Identifier: Apache-2.0 */
/* The copies that a process keeps (entralogin_snapshot_reader.h); for the readers of this folder only. */
#ifndef ENTRALOGIN_KEPT_H
#define ENTRALOGIN_KEPT_H

#include <sys/stat.h>

#include "entralogin_snapshot_reader.h"
#include "little_endian.h"
#include "reading.h"

/* The current copy, held until it is released, or NULL. Sets errno. Recent: its path was compared a moment ago. */
struct entralogin_copy *entralogin_kept_hold(struct entralogin_kept *kept, const char *path);
struct entralogin_copy *entralogin_kept_hold_recent(struct entralogin_kept *kept);
void entralogin_kept_release(struct entralogin_kept *kept, struct entralogin_copy *copy);

/*
 * Makes a copy of the open file `fd`, which `s` describes, where it is time to: held, and with a descriptor of its own.
 * NULL otherwise. Its maker parses the header and then shows it to the others; without that, releasing it is its end.
 */
struct entralogin_copy *entralogin_kept_make(struct entralogin_kept *kept, int fd, const struct stat *s);
void entralogin_kept_show(struct entralogin_kept *kept, struct entralogin_copy *copy);

/* The `need` bytes at `offset`, both within the file; NULL where they are not there yet and could not be read now. */
const unsigned char *entralogin_copy_at(struct entralogin_copy *copy, uint32_t offset, uint32_t need);
/* True while the copy's descriptor is of the file that it was made of, replaced or not. */
int entralogin_copy_owns_descriptor(const struct entralogin_copy *copy);

/* Whether the record at `offset` of a copy (not of the window's own bytes) was found sound; and that it was. */
int entralogin_is_proven(const struct entralogin_window *w, const unsigned char *record, uint32_t offset);
void entralogin_set_proven(const struct entralogin_window *w, const unsigned char *record, uint32_t offset);

/*
 * Opens GRANTS or GROUPS, whose headers are alike, and proves the header. `entry` and `second`: the sizes of what `count` and
 * `people` count.
 */
int entralogin_since_boot_open(struct entralogin_since_boot *f, const char *magic, uint32_t entry, uint32_t second,
    const char *path, struct entralogin_kept *kept, void *window, size_t capacity);
/* True where the file was written since this machine started: `path` is /proc/sys/kernel/random/boot_id. */
int entralogin_since_boot_is_of_this(const struct entralogin_since_boot *f, const char *path);

#endif
