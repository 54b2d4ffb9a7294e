/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pam_private.h"

#include <string.h>

#define QUESTION "Microsoft Entra ID: press Enter to get a code for sudo: "
#define OTHER_PERSON \
    "entralogin: refused: sudo asks about another user than you (targetpw, rootpw or runaspw in sudoers), and a code can " \
    "only prove who you are; ask this machine's administrator"
#define NO_TERMINAL "entralogin: refused: sudo asks for a code here, and there is no terminal to show it on"
/* The user has run sudo's file under another name. */
#define LIKE_SSHD "entralogin: refused: this sudo calls itself sshd"
#define NO_PASSWORD "entralogin: refused: you have no password here; press Enter alone to get a code"

int entralogin_in_sudo(pam_handle_t *pamh) {
    return (entralogin_service_kinds(entralogin_item(pamh, PAM_SERVICE)) & ENTRALOGIN_SERVICE_STEPS_UP) != 0;
}

/* sudo keeps signals for later while it authenticates (its handlers only note them), so the user could not interrupt the
   wait. Blocked here, the signals can be checked for, and sudo gets them afterwards. */
static int prove(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags,
    const struct entralogin_person *person) {
    sigset_t before;
    if (entralogin_hold_signals(&before) != 0)
        return PAM_AUTHINFO_UNAVAIL;
    int result = entralogin_by_code(operations, pamh, flags, person, ENTRALOGIN_CODE_STEPS_UP);
    entralogin_release_signals(&before);
    return result;
}

int entralogin_step_up(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags, int argc) {
    struct entralogin_invoker invoker;
    struct entralogin_person person;
    entralogin_find_invoker(operations, pamh, &invoker);
    if (!invoker.is_entra)
        return PAM_IGNORE;
    /* sudo asks every module for silence (sudoers(5), pam_silent), but shows their messages all the same. */
    flags &= ~PAM_SILENT;
    if (argc != 0) {
        entralogin_say(pamh, flags, ENTRALOGIN_ARGUMENTS);
        return PAM_SERVICE_ERR;
    }
    entralogin_find_person(operations, entralogin_item(pamh, PAM_USER), 0, &person);
    const char *obstacle = NULL;
    if (entralogin_in_sshd(pamh))
        obstacle = LIKE_SSHD;
    else if (person.standing == ENTRALOGIN_MISMATCH || invoker.is_mismatch)
        obstacle = ENTRALOGIN_MAPPED_OTHERWISE;
    else if (person.standing != ENTRALOGIN_ENTRA || person.uid != invoker.uid)
        obstacle = OTHER_PERSON;
    else if (*entralogin_item(pamh, PAM_TTY) == '\0')
        obstacle = NO_TERMINAL;
    if (obstacle != NULL) {
        entralogin_say(pamh, flags, obstacle);
        return PAM_CRED_INSUFFICIENT;
    }
    switch (entralogin_presses_enter(pamh, flags, QUESTION)) {
    case 1:
        return prove(operations, pamh, flags, &person);
    case 0:
        entralogin_say(pamh, flags, NO_PASSWORD);
        return PAM_AUTH_ERR;
    default:
        return PAM_AUTH_ERR;
    }
}
