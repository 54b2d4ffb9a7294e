/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "pam_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "entralogin_mapped.h"

const char *entralogin_item(pam_handle_t *pamh, int item) {
    const void *value = NULL;
    if (pam_get_item(pamh, item, &value) != PAM_SUCCESS || value == NULL)
        return "";
    return value;
}

/*
 * Decides whose a local record with a name of an Entra account's shape is. Only a record that root's list does not
 * name, and that has no mark, is another user's (P8); if that cannot be decided, it is a mismatch.
 */
static void evaluate_local(
    const struct entralogin_pam_operations *operations, const struct passwd *found, struct entralogin_person *ret) {
    int marked = found->pw_passwd != NULL && strcmp(found->pw_passwd, ENTRALOGIN_MAPPED_MARK) == 0;
    switch (
        entralogin_mapped(operations->mapped, operations->daemon.root, found->pw_name, found->pw_uid, found->pw_gid)) {
    case ENTRALOGIN_MAPPED:
        ret->is_mapped = 1;
        ret->standing = ENTRALOGIN_ENTRA;
        break;
    case ENTRALOGIN_NOT_MAPPED:
        ret->standing = marked ? ENTRALOGIN_MISMATCH : ENTRALOGIN_FOREIGN;
        break;
    default:
        ret->standing = ENTRALOGIN_MISMATCH;
    }
}

/*
 * Whether a record with a number of the id range is another name service's. The password in the records of entralogin's
 * module shows at no cost that they are Entra accounts'; if something in between hides it, as SSSD may, the number
 * decides.
 */
static int is_anothers(const struct entralogin_pam_operations *operations, const struct passwd *found) {
    int marked = found->pw_passwd != NULL && strcmp(found->pw_passwd, ENTRALOGIN_NO_PASSWORD) == 0;
    return !marked && entralogin_is_anothers(operations, found->pw_uid, found->pw_name);
}

int entralogin_is_shortage(int error) {
    return error == ENOMEM || error == EMFILE || error == ENFILE || error == ERANGE;
}

/* Any user can have such a name: it is an Entra account's only if the record has a number of the id range. */
static int may_be_short(const struct entralogin_pam_operations *operations, const char *name) {
    return operations->short_names && entralogin_name_is_short(name, strnlen(name, ENTRALOGIN_SHORT_NAME_MAX + 1));
}

/*
 * Evaluates the whole name of an account that has a short name, which must lead to the same record: everything after
 * PAM, and the group lists of other name services, go by the short name.
 */
static enum entralogin_standing evaluate_spelling(
    const struct entralogin_pam_operations *operations, const char *name, const struct entralogin_person *person) {
    char buffer[ENTRALOGIN_PASSWD_MAX];
    struct passwd record, *found = NULL;
    if (strcmp(person->name, name) == 0)
        return ENTRALOGIN_ENTRA;
    if (!operations->short_names ||
        !entralogin_name_is_short_of(person->name, strlen(person->name), name, strlen(name)))
        return ENTRALOGIN_MISSPELT;
    int error = operations->look_up(person->name, &record, buffer, sizeof buffer, &found);
    return error == 0 && found != NULL && found->pw_uid == person->uid ? ENTRALOGIN_ENTRA : ENTRALOGIN_SHORT_NAME_TAKEN;
}

void entralogin_find_person(const struct entralogin_pam_operations *operations, const char *name, int foreigners_too,
    struct entralogin_person *ret) {
    char buffer[ENTRALOGIN_PASSWD_MAX];
    struct passwd record, *found = NULL;
    int shape = entralogin_name_folds_to_valid(name, strnlen(name, ENTRALOGIN_NAME_MAX + 1));
    int is_short = may_be_short(operations, name);
    *ret = (struct entralogin_person){.uid = ENTRALOGIN_NO_ID, .gid = ENTRALOGIN_NO_ID};
    if (!shape && !is_short && !foreigners_too)
        return;
    int error = operations->look_up(name, &record, buffer, sizeof buffer, &found);
    if (error != 0 || found == NULL) {
        /* An error that the caller can cause by a resource limit does not make anyone a local user. */
        ret->standing = shape || (is_short && entralogin_is_shortage(error)) ? ENTRALOGIN_UNKNOWN : ENTRALOGIN_FOREIGN;
        return;
    }
    ret->uid = found->pw_uid;
    ret->gid = found->pw_gid;
    if (strlen(found->pw_dir) < sizeof ret->home)
        strcpy(ret->home, found->pw_dir);
    ret->is_anothers = entralogin_uid_in_range(found->pw_uid) && is_anothers(operations, found);
    if (ret->is_anothers)
        ret->uid = ENTRALOGIN_ANOTHERS_ID;
    if ((!shape && !is_short) || ret->is_anothers)
        return;
    if (entralogin_uid_in_range(found->pw_uid))
        ret->standing = ENTRALOGIN_ENTRA;
    else if (shape)
        evaluate_local(operations, found, ret);
    if (ret->standing != ENTRALOGIN_ENTRA || strlen(found->pw_name) >= sizeof ret->name)
        return;
    strcpy(ret->name, found->pw_name);
    ret->standing = evaluate_spelling(operations, name, ret);
}

