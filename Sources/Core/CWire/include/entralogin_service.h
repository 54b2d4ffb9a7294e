/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of PAM services that are more than a plain sign-in, for the PAM module and the daemon. Pure. */
#ifndef ENTRALOGIN_SERVICE_H
#define ENTRALOGIN_SERVICE_H

#include <stddef.h>

/* The user acts with other rights: decisions must be younger, and the caller is checked, too (ARCHITECTURE.md). */
#define ENTRALOGIN_SERVICE_ELEVATES 0x1u
/* A job: it may start on an older decision, and waits for Azure's first answer. */
#define ENTRALOGIN_SERVICE_BATCH 0x2u
/* sudo's default service names (sudoers(5), pam_service and pam_login_service), where step-up asks for a code. */
#define ENTRALOGIN_SERVICE_STEPS_UP 0x4u
/* Gives the caller another account's rights, also where only root may use the service (runuser(1)). */
#define ENTRALOGIN_SERVICE_LIFTS 0x8u

/* The kinds of the service with that name, as pam_start(3) folds it (lower case); 0 for one that is not in the table. */
unsigned entralogin_service_kinds(const char *name);
/* The table, row by row; NULL behind its end. */
const char *entralogin_service_at(size_t index);

#endif
