/* GlobalAccPool: the sum of each channel over all pixels of an image. */
#include "hw/cost.h"
#include "hw/kinds/exec.h"
#include "util/integers.h"

static int read_sum(const struct node *n, struct hw_layer *l, struct diags *d)
{
	const struct value *out = node_output(n, 0);
	hw_read_vectors(n, l, d);
	l->elements[1] = l->mh * (out && out->rank > 0 && out->dims[0] > 0 ? out->dims[0] : 1);
	return 0;
}

static struct hw_cost cost(const struct hw_layer *l, const struct hw_choice *c)
{
	struct hw_cost sum = hw_arithmetic_cost(l, c);
	sum.cycles = hw_input(l, c, 0).words + l->mh / c->pe;
	return sum;
}

/* ---- execution ---- */

/* Images in, channels last: as they are, or numInputVectors of NumChannels where they come as rows. */
static int image_shape(const struct node *n, int rank, const int64_t *given, int64_t dims[MAX_RANK])
{
	return rank > 0 ? hw_input_shape(n, node_attr_int(n, "NumChannels", -1), rank, given, dims) : 0;
}

static int infer(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t dims[MAX_RANK];
	if (image_shape(x->node, in->rank, in->dims, dims) == 4)
		return hw_infer_image(x, 1, 1, dims[3]);
	return infer_same(x);
}

static struct datatype datatype(const struct node *n, size_t i)
{
	struct datatype in = hw_datatype(n, "inputDataType");
	const struct value *v = node_input(n, 0);
	int64_t dims[MAX_RANK];
	(void)i;
	if (!datatype_is_integer(in) || image_shape(n, v->rank, v->dims, dims) != 4 || dims[1] < 1 || dims[2] < 1)
		return datatype_of_kind(DT_NONE);
	int64_t lo, hi, pixels = dims_product(dims, 1, 3);
	if (__builtin_mul_overflow(pixels, datatype_int_min(in), &lo) ||
	    __builtin_mul_overflow(pixels, datatype_int_max(in), &hi))
		return datatype_of_kind(DT_NONE);
	return datatype_for_range(lo, hi);
}

static int exec(struct exec_ctx *x)
{
	struct tensor *in = hw_numbers(x, 0);
	int64_t dims[MAX_RANK];
	if (!in || image_shape(x->node, in->rank, in->dims, dims) != 4) {
		tensor_unref(in);
		return in ? exec_unsupported(x, "its input must be an image, channels last") : -1;
	}
	int64_t pixels = dims[1] * dims[2], channels = dims[3];
	struct tensor *y = exec_output(x, 0, hw_elem(x), 4, (int64_t[]){ dims[0], 1, 1, channels });
	for (int64_t i = 0; y && i < dims[0] * channels; i++) {
		int64_t from = i / channels * pixels * channels + i % channels;
		double sum = 0;
		for (int64_t p = 0; p < pixels; p++)
			sum += hw_get(in, from + p * channels);
		hw_put(y, i, sum);
	}
	tensor_unref(in);
	return y ? 0 : -1;
}

static const struct hw_kind kind = {
	.streams = 1,
	.pe_limit = "NumChannels",
	.in_type = "inputDataType",
	.read = read_sum,
	.cost = cost,
	.steps = hw_words_in_and_out,
	.step = hw_step_in_then_out,
};

const struct op op_GlobalAccPool = {
	.domain = DOMAIN_FINN,
	.name = "GlobalAccPool",
	.summary = "Hardware: sum over all pixels of an image",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer,
	.datatype = datatype,
	.exec = exec,
	.hw = &kind,
};
