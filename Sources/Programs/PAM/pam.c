/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pam_private.h"

#include <string.h>
#include <unistd.h>

#include "entralogin_mapped.h"
#include "entralogin_snapshot.h"

#define ENTRALOGIN_ENTRY_POINT __attribute__((visibility("default")))
#define CLOSE_DEADLINE_MS 1000
#define ACCOUNT_REQUEST_MAX 4096u
#define SESSION_REQUEST_MAX (ENTRALOGIN_AUTH_INFO_MAX + ACCOUNT_REQUEST_MAX)
#define REPLY_MAX 4096u

#define LOWER_CASE "entralogin: sign-in refused: write the user name in lower-case letters"
#define BORROWED "entralogin: refused: this program has the group of Entra administrators, and none of them runs it"
#define NO_ROOM \
    "entralogin: the disk is full, so this session has no home directory: ask this machine's administrator to make room, " \
    "and sign in again"
#define FOREIGN_RIGHT \
    "entralogin: refused: sudo here goes by the group of Entra administrators, and another name service has that group; " \
    "ask this machine's administrator"
#define LONG_CREDENTIAL "entralogin: sign-in refused: the credential is too long"

/* Asks the daemon, shows its text to the user, and returns its verdict. */
static int ask(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags, uint16_t opcode,
    struct entralogin_writer *w) {
    struct entralogin_answer answer;
    size_t size = entralogin_finish(w);
    entralogin_question(operations, w->bytes, size, opcode, entralogin_deadline(ENTRALOGIN_PAM_DEADLINE_MS), &answer);
    entralogin_speak(pamh, flags, answer.text, answer.length);
    return answer.verdict;
}

static int result_of(int verdict, int denied, int undecided) {
    switch (verdict) {
    case ENTRALOGIN_VERDICT_ALLOW:
        return PAM_SUCCESS;
    case ENTRALOGIN_VERDICT_IGNORE:
        return PAM_IGNORE;
    case ENTRALOGIN_VERDICT_DENY:
        return denied;
    default:
        return undecided;
    }
}

/*
 * A mapped account is never treated as a local account: if the daemon, which reads the same files, does not know it as
 * an Entra account, the user is refused.
 */
static int insist(pam_handle_t *pamh, int flags, int verdict, int is_mapped) {
    if (!is_mapped || verdict != ENTRALOGIN_VERDICT_IGNORE)
        return verdict;
    entralogin_say(pamh, flags, ENTRALOGIN_MAPPED_OTHERWISE);
    return ENTRALOGIN_VERDICT_DENY;
}

/* Tells the integration check that libpam called this stage. The stage goes on as for any user, even if that fails. */
static void mark_probe(
    const struct entralogin_pam_operations *operations, pam_handle_t *pamh, const char *user, int argc) {
    const char *mark =
        operations->short_names ? ENTRALOGIN_PROBE_MARK "=short_names" : ENTRALOGIN_PROBE_MARK "=reached";
    if (strcmp(user, ENTRALOGIN_PROBE_USER) == 0)
        pam_putenv(pamh, argc == 0 ? mark : ENTRALOGIN_PROBE_MARK "=arguments");
}

static void put_account(struct entralogin_writer *w, pam_handle_t *pamh, const struct entralogin_person *person,
    const struct entralogin_invoker *invoker, uint16_t process_flags) {
    entralogin_put_string(w, entralogin_item(pamh, PAM_SERVICE));
    entralogin_put_string(w, entralogin_item(pamh, PAM_USER));
    entralogin_put_u32(w, person->uid);
    entralogin_put_string(w, person->home);
    entralogin_put_string(w, invoker->name);
    entralogin_put_u32(w, invoker->uid);
    entralogin_put_u16(w, process_flags);
    entralogin_put_string(w, entralogin_item(pamh, PAM_TTY));
    entralogin_put_string(w, entralogin_item(pamh, PAM_RHOST));
}

