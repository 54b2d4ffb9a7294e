/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "kept.h"
#include "window.h"

#include <string.h>

#define NAME_OFFSET 12u
#define NAME_ROOM (ENTRALOGIN_GROUP_ENTRY - NAME_OFFSET)

int entralogin_groups_open(
    struct entralogin_groups *g, const char *path, struct entralogin_kept *kept, void *window, size_t capacity) {
    int result = entralogin_since_boot_open(&g->file, ENTRALOGIN_GROUPS_MAGIC, ENTRALOGIN_GROUP_ENTRY,
        ENTRALOGIN_MEMBER_ENTRY, path, kept, window, capacity);
    if (result == ENTRALOGIN_FOUND && g->file.count > ENTRALOGIN_GROUPS_MAX) {
        entralogin_groups_close(g);
        return ENTRALOGIN_UNREADABLE;
    }
    return result;
}

void entralogin_groups_close(struct entralogin_groups *g) {
    entralogin_window_close(&g->file.window);
}

/* The checksum of an entry at `e`: its first four bytes, then all behind the checksum. */
static int is_whole(const unsigned char *e, uint32_t size) {
    unsigned char proven[ENTRALOGIN_GROUP_ENTRY - 4u];
    memcpy(proven, e, 4);
    memcpy(proven + 4, e + 8, size - 8);
    return entralogin_le32(e + 4) == entralogin_hash(0, proven, size - 4);
}

int entralogin_groups_at(
    struct entralogin_groups *g, uint32_t place, struct entralogin_text *ret_name, uint32_t *ret_gid) {
    if (place >= g->file.count)
        return ENTRALOGIN_ABSENT;
    uint64_t offset = ENTRALOGIN_GROUPS_HEADER + (uint64_t)place * ENTRALOGIN_GROUP_ENTRY;
    const unsigned char *e = entralogin_window_at(
        &g->file.window, offset, ENTRALOGIN_GROUP_ENTRY, ENTRALOGIN_GROUPS_MAX * ENTRALOGIN_GROUP_ENTRY);
    if (e == NULL || !is_whole(e, ENTRALOGIN_GROUP_ENTRY))
        return ENTRALOGIN_UNREADABLE;
    size_t length = (size_t)e[8] | (size_t)e[9] << 8;
    const char *name = (const char *)e + NAME_OFFSET;
    if (length >= NAME_ROOM || !entralogin_group_name_is_valid(name, length) ||
        !entralogin_gid_is_mapped(entralogin_le32(e)))
        return ENTRALOGIN_UNREADABLE;
    *ret_name = (struct entralogin_text){.bytes = name, .length = length};
    *ret_gid = entralogin_le32(e);
    return ENTRALOGIN_FOUND;
}

static const unsigned char *person_at(struct entralogin_groups *g, uint32_t index) {
    uint64_t offset = ENTRALOGIN_GROUPS_HEADER + (uint64_t)g->file.count * ENTRALOGIN_GROUP_ENTRY +
                      (uint64_t)index * ENTRALOGIN_MEMBER_ENTRY;
    const unsigned char *e =
        entralogin_window_at(&g->file.window, offset, ENTRALOGIN_MEMBER_ENTRY, 16 * ENTRALOGIN_MEMBER_ENTRY);
    return e != NULL && is_whole(e, ENTRALOGIN_MEMBER_ENTRY) && entralogin_uid_in_range(entralogin_le32(e)) ? e : NULL;
}

int entralogin_groups_of(struct entralogin_groups *g, uint32_t uid, uint64_t *ret_expiry, uint64_t *ret_places) {
    uint64_t places = (1ull << g->file.count) - 1; /* ENTRALOGIN_GROUPS_MAX is less than 64 */
    uint32_t low = 0, high = g->file.people;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const unsigned char *e = person_at(g, middle);
        if (e == NULL)
            return ENTRALOGIN_UNREADABLE;
        uint32_t found = entralogin_le32(e);
        if (found == uid) {
            *ret_expiry = entralogin_le64(e + 8);
            *ret_places = entralogin_le64(e + 16) & places;
            return ENTRALOGIN_FOUND;
        }
        if (found < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return ENTRALOGIN_ABSENT;
}

int entralogin_groups_are_of_this_boot(const struct entralogin_groups *g, const char *path) {
    return entralogin_since_boot_is_of_this(&g->file, path);
}
