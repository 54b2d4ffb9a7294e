/* SPDX-License-Identifier: Apache-2.0 */
/* The module in unusual processes: with another root, descriptors, limits and sandboxes. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "testbed.h"
#include "cases.h"

#define PEOPLE 8u

unsigned mappings(void) {
    unsigned lines = 0;
    FILE *f = fopen("/proc/self/maps", "re");
    require(f != NULL, "no /proc");
    for (int c; (c = getc(f)) != EOF;)
        lines += c == '\n';
    fclose(f);
    return lines;
}

unsigned descriptors(void) {
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    require(folder != NULL, "no /proc");
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void begin(void) {
    publish(1, PEOPLE);
    publish_grants();
}

void few_look_ups_keep_nothing(void) {
    begin();
    unsigned before = descriptors();
    for (uint32_t i = 0; i < 3; i++)
        must_answer(0, i);
    require(descriptors() == before, "a descriptor stays after three look-ups");
    warm(PEOPLE);
    require(descriptors() == before + 2, "one descriptor for each file, not %u", descriptors() - before);
    for (int fd = 0; fd < 32; fd++) {
        struct stat s, published;
        require(
            fstat(fd, &s) != 0 || stat(ENTRALOGIN_ACCOUNTS_SNAPSHOT, &published) != 0 || s.st_ino != published.st_ino,
            "the kept descriptor is the low number %d", fd);
    }
}

void loaded_a_thousand_times(void) {
    begin();
    warm(PEOPLE);
    unsigned maps = mappings(), open_before = descriptors();
    for (int i = 0; i < 1000; i++) {
        unload();
        load(module_path);
        must_answer(0, 1);
        if (i % 100 == 0)
            publish((uint32_t)i + 2, PEOPLE);
    }
    warm(PEOPLE);
    require(SANITIZED || mappings() <= maps + 1, "%u mappings became %u", maps, mappings());
    require(descriptors() == open_before, "%u descriptors became %u", open_before, descriptors());
}

static void make_folders(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        require(mkdir(path, 0755) == 0 || errno == EEXIST, "cannot make %s", path);
        *slash = '/';
    }
}

/* Asks until the answer changes: the module compares the path only after a tick or two of the kernel's clock. */
static enum nss_status await_other(enum nss_status now) {
    struct timespec start, t;
    enum nss_status status = now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        status = ask(0, 1);
        clock_gettime(CLOCK_MONOTONIC, &t);
    } while (status == now && t.tv_sec - start.tv_sec < 10);
    return status;
}

void chrooted(void) {
    char inside[600];
    begin();
    warm(PEOPLE);
    snprintf(inside, sizeof inside, "%s.root%s", ENTRALOGIN_ACCOUNTS_SNAPSHOT, ENTRALOGIN_ACCOUNTS_SNAPSHOT);
    make_folders(inside);
    unlink(inside);
    require(chroot(ENTRALOGIN_ACCOUNTS_SNAPSHOT ".root") == 0 && chdir("/") == 0, "cannot chroot");
    require(await_other(NSS_STATUS_SUCCESS) != NSS_STATUS_SUCCESS, "the old root's accounts stay");
    /* The new root gets its own accounts. */
    atomic_store(&shared->publishing, 2);
    atomic_store(&shared->published, 2);
    write_accounts(ENTRALOGIN_ACCOUNTS_SNAPSHOT, 2, PEOPLE);
    for (uint32_t i = 0; i < 20; i++)
        must_answer(0, i % PEOPLE);
}

void descriptors_closed_and_reused(void) {
    struct stat own, null;
    begin();
    warm(PEOPLE);
    for (int round = 0; round < 3; round++) {
        for (int fd = 0; fd < 1024; fd++)
            close(fd);
        /* Every descriptor of the module now refers to another file. */
        for (int i = 0; i < 64; i++)
            require(open("/dev/null", O_RDWR) == i, "another descriptor than %d", i);
        require(fstat(0, &null) == 0, "no /dev/null");
        for (uint32_t i = 0; i < 50; i++)
            must_answer(i, i % PEOPLE);
        for (int fd = 0; fd < 64; fd++)
            require(fstat(fd, &own) == 0 && own.st_ino == null.st_ino, "descriptor %d was closed", fd);
    }
}

void no_descriptor_left(void) {
    struct rlimit before, none;
    begin();
    require(getrlimit(RLIMIT_NOFILE, &before) == 0, "no limit");
    none = before;
    none.rlim_cur = 0;
    require(setrlimit(RLIMIT_NOFILE, &none) == 0, "cannot limit");
    for (uint32_t i = 0; i < 20; i++)
        require(ask(0, 1) == NSS_STATUS_UNAVAIL, "answered without a descriptor");
    require(setrlimit(RLIMIT_NOFILE, &before) == 0, "cannot unlimit");
    warm(PEOPLE);
    require(setrlimit(RLIMIT_NOFILE, &none) == 0, "cannot limit");
    for (uint32_t i = 0; i < 100; i++)
        must_answer(i, i % PEOPLE);
    require(setrlimit(RLIMIT_NOFILE, &before) == 0, "cannot unlimit");
    publish(2, PEOPLE);
    require(setrlimit(RLIMIT_NOFILE, &none) == 0, "cannot limit");
    for (uint32_t i = 0; i < 20; i++)
        require(ask(0, 1) == NSS_STATUS_UNAVAIL, "an old answer after a new file");
    require(setrlimit(RLIMIT_NOFILE, &before) == 0, "cannot unlimit");
    warm(PEOPLE);
}

void no_memory_left(void) {
    volatile char deep[1 << 16];
    for (size_t i = 0; i < sizeof deep; i += 1024)
        deep[i] = 1;
    begin();
    must_answer(0, 1);
    const struct rlimit none = {0, RLIM_INFINITY};
    require(setrlimit(RLIMIT_AS, &none) == 0, "cannot limit");
    for (uint32_t i = 0; i < 20; i++)
        must_answer(i % 3, i % PEOPLE);
}

/* --- Sandboxes --- */

#if defined(__x86_64__)
#define THIS_MACHINE AUDIT_ARCH_X86_64
#else
#define THIS_MACHINE AUDIT_ARCH_AARCH64
#endif

/* Allows the listed system calls; for all others the filter returns `otherwise`. */
static void confine(const int *calls, size_t count, uint32_t otherwise) {
    struct sock_filter filter[64];
    unsigned short n = 0;
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_MACHINE, 1, 0);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++) {
        filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], 0, 1);
        filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, otherwise);
    const struct sock_fprog program = {.len = n, .filter = filter};
    require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
        "cannot confine");
}

void sandboxed_with_a_copy(void) {
    static const int calls[] = {SYS_fstat, SYS_exit_group};
    begin();
    warm(PEOPLE);
    confine(calls, sizeof calls / sizeof *calls, SECCOMP_RET_ERRNO | EPERM);
    for (uint32_t i = 0; i < 100000; i++)
        must_answer(i, i % PEOPLE);
}

void sandboxed_from_the_start(void) {
    /* The module's system calls for Entra accounts, and the test's exit. brk and mmap: for initgroups' array. */
    static const int calls[] = {SYS_openat, SYS_fstat, SYS_newfstatat, SYS_pread64, SYS_fcntl, SYS_close, SYS_mmap,
        SYS_munmap, SYS_exit_group, SYS_brk};
    begin();
    free(malloc(4096));
    confine(calls, sizeof calls / sizeof *calls, SECCOMP_RET_KILL_PROCESS);
    for (uint32_t i = 0; i < 100000; i++)
        must_answer(i, i % PEOPLE);
}
