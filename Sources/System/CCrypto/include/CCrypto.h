/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcrypto, opened at run time: OpenSSL 3's, or 1.1.1's where there is no other. A program that is linked to the one
 * does not start with the other.
 *
 * Only functions are used that both versions have, with the same meaning. Keys come in as a SubjectPublicKeyInfo (RFC
 * 5280, 4.1), which both read. Half a library is not used: if a function is missing, ccrypto_open says so and every
 * other call fails. A call that fails never says yes.
 *
 * This header includes nothing of libc on purpose: types of libc seen through two modules do not match in Swift.
 */
#ifndef ENTRALOGIN_CCRYPTO_H
#define ENTRALOGIN_CCRYPTO_H

/* Nullability is for Swift's importer; gcc does not know the words. */
#ifndef __clang__
#define _Nullable
#define _Nonnull
#endif

/* A public key in libcrypto's form (EVP_PKEY). Never changed, so threads may share it (openssl-threads(7)). */
typedef struct ccrypto_key ccrypto_key;

enum ccrypto_digest {
    /* Where the key's algorithm has a digest of its own: Ed25519. */
    CCRYPTO_DIGEST_OWN = 0,
    CCRYPTO_SHA1 = 1,
    CCRYPTO_SHA256 = 2,
    CCRYPTO_SHA384 = 3,
    CCRYPTO_SHA512 = 4,
};

/* The longest digest (EVP_MAX_MD_SIZE). */
#define CCRYPTO_DIGEST_MAX 64

/*
 * Opens libcrypto, once for the process, and looks up its functions; from any thread. Returns null, or the problem: a
 * text that stays valid.
 */
const char *_Nullable ccrypto_open(void);
/* The same for other libraries and this call only: opens the first of `count` names that it can. For tests. */
const char *_Nullable ccrypto_try(const char *_Nonnull const *_Nonnull names, int count);

/* Bytes of the digest in `ret`, or -1. */
int ccrypto_digest_of(enum ccrypto_digest algorithm, const void *_Nullable bytes, unsigned long count,
    unsigned char ret[_Nonnull CCRYPTO_DIGEST_MAX]);

/* A key that the caller frees; null where the bytes are not exactly one SubjectPublicKeyInfo. */
ccrypto_key *_Nullable ccrypto_key_read(const unsigned char *_Nonnull bytes, long count);
void ccrypto_key_free(ccrypto_key *_Nonnull key);

/* 1: the signature is valid. 0: it is not. -1: it could not be checked. */
int ccrypto_verify(ccrypto_key *_Nonnull key, enum ccrypto_digest algorithm, const unsigned char *_Nonnull signature,
    unsigned long signature_count, const unsigned char *_Nullable message, unsigned long message_count);

/* Takes the oldest error of this thread into `ret` (cut, NUL-terminated): 1, or 0 where there is none. */
int ccrypto_next_error(char *_Nonnull ret, unsigned long size);
/* Forgets the errors that earlier calls on this thread left behind. */
void ccrypto_clear_errors(void);

#endif
