/* The check sum of zip files and others: CRC-32 with the reversed polynomial 0xedb88320. */
#ifndef QCC_UTIL_CRC32_H
#define QCC_UTIL_CRC32_H

#include <stddef.h>
#include <stdint.h>

enum { CRC32_SLICES = 16 };

/* What the bytes at a time change. */
struct crc32 {
	uint32_t table[CRC32_SLICES][256];
};

void crc32_init(struct crc32 *c);
/* The sum of what had the sum `crc` (0: nothing) and then the bytes. */
uint32_t crc32_add(const struct crc32 *c, uint32_t crc, const void *bytes, size_t size);
/* The sum of two pieces, from their sums and the size of the second. */
uint32_t crc32_join(uint32_t first, uint32_t second, uint64_t second_size);

#endif
