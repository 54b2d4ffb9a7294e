/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process, held by a descriptor. Where the kernel has no pidfd_open (before Linux 5.3), or a filter of system calls
 * refuses it, an O_PATH descriptor of /proc/PID stands for it: once the process is reaped nothing can be opened below
 * that folder, not even when another process has the number. So neither descriptor ever refers to a later process.
 */
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Headers of Linux before 5.3 do not have it; the number is the same on every architecture. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* The beginning of /proc/PID/stat: the number, the name in parentheses (64 bytes at most), the state. */
#define STAT_MAX 128

static int open_folder(int32_t pid) {
    char path[sizeof "/proc/-2147483648"];
    int folder;
    if (pid <= 0)
        return -EINVAL;
    (void)snprintf(path, sizeof path, "/proc/%d", (int)pid);
    folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        return errno == ENOENT ? -ESRCH : -errno;
    return folder;
}

/* By number: glibc has a wrapper only since 2.36. */
int clinux_pidfd(int32_t pid) {
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
    if (descriptor >= 0)
        return descriptor;
    return errno == ENOSYS || errno == EPERM ? open_folder(pid) : -errno;
}

/* The state is what follows the last parenthesis: a name may hold some of its own. */
static int folder_ended(int folder) {
    char text[STAT_MAX];
    const char *name_end;
    ssize_t size;
    int stat = openat(folder, "stat", O_RDONLY | O_CLOEXEC);
    if (stat < 0)
        return errno == ENOENT || errno == ESRCH ? 1 : -errno;
    size = read(stat, text, sizeof text);
    if (size < 0)
        size = errno == ESRCH ? 0 : -errno;
    (void)close(stat);
    if (size <= 0)
        return size == 0 ? 1 : (int)size;
    name_end = memrchr(text, ')', (size_t)size);
    if (name_end == NULL || name_end + 2 >= text + size)
        return -EPROTO;
    return strchr("ZXx", name_end[2]) != NULL;
}

int clinux_pidfd_ended(int descriptor) {
    struct pollfd polled = {.fd = descriptor, .events = POLLIN};
    struct stat kind;
    if (fstat(descriptor, &kind) < 0)
        return -errno;
    if (S_ISDIR(kind.st_mode))
        return folder_ended(descriptor);
    return poll(&polled, 1, 0) < 0 ? -errno : polled.revents != 0;
}

int clinux_is_pidfd(int descriptor) {
    struct stat kind;
    return fstat(descriptor, &kind) < 0 ? -errno : !S_ISDIR(kind.st_mode);
}

int clinux_child_ended(int32_t pid) {
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) < 0)
        return errno == EINTR ? 0 : -errno;
    return info.si_pid != 0;
}
