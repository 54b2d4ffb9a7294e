/* SPDX-License-Identifier: Apache-2.0 */
/* The lower bound (floor) of the helper: connects to argv[1], sends a frame as long as a request, receives a reply. */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv) {
    static char frame[3072];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc < 2 || strlen(argv[1]) >= sizeof address.sun_path)
        return 2;
    strcpy(address.sun_path, argv[1]);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return 1;
    if (send(fd, frame, sizeof frame, MSG_NOSIGNAL) != sizeof frame)
        return 1;
    /* Twice: see the client's receive_by. */
    return recv(fd, frame, sizeof frame, 0) <= 0 && recv(fd, frame, sizeof frame, 0) <= 0;
}
