/* SPDX-License-Identifier: Apache-2.0 */
#include "kept.h"
#include "window.h"

#include <string.h>

#define SLOT 8u
#define SLOTS_AT_ONCE (64u * SLOT)
#define SMALLEST_RECORD (ENTRALOGIN_RECORD_HEADER + 4u)
#define CHECKSUM_OFFSET (ENTRALOGIN_ACCOUNTS_HEADER - 4u)

#define EACH_BYTE (UINT64_MAX / 255)

/* Nonzero exactly if one of the eight bytes is less than `limit` (at most 128): only such a byte causes a borrow. */
static uint64_t any_below(uint64_t bytes, unsigned limit) {
    return (bytes - EACH_BYTE * limit) & ~bytes & EACH_BYTE * 0x80u;
}

static int are_clean(uint64_t bytes) {
    return (any_below(bytes, 0x20) | any_below(bytes ^ EACH_BYTE * 0x7f, 1) | any_below(bytes ^ EACH_BYTE * ':', 1)) ==
           0;
}

/* Eight bytes at a time: this check is most of the cost of the first read of a record. */
static int text_is_clean(struct entralogin_text text) {
    size_t at = 0;
    uint64_t bytes;
    for (; text.length - at >= sizeof bytes; at += sizeof bytes) {
        memcpy(&bytes, text.bytes + at, sizeof bytes);
        if (!are_clean(bytes))
            return 0;
    }
    bytes = EACH_BYTE * ' ';
    if (at < text.length)
        memcpy(&bytes, text.bytes + at, text.length - at);
    return are_clean(bytes);
}

int entralogin_record_is_sound(const struct entralogin_record *record) {
    size_t budget = ENTRALOGIN_RECORD_MAX - SMALLEST_RECORD;
    const struct entralogin_text *texts[] = {&record->name, &record->gecos, &record->home, &record->shell};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i]->length > budget || !text_is_clean(*texts[i]))
            return 0;
        budget -= texts[i]->length;
    }
    return entralogin_uid_in_range(record->uid) && record->gid == record->uid &&
           (entralogin_name_is_valid(record->name.bytes, record->name.length) ||
               entralogin_name_is_short(record->name.bytes, record->name.length)) &&
           record->home.length > 1 && record->home.bytes[0] == '/' && record->shell.length > 1 &&
           record->shell.bytes[0] == '/';
}

int entralogin_record_is_for_groups_alone(const struct entralogin_record *record) {
    static const char home[] = ENTRALOGIN_GROUPS_ALONE;
    return record->home.length == sizeof home - 1 && memcmp(record->home.bytes, home, sizeof home - 1) == 0;
}

/* --- The header --- */

/* Reads the offset and mask of a table; false unless the whole table lies within the file. */
static int read_table(const unsigned char *at, uint32_t file_size, uint32_t *ret_offset, uint32_t *ret_mask) {
    uint32_t offset = entralogin_le32(at), mask = entralogin_le32(at + 4);
    *ret_offset = offset;
    *ret_mask = mask;
    return offset >= ENTRALOGIN_ACCOUNTS_HEADER && offset % SLOT == 0 && offset <= file_size && mask > 0 &&
           (mask & (mask + 1u)) == 0 && (uint64_t)mask + 1 <= (file_size - offset) / SLOT;
}

static int read_header(struct entralogin_accounts *a) {
    uint32_t size = a->window.file_size;
    const unsigned char *h = entralogin_window_at(&a->window, 0, ENTRALOGIN_ACCOUNTS_HEADER, ENTRALOGIN_WINDOW);
    if (h == NULL || memcmp(h, ENTRALOGIN_ACCOUNTS_MAGIC, 8) != 0 ||
        entralogin_le32(h + 8) != ENTRALOGIN_SNAPSHOT_VERSION ||
        entralogin_le32(h + 12) != ENTRALOGIN_ACCOUNTS_HEADER || entralogin_le64(h + 16) != size ||
        entralogin_le32(h + CHECKSUM_OFFSET) != entralogin_hash(0, h, CHECKSUM_OFFSET))
        return 0;
    a->generation = entralogin_le64(h + 24);
    a->count = entralogin_le32(h + 32);
    a->seed = entralogin_le32(h + 36);
    a->first_record = entralogin_le32(h + 56);
    a->end_of_records = entralogin_le32(h + 60);
    a->flags = entralogin_le32(h + 64);
    return read_table(h + 40, size, &a->name_table, &a->name_mask) &&
           read_table(h + 48, size, &a->uid_table, &a->uid_mask) && a->first_record >= ENTRALOGIN_ACCOUNTS_HEADER &&
           a->first_record % 8 == 0 && a->first_record <= a->end_of_records && a->end_of_records <= size &&
           a->count <= (a->end_of_records - a->first_record) / SMALLEST_RECORD;
}

