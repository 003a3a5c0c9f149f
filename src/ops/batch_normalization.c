/* BatchNormalization, channels first and (in QONNX's domain) channels last. For inference it is y = x * s + t per
 * channel with s = scale / sqrt(var + epsilon), t = bias - mean * s, computed in the data's type as
 * onnxruntime does. In training mode the statistics of the batch are used and returned. */
#include <string.h>
#include <tgmath.h>

#include "ops/broadcast.h"
#include "ops/form.h"
#include "util/integers.h"

#define AFFINE_LOOP(elem, T, W, ...)                                                                              \
	LOOP_FUNCTION affine_##elem(T *restrict y, const T *restrict x, const T *restrict s, const T *restrict t, \
				    int64_t n, bool step)                                                         \
	{                                                                                                         \
		if (step)                                                                                         \
			for (int64_t i = 0; i < n; i++)                                                           \
				y[i] = x[i] * s[i] + t[i];                                                        \
		else                                                                                              \
			for (int64_t i = 0; i < n; i++)                                                           \
				y[i] = x[i] * *s + *t;                                                            \
	}                                                                                                         \
	static void fold_##elem(const struct tensor *scale, const struct tensor *bias, const struct tensor *mean, \
				const struct tensor *var, T epsilon, T *s, T *t)                                  \
	{                                                                                                         \
		const T *g = scale->data, *b = bias->data, *m = mean->data, *v = var->data;                       \
		for (int64_t i = 0; i < scale->count; i++) {                                                      \
			T inverse = 1 / sqrt(v[i] + epsilon);                                                     \
			s[i] = inverse * g[i];                                                                    \
			t[i] = b[i] - m[i] * s[i];                                                                \
		}                                                                                                 \
	}
EACH_FLOAT(AFFINE_LOOP, unused)

static int channel_axis(const struct node *n, int rank)
{
	bool last = n->op && strcmp(n->op->domain, DOMAIN_CHANNELS_LAST) == 0;
	return last ? rank - 1 : rank > 1 ? 1 : 0;
}

/* The parameters as tensors that broadcast against x: [C, 1, 1] with as many ones as axes follow. */
static int param_dims(int rank, int axis, int64_t channels, int64_t *dims)
{
	int own = rank - axis;
	for (int i = 0; i < own; i++)
		dims[i] = i ? 1 : channels;
	return own;
}

static void apply(const struct tensor *in, const struct tensor *s, const struct tensor *t, struct tensor *y)
{
	struct tensor *operands[3] = { (struct tensor *)in, (struct tensor *)s, (struct tensor *)t };
	struct walk w;
	if (!walk_start(&w, in->rank, in->dims, 3, operands))
		return;
	do {
		if (in->elem == ELEM_FLOAT)
			affine_ELEM_FLOAT((float *)y->data + w.done, (float *)in->data + w.done,
					  (float *)s->data + w.offset[1], (float *)t->data + w.offset[2], w.run,
					  w.step[1]);
		else
			affine_ELEM_DOUBLE((double *)y->data + w.done, (double *)in->data + w.done,
					   (double *)s->data + w.offset[1], (double *)t->data + w.offset[2], w.run,
					   w.step[1]);
	} while (walk_next(&w));
}

/* params: scale, bias, mean, variance, in the type of x. */
static int normalise(struct exec_ctx *x, struct tensor *const params[4])
{
	const struct tensor *in = x->in[0];
	enum elem_type elem = (enum elem_type)in->elem;
	double epsilon = node_attr_float(x->node, "epsilon", (double)1e-5f);
	int64_t dims[MAX_RANK], channels = params[0]->count;
	int rank = param_dims(in->rank, channel_axis(x->node, in->rank), channels, dims);
	struct tensor *s = exec_scratch(x, elem, rank, dims), *t = exec_scratch(x, elem, rank, dims);
	struct tensor *y = exec_output(x, 0, elem, in->rank, in->dims);
	if (y && s && t) {
		if (elem == ELEM_FLOAT)
			fold_ELEM_FLOAT(params[0], params[1], params[2], params[3], (float)epsilon, s->data, t->data);
		else
			fold_ELEM_DOUBLE(params[0], params[1], params[2], params[3], epsilon, s->data, t->data);
		apply(in, s, t, y);
	}
	bool done = y && s && t;
	tensor_unref(s);
	tensor_unref(t);
	return done ? 0 : -1;
}

