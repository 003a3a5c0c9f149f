/* Pool: the maximum, or the truncated average, of the windows that a depthwise ConvolutionInputGenerator makes. */
#include <math.h>
#include <string.h>

#include "hw/cost.h"
#include "hw/kinds/exec.h"

static int read_pool(const struct node *n, struct hw_layer *l, struct diags *d)
{
	(void)d;
	hw_read_pair(n, "KernelSize", l->kernel);
	hw_read_pair(n, "OutImgDims", l->out_dim);
	hw_read_pair(n, "OutImgDims", l->in_dim); /* of windows */
	l->mh = l->max_pe;
	l->mw = hw_pixels(l->kernel);
	l->vectors = hw_pixels(l->out_dim) * node_attr_int(n, "BatchSize", 1);
	l->elements[0] = l->vectors * l->mw * l->mh;
	l->elements[1] = l->vectors * l->mh;
	return 0;
}

static struct hw_step step(const struct hw_layer *l, const struct hw_progress *p)
{
	return (struct hw_step){ true, p->at % l->mw == l->mw - 1, false };
}

/* ---- execution ---- */

/* Windows hold PE channels of all kernel positions at a time. */
static void image(const struct hw_layer *l, const struct tensor *in, int64_t in_at, struct tensor *out, int64_t out_at)
{
	bool average = strcmp(node_attr_string(l->node, "Function", "MaxPool"), "QuantAvgPool") == 0;
	int64_t shift = node_attr_int(l->node, "Size", 0), pe = l->now.pe;
	for (int64_t i = 0; i < hw_pixels(l->out_dim) * l->mh; i++) {
		int64_t c = i % l->mh, at = in_at + i / l->mh * l->mh * l->mw + c / pe * pe * l->mw + c % pe;
		double sum = hw_get(in, at);
		for (int64_t k = 1; k < l->mw; k++) {
			double v = hw_get(in, at + k * pe);
			sum = average ? sum + v : v > sum ? v : sum;
		}
		hw_put(out, out_at + i, average ? floor(ldexp(sum, -(int)shift)) : sum);
	}
}

static int exec(struct exec_ctx *x)
{
	struct hw_layer l;
	if (hw_layer_read(x->node, &l, x->diags) != 0)
		return -1;
	int64_t shift = node_attr_int(x->node, "Size", 0);
	if (shift < 0 || shift > 62)
		return diag_node_error(x->diags, x->node, NULL, "a shift of %lld bits is out of range",
				       (long long)shift);
	if (l.mh % l.now.pe)
		return diag_node_error(x->diags, x->node, NULL, "PE does not divide Channels");
	return hw_run_windows(x, &l, l.mw * l.mh, l.mh, image);
}

static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	return hw_datatype(n, "OutputDataType");
}

static const struct hw_kind kind = {
	.flags = HW_READS_WINDOWS,
	.streams = 1,
	.pe_limit = "Channels",
	.in_type = "InputDataType",
	.out_type = "OutputDataType",
	.read = read_pool,
	.cost = hw_comparator_cost,
	.step = step,
};

const struct op op_Pool = {
	.domain = DOMAIN_FINN,
	.name = "Pool",
	.summary = "Hardware: maximum or truncated average of windows",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = 1,
	.infer = hw_infer_images,
	.datatype = datatype,
	.exec = exec,
	.hw = &kind,
};
