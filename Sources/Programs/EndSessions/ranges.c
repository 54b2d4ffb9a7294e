/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entralogin_end_sessions.h"
#include "entralogin_name.h"

/* Lower numbers belong to local accounts and services: no line gives them to another user. */
#define NUMBER_MIN 65536u
#define LINE_MAX_BYTES 1024

/* A line of subuid(5). Where readers differ about a number, `first` and `last` hold every reading. */
struct line {
    const char *owner;
    uint64_t first, last;
    int is_plain; /* decimal digits alone: every reader sees the same numbers */
};

static int is_plain(const char *text) {
    return *text >= '1' && *text <= '9' && text[strspn(text, "0123456789")] == '\0';
}

static int parse(char *text, struct line *ret) {
    char *first = strchr(text, ':'), *count = first == NULL ? NULL : strchr(first + 1, ':');
    if (count == NULL || first == text)
        return 0;
    *first++ = *count++ = '\0';
    char *end = count + strcspn(count, ":\r\n");
    int is_whole = *end != ':' && *end != '\r';
    *end = '\0';
    /* shadow reads octal and hexadecimal numbers, others decimal ones alone. */
    uint64_t low = strtoull(first, NULL, 0), high = strtoull(first, NULL, 10);
    uint64_t some = strtoull(count, NULL, 0), more = strtoull(count, NULL, 10);
    uint64_t top = low > high ? low : high, most = some > more ? some : more;
    if (most == 0)
        return 0;
    ret->owner = text;
    ret->first = low < high ? low : high;
    ret->last = top + (most - 1) < top ? UINT64_MAX : top + (most - 1);
    ret->is_plain = is_whole && is_plain(first) && is_plain(count);
    return 1;
}

/* NULL unless only root can have written it. */
static FILE *open_of_root(const char *path, uint32_t root) {
    struct stat s;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    FILE *file =
        fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_uid == root && (s.st_mode & 022) == 0 ? fdopen(fd, "r") : NULL;
    if (file == NULL)
        close(fd);
    return file;
}

static void add(struct entralogin_account *account, const struct line *line) {
    int is_of_accounts = line->first <= ENTRALOGIN_ID_LAST && line->last >= ENTRALOGIN_ID_FIRST;
    if (account->ranges_count == ENTRALOGIN_RANGES_MAX || !line->is_plain || line->first < NUMBER_MIN ||
        line->last >= UINT32_MAX || is_of_accounts)
        return;
    account->ranges[account->ranges_count].first = (uint32_t)line->first;
    account->ranges[account->ranges_count++].last = (uint32_t)line->last;
}

/* A range that has numbers of another user, too, is left out as a whole. */
static void drop(struct entralogin_account *account, uint64_t first, uint64_t last) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < account->ranges_count; i++) {
        if (first > account->ranges[i].last || last < account->ranges[i].first)
            account->ranges[kept++] = account->ranges[i];
    }
    account->ranges_count = kept;
}

/* The account's lines, or with `drops` the effect of all others. False where the file cannot be read to its end. */
static int read_lines(FILE *file, const char *name, struct entralogin_account *account, int drops) {
    char text[LINE_MAX_BYTES], number[16];
    struct line line;
    snprintf(number, sizeof number, "%u", account->uid);
    if (fseek(file, 0, SEEK_SET) != 0)
        return 0;
    while (fgets(text, sizeof text, file) != NULL) {
        if (strchr(text, '\n') == NULL && !feof(file))
            return 0;
        if (!parse(text, &line))
            continue;
        int is_own = strcmp(line.owner, name) == 0 || strcmp(line.owner, number) == 0;
        if (is_own && !drops)
            add(account, &line);
        else if (!is_own && drops)
            drop(account, line.first, line.last);
    }
    return feof(file) && !ferror(file);
}

/* False where a local account has that name with another number, or the file cannot be read to its end. */
static int drop_locals(const char *passwd, const char *name, struct entralogin_account *account) {
    char buffer[4096];
    struct passwd record, *found;
    int is_free = 1;
    FILE *file = fopen(passwd, "re");
    if (file == NULL)
        return 0;
    while (fgetpwent_r(file, &record, buffer, sizeof buffer, &found) == 0) {
        is_free &= strcmp(record.pw_name, name) != 0 || record.pw_uid == account->uid;
        drop(account, record.pw_uid, record.pw_uid);
    }
    is_free &= feof(file) && !ferror(file);
    fclose(file);
    return is_free;
}

void entralogin_find_ranges(
    const struct entralogin_owners *owners, const char *name, size_t length, struct entralogin_account *account) {
    char own[ENTRALOGIN_NAME_MAX + 1];
    account->ranges_count = 0;
    if (!entralogin_name_is_valid(name, length) && !entralogin_name_is_short(name, length))
        return;
    memcpy(own, name, length);
    own[length] = '\0';
    FILE *file = open_of_root(owners->subuid, owners->root);
    if (file == NULL)
        return;
    int is_known = read_lines(file, own, account, 0) && read_lines(file, own, account, 1) &&
                   drop_locals(owners->passwd, own, account);
    fclose(file);
    if (!is_known)
        account->ranges_count = 0;
}

int entralogin_is_in_ranges(const struct entralogin_account *account, uint32_t uid) {
    for (uint32_t i = 0; i < account->ranges_count; i++) {
        if (uid >= account->ranges[i].first && uid <= account->ranges[i].last)
            return 1;
    }
    return 0;
}

int entralogin_is_accounts(int folder, const struct entralogin_process *p, const struct entralogin_account *account) {
    return entralogin_is_of(p, account->uid) ||
           (entralogin_is_in_ranges(account, p->real) && entralogin_carries(folder, account->uid));
}
