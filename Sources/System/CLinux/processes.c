/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_MAX 8

static int result(int value) {
    return value < 0 ? -errno : value;
}

int clinux_pipe(int ret_ends[2]) {
    return result(pipe2(ret_ends, O_CLOEXEC));
}

/*
 * Closes the descriptors that are open now. entralogin opens every descriptor close-on-exec, so one that another thread
 * opens meanwhile is not inherited; glibc's child ignores one that was closed meanwhile.
 */
static int add_closing_of_open(posix_spawn_file_actions_t *actions) {
    struct dirent *entry;
    int error = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return errno != 0 ? errno : EIO;
    errno = 0;
    while (error == 0 && (entry = readdir(folder)) != NULL) {
        long number = strtol(entry->d_name, NULL, 10);
        if (number > STDERR_FILENO && number != dirfd(folder))
            error = posix_spawn_file_actions_addclose(actions, (int)number);
        errno = 0;
    }
    /* An incomplete list is an error. */
    error = error ? error : errno;
    (void)closedir(folder);
    return error;
}

/*
 * glibc has one call for it since 2.34; it is looked up at run time, so that one build also runs with an older glibc.
 */
static int add_closing(posix_spawn_file_actions_t *actions) {
    int (*close_from)(posix_spawn_file_actions_t *, int);
    void *address = dlsym(RTLD_DEFAULT, "posix_spawn_file_actions_addclosefrom_np");
    if (address == NULL)
        return add_closing_of_open(actions);
    memcpy(&close_from, &address, sizeof address);
    return close_from(actions, STDERR_FILENO + 1);
}

static int add_actions(posix_spawn_file_actions_t *actions, int output, int error_output) {
    int error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO);
    if (!error)
        error = posix_spawn_file_actions_adddup2(actions, error_output, STDERR_FILENO);
    return error ? error : add_closing(actions);
}

static int set_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error)
        error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error)
        error = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    return error;
}

int clinux_spawn(
    const char *path, char *const argv[], char *const envp[], int output, int error_output, int32_t *ret_pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return -error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = add_actions(&actions, output, error_output);
        if (!error)
            error = set_attributes(&attributes);
        if (!error)
            error = posix_spawn(&pid, path, &actions, &attributes, argv, envp);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    if (error)
        return -error;
    *ret_pid = pid;
    return 0;
}

int clinux_reap(int32_t pid) {
    int status;
    pid_t reaped;
    do
        reaped = waitpid(pid, &status, 0);
    while (reaped < 0 && errno == EINTR);
    if (reaped < 0)
        return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

int clinux_kill_group(int32_t pid) {
    return pid <= 1 ? -EINVAL : result(kill(-pid, SIGKILL));
}

int clinux_poll(const int *descriptors, int *ret_ready, size_t count, int timeout_ms) {
    struct pollfd polled[POLL_MAX];
    if (count > POLL_MAX)
        return -EINVAL;
    for (size_t i = 0; i < count; i++)
        polled[i] = (struct pollfd){.fd = descriptors[i], .events = POLLIN};
    if (poll(polled, count, timeout_ms) < 0)
        return -errno;
    for (size_t i = 0; i < count; i++)
        ret_ready[i] = polled[i].revents != 0;
    return 0;
}

int clinux_thread_start(void *(*body)(void *), void *context, uintptr_t *ret_thread) {
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    int error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error)
        return -error;
    error = pthread_create(&thread, NULL, body, context);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error)
        return -error;
    *ret_thread = (uintptr_t)thread;
    return 0;
}

int clinux_thread_join(uintptr_t thread) {
    return -pthread_join((pthread_t)thread, NULL);
}

int clinux_thread_detach(uintptr_t thread) {
    return -pthread_detach((pthread_t)thread);
}

uintptr_t clinux_thread_self(void) {
    return (uintptr_t)pthread_self();
}

int clinux_thread_name(const char *name) {
    return result(prctl(PR_SET_NAME, name));
}

static int64_t nanoseconds(clockid_t clock, int64_t *ret_seconds) {
    struct timespec now = {0, 0};
    (void)clock_gettime(clock, &now); /* cannot fail for these clocks: clock_gettime(2) */
    *ret_seconds = now.tv_sec;
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clinux_boottime(void) {
    int64_t seconds;
    return nanoseconds(CLOCK_BOOTTIME, &seconds);
}

int64_t clinux_realtime(void) {
    int64_t seconds;
    (void)nanoseconds(CLOCK_REALTIME, &seconds);
    return seconds;
}

int clinux_random(void *ret_bytes, size_t size) {
    unsigned char *next = ret_bytes;
    while (size > 0) {
        ssize_t got = getrandom(next, size, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return -errno;
        }
        next += got;
        size -= (size_t)got;
    }
    return 0;
}
