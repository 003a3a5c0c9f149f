/* What the host computes before and after the hardware: a few operators on float tensors, in C99, in the order of
 * operations in which the network was checked. */
#ifndef QCC_HOST_OPS_H
#define QCC_HOST_OPS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { HOST_RANK = 8 };
enum host_operation { HOST_ADD, HOST_SUB, HOST_MUL, HOST_DIV };

/* y[outer][channels][inner] = bias + scale * how many thresholds of the channel's row x reaches. */
static inline void host_multi_threshold(long outer, long channels, long inner, long steps, long rows, const float *t,
					float scale, float bias, const float *x, float *y)
{
	for (long o = 0; o < outer; o++)
		for (long c = 0; c < channels; c++) {
			const float *row = t + (rows == 1 ? 0 : c * steps);
			for (long i = 0; i < inner; i++) {
				long low = 0, high = steps;
				const float v = x[(o * channels + c) * inner + i];
				while (low < high) {
					const long middle = low + (high - low) / 2;
					if (v >= row[middle])
						low = middle + 1;
					else
						high = middle;
				}
				y[(o * channels + c) * inner + i] = bias + scale * (float)low;
			}
		}
}

/* Element by element; strides are 0 where an operand repeats. */
static inline void host_binary(enum host_operation op, int rank, const long *dims, const float *a, const long *sa,
			       const float *b, const long *sb, float *y)
{
	long at[HOST_RANK] = { 0 }, ia = 0, ib = 0, n = 1;
	for (int k = 0; k < rank; k++)
		n *= dims[k];
	for (long i = 0; i < n; i++) {
		const float u = a[ia], v = b[ib];
		y[i] = op == HOST_ADD ? u + v : op == HOST_SUB ? u - v : op == HOST_MUL ? u * v : u / v;
		for (int k = rank - 1; k >= 0; k--) {
			ia += sa[k];
			ib += sb[k];
			if (++at[k] < dims[k])
				break;
			ia -= sa[k] * dims[k];
			ib -= sb[k] * dims[k];
			at[k] = 0;
		}
	}
}

/* strides: of x along each axis of y. */
static inline void host_transpose(int rank, const long *dims, const long *strides, const float *x, float *y)
{
	static const float zero = 0;
	static const long still[HOST_RANK] = { 0 };
	host_binary(HOST_ADD, rank, dims, x, strides, &zero, still, y);
}

/* y[outer][count][inner] from x[outer][from][inner]: the picked entries of an axis. */
static inline void host_gather(long outer, long from, long count, long inner, const long *index, const float *x, float *y)
{
	for (long o = 0; o < outer; o++)
		for (long k = 0; k < count; k++)
			memcpy(y + (o * count + k) * inner, x + (o * from + index[k]) * inner, (size_t)inner * sizeof *y);
}

/* Part of a concatenation: x[outer][size] goes to y[outer][total] from `at` on. */
static inline void host_place(long outer, long size, long total, long at, const float *x, float *y)
{
	for (long o = 0; o < outer; o++)
		memcpy(y + o * total + at, x + o * size, (size_t)size * sizeof *y);
}

static inline void host_mat_mul(long rows, long inner, long columns, const float *a, const float *b, float *y)
{
	for (long r = 0; r < rows; r++)
		for (long c = 0; c < columns; c++) {
			float sum = 0;
			for (long k = 0; k < inner; k++)
				sum += a[r * inner + k] * b[k * columns + c];
			y[r * columns + c] = sum;
		}
}

static inline float host_most(long n, const float *x)
{
	float most = x[0];
	for (long i = 1; i < n; i++)
		most = x[i] > most ? x[i] : most;
	return most;
}

static inline void host_softmax(long rows, long n, const float *x, float *y)
{
	for (long r = 0; r < rows; r++, x += n, y += n) {
		float most = host_most(n, x), sum = 0;
		for (long i = 0; i < n; i++)
			sum += y[i] = expf(x[i] - most);
		for (long i = 0; i < n; i++)
			y[i] /= sum;
	}
}

static inline void host_log_softmax(long rows, long n, const float *x, float *y)
{
	for (long r = 0; r < rows; r++, x += n, y += n) {
		float most = host_most(n, x), sum = 0;
		for (long i = 0; i < n; i++)
			sum += expf(x[i] - most);
		for (long i = 0; i < n; i++)
			y[i] = x[i] - most - logf(sum);
	}
}

static inline void host_relu(long n, const float *x, float *y)
{
	for (long i = 0; i < n; i++)
		y[i] = x[i] > 0 ? x[i] : 0;
}

static inline void host_sigmoid(long n, const float *x, float *y)
{
	for (long i = 0; i < n; i++)
		y[i] = 1 / (1 + expf(-x[i]));
}

static inline void host_tanh(long n, const float *x, float *y)
{
	for (long i = 0; i < n; i++)
		y[i] = tanhf(x[i]);
}

#endif
