/* SPDX-License-Identifier: Apache-2.0 */
/*
 * forks KIND LIMIT: processes that are hard to end. bomb: forks for ever; chain: each forks and exits; thread: the main
 * thread exits, another stays. All of them share a lock on /tmp/forks.KIND, which is held until the last one has ended.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *wait_for_ever(void *nothing) {
    for (;;)
        pause();
    return nothing;
}

static int hold_lock(const char *kind) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/forks.%s", kind);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

int main(int count, char **words) {
    if (count != 3 || !hold_lock(words[1]))
        return 2;
    const struct rlimit limit = {strtoul(words[2], NULL, 10), strtoul(words[2], NULL, 10)};
    setrlimit(RLIMIT_NPROC, &limit);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    if (strcmp(words[1], "bomb") == 0) {
        for (;;)
            (void)!fork();
    }
    if (strcmp(words[1], "chain") == 0) {
        for (;;) {
            if (fork() > 0)
                _exit(0);
            setsid();
        }
    }
    /* Processes that have ended still count towards the limit until they are reaped, so this may fail for a while. */
    pthread_t thread;
    while (pthread_create(&thread, NULL, wait_for_ever, NULL) != 0)
        usleep(1000);
    syscall(SYS_exit, 0);
    return 1;
}
