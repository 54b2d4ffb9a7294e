/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and reads published files; for the readers of this folder only. */
#ifndef ENTRALOGIN_READING_H
#define ENTRALOGIN_READING_H

#include <stdint.h>

/* A copy is filled in pages of this size, whatever the kernel's page size. Each page has a byte with its state. */
#define ENTRALOGIN_PAGE 4096u
enum { ENTRALOGIN_EMPTY, ENTRALOGIN_BEING_FILLED, ENTRALOGIN_FILLED };

/* Opens for reading: does not block on a FIFO, follows no link at `path`, never returns 0, 1 or 2. Sets errno. */
int entralogin_open_aside(const char *path);

/* The `size` bytes at `offset`, or fewer where the file ends or an error comes first. Sets errno. */
uint32_t entralogin_read_at(int fd, unsigned char *bytes, uint32_t offset, uint32_t size);

#endif
