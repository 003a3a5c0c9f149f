/* Vector primitives of the packed style, for whatever the compiler is told to target: AVX-512 (VPOPCNTDQ, VNNI),
 * AVX2, SSE2, NEON, or plain 64-bit words. Made by qcc; the same for every network.
 *
 * Bit kernels work on lanes of 64 bits: each lane is an output channel, each word 64 operands of it. Byte
 * kernels work on lanes of 32 bits: each lane is an output channel, each step four operands of it. Weights are
 * laid out in groups of 64 bytes a step (8 or 16 channels), so that they suit every vector length.
 *
 * QCC_TARGET_AVX2 and QCC_TARGET_AVX512 say that the functions are compiled for that target by attributes, of which
 * not every compiler's macros tell. */
#ifndef QCC_KERNELS_INCLUDED
#define QCC_KERNELS_INCLUDED

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the packed style needs a little-endian machine; use the style reference"
#endif

#if defined(__SSE2__)
#include <immintrin.h>
#endif
#if defined(__ARM_NEON)
#include <arm_neon.h>
#endif

#define QCC_INLINE static inline __attribute__((always_inline, unused))

/* Before loops whose bodies fill the registers: GCC would unroll them further and spill. */
#if defined(__GNUC__) && !defined(__clang__)
#define QCC_ROLLED _Pragma("GCC unroll 1")
#else
#define QCC_ROLLED
#endif

/* ---- vectors ---- */
#if defined(QCC_TARGET_AVX512) || (defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__))
#define QCC_BYTES 64
#elif defined(QCC_TARGET_AVX2) || defined(__AVX2__)
#define QCC_BYTES 32
#else
#define QCC_BYTES 16
#endif
enum {
	QCC_LANES64 = QCC_BYTES / 8, /* channels in a vector of the bit kernels */
	QCC_LANES32 = QCC_BYTES / 4, /* channels in a vector of the byte kernels */
	QCC_SPLIT = 64 / QCC_BYTES   /* vectors in a group of weights */
};
typedef uint64_t qcc_u64 __attribute__((vector_size(QCC_BYTES)));
typedef int64_t qcc_i64 __attribute__((vector_size(QCC_BYTES)));
typedef uint8_t qcc_u8 __attribute__((vector_size(QCC_BYTES)));
typedef int32_t qcc_i32 __attribute__((vector_size(QCC_BYTES)));
typedef uint32_t qcc_u32 __attribute__((vector_size(QCC_BYTES)));
typedef float qcc_f32 __attribute__((vector_size(QCC_BYTES)));
typedef uint8_t qcc_u8_of64 __attribute__((vector_size(QCC_LANES64))); /* one byte in each lane */
typedef uint8_t qcc_u8_of32 __attribute__((vector_size(QCC_LANES32)));
/* The same for loads from memory of any alignment and type. */
typedef uint64_t qcc_u64_mem __attribute__((vector_size(QCC_BYTES), aligned(8), may_alias));
typedef int32_t qcc_i32_mem __attribute__((vector_size(QCC_BYTES), aligned(4), may_alias));
typedef float qcc_f32_mem __attribute__((vector_size(QCC_BYTES), aligned(4), may_alias));

QCC_INLINE qcc_u64 qcc_load64(const uint64_t *p)
{
	return *(const qcc_u64_mem *)p;
}
QCC_INLINE qcc_i32 qcc_load32(const int32_t *p)
{
	return *(const qcc_i32_mem *)p;
}
QCC_INLINE qcc_f32 qcc_loadf(const float *p)
{
	return *(const qcc_f32_mem *)p;
}
/* One word in every lane. On AVX-512 by hand: GCC would carry words over in scalar registers, and spreading them
 * from there takes the unit that counts bits. */
QCC_INLINE qcc_u64 qcc_all64(const uint64_t *p)
{
#if QCC_BYTES == 64
	qcc_u64 v;
	__asm__("vpbroadcastq %1, %0" : "=v"(v) : "m"(*p));
	return v;
#else
	return (qcc_u64){ 0 } + *p;
#endif
}

/* ---- counting bits ----
 * Words are counted into a partial sum, which qcc_flush adds to the total at least every 31 words; where the
 * machine counts 64-bit lanes the partial sum is the total already. */
