/* The checksum of zip files and others: CRC-32 with the reversed polynomial 0xedb88320. */
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
/* Continues the checksum `crc` (0 at the start) with the bytes. */
uint32_t crc32_add(const struct crc32 *c, uint32_t crc, const void *bytes, size_t size);
/* The checksum of two pieces one after the other, from their checksums and the size of the second. */
uint32_t crc32_join(uint32_t first, uint32_t second, uint64_t second_size);

#endif
