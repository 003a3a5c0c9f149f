/* CRC-32, sixteen bytes a step (Kounavis and Berry's slicing): see crc32.h. */
#include "util/crc32.h"

#define POLYNOMIAL 0xedb88320u

void crc32_init(struct crc32 *c)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t x = i;
		for (int bit = 0; bit < 8; bit++)
			x = x & 1 ? x >> 1 ^ POLYNOMIAL : x >> 1;
		c->table[0][i] = x;
	}
	for (int s = 1; s < CRC32_SLICES; s++)
		for (int i = 0; i < 256; i++)
			c->table[s][i] = c->table[0][c->table[s - 1][i] & 255] ^ c->table[s - 1][i] >> 8;
}

uint32_t crc32_add(const struct crc32 *c, uint32_t crc, const void *bytes, size_t size)
{
	const unsigned char *p = bytes;
	crc = ~crc;
	for (; size >= CRC32_SLICES; size -= CRC32_SLICES, p += CRC32_SLICES) {
		uint32_t next = 0;
		for (int i = 0; i < CRC32_SLICES; i++) {
			unsigned byte = i < 4 ? p[i] ^ (crc >> 8 * i & 255) : p[i];
			next ^= c->table[CRC32_SLICES - 1 - i][byte];
		}
		crc = next;
	}
	for (; size; size--)
		crc = c->table[0][(crc ^ *p++) & 255] ^ crc >> 8;
	return ~crc;
}

/* Product of two polynomials modulo CRC-32's; bit 31 is x^0. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;
	for (uint32_t bit = 0x80000000u; bit; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b & 1 ? b >> 1 ^ POLYNOMIAL : b >> 1;
	}
	return product;
}

/* Zeros behind the first piece multiply its sum by x^(8 * size). */
uint32_t crc32_join(uint32_t first, uint32_t second, uint64_t second_size)
{
	uint32_t power = 0x80000000u, square = 0x00800000u; /* 1 and x^8 */
	for (uint64_t n = second_size; n; n >>= 1) {
		if (n & 1)
			power = multiply(power, square);
		square = multiply(square, square);
	}
	return multiply(power, first) ^ second;
}