#if QCC_BYTES == 64 && (defined(QCC_TARGET_AVX512) || defined(__AVX512VPOPCNTDQ__))
#define QCC_COUNTS_LANES 1
QCC_INLINE qcc_u64 qcc_count(qcc_u64 x)
{
	return (qcc_u64)_mm512_popcnt_epi64((__m512i)x);
}
QCC_INLINE qcc_u64 qcc_lanes(qcc_u64 partial)
{
	return partial;
}
#elif QCC_BYTES == 64
QCC_INLINE qcc_u64 qcc_count(qcc_u64 x)
{
	const __m512i digits = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
	const __m512i low = _mm512_set1_epi8(15), v = (__m512i)x;
	return (qcc_u64)_mm512_add_epi8(_mm512_shuffle_epi8(digits, _mm512_and_si512(v, low)),
					_mm512_shuffle_epi8(digits, _mm512_and_si512(_mm512_srli_epi16(v, 4), low)));
}
QCC_INLINE qcc_u64 qcc_lanes(qcc_u64 partial)
{
	return (qcc_u64)_mm512_sad_epu8((__m512i)partial, _mm512_setzero_si512());
}
#elif QCC_BYTES == 32
QCC_INLINE qcc_u64 qcc_count(qcc_u64 x)
{
	const __m256i digits =
		_mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
	const __m256i low = _mm256_set1_epi8(15), v = (__m256i)x;
	return (qcc_u64)_mm256_add_epi8(_mm256_shuffle_epi8(digits, _mm256_and_si256(v, low)),
					_mm256_shuffle_epi8(digits, _mm256_and_si256(_mm256_srli_epi16(v, 4), low)));
}
QCC_INLINE qcc_u64 qcc_lanes(qcc_u64 partial)
{
	return (qcc_u64)_mm256_sad_epu8((__m256i)partial, _mm256_setzero_si256());
}
#elif defined(__SSSE3__)
QCC_INLINE qcc_u64 qcc_count(qcc_u64 x)
{
	const __m128i digits = _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	const __m128i low = _mm_set1_epi8(15), v = (__m128i)x;
	return (qcc_u64)_mm_add_epi8(_mm_shuffle_epi8(digits, _mm_and_si128(v, low)),
				     _mm_shuffle_epi8(digits, _mm_and_si128(_mm_srli_epi16(v, 4), low)));
}
QCC_INLINE qcc_u64 qcc_lanes(qcc_u64 partial)
{
	return (qcc_u64)_mm_sad_epu8((__m128i)partial, _mm_setzero_si128());
}
#elif defined(__ARM_NEON)
QCC_INLINE qcc_u64 qcc_count(qcc_u64 x)
{
	return (qcc_u64)vcntq_u8((uint8x16_t)x);
}
QCC_INLINE qcc_u64 qcc_lanes(qcc_u64 partial)
{
	return (qcc_u64)vpaddlq_u32(vpaddlq_u16(vpaddlq_u8((uint8x16_t)partial)));
}
#else
/* Bits of each byte, by adding neighbours: pairs, then fours, then eights. */
QCC_INLINE qcc_u64 qcc_count(qcc_u64 x)
{
	x -= (x >> 1) & 0x5555555555555555u;
	x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
	return (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
}
QCC_INLINE qcc_u64 qcc_lanes(qcc_u64 partial)
{
#if defined(__SSE2__)
	return (qcc_u64)_mm_sad_epu8((__m128i)partial, _mm_setzero_si128());
#else
	partial = (partial & 0x00ff00ff00ff00ffu) + ((partial >> 8) & 0x00ff00ff00ff00ffu);
	partial += partial >> 16;
	return (partial + (partial >> 32)) & 0xffffu;
#endif
}
#endif

#ifdef QCC_COUNTS_LANES
#define QCC_FLUSH(total, partial) ((void)(total))
#define QCC_TOTAL(total, partial) (partial)
#else
#define QCC_FLUSH(total, partial) ((total) += qcc_lanes(partial), (partial) = (qcc_u64){ 0 })
#define QCC_TOTAL(total, partial) (total)
#endif

/* Operands that agree in sign, or rather disagree: weights of -1 and +1. */
QCC_INLINE qcc_u64 qcc_xor(qcc_u64 a, qcc_u64 sign)
{
	return a ^ sign;
}
/* The same where weights may be 0. */
QCC_INLINE qcc_u64 qcc_xor_and(qcc_u64 a, qcc_u64 sign, qcc_u64 mask)
{
#if QCC_BYTES == 64
	return (qcc_u64)_mm512_ternarylogic_epi64((__m512i)a, (__m512i)sign, (__m512i)mask, 0x28);
#else
	return (a ^ sign) & mask;
#endif
}

/* Lanes as bytes, for lanes below 256. */
QCC_INLINE void qcc_store64(uint8_t *y, qcc_u64 x)
{
#if QCC_BYTES == 64
	_mm_storel_epi64((__m128i *)(void *)y, _mm512_cvtepi64_epi8((__m512i)x));
#elif QCC_BYTES == 32
	const __m256i first = _mm256_setr_epi8(0, 8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0,
					       8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
	const __m256i v = _mm256_shuffle_epi8((__m256i)x, first);
	const int four = _mm_cvtsi128_si32(_mm_or_si128(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
	memcpy(y, &four, 4);
#elif defined(__SSE2__)
	const int two = _mm_cvtsi128_si32(_mm_or_si128((__m128i)x, _mm_srli_si128((__m128i)x, 7)));
	memcpy(y, &two, 2);
#else
	qcc_u8_of64 b = __builtin_convertvector(x, qcc_u8_of64);
	memcpy(y, &b, sizeof b);
#endif
}
QCC_INLINE void qcc_store32(uint8_t *y, qcc_i32 x)
{
#if QCC_BYTES == 64
	_mm_storeu_si128((__m128i *)(void *)y, _mm512_cvtepi32_epi8((__m512i)x));
#elif QCC_BYTES == 32
	const __m128i v = _mm_packs_epi32(_mm256_castsi256_si128((__m256i)x), _mm256_extracti128_si256((__m256i)x, 1));
	_mm_storel_epi64((__m128i *)(void *)y, _mm_packus_epi16(v, v));
#elif defined(__SSE2__)
	const __m128i v = _mm_packs_epi32((__m128i)x, (__m128i)x);
	const int four = _mm_cvtsi128_si32(_mm_packus_epi16(v, v));
	memcpy(y, &four, 4);
#else
	qcc_u8_of32 b = __builtin_convertvector(x, qcc_u8_of32);
	memcpy(y, &b, sizeof b);
#endif
}
QCC_INLINE void qcc_put64(int64_t *y, qcc_u64 x)
{
	memcpy(y, &x, sizeof x);
}
QCC_INLINE void qcc_put32(int32_t *y, qcc_i32 x)
{
	memcpy(y, &x, sizeof x);
}

/* Adds 1 to the lanes that reach the threshold. */
QCC_INLINE qcc_u64 qcc_reach64(qcc_u64 count, qcc_u64 x, const uint64_t *t)
{
#if QCC_BYTES == 64
	const __mmask8 k = _mm512_cmpge_epi64_mask((__m512i)x, (__m512i)qcc_load64(t));
	return (qcc_u64)_mm512_mask_add_epi64((__m512i)count, k, (__m512i)count, _mm512_set1_epi64(1));
#elif defined(__SSE2__) && QCC_BYTES == 16 /* lanes are below 2^31: 32-bit compares do */
	const __m128i below = _mm_cmpgt_epi32((__m128i)qcc_load64(t), (__m128i)x);
	return count + 1 - ((qcc_u64)below & 1u);
#else
	return count - (qcc_u64)((qcc_i64)x >= (qcc_i64)qcc_load64(t));
#endif
}
QCC_INLINE qcc_i32 qcc_reach32(qcc_i32 count, qcc_i32 x, const int32_t *t)
{
#if QCC_BYTES == 64
	const __mmask16 k = _mm512_cmpge_epi32_mask((__m512i)x, (__m512i)qcc_load32(t));
	return (qcc_i32)_mm512_mask_add_epi32((__m512i)count, k, (__m512i)count, _mm512_set1_epi32(1));
#else
	return count - (x >= qcc_load32(t));
#endif
}
/* Lane by lane between low and high. */
QCC_INLINE qcc_f32 qcc_cut(qcc_f32 v, float low, float high)
{
	const qcc_f32 zero = { 0 }, least = zero + low, most = zero + high;
#if QCC_BYTES == 64
	return (qcc_f32)_mm512_min_ps(_mm512_max_ps((__m512)v, (__m512)least), (__m512)most);
#elif QCC_BYTES == 32
	return (qcc_f32)_mm256_min_ps(_mm256_max_ps((__m256)v, (__m256)least), (__m256)most);
#elif defined(__SSE2__)
	return (qcc_f32)_mm_min_ps(_mm_max_ps((__m128)v, (__m128)least), (__m128)most);
#else
	const qcc_i32 above = v > least, below = v < most;
	v = (qcc_f32)(((qcc_i32)v & above) | ((qcc_i32)least & ~above));
	return (qcc_f32)(((qcc_i32)v & below) | ((qcc_i32)most & ~below));
#endif
}
/* Evenly spaced thresholds: the count is x * scale + offset, cut to 0 .. top and rounded. */
QCC_INLINE qcc_f32 qcc_line(qcc_i32 x, const float *scale, const float *offset, float top)
{
	return qcc_cut(__builtin_convertvector(x, qcc_f32) * qcc_loadf(scale) + qcc_loadf(offset), 0.0f, top);
}
/* Rounded down. */
QCC_INLINE qcc_i32 qcc_affine(qcc_i32 x, const float *scale, const float *offset, float top)
{
	const qcc_f32 v = qcc_line(x, scale, offset, top);
#if QCC_BYTES == 64
	return (qcc_i32)_mm512_cvttps_epi32((__m512)v);
#elif QCC_BYTES == 32
	return (qcc_i32)_mm256_cvttps_epi32((__m256)v);
#elif defined(__SSE2__)
	return (qcc_i32)_mm_cvttps_epi32((__m128)v);
#else
	return __builtin_convertvector(v, qcc_i32);
#endif
}
/* Rounded to the nearest, ties to even: 2^23 is added, beyond which floats are integers. */
QCC_INLINE qcc_i32 qcc_affine_even(qcc_i32 x, const float *scale, const float *offset, float top)
{
	return (qcc_i32)(qcc_line(x, scale, offset, top) + 8388608.0f) & 0x7fffff;
}
/* Lane by lane between 0 and top. */
QCC_INLINE qcc_i32 qcc_cut32(qcc_i32 n, int top)
{
#if QCC_BYTES == 64
	return (qcc_i32)_mm512_min_epi32(_mm512_max_epi32((__m512i)n, _mm512_setzero_si512()), _mm512_set1_epi32(top));
#elif QCC_BYTES == 32
	return (qcc_i32)_mm256_min_epi32(_mm256_max_epi32((__m256i)n, _mm256_setzero_si256()), _mm256_set1_epi32(top));
#else
	const qcc_i32 most = (qcc_i32){ 0 } + top, below = n < most;
	n = (n & below) | (most & ~below);
	return n & (n > 0);
#endif
}
/* x * m + r of lanes 0, 2, ... and 1, 3, ..., in 64 bits. r: the lanes with even numbers first, those with odd numbers 8
 * further on. */
QCC_INLINE void qcc_products(qcc_i64 *even, qcc_i64 *odd, qcc_i32 x, qcc_i32 m, const int64_t *r)
{
	qcc_i64 from_even, from_odd;
	memcpy(&from_even, r, sizeof from_even);
	memcpy(&from_odd, r + 8, sizeof from_odd);
#if QCC_BYTES == 64
	*even = (qcc_i64)_mm512_mul_epi32((__m512i)x, (__m512i)m) + from_even;
	*odd = (qcc_i64)_mm512_mul_epi32(_mm512_srli_epi64((__m512i)x, 32), _mm512_srli_epi64((__m512i)m, 32)) +
	       from_odd;
#elif QCC_BYTES == 32
	*even = (qcc_i64)_mm256_mul_epi32((__m256i)x, (__m256i)m) + from_even;
	*odd = (qcc_i64)_mm256_mul_epi32(_mm256_srli_epi64((__m256i)x, 32), _mm256_srli_epi64((__m256i)m, 32)) +
	       from_odd;
#elif defined(__SSE2__) /* products of unsigned numbers: of x + 2^31, less 2^31 * m */
	const __m128i up = _mm_xor_si128((__m128i)x, _mm_set1_epi32(INT32_MIN)), by = (__m128i)m;
	const __m128i odd_by = _mm_srli_epi64(by, 32);
	*even = (qcc_i64)_mm_mul_epu32(up, by) - (qcc_i64)_mm_srli_epi64(_mm_slli_epi64(by, 32), 1) + from_even;
	*odd = (qcc_i64)_mm_mul_epu32(_mm_srli_epi64(up, 32), odd_by) - (qcc_i64)_mm_slli_epi64(odd_by, 31) + from_odd;
#else
	for (int i = 0; i < QCC_LANES64; i++) {
		(*even)[i] = (int64_t)x[2 * i] * m[2 * i] + from_even[i];
		(*odd)[i] = (int64_t)x[2 * i + 1] * m[2 * i + 1] + from_odd[i];
	}
#endif
}
/* The even lanes of one and the odd ones of the other. */
QCC_INLINE qcc_i32 qcc_alternate(qcc_i64 even, qcc_i64 odd)
{
#if QCC_BYTES == 64
	return (qcc_i32)_mm512_mask_blend_epi32(0xaaaa, (__m512i)even, (__m512i)odd);
#elif QCC_BYTES == 32
	return (qcc_i32)_mm256_blend_epi32((__m256i)even, (__m256i)odd, 0xaa);
#else
	return (qcc_i32)((even & INT64_C(0xffffffff)) | (odd & ~INT64_C(0xffffffff)));
#endif
}
/* Whether some lane is below the limit, unsigned. */
QCC_INLINE int qcc_any_below(qcc_i32 x, uint32_t limit)
{
#if QCC_BYTES == 64
	return _mm512_cmplt_epu32_mask((__m512i)x, _mm512_set1_epi32((int)limit)) != 0;
#elif QCC_BYTES == 32
	const __m256i v = (__m256i)x;
	return _mm256_movemask_epi8(_mm256_cmpeq_epi32(_mm256_min_epu32(v, _mm256_set1_epi32((int)(limit - 1))), v)) !=
	       0;
#elif defined(__SSE2__)
	const __m128i sign = _mm_set1_epi32(INT32_MIN), most = _mm_set1_epi32((int)(limit ^ 0x80000000u));
	return _mm_movemask_epi8(_mm_cmpgt_epi32(most, _mm_xor_si128((__m128i)x, sign))) != 0;
#else
	int any = 0;
	for (int i = 0; i < QCC_LANES32; i++)
		any |= (uint32_t)x[i] < limit;
	return any;
#endif
}
/* Counts of thresholds near a line, exactly: (x * m + r) >> shift, cut to 0 .. top; r as above. What is shifted out of 64
 * bits leaves 32 that are right with either sign. Sets *near where some lane comes within `doubt` of a step. */
QCC_INLINE qcc_i32 qcc_line64(qcc_i32 x, const int32_t *m, const int64_t *r, int shift, int top, int64_t doubt,
			      int *near)
{
	qcc_i64 even, odd;
	qcc_products(&even, &odd, x, qcc_load32(m), r);
	if (shift == 32) {
		const qcc_i32 part = qcc_alternate(even, (qcc_i64)((qcc_u64)odd << 32));
		if (doubt)
			*near = qcc_any_below((qcc_i32)((qcc_u32)part + (uint32_t)doubt), (uint32_t)(2 * doubt));
		return qcc_cut32(qcc_alternate((qcc_i64)((qcc_u64)even >> 32), odd), top);
	}
	if (doubt) {
		const int64_t part = (INT64_C(1) << shift) - 1;
		const qcc_i64 close = (((even + doubt) & part) < 2 * doubt) | (((odd + doubt) & part) < 2 * doubt);
		for (int i = 0; i < QCC_LANES64; i++)
			*near |= close[i] != 0;
	}
	return qcc_cut32(qcc_alternate((qcc_i64)((qcc_u64)even >> shift), (qcc_i64)((qcc_u64)odd << (32 - shift))),
			 top);
}
QCC_INLINE qcc_i32 qcc_requantise(qcc_i32 x, const int32_t *m, const int64_t *r, int shift, int top)
{
	int near = 0;
	return qcc_line64(x, m, r, shift, top, 0, &near);
}
/* The same where some sums are off the line: those of channel i are at[first[i]] to at[first[i + 1]]. */
QCC_INLINE qcc_i32 qcc_requantise_near(qcc_i32 x, const int32_t *m, const int64_t *r, int shift, int top, int64_t doubt,
				       const int32_t *first, const int32_t *at, const int32_t *add)
{
	int near = 0;
	qcc_i32 n = qcc_line64(x, m, r, shift, top, doubt, &near);
	if (__builtin_expect(near, 0))
		for (int i = 0; i < QCC_LANES32; i++)
			for (int32_t k = first[i]; k < first[i + 1]; k++)
				n[i] += x[i] == at[k] ? add[k] : 0;
	return n;
}
QCC_INLINE int qcc_nearest(float v)
{
	int32_t bits;
	v += 8388608.0f;
	memcpy(&bits, &v, sizeof bits);
	return bits & 0x7fffff;
}

/* Floats to counts of nearly evenly spaced thresholds: x * scale + offset, cut and rounded down. Lanes that come
 * within `doubt` of an integer may be off by one; then all look at their thresholds, which lie between -infinity
 * and +infinity, `row` elements a lane. */
QCC_INLINE qcc_i32 qcc_quantise(const float *x, const float *scale, const float *offset, float top, float doubt,
				const float *t, int row)
{
	const qcc_f32 v = qcc_loadf(x), zero = { 0 };
	const qcc_f32 f = qcc_cut(v * qcc_loadf(scale) + qcc_loadf(offset), -0.5f, top + 0.5f);
	qcc_i32 n = __builtin_convertvector(f, qcc_i32);
	const qcc_f32 off = f - ((f + 12582912.0f) - 12582912.0f); /* from the nearest integer */
	const qcc_u64 close = (qcc_u64)((off < zero + doubt) & (off > zero - doubt));
	uint64_t any = 0;
	for (int i = 0; i < QCC_LANES64; i++)
		any |= close[i];
	if (any)
		for (int i = 0; i < QCC_LANES32; i++)
			n[i] += (v[i] >= t[i * row + n[i] + 1]) - (v[i] < t[i * row + n[i]]);
	return n;
}

/* ---- floats ---- */
QCC_INLINE qcc_f32 qcc_allf(const float *p)
{
	return (qcc_f32){ 0 } + *p;
}
/* sum + x * w, with one rounding where the machine can: whatever the compiler makes of other expressions, a
 * network's entries agree. */
QCC_INLINE qcc_f32 qcc_fma(qcc_f32 sum, qcc_f32 x, qcc_f32 w)
{
#if QCC_BYTES == 64
	return (qcc_f32)_mm512_fmadd_ps((__m512)x, (__m512)w, (__m512)sum);
#elif QCC_BYTES == 32 && (defined(QCC_TARGET_AVX2) || defined(__FMA__))
	return (qcc_f32)_mm256_fmadd_ps((__m256)x, (__m256)w, (__m256)sum);
#elif defined(__FMA__)
	return (qcc_f32)_mm_fmadd_ps((__m128)x, (__m128)w, (__m128)sum);
#elif defined(__ARM_NEON) && defined(__aarch64__)
	return (qcc_f32)vfmaq_f32((float32x4_t)sum, (float32x4_t)x, (float32x4_t)w);
#else
	return sum + x * w;
#endif
}
QCC_INLINE void qcc_putf(float *y, qcc_f32 x)
{
	memcpy(y, &x, sizeof x);
}

/* ---- four operands in each lane ---- */
#if QCC_BYTES == 64 && (defined(QCC_TARGET_AVX512) || defined(__AVX512VNNI__))
typedef qcc_i32 qcc_in4, qcc_sum4;
QCC_INLINE qcc_in4 qcc_input4(const uint8_t *x)
{
	qcc_i32 v;
	__asm__("vpbroadcastd %1, %0" : "=v"(v) : "m"(*(const uint8_t(*)[4])x));
	return v;
}
QCC_INLINE qcc_sum4 qcc_dot4(qcc_sum4 sum, qcc_in4 x, const int8_t *w)
{
	return (qcc_i32)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, _mm512_loadu_si512(w));
}
QCC_INLINE qcc_i32 qcc_value4(qcc_sum4 sum)
{
	return sum;
}
#elif QCC_BYTES == 32 && defined(__AVXVNNI__)
typedef qcc_i32 qcc_in4, qcc_sum4;
QCC_INLINE qcc_in4 qcc_input4(const uint8_t *x)
{
	int32_t four;
	memcpy(&four, x, 4);
	return (qcc_i32)_mm256_set1_epi32(four);
}
QCC_INLINE qcc_sum4 qcc_dot4(qcc_sum4 sum, qcc_in4 x, const int8_t *w)
{
	return (qcc_i32)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)x,
						_mm256_loadu_si256((const __m256i *)(const void *)w));
}
QCC_INLINE qcc_i32 qcc_value4(qcc_sum4 sum)
{
	return sum;
}
#elif QCC_BYTES >= 32
/* Bytes widened to 16 bits; each product of pairs leaves two partial sums a channel, in two vectors. */
typedef struct {
	qcc_i32 low, high;
} qcc_sum4;
typedef qcc_i32 qcc_in4;
QCC_INLINE qcc_in4 qcc_input4(const uint8_t *x)
{
#if QCC_BYTES == 64
	int32_t four;
	memcpy(&four, x, 4);
	return (qcc_i32)_mm512_cvtepu8_epi16(_mm256_set1_epi32(four));
#else /* by hand: GCC would keep what a later step reads again, in more registers than there are */
	__m128i v;
	__asm__("vpbroadcastd %1, %0" : "=x"(v) : "m"(*(const uint8_t(*)[4])x));
	return (qcc_i32)_mm256_cvtepu8_epi16(v);
#endif
}
QCC_INLINE qcc_sum4 qcc_dot4(qcc_sum4 sum, qcc_in4 x, const int8_t *w)
{
#if QCC_BYTES == 64
	const __m256i *v = (const __m256i *)(const void *)w;
	sum.low += (qcc_i32)_mm512_madd_epi16((__m512i)x, _mm512_cvtepi8_epi16(_mm256_loadu_si256(v)));
	sum.high += (qcc_i32)_mm512_madd_epi16((__m512i)x, _mm512_cvtepi8_epi16(_mm256_loadu_si256(v + 1)));
#else
	const __m128i *v = (const __m128i *)(const void *)w;
	sum.low += (qcc_i32)_mm256_madd_epi16((__m256i)x, _mm256_cvtepi8_epi16(_mm_loadu_si128(v)));
	sum.high += (qcc_i32)_mm256_madd_epi16((__m256i)x, _mm256_cvtepi8_epi16(_mm_loadu_si128(v + 1)));
#endif
	return sum;
}
QCC_INLINE qcc_i32 qcc_value4(qcc_sum4 sum)
{
#if QCC_BYTES == 64
	const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
	const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
	return (qcc_i32)_mm512_permutex2var_epi32((__m512i)sum.low, even, (__m512i)sum.high) +
	       (qcc_i32)_mm512_permutex2var_epi32((__m512i)sum.low, odd, (__m512i)sum.high);
#else
	return (qcc_i32)_mm256_permute4x64_epi64(_mm256_hadd_epi32((__m256i)sum.low, (__m256i)sum.high), 0xd8);
#endif
}
#elif defined(__SSE2__)
typedef struct {
	qcc_i32 low, high;
} qcc_sum4;
typedef qcc_i32 qcc_in4;
QCC_INLINE qcc_in4 qcc_input4(const uint8_t *x)
{
	__m128i v; /* by hand, as above */
#if defined(__AVX__)
	__asm__("vmovd %1, %0" : "=x"(v) : "m"(*(const uint8_t(*)[4])x));
#else
	__asm__("movd %1, %0" : "=x"(v) : "m"(*(const uint8_t(*)[4])x));
#endif
	return (qcc_i32)_mm_unpacklo_epi8(_mm_shuffle_epi32(v, 0), _mm_setzero_si128());
}
QCC_INLINE qcc_sum4 qcc_dot4(qcc_sum4 sum, qcc_in4 x, const int8_t *w)
{
	const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)w),
		      sign = _mm_cmpgt_epi8(_mm_setzero_si128(), v);
	sum.low += (qcc_i32)_mm_madd_epi16((__m128i)x, _mm_unpacklo_epi8(v, sign));
	sum.high += (qcc_i32)_mm_madd_epi16((__m128i)x, _mm_unpackhi_epi8(v, sign));
	return sum;
}
QCC_INLINE qcc_i32 qcc_value4(qcc_sum4 sum)
{
	const __m128 low = _mm_castsi128_ps((__m128i)sum.low), high = _mm_castsi128_ps((__m128i)sum.high);
	return (qcc_i32)_mm_castps_si128(_mm_shuffle_ps(low, high, 0x88)) +
	       (qcc_i32)_mm_castps_si128(_mm_shuffle_ps(low, high, 0xdd));
}
#else
typedef qcc_i32 qcc_sum4;
typedef struct {
	int32_t v[4];
} qcc_in4;
QCC_INLINE qcc_in4 qcc_input4(const uint8_t *x)
{
	return (qcc_in4){ { x[0], x[1], x[2], x[3] } };
}
QCC_INLINE qcc_sum4 qcc_dot4(qcc_sum4 sum, qcc_in4 x, const int8_t *w)
{
	for (int n = 0; n < QCC_LANES32; n++)
		for (int k = 0; k < 4; k++)
			sum[n] += x.v[k] * w[4 * n + k];
	return sum;
}
QCC_INLINE qcc_i32 qcc_value4(qcc_sum4 sum)
{
	return sum;
}
#endif

