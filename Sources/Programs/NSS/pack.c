/* SPDX-License-Identifier: Apache-2.0 */
#include "nss_private.h"

#include <stdint.h>
#include <string.h>

char *entralogin_space_text(struct entralogin_space *space, struct entralogin_text text) {
    if (text.length >= space->left)
        return NULL;
    char *copy = space->at;
    memcpy(copy, text.bytes, text.length);
    copy[text.length] = '\0';
    space->at += text.length + 1;
    space->left -= text.length + 1;
    return copy;
}

char **entralogin_space_pointers(struct entralogin_space *space, size_t count) {
    size_t gap = -(uintptr_t)space->at & (_Alignof(char *) - 1);
    if (gap > space->left || count >= (space->left - gap) / sizeof(char *))
        return NULL;
    char **pointers = (char **)(void *)(space->at + gap);
    size_t used = gap + (count + 1) * sizeof(char *);
    space->at += used;
    space->left -= used;
    return pointers;
}
