/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "nss_private.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "entralogin_wire.h"

/* How long a process does not ask a daemon that did not answer in time. */
#define BREAKER_MS 2000
#define COMMAND_SIZE 16 /* prctl(2): at most 16 bytes with the NUL */

/* The time until which the daemon is not asked. Shared by all threads; a child process inherits it. */
static uint64_t breaker;

void entralogin_nss_close_breaker(void) {
    __atomic_store_n(&breaker, 0, __ATOMIC_RELAXED);
}

/*
 * Only root asks (the socket is root's). A set-user-ID program that another user started (sudo, su) does not ask: its
 * caller chooses its command name. PID 1 does not ask: it must never wait.
 */
static int may_ask(uint32_t root) {
    return geteuid() == root && getpid() != 1;
}

/* The same, as far as it costs no system call. */
static int was_started_by(uint32_t root) {
    return getauxval(AT_UID) == root;
}

/* Any user may have a short name: outside sshd the daemon is not asked about one. */
static int is_sshds(const char *command) {
    return strncmp(command, "sshd", 4) == 0;
}

static struct entralogin_text get_text(struct entralogin_reader *r) {
    struct entralogin_text text;
    text.bytes = entralogin_get_string(r, &text.length);
    return text;
}

int entralogin_nss_read_reply(const char *name, const void *frame, size_t size, struct entralogin_record *ret) {
    struct entralogin_reader r;
    int status = entralogin_open_reply(&r, frame, size, ENTRALOGIN_LOOK_UP_NAME);
    if (status == ENTRALOGIN_STATUS_NOT_FOUND)
        return ENTRALOGIN_ABSENT;
    if (status != ENTRALOGIN_STATUS_OK)
        return ENTRALOGIN_UNREADABLE;
    ret->uid = entralogin_get_u32(&r);
    ret->gid = entralogin_get_u32(&r);
    ret->name = get_text(&r);
    ret->gecos = get_text(&r);
    ret->home = get_text(&r);
    ret->shell = get_text(&r);
    size_t length = strlen(name);
    if (!entralogin_consumed(&r) || !entralogin_record_is_sound(ret))
        return ENTRALOGIN_UNREADABLE;
    int is_same = ret->name.length == length && memcmp(ret->name.bytes, name, length) == 0;
    return is_same || entralogin_name_is_short_of(ret->name.bytes, ret->name.length, name, length)
               ? ENTRALOGIN_FOUND
               : ENTRALOGIN_UNREADABLE;
}

int entralogin_nss_ask(const struct entralogin_sources *sources, const char *name, void *space, size_t capacity,
    struct entralogin_record *ret) {
    unsigned char request[ENTRALOGIN_FRAME_HEADER + 2 + ENTRALOGIN_NAME_MAX + 2 + COMMAND_SIZE];
    char command[COMMAND_SIZE + 1] = "";
    struct entralogin_writer w;
    if (!was_started_by(sources->daemon.root))
        return ENTRALOGIN_ABSENT;
    prctl(PR_GET_NAME, command, 0, 0, 0);
    if (!is_sshds(command) && entralogin_name_is_short(name, strlen(name)))
        return ENTRALOGIN_ABSENT;
    if (!may_ask(sources->daemon.root))
        return ENTRALOGIN_ABSENT;
    if (entralogin_now() < __atomic_load_n(&breaker, __ATOMIC_RELAXED))
        return ENTRALOGIN_UNREADABLE;
    entralogin_begin(&w, request, sizeof request, ENTRALOGIN_LOOK_UP_NAME);
    entralogin_put_string(&w, name);
    entralogin_put_string(&w, command);
    size_t size = entralogin_finish(&w);
    if (size == 0)
        return ENTRALOGIN_UNREADABLE;
    uint64_t deadline = entralogin_deadline(ENTRALOGIN_NSS_DEADLINE_MS);
    long answer = entralogin_exchange(&sources->daemon, request, size, space, capacity, deadline);
    if (answer == -ETIMEDOUT)
        __atomic_store_n(&breaker, entralogin_deadline(BREAKER_MS), __ATOMIC_RELAXED);
    return answer > 0 ? entralogin_nss_read_reply(name, space, (size_t)answer, ret) : ENTRALOGIN_UNREADABLE;
}