/* ---- depthwise convolutions: each lane computes a channel ----
 * Four operands of a channel, usually one below the other, share a lane, as four weights do. A column is read once and
 * serves all pixels whose windows it lies in. */
#if QCC_BYTES == 64 && (defined(QCC_TARGET_AVX512) || defined(__AVX512VNNI__))
typedef qcc_i32 qcc_column, qcc_taps; /* four bytes in each lane */
QCC_INLINE qcc_i32 qcc_operand(const uint8_t *x)
{
	return (qcc_i32)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)x));
}
QCC_INLINE qcc_column qcc_read_column(const uint8_t *x, int step, int n)
{
	qcc_i32 v = qcc_operand(x);
	for (int k = 1; k < n; k++)
		v |= (qcc_i32)_mm512_slli_epi32((__m512i)qcc_operand(x + k * step), (unsigned)(8 * k));
	return v;
}
QCC_INLINE qcc_taps qcc_read_taps(const int8_t *w)
{
	return (qcc_i32)_mm512_loadu_si512(w);
}
QCC_INLINE qcc_i32 qcc_add_column(qcc_i32 sum, qcc_column x, qcc_taps w, int n)
{
	(void)n;
	return (qcc_i32)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)x, (__m512i)w);
}
#elif defined(__SSE2__)
/* The first and third, the second and fourth of the four as 16 bits each. */
typedef struct {
	qcc_i32 even, odd;
} qcc_column, qcc_taps;
QCC_INLINE qcc_i32 qcc_operand(const uint8_t *x)
{
#if QCC_BYTES == 64
	return (qcc_i32)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)x));
