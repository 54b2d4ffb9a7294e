/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pam_private.h"

#include <string.h>

int entralogin_read_verdict(
    const void *frame, size_t size, uint16_t opcode, const char **ret_text, size_t *ret_length) {
    struct entralogin_reader r;
    int status = entralogin_open_reply(&r, frame, size, opcode);
    *ret_text = status == (int)ENTRALOGIN_STATUS_VERSION ? ENTRALOGIN_OTHER_VERSION : ENTRALOGIN_UNDECIDED;
    *ret_length = strlen(*ret_text);
    if (status != (int)ENTRALOGIN_STATUS_OK)
        return ENTRALOGIN_VERDICT_UNDECIDABLE;
    size_t length;
    unsigned verdict = entralogin_get_u16(&r);
    const char *text = entralogin_get_string(&r, &length);
    if (!entralogin_consumed(&r) || verdict > ENTRALOGIN_VERDICT_UNDECIDABLE)
        return ENTRALOGIN_VERDICT_UNDECIDABLE;
    if (length == 0 && verdict != ENTRALOGIN_VERDICT_UNDECIDABLE) {
        text = verdict == ENTRALOGIN_VERDICT_DENY ? ENTRALOGIN_REFUSED : "";
        length = strlen(text);
    }
    if (length > 0 || verdict != ENTRALOGIN_VERDICT_UNDECIDABLE) {
        *ret_text = text;
        *ret_length = length;
    }
    return (int)verdict;
}

void entralogin_question(const struct entralogin_pam_operations *operations, const void *request, size_t size,
    uint16_t opcode, uint64_t deadline, struct entralogin_answer *ret) {
    ret->text = ENTRALOGIN_SILENT_DAEMON;
    ret->length = strlen(ret->text);
    ret->verdict = ENTRALOGIN_VERDICT_UNDECIDABLE;
    long answer =
        size == 0 ? 0
                  : entralogin_exchange(&operations->daemon, request, size, ret->frame, sizeof ret->frame, deadline);
    ret->size = answer > 0 ? (size_t)answer : 0;
    if (ret->size > 0)
        ret->verdict = entralogin_read_verdict(ret->frame, ret->size, opcode, &ret->text, &ret->length);
}
