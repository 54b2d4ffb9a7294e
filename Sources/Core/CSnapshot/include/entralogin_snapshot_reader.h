/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of the published files (entralogin_snapshot.h), for other programs' processes.
 *
 * Open, look up, close. Without `kept` nothing is cached: a hit costs open, fstat, one pread in a small file (three in
 * a large one) and close. With it, a process that makes repeated look-ups keeps a private copy, and a hit costs one
 * fstat. No call allocates heap memory, waits for a lock, or changes errno. Returned pointers point into the window or
 * the copy and are valid until the next call on the same reader, including close.
 */
#ifndef ENTRALOGIN_SNAPSHOT_READER_H
#define ENTRALOGIN_SNAPSHOT_READER_H

#include "entralogin_name.h"
#include "entralogin_snapshot.h"

/* The results of a look-up in a file. */
#define ENTRALOGIN_UNREADABLE (-1) /* not a file of this kind, damaged, or the process has no descriptor left */
#define ENTRALOGIN_ABSENT 0        /* not in the file, or there is no file: no account is enrolled, no grant in force */
#define ENTRALOGIN_FOUND 1

/* The files' owners are system users: up to useradd's SYS_UID_MAX. */
#define ENTRALOGIN_OWNER_MAX 999u

struct entralogin_kept;
struct entralogin_copy;

/* The part of a file that was read last. The caller owns the bytes, on its stack: at least ENTRALOGIN_WINDOW. */
#define ENTRALOGIN_WINDOW 4096u
struct entralogin_window {
    struct entralogin_kept *kept; /* NULL: the file is read and nothing is kept */
    struct entralogin_copy *copy; /* read before the file, and held while this reader is open */
    int fd;
    uint32_t file_size;
    unsigned char *bytes;
    uint32_t capacity, start, length;
};

/* A passwd record. The strings are not NUL-terminated: `length` bytes each. */
struct entralogin_text {
    const char *bytes;
    size_t length;
};

struct entralogin_record {
    uint32_t uid, gid;
    struct entralogin_text name, gecos, home, shell;
};

/*
 * True for a record that may be returned to any caller, whatever its source: uid and gid equal and in the range, name
 * in an Entra account's form or a short name, home and shell absolute, no colon or control character, not too long for
 * the file.
 */
int entralogin_record_is_sound(const struct entralogin_record *record);
/* ENTRALOGIN_GROUPS_ALONE: the record is neither a user nor a group. */
int entralogin_record_is_for_groups_alone(const struct entralogin_record *record);

struct entralogin_accounts {
    struct entralogin_window window;
    uint64_t generation;
    uint32_t count, seed, flags, first_record, end_of_records;
    uint32_t name_table, name_mask, uid_table, uid_mask;
    struct entralogin_text users_group, administrators_group; /* empty where the file's name is not acceptable */
    char names[2][ENTRALOGIN_GROUP_NAME_MAX];
    uint32_t domain_length; /* 0: there are no short names */
    char domain[ENTRALOGIN_DOMAIN_MAX];
};

/* Opens the file and checks its header. On FOUND the caller must close it; otherwise there is nothing to close. */
int entralogin_accounts_open(
    struct entralogin_accounts *a, const char *path, struct entralogin_kept *kept, void *window, size_t capacity);
void entralogin_accounts_close(struct entralogin_accounts *a);
/*
 * The same without a system call: true if the process keeps a copy whose path was checked within the last
 * ENTRALOGIN_PATH_CHECK_MS. For callers that check another file in the same look-up; after a miss they must open the
 * file.
 */
int entralogin_accounts_open_recent(
    struct entralogin_accounts *a, struct entralogin_kept *kept, void *window, size_t capacity);
/* A whole name also finds the record of its short name. */
int entralogin_accounts_by_name(
    struct entralogin_accounts *a, const char *name, size_t length, struct entralogin_record *ret);
int entralogin_accounts_by_uid(struct entralogin_accounts *a, uint32_t uid, struct entralogin_record *ret);

/*
 * Returns the record at *position (0: the first), in file order, and sets *position to the next one. ABSENT at the
 * end. A position from an older file gives UNREADABLE, or some record of this file.
 */
int entralogin_accounts_next(struct entralogin_accounts *a, uint32_t *position, struct entralogin_record *ret);

/* A file of memberships, which are valid only during the boot in which they were written. */
struct entralogin_since_boot {
    struct entralogin_window window;
    uint64_t generation;
    uint32_t count, people; /* GRANTS: entries, and 0; GROUPS: groups, and users who are in any of them */
    unsigned char boot_id[16];
};

struct entralogin_grants {
    struct entralogin_since_boot file;
};

int entralogin_grants_open(
    struct entralogin_grants *g, const char *path, struct entralogin_kept *kept, void *window, size_t capacity);
