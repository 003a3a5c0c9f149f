/* Base64: three bytes are four characters. */
#include "util/base64.h"

void base64_add(struct strbuf *b, const void *bytes, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *s = bytes;
	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;
		unsigned word =
			(unsigned)s[i] << 16 | (left > 1 ? (unsigned)s[i + 1] << 8 : 0) | (left > 2 ? s[i + 2] : 0u);
		char four[] = { digits[word >> 18], digits[word >> 12 & 63], left > 1 ? digits[word >> 6 & 63] : '=',
				left > 2 ? digits[word & 63] : '=' };
		strbuf_add(b, four, sizeof four);
	}
}
