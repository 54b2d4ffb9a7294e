/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENTRALOGIN_PAM_PRIVATE_H
#define ENTRALOGIN_PAM_PRIVATE_H

#include "entralogin_pam.h"
#include "entralogin_wire.h"

/* --- pam.c --- */

/*
 * The verdict of a reply, undecidable for every frame that is not one, and what to tell the person (may be empty). The
 * text borrows from the frame.
 */
int entralogin_read_verdict(
    const void *frame, size_t size, uint16_t opcode, const char **ret_text, size_t *ret_length);

/* --- whose.c --- */

enum entralogin_standing {
    ENTRALOGIN_FOREIGN,  /* not ours: another shape, or another's uid */
    ENTRALOGIN_OURS,
    ENTRALOGIN_MISSPELT, /* ours in another spelling than the record's */
    ENTRALOGIN_UNKNOWN,  /* our shape, and nobody has that name */
};

struct entralogin_person {
    enum entralogin_standing standing;
    uint32_t uid, gid; /* ENTRALOGIN_NO_ID where there is no record */
    char home[ENTRALOGIN_HOME_MAX + 1];
};

/* No look-up for a name that cannot be ours, unless `foreigners_too`. */
void entralogin_find_person(
    const struct entralogin_pam_world *world, const char *name, int foreigners_too, struct entralogin_person *ret);

/* Who asks for another's rights (sudo, su, polkit). */
struct entralogin_invoker {
    int is_ours;
    const char *name; /* PAM_RUSER, or empty */
    uint32_t uid;     /* ENTRALOGIN_NO_ID where it is nobody's of ours */
};
void entralogin_find_invoker(
    const struct entralogin_pam_world *world, pam_handle_t *pamh, struct entralogin_invoker *ret);

/* ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP and ENTRALOGIN_PAM_IN_SSHD, as they are true of this process. */
uint16_t entralogin_process_flags(pam_handle_t *pamh);
/*
 * True where somebody who is neither root nor ours has the administrators' gid: no account but ours gets it, so a setgid
 * program lends it. sudo goes by it (sudoers(5)), and would make its user root. Such a program lends the gid alone, never
 * a supplementary group: those of people with very many are not looked at.
 */
int entralogin_borrows_group(const struct entralogin_pam_world *world);
int entralogin_in_sshd(pam_handle_t *pamh);

/* A PAM item that is a text; empty where it is not set. */
const char *entralogin_item(pam_handle_t *pamh, int item);

/* --- speak.c --- */

#define ENTRALOGIN_TEXT_MAX 1024u

/* Shows one line to the person: bounded, without control characters; nothing where the application wants silence. */
void entralogin_speak(pam_handle_t *pamh, int flags, const char *text, size_t length);
void entralogin_say(pam_handle_t *pamh, int flags, const char *text);

#endif
