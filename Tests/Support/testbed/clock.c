/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to preload (LD_PRELOAD) into the daemon under test: its clocks run ahead by the times in a file. So a test
 * takes a second for what otherwise takes minutes or days, and can make the clock of the daemon alone wrong.
 *
 * The file named by TEST_CLOCK holds two 64-bit numbers of seconds: for CLOCK_REALTIME, and for the clocks since boot.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static const int64_t *ahead;

__attribute__((constructor)) static void open_clock(void) {
    const char *path = getenv("TEST_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *mapped = mmap(NULL, 2 * sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED)
        ahead = mapped;
}

static int64_t seconds_ahead(clockid_t clock) {
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        return ahead ? ahead[0] : 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        return ahead ? ahead[1] : 0;
    default:
        return 0;
    }
}

int clock_gettime(clockid_t clock, struct timespec *ret) {
    int error = (int)syscall(SYS_clock_gettime, clock, ret);
    if (error == 0)
        ret->tv_sec += seconds_ahead(clock);
    return error;
}

time_t time(time_t *ret) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *ret = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

/* The kernel knows only the true clock: an absolute time moves back by how far the daemon's clock is ahead. */
int timerfd_settime(int descriptor, int flags, const struct itimerspec *wanted, struct itimerspec *ret_old) {
    struct itimerspec timer = *wanted;
    if ((flags & TFD_TIMER_ABSTIME) && (timer.it_value.tv_sec || timer.it_value.tv_nsec)) {
        timer.it_value.tv_sec -= seconds_ahead(CLOCK_BOOTTIME);
        if (timer.it_value.tv_sec < 0)
            timer.it_value = (struct timespec){.tv_sec = 0, .tv_nsec = 1};
    }
    return (int)syscall(SYS_timerfd_settime, descriptor, flags, &timer, ret_old);
}