/* Services that give a user another user's rights. */
static int lifts_rights(const char *service) {
    return (entralogin_service_kinds(service) & ENTRALOGIN_SERVICE_LIFTS) != 0;
}

/* The uid of the sign-in that this process descends from. */
static uint32_t login_uid(const struct entralogin_pam_operations *operations) {
    int fd = open(operations->login_uid, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return ENTRALOGIN_NO_ID;
    char text[16];
    uint64_t number = 0;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
        number = number * 10 + (uint64_t)(text[i] - '0');
    return n > 0 && number < ENTRALOGIN_NO_ID ? (uint32_t)number : ENTRALOGIN_NO_ID;
}

/* Takes the number as the caller's, if it is an Entra account's. */
static void take_number(
    const struct entralogin_pam_operations *operations, uint32_t uid, struct entralogin_invoker *ret) {
    enum entralogin_mapping mapping = ENTRALOGIN_NOT_MAPPED;
    char listed[ENTRALOGIN_NAME_MAX + 1] = "";
    if (uid == operations->daemon.root || uid == ENTRALOGIN_NO_ID || entralogin_is_anothers(operations, uid, NULL))
        return;
    if (!entralogin_uid_in_range(uid))
        mapping = entralogin_mapped_number(operations->mapped, operations->daemon.root, uid, listed);
    if (mapping == ENTRALOGIN_MAPPED && entralogin_is_given_away(operations, uid, listed))
        return;
    if (!entralogin_uid_in_range(uid) && mapping == ENTRALOGIN_NOT_MAPPED)
        return;
    ret->is_entra = 1;
    ret->is_mapped |= mapping == ENTRALOGIN_MAPPED;
    ret->is_mismatch |= mapping == ENTRALOGIN_MAPPING_UNSOUND;
    ret->uid = uid;
}

void entralogin_find_invoker(
    const struct entralogin_pam_operations *operations, pam_handle_t *pamh, struct entralogin_invoker *ret) {
    uint32_t real = operations->real_uid();
    int lifts = lifts_rights(entralogin_item(pamh, PAM_SERVICE));
    *ret = (struct entralogin_invoker){.name = entralogin_item(pamh, PAM_RUSER), .uid = ENTRALOGIN_NO_ID};
    entralogin_find_person(operations, ret->name, 0, &ret->person);
    const struct entralogin_person person = ret->person;
    ret->is_entra = person.standing != ENTRALOGIN_FOREIGN;
    ret->is_mapped = person.is_mapped;
    ret->is_mismatch = person.standing == ENTRALOGIN_MISMATCH;
    if (person.standing == ENTRALOGIN_ENTRA || person.standing == ENTRALOGIN_MISSPELT)
        ret->uid = person.uid;
    /* sudo may have changed its uid by now, and the name may be an Entra account's, too. */
    ret->is_entra |= person.is_anothers && entralogin_is_published(operations, ret->name);
    if (entralogin_uid_in_range(real) || (lifts && real != ret->uid))
        take_number(operations, real, ret);
    /* If the application names no caller, the user who signed in counts; not if it names root, as in root's own shell. */
    if (lifts && ret->uid == ENTRALOGIN_NO_ID && ret->name[0] == '\0')
        take_number(operations, login_uid(operations), ret);
}

/* sshd's PAM environment has the variable in every stage, empty before the session. */
int entralogin_in_sshd(pam_handle_t *pamh) {
    char command[17] = "";
    if (strcmp(entralogin_item(pamh, PAM_SERVICE), "sshd") == 0 || pam_getenv(pamh, "SSH_AUTH_INFO_0") != NULL)
        return 1;
    prctl(PR_GET_NAME, command, 0, 0, 0);
    return strncmp(command, "sshd", 4) == 0;
}

int entralogin_borrows_group(const struct entralogin_pam_operations *operations, const char *name) {
    int shape = entralogin_name_folds_to_valid(name, strnlen(name, ENTRALOGIN_NAME_MAX + 1));
    return (shape || may_be_short(operations, name) || operations->real_uid() != operations->daemon.root) &&
           entralogin_holds_administrators_group() == 1;
}

uint16_t entralogin_process_flags(pam_handle_t *pamh) {
    /* Unknown counts as held: for an Entra user that only demands more. */
    uint16_t flags = entralogin_holds_administrators_group() != 0 ? ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP : 0;
    return entralogin_in_sshd(pamh) ? flags | ENTRALOGIN_PAM_IN_SSHD : flags;
}
