/* SPDX-License-Identifier: Apache-2.0 */
#include "entralogin_service.h"

#include <string.h>

#define LIFTS ENTRALOGIN_SERVICE_LIFTS
#define ELEVATES (ENTRALOGIN_SERVICE_ELEVATES | LIFTS)
#define STEPS_UP (ELEVATES | ENTRALOGIN_SERVICE_STEPS_UP)
#define BATCH ENTRALOGIN_SERVICE_BATCH

/* clang-format off */
/* Names are arrays in the rows, not pointers: the module then needs no relocation for them. */
static const struct {
    char name[13];
    unsigned char kinds;
} services[] = {
    {"sudo", STEPS_UP}, {"sudo-i", STEPS_UP}, {"su", ELEVATES}, {"su-l", ELEVATES}, {"doas", ELEVATES},
    {"polkit-1", ELEVATES}, {"runuser", LIFTS}, {"runuser-l", LIFTS}, {"cron", BATCH}, {"crond", BATCH},
    {"atd", BATCH}, {"systemd-user", BATCH},
};
/* clang-format on */

const char *entralogin_service_at(size_t index) {
    return index < sizeof services / sizeof *services ? services[index].name : NULL;
}

unsigned entralogin_service_kinds(const char *name) {
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        if (strcmp(name, services[i].name) == 0)
            return services[i].kinds;
    return 0;
}
