/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pam_private.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "entralogin_name.h"

#define REQUEST_MAX 4096u
#define REPLY_MAX 4096u
#define PAUSE_MS 1000   /* between two polls at least, whatever the daemon does */
#define REMARK_MS 30000 /* between two progress messages to the user */
#define GROUPS_MAX 1024

#define DATA_NAME "entralogin_device"
#define LATE "entralogin: sign-in refused: the code was not used in time"
/* Besides the wire's verdicts: the user does not want to wait any longer. */
#define GIVEN_UP (-1)

/*
 * Marks in the PAM handle: the user signed in here, or proved their identity to sudo, whose sessions this module does
 * not handle. Only the addresses matter.
 */
static char signed_in[] = "signed in", proved[] = "proved";

static const void *kept_mark(const struct entralogin_pam_operations *operations, pam_handle_t *pamh) {
    const void *data = NULL;
    return operations->kept(pamh, DATA_NAME, &data) == PAM_SUCCESS ? data : NULL;
}

int entralogin_signed_in(const struct entralogin_pam_operations *operations, pam_handle_t *pamh) {
    return kept_mark(operations, pamh) == signed_in;
}

int entralogin_forgets_code(const struct entralogin_pam_operations *operations, pam_handle_t *pamh) {
    return kept_mark(operations, pamh) == NULL || operations->keep(pamh, DATA_NAME, NULL, NULL) == PAM_SUCCESS;
}

int entralogin_pam_setcred(const struct entralogin_pam_operations *operations, pam_handle_t *pamh) {
    const void *mark = kept_mark(operations, pamh);
    return mark == signed_in || mark == proved ? PAM_SUCCESS : PAM_IGNORE;
}

void entralogin_read_progress(const void *frame, size_t size, uint16_t opcode, struct entralogin_progress *ret) {
    struct entralogin_reader r;
    int status = entralogin_open_reply(&r, frame, size, opcode);
    const char *fallback = status == (int)ENTRALOGIN_STATUS_VERSION ? ENTRALOGIN_OTHER_VERSION : ENTRALOGIN_UNDECIDED;
    *ret = (struct entralogin_progress){
        .verdict = ENTRALOGIN_VERDICT_UNDECIDABLE, .text = fallback, .text_length = strlen(fallback)};
    if (status != (int)ENTRALOGIN_STATUS_OK)
        return;
    size_t text_length, handle_length;
    unsigned verdict = entralogin_get_u16(&r);
    const char *text = entralogin_get_string(&r, &text_length);
    const char *handle = entralogin_get_string(&r, &handle_length);
    uint32_t seconds = entralogin_get_u32(&r);
    int pending = verdict == ENTRALOGIN_PROGRESS_PENDING;
    if (!entralogin_consumed(&r) || verdict > ENTRALOGIN_PROGRESS_PENDING || handle_length > ENTRALOGIN_HANDLE_MAX ||
        pending != (handle_length > 0) || pending != (seconds > 0))
        return;
    if (text_length > 0 || verdict != ENTRALOGIN_VERDICT_UNDECIDABLE) {
        ret->text = text;
        ret->text_length = text_length;
    }
    if (text_length == 0 && verdict == ENTRALOGIN_VERDICT_DENY) {
        ret->text = ENTRALOGIN_REFUSED;
        ret->text_length = strlen(ENTRALOGIN_REFUSED);
    }
    memcpy(ret->handle, handle, handle_length);
    ret->seconds = seconds < ENTRALOGIN_DEVICE_SECONDS_MAX ? seconds : ENTRALOGIN_DEVICE_SECONDS_MAX;
    ret->verdict = (int)verdict;
}

static void ask(const struct entralogin_pam_operations *operations, uint16_t opcode, struct entralogin_writer *w,
    unsigned char *reply, struct entralogin_progress *ret) {
    size_t size = entralogin_finish(w);
    uint64_t deadline = entralogin_deadline(ENTRALOGIN_PAM_DEADLINE_MS);
    long answer = size == 0 ? 0 : entralogin_exchange(&operations->daemon, w->bytes, size, reply, REPLY_MAX, deadline);
    if (answer > 0)
        entralogin_read_progress(reply, (size_t)answer, opcode, ret);
    else
        *ret = (struct entralogin_progress){.verdict = ENTRALOGIN_VERDICT_UNDECIDABLE,
            .text = ENTRALOGIN_SILENT_DAEMON,
            .text_length = strlen(ENTRALOGIN_SILENT_DAEMON)};
}