/* The daemon's verdict about the account; its text has been shown to the user. */
static int decide(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags,
    const struct entralogin_person *person, const struct entralogin_invoker *invoker) {
    unsigned char request[ACCOUNT_REQUEST_MAX], waiting[ACCOUNT_REQUEST_MAX];
    struct entralogin_writer w, waits;
    struct entralogin_answer answer;
    uint16_t process_flags = entralogin_process_flags(pamh);
    if (person->standing == ENTRALOGIN_SHORT_NAME_TAKEN)
        process_flags |= ENTRALOGIN_PAM_NAME_TAKEN;
    entralogin_begin(&w, request, sizeof request, ENTRALOGIN_AUTHORIZE);
    put_account(&w, pamh, person, invoker, process_flags);
    if (!entralogin_is_batch(pamh, invoker))
        return ask(operations, pamh, flags, ENTRALOGIN_AUTHORIZE, &w);
    entralogin_begin(&waits, waiting, sizeof waiting, ENTRALOGIN_AUTHORIZE);
    put_account(&waits, pamh, person, invoker, process_flags | ENTRALOGIN_PAM_WAITS);
    size_t size = entralogin_finish(&waits);
    entralogin_ask_about_job(operations, (struct entralogin_frame){waiting, size},
        (struct entralogin_frame){request, entralogin_finish(&w)}, &answer);
    entralogin_speak(pamh, flags, answer.text, answer.length);
    return answer.verdict;
}

/* In sshd the daemon is told, and a new account then does without that name; no answer of the daemon lets the user in. */
static int refuse_taken_name(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags,
    const struct entralogin_person *person, const struct entralogin_invoker *invoker) {
    if (!entralogin_in_sshd(pamh) || decide(operations, pamh, flags, person, invoker) != ENTRALOGIN_VERDICT_DENY)
        entralogin_say(pamh, flags, ENTRALOGIN_NAME_TAKEN);
    return PAM_PERM_DENIED;
}

int entralogin_pam_account(
    const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags, int argc) {
    struct entralogin_person person;
    struct entralogin_invoker invoker;
    const char *user = entralogin_item(pamh, PAM_USER);
    mark_probe(operations, pamh, user, argc);
    entralogin_find_invoker(operations, pamh, &invoker);
    /* The same user, as in sudo: another look-up with the same result costs more than the rest of this function. */
    if (strcmp(user, invoker.name) == 0 && invoker.person.standing == ENTRALOGIN_ENTRA)
        person = invoker.person;
    else
        entralogin_find_person(operations, user, invoker.is_entra, &person);
    if (person.standing == ENTRALOGIN_FOREIGN && !invoker.is_entra) {
        int borrows = entralogin_borrows_group(operations, invoker.name);
        if (!borrows && !entralogin_has_foreign_right(operations, pamh, invoker.name))
            return PAM_IGNORE;
        entralogin_say(pamh, flags, borrows ? BORROWED : FOREIGN_RIGHT);
        return PAM_PERM_DENIED;
    }
    if (argc != 0) {
        entralogin_say(pamh, flags, ENTRALOGIN_ARGUMENTS);
        return PAM_SERVICE_ERR;
    }
    if (person.standing == ENTRALOGIN_MISMATCH || invoker.is_mismatch) {
        entralogin_say(pamh, flags, ENTRALOGIN_MAPPED_OTHERWISE);
        return PAM_PERM_DENIED;
    }
    if (person.standing == ENTRALOGIN_UNKNOWN)
        return PAM_USER_UNKNOWN;
    if (person.standing == ENTRALOGIN_MISSPELT) {
        entralogin_say(pamh, flags, LOWER_CASE);
        return PAM_PERM_DENIED;
    }
    if (person.standing == ENTRALOGIN_SHORT_NAME_TAKEN)
        return refuse_taken_name(operations, pamh, flags, &person, &invoker);
    if (person.standing == ENTRALOGIN_ENTRA && strcmp(user, person.name) != 0 &&
        pam_set_item(pamh, PAM_USER, person.name) != PAM_SUCCESS)
        return PAM_SERVICE_ERR;
    int verdict = decide(operations, pamh, flags, &person, &invoker);
    verdict = insist(pamh, flags, verdict, person.is_mapped || invoker.is_mapped);
    return result_of(verdict, PAM_PERM_DENIED, PAM_AUTHINFO_UNAVAIL);
}