#elif QCC_BYTES == 32
	return (qcc_i32)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)x));
#else
	int32_t four;
	memcpy(&four, x, 4);
	const __m128i zero = _mm_setzero_si128();
	return (qcc_i32)_mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero), zero);
#endif
}
QCC_INLINE qcc_column qcc_read_column(const uint8_t *x, int step, int n)
{
	qcc_column v = { qcc_operand(x), { 0 } };
	if (n > 1)
		v.odd = qcc_operand(x + step);
	if (n > 2)
		v.even |= qcc_operand(x + 2 * step) << 16;
	if (n > 3)
		v.odd |= qcc_operand(x + 3 * step) << 16;
	return v;
}
QCC_INLINE qcc_taps qcc_read_taps(const int8_t *w)
{
#if QCC_BYTES == 64
	const __m512i v = _mm512_loadu_si512(w);
	return (qcc_taps){ (qcc_i32)_mm512_srai_epi16(_mm512_slli_epi16(v, 8), 8), (qcc_i32)_mm512_srai_epi16(v, 8) };
#elif QCC_BYTES == 32
	const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)w);
	return (qcc_taps){ (qcc_i32)_mm256_srai_epi16(_mm256_slli_epi16(v, 8), 8), (qcc_i32)_mm256_srai_epi16(v, 8) };
