/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pam_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_CLOEXEC)

/* Less than /etc/skel takes on any distribution. */
#define LEAST_BYTES (32u << 10)
#define LEAST_FILES 8u

/* True if only root can put something into the folder, or replace what is in it. */
static int is_roots_alone(int fd, uint32_t root) {
    struct stat s;
    return fstat(fd, &s) == 0 && S_ISDIR(s.st_mode) && s.st_uid == root && (s.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Cuts the first component off *path into `name`; false for a component that no home's path has. */
static int next_component(const char **path, char *name, size_t capacity) {
    const char *start = *path + strspn(*path, "/");
    size_t length = strcspn(start, "/");
    if (length == 0 || length >= capacity)
        return 0;
    memcpy(name, start, length);
    name[length] = '\0';
    *path = start + length;
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static uint16_t state_in(int folder, const char *name, uint32_t *ret_owner) {
    struct stat s;
    if (fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? ENTRALOGIN_HOME_ABSENT : ENTRALOGIN_HOME_STRANGE;
    if (!S_ISDIR(s.st_mode))
        return ENTRALOGIN_HOME_STRANGE;
    *ret_owner = s.st_uid;
    return ENTRALOGIN_HOME_FOLDER;
}

/*
 * As below. *ret_exposed: the length of the path to the folder that others can write and that ended the walk, else 0.
 */
static uint16_t walk_down(const char *path, uint32_t root, uint32_t *ret_owner, uint32_t *ret_exposed);

/*
 * Walks down from "/", always in a folder that only root can write: root made any link on the way (/home moved to
 * another disk), so it is followed. A link in place of the home itself is never followed.
 */
uint16_t entralogin_home_state(const char *path, uint32_t root, uint32_t *ret_owner) {
    uint32_t exposed;
    return walk_down(path, root, ret_owner, &exposed);
}

uint32_t entralogin_home_exposure(const char *path, uint32_t root) {
    uint32_t owner, exposed;
    walk_down(path, root, &owner, &exposed);
    return exposed;
}

static uint16_t walk_down(const char *path, uint32_t root, uint32_t *ret_owner, uint32_t *ret_exposed) {
    const char *start = path;
    char name[ENTRALOGIN_HOME_MAX + 1];
    uint16_t state = ENTRALOGIN_HOME_STRANGE;
    int before = errno, folder = path[0] == '/' ? open("/", FOLDER_FLAGS) : -1;
    *ret_owner = ENTRALOGIN_NO_ID;
    *ret_exposed = 0;
    while (folder >= 0 && is_roots_alone(folder, root) && next_component(&path, name, sizeof name)) {
        if (path[strspn(path, "/")] == '\0') {
            state = state_in(folder, name, ret_owner);
            break;
        }
        int below = openat(folder, name, FOLDER_FLAGS);
        if (below < 0 && errno == ENOENT)
            state = ENTRALOGIN_HOME_ABSENT;
        close(folder);
        folder = below;
    }
    if (folder >= 0) {
        struct stat s;
        int is_strange = state == ENTRALOGIN_HOME_STRANGE && fstat(folder, &s) == 0;
        if (is_strange && S_ISDIR(s.st_mode) && !is_roots_alone(folder, root))
            *ret_exposed = path == start ? 1 : (uint32_t)(path - start);
        close(folder);
    }
    errno = before;
    return state;
}

int entralogin_has_room_beside(const char *path) {
    char folder[ENTRALOGIN_HOME_MAX + 1];
    struct statvfs space;
    const char *end = strrchr(path, '/');
    size_t length = end == NULL ? 0 : (size_t)(end - path);
    if (length == 0 || length >= sizeof folder)
        return 1;
    memcpy(folder, path, length);
    folder[length] = '\0';
    /* Unknown counts as room: pam_mkhomedir finds out. */
    if (statvfs(folder, &space) != 0)
        return 1;
    return (unsigned long long)space.f_bfree * space.f_frsize >= LEAST_BYTES &&
           (space.f_files == 0 || space.f_ffree >= LEAST_FILES);
}
