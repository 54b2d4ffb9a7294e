/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of the published files (entralogin_snapshot.h), for other programs' processes.
 *
 * Open, ask, close. Without `kept` nothing stays: a hit is open, fstat, one pread in a small file (three in a large
 * one) and close. With it, a process that goes on asking keeps a private copy, and a hit is one fstat. No call takes
 * memory from the heap, waits for a lock, or changes errno. What a call returns points into the window or the copy and
 * holds until the next call on the same reader, its closing included.
 */
#ifndef ENTRALOGIN_SNAPSHOT_READER_H
#define ENTRALOGIN_SNAPSHOT_READER_H

#include "entralogin_name.h"
#include "entralogin_snapshot.h"

/* What a question to a file can come to. */
#define ENTRALOGIN_UNREADABLE (-1) /* not such a file, damaged, or the process has no descriptor left */
#define ENTRALOGIN_ABSENT 0        /* the file says no, or there is no file: nobody is enrolled, nobody is granted */
#define ENTRALOGIN_FOUND 1

/* System users own the files: the range of useradd's SYS_UID_MAX. */
#define ENTRALOGIN_OWNER_MAX 999u

struct entralogin_kept;
struct entralogin_copy;

/* The part of a file that was read last. The bytes are the caller's, on its stack: at least ENTRALOGIN_WINDOW. */
#define ENTRALOGIN_WINDOW 4096u
struct entralogin_window {
    struct entralogin_kept *kept; /* NULL: the file is read and nothing is kept */
    struct entralogin_copy *copy; /* what is read first, while this reader is open */
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
 * True for a record that may be told to anybody, wherever it comes from: ids in the range and equal, name of an Entra account's
 * shape or a short one, home and shell absolute, no colon and no control character, not longer than a record of the file may be.
 */
int entralogin_record_is_sound(const struct entralogin_record *record);
/* ENTRALOGIN_GROUPS_ALONE: nobody's passwd record, and no group's. */
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

/* Opens and proves the header. On FOUND the caller closes; on anything else there is nothing to close. */
int entralogin_accounts_open(
    struct entralogin_accounts *a, const char *path, struct entralogin_kept *kept, void *window, size_t capacity);
void entralogin_accounts_close(struct entralogin_accounts *a);
/*
 * The same without a system call: true where the process keeps a copy whose path was compared within the last
 * ENTRALOGIN_PATH_CHECK_MS. For who compares another file in the same breath; what it does not find is asked for anew.
 */
int entralogin_accounts_open_recent(
    struct entralogin_accounts *a, struct entralogin_kept *kept, void *window, size_t capacity);
/* A whole name also finds the record of its short name. */
int entralogin_accounts_by_name(
    struct entralogin_accounts *a, const char *name, size_t length, struct entralogin_record *ret);
int entralogin_accounts_by_uid(struct entralogin_accounts *a, uint32_t uid, struct entralogin_record *ret);

/*
 * The record at *position (0: the first), in the order of the file; *position becomes that of the next one. ABSENT at
 * the end. A position of an older file is UNREADABLE, or a record of this one.
 */
int entralogin_accounts_next(struct entralogin_accounts *a, uint32_t *position, struct entralogin_record *ret);

/* A file of memberships, which count until the machine stops. */
struct entralogin_since_boot {
    struct entralogin_window window;
    uint64_t generation;
    uint32_t count, people; /* grants: no people; groups: how many groups, and how many people are in any */
    unsigned char boot_id[16];
};

struct entralogin_grants {
    struct entralogin_since_boot file;
};

int entralogin_grants_open(
    struct entralogin_grants *g, const char *path, struct entralogin_kept *kept, void *window, size_t capacity);
void entralogin_grants_close(struct entralogin_grants *g);
/* The entry of that uid, or the entry with that number (from 0; ABSENT after the last). Damaged ones: UNREADABLE. */
int entralogin_grants_by_uid(struct entralogin_grants *g, uint32_t uid, uint64_t *ret_expiry);
int entralogin_grants_at(struct entralogin_grants *g, uint32_t index, uint32_t *ret_uid, uint64_t *ret_expiry);
/* True where the file was written since this machine started: `path` is /proc/sys/kernel/random/boot_id. */
int entralogin_grants_are_of_this_boot(const struct entralogin_grants *g, const char *path);
/* CLOCK_BOOTTIME in whole seconds; the end of time where it cannot be read, so that everything has expired. */
uint64_t entralogin_boot_seconds(void);

struct entralogin_groups {
    struct entralogin_since_boot file;
};

/* As for the grants. Who is in a group is asked by the caller's own clock and boot, as there. */
int entralogin_groups_open(
    struct entralogin_groups *g, const char *path, struct entralogin_kept *kept, void *window, size_t capacity);
void entralogin_groups_close(struct entralogin_groups *g);
/* The group at that place, from 0: ABSENT behind the last. The name points into the file's bytes. */
int entralogin_groups_at(
    struct entralogin_groups *g, uint32_t place, struct entralogin_text *ret_name, uint32_t *ret_gid);
/* What stands about that uid: bit i is the group at place i, and never one behind the last. */
int entralogin_groups_of(struct entralogin_groups *g, uint32_t uid, uint64_t *ret_expiry, uint64_t *ret_places);
int entralogin_groups_are_of_this_boot(const struct entralogin_groups *g, const char *path);

/*
 * --- What a process keeps of one file ---
 *
 * A private copy in anonymous memory: a file that its owner cuts short in use is a read that comes up short, not a
 * SIGBUS. It is made at the fourth look-up, so that a process that asks once or twice pays for nothing, and filled
 * where it is touched. A filled page never changes again.
 *
 * Fresh: each look-up compares the kept descriptor with what it was (fstat: a file that another one was renamed over,
 * or that was unlinked, has no link left). The number is the process's to close and to give to another file: then it is
 * not the module's any more, is let alone, and the file is opened anew. At most every ENTRALOGIN_PATH_CHECK_MS the
 * path is compared, too: a chroot(2), or a mount over the folder, shows in nothing else.
 *
 * Shared by all threads and without a lock, so that a child of fork(2) inherits none that nobody will open: a reader is
 * counted in and out of the copy, and what is no longer current is unmapped by the thread that finds it uncounted. A
 * reader that meets a change of copies, or a page that another thread is filling, reads the file itself. A child
 * forked in the middle of another thread's look-up inherits its count and so one copy for good: ENTRALOGIN_COPIES
 * bounds that, and with all of them lost it reads the file each time. Nothing runs at exit or dlclose (the module is
 * linked -z nodelete).
 */
#define ENTRALOGIN_COPIES 4u
#define ENTRALOGIN_PATH_CHECK_MS 10u
/* Larger files are read each time: 64 MiB are half a million accounts. */
#define ENTRALOGIN_KEPT_MAX (64u << 20)

/* Who the file behind a descriptor is, and whether it is as it was. */
struct entralogin_identity {
    uint64_t device, inode, size;
    int64_t changed_seconds, changed_nanoseconds;
    uint32_t owner, mode;
};

struct entralogin_copy {
    uint32_t users; /* look-ups that read it now; the highest bit: somebody is making or unmapping it */
    uint32_t reads; /* from the file into it */
    int fd;
    struct entralogin_identity identity;
    uint64_t path_checked;               /* CLOCK_MONOTONIC_COARSE, milliseconds */
    unsigned char *bytes;                /* NULL: an empty place */
    size_t mapped;                       /* bytes, pages and proven in one mapping */
    unsigned char *pages;                /* one byte each: empty, being filled, filled */
    uint64_t *proven;                    /* one bit for each 8 bytes: a record begins there that was found sound */
    uint32_t of_this_boot;               /* grants, groups: true once it was seen to be so */
    struct entralogin_accounts accounts; /* the header, parsed: one of the two */
    struct entralogin_since_boot since_boot;
};

/* All zero at first. One for each file, shared by all threads of the process. */
struct entralogin_kept {
    uint32_t current; /* the copy that look-ups take, counted from 1; 0: none */
    uint32_t asked;   /* look-ups since there was one */
    struct entralogin_copy copies[ENTRALOGIN_COPIES];
};

/* Lets the current copy go. Tests only. */
void entralogin_kept_forget(struct entralogin_kept *kept);

#endif
