/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libnss_synthetic.so.2: users that are computed, not stored, so that a lookup costs only what SSSD with its proxy
 * provider costs, which asks this module. The rule, which residents.py also has: user n of 0 to 999,999 is called
 * "user%06u_contoso_com", has uid 2000000 + n and gid 600000 ("everybody"), and is in the group "team%05u" of n / 10,
 * whose gid is 600001 + n / 10.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UIDS 2000000u
#define EVERYBODY 600000u
#define TEAMS 600001u
#define PEOPLE 1000000u
#define TEAM 10u
#define NAME "user%06u_contoso_com"

static enum nss_status absent(int *errnop) {
    *errnop = ENOENT;
    return NSS_STATUS_NOTFOUND;
}

static enum nss_status too_small(int *errnop) {
    *errnop = ERANGE;
    return NSS_STATUS_TRYAGAIN;
}

/* The number of the name's user; PEOPLE if there is none. */
static unsigned number_of(const char *name) {
    char again[64];
    unsigned n;
    if (sscanf(name, "user%6u", &n) != 1 || n >= PEOPLE)
        return PEOPLE;
    snprintf(again, sizeof again, NAME, n);
    return strcmp(again, name) == 0 ? n : PEOPLE;
}

static enum nss_status fill(unsigned n, struct passwd *ret, char *buffer, size_t size, int *errnop) {
    if (n >= PEOPLE)
        return absent(errnop);
    int name = snprintf(buffer, size, NAME, n) + 1;
    int home = name < (int)size ? snprintf(buffer + name, size - (size_t)name, "/home/" NAME, n) + 1 : 0;
    if (home == 0 || name + home > (int)size)
        return too_small(errnop);
    *ret = (struct passwd){.pw_name = buffer,
        .pw_passwd = "*",
        .pw_uid = UIDS + n,
        .pw_gid = EVERYBODY,
        .pw_gecos = "Contoso User",
        .pw_dir = buffer + name,
        .pw_shell = "/bin/bash"};
    return NSS_STATUS_SUCCESS;
}

static enum nss_status fill_team(unsigned team, struct group *ret, char *buffer, size_t size, int *errnop) {
    size_t pointers = (TEAM + 1) * sizeof(char *), each = 32;
    size_t gap = -(size_t)buffer & (sizeof(char *) - 1);
    if (team >= PEOPLE / TEAM)
        return absent(errnop);
    if (size < gap + pointers + (TEAM + 1) * each)
        return too_small(errnop);
    char **members = (char **)(void *)(buffer + gap), *text = buffer + gap + pointers;
    for (unsigned i = 0; i < TEAM; i++, text += each) {
        snprintf(text, each, NAME, team * TEAM + i);
        members[i] = text;
    }
    members[TEAM] = NULL;
    snprintf(text, each, "team%05u", team);
    *ret = (struct group){.gr_name = text, .gr_passwd = "*", .gr_gid = TEAMS + team, .gr_mem = members};
    return NSS_STATUS_SUCCESS;
}

static enum nss_status fill_everybody(struct group *ret) {
    static char *nobody[] = {NULL};
    *ret = (struct group){.gr_name = "everybody", .gr_passwd = "*", .gr_gid = EVERYBODY, .gr_mem = nobody};
    return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_synthetic_getpwnam_r(
    const char *name, struct passwd *ret, char *buffer, size_t size, int *errnop) {
    return fill(number_of(name), ret, buffer, size, errnop);
}

enum nss_status _nss_synthetic_getpwuid_r(uid_t uid, struct passwd *ret, char *buffer, size_t size, int *errnop) {
    return fill(uid >= UIDS ? uid - UIDS : PEOPLE, ret, buffer, size, errnop);
}

enum nss_status _nss_synthetic_getgrnam_r(const char *name, struct group *ret, char *buffer, size_t size, int *errnop) {
    unsigned team;
    if (strcmp(name, "everybody") == 0)
        return fill_everybody(ret);
    return sscanf(name, "team%5u", &team) == 1 ? fill_team(team, ret, buffer, size, errnop) : absent(errnop);
}

enum nss_status _nss_synthetic_getgrgid_r(gid_t gid, struct group *ret, char *buffer, size_t size, int *errnop) {
    if (gid == EVERYBODY)
        return fill_everybody(ret);
    return gid >= TEAMS ? fill_team(gid - TEAMS, ret, buffer, size, errnop) : absent(errnop);
}

enum nss_status _nss_synthetic_initgroups_dyn(
    const char *name, gid_t primary, long *start, long *size, gid_t **groups, long limit, int *errnop) {
    unsigned n = number_of(name);
    (void)primary;
    if (n >= PEOPLE)
        return absent(errnop);
    if (limit > 0 && *start >= limit)
        return NSS_STATUS_SUCCESS;
    if (*start >= *size) {
        gid_t *grown = realloc(*groups, (size_t)(*size + 16) * sizeof **groups);
        if (!grown)
            return NSS_STATUS_UNAVAIL;
        *groups = grown;
        *size += 16;
    }
    (*groups)[(*start)++] = TEAMS + n / TEAM;
    return NSS_STATUS_SUCCESS;
}

/* SSSD requires these functions. They list nothing. */
enum nss_status _nss_synthetic_setpwent(int stay) {
    return (void)stay, NSS_STATUS_SUCCESS;
}
enum nss_status _nss_synthetic_endpwent(void) {
    return NSS_STATUS_SUCCESS;
}
enum nss_status _nss_synthetic_setgrent(int stay) {
    return (void)stay, NSS_STATUS_SUCCESS;
}
enum nss_status _nss_synthetic_endgrent(void) {
    return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_synthetic_getpwent_r(struct passwd *ret, char *buffer, size_t size, int *errnop) {
    return (void)ret, (void)buffer, (void)size, absent(errnop);
}

enum nss_status _nss_synthetic_getgrent_r(struct group *ret, char *buffer, size_t size, int *errnop) {
    return (void)ret, (void)buffer, (void)size, absent(errnop);
}
