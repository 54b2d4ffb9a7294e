/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the tests of the built NSS module. The module is as shipped, except for its paths, which the makefile sets.
 * Each case has a process of its own, which ends at the first failure.
 */
#ifndef TESTBED_H
#define TESTBED_H

#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "entralogin_name.h"
#include "entralogin_snapshot.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#if __has_feature(thread_sanitizer)
#define THREADS_WATCHED 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#endif
#ifdef __SANITIZE_THREAD__
#define SANITIZED 1
#define THREADS_WATCHED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif
#ifndef THREADS_WATCHED
#define THREADS_WATCHED 0
#endif

/* Shared by all processes: the newest version that a reader can see, the oldest that it may see, and what failed. */
struct shared {
    _Atomic uint32_t publishing, published;
    _Atomic uint64_t look_ups;
    char complaint[512];
};
extern struct shared *shared;

/* Ends the process with a message unless the condition holds. */
#define require(holds, ...) ((holds) ? (void)0 : complain(__VA_ARGS__))
_Noreturn void complain(const char *what, ...) __attribute__((format(printf, 1, 2)));

/* --- publish.c: the two files, as the daemon would write them --- */

/* Every field of every record contains the version, so that a test sees a mixture of two versions. */
void publish(uint32_t version, uint32_t count);
/* The same without a rename: writes the bytes to that path. */
void write_accounts(const char *path, uint32_t version, uint32_t count);
/* Every account with an even number is an administrator. */
void publish_grants(void);
void remove_published(void);

/* --- ask.c --- */

void load(const char *path);
void unload(void);

/* The five ways to look up account `number`: `way` modulo 5. */
enum { WAYS = 5 };
/* SUCCESS if the whole record is of one version in the range of `struct shared`, or another status. */
enum nss_status ask(unsigned way, uint32_t number);
/* The same, and it must succeed. */
void must_answer(unsigned way, uint32_t number);
/* Asks in all ways, for `count` accounts, until the module keeps a copy and reads it. */
void warm(uint32_t count);

#endif