void entralogin_grants_close(struct entralogin_grants *g);
/* The entry of that uid, or the entry at that index (from 0; ABSENT after the last). UNREADABLE if damaged. */
int entralogin_grants_by_uid(struct entralogin_grants *g, uint32_t uid, uint64_t *ret_expiry);
int entralogin_grants_at(struct entralogin_grants *g, uint32_t index, uint32_t *ret_uid, uint64_t *ret_expiry);
/* True if the file was written during this boot: `path` is /proc/sys/kernel/random/boot_id. */
int entralogin_grants_are_of_this_boot(const struct entralogin_grants *g, const char *path);
/* CLOCK_BOOTTIME in whole seconds; UINT64_MAX if it cannot be read, so that everything counts as expired. */
uint64_t entralogin_boot_seconds(void);

struct entralogin_groups {
    struct entralogin_since_boot file;
};

/* As for the grants: the caller compares the boot, and the expiry with its own clock. */
int entralogin_groups_open(
    struct entralogin_groups *g, const char *path, struct entralogin_kept *kept, void *window, size_t capacity);
void entralogin_groups_close(struct entralogin_groups *g);
/* The group at that place (from 0); ABSENT after the last. The name points into the file's bytes. */
int entralogin_groups_at(
    struct entralogin_groups *g, uint32_t place, struct entralogin_text *ret_name, uint32_t *ret_gid);
/* The memberships of that uid: bit i stands for the group at place i; bits after the last group are 0. */
int entralogin_groups_of(struct entralogin_groups *g, uint32_t uid, uint64_t *ret_expiry, uint64_t *ret_places);
int entralogin_groups_are_of_this_boot(const struct entralogin_groups *g, const char *path);

/*
 * --- What a process keeps of one file ---
 *
 * A private copy in anonymous memory, so that a file truncated in use causes a short read, not a SIGBUS. It is made at
 * the fourth look-up, so that a process with one or two look-ups does not pay for it, and filled page by page on
 * access. A filled page never changes again.
 *
 * Freshness: each look-up compares fstat of the kept descriptor with what was recorded (a file that was unlinked, or
 * replaced by a rename, has no link left). The process may close the descriptor and reuse its number for another file:
 * the module then leaves that number alone and opens the file anew. At most every ENTRALOGIN_PATH_CHECK_MS the path is
 * checked, too: nothing else shows a chroot(2), or a mount over the folder.
 *
 * All threads share it without a lock, so that a child of fork(2) cannot inherit a lock that is never released: readers
 * are counted, and a copy that is no longer current is unmapped by the thread that finds it without readers. A reader
 * that meets a change of copies, or a page that another thread is filling, reads the file itself. A child forked during
 * another thread's look-up inherits that thread's count and can never free that copy: ENTRALOGIN_COPIES bounds the
 * loss, and a child that has lost all of them reads the file each time. Nothing runs at exit or dlclose (the module is
 * linked with -z nodelete).
 */
#define ENTRALOGIN_COPIES 4u
#define ENTRALOGIN_PATH_CHECK_MS 10u
/* Larger files are not kept, but read each time: 64 MiB hold half a million accounts. */
#define ENTRALOGIN_KEPT_MAX (64u << 20)

/* Tells which file is behind a descriptor, and whether it has changed. */
struct entralogin_identity {
    uint64_t device, inode, size;
    int64_t changed_seconds, changed_nanoseconds;
    uint32_t owner, mode;
};

struct entralogin_copy {
    uint32_t users; /* look-ups that read it now; the highest bit: a thread is making or unmapping it */
    uint32_t reads; /* from the file into the copy */
    int fd;
    struct entralogin_identity identity;
    uint64_t path_checked;               /* CLOCK_MONOTONIC_COARSE, milliseconds */
    unsigned char *bytes;                /* NULL: no copy here */
    size_t mapped;                       /* size of one mapping with bytes, proven and pages */
    unsigned char *pages;                /* one byte for each page: empty, being filled, filled */
    uint64_t *proven;                    /* one bit for each 8 bytes: the record that begins there was found sound */
    uint32_t of_this_boot;               /* grants, groups: true once the boot ids were seen to match */
    struct entralogin_accounts accounts; /* the parsed header: in one of these two */
    struct entralogin_since_boot since_boot;
};

/* All zero at first. One for each file, shared by all threads of the process. */
struct entralogin_kept {
    uint32_t current; /* the copy that look-ups use, counted from 1; 0: none */
    uint32_t asked;   /* look-ups since there was a current copy */
    struct entralogin_copy copies[ENTRALOGIN_COPIES];
};

/* Releases the current copy. Tests only. */
void entralogin_kept_forget(struct entralogin_kept *kept);

#endif
