/* StreamingSplit: the channels of a stream on several, the first ones on the first. */
#include "hw/kinds/exec.h"
#include "util/integers.h"

static const int64_t *parts_of(const struct node *n, size_t *count)
{
	return node_attr_ints(n, "ChannelsPerStream", count);
}

static int read_split(const struct node *n, struct hw_layer *l, struct diags *d)
{
	size_t count = 0;
	const int64_t *parts = parts_of(n, &count);
	if (count != n->n_outputs)
		return diag_node_error(d, n, NULL, "ChannelsPerStream has %zu entries for %u streams", count,
				       n->n_outputs);
	for (size_t i = 0; i < count; i++) {
		if (parts[i] < 1)
			return diag_node_error(d, n, NULL, "ChannelsPerStream is not positive");
		l->mh += parts[i];
		l->max_simd = i ? common_divisor(l->max_simd, parts[i]) : parts[0];
	}
	l->vectors = hw_product(n, "numInputVectors");
	l->elements[0] = l->elements[1] = l->vectors * l->mh;
	return 0;
}

static struct hw_stream input(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	(void)i;
	return hw_stream_of(l->in_bits, c->simd, l->elements[0]);
}

static struct hw_stream output(const struct hw_layer *l, const struct hw_choice *c, size_t i)
{
	size_t count = 0;
	const int64_t *parts = parts_of(l->node, &count);
	return hw_stream_of(l->out_bits, c->simd, i < count ? l->vectors * parts[i] : c->simd);
}

/* A vector's words go to the streams in turn. */
static bool gives(const struct hw_layer *l, const struct hw_progress *p, size_t k)
{
	size_t count;
	const int64_t *parts = parts_of(l->node, &count);
	int64_t at = p->at * l->now.simd % l->mh;
	for (size_t i = 0; i < k && i < count; i++)
		at -= parts[i];
	return k < count && at >= 0 && at < parts[k];
}

/* ---- execution ---- */

static int infer(struct infer_ctx *x)
{
	const struct value *in = node_input(x->node, 0);
	size_t count = 0;
	const int64_t *parts = parts_of(x->node, &count);
	int64_t total = 0, dims[MAX_RANK];
	for (size_t i = 0; i < count; i++)
		total = parts[i] < 0 ? -1 : add_clamped(total, parts[i]);
	int rank = in->rank < 1 ? -1 : hw_input_shape(x->node, total, in->rank, in->dims, dims);
	for (size_t i = 0; i < x->node->n_outputs; i++) {
		if (rank > 0)
			dims[rank - 1] = i < count ? parts[i] : -1;
		infer_output(x, i, ELEM_FLOAT, rank, dims);
	}
	return 0;
}

static int exec(struct exec_ctx *x)
{
	struct hw_layer l;
	size_t count;
	int64_t dims[MAX_RANK], at = 0;
	const int64_t *parts = parts_of(x->node, &count);
	struct tensor *in = hw_layer_read(x->node, &l, x->diags) == 0 ? hw_numbers(x, 0) : NULL;
	if (!in)
		return -1;
	int result = in->rank < 1 || in->count % l.mh
			     ? exec_unsupported(x, "its input does not fit its ChannelsPerStream")
			     : 0;
	int rank = result ? 0 : hw_input_shape(x->node, l.mh, in->rank, in->dims, dims);
	for (size_t i = 0; result == 0 && i < count; i++) {
		dims[rank - 1] = parts[i];
		struct tensor *y = exec_output(x, i, hw_elem(x), rank, dims);
		for (int64_t v = 0; y && v < in->count / l.mh; v++)
			hw_copy(y, v * parts[i], in, v * l.mh + at, parts[i]);
		at += parts[i];
		result = y ? 0 : -1;
	}
	tensor_unref(in);
	return result;
}

static const struct hw_kind kind = {
	.streams = 1,
	.in_type = "inputDataType",
	.out_type = "inputDataType",
	.read = read_split,
	.input = input,
	.output = output,
	.gives = gives,
};

const struct op op_StreamingSplit = {
	.domain = DOMAIN_FINN,
	.name = "StreamingSplit",
	.summary = "Hardware: the channels of a stream on several",
	.min_inputs = 1,
	.max_inputs = 1,
	.min_outputs = 1,
	.max_outputs = -1,
	.flags = OP_MOVES,
	.infer = infer,
	.datatype = hw_input_datatype,
	.exec = exec,
	.hw = &kind,
};
