/* SPDX-License-Identifier: Apache-2.0 */
/* The lower bound (floor) of a sign-in: an AuthorizedPrincipalsCommand that only prints the user's name. */
#include <stdio.h>

int main(int argc, char **argv) {
    return argc < 2 || puts(argv[1]) < 0;
}
