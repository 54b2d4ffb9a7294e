/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pam-probe SERVICE: runs one account stage of SERVICE through libpam, for a name that no account has. Root's
 * integration check runs it; it signs nobody in. It prints, a line each, what libpam did:
 *
 *     mark reached | arguments | none    what pam_entralogin.so left in this transaction (entralogin_pam.h)
 *     result NUMBER                      what pam_acct_mgmt(3) returned
 *     module PATH                        each PAM module that libpam has loaded, as it calls it
 *
 * Exit status: 0 printed; 1 libpam cannot begin, or the output failed; 64 usage. libpam loads every module of the
 * service, and a module may hang: so this is a separate process, which the kernel ends after a few seconds.
 */
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "entralogin_pam.h"

/* The check looks at three services, twice, within the minute that its unit has. */
#define SECONDS 5

/* Answers no prompt: a module that asks something gets an error. */
static int say_nothing(int count, const struct pam_message **messages, struct pam_response **ret, void *context) {
    (void)context;
    for (int i = 0; i < count; i++) {
        if (messages[i]->msg_style == PAM_PROMPT_ECHO_ON || messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
            return PAM_CONV_ERR;
    }
    *ret = calloc(count > 0 ? (size_t)count : 1, sizeof **ret);
    return *ret == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

/* Modules are the objects that lie in a folder and are called pam_*.so. */
static int name_module(struct dl_phdr_info *object, size_t size, void *context) {
    (void)size, (void)context;
    const char *slash = object->dlpi_name == NULL ? NULL : strrchr(object->dlpi_name, '/');
    size_t length = slash == NULL ? 0 : strlen(slash + 1);
    if (length > strlen("pam_.so") && strncmp(slash + 1, "pam_", 4) == 0 && strcmp(slash + 1 + length - 3, ".so") == 0)
        printf("module %s\n", object->dlpi_name);
    return 0;
}

int main(int argc, char **argv) {
    static const struct pam_conv conversation = {.conv = say_nothing};
    pam_handle_t *pamh = NULL;
    if (argc != 2)
        return 64;
    alarm(SECONDS);
    if (pam_start(argv[1], ENTRALOGIN_PROBE_USER, &conversation, &pamh) != PAM_SUCCESS)
        return 1;
    /* As for a connection from this machine: modules that check the client's host then need no name lookup. */
    pam_set_item(pamh, PAM_TTY, "ssh");
    pam_set_item(pamh, PAM_RHOST, "127.0.0.1");
    pam_set_item(pamh, PAM_RUSER, "root");
    int result = pam_acct_mgmt(pamh, PAM_SILENT);
    const char *mark = pam_getenv(pamh, ENTRALOGIN_PROBE_MARK);
    printf("mark %s\nresult %d\n", mark == NULL ? "none" : mark, result);
    dl_iterate_phdr(name_module, NULL);
    int said = fflush(stdout) == 0;
    pam_end(pamh, result | PAM_DATA_SILENT);
    return said ? 0 : 1;
}
