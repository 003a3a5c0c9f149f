/* MVAU and VVAU: a matrix-vector product (dense, or one filter a channel) with optional thresholds.
 *
 * Bipolar inputs times bipolar weights, and binaryXnorMode, count equal bits instead: the accumulator is the
 * popcount p of FINN's hardware, where the product would be 2 p - MW; thresholds are in terms of p. */
#include <stdlib.h>
#include <string.h>

#include "ops/gemm_kernel.h"
#include "ops/hw_ops.h"

/* True where accumulators are popcounts; *binary where 0 and 1 stand for -1 and +1. */
static bool counts_bits(const struct node *n, bool *binary)
{
	*binary = node_attr_int(n, "binaryXnorMode", 0) != 0;
	return *binary || (hw_datatype(n, "inputDataType").kind == DT_BIPOLAR &&
			   hw_datatype(n, "weightDataType").kind == DT_BIPOLAR);
}

/* A copy with 0 and 1 as -1 and +1. Takes over the reference. */
static struct tensor *to_bipolar(struct tensor *t)
{
	struct tensor *copy = tensor_copy(t);
	float *p = copy ? copy->data : NULL;
	for (int64_t i = 0; copy && i < copy->count; i++)
		p[i] = 2 * p[i] - 1;
	tensor_unref(t);
	return copy;
}

/* ---- MVAU ---- */

static int infer_mvau(struct infer_ctx *x)
{
	return hw_infer_last(x, node_attr_int(x->node, "MH", -1));
}

/* y = a b with exact sums: in float where they surely fit its 24 bits, else in double. */
static int product(const struct hw_layer *l, const struct tensor *a, const struct tensor *b, float *y)
{
	int64_t rows = a->count / b->dims[0], k = b->dims[0], columns = b->dims[1];
	struct matrix_shape s = { rows, columns, k, false, false, k, columns, columns };
	if (l->in_bits + l->weight_bits < 20 && k << (l->in_bits + l->weight_bits) < 1 << 24) {
		gemm_float(&s, a->data, b->data, y);
		return 0;
	}
	struct tensor *wa = tensor_cast(a, ELEM_DOUBLE), *wb = tensor_cast(b, ELEM_DOUBLE);
	double *wide = malloc(((size_t)(rows * columns) + 1) * sizeof *wide);
	bool ok = wa && wb && wide;
	if (ok)
		gemm_double(&s, wa->data, wb->data, wide);
	for (int64_t i = 0; ok && i < rows * columns; i++)
		y[i] = (float)wide[i];
	free(wide);
	tensor_unref(wa);
	tensor_unref(wb);
	return ok ? 0 : -1;
}

static int activate(struct exec_ctx *x, struct tensor *y, int64_t channels)
{
	if (node_attr_int(x->node, "noActivation", 0))
		return 0;
	struct tensor *t = hw_floats(x, 2);
	int result = t ? hw_activate(x, y->data, y->count / channels, channels, t) : -1;
	tensor_unref(t);
	return result;
}

static int run_mvau(struct exec_ctx *x, const struct hw_layer *l, const struct tensor *a, const struct tensor *b,
		    bool popcount)
{
	int64_t dims[MAX_RANK];
	if (b->rank != 2 || a->rank < 1 || a->dims[a->rank - 1] != b->dims[0])
		return diag_node_error(x->diags, x->node, NULL, "the weights' shape does not fit the input's");
	memcpy(dims, a->dims, (size_t)a->rank * sizeof *dims);
	dims[a->rank - 1] = b->dims[1];
	struct tensor *y = exec_output(x, 0, ELEM_FLOAT, a->rank, dims);
	if (!y || product(l, a, b, y->data) != 0)
		return -1;
	float *p = y->data;
	for (int64_t i = 0; popcount && i < y->count; i++)
		p[i] = (p[i] + (float)b->dims[0]) / 2;
	return activate(x, y, b->dims[1]);
}

static int exec_mvau(struct exec_ctx *x)
{
	struct hw_layer l;
	bool binary, popcount = counts_bits(x->node, &binary);
	if (hw_layer_read(x->node, &l, x->diags) != 0)
		return -1;
	struct tensor *a = hw_floats(x, 0), *b = a ? hw_floats(x, 1) : NULL;
	if (b && binary) {
		a = to_bipolar(a);
		b = to_bipolar(b);
	}
	int result = a && b ? run_mvau(x, &l, a, b, popcount) : -1;
	tensor_unref(a);
	tensor_unref(b);
	return result;
}

static int64_t macs(const struct node *n)
{
	struct hw_layer l;
	struct diags none = { 0 };
	int64_t count = hw_layer_read(n, &l, &none) == 0 ? l.mw * l.mh * l.vectors : -1;
	diags_free(&none);
	return count;
}

const struct op op_MVAU = {
	.domain = DOMAIN_FINN,
	.name = "MVAU",
	.summary = "Hardware: matrix-vector product with optional thresholds",
	.min_inputs = 2,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_mvau,
	.datatype = hw_output_datatype,
	.exec = exec_mvau,
	.macs = macs,
};

/* ---- VVAU ---- */

static int infer_vvau(struct infer_ctx *x)
{
	return hw_infer_last(x, node_attr_int(x->node, "Channels", -1));
}

/* One pixel. The window holds, for each group of PE channels, all kernel positions of those channels. */
static void vvau_pixel(const struct hw_layer *l, const float *window, const float *w, float *y)
{
	int64_t pe = l->now.pe;
	for (int64_t c = 0; c < l->mh; c++) {
		const float *in = window + c / pe * pe * l->mw + c % pe;
		double sum = 0;
		for (int64_t k = 0; k < l->mw; k++)
			sum += (double)in[k * pe] * (double)w[c * l->mw + k];
		y[c] = (float)sum;
	}
}

static int exec_vvau(struct exec_ctx *x)
{
	struct hw_layer l;
	bool binary, popcount = counts_bits(x->node, &binary);
	if (hw_layer_read(x->node, &l, x->diags) != 0)
		return -1;
	struct tensor *a = hw_floats(x, 0), *w = a ? hw_floats(x, 1) : NULL, *y = NULL;
	int64_t pixels = a ? a->count / (l.mh * l.mw) : 0;
	if (w && a->rank == 4 && w->count == l.mh * l.mw && l.mh % l.now.pe == 0)
		y = exec_output(x, 0, ELEM_FLOAT, 4, (int64_t[]){ a->dims[0], a->dims[1], a->dims[2], l.mh });
	else if (w)
		diag_node_error(x->diags, x->node, NULL, "Channels, Kernel and PE do not fit the inputs");
	for (int64_t i = 0; y && i < pixels; i++)
		vvau_pixel(&l, tensor_floats(a) + i * l.mh * l.mw, w->data, (float *)y->data + i * l.mh);
	for (int64_t i = 0; y && popcount && i < y->count; i++)
		((float *)y->data)[i] = (((float *)y->data)[i] + (float)l.mw) / 2;
	int result = y ? activate(x, y, l.mh) : -1;
	tensor_unref(a);
	tensor_unref(w);
	return result;
}

const struct op op_VVAU = {
	.domain = DOMAIN_FINN,
	.name = "VVAU",
	.summary = "Hardware: one filter a channel (depthwise convolution) with optional thresholds",
	.min_inputs = 2,
	.max_inputs = 3,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_vvau,
	.datatype = hw_output_datatype,
	.exec = exec_vvau,
	.macs = macs,
};
