/* SPDX-License-Identifier: Apache-2.0 */
#include "pam_private.h"

#include <stdlib.h>
#include <string.h>

/* Copies the text with a blank for every control character of ASCII and, in UTF-8, of Latin-1 (U+0080 to U+009F). */
static void clean(char *line, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i], next = i + 1 < length ? (unsigned char)text[i + 1] : 0;
        int long_control = c == 0xc2 && next >= 0x80 && next < 0xa0;
        line[i] = c < 0x20 || c == 0x7f || long_control ? ' ' : text[i];
        if (long_control)
            line[++i] = ' ';
    }
    line[length] = '\0';
}

void entralogin_speak(pam_handle_t *pamh, int flags, const char *text, size_t length) {
    char line[ENTRALOGIN_TEXT_MAX + 1];
    const void *item = NULL;
    if ((flags & PAM_SILENT) != 0 || length == 0 || pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS || item == NULL)
        return;
    const struct pam_conv *conversation = item;
    if (conversation->conv == NULL)
        return;
    clean(line, text, length < ENTRALOGIN_TEXT_MAX ? length : ENTRALOGIN_TEXT_MAX);
    const struct pam_message message = {.msg_style = PAM_ERROR_MSG, .msg = line}, *messages = &message;
    struct pam_response *response = NULL;
    conversation->conv(1, &messages, &response, conversation->appdata_ptr);
    if (response != NULL) {
        free(response->resp);
        free(response);
    }
}

void entralogin_say(pam_handle_t *pamh, int flags, const char *text) {
    entralogin_speak(pamh, flags, text, strlen(text));
}
