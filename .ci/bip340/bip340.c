/*
 * What WebAssembly lets a host see of libsecp256k1: BIP-340 verification, by the library's own public functions.
 *
 * The host cannot pass pointers of its own, so it writes into the buffers below; a parsed key it may keep and write back.
 * Nothing is imported and nothing is allocated: all memory is static.
 */
#include <stddef.h>
#include "secp256k1_extrakeys.h"
#include "secp256k1_schnorrsig.h"

#define EXPORT(name) __attribute__((export_name(#name)))

static unsigned char public_key[32];
static secp256k1_xonly_pubkey parsed_key;
static unsigned char message[32];
static unsigned char signature[64];

/* 64 bytes; src/nips/verify/wasm.ts counts on it. */
_Static_assert(sizeof(secp256k1_xonly_pubkey) == 64, "a parsed key has 64 bytes");

EXPORT(public_key) unsigned char *bip340_public_key(void) { return public_key; }
EXPORT(parsed_key) unsigned char *bip340_parsed_key(void) { return parsed_key.data; }
EXPORT(message) unsigned char *bip340_message(void) { return message; }
EXPORT(signature) unsigned char *bip340_signature(void) { return signature; }

/* To be called once, before everything else: traps when the library was miscompiled. */
EXPORT(init) void bip340_init(void) { secp256k1_selftest(); }

/* From `public_key` to `parsed_key`; 0 when it is no x of a point. */
EXPORT(parse) int bip340_parse(void) {
    return secp256k1_xonly_pubkey_parse(secp256k1_context_static, &parsed_key, public_key);
}

/* Whether `signature` is that of `message` by `parsed_key`, which must come from `parse`. */
EXPORT(verify) int bip340_verify(void) {
    return secp256k1_schnorrsig_verify(secp256k1_context_static, signature, message, sizeof(message), &parsed_key);
}

/* All that the library needs of a C library. -ffreestanding keeps the compiler from making these loops into calls of themselves. */

void *memcpy(void *restrict to, const void *restrict from, size_t length) {
    unsigned char *t = to;
    const unsigned char *f = from;
    while (length--) *t++ = *f++;
    return to;
}

void *memset(void *to, int byte, size_t length) {
    unsigned char *t = to;
    while (length--) *t++ = (unsigned char)byte;
    return to;
}
