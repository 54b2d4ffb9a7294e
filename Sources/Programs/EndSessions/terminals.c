/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "entralogin_end_sessions.h"
#include "entralogin_wire.h"

#define TERMINALS_MAX 64u
/* Major numbers from the kernel's devices.txt: virtual and serial terminals, and the eight for pseudo-terminals. */
#define CONSOLE_MAJOR 4u
#define FIRST_SERIAL 64u
#define PTS_MAJOR 136u
#define PTS_MAJORS 8u

static const char *const causes[] = {
    [ENTRALOGIN_END_ROLE] = "Azure gives you no login role on this machine any more",
    [ENTRALOGIN_END_RETIRED] = "the machine's administrator has retired your account",
    [ENTRALOGIN_END_REVOKED] = "the machine's administrator has revoked your key or certificate",
    [ENTRALOGIN_END_COMMAND] = "the machine's administrator ends them",
    [ENTRALOGIN_END_DISABLED] = "your account is disabled in Entra, or was deleted there",
};

struct search {
    uint32_t uid;
    unsigned count, numbers[TERMINALS_MAX];
};

static void find(int folder, const struct entralogin_process *p, void *context) {
    struct search *s = context;
    char text[1024];
    int terminal;
    if (!entralogin_is_of(p, s->uid) || s->count == TERMINALS_MAX ||
        entralogin_read_proc(folder, "stat", text, sizeof text) <= 0)
        return;
    /* pid (comm) state ppid pgrp session tty_nr; comm may contain any character. */
    const char *rest = strrchr(text, ')');
    if (rest == NULL || sscanf(rest + 1, " %*c %*d %*d %*d %d", &terminal) != 1 || terminal == 0)
        return;
    for (unsigned i = 0; i < s->count; i++) {
        if (s->numbers[i] == (unsigned)terminal)
            return;
    }
    s->numbers[s->count++] = (unsigned)terminal;
}

int entralogin_terminal_path(unsigned number, char *path, size_t capacity) {
    /* proc(5), tty_nr: the minor in bits 31-20 and 7-0, the major from bit 8. The manual's page says up to 15; the kernel's
       new_encode_dev writes twelve bits, up to 19. */
    unsigned major = number >> 8 & 0xfff, minor = (number & 0xff) | (number >> 12 & 0xfff00);
    if (major >= PTS_MAJOR && major < PTS_MAJOR + PTS_MAJORS)
        snprintf(path, capacity, "/dev/pts/%u", ((major - PTS_MAJOR) << 20) + minor);
    else if (major == CONSOLE_MAJOR && minor > 0 && minor < FIRST_SERIAL)
        snprintf(path, capacity, "/dev/tty%u", minor);
    else if (major == CONSOLE_MAJOR && minor >= FIRST_SERIAL)
        snprintf(path, capacity, "/dev/ttyS%u", minor - FIRST_SERIAL);
    else
        return 0;
    return 1;
}

/* Writes nothing to a terminal that is stopped (^S) or that its owner has closed to the group. */
static int tell(unsigned number, uint32_t uid, const char *text, size_t length) {
    char path[32];
    struct stat s;
    if (!entralogin_terminal_path(number, path, sizeof path))
        return 0;
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return 0;
    int reached = fstat(fd, &s) == 0 && S_ISCHR(s.st_mode) && s.st_uid == uid && write(fd, text, length) > 0;
    close(fd);
    return reached;
}

unsigned entralogin_tell_terminals(uint32_t uid, uint16_t cause) {
    struct search s = {.uid = uid};
    char text[256];
    unsigned reached = 0;
    if (entralogin_each_process(find, &s) != 0 || cause >= sizeof causes / sizeof *causes || causes[cause] == NULL)
        return 0;
    int length =
        snprintf(text, sizeof text, "\r\n\aentralogin: your sessions on this machine end now: %s.\r\n", causes[cause]);
    for (unsigned i = 0; i < s.count; i++)
        reached += (unsigned)tell(s.numbers[i], uid, text, (size_t)length);
    return reached;
}
