/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PAM client of any name: `pam NAME SERVICE USER FILES [NAME=VALUE]... STAGE...` asks the machine's PAM about USER as
 * a process that calls itself NAME, with FILES more descriptors open than it needs and with that PAM environment, in
 * the stages `account`, `open` and `close`. Prints its process id, then a line for each stage: the stage, PAM's result,
 * and the message for the user. Ends after the first stage that fails.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <security/pam_appl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static char told[4096];

static int listen_only(int count, const struct pam_message **messages, struct pam_response **ret, void *context) {
    (void)context;
    for (int i = 0; i < count; i++) {
        strncat(told, " ", sizeof told - strlen(told) - 1);
        strncat(told, messages[i]->msg, sizeof told - strlen(told) - 1);
    }
    *ret = calloc((size_t)count, sizeof **ret);
    return *ret ? PAM_SUCCESS : PAM_BUF_ERR;
}

static int ask(pam_handle_t *pam, const char *stage) {
    int result = PAM_SYSTEM_ERR;
    told[0] = '\0';
    if (strcmp(stage, "account") == 0)
        result = pam_acct_mgmt(pam, 0);
    else if (strcmp(stage, "open") == 0)
        result = pam_open_session(pam, 0);
    else if (strcmp(stage, "close") == 0)
        result = pam_close_session(pam, 0);
    told[strcspn(told, "\n")] = '\0';
    printf("%s %d%s\n", stage, result, told);
    return result;
}

int main(int argc, char **argv) {
    struct pam_conv conversation = {.conv = listen_only};
    pam_handle_t *pam;
    int result = PAM_SUCCESS;
    if (argc < 6)
        return 64;
    prctl(PR_SET_NAME, argv[1], 0, 0, 0);
    printf("%d\n", (int)getpid());
    for (long i = strtol(argv[4], NULL, 10); i > 0; i--) {
        if (open("/dev/null", O_RDONLY) < 0)
            return 71;
    }
    if (pam_start(argv[2], argv[3], &conversation, &pam) != PAM_SUCCESS)
        return 71;
    for (int i = 5; i < argc && result == PAM_SUCCESS; i++)
        result = strchr(argv[i], '=') ? pam_putenv(pam, argv[i]) : ask(pam, argv[i]);
    pam_end(pam, result);
    return result == PAM_SUCCESS ? 0 : 1;
}
