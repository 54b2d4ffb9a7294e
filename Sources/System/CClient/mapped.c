/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "entralogin_mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OBJECT_ID 36u
#define DIGITS_MAX 10u
#define LINE_MAX (ENTRALOGIN_NAME_MAX + 1u + OBJECT_ID + 1u + DIGITS_MAX)

/* A list that is being read: the rest of its bytes, and whether everything so far was sound. */
struct list {
    int fd, sound, lines;
    uint32_t left; /* bytes that may still be read */
    size_t at, end;
    char bytes[4096];
};

/* The account to look for, and how often its name and number were seen. */
struct target {
    const char *name; /* NULL: by number */
    size_t length;
    uint32_t uid;
    char *ret_name; /* gets the name that has the number, unless NULL */
    int named, numbered, both;
};

/* Returns the next byte; -1 at the end. A list longer than its limit is unsound. */
static int next_byte(struct list *l) {
    if (l->at == l->end) {
        size_t wish = l->left < sizeof l->bytes ? l->left : sizeof l->bytes;
        ssize_t n;
        do
            n = wish > 0 ? read(l->fd, l->bytes, wish) : 0;
        while (n < 0 && errno == EINTR);
        if (n <= 0) {
            l->sound &= n == 0 && l->left > 0;
            return -1;
        }
        l->left -= (uint32_t)n;
        l->at = 0;
        l->end = (size_t)n;
    }
    return (unsigned char)l->bytes[l->at++];
}

/* Takes one line without its LF, cut at LINE_MAX; false at the end. */
static int next_line(struct list *l, char *line, size_t *ret_length) {
    size_t length = 0;
    int c, seen = 0;
    while ((c = next_byte(l)) >= 0 && c != '\n') {
        seen = 1;
        if (length < LINE_MAX)
            line[length++] = (char)c;
        else
            l->sound = 0;
    }
    *ret_length = length;
    if (c < 0 && seen)
        l->sound = 0;
    return c >= 0 || seen;
}

/* Reads digits without a leading zero; ENTRALOGIN_ANY_ID for anything else, or a number that cannot be mapped. */
static uint32_t number_of(const char *text, size_t length) {
    uint64_t number = 0;
    if (length == 0 || length > DIGITS_MAX || text[0] == '0')
        return ENTRALOGIN_ANY_ID;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return ENTRALOGIN_ANY_ID;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    return number < ENTRALOGIN_ANY_ID && entralogin_uid_is_mappable((uint32_t)number) ? (uint32_t)number
                                                                                      : ENTRALOGIN_ANY_ID;
}

/* A GUID is a name of an Entra account's form without an '@'. */
static int is_object_id(const char *text, size_t length) {
    return length == OBJECT_ID && memchr(text, '@', length) == NULL && entralogin_name_is_valid(text, length);
}

static void look_at(struct list *l, const char *line, size_t length, struct target *t) {
    const char *colon = memchr(line, ':', length), *end = line + length;
    const char *second = colon != NULL ? memchr(colon + 1, ':', (size_t)(end - colon - 1)) : NULL;
    size_t name_length = colon != NULL ? (size_t)(colon - line) : length;
    uint32_t uid = second != NULL ? number_of(second + 1, (size_t)(end - second - 1)) : ENTRALOGIN_ANY_ID;
    int named = t->name != NULL && name_length == t->length && memcmp(line, t->name, name_length) == 0;
    int numbered = t->uid != ENTRALOGIN_ANY_ID && uid == t->uid;
    l->sound &= uid != ENTRALOGIN_ANY_ID && entralogin_name_is_valid(line, name_length) &&
                is_object_id(colon + 1, (size_t)(second - colon - 1));
    if (numbered && t->ret_name != NULL && name_length <= ENTRALOGIN_NAME_MAX) {
        memcpy(t->ret_name, line, name_length);
        t->ret_name[name_length] = '\0';
    }
    t->named += named;
    t->numbered += numbered;
    t->both += named && (numbered || t->uid == ENTRALOGIN_ANY_ID);
}

static void look_through(struct list *l, struct target *t) {
    static const char first[] = ENTRALOGIN_MAPPED_FIRST_LINE;
    char line[LINE_MAX];
    size_t length;
    if (!next_line(l, line, &length) || length != sizeof first - 1 || memcmp(line, first, length) != 0)
        l->sound = 0;
    while (next_line(l, line, &length)) {
        l->sound &= ++l->lines <= (int)ENTRALOGIN_MAPPED_MAX;
        look_at(l, line, length, t);
    }
}

/* 1: there is a list, perhaps unsound already; 0: there is none; -1: there is one, perhaps, that cannot be read. */
static int open_list(struct list *l, const char *path, uint32_t root) {
    struct stat s;
    *l = (struct list){.fd = -1, .left = ENTRALOGIN_MAPPED_SIZE_MAX + 1};
    if (path == NULL)
        return 0;
    do
        l->fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (l->fd < 0 && errno == EINTR);
    if (l->fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -1;
    if (fstat(l->fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        close(l->fd);
        return -1;
    }
    l->sound = s.st_uid == root && (s.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    return 1;
}

/* 1 if the list is sound, 0 if it is unsound or missing, -1 if it cannot be read. */
static int look_for(const char *path, uint32_t root, struct target *t) {
    struct list l;
    int before = errno, result = open_list(&l, path, root);
    if (result == 1) {
        look_through(&l, t);
        close(l.fd);
        result = l.sound;
    }
    errno = before;
    return result;
}

enum entralogin_mapping entralogin_mapped(
    const char *path, uint32_t root, const char *name, uint32_t uid, uint32_t gid) {
    struct target t = {.name = name, .length = strnlen(name, ENTRALOGIN_NAME_MAX + 1), .uid = uid};
    int sound = look_for(path, root, &t);
    if (sound >= 0 && t.named == 0)
        return ENTRALOGIN_NOT_MAPPED;
    int alone = t.named == 1 && t.both == 1 && t.numbered <= 1;
    return sound == 1 && alone && (uid == gid || uid == ENTRALOGIN_ANY_ID) ? ENTRALOGIN_MAPPED
                                                                           : ENTRALOGIN_MAPPING_UNSOUND;
}

enum entralogin_mapping entralogin_mapped_number(const char *path, uint32_t root, uint32_t uid, char *ret_name) {
    struct target t = {.uid = uid, .ret_name = ret_name};
    if (!entralogin_uid_is_mappable(uid))
        return ENTRALOGIN_NOT_MAPPED;
    int sound = look_for(path, root, &t);
    if (t.numbered == 0)
        return ENTRALOGIN_NOT_MAPPED;
    return sound == 1 && t.numbered == 1 ? ENTRALOGIN_MAPPED : ENTRALOGIN_MAPPING_UNSOUND;
}
