/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "entralogin_mapped.h"
#include "entralogin_name.h"
#include "entralogin_sudo.h"
#include "entralogin_wire.h"

/* The interface of sudo_plugin(5), version 1.0: the same since sudo 1.8. */
#define API_VERSION ((1u << 16) | 0u)
#define ERROR_MESSAGE 3 /* SUDO_CONV_ERROR_MSG */

typedef int (*printer)(int kind, const char *format, ...);

struct group_plugin {
    unsigned version;
    int (*begin)(int version, printer print, char *const argv[]);
    void (*end)(void);
    int (*query)(const char *user, const char *group, const struct passwd *record);
};

/* sudo asks about twelve times in one run, for each line that names a group. One run gets one answer for each group, and
   waits once for a daemon that does not answer. An answer that finds no room here is asked for again. */
#define ANSWERS 64
static char asked[ENTRALOGIN_NAME_MAX + 1];
static uid_t asked_uid;
static struct {
    char group[sizeof ENTRALOGIN_SUDO_GROUP + ENTRALOGIN_GROUP_NAME_MAX];
    int is_member;
} answers[ANSWERS];
static unsigned answered;
static int is_silent;
static printer print;

static void say(const char *line) {
    if (print != NULL)
        print(ERROR_MESSAGE, "%s\n", line);
}

/* The real uid when sudo was executed, from the kernel. sudo has changed its own by now. */
static uint32_t caller(void) {
    return (uint32_t)getauxval(AT_UID);
}

static const struct entralogin_sudo_world real_world = {
    .daemon = {.path = ENTRALOGIN_CONTROL_SOCKET, .root = 0},
    .mapped = ENTRALOGIN_MAPPED_LIST,
    .caller = caller,
    .say = say,
};

static int begin(int version, printer with, char *const argv[]) {
    (void)version, (void)argv;
    asked[0] = '\0';
    answered = 0;
    is_silent = 0;
    print = with;
    return 1;
}

static void end(void) {
    print = NULL;
}

static int query(const char *user, const char *group, const struct passwd *record) {
    if (!entralogin_sudo_is_a_group(group) || record == NULL || strlen(user) > ENTRALOGIN_NAME_MAX)
        return 0;
    if (strcmp(user, asked) != 0 || record->pw_uid != asked_uid) {
        strcpy(asked, user);
        asked_uid = record->pw_uid;
        answered = 0;
        is_silent = 0;
    }
    for (unsigned i = 0; i < answered; i++) {
        if (strcmp(group, answers[i].group) == 0)
            return answers[i].is_member;
    }
    if (is_silent)
        return 0;
    int answer = entralogin_sudo_is_member(&real_world, user, group, record);
    is_silent = answer == ENTRALOGIN_SUDO_SILENT;
    if (answered < ANSWERS) {
        strcpy(answers[answered].group, group);
        answers[answered++].is_member = answer == 1;
    }
    return answer == 1;
}

/* sudo looks up this symbol. */
__attribute__((visibility("default"))) struct group_plugin group_plugin = {API_VERSION, begin, end, query};
