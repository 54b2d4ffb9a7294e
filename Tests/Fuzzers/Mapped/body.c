/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root's list of mapped accounts, as the modules read it. The first byte of an input says how it is served (below), the
 * rest is the list. The file is in memory; on disk, the kernel would take most of the time.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "entralogin_mapped.h"

#define PATH "/entralogin-fuzz/adopted"
#define DESCRIPTOR 1000 /* above every descriptor that the process has */
#define NAME "alice@contoso.com"
#define UID 1001u
#define LINE NAME ":0b1ec700-0000-4000-8000-00000000a11c:1001\n"
#define ROOT 0u
#define UNTOUCHED 77

#define FUZZ_PIECES 1u /* a read gives few bytes at once, or is interrupted */
#define FUZZ_OTHERS 2u /* the file does not belong to root */
#define FUZZ_SHARED 4u /* a group may write the file */

const char fuzz_subject[] = "the list of mapped accounts";

static const unsigned char *served;
static size_t served_size, served_at;
static unsigned how, reads, is_open;

int __wrap_open(const char *path, int flags, ...);
int __wrap_fstat(int fd, struct stat *s);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
int __wrap_close(int fd);
int __real_open(const char *path, int flags, ...);
int __real_fstat(int fd, struct stat *s);
ssize_t __real_read(int fd, void *buffer, size_t size);
int __real_close(int fd);

int __wrap_open(const char *path, int flags, ...) {
    if (strcmp(path, PATH) != 0)
        return __real_open(path, flags, 0600);
    served_at = 0;
    is_open++;
    return DESCRIPTOR;
}

int __wrap_fstat(int fd, struct stat *s) {
    if (fd != DESCRIPTOR)
        return __real_fstat(fd, s);
    *s = (struct stat){
        .st_mode = S_IFREG | (how & FUZZ_SHARED ? 0664 : 0644), .st_uid = how & FUZZ_OTHERS ? ROOT + 1 : ROOT};
    return 0;
}

ssize_t __wrap_read(int fd, void *buffer, size_t size) {
    if (fd != DESCRIPTOR)
        return __real_read(fd, buffer, size);
    if (how & FUZZ_PIECES) {
        if (++reads % 5 == 0) {
            errno = EINTR;
            return -1;
        }
        size = size > 7 && reads % 2 == 0 ? 7 : size;
    }
    size = size < served_size - served_at ? size : served_size - served_at;
    memcpy(buffer, served + served_at, size);
    served_at += size;
    return (ssize_t)size;
}

int __wrap_close(int fd) {
    if (fd != DESCRIPTOR)
        return __real_close(fd);
    is_open--;
    return 0;
}

/* Whether the list begins and ends as it must, and has a line with that name and uid. */
static int says(const char *name, uint32_t uid) {
    static const char first[] = ENTRALOGIN_MAPPED_FIRST_LINE "\n";
    char start[ENTRALOGIN_NAME_MAX + 3], end[16];
    int start_length = snprintf(start, sizeof start, "\n%s:", name);
    int end_length = snprintf(end, sizeof end, ":%u\n", uid);
    const unsigned char *at = served, *last = served + served_size;
    if (served_size < sizeof first - 1 || memcmp(served, first, sizeof first - 1) != 0 || last[-1] != '\n')
        return 0;
    while ((at = memmem(at, (size_t)(last - at), start, (size_t)start_length)) != NULL) {
        const unsigned char *stop = memchr(at + 1, '\n', (size_t)(last - at - 1));
        if (stop != NULL && stop + 1 - at > end_length && memcmp(stop + 1 - end_length, end, (size_t)end_length) == 0)
            return 1;
        at++;
    }
    return 0;
}

static enum entralogin_mapping by_name(const char *name, uint32_t uid, uint32_t gid) {
    errno = UNTOUCHED;
    enum entralogin_mapping found = entralogin_mapped(PATH, ROOT, name, uid, gid);
    check(errno == UNTOUCHED && is_open == 0, "errno stays, and the file is closed");
    if (found == ENTRALOGIN_MAPPED && uid != ENTRALOGIN_ANY_ID)
        check(says(name, uid) && (how & (FUZZ_OTHERS | FUZZ_SHARED)) == 0, "a mapped account is in root's own list");
    return found;
}

static enum entralogin_mapping by_number(uint32_t uid) {
    char name[ENTRALOGIN_NAME_MAX + 1];
    memset(name, 'x', sizeof name);
    errno = UNTOUCHED;
    enum entralogin_mapping found = entralogin_mapped_number(PATH, ROOT, uid, name);
    check(errno == UNTOUCHED && is_open == 0, "errno stays, and the file is closed");
    check(found == entralogin_mapped_number(PATH, ROOT, uid, NULL), "the name is asked for or not");
    if (found != ENTRALOGIN_NOT_MAPPED)
        check(memchr(name, '\0', sizeof name) != NULL, "the name ends");
    if (found == ENTRALOGIN_MAPPED) {
        check(entralogin_name_is_valid(name, strlen(name)), "the name has our shape");
        check(by_name(name, uid, uid) == ENTRALOGIN_MAPPED, "who has the number has it by name, too");
        check(by_name(name, uid + 1, uid + 1) == ENTRALOGIN_MAPPING_UNSOUND, "a name has one number");
        check(by_name(name, uid, uid + 1) == ENTRALOGIN_MAPPING_UNSOUND, "the group is the number");
    }
    return found;
}

void fuzz_input(const unsigned char *bytes, size_t size) {
    if (size == 0)
        return;
    /* A copy of exactly that size, so that the sanitizer detects a read of the first byte beyond. */
    unsigned char *list = malloc(size);
    if (list == NULL)
        abort();
    memcpy(list, bytes + 1, size - 1);
    served = list;
    served_size = size - 1;
    how = bytes[0] & ~FUZZ_PIECES;
    reads = 0;
    int whole = (int)by_name(NAME, UID, UID) << 4 | (int)by_number(UID);
    by_name(NAME, ENTRALOGIN_ANY_ID, ENTRALOGIN_ANY_ID);
    how |= FUZZ_PIECES;
    check(whole == ((int)by_name(NAME, UID, UID) << 4 | (int)by_number(UID)), "pieces say what the whole says");
    check(by_number(999) == ENTRALOGIN_NOT_MAPPED && by_number(ENTRALOGIN_UID_FIRST) == ENTRALOGIN_NOT_MAPPED,
        "a system number, or one of our range, is nobody's");
    free(list);
}

size_t fuzz_sample(unsigned kind, const char **ret_name, unsigned char *bytes, size_t capacity) {
    static const char *const names[] = {"one", "many", "others", "nobody"};
    static const char *const lists[] = {ENTRALOGIN_MAPPED_FIRST_LINE "\n" LINE,
        ENTRALOGIN_MAPPED_FIRST_LINE
        "\nzoe@contoso.com:0b1ec700-0000-4000-8000-0000000000ff:1999\n" LINE
        "0b1ec700-0000-4000-8000-0000000000aa:0b1ec700-0000-4000-8000-0000000000aa:4294967294\n",
        ENTRALOGIN_MAPPED_FIRST_LINE "\n" LINE, ENTRALOGIN_MAPPED_FIRST_LINE "\n"};
    if (kind >= sizeof names / sizeof *names)
        return 0;
    *ret_name = names[kind];
    bytes[0] = kind == 2 ? FUZZ_OTHERS : 0;
    int length = snprintf((char *)bytes + 1, capacity - 1, "%s", lists[kind]);
    return (size_t)length + 1;
}
