/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `metadata COMMAND...`: the part of Google's metadata server that its OS Login module asks, on 169.254.169.254:80,
 * while COMMAND runs. It knows the users of synthetic.c and answers at once, so it adds little to a lookup.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEOPLE 1000000u
#define NAME "user%06u_contoso_com"

static unsigned person_in(const char *request) {
    char again[64];
    unsigned n = PEOPLE;
    const char *name = strstr(request, "username=user"), *uid = strstr(request, "uid=");
    const char *profile = strstr(request, "groups?email="); /* the "name" of the profile that it got before */
    if (name && sscanf(name, "username=user%6u", &n) == 1 && n < PEOPLE) {
        snprintf(again, sizeof again, "username=" NAME, n);
        return strncmp(name, again, strlen(again)) == 0 ? n : PEOPLE;
    }
    if (profile)
        return sscanf(profile, "groups?email=%u", &n) == 1 ? n : PEOPLE;
    if (!name && uid && sscanf(uid, "uid=%u", &n) == 1 && n >= 2000000u)
        return n - 2000000u;
    return PEOPLE;
}

static int describe(const char *request, unsigned n, char *body, size_t size) {
    if (n >= PEOPLE)
        return 0;
    if (strstr(request, "/oslogin/groups"))
        return snprintf(body, size,
            "{\"posixGroups\":[{\"name\":\"team%05u\",\"gid\":\"%u\"}],\"nextPageToken\":\"0\"}", n / 10,
            600001 + n / 10);
    return snprintf(body, size,
        "{\"loginProfiles\":[{\"name\":\"%u\",\"posixAccounts\":[{\"primary\":true,\"username\":\"" NAME
        "\",\"uid\":\"%u\",\"gid\":\"600000\",\"homeDirectory\":\"/home/" NAME
        "\",\"shell\":\"/bin/bash\",\"operatingSystemType\":\"LINUX\"}]}]}",
        n, n, 2000000 + n, n);
}

static void answer(int client) {
    char request[4096], body[1024], reply[1536];
    ssize_t got = recv(client, request, sizeof request - 1, 0);
    if (got <= 0)
        return;
    request[got] = '\0';
    int size = describe(request, person_in(request), body, sizeof body);
    int length = snprintf(reply, sizeof reply,
        "HTTP/1.1 %s\r\nMetadata-Flavor: Google\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        "Connection: close\r\n\r\n%.*s",
        size > 0 ? "200 OK" : "404 Not Found", size, size, body);
    send(client, reply, (size_t)length, MSG_NOSIGNAL);
}

static void serve(int listener) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        answer(client);
        close(client);
    }
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80)};
    int yes = 1, status, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = inet_addr("169.254.169.254");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (argc < 2 || listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 512) != 0)
        return 1;
    pid_t server = fork();
    if (server == 0)
        serve(listener);
    pid_t command = fork();
    if (command == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    waitpid(command, &status, 0);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
