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
 * The verdict of a reply, undecidable for every frame that is not one, and what to tell the person (may be empty). The
 * text borrows from the frame.
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

/* What the daemon answers to one question. The text borrows from the frame. */
struct entralogin_answer {
    size_t size; /* of the frame; 0 where nothing came back, and the verdict is undecidable */
    int verdict;
    const char *text;
    size_t length;
    unsigned char frame[4096];
};
void entralogin_question(const struct entralogin_pam_operations *operations, const void *request, size_t size,
    uint16_t opcode, uint64_t deadline, struct entralogin_answer *ret);

/* --- batch.c --- */

/*
 * Whether the account stage is of a job: cron, atd, or systemd for a user manager, and no Entra account runs the
 * program. The daemon decides by the same list (ServicePolicy.swift).
 */
int entralogin_is_batch(pam_handle_t *pamh, const struct entralogin_invoker *invoker);
/* True for the reply ENTRALOGIN_VERDICT_PENDING to the account stage, and for nothing else. */
int entralogin_is_pending(const void *frame, size_t size);
/*
 * The answer about a job. While the daemon says that it has none yet, the question `waiting` is repeated; the last one
 * is `final`. While nobody answers, it is repeated too: for ENTRALOGIN_PAM_DEADLINE_MS, or as long as the rest where
 * Azure has not answered since boot. One absolute deadline for all of it.
 */
struct entralogin_frame {
    const void *bytes;
    size_t size;
};
void entralogin_ask_about_job(const struct entralogin_pam_operations *operations, struct entralogin_frame waiting,
    struct entralogin_frame final, struct entralogin_answer *ret);

/* --- device.c --- */

/* What the daemon says of a sign-in with a code. Texts borrow from the frame. */
struct entralogin_progress {
    int verdict; /* or ENTRALOGIN_PROGRESS_PENDING; undecidable for every frame that is no such reply */
    const char *text;
    size_t text_length;
    char handle[ENTRALOGIN_HANDLE_MAX + 1];
    uint32_t seconds;
};
void entralogin_read_progress(const void *frame, size_t size, uint16_t opcode, struct entralogin_progress *ret);

/* Whether the person of this handle signed in with a code, through it. Not by a step-up of sudo. */
int entralogin_signed_in(const struct entralogin_pam_operations *operations, pam_handle_t *pamh);
/* False where the handle still keeps what an earlier code proved. */
int entralogin_forgets_code(const struct entralogin_pam_operations *operations, pam_handle_t *pamh);
/* What a code is asked for. A step-up proves who the user is, and opens no session. */
enum entralogin_code_use { ENTRALOGIN_CODE_SIGNS_IN, ENTRALOGIN_CODE_STEPS_UP };
/*
 * Asks for a code, shows it, and waits for what comes of it: what the auth stage returns. After a yes the handle keeps `use`.
 * PAM_ABORT where entralogin_is_given_up.
 */
int entralogin_by_code(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags,
    const struct entralogin_person *person, enum entralogin_code_use use);

/* The administrators' group in this process, where NSS says that the person has it by now. Elsewhere than in sshd groups are
   taken before the session is opened, when nobody has been granted anything. */
void entralogin_join_administrators(const char *user, uint32_t gid);

/* --- sudo.c --- */

int entralogin_in_sudo(pam_handle_t *pamh);
/*
 * sudo: whoever runs it proves who they are, whomever they want to be. Who is no Entra user is not concerned; for who is, there
 * is no other way than the code, unless the daemon says that step-up is off. PAM_CRED_INSUFFICIENT and PAM_ABORT end sudo at
 * once; after the others it asks again.
 */
int entralogin_step_up(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags, int argc);

/* --- interrupt.c --- */

/* Holds back the signals that break a program off; 0, or -1 with errno. The ones that were held before go to `ret_before`. */
int entralogin_hold_signals(sigset_t *ret_before);
void entralogin_release_signals(const sigset_t *before);
/* Whether one of these signals waits for the program: only where they are held, as in a step-up. */
int entralogin_is_given_up(void);

/* --- person.c --- */

enum entralogin_standing {
    ENTRALOGIN_FOREIGN, /* no Entra account: another shape, or another's uid */
    ENTRALOGIN_OURS,
    ENTRALOGIN_MISSPELT,         /* an Entra account in another spelling than the record's */
    ENTRALOGIN_UNKNOWN,          /* that shape, and nobody has the name */
    ENTRALOGIN_SHORT_NAME_TAKEN, /* an Entra account, whose short name leads to somebody else by now */
    ENTRALOGIN_MISMATCH, /* a local record that was mapped, but root's list says otherwise by now, or cannot be trusted */
};

