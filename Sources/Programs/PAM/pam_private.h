/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENTRALOGIN_PAM_PRIVATE_H
#define ENTRALOGIN_PAM_PRIVATE_H

#include <signal.h>

#include "entralogin_home.h"
#include "entralogin_name.h"
#include "entralogin_pam.h"
#include "entralogin_service.h"
#include "entralogin_wire.h"

/* --- ask.c --- */

/*
 * The verdict of a reply, undecidable for every frame that is not a reply, and what to tell the user (may be empty).
 * The text borrows from the frame.
 */
int entralogin_read_verdict(const void *frame, size_t size, uint16_t opcode, const char **ret_text, size_t *ret_length);

#define ENTRALOGIN_SILENT_DAEMON \
    "entralogin: sign-in cannot be decided now: the service entralogind does not answer; " \
    "ask this machine's administrator"
#define ENTRALOGIN_OTHER_VERSION \
    "entralogin: sign-in cannot be decided now: the service entralogind is of another version than this module; " \
    "ask this machine's administrator to restart it"
#define ENTRALOGIN_UNDECIDED "entralogin: sign-in cannot be decided now; ask this machine's administrator"
#define ENTRALOGIN_REFUSED "entralogin: sign-in refused"
#define ENTRALOGIN_MAPPED_OTHERWISE \
    "entralogin: sign-in refused: this machine's files contradict each other about this account; " \
    "ask this machine's administrator"
#define ENTRALOGIN_NAME_TAKEN \
    "entralogin: sign-in refused: another user of this machine has your short name; ask this machine's administrator"
#define ENTRALOGIN_ARGUMENTS \
    "entralogin: sign-in refused: pam_entralogin.so has an argument that it does not know; ask this machine's administrator"

struct entralogin_person;
struct entralogin_invoker;

/* The daemon's answer to one question. The text borrows from the frame. */
struct entralogin_answer {
    size_t size; /* of the frame; 0 if there was no reply: then the verdict is undecidable */
    int verdict;
    const char *text;
    size_t length;
    unsigned char frame[4096];
};
void entralogin_question(const struct entralogin_pam_operations *operations, const void *request, size_t size,
    uint16_t opcode, uint64_t deadline, struct entralogin_answer *ret);

/* --- batch.c --- */

/*
 * Whether the account stage is for a job: the service is cron, atd, or systemd for a user manager, and no Entra account
 * runs the program. The daemon decides by the same list (ServicePolicy.swift).
 */
int entralogin_is_batch(pam_handle_t *pamh, const struct entralogin_invoker *invoker);
/* True for the reply ENTRALOGIN_VERDICT_PENDING to the account stage, and for nothing else. */
int entralogin_is_pending(const void *frame, size_t size);
/*
 * The answer about a job. While the daemon says that it has none yet, the question `waiting` is repeated; the last
 * question is `final`. While the daemon does not answer, `waiting` is repeated too: for ENTRALOGIN_PAM_DEADLINE_MS, or
 * until the end if Azure has not answered since boot. One absolute deadline covers all of it.
 */
struct entralogin_frame {
    const void *bytes;
    size_t size;
};
void entralogin_ask_about_job(const struct entralogin_pam_operations *operations, struct entralogin_frame waiting,
    struct entralogin_frame final, struct entralogin_answer *ret);

/* --- device.c --- */

/* The daemon's reply about a sign-in with a code. Texts borrow from the frame. */
struct entralogin_progress {
    int verdict; /* or ENTRALOGIN_PROGRESS_PENDING; undecidable for every frame that is no such reply */
    const char *text;
    size_t text_length;
    char handle[ENTRALOGIN_HANDLE_MAX + 1];
    uint32_t seconds;
};
void entralogin_read_progress(const void *frame, size_t size, uint16_t opcode, struct entralogin_progress *ret);

/* Whether the user signed in with a code through this handle. A step-up in sudo does not count. */
int entralogin_signed_in(const struct entralogin_pam_operations *operations, pam_handle_t *pamh);
/* Drops what an earlier code proved; false if the handle still keeps it. */
int entralogin_forgets_code(const struct entralogin_pam_operations *operations, pam_handle_t *pamh);
/* What a code is for. A step-up proves who the user is, and opens no session. */
enum entralogin_code_use { ENTRALOGIN_CODE_SIGNS_IN, ENTRALOGIN_CODE_STEPS_UP };
/*
 * Asks for a code, shows it, waits for the outcome, and returns the auth stage's result. After PAM_SUCCESS the handle
 * keeps `use`. PAM_ABORT if entralogin_is_given_up.
 */
int entralogin_by_code(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags,
    const struct entralogin_person *person, enum entralogin_code_use use);

/* Adds the administrators' group to this process if NSS says that the user is in it by now. Outside sshd, a process gets its
   groups before the session is opened, when nothing has been granted yet. */
void entralogin_join_administrators(const char *user, uint32_t gid);

/* --- sudo.c --- */

int entralogin_in_sudo(pam_handle_t *pamh);
/*
 * In sudo the user who runs it proves who they are, whichever user they want to become. PAM_IGNORE if that is no Entra
 * user; an Entra user has no other way than the code, unless the daemon says that step-up is off. PAM_CRED_INSUFFICIENT
 * and PAM_ABORT end sudo at once; after other errors it asks again.
 */
int entralogin_step_up(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags, int argc);

/* --- interrupt.c --- */

/* Blocks the signals that interrupt a program; 0, or -1 with errno. `ret_before` gets those that were blocked before. */
int entralogin_hold_signals(sigset_t *ret_before);
void entralogin_release_signals(const sigset_t *before);
/* Whether one of these signals is pending: possible only while they are blocked, as in a step-up. */
int entralogin_is_given_up(void);

