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

char **entralogin_space_empty_list(struct entralogin_space *space) {
    size_t gap = -(uintptr_t)space->at & (_Alignof(char *) - 1), used = gap + sizeof(char *);
    if (used > space->left)
        return NULL;
    char **list = (char **)(void *)(space->at + gap);
    *list = NULL;
    space->at += used;
    space->left -= used;
    return list;
}