/* Mean and (biased) variance per channel over all other axes. */
static void statistics(const struct tensor *t, int axis, struct tensor *mean, struct tensor *var)
{
	int64_t channels = mean->count, inner = 1;
	inner = dims_product(t->dims, axis + 1, t->rank);
	for (int64_t c = 0; c < channels; c++) {
		double sum = 0, squares = 0, n = (double)(t->count / channels);
		for (int pass = 0; pass < 2; pass++)
			for (int64_t i = 0; i < t->count / channels; i++) {
				double v = tensor_at(t, (i / inner * channels + c) * inner + i % inner);
				if (pass)
					squares += (v - sum / n) * (v - sum / n);
				else
					sum += v;
			}
		tensor_put(mean, c, sum / n);
		tensor_put(var, c, squares / n);
	}
}

/* running = running * momentum + batch * (1 - momentum), outputs 1 and 2. */
static int update_running(struct exec_ctx *x, size_t i, const struct tensor *running, const struct tensor *batch)
{
	double momentum = node_attr_float(x->node, "momentum", (double)0.9f);
	if (i >= x->n_out || !x->node->outputs[i])
		return 0;
	struct tensor *out = exec_output(x, i, (enum elem_type)running->elem, running->rank, running->dims);
	for (int64_t c = 0; out && c < out->count; c++)
		tensor_put(out, c, tensor_at(running, c) * momentum + tensor_at(batch, c) * (1 - momentum));
	return out ? 0 : -1;
}

static int train(struct exec_ctx *x, struct tensor *params[4])
{
	struct tensor *mean = tensor_try_copy(params[2]), *var = tensor_try_copy(params[3]);
	int result = -1;
	if (mean && var && x->in[0]->count) {
		statistics(x->in[0], channel_axis(x->node, x->in[0]->rank), mean, var);
		struct tensor *batch[4] = { params[0], params[1], mean, var };
		result = normalise(x, batch);
		if (result == 0)
			result = update_running(x, 1, params[2], mean);
		if (result == 0)
			result = update_running(x, 2, params[3], var);
	}
	tensor_unref(mean);
	tensor_unref(var);
	return result;
}

static int check(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	if (!exec_takes_real(x))
		return -1;
	if (x->opset < 9 && node_attr_int(x->node, "spatial", 1) == 0)
		return exec_unsupported(x, "spatial=0");
	int64_t channels = in->rank ? in->dims[channel_axis(x->node, in->rank)] : 1;
	for (size_t i = 1; i < 5; i++)
		if (x->in[i]->count != channels)
			return diag_node_error(x->diags, x->node, NULL, "input %zu has %lld elements for %lld channels",
					       i, (long long)x->in[i]->count, (long long)channels);
	return 0;
}

static int kernel(struct exec_ctx *x)
{
	struct tensor *params[4];
	if (check(x) != 0)
		return -1;
	for (int i = 0; i < 4; i++)
		params[i] = exec_as(x, x->in[i + 1], (enum elem_type)x->in[0]->elem);
	int result = -1;
	if (params[0] && params[1] && params[2] && params[3])
		result = node_attr_int(x->node, "training_mode", 0) ? train(x, params) : normalise(x, params);
	for (int i = 0; i < 4; i++)
		tensor_unref(params[i]);
	return result;
}

/* Parameters that have one element for each channel. */
static int check_parameters(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	int64_t channels = in->rank < 0 ? -1 : in->rank ? in->dims[channel_axis(x->node, in->rank)] : 1;
	for (size_t i = 1; i < 5; i++) {
		const struct value *v = node_input(x->node, i);
		int64_t count;
		if (channels >= 0 && value_shape_known(v) && dims_count(v->rank, v->dims, &count) && count != channels)
			return diag_node_error(x->diags, x->node, "re-export the model",
					       "input %zu has %lld elements for %lld channels", i, (long long)count,
					       (long long)channels);
	}
	return 0;
}

static int infer(struct infer_ctx *x)
{
	if (check_parameters(x) < 0)
		return -1;
	for (size_t i = 1; i < x->node->n_outputs; i++) {
		const struct value *running = node_input(x->node, i < 3 ? i + 2 : 3);
		infer_output(x, i, (enum elem_type)running->elem, running->rank, running->dims);
	}
	return infer_same(x);
}

const struct op op_BatchNormalization = {
	.domain = DOMAIN_ONNX,
	.name = "BatchNormalization",
	.summary = "Scales and shifts each channel by its mean and variance",
	.min_inputs = 5,
	.max_inputs = 5,
	.min_outputs = 1,
	.max_outputs = 5,
	.flags = OP_ELEMENTWISE,
	.infer = infer,
	.exec = kernel,
	.widens = true,
	.form = form_batch_normalization,
};

const struct op op_BatchNormalizationChannelsLast = {
	.domain = DOMAIN_CHANNELS_LAST,
	.name = "BatchNormalization",
	.summary = "Scales and shifts each channel by its mean and variance, channels last",
	.min_inputs = 5,
	.max_inputs = 5,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE,
	.infer = infer,
	.exec = kernel,
	.widens = true,
	.form = form_batch_normalization,
};
