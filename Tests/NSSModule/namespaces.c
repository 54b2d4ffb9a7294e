/* SPDX-License-Identifier: Apache-2.0 */
/* The module in user namespaces, where the owner of its files may have no mapped uid. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testbed.h"
#include "cases.h"

#define PEOPLE 8u
#define SYSTEM_USER 997
#define NOBODY 65534

static void give_to(uid_t owner) {
    require(chown(ENTRALOGIN_ACCOUNTS_SNAPSHOT, owner, 0) == 0 && chown(ENTRALOGIN_GRANTS_SNAPSHOT, owner, 0) == 0,
        "cannot give the files away");
}

static void write_map(pid_t pid, const char *map) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/uid_map", (int)pid);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    require(fd >= 0 && write(fd, map, strlen(map)) == (ssize_t)strlen(map), "cannot write the map %s", map);
    close(fd);
}

static int is_owner_unmapped(void) {
    struct stat s;
    return stat(ENTRALOGIN_ACCOUNTS_SNAPSHOT, &s) == 0 && s.st_uid == NOBODY;
}

/* Runs `inside` in a user namespace with that map; before that, the module keeps a copy if it can. */
static void within(const char *map, void (*inside)(void)) {
    int entered[2], mapped[2], status = -1;
    char byte = 0;
    require(pipe(entered) == 0 && pipe(mapped) == 0, "no pipes");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        for (uint32_t i = 0; i < 20; i++)
            ask(i % WAYS, i % PEOPLE);
        require(unshare(CLONE_NEWUSER) == 0, "cannot make a user namespace");
        require(write(entered[1], &byte, 1) == 1 && read(mapped[0], &byte, 1) == 1, "no word from outside");
        inside();
        _exit(0);
    }
    require(read(entered[0], &byte, 1) == 1, "the namespace was not entered");
    write_map(pid, map);
    require(write(mapped[1], &byte, 1) == 1, "no word to the inside");
    require(waitpid(pid, &status, 0) == pid && status == 0, "map %s: %s", map, shared->complaint);
}

static void must_be_answered(void) {
    require(is_owner_unmapped(), "the owner has a number here");
    for (uint32_t i = 0; i < 50; i++)
        must_answer(i, i % PEOPLE);
}

static void must_be_refused(void) {
    require(is_owner_unmapped(), "the owner is not nobody");
    for (uint32_t i = 0; i < 20; i++)
        require(ask(0, 1) == NSS_STATUS_UNAVAIL, "what nobody owns is believed");
}

void in_a_user_namespace(void) {
    publish(1, PEOPLE);
    publish_grants();
    give_to(SYSTEM_USER);
    within("1999259362 0 1\n", must_be_answered);
    /* As in rootless containers: 65534 is also a uid that the namespace maps. */
    within("0 0 1\n1 100000 65536\n", must_be_answered);
    require(chmod(ENTRALOGIN_ACCOUNTS_SNAPSHOT, 0664) == 0, "no mode");
    within("1999259362 0 1\n", must_be_refused);
    require(chmod(ENTRALOGIN_ACCOUNTS_SNAPSHOT, 0644) == 0, "no mode");
    give_to(NOBODY);
    must_be_refused();
    within("0 0 1\n1 1 4294967294\n", must_be_refused);
}
