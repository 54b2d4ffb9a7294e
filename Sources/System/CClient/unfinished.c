/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unfinished homes. pam_mkhomedir makes the folder for root with mode 0700, copies /etc/skel into it and gives the
 * folder to the account last; a full disk, a kill or a power failure leaves it root's. If it holds only a first part of
 * what /etc/skel holds, nobody has written into it: it is removed, and pam_mkhomedir makes it anew.
 */
#define _GNU_SOURCE
#include "entralogin_home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define DEEPEST 8
#define MOST_ENTRIES 4096

struct check {
    uint32_t root, uid;
    int entries;
    dev_t device;
    int removes;
};

/* True if the file's content is a prefix of the other one's. */
static int is_beginning(int copy, int whole) {
    char left[4096], right[4096];
    ssize_t size;
    while ((size = read(copy, left, sizeof left)) > 0) {
        size_t compared = 0;
        while (compared < (size_t)size) {
            ssize_t got = read(whole, right, (size_t)size - compared);
            if (got <= 0 || memcmp(left + compared, right, (size_t)got) != 0)
                return 0;
            compared += (size_t)got;
        }
    }
    return size == 0;
}

static int is_file_begun(int folder, int skeleton, const char *name) {
    int copy = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int whole = openat(skeleton, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int begun = copy >= 0 && whole >= 0 && is_beginning(copy, whole);
    if (copy >= 0)
        close(copy);
    if (whole >= 0)
        close(whole);
    return begun;
}

static int walk(struct check *check, int folder, int skeleton, int depth);

/* Checks one entry: the skeleton has it, of the same type, and root or the account owns it. `removes` deletes it. */
static int visit(struct check *check, int folder, int skeleton, const char *name, int depth) {
    struct stat there, model;
    if (++check->entries > MOST_ENTRIES || fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) != 0 ||
        fstatat(skeleton, name, &model, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    /* Only a folder's device tells the file system: on an overlay, files have another device than their folder. */
    if ((there.st_mode & S_IFMT) != (model.st_mode & S_IFMT) ||
        (S_ISDIR(there.st_mode) && there.st_dev != check->device) ||
        (there.st_uid != check->root && there.st_uid != check->uid))
        return 0;
    if (S_ISREG(there.st_mode) && (there.st_nlink != 1 || !is_file_begun(folder, skeleton, name)))
        return 0;
    if (S_ISREG(there.st_mode) || S_ISLNK(there.st_mode))
        return !check->removes || unlinkat(folder, name, 0) == 0;
    if (!S_ISDIR(there.st_mode))
        return 0;
    int below = openat(folder, name, FOLDER_FLAGS), model_below = openat(skeleton, name, FOLDER_FLAGS);
    int same = below >= 0 && model_below >= 0 && walk(check, below, model_below, depth + 1);
    if (below >= 0)
        close(below);
    if (model_below >= 0)
        close(model_below);
    return same && (!check->removes || unlinkat(folder, name, AT_REMOVEDIR) == 0);
}

static int walk(struct check *check, int folder, int skeleton, int depth) {
    int copy = depth > DEEPEST ? -1 : openat(folder, ".", FOLDER_FLAGS), same = 1;
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    if (entries == NULL) {
        if (copy >= 0)
            close(copy);
        return 0;
    }
    for (struct dirent *entry; same && (errno = 0, entry = readdir(entries)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            same = visit(check, folder, skeleton, entry->d_name, depth);
    same = same && errno == 0;
    closedir(entries);
    return same;
}

/* Checks the home; if it is unfinished and `removes` is set, removes it. */
static int look(const char *path, const char *skeleton, uint32_t root, uint32_t uid, int removes) {
    struct stat s;
    struct check check = {.root = root, .uid = uid};
    int before = errno, found = 0;
    int home = open(path, FOLDER_FLAGS), model = open(skeleton, FOLDER_FLAGS);
    if (home >= 0 && model >= 0 && fstat(home, &s) == 0 && s.st_uid == root && (s.st_mode & 07777) == 0700) {
        check.device = s.st_dev;
        found = walk(&check, home, model, 0);
        if (found && removes) {
            check.removes = 1, check.entries = 0;
            found = walk(&check, home, model, 0) && rmdir(path) == 0;
        }
    }
    if (home >= 0)
        close(home);
    if (model >= 0)
        close(model);
    errno = before;
    return found;
}

int entralogin_is_unfinished_home(const char *path, const char *skeleton, uint32_t root, uint32_t uid) {
    return look(path, skeleton, root, uid, 0);
}

int entralogin_remove_unfinished_home(const char *path, const char *skeleton, uint32_t root, uint32_t uid) {
    return look(path, skeleton, root, uid, 1);
}