#else
	const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)w);
	return (qcc_taps){ (qcc_i32)_mm_srai_epi16(_mm_slli_epi16(v, 8), 8), (qcc_i32)_mm_srai_epi16(v, 8) };
#endif
}
QCC_INLINE qcc_i32 qcc_add_pairs(qcc_i32 sum, qcc_i32 x, qcc_i32 w)
{
#if QCC_BYTES == 64
	return sum + (qcc_i32)_mm512_madd_epi16((__m512i)x, (__m512i)w);
#elif QCC_BYTES == 32
	return sum + (qcc_i32)_mm256_madd_epi16((__m256i)x, (__m256i)w);
#else
	return sum + (qcc_i32)_mm_madd_epi16((__m128i)x, (__m128i)w);
#endif
}
QCC_INLINE qcc_i32 qcc_add_column(qcc_i32 sum, qcc_column x, qcc_taps w, int n)
{
	sum = qcc_add_pairs(sum, x.even, w.even);
	return n > 1 ? qcc_add_pairs(sum, x.odd, w.odd) : sum;
}
#else
typedef struct {
	qcc_i32 v[4];
} qcc_column, qcc_taps;
QCC_INLINE qcc_column qcc_read_column(const uint8_t *x, int step, int n)
{
	qcc_column v = { { { 0 } } };
	for (int k = 0; k < n; k++) {
		qcc_u8_of32 codes;
		memcpy(&codes, x + k * step, sizeof codes);
		v.v[k] = __builtin_convertvector(codes, qcc_i32);
	}
	return v;
}
QCC_INLINE qcc_taps qcc_read_taps(const int8_t *w)
{
	qcc_taps v;
	qcc_i32 four;
	memcpy(&four, w, sizeof four);
	for (int k = 0; k < 4; k++)
		v.v[k] = (four << (24 - 8 * k)) >> 24;
	return v;
}
QCC_INLINE qcc_i32 qcc_add_column(qcc_i32 sum, qcc_column x, qcc_taps w, int n)
{
	for (int k = 0; k < n; k++)
		sum += x.v[k] * w.v[k];
	return sum;
}
#endif

