/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `module LIBRARY COUNT NAME`: calls _nss_entralogin_getpwnam_r of the library COUNT times for NAME directly, so that
 * the instructions of a lookup are counted without glibc's own part. Prints the last call's status (nss.h).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

typedef int look_up(const char *name, struct passwd *ret, char *buffer, size_t size, int *errnop);

int main(int argc, char **argv) {
    char buffer[2048];
    struct passwd record;
    int error = 0, status = -9;
    void *library = argc > 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    void *symbol = library ? dlsym(library, "_nss_entralogin_getpwnam_r") : NULL;
    if (!symbol) {
        fprintf(stderr, "module: %s\n", dlerror());
        return 1;
    }
    look_up *by_name;
    *(void **)&by_name = symbol;
    for (long i = atol(argv[2]); i > 0; i--)
        status = by_name(argv[3], &record, buffer, sizeof buffer, &error);
    printf("%d\n", status);
    return 0;
}
