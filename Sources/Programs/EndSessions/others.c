/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "entralogin_end_sessions.h"

/* The most processes that are looked through. With more, related processes may be missing from the report. */
#define TABLE_MAX 32768u

struct entry {
    struct entralogin_other process;
    int32_t parent;
    char is_own, is_related;
};

static struct table {
    const struct entralogin_account *account;
    uint32_t count;
    struct entry entries[TABLE_MAX];
} table;

static void note(int folder, const struct entralogin_process *p, void *context) {
    (void)context;
    if (table.count == TABLE_MAX || !entralogin_is_alive(p) || p->pid <= 1)
        return;
    struct entry *e = &table.entries[table.count++];
    memset(e, 0, sizeof *e);
    e->process.pid = p->pid;
    e->process.uid = p->real;
    memcpy(e->process.command, p->command, sizeof e->process.command);
    e->parent = p->parent;
    e->is_own = entralogin_is_accounts(folder, p, table.account) != 0;
    e->is_related = e->is_own || entralogin_carries(folder, table.account->uid);
}

static int by_pid(const void *key, const void *entry) {
    int32_t pid = *(const int32_t *)key, other = ((const struct entry *)entry)->process.pid;
    return (pid > other) - (pid < other);
}

void entralogin_find_others(const struct entralogin_account *account, struct entralogin_ended *ret) {
    int changes = 1;
    table.account = account;
    table.count = 0;
    ret->others_count = 0;
    if (entralogin_each_process(note, NULL) != 0)
        return;
    while (changes) {
        changes = 0;
        for (uint32_t i = 0; i < table.count; i++) {
            struct entry *e = &table.entries[i];
            const struct entry *parent = bsearch(&e->parent, table.entries, table.count, sizeof *table.entries, by_pid);
            if (e->is_related || parent == NULL || !parent->is_related)
                continue;
            e->is_related = 1;
            changes = 1;
        }
    }
    for (uint32_t i = 0; i < table.count && ret->others_count < ENTRALOGIN_OTHERS_MAX; i++) {
        if (table.entries[i].is_related && !table.entries[i].is_own)
            ret->others[ret->others_count++] = table.entries[i].process;
    }
}

void entralogin_keep_living(struct entralogin_ended *ended) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ended->others_count; i++) {
        char path[32], text[4096];
        struct entralogin_process p;
        snprintf(path, sizeof path, "/proc/%d/status", ended->others[i].pid);
        if (entralogin_read_proc(AT_FDCWD, path, text, sizeof text) > 0 && entralogin_parse_status(text, &p) &&
            entralogin_is_alive(&p) && p.real == ended->others[i].uid)
            ended->others[kept++] = ended->others[i];
    }
    ended->others_count = kept;
}
