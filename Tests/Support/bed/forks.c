/* SPDX-License-Identifier: Apache-2.0 */
/* forks KIND LIMIT: what is hard to end. bomb: forks without end; chain: forks and leaves; thread: only a thread lives on. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *wait_for_ever(void *nothing) {
    for (;;)
        pause();
    return nothing;
}

int main(int count, char **words) {
    if (count != 3)
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
    pthread_t thread;
    if (pthread_create(&thread, NULL, wait_for_ever, NULL) == 0)
        syscall(SYS_exit, 0);
    return 1;
}
