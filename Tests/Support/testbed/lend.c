/* SPDX-License-Identifier: Apache-2.0 */
/* For a setgid file: runs sudo -n with the arguments, in a process whose real group is the file's group. */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#define MOST 60

int main(int argc, char *argv[]) {
    char *arguments[MOST + 3] = {"sudo", "-n"};
    if (argc > MOST || setregid(getegid(), getegid()) != 0)
        return 2;
    memcpy(arguments + 2, argv + 1, (size_t)argc * sizeof *argv);
    execv("/usr/bin/sudo", arguments);
    return 3;
}
