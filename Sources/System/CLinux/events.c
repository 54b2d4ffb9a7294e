/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

_Static_assert(CLINUX_READABLE == EPOLLIN, "EPOLLIN");
_Static_assert(CLINUX_WRITABLE == EPOLLOUT, "EPOLLOUT");
_Static_assert(CLINUX_FAILED == EPOLLERR, "EPOLLERR");
_Static_assert(CLINUX_HUNG_UP == EPOLLHUP, "EPOLLHUP");
_Static_assert(CLINUX_PEER_SHUT == EPOLLRDHUP, "EPOLLRDHUP");
_Static_assert(CLINUX_ONCE == EPOLLONESHOT, "EPOLLONESHOT");

#define NANOSECONDS 1000000000u

static int result(int value) {
    return value < 0 ? -errno : value;
}

/* Reads the 8-byte counter of an eventfd or timerfd. */
static int take_counter(int descriptor) {
    uint64_t count;
    ssize_t got;
    do
        got = read(descriptor, &count, sizeof count);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : 0;
}

int clinux_epoll_create(void) {
    return result(epoll_create1(EPOLL_CLOEXEC));
}

int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return result(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event));
}

int clinux_epoll_remove(int epoll, int descriptor) {
    return result(epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL));
}

int clinux_epoll_wait(int epoll, struct clinux_ready ret_ready[CLINUX_READY_MAX], int timeout_ms) {
    struct epoll_event events[CLINUX_READY_MAX];
    int count = epoll_wait(epoll, events, CLINUX_READY_MAX, timeout_ms);
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++)
        ret_ready[i] = (struct clinux_ready){.token = events[i].data.u64, .events = events[i].events};
    return count;
}

int clinux_eventfd(int blocks) {
    return result(eventfd(0, EFD_CLOEXEC | (blocks ? 0 : EFD_NONBLOCK)));
}

int clinux_eventfd_add(int descriptor) {
    const uint64_t one = 1;
    ssize_t sent;
    do
        sent = write(descriptor, &one, sizeof one);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

int clinux_eventfd_take(int descriptor) {
    return take_counter(descriptor);
}

int clinux_timerfd(void) {
    return result(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
}

int clinux_timerfd_arm(int descriptor, uint64_t at) {
    struct itimerspec timer = {.it_value = {.tv_sec = (time_t)(at / NANOSECONDS), .tv_nsec = (long)(at % NANOSECONDS)}};
    return result(timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &timer, NULL));
}

int clinux_timerfd_take(int descriptor) {
    return take_counter(descriptor);
}

int clinux_signalfd(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        if (sigaddset(&set, signals[i]) < 0)
            return -errno;
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    return error ? -error : result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int clinux_signalfd_take(int descriptor) {
    struct signalfd_siginfo info;
    ssize_t got;
    do
        got = read(descriptor, &info, sizeof info);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    return got == sizeof info ? (int)info.ssi_signo : -EIO;
}

int clinux_ignore_sigpipe(void) {
    return signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -errno : 0;
}
