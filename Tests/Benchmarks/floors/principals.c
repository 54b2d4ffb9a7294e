/* SPDX-License-Identifier: Apache-2.0 */
/* The floor of a sign-in: an AuthorizedPrincipalsCommand that prints the user's name and checks nothing. */
#include <stdio.h>

int main(int argc, char **argv) {
    return argc < 2 || puts(argv[1]) < 0;
}
