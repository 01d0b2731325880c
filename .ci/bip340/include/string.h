/* What libsecp256k1 calls of the C library: defined in bip340.c, or dropped by the linker. */
#ifndef BIP340_STRING_H
#define BIP340_STRING_H
#include <stddef.h>
void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
int memcmp(const void *a, const void *b, size_t length);
size_t strlen(const char *text);
#endif
