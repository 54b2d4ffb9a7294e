/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lower bound (floor) of the daemon: one thread that accepts, receives one frame, answers it and closes. `server
 * PATH` answers at once. `server PATH verify` first checks one RSA-2048 signature over 2048 bytes, as the daemon must
 * check one for a certificate.
 */
#define _GNU_SOURCE
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static unsigned char content[2048], signature[256];
static EVP_PKEY *key;

static int sign_once(void) {
    size_t size = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    key = EVP_RSA_gen(2048);
    int good = key && context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
               EVP_DigestSign(context, signature, &size, content, sizeof content) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

static int verify(void) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good = context && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
               EVP_DigestVerify(context, signature, sizeof signature, content, sizeof content) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

int main(int argc, char **argv) {
    static char frame[65536];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc < 2 || strlen(argv[1]) >= sizeof address.sun_path || (argc > 2 && !sign_once()))
        return 2;
    strcpy(address.sun_path, argv[1]);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 256) != 0)
        return 1;
    puts("ready");
    fflush(stdout);
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0)
            continue;
        if (recv(client, frame, sizeof frame, 0) > 0 && (argc < 3 || verify()))
            send(client, frame, 64, MSG_NOSIGNAL);
        close(client);
    }
}
