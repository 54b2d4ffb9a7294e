/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pam_private.h"

#include <stddef.h>

static const int breaking[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

int entralogin_hold_signals(sigset_t *ret_before) {
    sigset_t signals;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof breaking / sizeof *breaking; i++)
        sigaddset(&signals, breaking[i]);
    return sigprocmask(SIG_BLOCK, &signals, ret_before);
}

void entralogin_release_signals(const sigset_t *before) {
    sigprocmask(SIG_SETMASK, before, NULL);
}

int entralogin_is_given_up(void) {
    sigset_t pending;
    int is = 0;
    if (sigpending(&pending) != 0)
        return 0;
    for (size_t i = 0; i < sizeof breaking / sizeof *breaking; i++)
        is |= sigismember(&pending, breaking[i]) == 1;
    return is;
}
