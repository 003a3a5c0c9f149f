/* linear(N): a product with quantised weights, and a bias.
 *
 * Where the input is bits, no matrix of floats is made of them. Forward, the sums of the codes that four bits can choose
 * are looked up (16 sums of rows of weights for each four inputs); they are integers, so that nothing is rounded.
 * Backward, the sums of gradients that four rows can choose are looked up (16 sums for each four rows), by the bits of
 * an input in these rows. Both take about a quarter of the additions of the product, and no multiplication. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ops/gemm_kernel.h"
#include "train/export.h"
#include "train/net.h"

struct linear {
	struct weight_quantiser weights;
	bool by_table;	 /* the sums fit 16 bits */
	int64_t groups;	 /* of four inputs */
	int64_t padded;	 /* outputs, to whole vectors */
	int16_t *codes;	 /* 4 groups x padded */
	int16_t *tables; /* groups x 16 x padded */
	float *scale;	 /* of each output */
};

static int setup(struct net *n, struct layer *l, struct diags *d)
{
	int64_t outputs;
	struct bit_width width = n->options.weights;
	const char *bits = layer_text(l, "bits", 1);
	if (layer_int(l, "width", 0, 0, 1, &outputs, d) < 0)
		return -1;
	if (l->in.rank != 1)
		return layer_error(l, d, "its input is an image; put flatten or avgpool before it");
	if (bits && !bit_width_parse(bits, &width))
		return layer_error(l, d, "'%s' is no width of weights: 1 to 8, ternary or float", bits);
	struct linear *s = xcalloc(1, sizeof *s);
	int64_t k = l->in.count, dims[] = { k, outputs };
	l->state = s;
	l->out = shape_of(1, &outputs);
	layer_add_param(l, "weight", 2, dims);
	layer_add_param(l, "bias", 1, &outputs)->decays = false;
	weights_init(&s->weights, width, n->options.per_channel ? k : 1, n->options.per_channel ? outputs : 1,
		     n->options.per_channel ? 1 : k * outputs);
	l->weights = &s->weights;
	s->groups = (k + NIBBLE - 1) / NIBBLE;
	s->padded = (outputs + SUM_COLUMNS - 1) / SUM_COLUMNS * SUM_COLUMNS;
	s->scale = xcalloc((size_t)outputs, sizeof *s->scale);
	if (n->bits && l->index == 0) {
		s->codes = xcalloc((size_t)(s->groups * NIBBLE * s->padded), sizeof *s->codes);
		s->tables = xcalloc((size_t)(s->groups * 16 * s->padded), sizeof *s->tables);
	}
	return 0;
}

/* No sum of a column's codes leaves 16 bits. */
static bool fits_short(const struct linear *s, int64_t inputs, int64_t outputs)
{
	if (s->weights.width.kind == BITS_FLOAT)
		return false;
	if ((float)inputs * weights_top(s->weights.width) <= SHRT_MAX)
		return true;
	for (int64_t c = 0; c < outputs; c++) {
		float sum = 0;
		for (int64_t i = 0; i < inputs; i++)
			sum += fabsf(s->weights.codes[i * outputs + c]);
		if (sum > SHRT_MAX)
			return false;
	}
	return true;
}

/* Weights that are no numbers any more, of a training that failed, count as 0. */
static int16_t short_of(float code)
{
	return code == code ? (int16_t)code : 0;
}

static void prepare(struct net *n, struct layer *l)
{
	struct linear *s = l->state;
	int64_t k = l->in.count, outputs = l->out.count;
	weights_quantise(&s->weights, l->params[0].value);
	for (int64_t i = 0; i < outputs; i++)
		s->scale[i] = s->weights.scale[s->weights.channels > 1 ? i : 0];
	s->by_table = s->tables && fits_short(s, k, outputs);
	if (!s->by_table)
		return;
	for (int64_t i = 0; i < k; i++)
		for (int64_t c = 0; c < outputs; c++)
			s->codes[i * s->padded + c] = short_of(s->weights.codes[i * outputs + c]);
	n->kernels->nibble_tables(s->tables, s->codes, s->groups, s->padded);
}

/* The part's bits as floats, for products that have no table. */
static float *unpacked(const struct net *n, const struct layer *l, const struct part *p, float *to)
{
	int64_t k = l->in.count;
	for (int64_t r = 0; r < p->rows; r++) {
		const uint64_t *row = n->packed + (p->first + r) * n->words;
		for (int64_t i = 0; i < k; i++)
			to[r * k + i] = (float)(row[i / 64] >> i % 64 & 1);
	}
	return to;
}

static void forward_bits(const struct net *n, const struct layer *l, const struct part *p)
{
	const struct linear *s = l->state;
	size_t size = (size_t)(p->rows * s->padded) * sizeof(int16_t);
	int16_t *sums = net_scratch(n, p->worker, size);
	memset(sums, 0, size);
	n->kernels->add_by_nibbles(sums, s->tables, n->packed + p->first * n->words, n->words, p->rows, s->groups,
				   s->padded);
	n->kernels->scale_sums(l->y + p->first * l->out.count, sums, s->padded, s->scale, l->params[1].value, p->rows,
			       l->out.count);
}

