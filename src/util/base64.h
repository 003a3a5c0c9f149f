/* Bytes as text. */
#ifndef QCC_UTIL_BASE64_H
#define QCC_UTIL_BASE64_H

#include "util/strbuf.h"

/* Adds the bytes in base64 (RFC 4648), padded. */
void base64_add(struct strbuf *b, const void *bytes, size_t size);

#endif