/* ---- packing: planes of bits from bytes ---- */
/* Bit `plane` of each of 64 bytes as a word. */
QCC_INLINE uint64_t qcc_plane(const uint8_t *x, int plane)
{
#if QCC_BYTES == 64
	return _mm512_test_epi8_mask(_mm512_loadu_si512(x), _mm512_set1_epi8((char)(1 << plane)));
#elif QCC_BYTES == 32
	const __m256i *v = (const __m256i *)(const void *)x;
	const uint32_t low = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(_mm256_loadu_si256(v), 7 - plane));
	const uint32_t high = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(_mm256_loadu_si256(v + 1), 7 - plane));
	return low | (uint64_t)high << 32;
#elif defined(__SSE2__)
	uint64_t bits = 0;
	for (int i = 0; i < 4; i++) {
		const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(x + 16 * i));
		bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_slli_epi16(v, 7 - plane)) << 16 * i;
	}
	return bits;
#else
	uint64_t bits = 0;
	for (int i = 0; i < 8; i++) { /* the product moves bit 8k to bit 56 + k */
		uint64_t eight;
		memcpy(&eight, x + 8 * i, 8);
		bits |= (((eight >> plane) & 0x0101010101010101u) * 0x0102040810204080u >> 56) << 8 * i;
	}
	return bits;
