/* SPDX-License-Identifier: Apache-2.0 */
#include "entralogin_snapshot.h"

#include <string.h>

#include "little_endian.h"

uint32_t entralogin_hash(uint32_t seed, const void *data, size_t size) {
    const unsigned char *bytes = data;
    unsigned char tail[8] = {0};
    uint64_t hash = ((uint64_t)seed << 32 | (uint32_t)size) * ENTRALOGIN_HASH_FACTOR;
    for (; size >= 8; bytes += 8, size -= 8)
        hash = ((hash << 5 | hash >> 59) ^ entralogin_le64(bytes)) * ENTRALOGIN_HASH_FACTOR;
    if (size > 0) {
        memcpy(tail, bytes, size);
        hash = ((hash << 5 | hash >> 59) ^ entralogin_le64(tail)) * ENTRALOGIN_HASH_FACTOR;
    }
    hash = (hash ^ hash >> 32) * ENTRALOGIN_HASH_FACTOR;
    hash ^= hash >> 32;
    return (uint32_t)hash != 0 ? (uint32_t)hash : 1;
}
