/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

/* Above every descriptor that the process has. */
#define FIRST 1000
#define DESCRIPTORS 16
#define VERSIONS 8
#define PIECE 7u

int __wrap_open(const char *path, int flags, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fstat(int fd, struct stat *s);
int __wrap_lstat(const char *path, struct stat *s);
long __wrap_syscall(long number, ...);
ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset);
int __wrap_close(int fd);

static const char boot[] = "00112233-4455-6677-8899-aabbccddeeff\n";

/* The files that are served, in this order. A later one with the same path is renamed over the earlier one. */
static struct version {
    const char *path;
    const unsigned char *bytes;
    size_t size;
    unsigned how;
    int is_linked;
} versions[VERSIONS];
static size_t version_count;

/* The file of each open descriptor. */
static struct version *opened[DESCRIPTORS];
static unsigned reads;

void serve_nothing(void) {
    version_count = 0;
    reads = 0;
    memset(opened, 0, sizeof opened);
    serve(FUZZ_BOOT_ID, (const unsigned char *)boot, sizeof boot - 1, 0);
}

static struct version *version_at(const char *path) {
    for (size_t i = version_count; i > 0; i--)
        if (strcmp(versions[i - 1].path, path) == 0)
            return &versions[i - 1];
    return NULL;
}

void serve(const char *path, const unsigned char *bytes, size_t size, unsigned how) {
    struct version *before = version_at(path);
    if (before != NULL)
        before->is_linked = 0;
    check(version_count < VERSIONS, "there is room for what is served");
    versions[version_count++] =
        (struct version){.path = path, .bytes = bytes, .size = size, .how = how, .is_linked = 1};
}

int files_open(void) {
    int sum = 0;
    for (int i = 0; i < DESCRIPTORS; i++)
        sum += opened[i] != NULL;
    return sum;
}

static struct version *served(int fd) {
    struct version *v = fd >= FIRST && fd < FIRST + DESCRIPTORS ? opened[fd - FIRST] : NULL;
    if (v == NULL)
        errno = EBADF;
    return v;
}

static int open_version(struct version *v) {
    for (int i = 0; i < DESCRIPTORS; i++) {
        if (opened[i] != NULL)
            continue;
        opened[i] = v;
        return FIRST + i;
    }
    errno = EMFILE;
    return -1;
}

static int describe(const struct version *v, struct stat *s) {
    *s = (struct stat){
        .st_mode = S_IFREG | 0644,
        .st_ino = (ino_t)(v - versions) + 1,
        .st_nlink = v->is_linked ? 1 : 0,
        .st_size = (off_t)v->size,
    };
    return 0;
}

/* --- What the readers call --- */

int __wrap_open(const char *path, int flags, ...) {
    struct version *v = version_at(path);
    (void)flags;
    if (v != NULL)
        return open_version(v);
    errno = ENOENT;
    return -1;
}

int __wrap_fcntl(int fd, int command, ...) {
    struct version *v = served(fd);
    check(command == F_DUPFD_CLOEXEC, "a descriptor is duplicated and nothing else");
    return v != NULL ? open_version(v) : -1;
}

int __wrap_fstat(int fd, struct stat *s) {
    const struct version *v = served(fd);
    return v != NULL ? describe(v, s) : -1;
}

int __wrap_lstat(const char *path, struct stat *s) {
    const struct version *v = version_at(path);
    errno = ENOENT;
    return v != NULL ? describe(v, s) : -1;
}

long __wrap_syscall(long number, ...) {
    va_list arguments;
    va_start(arguments, number);
    int fd = va_arg(arguments, int);
    struct stat *s = va_arg(arguments, struct stat *);
    va_end(arguments);
    check(number == SYS_fstat, "fstat is the only system call by number");
    return __wrap_fstat(fd, s);
}

ssize_t __wrap_pread(int fd, void *buffer, size_t size, off_t offset) {
    const struct version *v = served(fd);
    if (v == NULL)
        return -1;
    size_t end = v->how & FUZZ_CUT ? v->size / 2 : v->size;
    if (offset < 0 || (size_t)offset >= end)
        return 0;
    if (size > end - (size_t)offset)
        size = end - (size_t)offset;
    if (v->how & FUZZ_PIECES) {
        if (++reads % 5 == 0) {
            errno = EINTR;
            return -1;
        }
        /* Only every other read is short, so that large files do not take for ever. */
        if (size > PIECE && reads % 2 == 0)
            size = PIECE;
    }
    memcpy(buffer, v->bytes + offset, size);
    return (ssize_t)size;
}

int __wrap_close(int fd) {
    if (served(fd) == NULL)
        return -1;
    opened[fd - FIRST] = NULL;
    return 0;
}