/* Copies the name of one of entralogin's groups; leaves it empty where the file does not hold an acceptable one. */
static void read_group_name(
    struct entralogin_accounts *a, uint32_t offset, uint32_t length, char *copy, struct entralogin_text *ret) {
    *ret = (struct entralogin_text){.bytes = copy};
    if (length > ENTRALOGIN_GROUP_NAME_MAX)
        return;
    const unsigned char *name = entralogin_window_at(&a->window, offset, length + 1, ENTRALOGIN_WINDOW);
    if (name == NULL || name[length] != 0 || !entralogin_group_name_is_valid((const char *)name, length))
        return;
    memcpy(copy, name, length);
    ret->length = length;
}

static void read_group_names(struct entralogin_accounts *a) {
    a->users_group = a->administrators_group = (struct entralogin_text){.bytes = "", .length = 0};
    const unsigned char *h = entralogin_window_at(&a->window, 0, ENTRALOGIN_ACCOUNTS_HEADER, ENTRALOGIN_WINDOW);
    if (h == NULL)
        return;
    uint32_t users_length = entralogin_le16(h + 68), administrators_length = entralogin_le16(h + 70);
    uint32_t users = entralogin_le32(h + 72), administrators = entralogin_le32(h + 76);
    read_group_name(a, users, users_length, a->names[0], &a->users_group);
    read_group_name(a, administrators, administrators_length, a->names[1], &a->administrators_group);
}

/* Without a valid domain, domain_length stays 0, and whole names do not lead to their short names. */
static void read_domain(struct entralogin_accounts *a) {
    char whole[2 + ENTRALOGIN_DOMAIN_MAX] = "a@";
    a->domain_length = 0;
    const unsigned char *h = entralogin_window_at(&a->window, 0, ENTRALOGIN_ACCOUNTS_HEADER, ENTRALOGIN_WINDOW);
    if ((a->flags & ENTRALOGIN_SHORT_NAMES) == 0 || h == NULL)
        return;
    uint32_t length = entralogin_le16(h + 80), offset = entralogin_le32(h + 84);
    if (length > ENTRALOGIN_DOMAIN_MAX)
        return;
    const unsigned char *domain = entralogin_window_at(&a->window, offset, length + 1, ENTRALOGIN_WINDOW);
    if (domain == NULL || domain[length] != 0)
        return;
    memcpy(whole + 2, domain, length);
    if (!entralogin_name_is_valid(whole, 2 + length))
        return;
    memcpy(a->domain, domain, length);
    a->domain_length = length;
}

/* Uses the header that was parsed when the copy was made. */
static void take_header(struct entralogin_accounts *a, const struct entralogin_accounts *known) {
    struct entralogin_window window = a->window;
    *a = *known;
    a->window = window;
    a->users_group.bytes = a->names[0];
    a->administrators_group.bytes = a->names[1];
}

int entralogin_accounts_open(
    struct entralogin_accounts *a, const char *path, struct entralogin_kept *kept, void *window, size_t capacity) {
    int known, result = entralogin_window_open(&a->window, path, kept, window, capacity, &known);
    if (result != ENTRALOGIN_FOUND)
        return result;
    if (known) {
        take_header(a, &a->window.copy->accounts);
        return ENTRALOGIN_FOUND;
    }
    if (!read_header(a)) {
        entralogin_window_close(&a->window);
        return ENTRALOGIN_UNREADABLE;
    }
    read_group_names(a);
    read_domain(a);
    if (a->window.copy != NULL) {
        a->window.copy->accounts = *a;
        entralogin_kept_show(kept, a->window.copy);
    }
    return ENTRALOGIN_FOUND;
}

int entralogin_accounts_open_recent(
    struct entralogin_accounts *a, struct entralogin_kept *kept, void *window, size_t capacity) {
    if (!entralogin_window_open_recent(&a->window, kept, window, capacity))
        return 0;
    take_header(a, &a->window.copy->accounts);
    return 1;
}

void entralogin_accounts_close(struct entralogin_accounts *a) {
    entralogin_window_close(&a->window);
}

/* --- Records --- */

/* Reads the string and its NUL at *used in the record; false if they are not there. */
static int take_text(
    const unsigned char *record, uint32_t size, uint32_t *used, uint32_t length, struct entralogin_text *ret) {
    if (length >= size - *used || record[*used + length] != 0)
        return 0;
    *ret = (struct entralogin_text){.bytes = (const char *)record + *used, .length = length};
    *used += length + 1;
    return 1;
}