/* --- person.c --- */

enum entralogin_standing {
    ENTRALOGIN_FOREIGN, /* no Entra account: a name of another shape, or another account's uid */
    ENTRALOGIN_ENTRA,
    ENTRALOGIN_MISSPELT,         /* an Entra account, spelled differently from the record */
    ENTRALOGIN_UNKNOWN,          /* a name of that shape that no account has */
    ENTRALOGIN_SHORT_NAME_TAKEN, /* an Entra account whose short name leads to another user by now */
    ENTRALOGIN_MISMATCH, /* a local record that was mapped, but root's list says otherwise by now, or cannot be trusted */
};

struct entralogin_person {
    enum entralogin_standing standing;
    int is_mapped;     /* the record is in the local files */
    int is_anothers;   /* FOREIGN, with a uid of the id range: another directory's user */
    uint32_t uid, gid; /* ENTRALOGIN_NO_ID if there is no record; uid ENTRALOGIN_ANOTHERS_ID if is_anothers */
    char home[ENTRALOGIN_HOME_MAX + 1];
    char name[ENTRALOGIN_NAME_MAX + 1]; /* the name in an Entra account's record; else empty */
};

/*
 * A name that cannot be an Entra account's is not looked up, unless `foreigners_too`. If short names are on, any user's
 * name may be one, and is looked up.
 */
void entralogin_find_person(const struct entralogin_pam_operations *operations, const char *name, int foreigners_too,
    struct entralogin_person *ret);

/* Whether the caller can cause this error by a resource limit; any other error of a name service is an outage of its own. */
int entralogin_is_shortage(int error);

/* The user who wants another user's rights (sudo, su, polkit). */
struct entralogin_invoker {
    int is_entra, is_mapped, is_mismatch;
    const char *name;                /* PAM_RUSER, or empty */
    struct entralogin_person person; /* the user of that name */
    uint32_t uid;                    /* ENTRALOGIN_NO_ID if it is not an Entra account's */
};
void entralogin_find_invoker(
    const struct entralogin_pam_operations *operations, pam_handle_t *pamh, struct entralogin_invoker *ret);

/* Whether this process has the administrators' gid: 1 or 0; -1 if it has too many groups to check. */
int entralogin_holds_administrators_group(void);
/* ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP and ENTRALOGIN_PAM_IN_SSHD, as they apply to this process. */
uint16_t entralogin_process_flags(pam_handle_t *pamh);
/*
 * True if a user who is neither root nor an Entra user has the administrators' gid: only Entra accounts get it, so a
 * setgid program lends it, or the account was an Entra account when its session began. sudo, which is root by then,
 * goes by that gid (sudoers(5)) and would make its user root; so a caller whose `name` has an Entra account's shape
 * counts as such a user. False if the process has too many groups to check, as users of another directory may: this
 * module has no say about them (P8).
 */
int entralogin_borrows_group(const struct entralogin_pam_operations *operations, const char *name);
int entralogin_in_sshd(pam_handle_t *pamh);

/* A PAM item that is a text; empty if it is not set. */
const char *entralogin_item(pam_handle_t *pamh, int item);

/* --- rule.c --- */

/*
 * True if sudo is sudo-rs, its rule goes by a group, and the name services count `name`, who runs sudo and is no Entra
 * account, among that group's members: another service has the group's name or its number (P7). Also true if an error
 * that the caller can cause by a resource limit leaves this open. Reads only configure's file if that is for another
 * sudo.
 */
int entralogin_has_foreign_right(
    const struct entralogin_pam_operations *operations, pam_handle_t *pamh, const char *name);

/* --- number.c: numbers that two accounts may have --- */

/* Bytes for a record of passwd(5). Entra accounts' records have at most 1 KiB; a record that does not fit is not found. */
#define ENTRALOGIN_PASSWD_MAX 16384

/*
 * True if a number of the id range is another directory's user's: the published accounts are readable and do not have
 * it, and the name services know it (as `name`, unless that is NULL). entralogin's module answers for a number from
 * that file alone, so the answer is another service's. In doubt false: for an Entra account that is published, retired
 * or cannot be looked up, and for a holder of the administrators' group, whatever limits or groups the caller has set.
 */
int entralogin_is_anothers(const struct entralogin_pam_operations *operations, uint32_t uid, const char *name);
/* Whether an Entra account of that name is published; true if that is unknown. */
int entralogin_is_published(const struct entralogin_pam_operations *operations, const char *name);
/*
 * True if a number in root's list of mapped accounts is a local user's by now: a record with another name and without
 * the mark has it, and the record of the `listed` name does not.
 */
int entralogin_is_given_away(const struct entralogin_pam_operations *operations, uint32_t uid, const char *listed);

/* --- speak.c --- */

/* Whether messages can be shown to the user. */
int entralogin_can_speak(pam_handle_t *pamh, int flags);
/* Asks without showing what is typed: 1 if the answer is an empty line, 0 if it is not, -1 if there is no answer. */
int entralogin_presses_enter(pam_handle_t *pamh, int flags, const char *question);

/* Shows one line to the user, bounded and without control characters; nothing if the application wants silence. */
void entralogin_speak(pam_handle_t *pamh, int flags, const char *text, size_t length);
/* The same for a message that is not a refusal. */
void entralogin_inform(pam_handle_t *pamh, int flags, const char *text, size_t length);
void entralogin_say(pam_handle_t *pamh, int flags, const char *text);

#endif
