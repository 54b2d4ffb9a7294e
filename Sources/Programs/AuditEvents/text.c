/* SPDX-License-Identifier: Apache-2.0 */
#include "entralogin_audit_events.h"

#include <errno.h>
#include <string.h>

#include "entralogin_wire.h"

/*
 * Types as libaudit.h numbers them; the kernel lets CAP_AUDIT_WRITE send 1100-1199 and 2100-2999. Names of fields are
 * those of the audit project's field dictionary, except for service and correlation, which it lacks.
 */
#define USER_AUTH 1100u /* authentication */
#define USER_ACCT 1101u /* authorization */
#define USER_END 1106u  /* the end of a session */
#define USER_MGMT 1102u /* a change of a user's account: here, of its groups */

static const struct kind {
    uint16_t event, type;
    const char *operation;
} kinds[] = {
    {ENTRALOGIN_AUDIT_CERTIFICATE, USER_AUTH, "entralogin:certificate"},
    {ENTRALOGIN_AUDIT_ACCOUNT, USER_ACCT, "entralogin:account"},
    {ENTRALOGIN_AUDIT_SESSION, USER_ACCT, "entralogin:session"},
    {ENTRALOGIN_AUDIT_GRANTED, USER_MGMT, "add-user-to-group"},
    {ENTRALOGIN_AUDIT_WITHDRAWN, USER_MGMT, "delete-user-from-group"},
    {ENTRALOGIN_AUDIT_DEVICE, USER_AUTH, "entralogin:device-sign-in"},
    {ENTRALOGIN_AUDIT_ENDED, USER_END, "entralogin:sessions-ended"},
};

static const struct kind *kind_of(uint16_t event) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].event == event)
            return &kinds[i];
    }
    return NULL;
}

/* The buffer holds the longest text there can be: see the assertion below. */
static void put(struct entralogin_audit_text *t, const char *bytes, size_t length) {
    memcpy(t->text + t->length, bytes, length);
    t->length += length;
}

static void put_text(struct entralogin_audit_text *t, const char *text) {
    put(t, text, strlen(text));
}

/* May stand between quotes as it is. Stricter than the rules for untrusted text, which let all but blanks, controls and
   the double quote pass: the kernel puts the whole text between single quotes. */
static int is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("@._+-/:#", c) != NULL);
}

/*
 * In the message's order. Readers decode the quotes or hexadecimal digits of a field that the dictionary calls encoded,
 * and take an alphanumeric one as it stands.
 */
static const struct field {
    const char *name;
    int is_encoded;
} fields[] = {
    {"acct", 1},
    {"uuid", 0},
    {"service", 0},
    {"reason", 0},
    {"grp", 1},
    {"correlation", 0},
};
enum { FIELDS = sizeof fields / sizeof *fields };

/*
 * ` name=value`; encoded: ` name="value"`, or ` name=HEX` if a byte is not plain. ` name=?` if empty or not writable.
 */
static void put_field(struct entralogin_audit_text *t, const struct field *field, const char *value, size_t length) {
    static const char digits[] = "0123456789ABCDEF";
    size_t plain = 0;
    put_text(t, " ");
    put_text(t, field->name);
    put_text(t, "=");
    while (plain < length && is_plain(value[plain]))
        plain++;
    if (length == 0 || (plain < length && !field->is_encoded)) {
        put_text(t, "?");
    } else if (plain == length) {
        put_text(t, field->is_encoded ? "\"" : "");
        put(t, value, length);
        put_text(t, field->is_encoded ? "\"" : "");
    } else {
        for (size_t i = 0; i < length; i++) {
            unsigned char byte = (unsigned char)value[i];
            put(t, &digits[byte >> 4], 1);
            put(t, &digits[byte & 15], 1);
        }
    }
}

int entralogin_audit_text_of(const void *message, size_t size, struct entralogin_audit_text *ret) {
    _Static_assert(FIELDS * (2 * ENTRALOGIN_AUDIT_FIELD_MAX + 16) + 256 <= ENTRALOGIN_AUDIT_TEXT_MAX, "text too short");
    struct entralogin_reader r = {.bytes = message, .size = size, .bad = size > ENTRALOGIN_AUDIT_MAX};
    uint32_t magic = entralogin_get_u32(&r);
    uint16_t version = entralogin_get_u16(&r), opcode = entralogin_get_u16(&r);
    uint32_t length = entralogin_get_u32(&r);
    if (r.bad || magic != ENTRALOGIN_MAGIC || version != ENTRALOGIN_VERSION || opcode != ENTRALOGIN_AUDIT_EVENT ||
        length != r.size - r.used)
        return -EBADMSG;
    const struct kind *kind = kind_of(entralogin_get_u16(&r));
    uint16_t result = entralogin_get_u16(&r);
    if (r.bad || kind == NULL || result > 1)
        return -EBADMSG;
    ret->type = kind->type;
    ret->length = 0;
    put_text(ret, "op=");
    put_text(ret, kind->operation);
    for (size_t i = 0; i < FIELDS; i++) {
        size_t bytes;
        const char *value = entralogin_get_string(&r, &bytes);
        if (r.bad || bytes > ENTRALOGIN_AUDIT_FIELD_MAX)
            return -EBADMSG;
        if (bytes > 0 || i == 0)
            put_field(ret, &fields[i], value, bytes);
    }
    if (!entralogin_consumed(&r))
        return -EBADMSG;
    put_text(ret, " exe=\"/usr/libexec/entralogin/audit-events\" hostname=? addr=? terminal=? res=");
    put_text(ret, result == 1 ? "success" : "failed");
    ret->text[ret->length] = '\0';
    return 0;
}
