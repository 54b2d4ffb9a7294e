/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "entralogin_principals.h"
#include "entralogin_wire.h"

int main(int argc, char **argv) {
    static const struct entralogin_server daemon = {.path = ENTRALOGIN_PRINCIPALS_SOCKET, .root = 0};
    return entralogin_print_principal(&daemon, argc, argv, STDOUT_FILENO);
}
