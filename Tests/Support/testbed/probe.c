/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tries what a sandboxed service can still do: runs in place of the service, under its unit's settings. Prints a line
 * for each attempt: its name, then "done" or the error. The attempts are real, so run it only in a private machine.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h> /* before the kernel's headers: older ones define the same names */

#include <linux/io_uring.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void say(const char *name, long result) {
    printf("%s %s\n", name, result < 0 ? strerrorname_np(errno) : "done");
}

static void say_mount(const char *path) {
    struct statvfs file_system;
    if (statvfs(path, &file_system) < 0)
        printf("mount:%s %s\n", path, strerrorname_np(errno));
    else
        printf("mount:%s %s\n", path, file_system.f_flag & ST_RDONLY ? "read-only" : "writable");
}

static void say_file(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    printf("open:%s %s\n", path, file < 0 ? strerrorname_np(errno) : "done");
    if (file >= 0)
        close(file);
}

static void say_socket(const char *name, int family, int type) {
    int s = socket(family, type, 0);
    printf("socket:%s %s\n", name, s < 0 ? strerrorname_np(errno) : "done");
    if (s >= 0)
        close(s);
}

static void say_status(void) {
    static const char *const wanted[] = {
        "Uid:", "Gid:", "Groups:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:"};
    char line[256];
    FILE *status = fopen("/proc/self/status", "re");
    while (status && fgets(line, sizeof line, status))
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (strncmp(line, wanted[i], strlen(wanted[i])) == 0)
                printf("status:%s", line);
    if (status)
        fclose(status);
}

static void say_calls(void) {
    struct sched_param soon = {.sched_priority = 1};
    struct timespec now;
    struct io_uring_params ring;
    memset(&ring, 0, sizeof ring);
    say("setuid", setresuid(0, 0, 0));
    say("mount", mount("none", "/tmp", "tmpfs", 0, NULL));
    say("chroot", chroot("/tmp") == 0 ? chdir("/") : -1);
    say("unshare", unshare(CLONE_NEWUSER));
    say("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    say("personality", personality(PER_LINUX32));
    say("realtime", sched_setscheduler(0, SCHED_FIFO, &soon));
    say("klogctl", klogctl(3, NULL, 0));
    say("kexec", syscall(SYS_kexec_load, 0, 0, NULL, 0));
    say("module", syscall(SYS_delete_module, "none", 0));
    say("bpf", syscall(SYS_bpf, 0, NULL, 0));
    say("io_uring", syscall(SYS_io_uring_setup, 1, &ring));
    say("shared-memory", syscall(SYS_shmget, IPC_PRIVATE, 1, 0600));
    say("semaphore", syscall(SYS_semget, IPC_PRIVATE, 1, 0600));
    say("message-queue", syscall(SYS_msgget, IPC_PRIVATE, 0600));
    say("posix-queue", syscall(SYS_mq_open, "probe", O_CREAT | O_RDWR, 0600, NULL));
    clock_gettime(CLOCK_REALTIME, &now);
    say("clock", clock_settime(CLOCK_REALTIME, &now));
    say("hostname", sethostname("x", 1));
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    say("writable-code", code == MAP_FAILED ? -1 : 0);
    int file = open("/tmp/probe", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    say("setuid-file", file < 0 ? -1 : fchmod(file, 04755));
}

int main(void) {
    struct rlimit core;
    say_status();
    getrlimit(RLIMIT_CORE, &core);
    printf("core %llu\n", (unsigned long long)core.rlim_max);
    for (const char *const *path = (const char *const[]){"/", "/etc", "/usr", "/var", "/run", "/proc/sys",
             "/sys/fs/cgroup", "/run/entralogin", "/var/lib/entralogin", "/run/entralogin/nss", "/tmp", NULL};
        *path; path++)
        say_mount(*path);
    for (const char *const *path = (const char *const[]){"/home", "/root", "/dev/kmsg", "/dev/mem", "/proc/1/status",
             "/proc/kmsg", "/etc/shadow", "/dev/null", "/dev/urandom", "/proc/sys/kernel/random/boot_id", NULL};
        *path; path++)
        say_file(*path);
    say_socket("netlink", AF_NETLINK, SOCK_RAW);
    say_socket("packet", AF_PACKET, SOCK_RAW);
    say_socket("vsock", 40, SOCK_STREAM);
    say_socket("unix", AF_UNIX, SOCK_STREAM);
    say_socket("inet", AF_INET, SOCK_STREAM);
    say_calls();
    return 0;
}
