/* The loops (see kernels.h), for the instructions that TARGET names; NAME(f) names them. No guard: included several
 * times. */

#define LOOP static TARGET
typedef int16_t NAME(shorts) __attribute__((vector_size(64), aligned(2), may_alias));
typedef float NAME(floats) __attribute__((vector_size(64), aligned(4), may_alias));

LOOP void NAME(nibble_tables)(int16_t *tables, const int16_t *codes, int64_t groups, int64_t n)
{
	for (int64_t g = 0; g < groups; g++, tables += 16 * n, codes += NIBBLE * n) {
		for (int64_t k = 0; k < n; k++)
			tables[k] = 0;
		for (int bit = 0; bit < NIBBLE; bit++)
			for (int low = 0; low < 1 << bit; low++) {
				int16_t *restrict to = tables + ((1 << bit) + low) * n;
				const int16_t *restrict from = tables + low * n, *restrict row = codes + bit * n;
				for (int64_t k = 0; k < n; k++)
					to[k] = (int16_t)(from[k] + row[k]);
			}
	}
}

/* Some groups for all rows: their tables stay in the nearest cache. */
LOOP void NAME(add_some)(int16_t *sums, const int16_t *tables, const uint64_t *rows, int64_t words, int64_t count,
			 int64_t first, int64_t end, int64_t n)
{
	for (int64_t r = 0; r < count; r++, sums += n, rows += words)
		for (int64_t k = 0; k < n; k += 2 * SUM_COLUMNS) {
			bool two = k + SUM_COLUMNS < n;
			NAME(shorts) a = *(const NAME(shorts) *)(sums + k), b = a;
			if (two)
				b = *(const NAME(shorts) *)(sums + k + SUM_COLUMNS);
			for (int64_t g = first; g < end; g++) {
				uint64_t nibble = rows[g / 16] >> g % 16 * NIBBLE & 15;
				const int16_t *t = tables + (g * 16 + (int64_t)nibble) * n + k;
				a += *(const NAME(shorts) *)t;
				if (two)
					b += *(const NAME(shorts) *)(t + SUM_COLUMNS);
			}
			*(NAME(shorts) *)(sums + k) = a;
			if (two)
				*(NAME(shorts) *)(sums + k + SUM_COLUMNS) = b;
		}
}

LOOP void NAME(add_by_nibbles)(int16_t *sums, const int16_t *tables, const uint64_t *rows, int64_t words, int64_t count,
			       int64_t groups, int64_t n)
{
	enum { NEAR = 24 << 10 };
	int64_t step = NEAR / (16 * n * (int64_t)sizeof *tables);
	step = step < 1 ? 1 : step;
	for (int64_t g = 0; g < groups; g += step)
		NAME(add_some)(sums, tables, rows, words, count, g, g + step < groups ? g + step : groups, n);
}

LOOP void NAME(scale_sums)(float *y, const int16_t *sums, int64_t stride, const float *scale, const float *bias,
			   int64_t count, int64_t n)
{
	for (int64_t r = 0; r < count; r++, y += n, sums += stride)
		for (int64_t k = 0; k < n; k++)
			y[k] = (float)sums[k] * scale[k] + bias[k];
}

/* Eight rows of eight bits each to eight columns, by exchanging ever larger squares. */
LOOP uint64_t NAME(transpose8)(uint64_t x)
{
	uint64_t t = (x ^ x >> 7) & 0x00aa00aa00aa00aau;
	x ^= t ^ t << 7;
	t = (x ^ x >> 14) & 0x0000cccc0000ccccu;
	x ^= t ^ t << 14;
	t = (x ^ x >> 28) & 0x00000000f0f0f0f0u;
	return x ^ t ^ t << 28;
}

LOOP void NAME(transpose_bits)(uint32_t *columns, const uint64_t *rows, int64_t words, int64_t count)
{
	for (int64_t w = 0; w < words; w++)
		for (int byte = 0; byte < 8; byte++) {
			uint64_t squares[ROW_GROUP / 8] = { 0 };
			for (int64_t r = 0; r < count; r++)
				squares[r / 8] |= (rows[r * words + w] >> 8 * byte & 255) << 8 * (r % 8);
			for (int s = 0; s < ROW_GROUP / 8; s++)
				squares[s] = NAME(transpose8)(squares[s]);
			uint32_t *to = columns + w * 64 + byte * 8;
			for (int i = 0; i < 8; i++)
				to[i] = (uint32_t)((squares[0] >> 8 * i & 255) | (squares[1] >> 8 * i & 255) << 8 |
						   (squares[2] >> 8 * i & 255) << 16 |
						   (squares[3] >> 8 * i & 255) << 24);
		}
}

