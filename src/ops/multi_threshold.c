/* MultiThreshold: counts, per channel, the thresholds that x reaches: y = out_bias + out_scale * #(x >= t).
 * Which axis holds the channels: qonnx.custom_op.general.multithreshold. */
#include <math.h>
#include <string.h>

#include "ops/broadcast.h"
#include "ops/channels.h"

struct threshold_dims {
	int64_t outer, channels, inner; /* of the data */
	int64_t rows, steps;		/* of the thresholds */
	double scale, bias;
};

#define LOOPS "ops/threshold_loops.h"
#include "ops/float_and_double.h"
#include "util/integers.h"

int threshold_axis(const struct node *n, int rank)
{
	static const char *const by_rank[] = { "", "", "NC", "NWC", "NCHW" };
	const char *layout = node_attr_string(n, "data_layout", "");
	if (!*layout && rank < 5)
		layout = by_rank[rank];
	const char *c = strchr(layout, 'C');
	int axis = c ? (int)(c - layout) : 1;
	return axis < rank ? axis : rank - 1;
}

void set_threshold_axis(struct node *n, int rank, int axis)
{
	static const char spatial[] = "DHW";
	char layout[MAX_RANK + 1] = "NC";
	if (rank > 2 || axis == 0) {
		int others = 0; /* N, then spatial axes of which the last is W */
		for (int i = 0; i < rank; i++) {
			int left = rank - 1 - others; /* axes but for C behind this one */
			char letter = others == 0 ? 'N' : left <= 3 ? spatial[3 - left] : 'X';
			layout[i] = i == axis ? 'C' : letter;
			others += i != axis;
		}
		layout[rank] = '\0';
	}
	node_set_string(n, "data_layout", rank == 1 ? "NC" : layout);
}

static int read_dims(struct exec_ctx *x, struct threshold_dims *p)
{
	const struct tensor *in = x->in[0], *t = x->in[1];
	if (t->rank != 2)
		return exec_unsupported(x, "thresholds must be a matrix of channels x steps");
	int axis = threshold_axis(x->node, in->rank);
	*p = (struct threshold_dims){ 1,
				      axis < 0 ? 1 : in->dims[axis],
				      1,
				      t->dims[0],
				      t->dims[1],
				      node_attr_float(x->node, "out_scale", 1),
				      node_attr_float(x->node, "out_bias", 0) };
	p->outer = dims_product(in->dims, 0, axis);
	p->inner = dims_product(in->dims, axis + 1, in->rank);
	if (p->rows != 1 && p->rows != p->channels)
		return diag_node_error(x->diags, x->node, "give one row, or one per channel; see data_layout",
				       "%lld rows of thresholds for %lld channels", (long long)p->rows,
				       (long long)p->channels);
	if (p->rows == 1) { /* one row for all: a single channel */
		p->inner *= p->outer * p->channels;
		p->outer = p->channels = 1;
	}
	return 0;
}

static int in_type(struct exec_ctx *x, const struct threshold_dims *p, struct tensor *in, struct tensor *y)
{
	struct tensor *t = tensor_try_cast(x->in[1], (enum elem_type)in->elem);
	if (!t)
		return exec_unsupported(x, "thresholds of that type");
	if (in->elem == ELEM_FLOAT)
		thresholds_float(p, in->data, t->data, y->data);
	else
		thresholds_double(p, in->data, t->data, y->data);
	tensor_unref(t);
	return 0;
}

static int kernel(struct exec_ctx *x)
{
	struct threshold_dims p = { 0 };
	struct tensor *in = x->in[0];
	enum elem_type elem = (enum elem_type)in->elem;
	if (read_dims(x, &p) != 0)
		return -1;
	if (exec_work(x, in->count, p.steps) < 0)
		return -1;
	bool real = elem == ELEM_FLOAT || elem == ELEM_DOUBLE;
	struct tensor *y = exec_output(x, 0, real ? elem : ELEM_DOUBLE, in->rank, in->dims);
	struct tensor *wide = real ? tensor_ref(in) : tensor_try_cast(in, ELEM_DOUBLE);
	int result = y && wide ? in_type(x, &p, wide, y) : -1;
	if (result == 0 && !real) { /* integers were counted in double */
		x->out[0] = exec_as(x, y, elem);
		tensor_unref(y);
		result = x->out[0] ? 0 : -1;
	}
	tensor_unref(wide);
	return result;
}

/* out_dtype, unless scale or bias make the outputs no integers. */
static struct datatype datatype(const struct node *n, size_t i)
{
	(void)i;
	double scale = node_attr_float(n, "out_scale", 1), bias = node_attr_float(n, "out_bias", 0);
	struct datatype t = datatype_of_kind(DT_NONE);
	if (scale == rint(scale) && bias == rint(bias))
		datatype_parse(node_attr_string(n, "out_dtype", ""), &t);
	return t;
}

const struct op op_MultiThreshold = {
	.domain = DOMAIN_QONNX,
	.name = "MultiThreshold",
	.summary = "Counts the thresholds of its channel that x reaches, then scales and shifts",
	.min_inputs = 2,
	.max_inputs = 2,
	.min_outputs = 1,
	.max_outputs = 1,
	.flags = OP_ELEMENTWISE | OP_QUANTISER,
	.infer = infer_same,
	.datatype = datatype,
	.exec = kernel,
	.widens = true,
};
