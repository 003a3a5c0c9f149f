/* Channels first and channels last (see channels.h). */
#include "ops/channels.h"

#include <stdlib.h>

#include "util/arena.h"
#include "util/integers.h"

void dims_channels_first(int rank, const int64_t *dims, int64_t *out)
{
	out[0] = dims[0];
	out[1] = dims[rank - 1];
	for (int i = 2; i < rank; i++)
		out[i] = dims[i - 1];
}

void dims_channels_last(int rank, const int64_t *dims, int64_t *out)
{
	out[0] = dims[0];
	for (int i = 2; i < rank; i++)
		out[i - 1] = dims[i];
	out[rank - 1] = dims[1];
}

/* Each of n matrices of rows x columns, transposed. */
#define TRANSPOSE(T, name)                                                               \
	static void name(const T *from, T *to, int64_t n, int64_t rows, int64_t columns) \
	{                                                                                \
		for (; n > 0; n--, from += rows * columns, to += rows * columns)         \
			for (int64_t i = 0; i < rows; i++)                               \
				for (int64_t j = 0; j < columns; j++)                    \
					to[j * rows + i] = from[i * columns + j];        \
	}
TRANSPOSE(float, transpose_float)
TRANSPOSE(double, transpose_double)

static struct tensor *turned(const struct tensor *t, const int64_t *dims, int64_t rows, int64_t columns)
{
	struct tensor *out = tensor_try_raw((enum elem_type)t->elem, t->rank, dims);
	if (!out)
		return NULL;
	if (t->elem == ELEM_FLOAT)
		transpose_float(t->data, out->data, t->dims[0], rows, columns);
	else
		transpose_double(t->data, out->data, t->dims[0], rows, columns);
	return out;
}

static int64_t area(const struct tensor *t) /* elements per sample and channel, given the channels' dim */
{
	return dims_product(t->dims, 1, t->rank);
}

/* [N, spatial..., C] -> [N, C, spatial...], and back. Float or double, rank >= 2; a fresh tensor, or NULL where
 * memory is out. */
static struct tensor *to_channels_first(const struct tensor *t)
{
	int64_t dims[MAX_RANK], channels = t->dims[t->rank - 1];
	dims_channels_first(t->rank, t->dims, dims);
	return turned(t, dims, channels ? area(t) / channels : 0, channels);
}

static struct tensor *to_channels_last(const struct tensor *t)
{
	int64_t dims[MAX_RANK], channels = t->dims[1];
	dims_channels_last(t->rank, t->dims, dims);
	return turned(t, dims, channels, channels ? area(t) / channels : 0);
}

int exec_channels_last(struct exec_ctx *x, op_exec_fn *kernel, size_t n_data)
{
	struct tensor **in = xcalloc(x->n_in, sizeof *in);
	struct exec_ctx inner = *x;
	int result = 0;
	inner.in = in;
	inner.shapes = SHAPES_ANY; /* the kernel's results still have their channels first */
	for (size_t i = 0; i < x->n_in; i++) {
		struct tensor *t = x->in[i];
		bool turn = t && i < n_data;
		if (turn && (t->rank < 2 || (t->elem != ELEM_FLOAT && t->elem != ELEM_DOUBLE)))
			result = exec_unsupported(x,
						  "data that is neither float nor double, or has fewer than two axes");
		else
			in[i] = turn ? to_channels_first(t) : tensor_ref(t);
	}
	if (result == 0)
		result = kernel(&inner);
	if (result == 0) {
		struct tensor *y = x->out[0];
		x->out[0] = to_channels_last(y);
		tensor_unref(y);
	}
	for (size_t i = 0; i < x->n_in; i++)
		tensor_unref(in[i]);
	free(in);
	return result;
}
