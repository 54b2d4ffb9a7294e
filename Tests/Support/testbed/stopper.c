/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to preload into a program and all that it starts: stops them at the Nth of their calls that change a
 * folder. STOPPER is MODE:N:COUNTER[:WORD]. MODE kill: SIGKILL to the whole process group before the call; fail: that
 * call fails with EIO; full: from that call on, no call can create anything, as on a full disk. COUNTER is a file with
 * one byte for each call; the Nth call is written to COUNTER.where. Counts the calls whose path is below /etc or
 * /var/lib, or with WORD those whose path contains it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int (*real_open)(const char *, int, ...);

/* The number of this call, from 1. No write is lost (O_APPEND); two processes may get the same number, which only
   changes at which call they stop. */
static long counted(const char *counter) {
    int file = real_open(counter, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || write(file, ".", 1) != 1)
        abort();
    long number = (long)lseek(file, 0, SEEK_END);
    close(file);
    return number;
}

static void note(const char *counter, const char *call, const char *path) {
    char where[256], line[512];
    snprintf(where, sizeof where, "%s.where", counter);
    int file = real_open(where, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600);
    int length = snprintf(line, sizeof line, "%s %s\n", call, path);
    if (file >= 0 && write(file, line, (size_t)length) != length)
        abort();
    close(file);
}

/* Returns the error with which the call must fail, or 0. */
static int stopped(const char *call, const char *path, int creates) {
    const char *asked = getenv("STOPPER");
    char mode[8], counter[128], word[64] = "";
    long at;
    if (!real_open)
        real_open = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    if (!asked || !path || sscanf(asked, "%7[a-z]:%ld:%127[^:]:%63s", mode, &at, counter, word) < 3)
        return 0;
    if (*word ? !strstr(path, word) : strncmp(path, "/etc/", 5) != 0 && strncmp(path, "/var/lib/", 9) != 0)
        return 0;
    long number = counted(counter);
    if (number == at)
        note(counter, call, path);
    if (number == at && strcmp(mode, "kill") == 0)
        kill(0, SIGKILL);
    if (number == at && strcmp(mode, "fail") == 0)
        return EIO;
    return number >= at && creates && strcmp(mode, "full") == 0 ? ENOSPC : 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define GUARD(call, path, creates) \
    do { \
        int error_ = stopped(call, path, creates); \
        if (error_) { \
            errno = error_; \
            return -1; \
        } \
    } while (0)

int rename(const char *from, const char *to) {
    GUARD("rename", to, 0);
    return REAL(rename)(from, to);
}
int renameat(int a, const char *from, int b, const char *to) {
    GUARD("rename", to, 0);
    return REAL(renameat)(a, from, b, to);
}
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    GUARD("rename", to, 0);
    return REAL(renameat2)(a, from, b, to, flags);
}
int unlink(const char *path) {
    GUARD("unlink", path, 0);
    return REAL(unlink)(path);
}
int unlinkat(int folder, const char *path, int flags) {
    GUARD("unlink", path, 0);
    return REAL(unlinkat)(folder, path, flags);
}
int link(const char *from, const char *to) {
    GUARD("link", to, 0);
    return REAL(link)(from, to);
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    GUARD("link", to, 0);
    return REAL(linkat)(a, from, b, to, flags);
}
int symlink(const char *target, const char *path) {
    GUARD("symlink", path, 1);
    return REAL(symlink)(target, path);
}
int symlinkat(const char *target, int folder, const char *path) {
    GUARD("symlink", path, 1);
    return REAL(symlinkat)(target, folder, path);
}
int rmdir(const char *path) {
    GUARD("rmdir", path, 0);
    return REAL(rmdir)(path);
}
int mkdir(const char *path, mode_t mode) {
    struct stat there;
    if (stat(path, &there) != 0)
        GUARD("mkdir", path, 1);
    return REAL(mkdir)(path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
    struct stat there;
    if (fstatat(folder, path, &there, 0) != 0)
        GUARD("mkdir", path, 1);
    return REAL(mkdirat)(folder, path, mode);
}

static mode_t mode_of(int flags, va_list rest) {
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = mode_of(flags, rest); \
        va_end(rest); \
        if (flags & O_CREAT) \
            GUARD("create", path, 1); \
        return REAL(name)(__VA_ARGS__, flags, mode); \
    }

/* clang-format off */
int open(const char *path, int flags, ...) OPEN(open, path)
int open64(const char *path, int flags, ...) OPEN(open64, path)
int openat(int folder, const char *path, int flags, ...) OPEN(openat, folder, path)
int openat64(int folder, const char *path, int flags, ...) OPEN(openat64, folder, path)
    /* clang-format on */
