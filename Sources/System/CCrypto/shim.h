/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

/* EVP_PKEY_fromdata(3)'s selection of a public key; the macro is an expression that Swift does not see. */
static inline int entralogin_public_key_selection(void) {
    return EVP_PKEY_PUBLIC_KEY;
}

/*
 * OSSL_PARAM_BLD keeps the pointer to a parameter's name (OSSL_PARAM_BLD(3)). Swift lends a String for the time of one
 * call only, so the names must be literals of C. Both return 1, or 0 where a push failed.
 */
static inline int entralogin_push_rsa_key(OSSL_PARAM_BLD *builder, const BIGNUM *n, const BIGNUM *e) {
    return OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1;
}

static inline int entralogin_push_ec_key(OSSL_PARAM_BLD *builder, const char *group, const void *point, size_t length) {
    return OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1
        && OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, length) == 1;
}
