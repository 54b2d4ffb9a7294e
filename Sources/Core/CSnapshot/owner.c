/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "entralogin_owner.h"

#include <errno.h>
#include <unistd.h>

#include "entralogin_snapshot_reader.h"
#include "reading.h"

/* Every id but the last, which is no id: the count in the first namespace's only line. */
#define ALL_IDS 4294967295ull
/* 340 lines of three numbers with ten digits are the most that the kernel takes (user_namespaces(7)). */
#define LONGEST_MAP (16u << 10)

/* The counts, which are the third number of each line, added up as the bytes come. */
struct sum {
    unsigned long long total, number;
    unsigned int column;
    int in_number;
};

static void end_number(struct sum *s) {
    if (s->in_number && ++s->column == 3)
        s->total += s->number;
    s->number = 0;
    s->in_number = 0;
}

static void add(struct sum *s, unsigned char c) {
    if (c >= '0' && c <= '9') {
        s->number = s->number > ALL_IDS ? s->number : s->number * 10 + (c - '0');
        s->in_number = 1;
        return;
    }
    end_number(s);
    if (c == '\n')
        s->column = 0;
}

unsigned long long entralogin_mapped_ids(const char *path) {
    int before = errno, fd = entralogin_open_aside(path);
    unsigned char bytes[512];
    struct sum s = {0};
    uint32_t offset = 0, got = 0;
    if (fd >= 0) {
        do {
            got = entralogin_read_at(fd, bytes, offset, sizeof bytes);
            for (uint32_t i = 0; i < got; i++)
                add(&s, bytes[i]);
            offset += got;
        } while (got == sizeof bytes && offset < LONGEST_MAP);
        close(fd);
    }
    end_number(&s);
    errno = before;
    return offset == 0 || got == sizeof bytes || s.total > ALL_IDS ? ALL_IDS : s.total;
}

int entralogin_is_system_owner(uid_t owner) {
    return owner <= ENTRALOGIN_OWNER_MAX ||
           (owner == ENTRALOGIN_OWNER_UNMAPPED && entralogin_mapped_ids("/proc/self/uid_map") < ALL_IDS);
}
