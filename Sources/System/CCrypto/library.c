/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "crypto_private.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define PROBLEM_MAX 512

/* In the order in which they are tried. The soname stands for the ABI: a file of another name is never opened. */
static const char *const library_names[] = {"libcrypto.so.3", "libcrypto.so.1.1"};

/* clang-format off */
/*
 * The member for each function. POSIX lets dlsym(3) return a function's pointer; ISO C can convert it only by memcpy.
 */
#define PLACE(name) {#name, offsetof(struct crypto_functions, name)}
static const struct {
    const char *name;
    size_t offset;
} needed[] = {
    PLACE(d2i_PUBKEY), PLACE(EVP_PKEY_free), PLACE(EVP_MD_CTX_new), PLACE(EVP_MD_CTX_free), PLACE(EVP_DigestVerifyInit),
    PLACE(EVP_DigestVerify), PLACE(EVP_Digest), PLACE(EVP_sha1), PLACE(EVP_sha256), PLACE(EVP_sha384), PLACE(EVP_sha512),
    PLACE(ERR_get_error), PLACE(ERR_error_string_n), PLACE(ERR_clear_error),
};
/* clang-format on */

/* All written once, behind `once`. */
static struct crypto_functions opened;
static const EVP_MD *digests[CCRYPTO_SHA512 + 1];
static const char *problem;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Opens the first library that it can. `text` collects why the others could not be opened. */
static void *open_first(const char *const *names, int count, char text[PROBLEM_MAX]) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < count; i++) {
        void *object = dlopen(names[i], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (object != NULL)
            return object;
        const char *why = dlerror();
        int wrote = snprintf(text + used, PROBLEM_MAX - used, "%s%s", used > 0 ? "; " : "", why ? why : names[i]);
        used += wrote > 0 && (size_t)wrote < PROBLEM_MAX - used ? (size_t)wrote : 0;
    }
    return NULL;
}

/* A library that lacks a function is refused, and no other is tried. Returns null, or the problem. */
static const char *bind_functions(void *object, struct crypto_functions *ret, char text[PROBLEM_MAX]) {
    void *fetch;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        void *address = dlsym(object, needed[i].name);
        if (address == NULL) {
            const char *why = dlerror();
            (void)snprintf(text, PROBLEM_MAX, "%s", why ? why : needed[i].name);
            return text;
        }
        memcpy((char *)ret + needed[i].offset, &address, sizeof address);
    }
    fetch = dlsym(object, "EVP_MD_fetch");
    memcpy(&ret->EVP_MD_fetch, &fetch, sizeof fetch);
    return NULL;
}

/*
 * OpenSSL 3 looks a digest up by name at each use, unless it was fetched. A fetched one is never changed or freed here.
 * One that a FIPS configuration lacks stays null, and its use fails.
 */
static const EVP_MD *fetched(const char *name, const EVP_MD *legacy) {
    return opened.EVP_MD_fetch ? opened.EVP_MD_fetch(NULL, name, NULL) : legacy;
}

static void open_library(void) {
    static char text[PROBLEM_MAX];
    struct crypto_functions found = {0};
    void *object = open_first(library_names, sizeof library_names / sizeof library_names[0], text);
    problem = object == NULL ? text : bind_functions(object, &found, text);
    if (problem != NULL)
        return;
    opened = found;
    digests[CCRYPTO_SHA1] = fetched("SHA1", opened.EVP_sha1());
    digests[CCRYPTO_SHA256] = fetched("SHA2-256", opened.EVP_sha256());
    digests[CCRYPTO_SHA384] = fetched("SHA2-384", opened.EVP_sha384());
    digests[CCRYPTO_SHA512] = fetched("SHA2-512", opened.EVP_sha512());
    opened.ERR_clear_error();
    if (digests[CCRYPTO_SHA256] == NULL)
        problem = "libcrypto has no SHA-256";
}

const char *ccrypto_open(void) {
    (void)pthread_once(&once, open_library);
    return problem;
}

const char *ccrypto_try(const char *const *names, int count) {
    static _Thread_local char text[PROBLEM_MAX];
    struct crypto_functions found;
    void *object = open_first(names, count, text);
    return object == NULL ? text : bind_functions(object, &found, text);
}

const struct crypto_functions *crypto_functions(void) {
    return ccrypto_open() == NULL ? &opened : NULL;
}

const EVP_MD *crypto_digest(enum ccrypto_digest algorithm) {
    switch (algorithm) {
    case CCRYPTO_SHA1:
    case CCRYPTO_SHA256:
    case CCRYPTO_SHA384:
    case CCRYPTO_SHA512:
        return digests[algorithm];
    case CCRYPTO_DIGEST_OWN:
        break;
    }
    return NULL;
}
