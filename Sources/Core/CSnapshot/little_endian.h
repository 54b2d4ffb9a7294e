/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the numbers of the published files. Compilers make each call one load. */
#ifndef ENTRALOGIN_LITTLE_ENDIAN_H
#define ENTRALOGIN_LITTLE_ENDIAN_H

#include <stdint.h>

static inline uint32_t entralogin_le16(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t entralogin_le32(const unsigned char *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint64_t entralogin_le64(const unsigned char *at) {
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
}

#endif