/* Sums of the rows that the bits of a nibble choose, for each of the ROW_GROUP / 4 nibbles: 16 columns. */
LOOP void NAME(row_tables)(NAME(floats) tables[ROW_GROUP / NIBBLE][16], const float *dz, int64_t count, int64_t n)
{
	for (int g = 0; g < ROW_GROUP / NIBBLE; g++) {
		NAME(floats) *t = tables[g];
		t[0] = (NAME(floats)){ 0 };
		for (int bit = 0; bit < NIBBLE; bit++) {
			NAME(floats) row = { 0 };
			if (g * NIBBLE + bit < count)
				row = *(const NAME(floats) *)(dz + (g * NIBBLE + bit) * n);
			for (int low = 0; low < 1 << bit; low++)
				t[(1 << bit) + low] = t[low] + row;
		}
	}
}

LOOP void NAME(add_by_columns)(float *dw, const uint32_t *columns, int64_t inputs, const float *dz, int64_t count,
			       int64_t n, bool fresh)
{
	NAME(floats) tables[2][ROW_GROUP / NIBBLE][16];
	for (int64_t k = 0; k < n; k += 32) {
		bool two = k + 16 < n;
		NAME(row_tables)(tables[0], dz + k, count, n);
		if (two)
			NAME(row_tables)(tables[1], dz + k + 16, count, n);
		for (int64_t i = 0; i < inputs; i++) {
			uint32_t bits = columns[i];
			if (!bits && !fresh)
				continue;
			float *to = dw + i * n + k;
			NAME(floats) a = { 0 }, b = a;
			if (!fresh)
				a = *(NAME(floats) *)to;
			if (!fresh && two)
				b = *(NAME(floats) *)(to + 16);
			for (int g = 0; g < ROW_GROUP / NIBBLE; g++) {
				uint32_t nibble = bits >> g * NIBBLE & 15;
				a += tables[0][g][nibble];
				if (two)
					b += tables[1][g][nibble];
			}
			*(NAME(floats) *)to = a;
			if (two)
				*(NAME(floats) *)(to + 16) = b;
		}
	}
}

LOOP void NAME(times_column)(float *restrict y, const float *restrict x, const float *restrict w, int64_t count,
			     int64_t k)
{
	enum { LANES = 16 };
	for (int64_t r = 0; r < count; r++, x += k) {
		float lanes[LANES] = { 0 }, sum = 0;
		int64_t i = 0;
		for (; i + LANES <= k; i += LANES)
			for (int c = 0; c < LANES; c++)
				lanes[c] += x[i + c] * w[i + c];
		for (; i < k; i++)
			sum += x[i] * w[i];
		for (int c = 0; c < LANES; c++)
			sum += lanes[c];
		y[r] = sum;
	}
}

LOOP void NAME(add_to_column)(float *restrict dw, const float *restrict x, const float *restrict dy, int64_t count,
			      int64_t k)
{
	for (int64_t r = 0; r < count; r++, x += k)
		for (int64_t i = 0; i < k; i++)
			dw[i] += dy[r] * x[i];
}

LOOP void NAME(column_back)(float *restrict dx, const float *restrict dy, const float *restrict w, int64_t count,
			    int64_t k)
{
	for (int64_t r = 0; r < count; r++, dx += k)
		for (int64_t i = 0; i < k; i++)
			dx[i] = dy[r] * w[i];
}

LOOP void NAME(add_bias)(float *restrict y, const float *restrict bias, int64_t count, int64_t n)
{
	for (int64_t r = 0; r < count; r++, y += n)
		for (int64_t k = 0; k < n; k++)
			y[k] += bias[k];
}

LOOP void NAME(column_sums)(float *restrict sums, const float *restrict x, int64_t count, int64_t n)
{
	for (int64_t r = 0; r < count; r++, x += n)
		for (int64_t k = 0; k < n; k++)
			sums[k] += x[k];
}

LOOP void NAME(column_squares)(float *restrict sums, const float *restrict x, const float *restrict mean, int64_t count,
			       int64_t n)
{
	for (int64_t r = 0; r < count; r++, x += n)
		for (int64_t k = 0; k < n; k++)
			sums[k] += (x[k] - mean[k]) * (x[k] - mean[k]);
}

LOOP void NAME(column_products)(float *restrict sums, float *restrict products, const float *restrict dy,
				const float *restrict x, const float *restrict mean, const float *restrict inverse,
				int64_t count, int64_t n)
{
	for (int64_t r = 0; r < count; r++, x += n, dy += n)
		for (int64_t k = 0; k < n; k++) {
			sums[k] += dy[k];
			products[k] += dy[k] * ((x[k] - mean[k]) * inverse[k]);
		}
}

