/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that Swift's view of libc does not show (epoll, eventfd, timerfd, signalfd, accept4, ucred, pidfd,
 * getrandom, posix_spawn with closefrom) or shows only as macros and variadics.
 *
 * Every function returns a value >= 0, or the negated errno; outputs (`ret_`) are untouched on failure. Descriptors are
 * born close-on-exec and, where they are polled, non-blocking. Nothing here keeps state.
 *
 * This header includes no libc header that changes under _GNU_SOURCE: two modules would then disagree about libc.
 */
#ifndef ENTRALOGIN_CLINUX_H
#define ENTRALOGIN_CLINUX_H

#include <stddef.h>
#include <stdint.h>

/* --- epoll(7), eventfd(2), timerfd_create(2), signalfd(2) --- */

/* The masks of epoll_ctl(2). */
#define CLINUX_READABLE 0x0001u
#define CLINUX_WRITABLE 0x0004u
#define CLINUX_FAILED 0x0008u
#define CLINUX_HUNG_UP 0x0010u
#define CLINUX_PEER_SHUT 0x2000u
#define CLINUX_ONCE (1u << 30)

#define CLINUX_READY_MAX 64

/* One descriptor that is ready: what it was registered with, and how it is ready. */
struct clinux_ready {
    uint64_t token;
    uint32_t events;
};

int clinux_epoll_create(void);
int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token);
int clinux_epoll_remove(int epoll, int descriptor);
/* Waits, without limit where `timeout_ms` is -1; fills at most CLINUX_READY_MAX entries and returns how many. */
int clinux_epoll_wait(int epoll, struct clinux_ready ret_ready[CLINUX_READY_MAX], int timeout_ms);

/* A counter that wakes a poller or, if it `blocks`, a thread that reads it. Taking resets it to 0. */
int clinux_eventfd(int blocks);
int clinux_eventfd_add(int descriptor);
int clinux_eventfd_take(int descriptor);

/* A timer of CLOCK_BOOTTIME; `at` is absolute, in nanoseconds; 0 disarms it. */
int clinux_timerfd(void);
int clinux_timerfd_arm(int descriptor, uint64_t at);
int clinux_timerfd_take(int descriptor);

/* Blocks these signals in the calling thread (and all that it starts later) and opens a descriptor that reads them. */
int clinux_signalfd(const int *signals, size_t count);
/* The number of the next signal, or -EAGAIN. */
int clinux_signalfd_take(int descriptor);
/* SIGPIPE would end the process at the first peer that closes early; EPIPE says the same. */
int clinux_ignore_sigpipe(void);

/* --- unix(7): SOCK_SEQPACKET, and SOCK_STREAM where it says so --- */

struct clinux_peer {
    int32_t pid;
    uint32_t uid, gid;
};

int clinux_seqpacket(void);
int clinux_datagram(void);
/* -ENAMETOOLONG where the path does not fit sun_path. */
int clinux_bind(int descriptor, const char *path);
int clinux_connect(int descriptor, const char *path);
int clinux_listen(int descriptor, int backlog);
int clinux_accept(int listener);
int clinux_peer_of(int descriptor, struct clinux_peer *ret_peer);
/* 1 for a listening AF_UNIX socket of type SOCK_SEQPACKET, 0 for any other socket. */
int clinux_is_seqpacket_listener(int descriptor);
/* The path the socket is bound to, NUL-terminated; returns its length: 0 for an unnamed or abstract one. */
int clinux_bound_path(int descriptor, char *ret_path, size_t capacity);
/* Makes an inherited descriptor non-blocking and close-on-exec. */
int clinux_adopt(int descriptor);
/*
 * Returns the whole length of the message; if it is more than `capacity`, the rest is lost. 0: the peer has closed.
 * That counts only when recv(2) reports it twice: a message may have come just before (see CClient's receive_by).
 */
