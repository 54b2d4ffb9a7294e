/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "window.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entralogin_owner.h"
#include "kept.h"

/* At most one link. None means that the file was replaced after it was opened; it is still whole. */
static int is_trustworthy(const struct stat *s) {
    return S_ISREG(s->st_mode) && s->st_nlink <= 1 && (s->st_mode & (S_IWGRP | S_IWOTH)) == 0 && s->st_size > 0 &&
           s->st_size <= (off_t)ENTRALOGIN_SNAPSHOT_MAX && entralogin_is_system_owner(s->st_uid);
}

static void take(struct entralogin_window *w, struct entralogin_copy *copy) {
    w->copy = copy;
    w->fd = copy->fd;
    w->file_size = (uint32_t)copy->identity.size;
}

static int open_file(struct entralogin_window *w, const char *path) {
    struct stat s;
    w->fd = entralogin_open_aside(path);
    if (w->fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? ENTRALOGIN_ABSENT : ENTRALOGIN_UNREADABLE;
    if (fstat(w->fd, &s) != 0 || !is_trustworthy(&s)) {
        close(w->fd);
        return ENTRALOGIN_UNREADABLE;
    }
    w->file_size = (uint32_t)s.st_size;
    struct entralogin_copy *made = w->kept != NULL ? entralogin_kept_make(w->kept, w->fd, &s) : NULL;
    if (made != NULL) {
        close(w->fd);
        take(w, made);
    }
    return ENTRALOGIN_FOUND;
}

static void begin(struct entralogin_window *w, struct entralogin_kept *kept, void *bytes, size_t capacity) {
    *w = (struct entralogin_window){
        .kept = kept,
        .fd = -1,
        .bytes = bytes,
        .capacity = capacity < ENTRALOGIN_SNAPSHOT_MAX ? (uint32_t)capacity : ENTRALOGIN_SNAPSHOT_MAX,
    };
}

int entralogin_window_open(struct entralogin_window *w, const char *path, struct entralogin_kept *kept, void *bytes,
    size_t capacity, int *ret_known) {
    int before = errno, result = ENTRALOGIN_FOUND;
    begin(w, kept, bytes, capacity);
    struct entralogin_copy *copy = kept != NULL ? entralogin_kept_hold(kept, path) : NULL;
    *ret_known = copy != NULL;
    if (copy != NULL)
        take(w, copy);
    else
        result = capacity >= ENTRALOGIN_WINDOW ? open_file(w, path) : ENTRALOGIN_UNREADABLE;
    errno = before;
    return result;
}

int entralogin_window_open_recent(
    struct entralogin_window *w, struct entralogin_kept *kept, void *bytes, size_t capacity) {
    int before = errno;
    begin(w, kept, bytes, capacity);
    struct entralogin_copy *copy = kept != NULL ? entralogin_kept_hold_recent(kept) : NULL;
    if (copy != NULL)
        take(w, copy);
    errno = before;
    return copy != NULL;
}

void entralogin_window_close(struct entralogin_window *w) {
    int before = errno;
    if (w->copy != NULL)
        entralogin_kept_release(w->kept, w->copy);
    else
        close(w->fd);
    w->copy = NULL;
    w->fd = -1;
    errno = before;
}

/* Fills the window from `offset`; fewer bytes than asked for where the file was cut short meanwhile. */
static void fill(struct entralogin_window *w, uint32_t offset, uint32_t size) {
    w->start = offset;
    w->length = entralogin_read_at(w->fd, w->bytes, offset, size);
    if (w->copy != NULL && !entralogin_copy_owns_descriptor(w->copy))
        w->length = 0;
}

static const unsigned char *read_window(struct entralogin_window *w, uint32_t at, uint32_t need, uint32_t wish) {
    uint32_t size = wish > need ? wish : need;
    if (at < w->start || at - w->start > w->length || need > w->length - (at - w->start)) {
        if (size > w->file_size - at)
            size = w->file_size - at;
        int before = errno;
        fill(w, at, size < w->capacity ? size : w->capacity);
        errno = before;
        if (w->length < need)
            return NULL;
    }
    return w->bytes + (at - w->start);
}

const unsigned char *entralogin_window_read(
    struct entralogin_window *w, uint64_t offset, uint32_t need, uint32_t wish) {
    if (offset > w->file_size || need > w->file_size - offset || need > w->capacity)
        return NULL;
    if (w->copy != NULL) {
        int before = errno;
        const unsigned char *kept = entralogin_copy_at(w->copy, (uint32_t)offset, need);
        errno = before;
        if (kept != NULL)
            return kept;
    }
    return read_window(w, (uint32_t)offset, need, wish);
}