/* True if pam_mkhomedir, after this module, is to make the home. A home that was begun and never finished is absent. */
static int put_session(struct entralogin_writer *w, const struct entralogin_pam_operations *operations,
    pam_handle_t *pamh, const struct entralogin_person *person, const char *credential) {
    uint32_t owner, root = operations->daemon.root;
    uint16_t state = entralogin_home_state(person->home, root, &owner);
    int is_roots = state == ENTRALOGIN_HOME_FOLDER && owner == root;
    if (is_roots && entralogin_is_unfinished_home(person->home, ENTRALOGIN_SKELETON, root, person->uid))
        state = ENTRALOGIN_HOME_ABSENT, owner = ENTRALOGIN_NO_ID;
    if (state == ENTRALOGIN_HOME_STRANGE) {
        uint32_t exposed = entralogin_home_exposure(person->home, root);
        owner = exposed == 0 ? ENTRALOGIN_NO_ID : exposed;
    }
    entralogin_put_string(w, entralogin_item(pamh, PAM_SERVICE));
    entralogin_put_string(w, entralogin_item(pamh, PAM_USER));
    entralogin_put_u32(w, person->uid);
    entralogin_put_u32(w, person->gid);
    entralogin_put_string(w, person->home);
    entralogin_put_u16(w, state);
    entralogin_put_u32(w, owner);
    entralogin_put_string(w, credential);
    entralogin_put_string(w, entralogin_item(pamh, PAM_RHOST));
    return state == ENTRALOGIN_HOME_ABSENT;
}

/* Clears the way for pam_mkhomedir; if there is no room, tells the user why the session has no home. */
static void clear_way(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags,
    const struct entralogin_person *person) {
    entralogin_remove_unfinished_home(person->home, ENTRALOGIN_SKELETON, operations->daemon.root, person->uid);
    if (!entralogin_has_room_beside(person->home))
        entralogin_inform(pamh, flags, NO_ROOM, strlen(NO_ROOM));
}

/*
 * Whether the daemon has no say in this session. It has a say if another directory's user came with a certificate: that
 * may be an Entra certificate for the same name, which the account stage did not know of (P4).
 */
static int is_no_concern(const struct entralogin_person *person, const char *credential) {
    int certified = strstr(credential, "-cert-v01@openssh.com ") != NULL;
    return person->standing == ENTRALOGIN_FOREIGN && !(person->is_anothers && certified);
}

/* Why an Entra user's session is refused without asking the daemon, or NULL. */
static const char *obstacle(enum entralogin_standing standing, int argc, const char *credential) {
    if (argc != 0)
        return ENTRALOGIN_ARGUMENTS;
    if (standing == ENTRALOGIN_MISSPELT)
        return LOWER_CASE;
    if (standing == ENTRALOGIN_MISMATCH)
        return ENTRALOGIN_MAPPED_OTHERWISE;
    if (standing == ENTRALOGIN_SHORT_NAME_TAKEN)
        return ENTRALOGIN_NAME_TAKEN;
    if (standing != ENTRALOGIN_ENTRA && standing != ENTRALOGIN_FOREIGN)
        return ENTRALOGIN_REFUSED;
    return strlen(credential) > ENTRALOGIN_AUTH_INFO_MAX ? LONG_CREDENTIAL : NULL;
}

int entralogin_pam_open_session(
    const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags, int argc) {
    unsigned char request[SESSION_REQUEST_MAX];
    struct entralogin_writer w;
    struct entralogin_person person;
    int by_code = !entralogin_in_sshd(pamh);
    if (by_code && !entralogin_signed_in(operations, pamh))
        return PAM_IGNORE;
    entralogin_find_person(operations, entralogin_item(pamh, PAM_USER), 0, &person);
    const char *credential = pam_getenv(pamh, "SSH_AUTH_INFO_0");
    if (credential == NULL)
        credential = "";
    if (is_no_concern(&person, credential))
        return PAM_IGNORE;
    const char *reason = obstacle(person.standing, argc, credential);
    if (reason != NULL) {
        entralogin_say(pamh, flags, reason);
        return PAM_SESSION_ERR;
    }
    entralogin_begin(&w, request, sizeof request, ENTRALOGIN_OPEN_SESSION);
    int is_homeless = put_session(&w, operations, pamh, &person, credential);
    int verdict = insist(pamh, flags, ask(operations, pamh, flags, ENTRALOGIN_OPEN_SESSION, &w), person.is_mapped);
    int result = result_of(verdict, PAM_SESSION_ERR, PAM_SESSION_ERR);
    if (is_homeless && result == PAM_SUCCESS)
        clear_way(operations, pamh, flags, &person);
    if (by_code && result == PAM_SUCCESS)
        entralogin_join_administrators(entralogin_item(pamh, PAM_USER), person.gid);
    return result;
}

