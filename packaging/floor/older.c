/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions that Swift's standard library needs from newer libraries than packages are linked against, written with
 * the older ones. Only programs that packaging/floor/link makes contain them, and they are not exported.
 *
 * glibc 2.29 has faster versions of four functions, under the same names. The older ones give the same numbers, and
 * also set errno. These wrappers bind the first version of each architecture.
 */
#include <math.h>
#include <stdlib.h>

#if defined(__x86_64__)
#define FIRST_VERSION "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define FIRST_VERSION "GLIBC_2.17"
#else
#error "the first version of glibc for this architecture is not known"
#endif

#define HIDDEN __attribute__((visibility("hidden")))

#define AS_FIRST(name) \
    extern double first_##name(double); \
    __asm__(".symver first_" #name "," #name "@" FIRST_VERSION); \
    HIDDEN double name(double value) { \
        return first_##name(value); \
    }

AS_FIRST(exp)
AS_FIRST(exp2)
AS_FIRST(log)
AS_FIRST(log2)

/* std::__throw_bad_array_new_length(), new in GCC 11: called for an array of an impossible length. The Swift runtime
   catches no exception, so throwing would end the process, too. */
HIDDEN _Noreturn void _ZSt28__throw_bad_array_new_lengthv(void);
HIDDEN _Noreturn void _ZSt28__throw_bad_array_new_lengthv(void) {
    abort();
}
