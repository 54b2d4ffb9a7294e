/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `atpid NUMBER COMMAND...` runs a command with exactly that process id, which must be free (clone3(2), set_tid). Its
 * exit status is the command's; 71 if the process id was not available.
 */
#define _GNU_SOURCE
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 3)
        return 64;
    pid_t wanted = (pid_t)strtol(argv[1], NULL, 10);
    struct clone_args arguments = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1};
    long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    int status;
    if (child < 0 || waitpid((pid_t)child, &status, 0) < 0) {
        perror("atpid");
        return 71;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