static int read_record(
    struct entralogin_accounts *a, uint32_t offset, uint32_t *ret_size, struct entralogin_record *ret) {
    if (offset < a->first_record || offset % 8 != 0 || offset >= a->end_of_records)
        return 0;
    const unsigned char *r = entralogin_window_at(&a->window, offset, SMALLEST_RECORD, ENTRALOGIN_RECORD_MAX);
    uint32_t size = r != NULL ? entralogin_le32(r + 4) : 0;
    if (size < SMALLEST_RECORD || size > ENTRALOGIN_RECORD_MAX || size > a->end_of_records - offset)
        return 0;
    r = entralogin_window_at(&a->window, offset, size, ENTRALOGIN_RECORD_MAX);
    if (r == NULL)
        return 0;
    int proven = entralogin_is_proven(&a->window, r, offset);
    if (!proven && entralogin_le32(r) != entralogin_hash(0, r + 4, size - 4))
        return 0;
    uint32_t used = ENTRALOGIN_RECORD_HEADER;
    ret->uid = entralogin_le32(r + 8);
    ret->gid = entralogin_le32(r + 12);
    *ret_size = size;
    if (!take_text(r, size, &used, entralogin_le16(r + 16), &ret->name) ||
        !take_text(r, size, &used, entralogin_le16(r + 18), &ret->gecos) ||
        !take_text(r, size, &used, entralogin_le16(r + 20), &ret->home) ||
        !take_text(r, size, &used, entralogin_le16(r + 22), &ret->shell) || used != size)
        return 0;
    if (proven)
        return 1;
    if (!entralogin_record_is_sound(ret))
        return 0;
    entralogin_set_proven(&a->window, r, offset);
    return 1;
}

/* What to look for: a name if `name` is set, otherwise a uid. */
struct key {
    const char *name;
    size_t length;
    uint32_t uid, hash, table, mask;
};

static int matches(const struct key *key, const struct entralogin_record *record) {
    if (key->name == NULL)
        return record->uid == key->uid;
    return record->name.length == key->length && memcmp(record->name.bytes, key->name, key->length) == 0;
}

static int find(struct entralogin_accounts *a, const struct key *key, struct entralogin_record *ret) {
    int nothing = ENTRALOGIN_ABSENT;
    uint64_t slots = (uint64_t)key->mask + 1;
    for (uint32_t i = 0; i < slots && i < ENTRALOGIN_PROBES_MAX; i++) {
        uint64_t place = key->table + (uint64_t)((key->hash + i) & key->mask) * SLOT;
        const unsigned char *slot = entralogin_window_at(&a->window, place, SLOT, SLOTS_AT_ONCE);
        if (slot == NULL)
            return ENTRALOGIN_UNREADABLE;
        uint32_t hash = entralogin_le32(slot), offset = entralogin_le32(slot + 4), size;
        if (offset == 0)
            return nothing;
        if (hash != key->hash)
            continue;
        if (!read_record(a, offset, &size, ret))
            nothing = ENTRALOGIN_UNREADABLE;
        else if (matches(key, ret))
            return ENTRALOGIN_FOUND;
    }
    return ENTRALOGIN_UNREADABLE;
}

static int find_name(struct entralogin_accounts *a, const char *name, size_t length, struct entralogin_record *ret) {
    struct key key = {
        .name = name,
        .length = length,
        .hash = entralogin_hash(a->seed, name, length),
        .table = a->name_table,
        .mask = a->name_mask,
    };
    return find(a, &key, ret);
}

int entralogin_accounts_by_name(
    struct entralogin_accounts *a, const char *name, size_t length, struct entralogin_record *ret) {
    int found = find_name(a, name, length, ret);
    if (found != ENTRALOGIN_ABSENT || a->domain_length == 0 || length <= a->domain_length + 1)
        return found;
    size_t local = length - a->domain_length - 1;
    if (name[local] != '@' || memcmp(name + local + 1, a->domain, a->domain_length) != 0 ||
        !entralogin_name_is_short(name, local))
        return found;
    return find_name(a, name, local, ret);
}

int entralogin_accounts_by_uid(struct entralogin_accounts *a, uint32_t uid, struct entralogin_record *ret) {
    unsigned char bytes[4] = {
        (unsigned char)uid, (unsigned char)(uid >> 8), (unsigned char)(uid >> 16), (unsigned char)(uid >> 24)};
    struct key key = {
        .uid = uid,
        .hash = entralogin_hash(a->seed, bytes, sizeof bytes),
        .table = a->uid_table,
        .mask = a->uid_mask,
    };
    return find(a, &key, ret);
}

int entralogin_accounts_next(struct entralogin_accounts *a, uint32_t *position, struct entralogin_record *ret) {
    uint32_t offset = *position != 0 ? *position : a->first_record, size;
    if (offset >= a->end_of_records || a->count == 0)
        return ENTRALOGIN_ABSENT;
    if (!read_record(a, offset, &size, ret))
        return ENTRALOGIN_UNREADABLE;
    *position = (offset + size + 7u) & ~7u;
    return ENTRALOGIN_FOUND;
}
