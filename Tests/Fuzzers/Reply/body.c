/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's replies, as the name service module, the PAM module and the helper read them. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <string.h>
#include <strings.h>

#include "entralogin_principals.h"
#include "entralogin_wire.h"
#include "nss_private.h"
#include "pam_private.h"

#define NAME "alice@contoso.com"

const char fuzz_subject[] = "replies";

static int lies_in(const unsigned char *frame, size_t size, struct entralogin_text text) {
    const unsigned char *at = (const unsigned char *)text.bytes;
    return at >= frame && at <= frame + size && text.length <= (size_t)(frame + size - at);
}

static void check_record(const unsigned char *frame, size_t size) {
    struct entralogin_record record;
    if (entralogin_nss_read_reply(NAME, frame, size, &record) != ENTRALOGIN_FOUND)
        return;
    check(record.name.length == strlen(NAME) && memcmp(record.name.bytes, NAME, strlen(NAME)) == 0, "it is the name");
    check(entralogin_uid_in_range(record.uid) && record.gid == record.uid, "ids are in the range and equal");
    check(lies_in(frame, size, record.name) && lies_in(frame, size, record.gecos) &&
              lies_in(frame, size, record.home) && lies_in(frame, size, record.shell),
        "strings lie in the frame");
    check(record.home.bytes[0] == '/' && record.shell.bytes[0] == '/', "paths are absolute");
    check(memchr(record.gecos.bytes, ':', record.gecos.length) == NULL, "no field ends early");
}

static void check_verdict(const unsigned char *frame, size_t size, uint16_t opcode) {
    const char *text = NULL;
    size_t length = 0, sum = 0;
    int verdict = entralogin_read_verdict(frame, size, opcode, &text, &length);
    check(verdict >= 0 && verdict <= (int)ENTRALOGIN_VERDICT_UNDECIDABLE, "a verdict is known");
    if (verdict == (int)ENTRALOGIN_VERDICT_ALLOW)
        check(size >= 18 && frame[12] == 0 && frame[13] == 0 && frame[14] == 0 && frame[15] == 0, "an allow was said");
    int is_pending = entralogin_is_pending(frame, size);
    check(!is_pending || (size >= 18 && frame[15] == ENTRALOGIN_VERDICT_PENDING), "not yet was said");
    check(!is_pending || verdict == (int)ENTRALOGIN_VERDICT_UNDECIDABLE, "not yet is no decision");
    for (size_t i = 0; i < length; i++)
        sum += (unsigned char)text[i];
    check(sum < SIZE_MAX && (verdict != (int)ENTRALOGIN_VERDICT_DENY || length > 0), "a refusal has a text");
}

void fuzz_input(const unsigned char *bytes, size_t size) {
    /* A copy of exactly that size, so that the sanitizer detects a read of the first byte beyond. */
    unsigned char *frame = malloc(size != 0 ? size : 1);
    if (frame == NULL)
        abort();
    memcpy(frame, bytes, size);
    check_record(frame, size);
    check_verdict(frame, size, ENTRALOGIN_AUTHORIZE);
    check_verdict(frame, size, ENTRALOGIN_OPEN_SESSION);
    size_t length;
    if (entralogin_principal_of(frame, size, NAME, &length) != NULL)
        check(length == strlen(NAME) && size == 16 + strlen(NAME) &&
                  strncasecmp((const char *)frame + 16, NAME, strlen(NAME)) == 0,
            "a principal is the user");
    free(frame);
}

size_t fuzz_sample(unsigned kind, const char **ret_name, unsigned char *bytes, size_t capacity) {
    static const char *const names[] = {"look-up-name", "authorize", "open-session", "check-certificate"};
    static const uint16_t opcodes[] = {
        ENTRALOGIN_LOOK_UP_NAME, ENTRALOGIN_AUTHORIZE, ENTRALOGIN_OPEN_SESSION, ENTRALOGIN_CHECK_CERTIFICATE};
    struct entralogin_writer w;
    if (kind >= sizeof opcodes / sizeof *opcodes)
        return 0;
    *ret_name = names[kind];
    entralogin_begin(&w, bytes, capacity, opcodes[kind] | ENTRALOGIN_REPLY);
    entralogin_put_u16(&w, ENTRALOGIN_STATUS_OK);
    if (kind == 0) {
        entralogin_put_u32(&w, ENTRALOGIN_UID_FIRST);
        entralogin_put_u32(&w, ENTRALOGIN_UID_FIRST);
        entralogin_put_string(&w, NAME);
        entralogin_put_string(&w, "Alice");
        entralogin_put_string(&w, "/home/" NAME);
        entralogin_put_string(&w, "/bin/bash");
    } else if (kind < 3) {
        entralogin_put_u16(&w, ENTRALOGIN_VERDICT_DENY);
        entralogin_put_string(&w, "Azure role not assigned");
    } else {
        entralogin_put_string(&w, NAME);
    }
    return entralogin_finish(&w);
}
