/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "kept.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Above the numbers that programs and scripts choose; below 64, the size of the kernel's first descriptor table. */
#define FIRST_DESCRIPTOR 32
/* Lookups that read the file before a copy is made: a copy costs about what three such lookups cost more. */
#define ASKED_BEFORE_KEPT 3u
#define CLAIMED 0x80000000u

#define PAGE ENTRALOGIN_PAGE
/* Pages at a time: 4, and twice as many after each eight reads, up to 64. */
#define FIRST_RUN_SHIFT 2u
#define LAST_RUN_SHIFT 6u

/* --- Is it still the file? --- */

/*
 * fstat(2). glibc's own is newfstatat(2) with an empty path since 2.33, a sixth slower; here, glibc's struct is the
 * kernel's.
 */
static int describe(int fd, struct stat *ret) {
#if (defined(__x86_64__) && defined(__LP64__)) || (defined(__aarch64__) && defined(__LP64__))
    return (int)syscall(SYS_fstat, fd, ret);
#else
    return fstat(fd, ret);
#endif
}

static struct entralogin_identity identify(const struct stat *s) {
    return (struct entralogin_identity){
        .device = s->st_dev,
        .inode = s->st_ino,
        .size = (uint64_t)s->st_size,
        .changed_seconds = s->st_ctim.tv_sec,
        .changed_nanoseconds = s->st_ctim.tv_nsec,
        .owner = s->st_uid,
        .mode = s->st_mode,
    };
}

static int is_same_file(const struct entralogin_copy *c, const struct stat *s) {
    return s->st_dev == c->identity.device && s->st_ino == c->identity.inode;
}

/* True if it is the same file, unchanged since it was copied and still in its place. */
static int is_unchanged(const struct entralogin_copy *c, const struct stat *s) {
    return is_same_file(c, s) && s->st_nlink == 1 && (uint64_t)s->st_size == c->identity.size &&
           s->st_ctim.tv_sec == c->identity.changed_seconds && s->st_ctim.tv_nsec == c->identity.changed_nanoseconds &&
           s->st_uid == c->identity.owner && s->st_mode == c->identity.mode;
}

