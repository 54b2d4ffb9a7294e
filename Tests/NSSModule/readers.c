/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "readers.h"

#include <pthread.h>
#include <sched.h>

#include "testbed.h"

#define THREADS_MAX 8u

static pthread_t threads[THREADS_MAX];
static unsigned running;
static uint32_t people;
static int every_one;
static _Atomic int stopped;

/* xorshift32 */
static uint32_t chance(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void *look_up(void *argument) {
    uint32_t state = 2463534242u + (uint32_t)(uintptr_t)argument * 77u;
    while (!atomic_load(&stopped)) {
        uint32_t number = chance(&state) % people, way = chance(&state);
        if (every_one)
            must_answer(way, number);
        else
            ask(way, number);
    }
    return NULL;
}

void readers_begin(unsigned count, uint32_t accounts, int strict) {
    require(count <= THREADS_MAX, "too many threads");
    atomic_store(&stopped, 0);
    people = accounts;
    every_one = strict;
    for (running = 0; running < count; running++)
        require(pthread_create(&threads[running], NULL, look_up, (void *)(uintptr_t)running) == 0, "no thread");
}

void readers_go_on(uint64_t look_ups) {
    uint64_t until = atomic_load(&shared->look_ups) + look_ups;
    while (atomic_load(&shared->look_ups) < until)
        sched_yield();
}

void readers_end(void) {
    atomic_store(&stopped, 1);
    while (running > 0)
        pthread_join(threads[--running], NULL);
}
