/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "entralogin_end_sessions.h"

ssize_t entralogin_read_proc(int folder, const char *name, char *text, size_t capacity) {
    size_t length = 0;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    while (length < capacity - 1) {
        ssize_t n = read(fd, text + length, capacity - 1 - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        length += (size_t)n;
    }
    close(fd);
    text[length] = '\0';
    return (ssize_t)length;
}

/*
 * Returns the text after `key` at the beginning of a line; NULL if no line has it. A name cannot hold a line feed: the
 * kernel escapes it (proc(5)).
 */
static const char *field(const char *text, const char *key) {
    size_t length = strlen(key);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0)
            return line + length;
    }
    return NULL;
}

int entralogin_parse_status(const char *text, struct entralogin_process *ret) {
    const char *name = field(text, "Name:\t"), *state = field(text, "State:\t"), *pid = field(text, "Tgid:\t");
    const char *parent = field(text, "PPid:\t"), *uids = field(text, "Uid:\t"), *threads = field(text, "Threads:\t");
    if (name == NULL || state == NULL || pid == NULL || parent == NULL || uids == NULL || threads == NULL)
        return 0;
    size_t length = strcspn(name, "\n");
    memset(ret, 0, sizeof *ret);
    memcpy(ret->command, name, length < sizeof ret->command ? length : sizeof ret->command - 1);
    ret->state = *state;
    ret->pid = (int32_t)strtol(pid, NULL, 10);
    ret->parent = (int32_t)strtol(parent, NULL, 10);
    ret->threads = (uint32_t)strtoul(threads, NULL, 10);
    char *next;
    ret->real = (uint32_t)strtoul(uids, &next, 10);
    ret->effective = (uint32_t)strtoul(next, &next, 10);
    ret->saved = (uint32_t)strtoul(next, NULL, 10);
    return ret->pid > 0;
}

int entralogin_is_of(const struct entralogin_process *p, uint32_t uid) {
    /* sshd, cron and other root processes take a user's uid for a while, but their real uid stays 0. */
    return p->real == uid || (p->real != 0 && p->effective == uid && p->saved == uid);
}

int entralogin_carries(int folder, uint32_t uid) {
    char text[4096], slice[32];
    if (entralogin_read_proc(folder, "loginuid", text, sizeof text) > 0 && strtoul(text, NULL, 10) == uid)
        return 1;
    snprintf(slice, sizeof slice, "/user-%u.slice/", uid);
    return entralogin_read_proc(folder, "cgroup", text, sizeof text) > 0 && strstr(text, slice) != NULL;
}

int entralogin_is_alive(const struct entralogin_process *p) {
    return (p->state != 'Z' && p->state != 'X') || p->threads > 1;
}

int entralogin_each_process(entralogin_visit *visit, void *context) {
    char text[4096];
    struct entralogin_process p;
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        return -errno;
    int top = dirfd(proc), seen_first = 0;
    for (struct dirent *entry; (errno = 0, entry = readdir(proc)) != NULL && top >= 0;) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        /* The open folder stays bound to this process: reads and signals cannot reach a later one of that number. */
        int folder = openat(top, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
            continue;
        if (entralogin_read_proc(folder, "status", text, sizeof text) > 0 && entralogin_parse_status(text, &p)) {
            seen_first |= p.pid == 1;
            visit(folder, &p, context);
        }
        close(folder);
    }
    int error = top < 0 ? EBADF : errno;
    closedir(proc);
    if (error != 0)
        return -error;
    /* With hidepid=, /proc shows only some processes: no answer is better than a wrong one. */
    return seen_first ? 0 : -EACCES;
}
