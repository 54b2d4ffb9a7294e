/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pam_private.h"

#include <stddef.h>

#define QUESTION "Microsoft Entra ID: press Enter to sign in with a code, or type anything for another way: "

int entralogin_pam_authenticate(
    const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags, int argc) {
    struct entralogin_person person;
    const char *user = NULL;
    if (!entralogin_forgets_code(operations, pamh))
        return PAM_AUTHINFO_UNAVAIL;
    if (entralogin_in_sudo(pamh))
        return entralogin_step_up(operations, pamh, flags, argc);
    if (!entralogin_can_speak(pamh, flags) || entralogin_in_sshd(pamh) || *entralogin_item(pamh, PAM_TTY) == '\0')
        return PAM_IGNORE;
    if (pam_get_user(pamh, &user, NULL) != PAM_SUCCESS || user == NULL)
        return PAM_IGNORE;
    entralogin_find_person(operations, user, 0, &person);
    if (person.standing != ENTRALOGIN_ENTRA)
        return PAM_IGNORE;
    if (argc != 0) {
        entralogin_say(pamh, flags, ENTRALOGIN_ARGUMENTS);
        return PAM_SERVICE_ERR;
    }
    if (entralogin_presses_enter(pamh, flags, QUESTION) != 1)
        return PAM_IGNORE;
    return entralogin_by_code(operations, pamh, flags, &person, ENTRALOGIN_CODE_SIGNS_IN);
}
