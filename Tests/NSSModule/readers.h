/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that look up without a pause. */
#ifndef READERS_H
#define READERS_H

#include <stdint.h>

/* `strict`: every lookup must succeed; otherwise those that succeed must be right. */
void readers_begin(unsigned threads, uint32_t count, int strict);
/* Waits until the threads have made that many more lookups. */
void readers_go_on(uint64_t look_ups);
void readers_end(void);

#endif