int64_t clinux_receive(int descriptor, void *ret_bytes, size_t capacity);
int64_t clinux_send(int descriptor, const void *bytes, size_t size);
/* One datagram to the socket that is bound at the path now. */
int64_t clinux_send_to(int descriptor, const char *path, const void *bytes, size_t size);
/* The same with a descriptor, of which the receiver gets a copy. A path that begins with "@" is abstract (unix(7)). */
int64_t clinux_send_with(int descriptor, const char *path, const void *bytes, size_t size, int attached);
/* Reads what has come on a stream, at most `capacity` bytes. 0: the peer has closed. */
int64_t clinux_receive_some(int descriptor, void *ret_bytes, size_t capacity);

/* --- files --- */

#define CLINUX_FILE_SOCKET 1
#define CLINUX_FILE_OTHER 2

struct clinux_file {
    int kind;
    uint32_t owner, group, mode;
};

/* lstat(2): a link is not followed. */
int clinux_stat(const char *path, struct clinux_file *ret_file);
/* Opens or makes a file of mode 0600 and takes an exclusive flock(2) on it; -EWOULDBLOCK where another holds it. */
int clinux_lock(const char *path);

/* --- processes and threads --- */

/*
 * A descriptor bound to one process: a pidfd, or its folder in /proc where the kernel gives none. -ESRCH if there is no
 * such process.
 */
int clinux_pidfd(int32_t pid);
/* 1 once that process has ended, reaped or not, 0 while it lives. */
int clinux_pidfd_ended(int descriptor);
/* 1 for a pidfd, which can be polled; 0 for a folder. */
int clinux_is_pidfd(int descriptor);
/* 1 once that child of the caller has ended and is not yet reaped, 0 while it runs. */
int clinux_child_ended(int32_t pid);

int clinux_pipe(int ret_ends[2]);

/*
 * posix_spawn(3) of an absolute path: standard input from /dev/null, the two outputs as given, every other descriptor
 * closed, no signal blocked or ignored, in a process group of its own.
 */
int clinux_spawn(
    const char *path, char *const argv[], char *const envp[], int output, int error_output, int32_t *ret_pid);
/* Reaps a child: its exit status 0-255, or 256 + the signal that ended it. Waits for it. */
int clinux_reap(int32_t pid);
/* SIGKILL to the process group that the child leads. */
int clinux_kill_group(int32_t pid);

/*
 * Waits until one of the descriptors is readable or at its end, or `timeout_ms` passed; a negative descriptor is
 * skipped. ret_ready[i] becomes 0 or 1.
 */
int clinux_poll(const int *descriptors, int *ret_ready, size_t count, int timeout_ms);

/* Starts a joinable thread with all signals blocked. */
int clinux_thread_start(void *(*body)(void *), void *context, uintptr_t *ret_thread);
int clinux_thread_join(uintptr_t thread);
int clinux_thread_detach(uintptr_t thread);
/* The calling thread: comparable, never 0. */
uintptr_t clinux_thread_self(void);
/* At most 15 bytes are kept. */
int clinux_thread_name(const char *name);

/* --- memory --- */

/*
 * mallopt(3): one arena for all threads, and large blocks given back as soon as they are freed. For a process with few
 * threads that wants to stay small; to be called before a second thread is started.
 */
void clinux_keep_heap_small(void);
/* Gives free memory of the heap back (malloc_trim(3)), and forgets the pages of program text that were only needed to
   start: they are clean, and come back from the page cache where they are used again. */
void clinux_give_back_memory(void);
/*
 * Clears PR_SET_DUMPABLE (prctl(2)): no core dump, whatever handles it and whatever RLIMIT_CORE says (core(5)), and no
 * debugger of the same user. The files of this process in /proc then belong to root.
 */
int clinux_keep_memory_private(void);

/* --- the system's account files --- */

/* lckpwdf(3): waits for 15 seconds at most. One lock a process. */
int clinux_lock_accounts(void);
int clinux_unlock_accounts(void);
/* Copies owner, mode and SELinux's label, if there is one, from one open file to another. */
int clinux_copy_attributes(int from, int to);

/* --- clocks and randomness --- */

/* Nanoseconds of CLOCK_BOOTTIME; seconds of CLOCK_REALTIME. */
int64_t clinux_boottime(void);
int64_t clinux_realtime(void);
/* Fills the whole buffer from getrandom(2). */
int clinux_random(void *ret_bytes, size_t size);

#endif
