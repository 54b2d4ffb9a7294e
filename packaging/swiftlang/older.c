/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that Debian's Swift library needs from newer libraries than packages are linked against, besides those in
 * packaging/floor/older.c: it was compiled with headers of glibc 2.43 and GCC 16. Only programs that
 * packaging/swiftlang/cross makes contain them, and they are not exported.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* New in glibc 2.38, for C23: they also accept binary numbers ("0b1"), which nothing here reads. */
HIDDEN long __isoc23_strtol(const char *text, char **end, int base);
HIDDEN long __isoc23_strtol(const char *text, char **end, int base) {
    return strtol(text, end, base);
}

HIDDEN unsigned long __isoc23_strtoul(const char *text, char **end, int base);
HIDDEN unsigned long __isoc23_strtoul(const char *text, char **end, int base) {
    return strtoul(text, end, base);
}

HIDDEN long long __isoc23_strtoll(const char *text, char **end, int base);
HIDDEN long long __isoc23_strtoll(const char *text, char **end, int base) {
    return strtoll(text, end, base);
}

HIDDEN unsigned long long __isoc23_strtoull(const char *text, char **end, int base);
HIDDEN unsigned long long __isoc23_strtoull(const char *text, char **end, int base) {
    return strtoull(text, end, base);
}

HIDDEN int __isoc23_sscanf(const char *text, const char *format, ...);
HIDDEN int __isoc23_sscanf(const char *text, const char *format, ...) {
    va_list values;
    va_start(values, format);
    int count = vsscanf(text, format, values);
    va_end(values);
    return count;
}

/* Also new in glibc 2.38. */
HIDDEN size_t strlcpy(char *to, const char *from, size_t size);
HIDDEN size_t strlcpy(char *to, const char *from, size_t size) {
    size_t length = strlen(from);
    if (size > 0) {
        size_t copied = length < size - 1 ? length : size - 1;
        memcpy(to, from, copied);
        to[copied] = '\0';
    }
    return length;
}

/* std::__glibcxx_assert_fail(file, line, function, condition), in GCC 11 and newer: a library condition fails. */
HIDDEN _Noreturn void _ZSt21__glibcxx_assert_failPKciS0_S0_(
    const char *file, int line, const char *function, const char *condition);
HIDDEN _Noreturn void _ZSt21__glibcxx_assert_failPKciS0_S0_(
    const char *file, int line, const char *function, const char *condition) {
    (void)file;
    (void)line;
    (void)function;
    (void)condition;
    abort();
}