LOOP void NAME(affine)(float *restrict y, const float *restrict x, const float *restrict a, const float *restrict b,
		       int64_t count, int64_t n)
{
	for (int64_t r = 0; r < count; r++, x += n, y += n)
		for (int64_t k = 0; k < n; k++)
			y[k] = x[k] * a[k] + b[k];
}

LOOP void NAME(affine_of_two)(float *restrict dx, const float *restrict dy, const float *restrict x,
			      const float *restrict a, const float *restrict b, const float *restrict c, int64_t count,
			      int64_t n)
{
	for (int64_t r = 0; r < count; r++, x += n, dx += n, dy += n)
		for (int64_t k = 0; k < n; k++)
			dx[k] = dy[k] * a[k] + x[k] * b[k] + c[k];
}

/* A hash of 32 bits that tests well (Wellons 2018, lowbias32). */
LOOP void NAME(dropout)(float *restrict y, const float *restrict x, uint32_t key, uint32_t first, uint32_t threshold,
			float keep, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		uint32_t h = (first + (uint32_t)i) ^ key;
		h = (h ^ h >> 16) * 0x7feb352du;
		h = (h ^ h >> 15) * 0x846ca68bu;
		h ^= h >> 16;
		y[i] = (h & 0xffff) < threshold ? x[i] * keep : 0;
	}
}

/* round_even of quantise.h, which is not compiled for TARGET and would not be put in place. */
LOOP inline float NAME(rounded)(float x)
{
	const float shift = 12582912;
	return (x + shift) - shift;
}

LOOP void NAME(quantise)(float *restrict y, const float *restrict x, float s, float lo, float hi, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		float q = x[i] / s;
		q = q < lo ? lo : q;
		q = q > hi ? hi : q;
		y[i] = s * NAME(rounded)(q);
	}
}

/* One element: dx, and what it adds to the gradient of s. */
LOOP inline float NAME(quantise_back_one)(float *dx, float dy, float x, float s, float lo, float hi, float floor)
{
	float u = x / s, v = u < lo - 1 ? lo - 1 : u;
	v = v > hi + 1 ? hi + 1 : v;
	float q = NAME(rounded)(v), low = q < lo ? lo : q, code = low > hi ? hi : low;
	float inside = (float)((q >= lo) & (q <= hi) & (x > floor));
	*dx = dy * inside;
	return dy * (code - u * inside);
}

LOOP double NAME(quantise_back)(float *restrict dx, const float *restrict dy, const float *restrict x, float s,
				float lo, float hi, float floor, int64_t n)
{
	enum { LANES = 16 };
	float sums[LANES] = { 0 };
	double sum = 0;
	int64_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (int k = 0; k < LANES; k++)
			sums[k] += NAME(quantise_back_one)(dx + i + k, dy[i + k], x[i + k], s, lo, hi, floor);
	for (int k = 0; i + k < n; k++)
		sums[k] += NAME(quantise_back_one)(dx + i + k, dy[i + k], x[i + k], s, lo, hi, floor);
	for (int k = 0; k < LANES; k++)
		sum += (double)sums[k];
	return sum;
}

LOOP void NAME(add)(float *restrict to, const float *restrict from, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		to[i] += from[i];
}

LOOP void NAME(adam)(float *restrict w, float *restrict m, float *restrict v, const float *restrict g, float rate,
		     float b1, float b2, float c1, float c2, float epsilon, float decay, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		m[i] = m[i] * b1 + g[i] * (1 - b1);
		v[i] = v[i] * b2 + g[i] * g[i] * (1 - b2);
		w[i] = w[i] * (1 - decay) - rate * (m[i] * c1) / (sqrtf(v[i] * c2) + epsilon);
	}
}

static const struct kernels NAME(kernels) = {
	.nibble_tables = NAME(nibble_tables),
	.add_by_nibbles = NAME(add_by_nibbles),
	.scale_sums = NAME(scale_sums),
	.transpose_bits = NAME(transpose_bits),
	.add_by_columns = NAME(add_by_columns),
	.times_column = NAME(times_column),
	.add_to_column = NAME(add_to_column),
	.column_back = NAME(column_back),
	.add_bias = NAME(add_bias),
	.column_sums = NAME(column_sums),
	.column_squares = NAME(column_squares),
	.column_products = NAME(column_products),
	.affine = NAME(affine),
	.affine_of_two = NAME(affine_of_two),
	.dropout = NAME(dropout),
	.quantise = NAME(quantise),
	.quantise_back = NAME(quantise_back),
	.add = NAME(add),
	.adam = NAME(adam),
};
#undef LOOP
