/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "testbed.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *module;
static enum nss_status (*by_name)(const char *, struct passwd *, char *, size_t, int *);
static enum nss_status (*by_uid)(uid_t, struct passwd *, char *, size_t, int *);
static enum nss_status (*group_by_gid)(gid_t, struct group *, char *, size_t, int *);
static enum nss_status (*groups_of)(const char *, gid_t, long *, long *, gid_t **, long, int *);

static void *entry(const char *name) {
    void *found = dlsym(module, name);
    require(found != NULL, "%s", dlerror());
    return found;
}

void load(const char *path) {
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    require(module != NULL, "%s", dlerror());
    *(void **)&by_name = entry("_nss_entralogin_getpwnam_r");
    *(void **)&by_uid = entry("_nss_entralogin_getpwuid_r");
    *(void **)&group_by_gid = entry("_nss_entralogin_getgrgid_r");
    *(void **)&groups_of = entry("_nss_entralogin_initgroups_dyn");
}

void unload(void) {
    require(dlclose(module) == 0, "%s", dlerror());
}

static void check_passwd(const struct passwd *p, uint32_t number, uint32_t oldest) {
    char name[64], home[96], shell[64];
    unsigned version = 0;
    require(sscanf(p->pw_gecos, "Version %u", &version) == 1, "a gecos \"%s\"", p->pw_gecos);
    snprintf(name, sizeof name, "person%u@contoso.com", number);
    snprintf(home, sizeof home, "/home/%u/%s", version, name);
    snprintf(shell, sizeof shell, "/bin/shell%u", version);
    require(strcmp(p->pw_name, name) == 0 && strcmp(p->pw_dir, home) == 0 && strcmp(p->pw_shell, shell) == 0 &&
                p->pw_uid == ENTRALOGIN_UID_FIRST + number && p->pw_gid == p->pw_uid,
        "a mixture: %s %u %s %s %s for %s", p->pw_name, p->pw_uid, p->pw_gecos, p->pw_dir, p->pw_shell, name);
    uint32_t newest = atomic_load(&shared->publishing);
    require(version >= oldest && version <= newest, "version %u of %s, not %u to %u", version, name, oldest, newest);
}

static void check_groups(const gid_t *groups, long count, uint32_t number) {
    long expected = number % 2 == 0 ? 2 : 1;
    require(
        count == expected && groups[0] == ENTRALOGIN_USERS_GID && (expected == 1 || groups[1] == ENTRALOGIN_ADMINS_GID),
        "%ld groups of person %u", count, number);
}

static enum nss_status ask_groups(const char *name, uint32_t number, int *error) {
    long start = 0, size = 4;
    gid_t *groups = malloc(4 * sizeof *groups);
    require(groups != NULL, "no memory");
    enum nss_status status = groups_of(name, ENTRALOGIN_UID_FIRST + number, &start, &size, &groups, 0, error);
    if (status == NSS_STATUS_SUCCESS)
        check_groups(groups, start, number);
    free(groups);
    return status;
}

enum nss_status ask(unsigned way, uint32_t number) {
    char buffer[1024], name[64];
    struct passwd p;
    struct group g;
    int error = 0;
    uint32_t oldest = atomic_load(&shared->published), uid = ENTRALOGIN_UID_FIRST + number;
    enum nss_status status;
    snprintf(name, sizeof name, "person%u@contoso.com", number);
    atomic_fetch_add_explicit(&shared->look_ups, 1, memory_order_relaxed);
    errno = 77;
    switch (way % WAYS) {
    case 0:
    case 1:
        status = way % WAYS == 0 ? by_name(name, &p, buffer, sizeof buffer, &error)
                                 : by_uid(uid, &p, buffer, sizeof buffer, &error);
        if (status == NSS_STATUS_SUCCESS)
            check_passwd(&p, number, oldest);
        break;
    case 2:
        status = group_by_gid(uid, &g, buffer, sizeof buffer, &error);
        require(status != NSS_STATUS_SUCCESS || (strcmp(g.gr_name, name) == 0 && g.gr_gid == uid), "a group");
        break;
    case 3:
        status = ask_groups(name, number, &error);
        break;
    default:
        status = by_name("postgres", &p, buffer, sizeof buffer, &error);
        require(status == NSS_STATUS_NOTFOUND, "a foreign name");
        return NSS_STATUS_SUCCESS;
    }
    require(status != NSS_STATUS_TRYAGAIN, "to be tried again with %d", error);
    require((status == NSS_STATUS_SUCCESS) == (error == 0), "status %d with %d", status, error);
    return status;
}

void must_answer(unsigned way, uint32_t number) {
    enum nss_status status = ask(way, number);
    require(status == NSS_STATUS_SUCCESS, "status %d for person %u, way %u", status, number, way % WAYS);
    require(errno == 77, "errno of the caller became %d", errno);
}

void warm(uint32_t count) {
    for (uint32_t i = 0; i < count * WAYS + 10; i++)
        must_answer(i, i / WAYS % count);
}
