/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "entralogin_principals.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "entralogin_name.h"
#include "entralogin_wire.h"

#define ARGUMENTS 6
#define REQUEST_MAX (ENTRALOGIN_CERTIFICATE_MAX + 1024u)
#define REPLY_MAX 2048u
#define DIGITS_MAX 10u

/* Parses a decimal uid. ENTRALOGIN_NO_ID unless an Entra account can have it; the daemon knows whose it is. */
static uint32_t parse_uid(const char *text) {
    uint64_t number = 0;
    size_t length = strnlen(text, DIGITS_MAX + 1);
    if (length == 0 || length > DIGITS_MAX)
        return ENTRALOGIN_NO_ID;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return ENTRALOGIN_NO_ID;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    if (number >= ENTRALOGIN_NO_ID)
        return ENTRALOGIN_NO_ID;
    uint32_t uid = (uint32_t)number;
    return entralogin_uid_in_range(uid) || entralogin_uid_is_mappable(uid) ? uid : ENTRALOGIN_NO_ID;
}

/*
 * The reply's principal if it is the user's name, or the whole name that has it as its short name; otherwise NULL. The
 * certificate may spell it with capital letters (Alice@Contoso.com), and sshd compares every byte, so the certificate's
 * own spelling is printed. A principal that folds to a name of an Entra account's shape contains no blank and none of
 * , " # \ ;
 */
const char *entralogin_principal_of(const void *frame, size_t size, const char *user, size_t *ret_length) {
    struct entralogin_reader r;
    char folded[ENTRALOGIN_NAME_MAX];
    size_t length, user_length = strlen(user);
    if (entralogin_open_reply(&r, frame, size, ENTRALOGIN_CHECK_CERTIFICATE) != (int)ENTRALOGIN_STATUS_OK)
        return NULL;
    const char *principal = entralogin_get_string(&r, &length);
    if (!entralogin_consumed(&r) || length > sizeof folded)
        return NULL;
    for (size_t i = 0; i < length; i++)
        folded[i] = (char)(principal[i] >= 'A' && principal[i] <= 'Z' ? principal[i] + ('a' - 'A') : principal[i]);
    int is_same = length == user_length && memcmp(folded, user, length) == 0;
    *ret_length = length;
    return is_same || entralogin_name_is_short_of(user, user_length, folded, length) ? principal : NULL;
}

/* A single write: sshd would read a partly written line too, and that is no user's principal. */
static void print_line(int output, const char *principal, size_t length) {
    char line[ENTRALOGIN_NAME_MAX + 1];
    memcpy(line, principal, length);
    line[length] = '\n';
    ssize_t n;
    do
        n = write(output, line, length + 1);
    while (n < 0 && errno == EINTR);
}

/* A short name, which any user may have, can be an Entra account's only if sshd's record has a uid of the id range. */
static int can_be_entra(const char *user, uint32_t uid) {
    size_t length = strnlen(user, ENTRALOGIN_NAME_MAX + 1);
    return uid != ENTRALOGIN_NO_ID && (entralogin_name_is_valid(user, length) ||
                                          (entralogin_uid_in_range(uid) && entralogin_name_is_short(user, length)));
}

int entralogin_print_principal(const struct entralogin_server *daemon, int argc, char *const *argv, int output) {
    unsigned char request[REQUEST_MAX], reply[REPLY_MAX];
    struct entralogin_writer w;
    if (argc != ARGUMENTS)
        return ENTRALOGIN_PRINCIPALS_USAGE;
    const char *user = argv[1];
    uint32_t uid = parse_uid(argv[2]);
    pid_t parent = getppid();
    if (!can_be_entra(user, uid))
        return 0;
    entralogin_begin(&w, request, sizeof request, ENTRALOGIN_CHECK_CERTIFICATE);
    entralogin_put_string(&w, user);
    entralogin_put_u32(&w, uid);
    entralogin_put_string(&w, argv[3]);
    entralogin_put_string(&w, argv[4]);
    entralogin_put_string(&w, argv[5]);
    entralogin_put_u32(&w, (uint32_t)parent);
    size_t size = entralogin_finish(&w);
    if (size == 0)
        return 0;
    uint64_t deadline = entralogin_deadline(ENTRALOGIN_PRINCIPALS_DEADLINE_MS);
    long answer = entralogin_exchange(daemon, request, size, reply, sizeof reply, deadline);
    size_t length;
    /* The answer is void if this process was orphaned: the sshd process named in the request is gone. */
    const char *principal = answer > 0 ? entralogin_principal_of(reply, (size_t)answer, user, &length) : NULL;
    if (principal != NULL && getppid() == parent)
        print_line(output, principal, length);
    return 0;
}
