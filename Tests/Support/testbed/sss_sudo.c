/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for SSSD's libsss_sudo.so, which sudo loads if nsswitch.conf says `sudoers: ... sss`. It gives the lines
 * of /etc/sss-defaults as defaults for all users, as a directory's entry cn=defaults does. It gives no rule.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define FOUND 0
#define ABSENT 1
#define MOST 16

struct attribute {
    char *name;
    char **values;
    unsigned count;
};
struct rule {
    unsigned count;
    struct attribute *attributes;
};
struct result {
    unsigned count;
    struct rule *rules;
};

int sss_sudo_send_recv(uid_t uid, const char *user, const char *domain, uint32_t *error, struct result **ret) {
    (void)uid, (void)user, (void)domain;
    *error = ABSENT;
    *ret = calloc(1, sizeof **ret);
    return FOUND;
}

int sss_sudo_send_recv_defaults(uid_t uid, const char *user, uint32_t *error, char **domain, struct result **ret) {
    (void)uid, (void)user;
    *error = FOUND;
    *domain = strdup("directory");
    *ret = calloc(1, sizeof **ret);
    if (*ret == NULL)
        abort();
    (*ret)->count = 1;
    (*ret)->rules = calloc(1, sizeof(struct rule));
    return FOUND;
}

int sss_sudo_get_values(struct rule *rule, const char *name, char ***ret) {
    (void)rule;
    char line[256];
    unsigned n = 0;
    FILE *file = strcmp(name, "sudoOption") == 0 ? fopen("/etc/sss-defaults", "re") : NULL;
    if (file == NULL)
        return ABSENT;
    *ret = calloc(MOST + 1, sizeof(char *));
    while (n < MOST && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        (*ret)[n++] = strdup(line);
    }
    fclose(file);
    return FOUND;
}

void sss_sudo_free_values(char **values) {
    for (char **value = values; value != NULL && *value != NULL; value++)
        free(*value);
    free(values);
}

void sss_sudo_free_result(struct result *result) {
    if (result != NULL)
        free(result->rules);
    free(result);
}