/* Without a system call where the kernel maps its clock (vdso); its ticks are 1 to 10 ms. */
static uint64_t coarse_milliseconds(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int is_recent(const struct entralogin_copy *c, uint64_t now) {
    return now - __atomic_load_n(&c->path_checked, __ATOMIC_RELAXED) < ENTRALOGIN_PATH_CHECK_MS;
}

/* True unless the path leads to another file, or to none. A sandbox that denies the lstat(2) proves nothing. */
static int is_at(struct entralogin_copy *c, const char *path) {
    struct stat s;
    uint64_t now = coarse_milliseconds();
    if (is_recent(c, now))
        return 1;
    if (lstat(path, &s) != 0 ? errno == ENOENT || errno == ENOTDIR : !is_unchanged(c, &s))
        return 0;
    __atomic_store_n(&c->path_checked, now, __ATOMIC_RELAXED);
    return 1;
}

static int is_fresh(struct entralogin_copy *c, const char *path) {
    struct stat s;
    return describe(c->fd, &s) == 0 && is_unchanged(c, &s) && is_at(c, path);
}

int entralogin_copy_owns_descriptor(const struct entralogin_copy *c) {
    struct stat s;
    return describe(c->fd, &s) == 0 && is_same_file(c, &s);
}

/* --- Holding and letting go --- */

static uint32_t number_of(const struct entralogin_kept *k, const struct entralogin_copy *c) {
    return (uint32_t)(c - k->copies) + 1;
}

/* Unmaps a copy without readers; closes its descriptor if still the module's. The caller has claimed the slot. */
static void clear(struct entralogin_copy *c) {
    if (c->bytes == NULL)
        return;
    munmap(c->bytes, c->mapped);
    c->bytes = NULL;
    if (entralogin_copy_owns_descriptor(c))
        close(c->fd);
}

/* Claims a slot that has no readers and is not the current one. A claimed slot cannot become the current one. */
static int claim(struct entralogin_kept *k, struct entralogin_copy *c) {
    uint32_t nobody = 0;
    if (!__atomic_compare_exchange_n(&c->users, &nobody, CLAIMED, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        return 0;
    if (__atomic_load_n(&k->current, __ATOMIC_SEQ_CST) != number_of(k, c))
        return 1;
    __atomic_fetch_sub(&c->users, CLAIMED, __ATOMIC_SEQ_CST);
    return 0;
}

void entralogin_kept_release(struct entralogin_kept *k, struct entralogin_copy *c) {
    if (__atomic_fetch_sub(&c->users, 1, __ATOMIC_SEQ_CST) != 1 ||
        __atomic_load_n(&k->current, __ATOMIC_SEQ_CST) == number_of(k, c) || !claim(k, c))
        return;
    clear(c);
    __atomic_fetch_sub(&c->users, CLAIMED, __ATOMIC_SEQ_CST);
}

void entralogin_kept_forget(struct entralogin_kept *k) {
    int before = errno;
    uint32_t number = __atomic_exchange_n(&k->current, 0, __ATOMIC_SEQ_CST);
    if (number != 0) {
        __atomic_fetch_add(&k->copies[number - 1].users, 1, __ATOMIC_SEQ_CST);
        entralogin_kept_release(k, &k->copies[number - 1]);
    }
    errno = before;
}

/* Returns the current copy, with this caller counted as a reader. */
static struct entralogin_copy *enter(struct entralogin_kept *k) {
    uint32_t number = __atomic_load_n(&k->current, __ATOMIC_ACQUIRE);
    if (number == 0)
        return NULL;
    struct entralogin_copy *c = &k->copies[number - 1];
    uint32_t users = __atomic_fetch_add(&c->users, 1, __ATOMIC_SEQ_CST);
    /* Count first, then check: a counted reader of the current copy keeps it mapped. */
    if (!(users & CLAIMED) && __atomic_load_n(&k->current, __ATOMIC_SEQ_CST) == number)
        return c;
    entralogin_kept_release(k, c);
    return NULL;
}

struct entralogin_copy *entralogin_kept_hold(struct entralogin_kept *k, const char *path) {
    struct entralogin_copy *c = enter(k);
    if (c == NULL || is_fresh(c, path))
        return c;
    uint32_t number = number_of(k, c);
    __atomic_compare_exchange_n(&k->current, &number, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    entralogin_kept_release(k, c);
    return NULL;
}

struct entralogin_copy *entralogin_kept_hold_recent(struct entralogin_kept *k) {
    struct entralogin_copy *c = enter(k);
    if (c == NULL || is_recent(c, coarse_milliseconds()))
        return c;
    entralogin_kept_release(k, c);
    return NULL;
}

/* --- Making one --- */

static int map(struct entralogin_copy *c, uint32_t size) {
    size_t bytes = ((size_t)size + 7) & ~(size_t)7, proven = bytes / 64 + 8, pages = size / PAGE + 1;
    void *place =
        mmap(NULL, bytes + proven + pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED)
        return 0;
    /* Where huge pages are always on, the first byte would cost two MiB. */
    if (bytes > ENTRALOGIN_WINDOW * 64)
        madvise(place, bytes + proven + pages, MADV_NOHUGEPAGE);
    c->mapped = bytes + proven + pages;
    c->proven = (uint64_t *)(void *)((unsigned char *)place + bytes);
    c->pages = (unsigned char *)place + bytes + proven;
    c->bytes = place;
    return 1;
}

static int make(struct entralogin_copy *c, int fd, const struct stat *s) {
    c->fd = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
    if (c->fd < 0)
        return 0;
    if (!map(c, (uint32_t)s->st_size)) {
        close(c->fd);
        return 0;
    }
    c->identity = identify(s);
    c->path_checked = coarse_milliseconds();
    c->reads = 0;
    c->of_this_boot = 0;
    return 1;
}

struct entralogin_copy *entralogin_kept_make(struct entralogin_kept *k, int fd, const struct stat *s) {
    if (__atomic_fetch_add(&k->asked, 1, __ATOMIC_RELAXED) < ASKED_BEFORE_KEPT || s->st_size > ENTRALOGIN_KEPT_MAX ||
        s->st_nlink != 1 || __atomic_load_n(&k->current, __ATOMIC_SEQ_CST) != 0)
        return NULL;
    for (struct entralogin_copy *c = k->copies; c < k->copies + ENTRALOGIN_COPIES; c++) {
        if (!claim(k, c))
            continue;
        clear(c);
        int made = make(c, fd, s);
        /* Turns the maker's claim into a reader's count, in one step. */
        __atomic_fetch_sub(&c->users, made ? CLAIMED - 1 : CLAIMED, __ATOMIC_SEQ_CST);
        return made ? c : NULL;
    }
    return NULL;
}

void entralogin_kept_show(struct entralogin_kept *k, struct entralogin_copy *c) {
    uint32_t none = 0;
    if (__atomic_compare_exchange_n(&k->current, &none, number_of(k, c), 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        __atomic_store_n(&k->asked, 0, __ATOMIC_RELAXED);
}

/* --- Filling and reading it --- */

/* Claims the run of empty pages that begins at `first`; returns its length. */
static uint32_t claim_pages(struct entralogin_copy *c, uint32_t first) {
    uint32_t shift = FIRST_RUN_SHIFT + __atomic_fetch_add(&c->reads, 1, __ATOMIC_RELAXED) / 8, n = 0;
    uint32_t run = 1u << (shift < LAST_RUN_SHIFT ? shift : LAST_RUN_SHIFT);
    uint32_t pages = (uint32_t)((c->identity.size + PAGE - 1) / PAGE);
    for (; n < run && first + n < pages; n++) {
        unsigned char empty = ENTRALOGIN_EMPTY, *page = &c->pages[first + n];
        if (!__atomic_compare_exchange_n(page, &empty, ENTRALOGIN_BEING_FILLED, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            break;
    }
    return n;
}

/* Keeps what it read only if the descriptor is still the file's: another thread may have closed it by mistake. */
static int fill(struct entralogin_copy *c, uint32_t first) {
    uint32_t n = claim_pages(c, first);
    if (n == 0)
        return 0;
    uint32_t offset = first * PAGE, left = (uint32_t)c->identity.size - offset;
    uint32_t size = left < n * PAGE ? left : n * PAGE;
    int good = entralogin_read_at(c->fd, c->bytes + offset, offset, size) == size && entralogin_copy_owns_descriptor(c);
    for (uint32_t i = 0; i < n; i++)
        __atomic_store_n(&c->pages[first + i], good ? ENTRALOGIN_FILLED : ENTRALOGIN_EMPTY, __ATOMIC_RELEASE);
    return good;
}

const unsigned char *entralogin_copy_at(struct entralogin_copy *c, uint32_t offset, uint32_t need) {
    for (uint32_t page = offset / PAGE; page <= (offset + need - 1) / PAGE; page++) {
        if (__atomic_load_n(&c->pages[page], __ATOMIC_ACQUIRE) != ENTRALOGIN_FILLED && !fill(c, page))
            return NULL;
    }
    return c->bytes + offset;
}

static uint64_t *proof(const struct entralogin_window *w, const unsigned char *record, uint32_t offset) {
    if (w->copy == NULL || record != w->copy->bytes + offset)
        return NULL;
    return &w->copy->proven[offset / 8 / 64];
}

int entralogin_is_proven(const struct entralogin_window *w, const unsigned char *record, uint32_t offset) {
    uint64_t *word = proof(w, record, offset);
    return word != NULL && (__atomic_load_n(word, __ATOMIC_RELAXED) >> (offset / 8 % 64) & 1);
}

void entralogin_set_proven(const struct entralogin_window *w, const unsigned char *record, uint32_t offset) {
    uint64_t *word = proof(w, record, offset);
    if (word != NULL)
        __atomic_fetch_or(word, 1ull << (offset / 8 % 64), __ATOMIC_RELAXED);
}
