/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a published file piece by piece; for the readers of this folder only. */
#ifndef ENTRALOGIN_WINDOW_H
#define ENTRALOGIN_WINDOW_H

#include "entralogin_snapshot_reader.h"
#include "little_endian.h"
#include "reading.h"

/*
 * Opens a file that only a system user can have written, or the process's copy of it if that is current. True in
 * *ret_known if the header of window.copy was parsed before.
 */
int entralogin_window_open(struct entralogin_window *w, const char *path, struct entralogin_kept *kept, void *bytes,
    size_t capacity, int *ret_known);
/* Opens the copy if it was compared with the file a moment ago; otherwise returns false. */
int entralogin_window_open_recent(
    struct entralogin_window *w, struct entralogin_kept *kept, void *bytes, size_t capacity);
void entralogin_window_close(struct entralogin_window *w);

/* The slow path of entralogin_window_at: reads the file. */
const unsigned char *entralogin_window_read(struct entralogin_window *w, uint64_t offset, uint32_t need, uint32_t wish);

/*
 * Returns the `need` bytes at `offset` (at least one), or NULL if the file does not have them. Bytes that are not in
 * memory are read from the file, at most `wish` of them unless `need` is more. Invalidates every pointer returned
 * before.
 */
static inline const unsigned char *entralogin_window_at(
    struct entralogin_window *w, uint64_t offset, uint32_t need, uint32_t wish) {
    if (w->copy != NULL && offset <= w->file_size && need <= w->file_size - offset) {
        uint64_t page = offset / ENTRALOGIN_PAGE, last = (offset + need - 1) / ENTRALOGIN_PAGE;
        if (page == last && __atomic_load_n(&w->copy->pages[page], __ATOMIC_ACQUIRE) == ENTRALOGIN_FILLED)
            return w->copy->bytes + offset;
    }
    return entralogin_window_read(w, offset, need, wish);
}

#endif
