/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends every process of one Entra account. The daemon has no capability (P11), so this separate program does it. It
 * takes only a uid, a name and a cause from the daemon, and checks by root's files that the uid is an Entra account's,
 * and which other numbers are that account's.
 */
#ifndef ENTRALOGIN_END_SESSIONS_H
#define ENTRALOGIN_END_SESSIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ENTRALOGIN_SESSIONS_IDLE_MS 60000

/* The files that say which account a uid belongs to; tests name others. */
struct entralogin_owners {
    const char *passwd, *subuid, *mapped; /* passwd(5); subuid(5); the list of entralogin_mapped.h */
    uint32_t root;                        /* the uid that must own the last two */
};

/*
 * True if `uid` can only be an Entra account's: in the compiled-in range and not a local account's in `passwd`, or a
 * mapped account's, on which the list and the record agree. Never for root or a system id, or if a file is unreadable.
 */
int entralogin_uid_is_entra(const struct entralogin_owners *owners, uint32_t uid);

/* One process, as /proc/PID/status has it. */
struct entralogin_process {
    int32_t pid, parent;
    uint32_t real, effective, saved;
    uint32_t threads;
    char state;
    char command[16]; /* comm, escaped by the kernel where it is not plain */
};

/* Reads the text of a status file. False where a field is missing. */
int entralogin_parse_status(const char *text, struct entralogin_process *ret);

/* The numbers of an account: its uid, and those that its rootless containers have. */
#define ENTRALOGIN_RANGES_MAX 16u
struct entralogin_range {
    uint32_t first, last;
};
struct entralogin_account {
    uint32_t uid, ranges_count;
    struct entralogin_range ranges[ENTRALOGIN_RANGES_MAX];
};

/*
 * Fills in the ranges that subuid(5) gives to `account->uid` by `name` or by number. None where the name is a local
 * account's with another number, where a user other than root can write the file, or where it or passwd(5) cannot be read to
 * its end. A range that any other line or a local uid touches is left out; so is one with numbers below 65536 or of
 * Entra accounts.
 */
void entralogin_find_ranges(
    const struct entralogin_owners *owners, const char *name, size_t length, struct entralogin_account *account);
int entralogin_is_in_ranges(const struct entralogin_account *account, uint32_t uid);

/* True for a process that the uid itself could signal (kill(2)), except for one of root that acts as it for a while. */
int entralogin_is_of(const struct entralogin_process *p, uint32_t uid);

/* The login uid (pam_loginuid(8)) or the control group of a login session says whose it was, whatever its parent is. */
int entralogin_carries(int folder, uint32_t uid);

/*
 * True for the account's own, and for one that runs with a number of its ranges and carries its uid: systemd-nspawn may
 * give a container of root's the same numbers.
 */
int entralogin_is_accounts(int folder, const struct entralogin_process *p, const struct entralogin_account *account);

/* False for one that only waits to be reaped. A leader that has ended counts while a thread of it lives. */
int entralogin_is_alive(const struct entralogin_process *p);

/* Calls `visit` for every process, with its folder below /proc, in the order of their numbers. 0 or a negative errno. */
typedef void entralogin_visit(int folder, const struct entralogin_process *p, void *context);
int entralogin_each_process(entralogin_visit *visit, void *context);

/* Reads a whole file below `folder` into `text`, cut at `capacity` and NUL-terminated. Its length, or -1. */
ssize_t entralogin_read_proc(int folder, const char *name, char *text, size_t capacity);

/* Writes the sentence for `cause` to the terminals of that uid's processes. Never blocks. Returns how many took it. */
unsigned entralogin_tell_terminals(uint32_t uid, uint16_t cause);
/* The path of a terminal by its number in /proc/PID/stat: false for one that a login cannot have. */
int entralogin_terminal_path(unsigned number, char *path, size_t capacity);

/* A process that this account's sessions started under another uid, and that was left alone. */
struct entralogin_other {
    int32_t pid;
    uint32_t uid;
    char command[16];
};
#define ENTRALOGIN_OTHERS_MAX 32u

struct entralogin_ended {
    uint32_t ended, left; /* processes */
    uint32_t others_count;
    struct entralogin_other others[ENTRALOGIN_OTHERS_MAX];
};

/* Finds the processes that descend from one of the account's, or carry its uid, and are not its own. */
void entralogin_find_others(const struct entralogin_account *account, struct entralogin_ended *ret);
/* Removes the other processes that have ended. */
void entralogin_keep_living(struct entralogin_ended *ended);

/*
 * Writes to the terminals, stops every process of the account, then kills until none is left, for some seconds at most.
 * The caller has checked that the uid is an Entra account's. 0, or a negative errno if processes cannot be seen.
 */
int entralogin_end_account(const struct entralogin_account *account, uint16_t cause, struct entralogin_ended *ret);

/*
 * Carries out one request of ENTRALOGIN_END_ACCOUNT and writes the reply. `end` is entralogin_end_account, except in
 * tests. Returns the reply's size; 0 for bytes that are not a request.
 */
typedef int entralogin_end_function(
    const struct entralogin_account *account, uint16_t cause, struct entralogin_ended *ret);
size_t entralogin_answer_end(const struct entralogin_owners *owners, entralogin_end_function *end, const void *request,
    size_t request_size, void *reply, size_t reply_capacity);

/*
 * Answers on the listening socket until `idle_ms` pass without a request. Takes requests of processes of `owner` only,
 * one at a time. 0 at the end, or a negative errno. Messages go to the descriptor `errors`.
 */
int entralogin_sessions_serve(
    int listener, uint32_t owner, const struct entralogin_owners *owners, int idle_ms, int errors);

#endif
