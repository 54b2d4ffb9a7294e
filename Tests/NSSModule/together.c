/* SPDX-License-Identifier: Apache-2.0 */
/* The module under threads, forks and a file that changes. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testbed.h"
#include "cases.h"
#include "readers.h"

#define PEOPLE 300u
/* With a sanitizer the code is some ten times slower. */
#define VERSIONS (SANITIZED ? 250u : 1000u)

void replaced_under_threads(void) {
    publish(1, PEOPLE);
    publish_grants();
    warm(PEOPLE);
    unsigned maps = mappings(), open_before = descriptors();
    readers_begin(8, PEOPLE, 1);
    for (uint32_t version = 2; version <= VERSIONS; version++) {
        publish(version, PEOPLE);
        if (version % 5 == 0)
            publish_grants();
        readers_go_on(version % 50 == 0 ? 5000 : 20);
    }
    readers_end();
    warm(PEOPLE);
    /* The stacks and heaps of the threads stay mapped for later threads; the copies do not. */
    require(SANITIZED || mappings() <= maps + 4 * 8, "%u mappings became %u", maps, mappings());
    require(descriptors() <= open_before, "%u descriptors became %u", open_before, descriptors());
}

static int child(void) {
    for (uint32_t i = 0; i < 60; i++)
        must_answer(i, i * 7 % PEOPLE);
    return 0;
}

void forked_among_threads(void) {
    publish(1, PEOPLE);
    publish_grants();
    warm(PEOPLE);
    readers_begin(4, PEOPLE, 1);
    for (uint32_t version = 2; version <= VERSIONS / 3; version++) {
        pid_t pid = fork();
        require(pid >= 0, "no process");
        if (pid == 0)
            _exit(child());
        if (version % 3 == 0)
            publish(version, PEOPLE);
        int status = -1;
        require(waitpid(pid, &status, 0) == pid && status == 0, "a child ended with %x", (unsigned)status);
    }
    readers_end();
}

static void spoil(unsigned how) {
    unsigned char noise[4096];
    int fd = open(ENTRALOGIN_ACCOUNTS_SNAPSHOT, O_RDWR | O_CLOEXEC);
    require(fd >= 0, "no file");
    off_t size = lseek(fd, 0, SEEK_END);
    require(size > 0, "an empty file");
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)(i * 2654435761u >> 7 ^ how);
    if (how % 4 == 0)
        require(ftruncate(fd, 0) == 0, "cannot truncate");
    else if (how % 4 == 1)
        require(ftruncate(fd, size / 2) == 0, "cannot truncate");
    else
        for (off_t at = how % 4 == 2 ? 0 : 8192; at < size; at += (off_t)sizeof noise * (1 + how % 3))
            require(pwrite(fd, noise, sizeof noise, at) > 0, "cannot overwrite");
    close(fd);
}

void cut_short_and_overwritten(void) {
    publish(1, PEOPLE);
    publish_grants();
    warm(PEOPLE);
    readers_begin(8, PEOPLE, 0);
    for (uint32_t version = 2; version <= VERSIONS / 3; version++) {
        readers_go_on(50);
        spoil(version);
        readers_go_on(50);
        publish(version, PEOPLE);
    }
    readers_end();
    warm(PEOPLE);
}
