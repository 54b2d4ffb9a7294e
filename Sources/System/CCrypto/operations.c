/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto_private.h"

_Static_assert(CCRYPTO_DIGEST_MAX == EVP_MAX_MD_SIZE, "the longest digest");

static EVP_PKEY *pkey_of(ccrypto_key *key) {
    return (EVP_PKEY *)key;
}

int ccrypto_digest_of(
    enum ccrypto_digest algorithm, const void *bytes, unsigned long count, unsigned char ret[CCRYPTO_DIGEST_MAX]) {
    const struct crypto_functions *crypto = crypto_functions();
    const EVP_MD *digest = crypto ? crypto_digest(algorithm) : NULL;
    unsigned int size = 0;
    if (digest == NULL || crypto->EVP_Digest(bytes, count, ret, &size, digest, NULL) != 1)
        return -1;
    return (int)size;
}

ccrypto_key *ccrypto_key_read(const unsigned char *bytes, long count) {
    const struct crypto_functions *crypto = crypto_functions();
    const unsigned char *next = bytes;
    EVP_PKEY *key = crypto ? crypto->d2i_PUBKEY(NULL, &next, count) : NULL;
    if (key != NULL && next != bytes + count) {
        crypto->EVP_PKEY_free(key);
        key = NULL;
    }
    return (ccrypto_key *)key;
}

void ccrypto_key_free(ccrypto_key *key) {
    const struct crypto_functions *crypto = crypto_functions();
    if (crypto != NULL)
        crypto->EVP_PKEY_free(pkey_of(key));
}

int ccrypto_verify(ccrypto_key *key, enum ccrypto_digest algorithm, const unsigned char *signature,
    unsigned long signature_count, const unsigned char *message, unsigned long message_count) {
    const struct crypto_functions *crypto = crypto_functions();
    const EVP_MD *digest = crypto ? crypto_digest(algorithm) : NULL;
    EVP_MD_CTX *context;
    int answer = -1;
    /* Without a digest libcrypto would use the key's default one, not the one that the signature names. */
    if (crypto == NULL || (digest == NULL && algorithm != CCRYPTO_DIGEST_OWN))
        return -1;
    context = crypto->EVP_MD_CTX_new();
    if (context == NULL)
        return -1;
    if (crypto->EVP_DigestVerifyInit(context, NULL, digest, NULL, pkey_of(key)) == 1)
        answer = crypto->EVP_DigestVerify(context, signature, signature_count, message, message_count);
    crypto->EVP_MD_CTX_free(context);
    /* EVP_DigestVerify(3): 1 is a valid signature, 0 an invalid one, anything else an error. */
    return answer == 1 || answer == 0 ? answer : -1;
}

int ccrypto_next_error(char *ret, unsigned long size) {
    const struct crypto_functions *crypto = crypto_functions();
    unsigned long code = crypto ? crypto->ERR_get_error() : 0;
    if (code == 0)
        return 0;
    /* Truncates text that does not fit, and always ends it with a NUL. */
    crypto->ERR_error_string_n(code, ret, size);
    return 1;
}

void ccrypto_clear_errors(void) {
    const struct crypto_functions *crypto = crypto_functions();
    if (crypto != NULL)
        crypto->ERR_clear_error();
}
