/* SPDX-License-Identifier: Apache-2.0 */
/* The messages that the daemon, or an attacker with its rights, sends to audit-events for the kernel. */
#include "fuzz.h"

#include <string.h>

#include "entralogin_audit_events.h"
#include "entralogin_wire.h"

const char fuzz_subject[] = "audit events";

static int is_known(uint16_t type) {
    return type == 1100 || type == 1101 || type == 1102 || type == 1106;
}

/* How often `word` occurs in the text. */
static unsigned count(const char *text, const char *word) {
    unsigned n = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        n++;
    return n;
}

void fuzz_input(const unsigned char *bytes, size_t size) {
    static struct entralogin_audit_text told;
    /* A copy of exactly that size, so that the sanitizer detects a read of the first byte beyond. */
    unsigned char *message = malloc(size != 0 ? size : 1);
    if (message == NULL)
        abort();
    memcpy(message, bytes, size);
    if (entralogin_audit_text_of(message, size, &told) == 0) {
        unsigned quotes = 0;
        check(told.length < sizeof told.text && strlen(told.text) == told.length, "the text ends where it says");
        check(is_known(told.type), "the type is of the table");
        for (size_t i = 0; i < told.length; i++) {
            char c = told.text[i];
            check(c >= ' ' && c <= '~' && c != '\'', "every byte is printable, and none is the kernel's quote");
            quotes += c == '"';
        }
        check(quotes % 2 == 0, "each quoted value ends");
        check(count(told.text, " res=") == 1 && count(told.text, " acct=") == 1 && count(told.text, " exe=") == 1 &&
                  strncmp(told.text, "op=", 3) == 0,
            "no field is there twice");
        check(count(told.text, "=") <= 13, "there are no fields but the known ones");
    }
    free(message);
}

size_t fuzz_sample(unsigned kind, const char **ret_name, unsigned char *bytes, size_t capacity) {
    static const char *const names[] = {"certificate", "account", "session", "granted", "withdrawn", "device-sign-in"};
    struct entralogin_writer w;
    if (kind >= sizeof names / sizeof *names)
        return 0;
    *ret_name = names[kind];
    entralogin_begin(&w, bytes, capacity, ENTRALOGIN_AUDIT_EVENT);
    entralogin_put_u16(&w, (uint16_t)(kind + 1));
    entralogin_put_u16(&w, kind >= 2);
    entralogin_put_string(&w, kind == 1 ? "x\" res=success" : "alice@contoso.com");
    entralogin_put_string(&w, "0f8fad5b-d9cb-469f-a165-70867728950e");
    entralogin_put_string(&w, kind < 3 ? "sshd" : kind == 5 ? "sudo" : "");
    entralogin_put_string(&w, kind < 2 ? "role-not-assigned" : "");
    entralogin_put_string(&w, kind == 3 || kind == 4 ? "entra_admins" : "");
    entralogin_put_string(&w, "5cb92239-5d79-4e80-9dfb-7e43428e48d6");
    return entralogin_finish(&w);
}
