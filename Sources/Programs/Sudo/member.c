/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "entralogin_sudo.h"

#include <string.h>
#include <unistd.h>

#include "entralogin_mapped.h"
#include "entralogin_name.h"
#include "entralogin_wire.h"

#define REQUEST_MAX 4096u
#define REPLY_MAX 4096u
#define GROUPS_MAX 1024

#define SILENT "entralogin: sudo cannot be decided now: the service entralogind does not answer"
#define ENDED \
    "entralogin: your membership of the administrators has ended: ask for \"Virtual Machine Administrator Login\" on " \
    "this machine, then try again in a minute"
#define UNDECIDED "entralogin: sudo cannot be decided now; ask this machine's administrator"

/*
 * The rule of the PAM module: a name of the right shape with a uid of the id range, or with the uid in root's list. Or
 * a short name, which any user may have, with a uid of the range and the password of entralogin's records: another
 * directory's user with such a uid has another password, and never waits for the daemon (P8).
 */
static int can_be_entra(const struct entralogin_sudo_world *operations, const char *user, const struct passwd *record) {
    size_t length = strnlen(user, ENTRALOGIN_NAME_MAX + 1);
    if (record == NULL || strlen(record->pw_dir) > ENTRALOGIN_HOME_MAX)
        return 0;
    if (!entralogin_name_is_valid(user, length))
        return entralogin_uid_in_range(record->pw_uid) && entralogin_name_is_short(user, length) &&
               record->pw_passwd != NULL && strcmp(record->pw_passwd, ENTRALOGIN_NO_PASSWORD) == 0;
    return entralogin_uid_in_range(record->pw_uid) || entralogin_mapped(operations->mapped, operations->daemon.root,
                                                          user, record->pw_uid, record->pw_gid) == ENTRALOGIN_MAPPED;
}

/* "entralogin:NAME", a group of [Groups]: NAME, which has an underscore, unlike "administrators". NULL: not such a group. */
static const char *mapped_group(const char *group) {
    const size_t prefix = strlen(ENTRALOGIN_SUDO_PREFIX);
    if (strncmp(group, ENTRALOGIN_SUDO_PREFIX, prefix) != 0)
        return NULL;
    const char *name = group + prefix;
    return entralogin_group_name_is_valid(name, strnlen(name, ENTRALOGIN_GROUP_NAME_MAX + 1)) ? name : NULL;
}

int entralogin_sudo_is_a_group(const char *group) {
    return strcmp(group, ENTRALOGIN_SUDO_GROUP) == 0 || mapped_group(group) != NULL;
}

/* Users who signed in as administrators are told why they no longer are. Others may have rules of their own in sudoers. */
static int came_as_administrator(void) {
    gid_t groups[GROUPS_MAX];
    int n = getgroups(GROUPS_MAX, groups);
    for (int i = 0; i < n; i++) {
        if (groups[i] == ENTRALOGIN_ADMINS_GID)
            return 1;
    }
    return 0;
}

static void explain(const struct entralogin_sudo_world *operations, const char *text, size_t length) {
    char line[ENTRALOGIN_LINE_MAX + 1];
    if (length == 0 || !came_as_administrator())
        return;
    entralogin_clean_line(line, text, length);
    operations->say(line);
}

/* The verdict of a reply, undecidable for every frame that is not one. The text borrows from the frame. */
static unsigned verdict_of(const void *frame, size_t size, const char **ret_text, size_t *ret_length) {
    struct entralogin_reader r;
    *ret_text = UNDECIDED;
    *ret_length = strlen(UNDECIDED);
    if (entralogin_open_reply(&r, frame, size, ENTRALOGIN_AUTHORIZE) != (int)ENTRALOGIN_STATUS_OK)
        return ENTRALOGIN_VERDICT_UNDECIDABLE;
    size_t length;
    unsigned verdict = entralogin_get_u16(&r);
    const char *text = entralogin_get_string(&r, &length);
    if (!entralogin_consumed(&r))
        return ENTRALOGIN_VERDICT_UNDECIDABLE;
    *ret_text = verdict == ENTRALOGIN_VERDICT_IGNORE ? ENDED : text;
    *ret_length = verdict == ENTRALOGIN_VERDICT_IGNORE ? strlen(ENDED) : length;
    return verdict;
}

int entralogin_sudo_is_member(
    const struct entralogin_sudo_world *operations, const char *user, const char *group, const struct passwd *record) {
    unsigned char frame[REQUEST_MAX], reply[REPLY_MAX];
    struct entralogin_writer w;
    const char *mapped = mapped_group(group);
    if ((mapped == NULL && strcmp(group, ENTRALOGIN_SUDO_GROUP) != 0) || !can_be_entra(operations, user, record))
        return 0;
    int is_own = operations->caller() == record->pw_uid;
    entralogin_begin(&w, frame, sizeof frame, ENTRALOGIN_AUTHORIZE);
    entralogin_put_string(&w, is_own ? ENTRALOGIN_SUDO_SERVICE : ENTRALOGIN_SUDO_LIST_SERVICE);
    entralogin_put_string(&w, user);
    entralogin_put_u32(&w, record->pw_uid);
    entralogin_put_string(&w, record->pw_dir);
    entralogin_put_string(&w, "");
    entralogin_put_u32(&w, ENTRALOGIN_NO_ID);
    /* For a group, too: a daemon from before there were groups says yes only for administrators. */
    entralogin_put_u16(&w, ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP);
    entralogin_put_string(&w, mapped == NULL ? "" : mapped);
    entralogin_put_string(&w, "");
    size_t size = entralogin_finish(&w), length = strlen(SILENT);
    const char *text = SILENT;
    unsigned verdict = ENTRALOGIN_VERDICT_UNDECIDABLE;
    uint64_t deadline = entralogin_deadline(ENTRALOGIN_PAM_DEADLINE_MS);
    long answer = size == 0 ? 0 : entralogin_exchange(&operations->daemon, frame, size, reply, sizeof reply, deadline);
    if (answer > 0)
        verdict = verdict_of(reply, (size_t)answer, &text, &length);
    /* A user who is not in the group may have rules of their own in sudoers. */
    if (verdict != ENTRALOGIN_VERDICT_ALLOW && is_own && mapped == NULL)
        explain(operations, text, length);
    return verdict == ENTRALOGIN_VERDICT_ALLOW ? 1 : answer > 0 ? 0 : ENTRALOGIN_SUDO_SILENT;
}
