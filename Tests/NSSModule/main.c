/* SPDX-License-Identifier: Apache-2.0 */
/* `robust MODULE`: runs every case in a process of its own. Says which failed, and why. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testbed.h"
#include "cases.h"

#define PATIENCE_SECONDS 300

struct shared *shared;
const char *module_path;

/* When a case runs. Any sanitizer, or only ThreadSanitizer (NOT_WATCHED), prevents what some cases do. */
enum { ALWAYS, NOT_SANITIZED, NOT_WATCHED };

static const struct {
    const char *name;
    void (*run)(void);
    int when;
} cases[] = {
    {"a file replaced again and again under 8 threads: every answer is right, of one version, and of the newest",
        replaced_under_threads, ALWAYS},
    {"forked while threads look up: the children's answers are right", forked_among_threads, NOT_WATCHED},
    {"P13: a file cut short or overwritten in use: no SIGBUS, and no answer that is not true",
        cut_short_and_overwritten, ALWAYS},
    {"three look-ups keep nothing; more keep one descriptor for each file, above 31", few_look_ups_keep_nothing,
        ALWAYS},
    {"loaded and unloaded 1,000 times: no mapping and no descriptor more", loaded_a_thousand_times, ALWAYS},
    {"after chroot(2) the old root's accounts are gone, and the new root's are there", chrooted, ALWAYS},
    {"every descriptor closed, and its number given to another file: right answers, and those files stay open",
        descriptors_closed_and_reused, ALWAYS},
    {"no descriptor left: what is kept answers; what is not is unavailable", no_descriptor_left, ALWAYS},
    {"no memory left: the file is read each time", no_memory_left, NOT_SANITIZED},
    {"a sandbox that allows fstat alone: what is kept answers", sandboxed_with_a_copy, NOT_SANITIZED},
    {"a sandbox that allows what the module needs, and kills for anything else", sandboxed_from_the_start,
        NOT_SANITIZED},
    {"P13: in a user namespace that does not map the files' owner: right answers; where all is mapped, 65534 is refused",
        in_a_user_namespace, NOT_WATCHED},
};

void complain(const char *what, ...) {
    va_list arguments;
    va_start(arguments, what);
    vsnprintf(shared->complaint, sizeof shared->complaint, what, arguments);
    va_end(arguments);
    _exit(3);
}

static int run(size_t index) {
    memset(shared, 0, sizeof *shared);
    remove_published();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(PATIENCE_SECONDS);
        load(module_path);
        cases[index].run();
        _exit(0);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    if (status == 0) {
        printf("ok      %s\n", cases[index].name);
        return 1;
    }
    printf("FAILED  %s: %s (status %x)\n", cases[index].name, shared->complaint, (unsigned)status);
    return 0;
}

int main(int argc, char **argv) {
    int good = 1;
    if (argc < 2 || geteuid() > 999) {
        puts(argc < 2 ? "usage: robust MODULE" : "skipped: the module reads system users' files only; run it as root");
        return argc < 2;
    }
    module_path = argv[1];
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if ((cases[i].when == NOT_SANITIZED && SANITIZED) || (cases[i].when == NOT_WATCHED && THREADS_WATCHED))
            continue;
        if (argc < 3 || strstr(cases[i].name, argv[2]) != NULL)
            good &= run(i);
    }
    remove_published();
    return !good;
}