int entralogin_pam_close_session(const struct entralogin_pam_operations *operations, pam_handle_t *pamh) {
    unsigned char frame[REPLY_MAX];
    struct entralogin_writer w;
    struct entralogin_reader r;
    struct entralogin_person person;
    const char *user = entralogin_item(pamh, PAM_USER);
    if (!entralogin_in_sshd(pamh) && !entralogin_signed_in(operations, pamh))
        return PAM_IGNORE;
    entralogin_find_person(operations, user, 0, &person);
    if (person.standing != ENTRALOGIN_ENTRA)
        return PAM_IGNORE;
    entralogin_begin(&w, frame, sizeof frame, ENTRALOGIN_CLOSE_SESSION);
    entralogin_put_string(&w, user);
    entralogin_put_u32(&w, person.uid);
    size_t size = entralogin_finish(&w);
    uint64_t deadline = entralogin_deadline(CLOSE_DEADLINE_MS);
    long answer = size == 0 ? 0 : entralogin_exchange(&operations->daemon, frame, size, frame, sizeof frame, deadline);
    int closed = answer > 0 && entralogin_open_reply(&r, frame, (size_t)answer, ENTRALOGIN_CLOSE_SESSION) ==
                                   (int)ENTRALOGIN_STATUS_OK;
    return closed && entralogin_consumed(&r) ? PAM_SUCCESS : PAM_IGNORE;
}

/* --- What libpam calls --- */

static const struct entralogin_pam_operations real_world = {
    .daemon = {.path = ENTRALOGIN_CONTROL_SOCKET, .root = 0},
    .login_uid = "/proc/self/loginuid",
    .mapped = ENTRALOGIN_MAPPED_LIST,
    .accounts = ENTRALOGIN_ACCOUNTS_SNAPSHOT,
    .answered = ENTRALOGIN_ANSWERED,
    .sudo_rules = ENTRALOGIN_SUDO_RULES,
    .batch_ms = {ENTRALOGIN_BATCH_DEADLINE_MS, ENTRALOGIN_PAM_DEADLINE_MS, ENTRALOGIN_BATCH_PAUSE_MS},
    .look_up = getpwnam_r,
    .look_up_number = getpwuid_r,
    .look_up_group = getgrnam_r,
    .list_groups = getgrouplist,
    .real_uid = getuid,
    .keep = pam_set_data,
    .kept = pam_get_data,
};

/* The real operations, as the line's arguments change them; *argc becomes 0 if all arguments are known. */
static struct entralogin_pam_operations take_arguments(int *argc, const char **argv) {
    struct entralogin_pam_operations operations = real_world;
    if (*argc == 1 && strcmp(argv[0], ENTRALOGIN_SHORT_NAMES_ARGUMENT) == 0) {
        operations.short_names = 1;
        *argc = 0;
    }
    return operations;
}

ENTRALOGIN_ENTRY_POINT int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    struct entralogin_pam_operations operations = take_arguments(&argc, argv);
    return entralogin_pam_account(&operations, pamh, flags, argc);
}

ENTRALOGIN_ENTRY_POINT int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    struct entralogin_pam_operations operations = take_arguments(&argc, argv);
    return entralogin_pam_open_session(&operations, pamh, flags, argc);
}

ENTRALOGIN_ENTRY_POINT int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    struct entralogin_pam_operations operations = take_arguments(&argc, argv);
    (void)flags;
    return entralogin_pam_close_session(&operations, pamh);
}

ENTRALOGIN_ENTRY_POINT int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    struct entralogin_pam_operations operations = take_arguments(&argc, argv);
    return entralogin_pam_authenticate(&operations, pamh, flags, argc);
}

/* The same result as the auth stage's: libpam runs both in one chain. */
ENTRALOGIN_ENTRY_POINT int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    (void)flags, (void)argc, (void)argv;
    return entralogin_pam_setcred(&real_world, pamh);
}

ENTRALOGIN_ENTRY_POINT int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    (void)pamh, (void)flags, (void)argc, (void)argv;
    return PAM_IGNORE;
}
