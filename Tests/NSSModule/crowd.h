/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that look up without a pause. */
#ifndef CROWD_H
#define CROWD_H

#include <stdint.h>

/* `strict`: every lookup must succeed; otherwise those that succeed must be right. */
void crowd_begin(unsigned threads, uint32_t count, int strict);
/* Waits until they have made that many more lookups. */
void crowd_go_on(uint64_t look_ups);
void crowd_end(void);

#endif
