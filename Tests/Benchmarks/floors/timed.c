/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `timed ROUNDS PROGRAM ARGUMENT... -- PROGRAM ARGUMENT...`: runs the two programs in turn, with output to /dev/null.
 * Prints for each the median from start to end in microseconds, and how many runs ended with a status other than 0.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 10000

static double took[2][ROUNDS_MAX];
static int failed[2];

static double microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double run(char **argv, int which) {
    static char *environment[] = {"PATH=/usr/bin:/bin", NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = 1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    double began = microseconds();
    if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environment) == 0)
        waitpid(pid, &status, 0);
    double ended = microseconds();
    posix_spawn_file_actions_destroy(&actions);
    failed[which] += status != 0;
    return ended - began;
}

static int compare(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 0, second = 2;
    while (second < argc && strcmp(argv[second], "--") != 0)
        second++;
    if (rounds < 1 || rounds > ROUNDS_MAX || second < 3 || second + 1 >= argc)
        return 2;
    argv[second++] = NULL;
    for (int i = 0; i < rounds; i++) {
        took[0][i] = run(argv + 2, 0);
        took[1][i] = run(argv + second, 1);
    }
    for (int which = 0; which < 2; which++) {
        qsort(took[which], (size_t)rounds, sizeof(double), compare);
        printf("%.1f %d\n", took[which][rounds / 2], failed[which]);
    }
    return 0;
}
