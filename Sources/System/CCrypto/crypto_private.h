/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENTRALOGIN_CRYPTO_PRIVATE_H
#define ENTRALOGIN_CRYPTO_PRIVATE_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "CCrypto.h"

#if OPENSSL_VERSION_NUMBER < 0x30000000L
typedef struct ossl_lib_ctx_st OSSL_LIB_CTX;
EVP_MD *EVP_MD_fetch(OSSL_LIB_CTX *context, const char *algorithm, const char *properties);
#endif

/* Each with the type that OpenSSL's own header gives it. */
#define CRYPTO_FUNCTION(name) __typeof__(name) *name

struct crypto_functions {
    CRYPTO_FUNCTION(d2i_PUBKEY);
    CRYPTO_FUNCTION(EVP_PKEY_free);
    CRYPTO_FUNCTION(EVP_MD_CTX_new);
    CRYPTO_FUNCTION(EVP_MD_CTX_free);
    CRYPTO_FUNCTION(EVP_DigestVerifyInit);
    CRYPTO_FUNCTION(EVP_DigestVerify);
    CRYPTO_FUNCTION(EVP_Digest);
    CRYPTO_FUNCTION(EVP_sha1);
    CRYPTO_FUNCTION(EVP_sha256);
    CRYPTO_FUNCTION(EVP_sha384);
    CRYPTO_FUNCTION(EVP_sha512);
    CRYPTO_FUNCTION(ERR_get_error);
    CRYPTO_FUNCTION(ERR_error_string_n);
    CRYPTO_FUNCTION(ERR_clear_error);
    /* Of OpenSSL 3 only; null with 1.1. */
    CRYPTO_FUNCTION(EVP_MD_fetch);
};

/* Returns the functions of the opened library; null if none could be opened. Opens it on first use. */
const struct crypto_functions *crypto_functions(void);

/* The digest; null where libcrypto has none of that name, and for CCRYPTO_DIGEST_OWN. */
const EVP_MD *crypto_digest(enum ccrypto_digest algorithm);

#endif
