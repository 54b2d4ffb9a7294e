/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "kept.h"
#include "window.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEADER ENTRALOGIN_GRANTS_HEADER
#define CHECKSUM_OFFSET (HEADER - 4u)
#define BOOT_ID_TEXT 36

_Static_assert(ENTRALOGIN_GROUPS_HEADER == HEADER, "the headers are alike");

static int read_header(struct entralogin_since_boot *f, const char *magic, uint32_t entry, uint32_t second) {
    uint32_t size = f->window.file_size;
    const unsigned char *h = entralogin_window_at(&f->window, 0, HEADER, ENTRALOGIN_WINDOW);
    if (h == NULL || memcmp(h, magic, 8) != 0 || entralogin_le32(h + 8) != ENTRALOGIN_SNAPSHOT_VERSION ||
        entralogin_le32(h + 12) != HEADER || entralogin_le64(h + 16) != size ||
        entralogin_le32(h + CHECKSUM_OFFSET) != entralogin_hash(0, h, CHECKSUM_OFFSET))
        return 0;
    f->generation = entralogin_le64(h + 24);
    memcpy(f->boot_id, h + 32, sizeof f->boot_id);
    f->count = entralogin_le32(h + 48);
    f->people = entralogin_le32(h + 52);
    return HEADER + (uint64_t)f->count * entry + (uint64_t)f->people * second == size;
}

int entralogin_since_boot_open(struct entralogin_since_boot *f, const char *magic, uint32_t entry, uint32_t second,
    const char *path, struct entralogin_kept *kept, void *window, size_t capacity) {
    int known, result = entralogin_window_open(&f->window, path, kept, window, capacity, &known);
    if (result != ENTRALOGIN_FOUND)
        return result;
    if (known) {
        struct entralogin_window w = f->window;
        *f = w.copy->since_boot;
        f->window = w;
        return ENTRALOGIN_FOUND;
    }
    if (!read_header(f, magic, entry, second)) {
        entralogin_window_close(&f->window);
        return ENTRALOGIN_UNREADABLE;
    }
    if (f->window.copy != NULL) {
        f->window.copy->since_boot = *f;
        entralogin_kept_show(kept, f->window.copy);
    }
    return ENTRALOGIN_FOUND;
}

int entralogin_grants_open(
    struct entralogin_grants *g, const char *path, struct entralogin_kept *kept, void *window, size_t capacity) {
    return entralogin_since_boot_open(
        &g->file, ENTRALOGIN_GRANTS_MAGIC, ENTRALOGIN_GRANT_ENTRY, 0, path, kept, window, capacity);
}

void entralogin_grants_close(struct entralogin_grants *g) {
    entralogin_window_close(&g->file.window);
}

int entralogin_grants_at(struct entralogin_grants *g, uint32_t index, uint32_t *ret_uid, uint64_t *ret_expiry) {
    if (index >= g->file.count)
        return ENTRALOGIN_ABSENT;
    uint64_t offset = ENTRALOGIN_GRANTS_HEADER + (uint64_t)index * ENTRALOGIN_GRANT_ENTRY;
    const unsigned char *e =
        entralogin_window_at(&g->file.window, offset, ENTRALOGIN_GRANT_ENTRY, 16 * ENTRALOGIN_GRANT_ENTRY);
    if (e == NULL)
        return ENTRALOGIN_UNREADABLE;
    unsigned char proven[12];
    memcpy(proven, e, 4);
    memcpy(proven + 4, e + 8, 8);
    *ret_uid = entralogin_le32(e);
    *ret_expiry = entralogin_le64(e + 8);
    if (entralogin_le32(e + 4) != entralogin_hash(0, proven, sizeof proven) || !entralogin_uid_in_range(*ret_uid))
        return ENTRALOGIN_UNREADABLE;
    return ENTRALOGIN_FOUND;
}

int entralogin_grants_by_uid(struct entralogin_grants *g, uint32_t uid, uint64_t *ret_expiry) {
    uint32_t low = 0, high = g->file.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2, found;
        if (entralogin_grants_at(g, middle, &found, ret_expiry) != ENTRALOGIN_FOUND)
            return ENTRALOGIN_UNREADABLE;
        if (found == uid)
            return ENTRALOGIN_FOUND;
        if (found < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return ENTRALOGIN_ABSENT;
}

static int hexadecimal(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads the 16 bytes of "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"; false for anything else. */
static int parse_boot_id(const char *text, unsigned char *ret) {
    size_t digits = 0;
    for (size_t i = 0; i < BOOT_ID_TEXT; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-')
                return 0;
            continue;
        }
        int digit = hexadecimal(text[i]);
        if (digit < 0)
            return 0;
        ret[digits / 2] = (unsigned char)(ret[digits / 2] << 4 | digit);
        digits++;
    }
    return 1;
}

static int read_boot_id(const char *path, unsigned char *ret) {
    unsigned char text[BOOT_ID_TEXT];
    int fd = entralogin_open_aside(path);
    if (fd < 0)
        return 0;
    uint32_t n = entralogin_read_at(fd, text, 0, sizeof text);
    close(fd);
    return n == sizeof text && parse_boot_id((const char *)text, ret);
}

int entralogin_since_boot_is_of_this(const struct entralogin_since_boot *f, const char *path) {
    unsigned char boot_id[sizeof f->boot_id] = {0};
    uint32_t *known = f->window.copy != NULL ? &f->window.copy->of_this_boot : NULL;
    /* A process does not outlive its boot, so a match stays valid. */
    if (known != NULL && __atomic_load_n(known, __ATOMIC_RELAXED))
        return 1;
    int before = errno;
    int same = read_boot_id(path, boot_id) && memcmp(boot_id, f->boot_id, sizeof boot_id) == 0;
    errno = before;
    if (same && known != NULL)
        __atomic_store_n(known, 1, __ATOMIC_RELAXED);
    return same;
}

int entralogin_grants_are_of_this_boot(const struct entralogin_grants *g, const char *path) {
    return entralogin_since_boot_is_of_this(&g->file, path);
}

uint64_t entralogin_boot_seconds(void) {
    int before = errno;
    struct timespec now;
    int failed = clock_gettime(CLOCK_BOOTTIME, &now);
    errno = before;
    return failed || now.tv_sec < 0 ? UINT64_MAX : (uint64_t)now.tv_sec;
}
