/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of PAM services that are treated otherwise than a sign-in: for the PAM module and the daemon alike. Pure. */
#ifndef ENTRALOGIN_SERVICE_H
#define ENTRALOGIN_SERVICE_H

#include <stddef.h>

/* A person's acting with other rights: decisions are younger there, and the caller counts, too (ARCHITECTURE.md). */
#define ENTRALOGIN_SERVICE_ELEVATES 0x1u
/* A job: it may start on an older decision, and waits for Azure's first answer. */
#define ENTRALOGIN_SERVICE_BATCH 0x2u
/* Where step-up asks for a code: what sudo calls itself (sudoers(5), pam_service and pam_login_service). */
#define ENTRALOGIN_SERVICE_STEPS_UP 0x4u
/* Gives the caller another account's rights, also where only root can ask for it (runuser(1)). */
#define ENTRALOGIN_SERVICE_LIFTS 0x8u

/* The kinds of the service with that name, as pam_start(3) folds it (lower case); 0 for one that is not in the table. */
unsigned entralogin_service_kinds(const char *name);
/* The table, row by row; NULL behind its end. */
const char *entralogin_service_at(size_t index);

#endif
