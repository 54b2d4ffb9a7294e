/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "entralogin_end_sessions.h"

/* In milliseconds. Only where this program gets no processor time does it take longer than their sum. */
#define NOTICE_MS 200 /* for sshd to carry the sentence to the client */
#define STOP_MS 500   /* to stop them all first */
#define KILL_MS 3000
#define OTHERS_MS 1000 /* after the last one has ended: sshd's own process of the connection goes by itself */
#define PAUSE_MS 2     /* between two passes, for signals to take effect on a single processor */
/*
 * Empty passes in a row that count as the end: a process that forks and exits at once may slip past one pass, or two.
 */
#define EMPTY_STOP_PASSES 2
#define EMPTY_KILL_PASSES 8

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void pause_ms(long milliseconds) {
    const struct timespec t = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    nanosleep(&t, NULL);
}

struct pass {
    const struct entralogin_account *account;
    int signal; /* 0: count only */
    uint32_t found;
};

static void signal_one(int folder, const struct entralogin_process *p, void *context) {
    struct pass *pass = context;
    if (!entralogin_is_accounts(folder, p, pass->account) || !entralogin_is_alive(p) || p->pid <= 1)
        return;
    if (pass->signal == SIGSTOP && p->state == 'T')
        return;
    pass->found++;
    if (pass->signal != 0)
        (void)syscall(SYS_pidfd_send_signal, folder, pass->signal, NULL, 0);
}

/* Signals every process of the account. *ret_found: how many there were; for SIGSTOP, without those stopped already. */
static int signal_all(const struct entralogin_account *account, int signal, uint32_t *ret_found) {
    struct pass pass = {.account = account, .signal = signal};
    int result = entralogin_each_process(signal_one, &pass);
    *ret_found = pass.found;
    return result;
}

/* Repeats the signal until that many passes in a row find none, or for `limit_ms`. Returns what the last pass found. */
static uint32_t signal_until_none(const struct entralogin_account *account, int signal, int passes, int64_t limit_ms) {
    int64_t began = now_ms();
    uint32_t found;
    int empty = 0;
    do {
        if (signal_all(account, signal, &found) != 0)
            break;
        empty = found == 0 ? empty + 1 : 0;
        pause_ms(PAUSE_MS);
    } while (empty < passes && now_ms() - began < limit_ms);
    return found;
}

/*
 * Stops all processes first: a forking process then cannot replace those that are killed, and a stopped one still
 * counts against the limits of processes. Then kills, until a pass finds none.
 */
int entralogin_end_account(const struct entralogin_account *account, uint16_t cause, struct entralogin_ended *ret) {
    uint32_t found, before;
    memset(ret, 0, sizeof *ret);
    int result = signal_all(account, 0, &found);
    if (result != 0)
        return result;
    if (found > 0 && entralogin_tell_terminals(account->uid, cause) > 0)
        pause_ms(NOTICE_MS);
    signal_until_none(account, SIGSTOP, EMPTY_STOP_PASSES, STOP_MS);
    signal_all(account, 0, &before);
    entralogin_find_others(account, ret);
    ret->left = found = signal_until_none(account, SIGKILL, EMPTY_KILL_PASSES, KILL_MS);
    ret->ended = before > found ? before - found : 0;
    int64_t began = now_ms();
    for (entralogin_keep_living(ret); ret->others_count > 0 && now_ms() - began < OTHERS_MS;
        entralogin_keep_living(ret))
        pause_ms(20);
    return 0;
}