struct entralogin_person {
    enum entralogin_standing standing;
    int is_mapped;     /* the record is the local files' */
    int is_anothers;   /* FOREIGN, with a number of the id range: another directory's user */
    uint32_t uid, gid; /* ENTRALOGIN_NO_ID where there is no record; uid ENTRALOGIN_ANOTHERS_ID where is_anothers */
    char home[ENTRALOGIN_HOME_MAX + 1];
    char name[ENTRALOGIN_NAME_MAX + 1]; /* the record's, of an Entra account; else empty */
};

/*
 * No look-up for a name that cannot be an Entra account's, unless `foreigners_too`. Where short names are on, any user's name
 * may be one, and is looked up.
 */
void entralogin_find_person(const struct entralogin_pam_operations *operations, const char *name, int foreigners_too,
    struct entralogin_person *ret);

/* What the caller can cause by a limit; anything else that a name service reports is an outage of its own. */
int entralogin_is_shortage(int error);

/* Who asks for another's rights (sudo, su, polkit). */
struct entralogin_invoker {
    int is_ours, is_mapped, is_mismatch;
    const char *name;                /* PAM_RUSER, or empty */
    struct entralogin_person person; /* whose name that is */
    uint32_t uid;                    /* ENTRALOGIN_NO_ID where it is no Entra account's */
};
void entralogin_find_invoker(
    const struct entralogin_pam_operations *operations, pam_handle_t *pamh, struct entralogin_invoker *ret);

/* Whether this process has the administrators' gid: 1 or 0; -1 where it has more groups than are looked at. */
int entralogin_holds_administrators_group(void);
/* ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP and ENTRALOGIN_PAM_IN_SSHD, as they are true of this process. */
uint16_t entralogin_process_flags(pam_handle_t *pamh);
/*
 * True where somebody who is neither root nor an Entra user has the administrators' gid: only Entra accounts get it, so a
 * setgid program lends it, or the account was an Entra account when its session began. sudo, which is root by then, goes by it
 * (sudoers(5)), and would make its user root: so a `name` of an Entra account's shape, who asks, counts as somebody. False
 * where the process has more groups than are looked at, as people of another directory may: this module has no say about them
 * (P8).
 */
int entralogin_borrows_group(const struct entralogin_pam_operations *operations, const char *name);
int entralogin_in_sshd(pam_handle_t *pamh);

/* A PAM item that is a text; empty where it is not set. */
const char *entralogin_item(pam_handle_t *pamh, int item);

/* --- rule.c --- */

/*
 * True where sudo is sudo-rs, its rule goes by a group, and the name services count `name`, who runs it and is no Entra account,
 * among that group's members: another service has the group's name or its number (P7). True in doubt that the caller can cause
 * by a limit. Costs a look at configure's file for sudo; nothing else where that is for another sudo.
 */
int entralogin_has_foreign_right(
    const struct entralogin_pam_operations *operations, pam_handle_t *pamh, const char *name);

/* --- number.c: numbers that two may have --- */

/* Bytes for a record of passwd(5). Entra accounts' have at most 1 KiB; one that does not fit is nobody's. */
#define ENTRALOGIN_PASSWD_MAX 16384

/*
 * True for a number of the id range that is another directory's user: the published accounts are there to be read and do not
 * have it, and the name services know it (as `name`, unless that is NULL). entralogin's module answers for a number from that
 * file alone, so the answer is another's. In doubt false: an Entra account that is published, retired, or that nobody can look
 * up, and whoever holds the administrators' group, whatever limits or groups the caller has set.
 */
int entralogin_is_anothers(const struct entralogin_pam_operations *operations, uint32_t uid, const char *name);
/* Whether an Entra account of that name is published; true where that cannot be told. */
int entralogin_is_published(const struct entralogin_pam_operations *operations, const char *name);
/*
 * True where a number in root's list of mapped accounts is a local user's by now: another name without the mark has it, and
 * the `listed` one has not.
 */
int entralogin_is_given_away(const struct entralogin_pam_operations *operations, uint32_t uid, const char *listed);

/* --- speak.c --- */

/* Whether there is somebody to talk to. */
int entralogin_can_speak(pam_handle_t *pamh, int flags);
/* Asks, without showing what is typed: 1 where the answer is an empty line, 0 another one, -1 where there is none. */
int entralogin_presses_enter(pam_handle_t *pamh, int flags, const char *question);

/* Shows one line to the person: bounded, without control characters; nothing where the application wants silence. */
void entralogin_speak(pam_handle_t *pamh, int flags, const char *text, size_t length);
/* The same for what is no refusal. */
void entralogin_inform(pam_handle_t *pamh, int flags, const char *text, size_t length);
void entralogin_say(pam_handle_t *pamh, int flags, const char *text);

#endif
