/* LRN: local response normalisation across channels. */
#include <math.h>

#include "ops/form.h"
#include "util/integers.h"

/* y = x / (bias + alpha / size * the sum of squares of the channels around it)^beta */
struct lrn {
	int64_t size, before, after; /* channels before and behind the own one */
	double alpha, beta, bias;
};

static struct lrn lrn_of(const struct node *n)
{
	int64_t size = node_attr_int(n, "size", 1);
	return (struct lrn){ .size = size,
			     .before = (size - 1) / 2,
			     .after = size / 2,
			     .alpha = node_attr_float(n, "alpha", (double)1e-4f),
			     .beta = node_attr_float(n, "beta", 0.75),
			     .bias = node_attr_float(n, "bias", 1) };
}

static double squares(const float *x, const struct lrn *l, int64_t c, int64_t channels, int64_t inner)
{
	double sum = 0;
	int64_t first = c > l->before ? c - l->before : 0, last = c + l->after < channels ? c + l->after : channels - 1;
	for (int64_t k = first; k <= last; k++)
		sum += (double)x[k * inner] * (double)x[k * inner];
	return sum;
}

static int exec_lrn(struct exec_ctx *x)
{
	const struct tensor *in = x->in[0];
	struct lrn l = lrn_of(x->node);
	if (in->rank < 2 || in->elem != ELEM_FLOAT || l.size < 1)
		return exec_unsupported(x, "an input that is no float with channels, or a size below 1");
	int64_t channels = in->dims[1], inner = dims_product(in->dims, 2, in->rank);
	struct tensor *y = exec_output(x, 0, ELEM_FLOAT, in->rank, in->dims);
	if (!y || exec_work(x, in->count, l.size < channels ? l.size : channels) != 0)
		return -1;
	const float *from = in->data;
	float *to = y->data;
	for (int64_t i = 0; i < in->count; i++) {
		int64_t c = i / inner % channels;
		double sum = squares(from + i - c * inner, &l, c, channels, inner);
		to[i] = (float)((double)from[i] / pow(l.bias + l.alpha / (double)l.size * sum, l.beta));
	}
	return 0;
}

static int form_lrn(struct op_form *f)
{
	const struct value *v = node_input(f->node, 0);
	struct lrn l = lrn_of(f->node);
	if (v->rank < 2 || v->elem != ELEM_FLOAT || l.size < 1)
		return -1;
	int64_t channels = v->dims[1], inner = dims_product(v->dims, 2, v->rank);
	form_loop(f, "o", v->dims[0]);
	form_loop(f, "c", channels);
	form_loop(f, "i", inner);
	form_line(f, "const int first = c > %lld ? c - %lld : 0;", LL(l.before), LL(l.before));
	form_line(f, "const int last = c < %lld ? c + %lld : %lld;", LL(channels - l.after), LL(l.after),
		  LL(channels - 1));
	form_line(f, "double sum = 0;");
	form_line(f, "for (int k = first; k <= last; k++) {");
	const char *other = f->load(f, 0, form_text(f, "(o * %lld + k) * %lld + i", LL(channels), LL(inner)));
	form_line(f, "sum += (double)%s * (double)%s;", other, other);
	form_end(f, 1);
	const char *at = form_text(f, "(o * %lld + c) * %lld + i", LL(channels), LL(inner));
	form_store(f, 0, at,
		   form_text(f, "(float)((double)%s / pow(%s + %s * sum, %s))", f->load(f, 0, at),
			     form_float(f, l.bias, true), form_float(f, l.alpha / (double)l.size, true),
			     form_float(f, l.beta, true)));
	form_end(f, 3);
	return 0;
}

const struct op op_LRN = {
	.domain = DOMAIN_ONNX,
	.name = "LRN",
	.summary = "Divides by the strength of the channels around (local response normalisation)",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = infer_same,
	.exec = exec_lrn,
	.widens = true,
	.form = form_lrn,
};
