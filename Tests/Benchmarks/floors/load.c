/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `load PATH FRAME COUNT CLIENTS`: CLIENTS processes together exchange COUNT frames, each over a connection of its own,
 * one after the other. FRAME is a file; this program replaces its last four bytes with its own process id, big-endian,
 * because the certificate check requires that of its caller. Prints the frames a second, the number of answers with the
 * protocol's status 0, and the number of exchanges without an answer.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HEADER 12

static struct sockaddr_un address = {.sun_family = AF_UNIX};
static unsigned char frame[65536];
static size_t size;

/* 1 for an answer of status 0, 0 for another, -1 for none. */
static int exchange(void) {
    unsigned char answer[4096];
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    ssize_t got = send(fd, frame, size, MSG_NOSIGNAL) < 0 ? -1 : recv(fd, answer, sizeof answer, 0);
    if (got == 0) /* recv may report the end too early: see the client's receive_by */
        got = recv(fd, answer, sizeof answer, 0);
    close(fd);
    if (got <= 0)
        return -1;
    return got >= HEADER + 2 && answer[HEADER] == 0 && answer[HEADER + 1] == 0;
}

static void run(long count, long *ret_good, long *ret_failed) {
    for (long i = 0; i < count; i++) {
        int result = exchange();
        *ret_good += result == 1;
        *ret_failed += result < 0;
    }
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    if (argc < 5 || strlen(argv[1]) >= sizeof address.sun_path)
        return 2;
    strcpy(address.sun_path, argv[1]);
    int file = open(argv[2], O_RDONLY | O_CLOEXEC);
    ssize_t got = file < 0 ? -1 : read(file, frame, sizeof frame);
    long count = atol(argv[3]), clients = atol(argv[4]);
    if (got < HEADER + 4 || clients < 1 || clients > 64)
        return 2;
    size = (size_t)got;
    for (int i = 0; i < 4; i++)
        frame[size - 1 - (size_t)i] = (unsigned char)((unsigned)getpid() >> (8 * i));
    long *results = mmap(NULL, sizeof(long) * 128, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED)
        return 1;
    double began = seconds();
    for (long c = 0; c < clients; c++)
        if (fork() == 0) {
            run(count / clients, &results[2 * c], &results[2 * c + 1]);
            _exit(0);
        }
    while (wait(NULL) > 0)
        continue;
    double took = seconds() - began;
    long good = 0, failed = 0;
    for (long c = 0; c < clients; c++) {
        good += results[2 * c];
        failed += results[2 * c + 1];
    }
    printf("%.0f %ld %ld\n", (double)(count / clients * clients) / took, good, failed);
    return 0;
}
