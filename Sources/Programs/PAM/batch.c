/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pam_private.h"

#include <sys/stat.h>
#include <time.h>

/* The last question is asked when a thirtieth of the time is left: the daemon answers it at once. */
#define LAST_PART 30
/* Pauses double up to this multiple of the first: a user may have given at(1) a thousand jobs. */
#define LONGEST_PAUSE 4
#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

int entralogin_is_batch(pam_handle_t *pamh, const struct entralogin_invoker *invoker) {
    unsigned kinds = entralogin_service_kinds(entralogin_item(pamh, PAM_SERVICE));
    return (kinds & ENTRALOGIN_SERVICE_BATCH) != 0 && !invoker->is_entra && !entralogin_in_sshd(pamh);
}

int entralogin_is_pending(const void *frame, size_t size) {
    struct entralogin_reader r;
    size_t length;
    if (entralogin_open_reply(&r, frame, size, ENTRALOGIN_AUTHORIZE) != (int)ENTRALOGIN_STATUS_OK)
        return 0;
    unsigned verdict = entralogin_get_u16(&r);
    entralogin_get_string(&r, &length);
    return entralogin_consumed(&r) && verdict == ENTRALOGIN_VERDICT_PENDING;
}

/* Whether Azure has answered since boot. The file is the daemon's, and nothing in it is read. */
static int has_answered(const struct entralogin_pam_operations *operations) {
    struct stat s;
    return lstat(operations->answered, &s) == 0;
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* A signal may end it early: then the question is repeated sooner. */
static void pause_until(uint64_t moment) {
    const struct timespec t = {.tv_sec = (time_t)(moment / NS_PER_S), .tv_nsec = (long)(moment % NS_PER_S)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

void entralogin_ask_about_job(const struct entralogin_pam_operations *operations, struct entralogin_frame waiting,
    struct entralogin_frame final, struct entralogin_answer *ret) {
    const struct entralogin_batch_times *times = &operations->batch_ms;
    uint64_t deadline = entralogin_deadline(times->deadline);
    uint64_t last = deadline - (uint64_t)times->deadline * NS_PER_MS / LAST_PART;
    uint64_t usual = entralogin_deadline(times->silence);
    uint64_t pause = (uint64_t)times->pause * NS_PER_MS, longest = pause * LONGEST_PAUSE;
    for (int is_last = waiting.size == 0 || final.size == 0;;) {
        uint64_t now = entralogin_now();
        is_last |= now == 0 || now >= last;
        const struct entralogin_frame *request = is_last ? &final : &waiting;
        uint64_t by = earlier(entralogin_deadline(times->silence), deadline);
        entralogin_question(operations, request->bytes, request->size, ENTRALOGIN_AUTHORIZE, by, ret);
        if (is_last || (ret->size > 0 && !entralogin_is_pending(ret->frame, ret->size)))
            return;
        if (ret->size == 0 && entralogin_now() >= usual && has_answered(operations))
            return;
        pause_until(earlier(entralogin_now() + pause, last));
        pause = earlier(pause * 2, longest);
    }
}
