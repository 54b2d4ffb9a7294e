/* SPDX-License-Identifier: Apache-2.0 */
#include "entralogin_name.h"

#include <string.h>

#define GUID_LENGTH 36

/* Character classes. Shifted by FOLDED, the same bits are the classes with upper case counted as lower. */
#define ALPHANUMERIC 0x01u
#define LOCAL 0x02u
#define LABEL 0x04u
#define HEXADECIMAL 0x08u
#define FOLDED 4

#define TO_F (ALPHANUMERIC | LOCAL | LABEL | HEXADECIMAL)
#define TO_Z (ALPHANUMERIC | LOCAL | LABEL)
#define EITHER(kinds) ((kinds) | (kinds) << FOLDED)

static const unsigned char kinds[256] = {
    ['0' ... '9'] = EITHER(TO_F),
    ['a' ... 'f'] = EITHER(TO_F),
    ['g' ... 'z'] = EITHER(TO_Z),
    ['A' ... 'F'] = TO_F << FOLDED,
    ['G' ... 'Z'] = TO_Z << FOLDED,
    ['-'] = EITHER(LOCAL | LABEL),
    ['.'] = EITHER(LOCAL),
    ['_'] = EITHER(LOCAL),
    ['\''] = EITHER(LOCAL),
};

static int is(char c, unsigned kind) {
    return (kinds[(unsigned char)c] & kind) != 0;
}

static int is_guid(const char *name, unsigned hexadecimal) {
    for (size_t i = 0; i < GUID_LENGTH; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23 ? name[i] != '-' : !is(name[i], hexadecimal))
            return 0;
    }
    return 1;
}

/* Returns the end of the run of such characters that begins at `at`. */
static size_t run(const char *name, size_t at, size_t length, unsigned kind) {
    while (at < length && is(name[at], kind))
        at++;
    return at;
}

static int is_domain(const char *name, size_t begin, size_t length, unsigned label) {
    for (;;) {
        size_t end = run(name, begin, length, label);
        if (end == begin || name[begin] == '-' || name[end - 1] == '-')
            return 0;
        if (end == length)
            return 1;
        if (name[end] != '.')
            return 0;
        begin = end + 1;
    }
}

static int is_valid(const char *name, size_t length, int folding) {
    if (name == NULL || length < 3 || length > ENTRALOGIN_NAME_MAX)
        return 0;
    if (length == GUID_LENGTH && is_guid(name, HEXADECIMAL << folding))
        return 1;
    size_t at = run(name, 0, length, LOCAL << folding);
    return at > 0 && at < length && name[at] == '@' && name[0] != '.' && name[at - 1] != '.' &&
           is_domain(name, at + 1, length, LABEL << folding);
}

int entralogin_name_is_valid(const char *name, size_t length) {
    return is_valid(name, length, 0);
}

int entralogin_name_folds_to_valid(const char *name, size_t length) {
    return is_valid(name, length, FOLDED);
}

/* The names of systemd's users and groups, which come and go with its services. */
static int is_systemds(const char *name, size_t length) {
    static const char prefix[] = "systemd";
    return length >= sizeof prefix - 1 && memcmp(name, prefix, sizeof prefix - 1) == 0;
}

int entralogin_name_is_short(const char *name, size_t length) {
    if (name == NULL || length == 0 || length > ENTRALOGIN_SHORT_NAME_MAX || name[0] < 'a' || name[0] > 'z' ||
        is_systemds(name, length))
        return 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] != '-' && name[i] != '.' && !is(name[i], ALPHANUMERIC))
            return 0;
    }
    return is(name[length - 1], ALPHANUMERIC);
}

int entralogin_name_is_short_of(const char *name, size_t length, const char *whole, size_t whole_length) {
    return entralogin_name_is_short(name, length) && entralogin_name_is_valid(whole, whole_length) &&
           whole_length > length && whole[length] == '@' && memcmp(name, whole, length) == 0;
}

int entralogin_group_name_is_valid(const char *name, size_t length) {
    if (name == NULL || length == 0 || length > ENTRALOGIN_GROUP_NAME_MAX || name[0] < 'a' || name[0] > 'z' ||
        is_systemds(name, length))
        return 0;
    int underscores = 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '_')
            underscores++;
        else if (name[i] != '-' && !is(name[i], ALPHANUMERIC))
            return 0;
    }
    return underscores > 0;
}