static void forward(const struct net *n, struct layer *l, const struct part *p)
{
	const struct linear *s = l->state;
	int64_t k = l->in.count, outputs = l->out.count;
	if (!l->x && s->by_table) {
		forward_bits(n, l, p);
		return;
	}
	const float *x = l->x ? l->x + p->first * k
			      : unpacked(n, l, p, net_scratch(n, p->worker, (size_t)(p->rows * k) * sizeof(float)));
	const struct matrix_shape m = { .m = p->rows, .n = outputs, .k = k, .lda = k, .ldb = outputs, .ldc = outputs };
	if (outputs == 1)
		n->kernels->times_column(l->y + p->first, x, s->weights.values, p->rows, k);
	else
		gemm_float(&m, x, s->weights.values, l->y + p->first * outputs);
	n->kernels->add_bias(l->y + p->first * outputs, l->params[1].value, p->rows, outputs);
}

/* ---- gradients ---- */

static void weight_gradient_bits(const struct net *n, const struct layer *l, const struct part *p, float *dw)
{
	uint32_t *columns = net_scratch(n, p->worker, (size_t)(n->words * 64) * sizeof *columns);
	const float *dy = l->dy + p->first * l->out.count;
	for (int64_t r = 0; r < p->rows; r += ROW_GROUP) {
		int64_t count = p->rows - r < ROW_GROUP ? p->rows - r : ROW_GROUP;
		n->kernels->transpose_bits(columns, n->packed + (p->first + r) * n->words, n->words, count);
		n->kernels->add_by_columns(dw, columns, l->in.count, dy + r * l->out.count, count, l->out.count,
					   r == 0);
	}
}

static void weight_gradient(const struct net *n, const struct layer *l, const struct part *p)
{
	float *dw = param_partial(&l->params[0], p);
	int64_t k = l->in.count, outputs = l->out.count;
	if (!l->x && outputs % 16 == 0) {
		weight_gradient_bits(n, l, p, dw);
		return;
	}
	const float *x = l->x ? l->x + p->first * k
			      : unpacked(n, l, p, net_scratch(n, p->worker, (size_t)(p->rows * k) * sizeof(float)));
	const struct matrix_shape m = {
		.m = k, .n = outputs, .k = p->rows, .trans_a = true, .lda = k, .ldb = outputs, .ldc = outputs
	};
	if (outputs == 1) {
		memset(dw, 0, (size_t)k * sizeof *dw);
		n->kernels->add_to_column(dw, x, l->dy + p->first, p->rows, k);
	} else {
		gemm_float(&m, x, l->dy + p->first * outputs, dw);
	}
}

static void backward(const struct net *n, struct layer *l, const struct part *p)
{
	const struct linear *s = l->state;
	int64_t k = l->in.count, outputs = l->out.count;
	float *db = param_partial(&l->params[1], p);
	weight_gradient(n, l, p);
	memset(db, 0, (size_t)outputs * sizeof *db);
	n->kernels->column_sums(db, l->dy + p->first * outputs, p->rows, outputs);
	if (!l->dx)
		return;
	if (outputs == 1) {
		n->kernels->column_back(l->dx + p->first * k, l->dy + p->first, s->weights.values, p->rows, k);
		return;
	}
	const struct matrix_shape m = {
		.m = p->rows, .n = k, .k = outputs, .trans_b = true, .lda = outputs, .ldb = outputs, .ldc = k
	};
	gemm_float(&m, l->dy + p->first * outputs, s->weights.values, l->dx + p->first * k);
}

static void finish(struct net *n, struct layer *l)
{
	(void)n;
	weights_gradient(l->weights, l->params[0].value, l->params[0].grad);
}

/* ---- export ---- */

/* A Gemm with the weights as outputs x inputs, as PyTorch's exporters write it. */
static int export(struct export *e, const struct layer *l)
{
	int64_t dims[] = { l->out.count, l->in.count };
	struct value *inputs[] = { e->value, export_weights(e, l, 2, dims, true),
				   export_floats(e, l, "bias", 1, dims, l->params[1].value) };
	struct node *n = export_node(e, "", "Gemm", inputs, 3);
	node_set_int(n, "transB", 1);
	return 0;
}

static void free_linear(struct layer *l)
{
	struct linear *s = l->state;
	weights_free(&s->weights);
	free(s->codes);
	free(s->tables);
	free(s->scale);
	free(s);
}

const struct layer_type layer_linear = {
	.name = "linear",
	.form = "linear(width[,bits=2])",
	.summary = "a product with weights, and a bias",
	.setup = setup,
	.prepare = prepare,
	.forward = forward,
	.backward = backward,
	.finish = finish,
	.export = export,
	.free = free_linear,
};