#endif
}
/* One pixel of `channels` codes to words [channel / 64][plane]. */
QCC_INLINE void qcc_pack_pixel(uint64_t *bits, const uint8_t *x, int channels, int planes)
{
	int c = 0;
	for (; c + 64 <= channels; c += 64)
		for (int j = 0; j < planes; j++)
			*bits++ = qcc_plane(x + c, j);
	if (c < channels) {
		uint8_t rest[64] = { 0 };
		memcpy(rest, x + c, (size_t)(channels - c));
		for (int j = 0; j < planes; j++)
			*bits++ = qcc_plane(rest, j);
	}
}
/* 64 signed bytes: which are above zero. */
QCC_INLINE uint64_t qcc_positive(const int8_t *x)
{
#if QCC_BYTES == 64
	return _mm512_cmpgt_epi8_mask(_mm512_loadu_si512(x), _mm512_setzero_si512());
#elif defined(__SSE2__)
	uint64_t bits = 0;
	for (int i = 0; i < 4; i++) {
		const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(x + 16 * i));
		bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpgt_epi8(v, _mm_setzero_si128())) << 16 * i;
	}
	return bits;
#else
	uint64_t bits = 0;
	for (int i = 0; i < 64; i++)
		bits |= (uint64_t)(x[i] > 0) << i;
	return bits;
#endif
}
/* n values of -1 and +1 to bits. */
QCC_INLINE void qcc_pack_signs(uint64_t *bits, const int8_t *x, int n)
{
	int i = 0;
	for (; i + 64 <= n; i += 64)
		*bits++ = qcc_positive(x + i);
	if (i < n) {
		int8_t rest[64] = { 0 };
		memcpy(rest, x + i, (size_t)(n - i));
		*bits = qcc_positive(rest);
	}
}

#endif
