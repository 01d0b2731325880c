/* libsecp256k1 writes only right before it aborts, and when it is debugged. */
#ifndef BIP340_STDIO_H
#define BIP340_STDIO_H
#define printf(...) ((void)0)
#define fprintf(...) ((void)0)
#endif
