/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `early_end FOLDER`: exchanges where recv(2) reports the end of the connection before the message that came with it,
 * as Linux does when both arrive between its two checks. Linked with --wrap=recv, which makes that certain.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "entralogin_client.h"

#define PATIENCE_MS 30000

static const char question[] = "who?", answer[] = "somebody";
static _Thread_local int early_ends; /* how often recv(2) reports the end before it looks for a message */

ssize_t __real_recv(int fd, void *buffer, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags);

ssize_t __wrap_recv(int fd, void *buffer, size_t size, int flags) {
    return early_ends > 0 && early_ends-- ? 0 : __real_recv(fd, buffer, size, flags);
}

struct server {
    int listener;
    int answers; /* false: it reads the question and closes */
};

static void *serve(void *argument) {
    const struct server *server = argument;
    char request[64];
    int client = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client >= 0 && recv(client, request, sizeof request, 0) > 0 && server->answers)
        send(client, answer, sizeof answer, MSG_NOSIGNAL);
    close(client);
    return NULL;
}

static int is(const char *what, int listener, const char *path, int answers, int ends, long expected) {
    struct entralogin_server place = {.path = path, .root = geteuid()};
    struct server server = {.listener = listener, .answers = answers};
    char reply[64] = "";
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, &server) != 0)
        return 0;
    early_ends = ends;
    long got =
        entralogin_exchange(&place, question, sizeof question, reply, sizeof reply, entralogin_deadline(PATIENCE_MS));
    early_ends = 0;
    pthread_join(thread, NULL);
    int good = got == expected && (got < 0 || strcmp(reply, answer) == 0);
    printf("%s %s: %ld, expected %ld\n", good ? "ok    " : "FAILED", what, got, expected);
    return good;
}

int main(int argc, char **argv) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), good = argc == 2;
    if (!good ||
        snprintf(address.sun_path, sizeof address.sun_path, "%s/early.sock", argv[1]) >= (int)sizeof address.sun_path)
        return 2;
    unlink(address.sun_path);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 8) != 0) {
        perror(address.sun_path);
        return 2;
    }
    const char *path = address.sun_path;
    good &= is("an answer", listener, path, 1, 0, sizeof answer);
    good &= is("an answer that comes with the end of the connection", listener, path, 1, 1, sizeof answer);
    good &= is("an end without an answer", listener, path, 0, 0, -ECONNRESET);
    good &= is("the same, told once too early", listener, path, 0, 1, -ECONNRESET);
    unlink(address.sun_path);
    return good ? 0 : 1;
}
