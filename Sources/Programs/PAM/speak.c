/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pam_private.h"

#include <stdlib.h>
#include <string.h>

static const struct pam_conv *conversation_of(pam_handle_t *pamh, int flags) {
    const void *item = NULL;
    if ((flags & PAM_SILENT) != 0 || pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS || item == NULL)
        return NULL;
    const struct pam_conv *conversation = item;
    return conversation->conv != NULL ? conversation : NULL;
}

/* Sends one message; returns the response, or NULL. */
static struct pam_response *converse(const struct pam_conv *conversation, int style, const char *text, size_t length) {
    char line[ENTRALOGIN_LINE_MAX + 1];
    entralogin_clean_line(line, text, length);
    const struct pam_message message = {.msg_style = style, .msg = line}, *messages = &message;
    struct pam_response *response = NULL;
    if (conversation->conv(1, &messages, &response, conversation->appdata_ptr) == PAM_SUCCESS)
        return response;
    return NULL;
}

static void dispose(struct pam_response *response) {
    if (response == NULL)
        return;
    if (response->resp != NULL) {
        explicit_bzero(response->resp, strlen(response->resp));
        free(response->resp);
    }
    free(response);
}

static void show(pam_handle_t *pamh, int flags, int style, const char *text, size_t length) {
    const struct pam_conv *conversation = conversation_of(pamh, flags);
    if (conversation != NULL && length > 0)
        dispose(converse(conversation, style, text, length));
}

void entralogin_speak(pam_handle_t *pamh, int flags, const char *text, size_t length) {
    show(pamh, flags, PAM_ERROR_MSG, text, length);
}

void entralogin_inform(pam_handle_t *pamh, int flags, const char *text, size_t length) {
    show(pamh, flags, PAM_TEXT_INFO, text, length);
}

int entralogin_can_speak(pam_handle_t *pamh, int flags) {
    return conversation_of(pamh, flags) != NULL;
}

int entralogin_presses_enter(pam_handle_t *pamh, int flags, const char *question) {
    const struct pam_conv *conversation = conversation_of(pamh, flags);
    if (conversation == NULL)
        return -1;
    struct pam_response *response = converse(conversation, PAM_PROMPT_ECHO_OFF, question, strlen(question));
    int enter = response == NULL || response->resp == NULL ? -1 : response->resp[0] == '\0';
    dispose(response);
    return enter;
}

void entralogin_say(pam_handle_t *pamh, int flags, const char *text) {
    entralogin_speak(pamh, flags, text, strlen(text));
}
