/* Random numbers as a function of what they are for: the same on every machine, for any number of threads, and after
 * training was resumed. */
#ifndef QCC_TRAIN_RANDOM_H
#define QCC_TRAIN_RANDOM_H

#include <stdint.h>

/* The finaliser of SplitMix64 (Steele, Lea and Flood 2014). */
static inline uint64_t random_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* A stream's key from a seed and what it is used for. */
static inline uint64_t random_key(uint64_t seed, uint64_t purpose, uint64_t index)
{
	return random_mix(random_mix(random_mix(seed) ^ purpose) ^ index);
}

/* Number i of a stream. */
static inline uint64_t random_at(uint64_t key, uint64_t i)
{
	return random_mix(key ^ random_mix(i));
}

/* In [0, 1), 53 bits. */
static inline double random_unit(uint64_t key, uint64_t i)
{
	return (double)(random_at(key, i) >> 11) * 0x1p-53;
}

enum random_purpose { RANDOM_WEIGHTS = 1, RANDOM_ORDER, RANDOM_DROPOUT, RANDOM_SPLIT };

#endif