static void begin(const struct entralogin_pam_operations *operations, pam_handle_t *pamh,
    const struct entralogin_person *person, unsigned char *reply, struct entralogin_progress *ret) {
    unsigned char request[REQUEST_MAX];
    struct entralogin_writer w;
    entralogin_begin(&w, request, sizeof request, ENTRALOGIN_BEGIN_DEVICE);
    entralogin_put_string(&w, entralogin_item(pamh, PAM_SERVICE));
    entralogin_put_string(&w, entralogin_item(pamh, PAM_USER));
    entralogin_put_u32(&w, person->uid);
    entralogin_put_string(&w, person->home);
    entralogin_put_u16(&w, entralogin_process_flags(pamh));
    entralogin_put_string(&w, entralogin_item(pamh, PAM_TTY));
    entralogin_put_string(&w, entralogin_item(pamh, PAM_RHOST));
    entralogin_put_u32(&w, operations->real_uid());
    ask(operations, ENTRALOGIN_BEGIN_DEVICE, &w, reply, ret);
}

static void sleep_until(uint64_t moment) {
    uint64_t now = entralogin_now();
    if (now == 0 || now >= moment)
        return;
    struct timespec rest = {
        .tv_sec = (time_t)((moment - now) / 1000000000u), .tv_nsec = (long)((moment - now) % 1000000000u)};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
}

/* Polls until the sign-in has ended. One deadline for all polls: the seconds of the daemon's first answer. */
static void await(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags,
    unsigned char *reply, struct entralogin_progress *progress) {
    char handle[ENTRALOGIN_HANDLE_MAX + 1], remark[64];
    uint64_t end = entralogin_deadline((int)progress->seconds * 1000 + ENTRALOGIN_DEVICE_WAIT_MS);
    uint64_t next_remark = entralogin_deadline(REMARK_MS);
    memcpy(handle, progress->handle, sizeof handle);
    while (progress->verdict == ENTRALOGIN_PROGRESS_PENDING) {
        unsigned char request[ENTRALOGIN_FRAME_HEADER + 2 + ENTRALOGIN_HANDLE_MAX];
        struct entralogin_writer w;
        uint64_t now = entralogin_now(), pause = entralogin_deadline(PAUSE_MS);
        if (now == 0 || now >= end) {
            *progress = (struct entralogin_progress){
                .verdict = ENTRALOGIN_VERDICT_DENY, .text = LATE, .text_length = strlen(LATE)};
            return;
        }
        if (entralogin_is_given_up()) {
            *progress = (struct entralogin_progress){.verdict = GIVEN_UP, .text = ""};
            return;
        }
        if (now >= next_remark) {
            int length = snprintf(remark, sizeof remark, "Still waiting: %u s are left.", progress->seconds);
            entralogin_inform(pamh, flags, remark, length > 0 ? (size_t)length : 0);
            next_remark = entralogin_deadline(REMARK_MS);
        }
        entralogin_begin(&w, request, sizeof request, ENTRALOGIN_AWAIT_DEVICE);
        entralogin_put_string(&w, handle);
        ask(operations, ENTRALOGIN_AWAIT_DEVICE, &w, reply, progress);
        if (progress->verdict == ENTRALOGIN_PROGRESS_PENDING)
            sleep_until(pause);
    }
}

int entralogin_by_code(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags,
    const struct entralogin_person *person, enum entralogin_code_use use) {
    unsigned char reply[REPLY_MAX];
    struct entralogin_progress progress;
    begin(operations, pamh, person, reply, &progress);
    if (progress.verdict == ENTRALOGIN_PROGRESS_PENDING) {
        entralogin_inform(pamh, flags, progress.text, progress.text_length);
        await(operations, pamh, flags, reply, &progress);
    }
    entralogin_speak(pamh, flags, progress.text, progress.text_length);
    switch (progress.verdict) {
    case ENTRALOGIN_VERDICT_ALLOW:
        return operations->keep(pamh, DATA_NAME, use == ENTRALOGIN_CODE_SIGNS_IN ? signed_in : proved, NULL) ==
                       PAM_SUCCESS
                   ? PAM_SUCCESS
                   : PAM_AUTHINFO_UNAVAIL;
    case ENTRALOGIN_VERDICT_IGNORE:
        return PAM_IGNORE;
    case ENTRALOGIN_VERDICT_DENY:
        return PAM_AUTH_ERR;
    case GIVEN_UP:
        return PAM_ABORT;
    default:
        return PAM_AUTHINFO_UNAVAIL;
    }
}

void entralogin_join_administrators(const char *user, uint32_t gid) {
    gid_t named[GROUPS_MAX], held[GROUPS_MAX];
    int count = GROUPS_MAX, is_named = 0, n = getgroups(GROUPS_MAX - 1, held);
    if (n < 0 || getgrouplist(user, gid, named, &count) < 0)
        return;
    for (int i = 0; i < count; i++)
        is_named |= named[i] == ENTRALOGIN_ADMINS_GID;
    for (int i = 0; i < n; i++)
        is_named &= held[i] != ENTRALOGIN_ADMINS_GID;
    if (!is_named)
        return;
    held[n] = ENTRALOGIN_ADMINS_GID;
    /* If it fails, the session has no more rights than before. */
    if (setgroups((size_t)n + 1, held) != 0)
        return;
}
