/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PAM module. libpam calls the entry points of pam.map (at the end of pam.c); account and session are the functions
 * below with the real operations. Tests pass others.
 *
 * The module's line has the form [success=N ignore=N module_unknown=ignore default=die] and is followed by N lines for
 * the case that the module cannot be loaded. Whether a call is about an Entra user is decided without the daemon: an
 * Entra user has a name of that shape and either, by NSS, a uid in the id range or, by root's list, the uid that they
 * brought along (entralogin_mapped.h). For every other user the result is PAM_IGNORE and the daemon is not asked,
 * unless their process has the administrators' gid, to which they have no right. They cost no I/O either, with these
 * exceptions. The list is read for names of that shape with a uid outside the id range, and for the uid of a user who
 * asks for another user's rights. Another directory's user with a uid of the id range costs two looks into the
 * published accounts and one getpwuid(3). With the argument short_names each name that may be a short one costs one
 * getpwnam(3).
 *
 * The module sets no PAM item, with two exceptions: pam_get_user(3), which the auth stage calls as any module there
 * does, and PAM_USER, in which the account stage replaces a whole name by its account's short name. It asks the user
 * for nothing but that name and, in the auth stage, one empty line.
 */
#ifndef ENTRALOGIN_PAM_H
#define ENTRALOGIN_PAM_H

#include <grp.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <security/pam_modules.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "entralogin_client.h"

/*
 * For the integration check, which runs an account stage of its own through libpam. For this name the account stage
 * sets a variable in the transaction's environment: ENTRALOGIN_PROBE_MARK=reached, =short_names with that argument, or
 * =arguments with others. The result is as for any name. No Entra account can have the name: .invalid has no domains
 * (RFC 2606).
 */
#define ENTRALOGIN_PROBE_USER "entralogin-probe@entralogin.invalid"
#define ENTRALOGIN_PROBE_MARK "ENTRALOGIN_PROBE"

/* The module's only argument, for machines with short names (ShortNames=). */
#define ENTRALOGIN_SHORT_NAMES_ARGUMENT "short_names"

/* The file that configure writes for this machine's sudo. */
#define ENTRALOGIN_SUDO_RULES "/etc/sudoers.d/entralogin"

/* The pause between the first two questions of a batch service that waits; later pauses are longer (batch.c). */
#define ENTRALOGIN_BATCH_PAUSE_MS 500

struct entralogin_pam_operations {
    struct entralogin_server daemon;
    const char *login_uid;  /* /proc/self/loginuid */
    const char *mapped;     /* ENTRALOGIN_MAPPED_LIST */
    const char *accounts;   /* ENTRALOGIN_ACCOUNTS_SNAPSHOT */
    const char *answered;   /* ENTRALOGIN_ANSWERED */
    const char *sudo_rules; /* ENTRALOGIN_SUDO_RULES */
    struct entralogin_batch_times {
        int deadline; /* ENTRALOGIN_BATCH_DEADLINE_MS */
        int silence;  /* ENTRALOGIN_PAM_DEADLINE_MS: for a daemon that does not answer, if Azure has since boot */
        int pause;    /* ENTRALOGIN_BATCH_PAUSE_MS */
    } batch_ms;
    int (*look_up)(const char *, struct passwd *, char *, size_t, struct passwd **);     /* getpwnam_r */
    int (*look_up_number)(uid_t, struct passwd *, char *, size_t, struct passwd **);     /* getpwuid_r */
    int (*look_up_group)(const char *, struct group *, char *, size_t, struct group **); /* getgrnam_r */
    int (*list_groups)(const char *, gid_t, gid_t *, int *);                             /* getgrouplist */
    int short_names;         /* ENTRALOGIN_SHORT_NAMES_ARGUMENT: any user's name may be an Entra account's */
    uid_t (*real_uid)(void); /* getuid */
    /* pam_set_data and pam_get_data, which work inside a stack only */
    int (*keep)(pam_handle_t *, const char *, void *, void (*)(pam_handle_t *, void *, int));
    int (*kept)(const pam_handle_t *, const char *, const void **);
};

/*
 * PAM_SUCCESS; PAM_IGNORE; PAM_PERM_DENIED, refused; PAM_AUTHINFO_UNAVAIL, could not be decided; PAM_USER_UNKNOWN, the
 * name has an Entra account's shape but is not known; PAM_SERVICE_ERR, it is an Entra user, but the module was given an
 * argument that it does not know, or PAM_USER cannot be set.
 *
 * A batch service (batch.c) waits here for Azure's first answer about the account, up to ENTRALOGIN_BATCH_DEADLINE_MS:
 * cron and atd call PAM in the process that they forked for the job, systemd in the one that becomes the user manager.
 */
int entralogin_pam_account(const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags, int argc);
/*
 * Sign-in with a code: PAM_SUCCESS; PAM_IGNORE for a user who is not an Entra user, wants another way, has no terminal
 * or comes through sshd; PAM_AUTH_ERR, refused; PAM_AUTHINFO_UNAVAIL; PAM_SERVICE_ERR, as above. The daemon is not
 * asked before the user wants a code. It lasts as long as the daemon says, at most ENTRALOGIN_DEVICE_SECONDS_MAX.
 *
 * In sudo it is a step-up of the user who runs sudo, and PAM_IGNORE only if that is no Entra user or the daemon says
 * that it is off. Also: PAM_CRED_INSUFFICIENT, they cannot do it here: PAM_USER is another user or is mapped to another
 * uid by NSS than by root's list, there is no terminal, or the PAM service is sshd's; PAM_ABORT, the user interrupted
 * it.
 */
int entralogin_pam_authenticate(
    const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags, int argc);
/*
 * PAM_SUCCESS; PAM_IGNORE, outside sshd for every user who did not sign in with a code through this handle;
 * PAM_SESSION_ERR.
 */
int entralogin_pam_open_session(
    const struct entralogin_pam_operations *operations, pam_handle_t *pamh, int flags, int argc);
/* PAM_SUCCESS after a sign-in or step-up with a code through this handle, otherwise PAM_IGNORE, like the auth stage. */
int entralogin_pam_setcred(const struct entralogin_pam_operations *operations, pam_handle_t *pamh);
/* PAM_SUCCESS or PAM_IGNORE, never an error: the modules after this one must close their part of the session. */
int entralogin_pam_close_session(const struct entralogin_pam_operations *operations, pam_handle_t *pamh);

/* What is at `path`: ENTRALOGIN_HOME_ABSENT, _FOLDER (with its owner) or _STRANGE. `root` owns the folders above it. */
uint16_t entralogin_home_state(const char *path, uint32_t root, uint32_t *ret_owner);
/* How many bytes of `path` name the first folder on the way that users other than root can write; 0 if there is none. */
uint32_t entralogin_home_exposure(const char *path, uint32_t root);

/* 0 if the disk certainly has no room for a new home at `path`. */
int entralogin_has_room_beside(const char *path);

#endif
